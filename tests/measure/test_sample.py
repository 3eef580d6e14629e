"""The sample company has sixty days of figures, and every one of its cases is counted in them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.measure import ledgers, queries, surveying
from everyline.measure.figures import Asked
from everyline.sample import loader
from everyline.sample.generator import CASES


@pytest.mark.req("Q4", "Q5", "P1")
async def test_the_sample_company_has_a_history(ground: Ground) -> None:
    await loader.load(ground, smtp_host="127.0.0.1", smtp_port=9)
    await ledgers.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        queue_ids = tuple(await tx.column(text("select id from queue")))
        asked = Asked(
            now() - timedelta(days=70), now() + timedelta(days=1), rows=("interval",), step="day", queue_ids=queue_ids
        )
        days = await queries.lines(tx, asked)
        whole = await queries.whole(tx, asked)
        results = await surveying.summary(tx, asked)
    assert whole.value("offered") == CASES
    assert whole.value("opened") == CASES
    assert len(days) > 50
    assert 0.2 < (whole.value("service_level") or 0) <= 1
    assert 30 < (whole.value("handle_time") or 0) < 3600
    assert 0.005 < (whole.value("occupancy") or 0) < 1
    assert 50 < results[0]["answers"] < results[0]["asked"]
