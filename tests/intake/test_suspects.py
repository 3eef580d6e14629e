"""What took its process down hurts no other: it is tried alone, and set aside when that happened too often."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.ground.installation import Ground
from everyline.intake.models import Inbound
from everyline.intake.processor import Processor
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("P2")


async def taken_and_lost(ground: Ground) -> list[int]:
    """What a process claims and reads before it is killed; its claims are over at once."""
    claimed = [row.id for row in (await Processor(ground)._read_some()).rows]
    async with ground.database.transaction() as tx:
        await tx.execute(text("update inbound set due_at = now() where state = 'new'"))
    return claimed


async def test_one_that_always_kills_is_alone_from_the_second_time_and_quarantined_in_the_end(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(*[mail(subject=f"Matter {n}") for n in range(3)], process=False)
    async with ground.database.transaction() as tx:
        killer = await tx.value(select(Inbound.id).order_by(Inbound.id))
    assert len(await taken_and_lost(ground)) == 3
    assert await taken_and_lost(ground) == [killer], "the others are not taken down with it again"
    await line.receive(mail(subject="Fresh"))  # processes all that is due
    async with ground.database.transaction() as tx:
        assert sorted(await tx.column(select(Case.subject))) == ["Fresh", "Matter 0", "Matter 1", "Matter 2"]


async def test_the_killer_ends_in_quarantine_with_its_reason(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(mail(subject="Killer"), process=False)
    for _time in range(4):
        assert len(await taken_and_lost(ground)) == 1
    await line.receive(mail(subject="After"))
    async with ground.database.transaction() as tx:
        rows = await tx.rows(select(Inbound.state, Inbound.cause).order_by(Inbound.id))
    assert [row.state for row in rows] == ["quarantined", "done"]
    assert "4 times" in rows[0].cause
