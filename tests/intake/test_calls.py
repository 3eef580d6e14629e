"""Calls at the door: each is a talk of its own, also when one number has several at a time."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from sqlalchemy import insert, select, text

from everyline.cases.models import Case, Interaction, Talk
from everyline.channel_contract import Address, Raw
from everyline.channel_registry import channel
from everyline.channels.phone.piece import Piece
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.intake import talking
from everyline.intake.door import IntakeDoor
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.lines.conditions import Route, When
from everyline.queues.models import Queue, QueueEntry

NUMBER, CALLER = "+18005550199", "+13605550142"


class Switchboard:
    """A line for calls, whose pieces are handed in without a wire."""

    def __init__(self, ground: Ground, line_id: int) -> None:
        self.ground, self.line_id = ground, line_id

    async def calls(self, number: str = CALLER, *, diverted_from: str = "", process: bool = True) -> str:
        """Somebody calls; returns the call's key."""
        key = secrets.token_hex(12)
        piece = Piece(event="begin", key=key, count=1, number=number, dialled=NUMBER, diverted_from=diverted_from)
        await self.hand_in(piece, process=process)
        return key

    async def hand_in(self, piece: Piece, *, process: bool = True) -> None:
        door = IntakeDoor(self.ground)
        await door.start()
        try:
            body = piece.as_bytes()
            await door.keep(self.line_id, Raw(channel("phone").identify(body), body, writer=piece.key))
        finally:
            await door.stop()
        if process:
            await self.process()

    async def process(self) -> None:
        processor = Processor(self.ground)
        while await processor.process_some():
            pass

    async def hangs_up(self, key: str, number: str = CALLER) -> None:
        async with self.ground.database.transaction() as tx:
            await talking.end_by_customer(tx, self.line_id, Address("number", number, "", key))

    async def of(self, key: str) -> Row:
        """The talk of a call, with its interaction, case and queue."""
        async with self.ground.database.transaction() as tx:
            return await tx.one(
                select(Talk.mode, Interaction.case_id, Interaction.media_class, Interaction.ended_at, Case.queue_id)
                .join(Interaction, Interaction.id == Talk.interaction_id)
                .join(Case, Case.id == Interaction.case_id)
                .where(Talk.key == key)
            )


@pytest.fixture
async def board(ground: Ground) -> Switchboard:
    async with ground.database.transaction() as tx:
        await tx.execute(text("update queue set hours_id = null"))
        line_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="phone",
            address=NUMBER,
            name="Toll-free",
            settings={"host": "127.0.0.2", "waits_alone": True},
        )
    return Switchboard(ground, line_id)


@pytest.mark.req("V1", "A2")
async def test_two_callers_of_one_switchboard_are_two_talks_of_one_customer(board: Switchboard) -> None:
    one, two = await asyncio.gather(board.calls(process=False), board.calls(process=False))
    await board.process()
    first, second = await board.of(one), await board.of(two)
    assert {first.media_class, second.media_class} == {"call"}
    async with board.ground.database.transaction() as tx:
        customers = await tx.column(select(Case.customer_id).distinct())
        states = await tx.column(select(QueueEntry.state))
    assert len(customers) == 1
    await board.hangs_up(one)
    assert (await board.of(one)).ended_at is not None
    assert (await board.of(two)).ended_at is None, "the other talks on"
    assert states == ["waiting", "waiting"]


@pytest.mark.req("V1", "P2")
async def test_a_third_call_beside_one_that_goes_on_is_a_talk_of_its_own(board: Switchboard) -> None:
    one = await board.calls()
    two = await board.calls()
    assert (await board.of(one)).case_id != (await board.of(two)).case_id


@pytest.mark.req("V1", "V4")
async def test_who_calls_again_is_in_the_case_that_is_open(board: Switchboard) -> None:
    one = await board.calls()
    await board.hangs_up(one)
    two = await board.calls()
    assert (await board.of(one)).case_id == (await board.of(two)).case_id
    async with board.ground.database.transaction() as tx:
        entries = await tx.rows(select(QueueEntry.waiting_since, QueueEntry.state).order_by(QueueEntry.id))
    assert [entry.state for entry in entries][-1] == "waiting"
    assert entries[0].waiting_since == entries[1].waiting_since, "they keep their place"


@pytest.mark.req("V3", "P2")
async def test_what_is_keyed_belongs_to_the_call_it_was_keyed_in(board: Switchboard) -> None:
    one, two = await board.calls(), await board.calls()
    await board.hand_in(Piece(event="keyed", key=two, count=2, number=CALLER, text="41"))
    await board.hand_in(Piece(event="keyed", key=one, count=2, number=CALLER, text="17"))
    async with board.ground.database.transaction() as tx:
        rows = await tx.rows(
            text(
                "select t.key, array_agg(m.text order by m.id) as said from message m join talk t using (interaction_id) group by t.key"
            )
        )
    assert {row.key: row.said for row in rows} == {one: ["", "17"], two: ["", "41"]}


@pytest.mark.req("V2")
async def test_calls_go_by_area_and_by_the_number_that_was_dialled_first(board: Switchboard) -> None:
    async with board.ground.database.transaction() as tx:
        local = await tx.value(insert(Queue).values(name="Local").returning(Queue.id))
        london = await tx.value(insert(Queue).values(name="London").returning(Queue.id))
        await lines.keep_route(tx, None, board.line_id, Route(0, "360", When(prefixes=("+1360",)), local))
        dialled = When(dialled=("+442079460000",))
        await lines.keep_route(tx, None, board.line_id, Route(0, "London", dialled, london, priority=1))
    assert (await board.of(await board.calls("+13605550111"))).queue_id == local
    assert (await board.of(await board.calls("+15035550111"))).queue_id not in (local, london)
    assert (await board.of(await board.calls("+447700900111", diverted_from="+442079460000"))).queue_id == london


@pytest.mark.req("V2")
async def test_who_withholds_their_number_is_somebody_for_one_call(board: Switchboard) -> None:
    one, two = await board.calls(""), await board.calls("")
    assert (await board.of(one)).case_id != (await board.of(two)).case_id
    async with board.ground.database.transaction() as tx:
        assert len(await tx.column(select(Case.customer_id).distinct())) == 2
