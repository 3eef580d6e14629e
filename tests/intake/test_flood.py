"""A sender who floods a line: everything is kept, and gathered where it can be looked through at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text, update

from everyline.cases.models import Case, Message
from everyline.dispatch.models import Delivery
from everyline.ground.installation import Ground
from everyline.intake.models import Inbound
from everyline.intake.rules import MOST_ACKNOWLEDGEMENTS
from everyline.queues.models import QueueEntry
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("E3", "P2")

FLOOD = 200
MOST = 20
ROBOT = "robot@loop.example"


def flood(first: int, beyond: int) -> list[bytes]:
    return [mail(f"Round {n}", sender=ROBOT, subject="Re: Round" if n % 2 else "round") for n in range(first, beyond)]


async def rows(ground: Ground, statement: Any) -> list[Any]:
    async with ground.database.transaction() as tx:
        return list(await tx.rows(statement))


async def test_a_flood_of_200_mails_opens_twenty_cases_and_loses_nothing(ground: Ground) -> None:
    line, other = await MailLine.add(ground), await MailLine.add(ground, "tax@county.example")
    await line.receive(*flood(0, 15))
    await line.receive(*flood(15, FLOOD), process=False)  # so many at once that batches hold the limit within them
    await asyncio.gather(*(line.process() for _ in range(3)))
    await line.receive(mail("I am somebody else", subject="Mine"))
    await other.receive(mail("Another matter", sender=ROBOT, subject="Elsewhere"))

    messages = await rows(
        ground, select(Message.text, Message.subject, Message.case_id, Message.facts).where(Message.direction == "in")
    )
    assert sorted(row.text.strip() for row in messages) == sorted(
        [*(f"Round {n}" for n in range(FLOOD)), "I am somebody else", "Another matter"]
    )
    cases = await rows(ground, select(Case.id, Case.subject, Case.revision))
    assert len(cases) == MOST + 2
    assert {row.state for row in await rows(ground, select(Inbound.state))} == {"done"}
    assert len(await rows(ground, select(QueueEntry.id))) == MOST + 2
    gathered = [row for row in messages if any("many cases" in remark for remark in row.facts.get("remarks", ()))]
    assert len(gathered) == FLOOD - MOST
    assert len({row.case_id for row in gathered}) == 1
    outcomes = await rows(ground, select(Inbound.outcome).where(Inbound.outcome == "gathered"))
    assert len(outcomes) == FLOOD - MOST
    told = await rows(ground, text("select case_id, data from event where kind = 'case.flooded'"))
    assert {row.case_id for row in told} == {gathered[0].case_id}
    assert sum(row.data["messages"] for row in told) == FLOOD - MOST
    answered = await rows(ground, select(Delivery.case_id).where(Delivery.address == ROBOT))
    assert len(answered) <= MOST_ACKNOWLEDGEMENTS
    assert len(await rows(ground, select(Delivery.id).where(Delivery.address == "jane.doe@example.org"))) == 1


async def test_what_is_gathered_in_a_case_that_waited_opens_it_again(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(*flood(0, MOST))
    async with ground.database.transaction() as tx:
        await tx.execute(update(Case).values(status="waiting for customer", unread=False))
    await line.receive(*flood(MOST, MOST + 1))
    case = (await rows(ground, select(Case.status, Case.unread).order_by(Case.id.desc())))[0]
    assert (case.status, case.unread) == ("open", True)


async def test_a_flood_is_over_when_its_time_is_over_or_all_its_cases_are_settled(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(*flood(0, MOST))
    async with ground.database.transaction() as tx:
        await tx.execute(update(Case).values(status="resolved"))
    await line.receive(*flood(MOST, MOST + 1))
    assert len(await rows(ground, select(Case.id))) == MOST + 1
    async with ground.database.transaction() as tx:
        await tx.execute(text("update \"case\" set opened_at = opened_at - interval '61 minutes'"))
    await line.receive(*flood(MOST + 1, MOST + 2))
    assert len(await rows(ground, select(Case.id))) == MOST + 2


async def test_mails_with_subjects_of_their_own_are_no_flood(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(*(mail(f"Form {n}", sender=ROBOT, subject=f"Form {n}") for n in range(MOST + 5)))
    assert len(await rows(ground, select(Case.id))) == MOST + 5
