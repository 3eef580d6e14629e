"""A form that is sent becomes one case; whatever is sent, nothing is lost, nothing is twice, and words are kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.cases.models import Attachment, Case, Message
from everyline.channel_contract import Line
from everyline.channels.webform import channel, stamps
from everyline.channels.webform.piece import reference
from everyline.channels.webform.questions import read_questions
from everyline.customers.models import ContactPoint, Customer
from everyline.dispatch.models import Delivery
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.models import Inbound
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.lines import queries as line_queries
from everyline.roles.web import create_app

QUESTIONS = """\
Address of the site | text | required
Kind of work | choice | required | Fence; Shed; House
Start | date
Height in feet | number
Is there a well? | yes/no
Anything else | long text
"""
ASKED = {question.label: question.name for question in read_questions(QUESTIONS)}
PAGE = "/in/webform/permits"
LARGEST = 20_000

pytestmark = pytest.mark.req("E2")


@dataclass
class Form:
    """A form line with a browser that fills it in, and a processor that makes cases of what it sends."""

    ground: Ground
    browser: httpx.AsyncClient
    line: Line

    def stamp(self, seconds_ago: float = 30) -> str:
        return stamps.make(self.line, now().timestamp() - seconds_ago)

    def filled(self, **changes: str) -> dict[str, str]:
        """What a careful person types."""
        values = {
            "name": "Ann Example",
            "mailbox": "Ann@Customer.example",
            "number": "360 555 0142",
            "text": "May I build a fence?\nIt would be high.",
            ASKED["Address of the site"]: "12 Oak Street",
            ASKED["Kind of work"]: "Fence",
            ASKED["Is there a well?"]: "yes",
            "stamp": self.stamp(),
        }
        return values | changes

    async def send(self, values: dict[str, str], files: Any = None, **more: Any) -> httpx.Response:
        return await self.browser.post(PAGE, data=values, files=files or [("files", ("", b""))], **more)

    async def rows(self, table: Any) -> list[Any]:
        async with self.ground.database.transaction() as tx:
            return list(await tx.rows(select(table.__table__)))


@pytest.fixture
async def form(ground: Ground, client: httpx.AsyncClient) -> AsyncIterator[Form]:
    settings = {"questions": QUESTIONS, "title": "Ask about a permit", "largest_files": LARGEST, "most_files": 2}
    async with ground.database.transaction() as tx:
        mail_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="permits@harbor.example",
            queue_id=1,
            settings={"smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_encryption": "none"},
        )
        line_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="webform",
            address="Permits",
            name="Permits form",
            queue_id=1,
            answer_line_id=mail_id,
            settings=settings | {"subject_question": "Kind of work"},
        )
        row = await line_queries.get(tx, line_id)
    processing = asyncio.create_task(Processor(ground).run())
    yield Form(ground, client, line_queries.as_channel_sees(row, ground.vault, ground.signer))
    processing.cancel()
    await asyncio.gather(processing, return_exceptions=True)


@pytest.mark.req("A2", "P2")
async def test_a_form_becomes_a_case_with_its_answers_and_files(form: Form) -> None:
    files = [
        ("files", ("..\\plans/plan.pdf", b"%PDF-1.4", "application/pdf")),
        ("files", ("b.txt", b"\0b", "text/plain")),
    ]
    answer = await form.send(form.filled(), files)
    assert answer.status_code == 200
    (case,) = await form.rows(Case)
    (message,) = [row for row in await form.rows(Message) if row.direction == "in"]
    (customer,) = await form.rows(Customer)
    (inbound,) = await form.rows(Inbound)
    (point,) = await form.rows(ContactPoint)
    assert (case.subject, case.status, case.queue_id, case.line_id) == ("Fence", "new", 1, form.line.id)
    assert message.text == "May I build a fence?\nIt would be high."
    assert message.facts["fields"] == {
        "Address of the site": "12 Oak Street",
        "Kind of work": "Fence",
        "Is there a well?": "Yes",
        "Phone": "+13605550142",
        "Reference of the form": reference(inbound.external_id),
    }
    assert (customer.name, point.address) == ("Ann Example", "ann@customer.example")
    assert [(row.name, row.size) for row in await form.rows(Attachment)] == [("plan.pdf", 8), ("b.txt", 2)]
    assert f"Its number is {case.number}." in answer.text
    (acknowledgement,) = await form.rows(Delivery)
    assert acknowledgement.address == "ann@customer.example"
    assert str(case.number) in acknowledgement.text


@pytest.mark.req("P2")
async def test_five_times_the_same_at_once_is_one(form: Form) -> None:
    values = form.filled()
    answers = await asyncio.gather(*(form.send(values) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    (case,) = await form.rows(Case)
    assert all(f"number is {case.number}" in answer.text for answer in answers)


@pytest.mark.req("P2")
async def test_five_forms_at_once_are_five(form: Form) -> None:
    answers = await asyncio.gather(*(form.send(form.filled(text=f"Matter {n}")) for n in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await form.rows(Case)) == 5
    assert len(await form.rows(Customer)) == 1


async def test_who_goes_back_and_writes_something_else_is_heard_again(form: Form) -> None:
    values = form.filled()
    await form.send(values)
    await form.send(values | {"text": "I forgot: it is of wood."})
    assert len(await form.rows(Case)) == 2


@pytest.mark.parametrize(
    ("changes", "seconds_ago"),
    [({"homepage": "http://spam.example"}, 30), ({}, -30), ({}, 90_000), ({"stamp": "1.2.3"}, 30), ({"stamp": ""}, 30)],
)
async def test_what_a_program_sends_is_not_taken_and_a_person_can_send_it_again(
    form: Form, changes: dict[str, str], seconds_ago: float
) -> None:
    values = form.filled(stamp=form.stamp(seconds_ago), **{k: v for k, v in changes.items() if k != "stamp"})
    values |= changes
    answer = await form.send(values)
    assert answer.status_code == 422
    assert "May I build a fence?" in answer.text
    assert "spam.example" not in answer.text
    assert not await form.rows(Inbound)
    stamp = re.search(r'name="stamp" value="([^"]+)"', answer.text)
    assert stamp
    assert stamps.read(form.line, stamp[1]), "the next try carries a good stamp"


async def test_a_stamp_of_another_line_or_changed_is_none(form: Form) -> None:
    good = form.stamp()
    assert stamps.read(form.line, good)
    assert stamps.read(form.line, good.replace(good[:10], str(int(good[:10]) + 1))) is None
    other = Line(form.line.id + 1, "webform", "x", "", "en", form.line.settings, form.line.signer)
    assert stamps.read(other, good) is None
    assert form.line.signer.case_of(good) is None


async def test_what_is_wrong_is_said_at_its_control_and_all_that_was_typed_stays(form: Form) -> None:
    values = form.filled(
        mailbox="ann at home",
        number="12",
        name="",
        **{ASKED["Kind of work"]: "Castle", ASKED["Start"]: "2026-02-30", ASKED["Height in feet"]: "high"},
    )
    answer = await form.send(values | {"text": "  <b>&</b> "})
    assert answer.status_code == 422
    wrong = [ASKED["Kind of work"], ASKED["Start"], ASKED["Height in feet"], "name", "mailbox", "number"]
    assert re.findall(r'<li><a href="#([^"]+)"', answer.text) == wrong
    for name in wrong:
        control = re.search(rf'<(?:input|select)[^>]*\bid="{name}"[^>]*>', answer.text)
        assert control, name
        assert f'aria-describedby="{name}-error" aria-invalid="true"' in control[0]
        assert f'id="{name}-error"' in answer.text
    for typed in ("ann at home", "12 Oak Street", "&lt;b&gt;&amp;&lt;/b&gt;", "2026-02-30", 'value="high"'):
        assert typed in answer.text
    assert not await form.rows(Inbound)


async def test_too_many_and_too_large_files_are_refused_in_words(form: Form) -> None:
    many = await form.send(form.filled(), [("files", (f"{n}.txt", b"x")) for n in range(3)])
    large = await form.send(form.filled(), [("files", ("huge.bin", b"x" * (LARGEST + 1)))])
    beyond = await form.send(form.filled(), [("files", ("endless.bin", b"x" * (5 * 1024 * 1024)))])
    assert (many.status_code, large.status_code, beyond.status_code) == (422, 422, 413)
    assert "Please send at most 2 files" in many.text
    assert "The largest is huge.bin" in large.text
    assert "May I build a fence?" in large.text
    assert "much too large" in beyond.text
    assert not await form.rows(Inbound)


async def test_one_address_may_send_ten_an_hour(form: Form) -> None:
    statuses = [(await form.send(form.filled(text=f"Matter {n}"))).status_code for n in range(10)]
    again = await form.send(form.filled(text="Matter 11"))
    assert statuses == [200] * 10
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) > 3000
    assert "Matter 11" in again.text


@pytest.mark.req("P2")
async def test_the_ten_an_hour_are_those_of_all_processes_together(form: Form) -> None:
    other = create_app(form.ground)
    transport = httpx.ASGITransport(other, raise_app_exceptions=False)
    async with (
        other.router.lifespan_context(other),
        httpx.AsyncClient(transport=transport, base_url="http://t") as second,
    ):
        both = [form.browser if n % 2 else second for n in range(24)]
        sent = (browser.post(PAGE, data=form.filled(text=f"Matter {n}")) for n, browser in enumerate(both))
        statuses = [answer.status_code for answer in await asyncio.gather(*sent)]
        same = form.filled(text="Twice")
        async with form.ground.database.transaction() as tx:
            await tx.execute(text("update turn set at = at - interval '1 hour' where id = (select min(id) from turn)"))
        again = [(await browser.post(PAGE, data=same)).status_code for browser in (second, form.browser)]
    assert sorted(statuses) == [200] * 10 + [429] * 14
    assert again == [200, 429], "an hour later there is room for one"
    assert len(await form.rows(Case)) == 11


@pytest.mark.req("P2")
async def test_nothing_typed_can_bring_a_header_or_a_nul(form: Form) -> None:
    name = "Ann\r\nBcc: all@customer.example\0"
    files = [("files", ("a\0b\r\nX: y.txt", b"x"))]
    answer = await form.send(form.filled(name=name, text="N\0UL", **{ASKED["Anything else"]: "a\0\r\nb"}), files)
    assert answer.status_code == 200
    (customer,) = await form.rows(Customer)
    (message,) = [row for row in await form.rows(Message) if row.direction == "in"]
    (delivery,) = await form.rows(Delivery)
    assert delivery.address_name == "Ann Bcc: all@customer.example"
    assert customer.name.startswith("Ann")
    assert customer.name.isprintable()
    assert (message.text, message.facts["fields"]["Anything else"]) == ("NUL", "a\nb")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nno name"),
        ("multipart/form-data; boundary=x; charset=nonsense", b"--x\r\nbroken"),
        ("application/json", b"{}"),
        ("", b""),
    ],
)
async def test_what_no_browser_sends_gets_the_form_again(form: Form, kind: str, body: bytes) -> None:
    answer = await form.browser.post(PAGE, content=body, headers={"content-type": kind})
    assert answer.status_code in (400, 422)
    assert "<form" in answer.text


async def test_the_form_speaks_for_where_it_may_be_shown(form: Form) -> None:
    alone, embedded = await form.browser.get(PAGE), await form.browser.get(f"{PAGE}?embed=1")
    assert "frame-ancestors 'none'" in alone.headers["content-security-policy"]
    assert embedded.headers["content-security-policy"].endswith("frame-ancestors *")
    assert 'action="/in/webform/permits?embed=1"' in embedded.text
    assert 'class="masthead"' not in embedded.text
    settings = {"questions": "", "sites": "https://www.harbor.example\nhttps://*.county.example:8443/"}
    async with form.ground.database.transaction() as tx:
        await lines.change(tx, form.ground.vault, None, form.line.id, settings=settings)
    embedded = await form.browser.get(f"{PAGE}?embed=1")
    policy = "frame-ancestors 'self' https://www.harbor.example https://*.county.example:8443"
    assert embedded.headers["content-security-policy"].endswith(policy)


async def test_a_form_on_another_site_is_taken(form: Form) -> None:
    answer = await form.send(form.filled(), headers={"sec-fetch-site": "cross-site", "origin": "https://other.example"})
    assert answer.status_code == 200


async def test_there_is_no_form_at_another_address_or_when_it_is_closed(form: Form) -> None:
    assert (await form.browser.get("/in/webform/taxes")).status_code == 404
    async with form.ground.database.transaction() as tx:
        await lines.change(tx, form.ground.vault, None, form.line.id, open=False)
    assert (await form.browser.get(PAGE)).status_code == 404


async def test_the_test_button_sends_through_the_door(form: Form) -> None:
    door = IntakeDoor(form.ground)
    await door.start()
    try:
        steps = [step async for step in channel.check(form.line, door)]
    finally:
        await door.stop()
    assert [(step.ok, step.detail) for step in steps] == [(True, PAGE)]
    assert not await form.rows(Case)


async def test_a_form_without_a_processor_is_kept_and_named_by_its_reference(form: Form) -> None:
    """The number is not there in time: the customer gets another name for it, and the agent sees the same."""
    async with form.ground.database.transaction() as held:
        await held.execute(text('lock table "case" in exclusive mode'))
        answer = await form.send(form.filled())
    assert answer.status_code == 200
    (inbound,) = await form.rows(Inbound)
    assert f"Its reference is {reference(inbound.external_id)}." in answer.text
