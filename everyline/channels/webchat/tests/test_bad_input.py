"""What a hostile or broken page sends: refused in words, or kept as the text it is; and nobody else is hurt by it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from conftest import until
from everyline.cases.models import Attachment, Case, Message, Talk
from everyline.channels.webchat.tests.chat import Chat
from everyline.intake.models import Inbound

pytestmark = pytest.mark.req("C1", "P3")

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def test_a_megabyte_is_refused_in_words(chat: Chat) -> None:
    visitor = await chat.greeted()
    answer = await visitor.post("messages", {"id": "12345678", "text": "x" * 1_000_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "too large")
    assert answer.json()["words"]
    long = await visitor.post("messages", {"id": "12345678", "text": "x" * 4001})
    assert (long.status_code, long.json()["error"]) == (413, "too long")
    assert "4000" in long.json()["fields"]["text"]
    assert await chat.rows(Inbound) == []
    await visitor.say("x" * 4000)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[1]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"id": 5, "text": "x"}', 400),
        (b'{"id": "short", "text": "x"}', 400),
        (b'{"id": "with blank", "text": "x"}', 400),
        (b'{"id": "12345678"}', 422),
        (b'{"id": "12345678", "text": ["x"]}', 422),
        (b'{"id": "12345678", "text": "   \\u0000 "}', 422),
        (b'{"id": "12345678", "text": "x", "mailbox": "no mailbox"}', 422),
    ],
)
async def test_what_cannot_be_read_is_refused(chat: Chat, body: bytes, status: int) -> None:
    visitor = await chat.greeted()
    answer = await chat.browser.post("/in/webchat/help/messages", content=body, headers=visitor.headers)
    assert answer.status_code == status
    assert answer.json()["words"]
    assert await chat.rows(Inbound) == []


async def test_scripts_in_every_field_are_words(chat: Chat) -> None:
    await chat.change(questions="Your name | name\nAccount | text")
    visitor = await chat.greeted()
    stream = await visitor.stream()
    (account,) = [one["name"] for one in (await visitor.get("home")).json()["fields"] if one["label"] == "Account"]
    await visitor.say(
        EVIL,
        language=EVIL,
        fields={"name": EVIL, account: EVIL, EVIL: EVIL},
        page={"url": f"https://harbor.example/{EVIL}", "title": EVIL},
    )
    said = await stream.message(EVIL)
    assert (said["text"], said["html"]) == (EVIL, "")
    (message,) = await chat.rows(Message)
    assert message.facts["fields"] == {"Account": EVIL}
    (talk,) = await chat.rows(Talk)
    assert talk.trail[0][2] == EVIL
    assert (await visitor.post("page", {"url": "javascript:alert(1)", "title": "x"})).status_code == 422
    assert (await visitor.post("page", {"url": "https://a.example/<script>", "title": EVIL})).status_code == 204
    assert [one[2] for one in (await chat.rows(Talk))[0].trail] == [EVIL, EVIL]


async def test_half_a_character_and_nothing_of_the_database(chat: Chat) -> None:
    visitor = await chat.greeted()
    stream = await visitor.stream()
    body = b'{"id": "12345678", "text": "half \\ud83d\\u0000 and whole \\ud83d\\ude00", "language": "en"}'
    answer = await chat.browser.post("/in/webchat/help/messages", content=body, headers=visitor.headers)
    assert answer.status_code == 202
    assert (await stream.message("half ? and whole 😀"))["from"] == "me"


async def test_answers_before_the_talk_are_checked(chat: Chat) -> None:
    await chat.change(questions="Your mail | mailbox | required\nColour | choice | required | Red; Green")
    visitor = await chat.greeted()
    asked = {one["label"]: one["name"] for one in (await visitor.get("home")).json()["fields"]}
    colour = asked["Colour"]
    wrong: list[dict[str, Any]] = [{}, {"mailbox": "x", colour: "Red"}, {"mailbox": "a@b.example", colour: "Blue"}]
    for fields in wrong:
        answer = await visitor.post("messages", {"id": "12345678", "text": "x", "fields": fields})
        assert (answer.status_code, answer.json()["error"]) == (422, "wrong")
        assert set(answer.json()["fields"]) <= {"mailbox", colour}
    await visitor.say("x", fields={"mailbox": "a@b.example", colour: "Red"})
    await until(lambda: chat.rows(Talk))
    assert (await chat.rows(Talk))[0].claimed == "a@b.example"


async def _upload(chat: Chat, visitor: Any, *files: tuple[str, bytes, str], **data: str) -> Any:
    sent = [("file", file) for file in files]
    values = {"id": "12345678", "text": "", **data}
    return await chat.browser.post("/in/webchat/help/files", data=values, files=sent, headers=visitor.headers)


async def test_uploads_are_what_they_hold(chat: Chat) -> None:
    visitor = await chat.greeted()
    stream = await visitor.stream()
    for name, content in (
        ("photo.png", b"MZ\x90\0 a program"),
        ("photo.png", b"<html><script>alert(1)</script></html>"),
        ("photo.svg", b"<svg onload='alert(1)'/>"),
        ("letter.pdf", b"\x7fELF"),
    ):
        answer = await _upload(chat, visitor, (name, content, "image/png"))
        assert (answer.status_code, answer.json()["error"]) == (415, "kind"), name
    assert await chat.rows(Inbound) == []
    answer = await _upload(
        chat, visitor, (f"../../{EVIL}.pdf", PNG, "application/pdf"), more=json.dumps({"language": "en"})
    )
    assert answer.status_code == 202
    said = await stream.message("")
    (file,) = said["files"]
    assert (file["kind"], file["picture"]) == ("image/png", True)
    assert file["name"].endswith(".pdf.png")
    assert "/" not in file["name"].replace("</script>", "")
    got = await visitor.get(f"files/{file['id']}")
    assert (got.status_code, got.content) == (200, PNG)
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    # it is theirs alone
    other = await chat.greeted()
    assert (await other.get(f"files/{file['id']}")).status_code == 404
    assert (await visitor.get("files/999999")).status_code == 404
    assert (await visitor.get("files/..%2f1")).status_code == 404


async def test_files_have_a_size_and_a_number(chat: Chat) -> None:
    await chat.change(largest_files=2048, most_files=2)
    visitor = await chat.greeted()
    many = [(f"{n}.txt", b"words", "text/plain") for n in range(3)]
    assert (await _upload(chat, visitor, *many)).status_code == 413
    assert (await _upload(chat, visitor, ("a.txt", b"w" * 2049, "text/plain"))).status_code == 413
    huge = await _upload(chat, visitor, ("a.txt", b"w" * 9_000_000, "text/plain"))
    assert (huge.status_code, huge.json()["error"]) == (413, "too large")
    assert (await _upload(chat, visitor, ("a.txt", b"w" * 2048, "text/plain"))).status_code == 202
    await until(lambda: chat.rows(Attachment))
    no_form = await chat.browser.post("/in/webchat/help/files", content=b"x", headers=visitor.headers)
    assert no_form.status_code == 400


async def test_a_thousand_visitors_of_one_address_are_served_and_one_who_floods_is_not(chat: Chat) -> None:
    visitors = [chat.visitor() for _ in range(1000)]
    hello = await asyncio.gather(*(visitor.say_hello() for visitor in visitors))
    assert len({one["visitor"] for one in hello}) == 1000
    flood = visitors[0]
    answers = [await flood.post("messages", {"id": f"flood-{n:04d}", "text": "x"}) for n in range(60)]
    refused = [one for one in answers if one.status_code == 429]
    assert 15 <= len(refused) <= 20
    assert refused[0].json()["retry_after"] >= 1
    assert int(refused[0].headers["retry-after"]) >= 1
    await asyncio.gather(*(visitor.say("Hello", language="en") for visitor in visitors[1:101]))
    await until(lambda: _cases(chat, 101), seconds=30)


async def _cases(chat: Chat, n: int) -> bool:
    return len(await chat.rows(Case)) == n


async def test_positions_that_are_none_are_refused(chat: Chat) -> None:
    visitor = await chat.greeted()
    for after in ("x", "1-", "1-zz-3", "-", "1-2." * 200, "zzzzzzzzzzzzzzzzzzzz-1", "é-1"):
        headers = {"last-event-id": after} if after.isascii() else {}
        stream = await visitor.stream(after="" if headers else "%C3%A9-1", **headers)
        assert stream.status == 400, after
    assert (await visitor.get("messages?before=x")).status_code == 400


async def test_too_many_windows_of_one_visitor_are_refused(chat: Chat) -> None:
    visitor = await chat.greeted()
    statuses = [(await visitor.stream()).status for _ in range(11)]
    assert statuses == [200] * 10 + [429]
