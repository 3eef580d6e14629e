"""Reads that go to the database together."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from everyline.ground.database import DatabaseError, Tx
from everyline.ground.installation import Ground

pytestmark = pytest.mark.req("P2")
ROWS = text("select n from generate_series(1, :most) n order by n")


async def counted(tx: Tx, most: int) -> list[int]:
    return list(await tx.column(ROWS, {"most": most}))


async def one_after_another(tx: Tx, times: int) -> int:
    reached = 1
    for _ in range(times):
        reached += await tx.value(text("select cast(:n as int)"), {"n": reached})
    return reached


async def test_each_gets_its_own_rows_in_the_order_of_asking(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        found = await tx.together(counted(tx, 3), one_after_another(tx, 5), counted(tx, 0), one_after_another(tx, 0))
    assert found == ([1, 2, 3], 32, [], 1)


async def test_what_is_taken_together_may_take_together_itself(ground: Ground) -> None:
    async def pair(tx: Tx) -> list[int]:
        first, second = await tx.together(counted(tx, 2), one_after_another(tx, 3))
        return [*first, second, *await counted(tx, 1)]

    async with ground.database.transaction() as tx:
        assert await tx.together(pair(tx), counted(tx, 1)) == ([1, 2, 8, 1], [1])
        assert await counted(tx, 2) == [1, 2], "afterwards statements go out one by one again"


async def test_what_one_raises_ends_all_and_undoes_the_transaction(ground: Ground) -> None:
    async def wrong(tx: Tx) -> None:
        await counted(tx, 1)
        raise LookupError

    async with ground.database.transaction() as tx:
        await tx.execute(text("create table left_behind ()"))
        with pytest.raises(LookupError):
            await tx.together(one_after_another(tx, 3), wrong(tx))
        assert await counted(tx, 1) == [1]

    async def drop_and_divide() -> None:
        async with ground.database.transaction() as tx:
            await tx.execute(text("drop table left_behind"))
            await tx.together(counted(tx, 1), tx.rows(text("select 1 / 0")), counted(tx, 2))

    with pytest.raises(DatabaseError):
        await drop_and_divide()
    async with ground.database.transaction() as tx:
        assert await tx.rows(text("select from left_behind")) == []


async def test_what_waits_for_something_else_is_refused(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        with pytest.raises(RuntimeError, match="nothing but statements"):
            await tx.together(counted(tx, 1), asyncio.sleep(1))
