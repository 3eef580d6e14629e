"""Who a visitor is: tokens, what sites sign, codes by mail; and that nobody is taken for somebody else."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from conftest import SignInAs, until
from everyline.cases.models import Case, Message, Talk
from everyline.channels.webchat.tests.chat import SITE, Chat, opened
from everyline.channels.webchat.tests.test_reading import SECRET, jwt
from everyline.customers.models import ContactPoint, Customer, CustomerMerge
from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("C1", "P3")


@pytest.fixture
async def chat(ground: Ground) -> AsyncIterator[Chat]:
    """A line that knows its site's secret."""
    async with opened(ground, site_secret=SECRET) as found:
        yield found


def signed(**claims: Any) -> str:
    at = time.time()
    return jwt({"email": "rosa@mail.example", "exp": at + 300, "jti": f"{at}{len(claims)}", **claims})


async def known_customer(ground: Ground) -> int:
    """Somebody who wrote to us by mail before: their customer."""
    line = await MailLine.add(ground, "old@harbor.example")
    raw = mail("My secret matter", sender="Rosa <rosa@mail.example>", to="old@harbor.example")
    await line.receive(raw, process=False)  # the chat's processor does

    async def known() -> int | None:
        async with ground.database.transaction() as tx:
            found: int | None = await tx.value(
                select(ContactPoint.customer_id).where(ContactPoint.address == "rosa@mail.example")
            )
        return found

    found = await until(known)
    assert isinstance(found, int)
    return found


async def code_for(chat: Chat, mailbox: str, number: int = 0) -> str:
    """The code that was mailed."""

    async def sent() -> list[Any]:
        rows = await chat.rows(Delivery)
        return [one for one in rows if one.kind == "notice" and one.address == mailbox][number:]

    await until(sent)
    delivery = (await sent())[0]
    words = chat.ground.vault.open(delivery.text.encode())
    assert delivery.case_id is None
    found = re.search(r"\b[0-9]{6}\b", words)
    assert found is not None
    return found[0]


async def test_a_token_of_another_line_is_refused(chat: Chat) -> None:
    async with chat.ground.database.transaction() as tx:
        await lines.add(
            tx, chat.ground.vault, None, channel_name="webchat", address="tax", queue_id=1, settings={"sites": SITE}
        )
    mine = await chat.greeted()
    await mine.say("Hello")
    mine.slug = "tax"
    for path, body in (("messages", {"id": "12345678", "text": "x"}), ("end", {}), ("typing", {})):
        answer = await mine.post(path, body)
        assert (answer.status_code, answer.json()["error"]) == (401, "token"), path
    assert (await mine.stream()).status == 401
    other = await mine.say_hello()  # somebody new there
    assert (other["verification"], other["talk"]) == ("none", None)


@pytest.mark.parametrize("token", ["", "x", "a.b", "e30." + "0" * 64, "é" * 5, "x" * 5000])
async def test_no_token_and_bad_tokens_are_refused(chat: Chat, token: str) -> None:
    visitor = chat.visitor(token=token if token.isascii() else "")
    answer = await visitor.post("messages", {"id": "12345678", "text": "x"})
    assert (answer.status_code, answer.json()["error"]) == (401, "token")
    assert answer.headers["access-control-allow-origin"] == SITE


async def test_a_token_is_exchanged_for_a_fresh_one_of_the_same_visitor(chat: Chat) -> None:
    visitor = await chat.greeted()
    first, name = visitor.token, visitor.hello["visitor"]
    await asyncio.sleep(1.01)  # a token says when it was given to the second
    again = await visitor.say_hello()
    assert again["visitor"] == name
    assert visitor.token != first
    assert await chat.rows(Customer) == []  # who said nothing is written down nowhere


async def test_only_sites_that_are_named_may_ask(chat: Chat) -> None:
    stranger = chat.visitor(origin="https://evil.example")
    answer = await stranger.post("hello")
    assert (answer.status_code, answer.json()["error"]) == (403, "site")
    assert "access-control-allow-origin" not in answer.headers
    home = await stranger.get("home")
    assert home.status_code == 403
    mine = await chat.greeted()
    mine.origin = "https://evil.example"
    assert (await mine.post("messages", {"id": "12345678", "text": "x"})).status_code == 403
    assert (await mine.stream()).status == 403
    answer = await chat.browser.options(
        "/in/webchat/help/messages",
        headers={
            "origin": SITE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers
    ours = await chat.browser.get("/in/webchat/help/home", headers={"origin": "http://everyline.test"})
    assert ours.status_code == 200
    assert (await chat.browser.get("/in/webchat/nowhere/home")).json()["error"] == "nothing"


async def test_who_claims_a_known_mailbox_sees_nothing_and_is_not_made_one_with_its_owner(chat: Chat) -> None:
    rosa = await known_customer(chat.ground)
    visitor = await chat.greeted()
    stream = await visitor.stream()
    await visitor.say("I am Rosa, what did I write?", mailbox="Rosa@Mail.example")
    await stream.message("I am Rosa, what did I write?")
    hello = await visitor.say_hello()
    assert "secret" not in str(hello)
    assert hello["talk"]["mailbox"] == "r…@mail.example"
    (case,) = [one for one in await chat.rows(Case) if one.subject.startswith("I am")]
    assert case.customer_id != rosa
    (talk,) = await chat.rows(Talk)
    assert (talk.verification, talk.claimed, talk.proven_at) == ("none", "rosa@mail.example", None)
    assert await chat.rows(CustomerMerge) == []
    points = {one.address: one.customer_id for one in await chat.rows(ContactPoint)}
    assert points["rosa@mail.example"] == rosa
    # nor does a claim during the talk change that
    answer = await visitor.post("mailbox", {"mailbox": "rosa@mail.example"})
    assert answer.status_code == 200
    assert {one.address: one.customer_id for one in await chat.rows(ContactPoint)} == points


async def test_whom_the_site_signs_for_is_the_owner_of_the_mailbox(chat: Chat) -> None:
    rosa = await known_customer(chat.ground)
    visitor = await chat.greeted(identity=signed(sub="12", name="Rosa Delgado"))
    assert visitor.hello["verification"] == "site"
    stream = await visitor.stream()
    await visitor.say("Where is my matter?")
    await stream.message("Where is my matter?")
    (case,) = [one for one in await chat.rows(Case) if one.subject.startswith("Where")]
    assert case.customer_id == rosa
    assert [one.verification for one in await chat.rows(Talk)] == ["site"]
    (point,) = [one for one in await chat.rows(ContactPoint) if one.kind == "mailbox"]
    assert point.verified_at is not None
    # on another device it is the same visitor, who sees the talk
    elsewhere = await chat.greeted(identity=signed(sub="12"))
    assert elsewhere.hello["visitor"] == visitor.hello["visitor"]
    assert [one["text"] for one in elsewhere.hello["messages"]] == ["Where is my matter?"]
    # and somebody else is somebody else
    other = await chat.greeted(identity=signed(sub="13", email="jo@mail.example"))
    assert other.hello["talk"] is None


async def test_what_was_used_before_is_refused_however_often_at_once(chat: Chat) -> None:
    token = signed(sub="12")
    answers = await asyncio.gather(*(chat.visitor().post("hello", {"identity": token}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 403} == {"identity"}


async def test_what_is_unsigned_expired_or_signed_by_others_is_refused(chat: Chat) -> None:
    at = time.time()
    good = {"sub": "12", "email": "rosa@mail.example", "exp": at + 300, "jti": "0123456789"}
    bad = [
        jwt(good, {"alg": "none"}),
        jwt(good, {"alg": "none"}).rpartition(".")[0] + ".",
        jwt(good | {"exp": at - 100}),
        jwt(good, secret="x" * 40),
        "nonsense",
    ]
    for token in bad:
        answer = await chat.visitor().post("hello", {"identity": token})
        assert (answer.status_code, answer.json()["error"]) == (403, "identity")
    assert (await chat.visitor().post("hello", {"identity": jwt(good)})).status_code == 200  # none of them used it up


async def test_scripts_in_claims_are_words(chat: Chat) -> None:
    evil = '<img src=x onerror="alert(1)">'
    visitor = await chat.greeted(identity=signed(sub=evil, name=evil, email="rosa@mail.example"))
    stream = await visitor.stream()
    await visitor.say("Hello")
    await stream.message("Hello")
    (customer,) = [one for one in await chat.rows(Customer) if one.merged_into_id is None]
    assert customer.name == evil  # as it was told; pages escape it
    assert visitor.hello["name"] == evil


async def test_a_code_by_mail_shows_whose_a_mailbox_is(chat: Chat) -> None:
    rosa = await known_customer(chat.ground)
    visitor = await chat.greeted()
    stream = await visitor.stream()
    await visitor.say("Hello, I am Rosa")
    await stream.message("Hello, I am Rosa")
    assert (await visitor.post("code", {"mailbox": "Rosa@mail.example"})).status_code == 202
    code = await code_for(chat, "rosa@mail.example")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await visitor.post("code/check", {"mailbox": "rosa@mail.example", "code": wrong})).status_code == 403
    # the code is this visitor's: nobody else can use it
    thief = await chat.greeted()
    assert (await thief.post("code/check", {"mailbox": "rosa@mail.example", "code": code})).status_code == 403
    answer = await visitor.post("code/check", {"mailbox": "rosa@mail.example", "code": code})
    assert (answer.status_code, answer.json()["verification"]) == (200, "code")
    assert answer.json()["visitor"] == visitor.hello["visitor"]  # the talk goes on
    visitor.token = answer.json()["token"]
    await visitor.say("Now you know")
    await stream.message("Now you know")
    (case,) = [one for one in await chat.rows(Case) if one.subject.startswith("Hello, I")]
    assert case.customer_id == rosa
    assert [one.verification for one in await chat.rows(Talk)] == ["code"]
    # it works once
    assert (await thief.post("code/check", {"mailbox": "rosa@mail.example", "code": code})).status_code == 403
    again = await visitor.post("code/check", {"mailbox": "rosa@mail.example", "code": code})
    assert again.status_code == 403


async def test_codes_cannot_be_tried_out(chat: Chat) -> None:
    visitor = await chat.greeted()
    await visitor.post("code", {"mailbox": "rosa@mail.example"})
    code = await code_for(chat, "rosa@mail.example")
    tried = [f"{(int(code) + step) % 1_000_000:06d}" for step in range(1, 6)]
    for one in tried:
        assert (await visitor.post("code/check", {"mailbox": "rosa@mail.example", "code": one})).status_code == 403
    assert (await visitor.post("code/check", {"mailbox": "rosa@mail.example", "code": code})).status_code == 403


async def test_codes_are_not_sent_without_end(chat: Chat) -> None:
    statuses = []
    for _ in range(5):
        visitor = await chat.greeted()
        statuses.append((await visitor.post("code", {"mailbox": "rosa@mail.example"})).status_code)
    assert statuses == [202, 202, 202, 429, 429]


async def test_who_was_somebody_else_before_takes_nothing_along(chat: Chat) -> None:
    """Two people at one browser, both with codes: their talks stay apart."""
    visitor = await chat.greeted()
    for mailbox in ("rosa@mail.example", "jo@mail.example"):
        await visitor.post("code", {"mailbox": mailbox})
        code = await code_for(chat, mailbox)
        answer = await visitor.post("code/check", {"mailbox": mailbox, "code": code})
        visitor.token, visitor.hello = answer.json()["token"], answer.json()
        assert visitor.hello["messages"] == []
        await visitor.say(f"I am {mailbox}", begins=True)
        await until(lambda box=mailbox: _said(chat, f"I am {box}"))  # type: ignore[misc]  # -- a default of a lambda
    cases = {one.subject: one.customer_id for one in await chat.rows(Case)}
    assert len(set(cases.values())) == 2
    assert await chat.rows(CustomerMerge) == []


async def _said(chat: Chat, text: str) -> bool:
    return any(one.text == text for one in await chat.rows(Message))


async def test_an_answer_from_the_claimed_mailbox_proves_it(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor = await chat.greeted()
    stream = await visitor.stream()
    await visitor.say("Hello", mailbox="new@mail.example")
    await stream.message("Hello")
    (case,) = await chat.rows(Case)
    await chat.answer(agent.id, case.id, "We look into it")
    token = chat.ground.signer.sign(case.id)
    line = MailLine(chat.ground, (await chat.rows(Delivery))[0].line_id - 1, 1, "help@harbor.example")
    to = f"help+{token}@harbor.example"
    await line.receive(mail("Thank you", sender="Ann <new@mail.example>", to=to, subject="Re"), process=False)
    await until(lambda: _said(chat, "Thank you"))
    (one,) = await chat.rows(Case)
    assert one.id == case.id
    assert one.customer_id == case.customer_id
    points = {(point.kind, point.address): point.customer_id for point in await chat.rows(ContactPoint)}
    assert points["mailbox", "new@mail.example"] == case.customer_id
    assert (await chat.rows(Talk))[0].proven_at is not None
    # a stranger who only knows the case's reference joins nobody
    await line.receive(mail("Me too", sender="Eve <eve@mail.example>", to=to, subject="Re"), process=False)
    await until(lambda: _said(chat, "Me too"))
    assert len(await chat.rows(Case)) == 2
