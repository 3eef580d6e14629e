"""Messages that callers left, at the door: whenever they come in, they are answered later, and never lost."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.channels.phone.piece import Piece
from everyline.ground.installation import Ground
from everyline.intake.keeper import Keeper
from everyline.queues import actions as queues
from everyline.queues.models import QueueEntry
from everyline.selfservice import actions, flows
from tests.intake.test_calls import CALLER, Switchboard
from tests.intake.test_calls import board as board
from tests.selfservice.test_by_ear import METER

pytestmark = pytest.mark.req("V4", "V6", "P2")
WAV = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x08\0\0\0" + bytes(8)


def message(key: str) -> Piece:
    """What a caller left."""
    return Piece(event="voicemail", key=key, count=2, number=CALLER, seconds=7.2, sound=WAV)


async def waiting(board: Switchboard) -> list[tuple[str, str]]:
    """What waits: media class, and where its case stands."""
    async with board.ground.database.transaction() as tx:
        rows = await tx.rows(
            select(QueueEntry.media_class, Case.status)
            .join(Case, Case.id == QueueEntry.case_id)
            .where(QueueEntry.state == "waiting")
        )
    return [(row.media_class, row.status) for row in rows]


async def settle(ground: Ground) -> None:
    """Do what is due for talks."""
    keeper = Keeper(ground)
    while await keeper.round():
        pass


async def test_a_message_of_a_call_that_is_over_and_settled_opens_its_case_again(board: Switchboard) -> None:
    key = await board.calls()
    first = await board.of(key)
    await board.hangs_up(key)
    await settle(board.ground)
    assert await waiting(board) == []
    await board.hand_in(message(key))
    assert await waiting(board) == [("mail", "open")]
    async with board.ground.database.transaction() as tx:
        cases = await tx.column(text("select distinct case_id from message where text like 'Voicemail%'"))
        modes = await tx.column(text("select mode from talk order by interaction_id"))
    assert cases == [first.case_id]
    assert modes == ["live", "later"]


async def test_a_message_that_overtakes_the_end_of_its_call_is_not_settled_with_it(board: Switchboard) -> None:
    key = await board.calls()
    await board.hangs_up(key)
    await board.hand_in(message(key))
    await settle(board.ground)
    assert await waiting(board) == [("mail", "new")]


async def test_who_left_a_message_and_was_cut_off_is_answered_later(board: Switchboard) -> None:
    key = await board.calls()
    await board.hand_in(message(key))
    await board.hangs_up(key)
    await settle(board.ground)
    assert await waiting(board) == [("mail", "new")]


async def test_the_same_message_twice_is_one(board: Switchboard) -> None:
    key = await board.calls()
    await board.hand_in(message(key))
    await board.hand_in(message(key))
    async with board.ground.database.transaction() as tx:
        assert await tx.value(text("select count(*) from message where text like 'Voicemail%'")) == 1


async def test_a_message_does_not_wait_live_because_somebody_has_come_meanwhile(board: Switchboard) -> None:
    key = await board.calls()
    row = await board.of(key)
    async with board.ground.database.transaction() as tx:
        interaction_id = await tx.value(text("select interaction_id from talk where key = :key"), {"key": key})
        await queues.answer_later(tx, None, row.case_id, interaction_id, "transferred")
    await board.hand_in(message(key))
    assert await waiting(board) == [("mail", "new")]
    assert (await board.of(key)).ended_at is None


async def test_whoever_settled_the_case_has_heard_the_message(board: Switchboard) -> None:
    key = await board.calls()
    await board.hand_in(message(key))
    row = await board.of(key)
    async with board.ground.database.transaction() as tx:
        await queues.resolve(tx, None, row.case_id)
    await settle(board.ground)
    assert await waiting(board) == []


async def test_a_message_does_not_meet_the_flow_again(board: Switchboard) -> None:
    async with board.ground.database.transaction() as tx:
        await actions.add(tx, None, flows.written(METER))
        await actions.publish(tx, None, METER.name)
        await tx.execute(text("update line set flow = :f where id = :id"), {"f": METER.name, "id": board.line_id})
    key = await board.calls()
    assert (await board.of(key)).mode == "flow"
    await board.hangs_up(key)
    await board.hand_in(message(key))
    await settle(board.ground)
    assert await waiting(board) == [("mail", "new")]
    async with board.ground.database.transaction() as tx:
        assert await tx.column(text("select mode from talk order by interaction_id")) == ["flow", "later"]
