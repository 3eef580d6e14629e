"""Who gets an answer: where the customer asks it to go, who gets a copy, and who may write on the case for it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from everyline.channel_contract import Address, MediaClass
from everyline.channel_registry import channel
from everyline.desk import composing
from everyline.dispatch import rules
from everyline.ground.errors import Invalid
from tests.desk.conftest import Desk
from tests.mail import mail

JANE = "Jane Doe <jane.doe@example.org>"


async def form(desk: Desk, case_id: int, who: Any) -> dict[str, Any]:
    """What a browser would send of the composer as it stands there."""
    page = (await desk.part(who, f"/desk/cases/{case_id}/composer")).text.partition("<template>")
    shown = page[0] + page[2].partition("</template>")[2]
    chosen = re.search(r'name="channel" value="([^"]+)" checked', shown)
    assert chosen is not None
    return {
        "kind": "reply",
        "note": "",
        "channel": chosen[1],
        "copies": re.findall(r'name="copies" value="([^"]*)" checked', shown.replace("&lt;", "<").replace("&gt;", ">")),
        "copies_shown": "yes",
        "revision": str((await desk.case(case_id)).revision),
        "key": "one",
    }


async def delivery(desk: Desk, case_id: int) -> Any:
    async with desk.ground.database.transaction() as tx:
        from sqlalchemy import select

        from everyline.dispatch.models import Delivery

        return await tx.one(select(Delivery.__table__).where(Delivery.case_id == case_id, Delivery.kind == "reply"))


@pytest.mark.req("E1")
async def test_where_answers_are_asked_to_go_is_chosen_and_said(desk: Desk) -> None:
    agent = await desk.agent()
    case_id = await desk.mail(Reply_To="Office <office@firm.example>")
    shown = (await desk.part(agent, f"/desk/cases/{case_id}/composer")).text
    assert "Jane Doe asks for answers at office@firm.example." in shown
    assert "Their message came from jane.doe@example.org." in shown
    assert "Answers to office@firm.example" in (await desk.part(agent, f"/desk/cases/{case_id}/timeline")).text
    sent = await desk.post(agent, f"/desk/cases/{case_id}/answer", **await form(desk, case_id, agent), reply="Yes.")
    assert sent.status_code == 200
    out = await delivery(desk, case_id)
    assert (out.address, out.address_name) == ("office@firm.example", "Office")
    assert "Email to office@firm.example" in (await desk.part(agent, f"/desk/cases/{case_id}/timeline")).text
    customer = "select u.name from customer u join contact_point p on p.customer_id = u.id where p.address = :address"
    assert await desk.value(customer, address="jane.doe@example.org") == "Jane Doe", "who writes is who stands in From"
    assert await desk.value(customer, address="office@firm.example") is None


@pytest.mark.req("E1")
async def test_the_address_it_came_from_can_be_chosen_instead(desk: Desk) -> None:
    agent = await desk.agent()
    case_id = await desk.mail(Reply_To="office@firm.example")
    shown = (await desk.part(agent, f"/desk/cases/{case_id}/composer")).text
    point = re.search(r'name="channel" value="(\d+)"', shown)
    assert point is not None
    chosen = {**await form(desk, case_id, agent), "channel": point[1]}
    await desk.browser.put(f"/desk/cases/{case_id}/draft", data={**chosen, "reply": "Yes."}, headers=agent.cookie)
    assert (await form(desk, case_id, agent))["channel"] == point[1], "the draft remembers it"
    await desk.post(agent, f"/desk/cases/{case_id}/answer", **chosen, reply="Yes.")
    assert (await delivery(desk, case_id)).address == "jane.doe@example.org"


@pytest.mark.req("E1")
async def test_only_what_the_customer_asks_for_is_taken(desk: Desk) -> None:
    agent = await desk.agent()
    case_id = await desk.mail(Reply_To="office@firm.example")
    asked = {**await form(desk, case_id, agent), "channel": "to:evil@elsewhere.example"}
    refused = await desk.post(agent, f"/desk/cases/{case_id}/answer", **asked, reply="Yes.")
    assert refused.status_code == 422
    assert "does not ask for answers at evil@elsewhere.example" in refused.text
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 0
    own = await desk.mail(Reply_To=f"County <{desk.line.address}>")
    assert "asks for answers" not in (await desk.part(agent, f"/desk/cases/{own}/composer")).text
    over_list = await desk.mail(Reply_To="all@list.example", List_Post="<mailto:all@list.example>")
    assert "asks for answers" not in (await desk.part(agent, f"/desk/cases/{over_list}/composer")).text


@pytest.mark.req("E1")
async def test_an_answer_over_the_api_goes_elsewhere_only_when_told(desk: Desk) -> None:
    agent = await desk.agent()
    case_id = await desk.mail(Reply_To="office@firm.example", Cc="bob@example.org")
    url = f"/api/v1/cases/{case_id}/replies"
    asked = {"text": "Yes.", "copies": ["Bob <BOB@example.org>", "carol@example.org, Doe, Dan <dan@example.org>"]}
    made = await desk.browser.post(url, json=asked, headers=agent.bearer)
    assert made.status_code == 201, made.text
    out = await delivery(desk, case_id)
    assert out.address == "jane.doe@example.org"
    assert out.copies == [
        ["mailbox", "bob@example.org", "Bob"],
        ["mailbox", "carol@example.org", ""],
        ["mailbox", "dan@example.org", "Doe, Dan"],
    ]
    wrong = await desk.browser.post(url, json={"text": "Yes.", "copies": ["bob"]}, headers=agent.bearer)
    assert wrong.status_code == 422
    assert "bob" in wrong.text
    told = await desk.browser.post(url, json={"text": "Yes.", "answer_to": "office@firm.example"}, headers=agent.bearer)
    assert told.status_code == 201
    assert await desk.value("select address from delivery order by id desc limit 1") == "office@firm.example"


@pytest.mark.req("E1")
async def test_who_else_got_the_customers_mail_gets_a_copy_of_the_answer(desk: Desk) -> None:
    agent = await desk.agent()
    to = "help@county.example, Bob <bob@example.org>, help+zzz@county.example"
    case_id = await desk.mail(to=to, Cc="carol@example.org, jane.doe@example.org, HELP@county.example")
    ready = await form(desk, case_id, agent)
    assert ready["copies"] == ["Bob <bob@example.org>", "carol@example.org"]
    assert "Copy to Bob, carol@example.org" in (await desk.part(agent, f"/desk/cases/{case_id}/timeline")).text
    changed = {**ready, "copies": ["Bob <bob@example.org>", "dan@example.org"], "reply": "Yes."}
    await desk.browser.put(f"/desk/cases/{case_id}/draft", data=changed, headers=agent.cookie)
    assert (await form(desk, case_id, agent))["copies"] == ["Bob <bob@example.org>", "dan@example.org"]
    sent = await desk.post(agent, f"/desk/cases/{case_id}/answer", **changed)
    wanted = [["mailbox", "bob@example.org", "Bob"], ["mailbox", "dan@example.org", ""]]
    assert (await delivery(desk, case_id)).copies == wanted
    assert "Copy to Bob, dan@example.org" in (await desk.part(agent, f"/desk/cases/{case_id}/timeline")).text
    assert (await form(desk, case_id, agent))["copies"] == changed["copies"], "who got the last answer gets the next"
    assert (await desk.post(agent, json.loads(sent.headers["hx-trigger"])["toast"]["undo"])).status_code == 204
    assert (await form(desk, case_id, agent))["copies"] == ["Bob <bob@example.org>", "dan@example.org"]


@pytest.mark.req("E1")
async def test_what_is_no_address_is_said_and_stays(desk: Desk) -> None:
    agent = await desk.agent()
    ready = {**await form(desk, desk.case_id, agent), "copies": ["bob@example.org", "carol at home"], "reply": "Yes."}
    refused = await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **ready)
    assert refused.status_code == 422
    assert "“carol at home” is no email address." in refused.text
    assert re.search(r'class="chip bad"[^>]*><input[^>]*value="carol at home" checked', refused.text)
    assert "Yes.</textarea>" in refused.text
    ours = {**ready, "copies": ["help+abc@county.example"]}
    assert "an address of ours" in (await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **ours)).text
    assert await desk.value("select count(*) from delivery where kind = 'reply'") == 0


async def answered_with_copy(desk: Desk, case_id: int, *copies: str) -> str:
    """An agent answers with copies; what the answer is called on the wire."""
    agent = await desk.agent()
    ready = {**await form(desk, case_id, agent), "copies": list(copies), "reply": "Yes."}
    assert (await desk.post(agent, f"/desk/cases/{case_id}/answer", **ready)).status_code == 200
    return str((await delivery(desk, case_id)).external_id)


@pytest.mark.req("E1")
async def test_who_got_a_copy_from_us_writes_on_the_case_and_others_do_not(desk: Desk) -> None:
    case_id = await desk.mail(Cc="bob@example.org, carol@example.org")
    wire = await answered_with_copy(desk, case_id, "bob@example.org")
    cases = int(await desk.value('select count(*) from "case"'))
    await desk.line.receive(mail("I agree.", sender="bob@example.org", In_Reply_To=f"<{wire}>", Cc=JANE))
    assert await desk.value("select case_id from message where text = 'I agree.'") == case_id
    assert int(await desk.value('select count(*) from "case"')) == cases
    agent = await desk.agent()
    ready = await form(desk, case_id, agent)
    assert ready["copies"] == ["bob@example.org"], "who answered all is in it, and the customer is who it goes to"
    await desk.line.receive(mail("So do I.", sender="carol@example.org", In_Reply_To=f"<{wire}>"))
    other = await desk.value("select case_id from message where text = 'So do I.'")
    assert other != case_id, "only the customer copied her"
    assert await desk.value("select kind from case_link where case_id = :id", id=other) == "quotes"


@pytest.mark.req("E1", "P2")
async def test_a_copy_that_comes_back_spoils_neither_the_answer_nor_the_address(desk: Desk) -> None:
    case_id = await desk.mail()
    wire = await answered_with_copy(desk, case_id, "bob@example.org")
    await desk.do("update delivery set state = 'sent', sent_at = now() where kind = 'reply'")
    await desk.line.receive(bounce(wire, "bob@example.org"))
    assert (await delivery(desk, case_id)).state == "sent"
    assert await desk.value("select count(*) from contact_point where bad_since is not null") == 0
    assert (await desk.case(case_id)).unread, "somebody has to look"
    await desk.line.receive(bounce(wire, "jane.doe@example.org"))
    assert (await delivery(desk, case_id)).state == "bounced"
    assert await desk.value("select address from contact_point where bad_since is not null") == "jane.doe@example.org"


def bounce(wire: str, recipient: str) -> bytes:
    """What a mail host sends back (RFC 3464)."""
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: help@county.example\nSubject: Undelivered Mail\n"
        f"Message-ID: <b-{recipient}>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{wire}>\nSubject: Re: Dog license\n\n--b--\n"
    ).encode()


@pytest.mark.req("E4")
async def test_what_is_formatted_goes_out_as_text_and_as_html(desk: Desk) -> None:
    agent = await desk.agent()
    await desk.do("update agent set signature = 'Dana, 3rd floor'")
    text = "Dear Jane,\n\nyou **need**:\n\n- the form\n- <b>cash</b>, [here](https://county.example/pay)"
    ready = {**await form(desk, desk.case_id, agent), "reply": text}
    await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **ready)
    out = await delivery(desk, desk.case_id)
    assert out.text == f"{text}\n\n-- \nDana, 3rd floor\n"
    assert "<strong>need</strong>" in out.html
    assert '<li>&lt;b&gt;cash&lt;/b&gt;, <a href="https://county.example/pay"' in out.html
    assert "Dana, 3rd floor" in out.html
    shown = (await desk.part(agent, f"/desk/cases/{desk.case_id}/timeline")).text
    assert '<div class="said formatted" dir="auto"><p>Dear Jane,</p>' in shown
    assert "<b>cash</b>" not in shown
    assert "Dana, 3rd floor" not in shown
    assert (await desk.case()).last_words == "Dear Jane, you need: the form <b>cash</b>, here"


@pytest.mark.req("E4")
async def test_plain_words_go_out_plain(desk: Desk) -> None:
    agent = await desk.agent()
    ready = {**await form(desk, desk.case_id, agent), "reply": "It costs 5 * 3 = 15, see https://county.example/fees"}
    await desk.post(agent, f"/desk/cases/{desk.case_id}/answer", **ready)
    assert (await delivery(desk, desk.case_id)).html == ""


MAIL = channel("email").facts


def point(number: int, address: str, **facts: Any) -> Any:
    from types import SimpleNamespace

    base = {
        "id": number,
        "kind": "mailbox",
        "address": address,
        "preferred": False,
        "bad_since": None,
        "bad_reason": "",
    }
    return SimpleNamespace(**{**base, **facts})


def ways(*points: Any, asked: str = "", **facts: Any) -> list[composing.Way]:
    address = Address("mailbox", asked) if asked else None
    return composing.ways(points, {"mailbox": MAIL}, 1, facts.pop("wanted_id", None), "Jane", address, **facts)


@pytest.mark.req("A3")
def test_what_a_message_asks_for_comes_after_what_the_customer_prefers() -> None:
    assert MAIL.media_class is MediaClass.MAIL
    used, other = point(1, "jane@example.org"), point(2, "home@example.org")
    asked = ways(used, other, asked="office@firm.example")
    assert [way.value for way in asked if way.chosen] == ["to:office@firm.example"]
    assert asked[0].warning
    own = ways(used, other, asked="home@example.org")
    assert [(way.value, way.warning) for way in own if way.chosen] == [("2", "")], "it is hers, so nobody is warned"
    preferred = ways(used, point(2, "home@example.org", preferred=True), asked="office@firm.example")
    assert [way.value for way in preferred if way.chosen] == ["2"]
    drafted = ways(used, asked="office@firm.example", wanted_id=1)
    assert [way.value for way in drafted if way.chosen] == ["1"]
    again = ways(used, asked="office@firm.example", wanted="office@firm.example")
    assert [way.value for way in again if way.chosen] == ["to:office@firm.example"]
    assert composing.chosen("to:office@firm.example") == (None, "office@firm.example")


@pytest.mark.req("E1")
def test_addresses_are_taken_as_people_type_them() -> None:
    typed = [
        "Doe, Jane <Jane@Example.org>; bob@example.org,bob@EXAMPLE.org",
        ' "Lund, Ana" <ana@bücher.example> ',
        "",
        "x@y.example",
    ]
    found = rules.copies(typed, {"help@county.example"}, "x@y.example")
    assert [(one.name, one.address) for one in found] == [
        ("Doe, Jane", "jane@example.org"),
        ("", "bob@example.org"),
        ("Lund, Ana", "ana@xn--bcher-kva.example"),
    ]
    for wrong in ("bob", "a@b@c", "bob@example.org\r\nBcc: x@y.example z", "help+1@county.example", "<>"):
        with pytest.raises(Invalid):
            rules.copies([wrong], {"help@county.example"}, "")
    with pytest.raises(Invalid, match="At most 50"):
        rules.copies([f"a{number}@example.org" for number in range(51)], (), "")
