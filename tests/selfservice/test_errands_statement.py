"""The errand of a statement: a tagged PDF in the customer's language, sent to a proved mailbox or behind a link that ends."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pypdf
import pytest

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.queues import openings
from everyline.selfservice import tasks
from everyline.selfservice.errands import Refused, appointing, printing, stating
from everyline.selfservice.identity import Level
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("V3", "W3")
TITLES = {"case_status": "Case status"}


@pytest.fixture
async def house(ground: Ground) -> House:
    return await House.open(ground)


def root(reader: pypdf.PdfReader) -> Any:
    """The catalogue of a document."""
    return reader.trailer["/Root"]


def read(pdf: bytes) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


async def file_of(house: House, statement_id: int = 1) -> bytes:
    digest = await house.value("select file_hash from statement where id = :id", id=statement_id)
    return await house.ground.files.read(digest)


def kinds_of(element: Any, found: set[str]) -> set[str]:
    """The kinds of all elements in the tree of a tagged PDF."""
    one = element.get_object()
    if isinstance(one, pypdf.generic.ArrayObject):
        for child in one:
            kinds_of(child, found)
    elif isinstance(one, pypdf.generic.DictionaryObject):
        if "/S" in one:
            found.add(str(one["/S"]))
        if "/K" in one:
            kinds_of(one["/K"], found)
    return found


async def test_it_says_what_stands_in_the_books_in_a_tagged_pdf(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    number = await house.case(ann, "Fence <script>alert(1)</script> & <img src='file:///etc/passwd'>")
    await house.case(bob, "Bob's own matter")
    await house.done("change_address", ann, address="12 Harbor Street\nBellingham, WA 98225")
    async with house.ground.database.transaction() as tx:
        hours = await openings.add_hours(
            tx, None, name="H", zone="America/Los_Angeles", week=[[("09:00", "10:00")]] * 7
        )
        await appointing.keep_kind(tx, None, None, name="Passport", hours_id=hours)
    free = await house.done("free_times", ann)
    booked = await house.done("book_appointment", ann, day=free.slots["day"].value, time=free.slots["time"].value)
    told = await house.done("request_statement", ann, way="mail")
    assert told.told == "Your statement is on its way to a…@home.example."
    await tasks.make_statements(house.ground)
    reader, words = read(await file_of(house))
    assert str(root(reader)["/MarkInfo"]["/Marked"]) == "True"
    assert root(reader)["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "Statement for Ann Lee"
    kinds = kinds_of(root(reader)["/StructTreeRoot"], set())
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/P"} <= kinds
    assert "pdfuaid" in root(reader)["/Metadata"].get_object().get_data().decode()
    for said in (str(number), "Fence <script>", "received", "12 Harbor Street", "Passport", "Change of address"):
        assert said in words, said
    assert booked.slots["number"].value in words
    assert "Bob's own matter" not in words
    [sent] = await house.rows("select * from delivery where idempotency_key = 'statement:1'")
    assert (sent.address, sent.files[0][1:]) == (
        "ann@home.example",
        [f"{now():%Y-%m-%d}-statement.pdf", "application/pdf"],
    )


async def test_it_is_the_same_twice_and_in_the_customers_language(house: House) -> None:
    ann = await house.speaks(await house.customer(), "es")
    await house.case(ann, "Valla")
    await house.done("request_statement", ann, way="mail")
    [row] = await house.rows("select * from statement")
    found = []
    for _n in range(2):
        async with house.ground.database.transaction(reading=True) as tx:
            found.append(await stating.html_of(tx, row, TITLES))
    assert found[0] == found[1]
    assert '<html lang="es"' in found[0]
    one, two = await printing.printed(found[0]), await printing.printed(found[1])
    assert one == two
    assert root(read(one)[0])["/Lang"] == "es"


async def test_a_link_leads_to_it_until_it_is_over_and_cannot_be_guessed(
    house: House, client: httpx.AsyncClient
) -> None:
    ann = await house.customer(level=Level.SIGNED_IN)
    told = await house.done("request_statement", ann, "run:7:1", way="download")
    path = httpx.URL(told.slots["link"].value).path
    assert await house.done("request_statement", ann, "run:7:1", way="download") == told
    waiting = await client.get(path)
    assert (waiting.status_code, waiting.headers["refresh"]) == (202, "3")
    await tasks.make_statements(house.ground)
    got = await client.get(path)
    assert (got.status_code, got.headers["content-type"]) == (200, "application/pdf")
    assert "attachment" in got.headers["content-disposition"]
    assert "no-store" in got.headers["cache-control"]
    assert "You have no open case." in read(got.content)[1]
    token = path.rpartition("/")[2]
    other = "a" if token[-1] != "a" else "b"
    for wrong in (token[:-1] + other, "1-" + "a" * 32, "2" + token[1:], "1", "../../etc/passwd", token.upper()):
        assert (await client.get(f"/statement/{wrong}")).status_code == 404, wrong
    await house.rows("update statement set expires_at = now() - interval '1 second' returning id")
    assert (await client.get(path)).status_code == 404
    assert token.encode() not in bytes(await house.value("select outcome from errand_done"))


async def test_it_goes_to_no_mailbox_that_was_not_proved(house: House) -> None:
    ann = await house.customer()
    await house.point(ann, "mailbox", "evil@else.example", preferred=True)
    poor = await house.does("request_statement", replace(ann, level=Level.ADDRESS), way="mail")
    assert isinstance(poor, Refused)
    assert poor.wants is Level.PROVED
    await house.done("request_statement", ann, way="mail")
    await tasks.make_statements(house.ground)
    assert (
        await house.value("select address from delivery where idempotency_key like 'statement:%'") == "ann@home.example"
    )
    known = await house.customer("eve@home.example", "Eve Fox", verified=False)
    nowhere = await house.does("request_statement", replace(known, point_id=None), way="mail")
    assert isinstance(nowhere, Refused)


async def test_who_asks_does_not_make_it_and_a_lost_mailbox_gets_nothing(house: House) -> None:
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    await house.done("request_statement", ann, way="mail")
    assert await house.value("select state from statement") == "asked"
    asked = "select count(*) from procrastinate_jobs where task_name = 'everyline.selfservice.tasks.make_statements'"
    assert await house.value(asked) == 1
    await house.rows(
        "update contact_point set customer_id = :bob where id = :point returning id",
        bob=bob.customer_id, point=ann.point_id,
    )  # fmt: skip
    await tasks.make_statements(house.ground)
    assert await house.value("select state from statement") == "made"
    assert await house.value("select count(*) from delivery where idempotency_key like 'statement:%'") == 0


async def test_without_a_line_it_is_tried_again_and_then_given_up(house: House) -> None:
    ann = await house.customer()
    await house.done("request_statement", ann, way="mail")
    await house.rows("update line set open = false returning id")
    await tasks.make_statements(house.ground)
    [row] = await house.rows("select * from statement")
    assert (row.state, row.attempts) == ("asked", 1)
    assert row.due_at > now() + timedelta(minutes=1)
    await house.rows("update statement set due_at = now(), attempts = 4 returning id")
    await tasks.make_statements(house.ground)
    assert await house.value("select state from statement") == "failed"


async def test_old_ones_are_forgotten(house: House) -> None:
    ann = await house.customer()
    await house.done("request_statement", ann, way="download")
    await tasks.forget_statements(house.ground)
    assert await house.value("select count(*) from statement") == 1
    await house.rows("update statement set expires_at = now() - interval '8 days' returning id")
    await tasks.forget_statements(house.ground)
    assert await house.value("select count(*) from statement") == 0
