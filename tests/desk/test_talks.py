"""Live talks at the desk: the strip, the row of one's own, answers without a wait, cards, and supervisors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import until
from everyline.desk import talks as rules
from tests.desk.conftest import Desk, TalkDesk

pytestmark = pytest.mark.req("C1")
AT = datetime(2026, 3, 17, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return AT - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("said", "answered", "state"),
    [(10, None, "calm"), (50, None, "due"), (200, None, "late"), (200, 300, "late"), (200, 100, "answered")],
)
def test_a_wait_goes_from_calm_to_due_to_late_until_it_is_answered(said: int, answered: int | None, state: str) -> None:
    found = rules.wait(ago(said), ago(answered) if answered is not None else None, AT)
    assert found.state == state
    assert found.words, "a colour alone tells nobody"


def test_time_warns_who_is_silent_and_then_ends_the_talk() -> None:
    ruled = {"warn_after": 300, "end_after": 180}
    assert rules.ahead(ruled, ago(10), None, None) is None, "they wait for us"
    warns = rules.ahead(ruled, ago(100), ago(60), None)
    assert warns is not None
    assert (warns.what, warns.at) == ("warn", ago(60) + timedelta(seconds=300))
    ends = rules.ahead(ruled, ago(500), ago(400), ago(30))
    assert ends is not None
    assert (ends.what, ends.at) == ("end", ago(30) + timedelta(seconds=180))
    assert rules.ahead({"warn_after": 0}, ago(100), ago(60), None) is None, "nothing is ruled"


async def test_the_strip_says_who_looks_what_was_seen_and_when_it_ends(talks: TalkDesk) -> None:
    agent = await talks.agent(name="Maya Okafor")
    visitor, _stream, case_id = await talks.talk(agent)
    strip = f"/desk/cases/{case_id}/talk"
    shown = (await talks.get(agent, strip)).text
    assert "Not verified" in shown
    assert "Not seen yet" in shown
    assert 'data-here-is="no" hidden' in shown
    newest = await talks.value("select max(id) from message")
    assert (await visitor.post("seen", {"upto": str(newest)})).status_code == 204
    assert "Seen " in (await talks.get(agent, strip)).text
    await talks.do("update talk set here_at = now() - interval '2 minutes', warned_at = now()")
    shown = (await talks.get(agent, strip)).text
    assert 'data-here-is="yes" hidden' in shown
    assert "Ends by itself in" in shown
    await talks.post(agent, f"{strip}/end")
    assert (await talks.get(agent, strip)).text.strip() == ""


async def test_a_visitor_has_a_name_for_people_and_no_number_of_ours(talks: TalkDesk) -> None:
    agent = await talks.agent(name="Maya Okafor")
    _visitor, _stream, case_id = await talks.talk(agent)
    page = (await talks.get(agent, f"/desk/cases/{case_id}")).text
    address = await talks.value("select address from contact_point where kind = 'visitor'")
    assert address not in page
    assert f"Visitor {address[2:6].upper()}" in page


async def test_who_reads_the_strip_of_their_talk_has_read_it_and_nobody_else(talks: TalkDesk) -> None:
    agent, other = await talks.agent(), await talks.agent()
    visitor, stream, case_id = await talks.talk(agent)
    await visitor.say("Are you there?")
    await stream.message("Are you there?")
    row = (await talks.get(agent, "/desk/talks/mine")).text
    assert "1 message not read" in row
    assert f'data-tab="{case_id}"' in row
    assert 'data-wait="calm"' in row
    await talks.get(other, f"/desk/cases/{case_id}/talk")
    assert "not read" in (await talks.get(agent, "/desk/talks/mine")).text
    read = await talks.get(agent, f"/desk/cases/{case_id}/talk")
    assert read.headers["hx-trigger"] == "talks-changed"
    assert "not read" not in (await talks.get(agent, "/desk/talks/mine")).text
    assert "data-tab" not in (await talks.get(other, "/desk/talks/mine")).text, "only one's own"


async def test_the_row_turns_late_and_answered(talks: TalkDesk) -> None:
    agent = await talks.agent()
    visitor, stream, case_id = await talks.talk(agent)
    assert 'data-wait="answered"' in (await talks.get(agent, "/desk/talks/mine")).text
    await visitor.say("Hello?")
    await stream.message("Hello?")
    await talks.do("update talk set answered_at = now() - interval '1 hour', said_at = now() - interval '3 minutes'")
    row = (await talks.get(agent, "/desk/talks/mine")).text
    assert 'data-wait="late"' in row
    assert "waits too long" in row
    await talks.chat.answer(agent.id, case_id, "Here I am")
    assert 'data-wait="answered"' in (await talks.get(agent, "/desk/talks/mine")).text


FORM = {"kind": "reply", "channel": "", "note": "", "reply": ""}


async def test_what_a_customer_says_meanwhile_holds_no_answer_in_a_talk_back(talks: TalkDesk) -> None:
    agent, other = await talks.agent(), await talks.agent()
    visitor, stream, case_id = await talks.talk(agent)
    read = await talks.value('select revision from "case"')
    for words in ("One thing", "and another"):
        await visitor.say(words)
        await stream.message(words)
    sent = await talks.post(agent, f"/desk/cases/{case_id}/answer", **{**FORM, "reply": "Both", "revision": str(read)})
    assert sent.status_code == 200
    said = json.loads(sent.headers["hx-trigger"])
    assert "toast" not in said, "nothing to undo, and nothing to say about every line of a talk"
    assert "case-changed" in said
    await stream.message("Both")
    held = await talks.post(other, f"/desk/cases/{case_id}/answer", **{**FORM, "reply": "Too", "revision": str(read)})
    assert held.status_code == 422, "whoever does not have the talk is held back as ever"


async def test_quick_replies_go_with_an_answer_at_most_five(talks: TalkDesk) -> None:
    agent = await talks.agent()
    _visitor, stream, case_id = await talks.talk(agent)
    composer = (await talks.get(agent, f"/desk/cases/{case_id}/composer")).text
    assert composer.count('name="replies"') == 5
    form: dict[str, Any] = {**FORM, "reply": "Which?", "replies": ["One", " ", "Two", "3", "4", "5", "6"]}
    assert (await talks.post(agent, f"/desk/cases/{case_id}/answer", **form)).status_code == 200
    assert (await stream.message("Which?"))["replies"] == ["One", "Two", "3", "4", "5"]


async def test_a_page_is_pushed_as_a_card_and_a_script_is_not(talks: TalkDesk) -> None:
    agent = await talks.agent()
    _visitor, stream, case_id = await talks.talk(agent)
    url = f"/desk/cases/{case_id}/talk/page"
    for wrong in ("javascript:alert(1)", "data:text/html,x", "https://", ""):
        refused = await talks.post(agent, url, url=wrong, title="Look")
        assert refused.status_code == 422, wrong
        assert "Look" in refused.text, "what was typed stays"
    pushed = await talks.post(agent, url, url="https://www.harbor.example/leak", title="<b>Leaks</b>")
    assert pushed.status_code == 204
    found = await stream.until(lambda one: one["kind"] == "message" and one["message"]["card"] is not None)
    card = found["message"]["card"]
    assert (card["kind"], card["title"], card["url"]) == ("page", "<b>Leaks</b>", "https://www.harbor.example/leak")
    assert "<b>Leaks" not in (await talks.get(agent, f"/desk/cases/{case_id}/timeline")).text


async def test_enter_sends_until_the_agent_says_otherwise(talks: TalkDesk) -> None:
    agent, other = await talks.agent(), await talks.agent()
    _visitor, _stream, case_id = await talks.talk(agent)
    strip = f"/desk/cases/{case_id}/talk"
    assert "data-enter-sends" in (await talks.get(agent, strip)).text
    await talks.post(agent, "/desk/talks/enter")
    assert "data-enter-sends" not in (await talks.get(agent, strip)).text
    assert "data-enter-sends" in (await talks.get(other, strip)).text, "one's own setting"
    await talks.post(agent, "/desk/talks/enter", on="1")
    assert "data-enter-sends" in (await talks.get(agent, strip)).text


async def test_a_mail_case_asks_nothing_of_talks(desk: Desk) -> None:
    agent = await desk.agent()
    page = (await desk.get(agent, f"/desk/cases/{desk.case_id}")).text
    assert "data-composer" in page
    for part in ('id="talk"', 'name="replies"', "/talk/page"):
        assert part not in page


@pytest.mark.req("Q3")
async def test_supervisors_see_the_talks_of_their_scope_and_agents_do_not(talks: TalkDesk) -> None:
    agent, lead = await talks.agent(name="Maya Okafor"), await talks.agent("supervisor")
    outsider = await talks.sign_in("supervisor")
    await talks.talk(agent, "My meter runs fast")
    assert (await talks.get(agent, "/desk/talks")).status_code == 403
    assert "Live talks" not in (await talks.chat.browser.get("/desk", headers=agent.cookie)).text.split("<main")[0]
    shown = (await talks.chat.browser.get("/desk/talks", headers=lead.cookie)).text
    assert "Maya Okafor" in shown
    assert "My meter runs fast" in shown
    assert "/desk/talks" in (await talks.chat.browser.get("/board", headers=lead.cookie)).text
    table = (await talks.get(lead, "/desk/talks")).text
    assert "<html" not in table
    assert "My meter runs fast" in table
    assert "My meter" not in (await talks.get(lead, f"/desk/talks?agent={lead.id}")).text
    assert "My meter" in (await talks.get(lead, f"/desk/talks?agent={agent.id}&queue=1")).text
    assert "My meter" not in (await talks.get(outsider, "/desk/talks")).text


async def test_looking_on_is_written_down_and_told_to_whoever_talks(talks: TalkDesk) -> None:
    agent, lead = await talks.agent(), await talks.agent("supervisor", name="Sam Lead")
    visitor, stream, case_id = await talks.talk(agent)
    page = await talks.chat.browser.get(f"/desk/talks/{case_id}", headers=lead.cookie)
    assert page.status_code == 200
    assert "Good day" in page.text
    assert "data-composer" not in page.text, "to be read only"
    assert "take-back" not in page.text
    assert (
        await talks.value("select count(*) from audit where act = 'talk.monitored' and agent_id = :id", id=lead.id) == 1
    )
    assert "Sam Lead looks on" in (await talks.get(agent, f"/desk/cases/{case_id}/talk")).text
    await visitor.say("Are you there?")
    await stream.message("Are you there?")
    assert "Are you there?" in (await talks.get(lead, f"/desk/talks/{case_id}/timeline")).text
    assert await talks.value('select unread from "case"'), "who looks on has not read it for whoever talks"
    assert not any("Sam" in json.dumps(one) for one in stream.got), "the customer is told nothing"
    assert (await talks.get(agent, f"/desk/talks/{case_id}")).status_code == 403
    outsider = await talks.sign_in("supervisor")
    assert (await talks.get(outsider, f"/desk/talks/{case_id}")).status_code == 404


async def test_a_whisper_reaches_the_agent_and_never_the_customer(talks: TalkDesk) -> None:
    agent, lead = await talks.agent(), await talks.agent("supervisor")
    _visitor, stream, case_id = await talks.talk(agent)
    heard = talks.chat.app.state.hub.open(agent.id, frozenset({f"agent:{agent.id}"}), None)
    assert (await talks.post(lead, f"/desk/talks/{case_id}/whisper", text=" ")).status_code == 422
    assert (await talks.post(agent, f"/desk/talks/{case_id}/whisper", text="x")).status_code == 403
    said = await talks.post(lead, f"/desk/talks/{case_id}/whisper", text="Offer the <leak> credit")
    assert said.status_code == 204
    assert await until(lambda: _took(heard, b"talk.whispered"))
    assert "Offer the &lt;leak&gt; credit" in (await talks.get(agent, f"/desk/cases/{case_id}/timeline")).text
    await talks.chat.answer(agent.id, case_id, "There is a credit")
    await stream.message("There is a credit")
    assert not any("leak" in one for one in stream.texts)


async def _took(heard: Any, wanted: bytes) -> bool:
    return wanted in await heard.take(0.2)


async def test_a_supervisor_takes_a_talk_over_and_goes_on_with_it(talks: TalkDesk) -> None:
    agent, lead = await talks.agent(), await talks.agent("supervisor")
    _visitor, stream, case_id = await talks.talk(agent)
    assert (await talks.post(agent, f"/desk/talks/{case_id}/take-over")).status_code == 403
    taken = await talks.post(lead, f"/desk/talks/{case_id}/take-over")
    assert taken.headers["hx-redirect"] == f"/desk/cases/{case_id}"
    assert await talks.value('select owner_id from "case"') == lead.id
    assert "data-tab" not in (await talks.get(agent, "/desk/talks/mine")).text
    assert "data-tab" in (await talks.get(lead, "/desk/talks/mine")).text
    sent = await talks.post(lead, f"/desk/cases/{case_id}/answer", **{**FORM, "reply": "I am Sam"})
    assert sent.status_code == 200
    await stream.message("I am Sam")
    assert await talks.value("select count(*) from audit where act = 'case.taken_over'") == 1


async def test_a_talk_that_is_given_to_a_colleague_stands_among_theirs(talks: TalkDesk) -> None:
    agent, other = await talks.agent(), await talks.agent()
    _visitor, stream, case_id = await talks.talk(agent)
    given = await talks.post(agent, f"/desk/cases/{case_id}/assign", agent_id=str(other.id))
    assert given.status_code == 204
    assert "data-tab" not in (await talks.get(agent, "/desk/talks/mine")).text
    assert "data-tab" in (await talks.get(other, "/desk/talks/mine")).text
    await talks.post(other, f"/desk/cases/{case_id}/answer", **{**FORM, "reply": "I go on"})
    await stream.message("I go on")
    assert (await talks.post(other, f"/desk/cases/{case_id}/talk/end")).status_code == 204
    assert await talks.value("select count(*) from assignment where work_ended_at is null and ended_at is null") == 0
