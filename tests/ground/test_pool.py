"""Connections that are used one after another."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground

pytestmark = pytest.mark.req("P2")
STUMBLES, FINDS = text("select 1 / cast(:n as int) as found"), text("select 1 as found")
HOUSE = text("select count(*) from queue where name = 'Half'")
WRITES = text("insert into queue (name) values ('Half')")


async def _writes_and_fails(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(WRITES)
        raise ArithmeticError


@pytest.mark.parametrize("asks", ["glance", "look"])
async def test_after_a_statement_that_failed_alone_a_transaction_is_whole_still(ground: Ground, asks: str) -> None:
    with pytest.raises(DatabaseError, match="division by zero"):
        await getattr(ground.database, asks)(STUMBLES, {"n": 0})
    with pytest.raises(ArithmeticError):
        await _writes_and_fails(ground)
    async with ground.database.transaction() as tx:
        assert await tx.value(HOUSE) == 0


async def test_what_is_looked_at_leaves_a_connection_as_it_was(ground: Ground) -> None:
    assert [row.found for row in await ground.database.look(FINDS, {})] == [1]
    async with ground.database.transaction() as tx:
        assert await tx.value(text("show plan_cache_mode")) == "force_custom_plan"
