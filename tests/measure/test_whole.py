"""From a mail that comes in to the figures it makes, by the product's own verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.measure import ledgers, queries
from everyline.measure.figures import Asked
from everyline.queues import actions
from tests.mail import MailLine, mail


@pytest.mark.req("Q4")
async def test_what_the_verbs_write_is_what_the_figures_count(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,), available=True)
    for subject in ("First", "Second"):
        await line.receive(mail(subject=subject))
    async with ground.database.transaction() as tx:
        first, _second = await tx.column(text('select id from "case" order by id'))
    async with ground.database.transaction() as tx:
        await actions.pick(tx, agent.id, first)
    answer = {"text": "Bring the card.", "then": "resolve"}
    made = await client.post(f"/api/v1/cases/{first}/replies", headers=agent.bearer, json=answer)
    assert made.status_code == 201, made.text
    async with ground.database.transaction() as tx:
        await actions.end_wrap_ups(tx)
        for assignment_id in await tx.column(text("select id from assignment where ended_at is null")):
            await actions.wrap_up(tx, agent.id, assignment_id, None)
        await actions.change_state(tx, agent.id, agent.id, "away", "Break")
    await ledgers.catch_up(ground.database)
    asked = Asked(now() - timedelta(days=1), now() + timedelta(days=1), rows=(), queue_ids=(line.queue_id,))
    async with ground.database.transaction() as tx:
        whole = await queries.whole(tx, asked)
        found = await tx.one(text("select * from stay where ended_as = 'answered'"))
        work = await tx.one(text("select * from work"))
        behind = await queries.behind(tx, asked, "answered")
    for figure, expected in {
        "offered": 2, "answered": 1, "in_time": 1, "handled": 1, "opened": 2, "resolved": 1, "abandoned": 0, "backlog_change": 1,
    }.items():  # fmt: skip
        assert whole.value(figure) == expected, figure
    assert (found.channel, found.media_class, found.agent_id) == ("email", "mail", agent.id)
    assert (work.channel, work.case_id, work.weight > 0) == ("email", first, True)
    assert (whole.value("handle_time") or 0) > 0
    assert [row.case_id for row in behind] == [first]
