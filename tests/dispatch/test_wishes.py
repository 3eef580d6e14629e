"""What customers decided holds where a message is sent: what they do not want does not go out, and what disturbs them waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text, update

from conftest import SignInAs, until
from everyline.customers import preferences
from everyline.customers.models import Customer
from everyline.dispatch import actions as dispatch
from everyline.dispatch.models import Delivery
from everyline.dispatch.rules import quiet_until, refused
from everyline.ground.clock import now
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from tests.dispatch.sending import sending
from tests.mail import MailLine, mail
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("A6")


class House:
    """A line whose mail reaches the customers' host, and a customer who has written."""

    def __init__(self, ground: Ground, line: MailLine, address: str) -> None:
        self.ground, self.line, self.address = ground, line, address
        self.case_id = self.point_id = self.customer_id = 0

    async def begin(self) -> None:
        await self.line.receive(mail("Is my dog known?", sender=f"Rosa <{self.address}>"))
        async with self.ground.database.transaction() as tx:
            row = await tx.one(
                text(
                    'select c.id, c.customer_id, p.id as point_id from "case" c join contact_point p on p.customer_id = c.customer_id'
                )
            )
            await tx.execute(update(Delivery).values(state="sent"))  # the acknowledgement is not what this is about
        self.case_id, self.customer_id, self.point_id = row.id, row.customer_id, row.point_id

    async def says(self, **granted: bool) -> None:
        """The customer decides on all purposes: those named, all others granted."""
        chosen = {
            purpose: (self.point_id,) if granted.get(purpose, True) else ()
            for purpose in ("service", "surveys", "alerts", "news")
        }
        async with self.ground.database.transaction() as tx:
            await preferences.consent(tx, self.customer_id, chosen, "on the website")

    async def answer(self, agent_id: int, words: str) -> int:
        async with self.ground.database.transaction() as tx:
            return await dispatch.answer(tx, self.ground.signer, agent_id, self.case_id, words, at_once=True)

    async def survey(self) -> int:
        """What asks how we did, as it is written when a case is settled."""
        async with self.ground.database.transaction() as tx:
            delivery_id: int = await tx.value(
                insert(Delivery)
                .values(
                    idempotency_key="survey:1", line_id=self.line.id, case_id=self.case_id, contact_point_id=self.point_id,
                    kind="survey", address_kind="mailbox", address=self.address, subject="How did we do?", text="Well?", automatic=True,
                )
                .returning(Delivery.id)
            )  # fmt: skip
            return delivery_id

    async def deliveries(self) -> list[Any]:
        async with self.ground.database.transaction() as tx:
            rows = await tx.rows(select(Delivery.__table__).order_by(Delivery.id))
        return [row for row in rows if row.kind != "acknowledgement"]


@pytest.fixture
async def house(ground: Ground, mail_world: MailWorld) -> House:
    box = mail_world.mailbox("rosa@customer.example")
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        await lines.change(
            tx,
            ground.vault,
            None,
            line.id,
            settings={"smtp_host": "127.0.0.1", "smtp_port": mail_world.ports["smtp"], "smtp_encryption": "none"},
        )
    found = House(ground, line, box.address)
    await found.begin()
    return found


async def test_an_answer_that_is_not_wanted_is_refused_with_what_to_do(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,))
    await house.says(service=False)
    with pytest.raises(Conflict, match="Choose another"):
        await house.answer(agent.id, "It is.")
    await house.line.receive(mail("Still there?", sender=f"Rosa <{house.address}>"))
    async with house.ground.database.transaction() as tx:
        house.case_id = await tx.value(text('select max(id) from "case"'))
    assert await house.answer(agent.id, "It is."), "who has written from there since is answered there"


async def test_what_was_withdrawn_before_it_went_out_does_not_go_out(house: House, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,))
    await house.answer(agent.id, "It is.")
    await house.says(service=False)
    async with sending(house.ground):
        await until(lambda: _ended(house, "failed"))
    (row,) = await house.deliveries()
    assert row.answer == "The customer does not want this sent to that address."
    async with house.ground.database.transaction() as tx:
        tried = await tx.value(text("select count(*) from delivery_attempt where delivery_id = :id"), {"id": row.id})
        told = await tx.column(text("select kind from event where kind like 'delivery.%'"))
    assert (tried, told) == (0, ["delivery.failed"])


async def test_no_question_on_how_we_did_to_who_wants_none(house: House) -> None:
    await house.says(surveys=False)
    survey_id = await house.survey()
    async with sending(house.ground):
        await until(lambda: _ended(house, "failed"))
    (row,) = await house.deliveries()
    assert (row.id, row.answer) == (survey_id, "The customer does not want this sent to that address.")


async def test_a_question_waits_for_the_end_of_quiet_hours_and_an_answer_does_not(
    house: House, sign_in: SignInAs, mail_world: MailWorld
) -> None:
    agent = await sign_in(queues=(1,))
    at = now()
    async with house.ground.database.transaction() as tx:
        await tx.execute(
            update(Customer).values(
                zone="UTC",
                quiet_from=f"{at - timedelta(hours=1):%H:%M}",
                quiet_until=f"{at + timedelta(hours=2):%H:%M}",
            )
        )
    await house.survey()
    await house.answer(agent.id, "It is known, and so are you.")
    async with sending(house.ground):
        await until(lambda: _ended(house, "sent"))
    await asyncio.to_thread(
        mail_world.wait_for, house.address, lambda one: "so are you" in str(one.get_body(("plain",)))
    )
    survey, _answer = await house.deliveries()
    assert (survey.state, survey.attempts) == ("due", 0)
    assert timedelta(hours=1, minutes=58) < survey.due_at - at <= timedelta(hours=2)


async def _ended(house: House, state: str) -> bool:
    return any(row.state == state for row in await house.deliveries())


HERE = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("quiet_from", "until_", "there", "expected"),
    [
        ("21:00", "08:00", "2026-03-02 22:15", "2026-03-03 08:00"),
        ("21:00", "08:00", "2026-03-03 07:59", "2026-03-03 08:00"),
        ("21:00", "08:00", "2026-03-03 08:00", None),
        ("21:00", "08:00", "2026-03-03 20:59", None),
        ("12:00", "14:00", "2026-03-03 12:00", "2026-03-03 14:00"),
        ("12:00", "14:00", "2026-03-03 14:00", None),
        ("21:00", "08:00", "2026-03-07 23:00", "2026-03-08 08:00"),  # the clocks go forward in between
        ("", "", "2026-03-03 03:00", None),
        ("09:00", "09:00", "2026-03-03 09:00", None),
    ],
)
def test_quiet_hours(quiet_from: str, until_: str, there: str, expected: str | None) -> None:
    at = datetime.fromisoformat(there).replace(tzinfo=HERE).astimezone(UTC)
    found = quiet_until("survey", quiet_from, until_, HERE, at)
    assert (found and f"{found.astimezone(HERE):%Y-%m-%d %H:%M}") == expected
    assert quiet_until("reply", quiet_from, until_, HERE, at) is None


def test_what_was_asked_for_is_never_refused() -> None:
    everything = ("service", "surveys", "alerts", "news")
    assert [
        kind for kind in ("reply", "acknowledgement", "survey", "transcript", "notice") if refused(kind, everything)
    ] == [
        "reply",
        "acknowledgement",
        "survey",
    ]
