"""Reading events in commit order while transactions run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from everyline.ground import events
from everyline.ground.events import Event, Position
from everyline.ground.installation import Ground

NUMBERED = text("select pg_current_xact_id()")  # a transaction has a number from its first write on


@contextlib.asynccontextmanager
async def followed(ground: Ground) -> AsyncIterator[list[Event]]:
    """What somebody hears who follows from now on."""
    heard: list[Event] = []
    async with ground.database.transaction() as tx:
        begin = await events.newest(tx)

    async def listen() -> None:
        async for batch in events.follow(ground.database, ground.bus, begin):
            heard.extend(batch)

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def recorded(ground: Ground, kind: str) -> None:
    async with ground.database.transaction() as tx:
        await events.record(tx, kind)


async def until(heard: list[Event], kinds: list[str]) -> None:
    """Wait until these were heard, and nothing else."""
    async with asyncio.timeout(30):
        while [event.kind for event in heard] != kinds:  # noqa: ASYNC110 -- the list has no flag
            await asyncio.sleep(0.005)


@pytest.mark.req("P2")
async def test_who_writes_an_event_later_is_waited_for(ground: Ground) -> None:
    async with followed(ground) as heard:
        async with ground.database.transaction() as tx:
            await tx.value(NUMBERED)
            await recorded(ground, "case.second")
            await asyncio.sleep(0.1)
            assert heard == [], "it would be heard before one that comes before it"
            await events.record(tx, "case.first")
        await until(heard, ["case.first", "case.second"])


@pytest.mark.req("P2", "Q4")
async def test_who_only_counts_holds_nobody_up(ground: Ground) -> None:
    async with followed(ground) as heard, ground.database.transaction() as tx:
        await events.write_none(tx)
        await tx.value(NUMBERED)
        await recorded(ground, "case.first")
        await recorded(ground, "case.second")
        await until(heard, ["case.first", "case.second"])
        assert [event.kind for event in heard] == ["case.first", "case.second"]


@pytest.mark.req("P2", "Q4")
async def test_beside_who_only_counts_others_are_waited_for(ground: Ground) -> None:
    async with followed(ground) as heard, ground.database.transaction() as counting:
        await events.write_none(counting)
        await counting.value(NUMBERED)
        async with ground.database.transaction() as tx:
            await tx.value(NUMBERED)
            await recorded(ground, "case.second")
            await asyncio.sleep(0.1)
            assert heard == []
            await events.record(tx, "case.first")
        await until(heard, ["case.first", "case.second"])
        await recorded(ground, "case.third")
        await until(heard, ["case.first", "case.second", "case.third"])


@pytest.mark.req("P2")
async def test_who_said_that_they_write_none_cannot(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await events.write_none(tx)
        with pytest.raises(RuntimeError, match="has said that it writes no event"):
            await events.record(tx, "case.first")


@pytest.mark.req("P2")
async def test_they_are_read_in_the_order_of_numbers_and_not_of_digits(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(text("delete from event"))
        for xid in (8, 9, 10, 11, 100):
            await tx.execute(
                text(
                    "insert into event (xid, at, kind, data) values (cast(cast(:xid as text) as xid8), now(), :kind, '{}')"
                ),
                {"xid": str(xid), "kind": f"of {xid}"},
            )
    position, kinds = Position(0, 0), list[str]()
    async with ground.database.transaction() as tx:
        while batch := await events.read_after(tx, position, most=2):
            kinds += [event.kind for event in batch]
            position = batch[-1].position
    assert kinds == ["of 8", "of 9", "of 10", "of 11", "of 100"]
