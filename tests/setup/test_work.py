"""Queues, skills, hours and codes: arranged in the browser, told as events, written into the audit trail."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.ground.clock import now
from everyline.ground.errors import Invalid
from everyline.ground.installation import Ground
from everyline.people.models import Audit, AwayReason
from everyline.queues import abilities, queries, set_up
from everyline.queues.hours import is_open, spans_of
from everyline.queues.models import Hours, Queue, Skill, WrapUpCode

QUEUE = {
    "name": "Permits",
    "hue": "4",
    "goal": "30",
    "goal_unit": "minutes",
    "wrap_up_seconds": "60",
    "strategy": "most skilled",
    "priority": "1",
    "position": "2",
    "signature": "The office",
}


async def happened(ground: Ground, kind: str) -> list[Any]:
    async with ground.database.transaction() as tx:
        return list(await tx.rows(text("select * from event where kind = :kind order by id"), {"kind": kind}))


async def first(ground: Ground, statement: Any) -> Any:
    async with ground.database.transaction() as tx:
        return await tx.first(statement)


@pytest.mark.req("Q1", "P3")
async def test_a_queue_with_members_and_needs(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    agents = [(await sign_in()).id for _number in range(3)]
    async with ground.database.transaction() as tx:
        skill = await abilities.add_skill(tx, None, "Building law")
    made = await admin.post("/setup/queues", data={**QUEUE, "member": agents[:2], "wants": '"building law" >= 3'})
    assert made.status_code == 303
    row = await first(ground, select(Queue.__table__).where(Queue.name == "Permits"))
    assert (row.goal_seconds, row.wrap_up_seconds, row.strategy, row.wants, row.speaks, row.hue) == (
        1800,
        60,
        "most skilled",
        {"skill": skill, "least": 3},
        False,
        4,
    )
    assert [event.agent_id for event in await happened(ground, "agent.joined_queue")] == agents[:2]
    changed = await admin.post(
        f"/setup/queues/{row.id}", data={**QUEUE, "member": agents[1:], "speaks": "1", "name": "Permits and plans"}
    )
    assert changed.status_code == 303
    assert [event.agent_id for event in await happened(ground, "agent.left_queue")] == agents[:1]
    assert [event.agent_id for event in await happened(ground, "agent.joined_queue")] == agents
    page = (await admin.get(f"/setup/queues/{row.id}")).text
    assert 'value="Permits and plans"' in page
    assert page.count("checked") >= 4
    async with ground.database.transaction() as tx:
        assert [found.act for found in await tx.rows(select(Audit.act).order_by(Audit.id))] == [
            "queue.created",
            "queue.changed",
        ]


@pytest.mark.req("Q1")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "General"}, "name"),
        ({"goal": "soon"}, "goal"),
        ({"priority": "99"}, "priority"),
        ({"wrap_up_seconds": "-3"}, "wrap_up_seconds"),
    ],
)
async def test_mistakes_are_named_and_the_rest_is_kept(
    admin: httpx.AsyncClient, sign_in: Any, change: dict[str, str], field: str
) -> None:
    agent = await sign_in()
    answer = await admin.post("/setup/queues", data={**QUEUE, "member": [agent.id], **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "The office" in answer.text
    assert f'value="{agent.id}" checked' in answer.text


@pytest.mark.req("Q1")
async def test_the_last_queue_stays(admin: httpx.AsyncClient, ground: Ground) -> None:
    general = (await first(ground, select(Queue.id))).id
    assert (await admin.post(f"/setup/queues/{general}/retire")).status_code == 409
    await admin.post("/setup/queues", data=QUEUE)
    assert (await admin.post(f"/setup/queues/{general}/retire")).status_code == 303
    assert (await admin.get(f"/setup/queues/{general}")).status_code == 404
    assert (await admin.post("/setup/queues", data={**QUEUE, "name": "General"})).status_code == 303, (
        "its name can be used anew"
    )


@pytest.mark.req("Q1")
async def test_skills_and_languages(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/skills", data={"name": "", "language": "es"})
    row = await first(ground, select(Skill.__table__))
    assert (row.name, row.language) == ("Spanish", "es")
    assert (await admin.post("/setup/skills", data={"name": "Other", "language": "es"})).status_code == 422
    assert (await admin.post("/setup/skills", data={"name": "", "language": ""})).status_code == 422
    await admin.post(f"/setup/skills/{row.id}", data={"name": "Castilian"})
    assert (await first(ground, select(Skill.name))).name == "Castilian"
    async with ground.database.transaction() as tx:
        queue_id = int(await queries.default_queue(tx) or 0)
        await set_up.change_queue(tx, None, queue_id, needs={row.id: 2})
    assert (await admin.post(f"/setup/skills/{row.id}", data={"remove": "1"})).status_code == 303
    assert (await first(ground, select(Queue.needs).where(Queue.id == queue_id))).needs == {}, (
        "nothing needs what nobody can have"
    )


WEEK = {f"{edge}-{day}-0": value for day in range(5) for edge, value in (("from", "08:00"), ("to", "12:00"))}


@pytest.mark.req("Q2")
async def test_hours_of_a_week(admin: httpx.AsyncClient, ground: Ground) -> None:
    form = {
        "name": "Office",
        "zone": "America/Los_Angeles",
        "holidays_of": "us-wa",
        **WEEK,
        "from-0-1": "13:00",
        "to-0-1": "17:00",
        "from-4-1": "18:00",
        "to-4-1": "00:00",
    }
    assert (await admin.post("/setup/hours", data=form)).status_code == 303
    row = await first(ground, select(Hours.__table__))
    assert row.week[0] == [["08:00", "12:00"], ["13:00", "17:00"]]
    assert row.week[4] == [["08:00", "12:00"], ["18:00", "24:00"]]
    assert row.week[5] == row.week[6] == []
    assert row.holidays_of == "US-WA"
    page = (await admin.get(f"/setup/hours/{row.id}")).text
    assert 'name="to-4-1" value="00:00"' in page


@pytest.mark.req("Q2")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"holidays_of": "ZZ"}, "holidays_of"),
        ({"to-0-0": "07:00"}, "day-0"),
        ({"from-0-1": "11:00", "to-0-1": "14:00"}, "day-0"),
        ({"from-0-0": "8 am"}, "day-0"),
    ],
)
async def test_wrong_hours_are_named(
    admin: httpx.AsyncClient, ground: Ground, change: dict[str, str], field: str
) -> None:
    answer = await admin.post("/setup/hours", data={"name": "Office", "zone": "UTC", **WEEK, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert await first(ground, select(Hours.id)) is None


@pytest.mark.req("Q2")
async def test_the_emergency_switch_closes_at_once(admin: httpx.AsyncClient, ground: Ground) -> None:
    always = {f"{edge}-{day}-0": "00:00" for day in range(7) for edge in ("from", "to")}
    await admin.post("/setup/hours", data={"name": "Office", "zone": "UTC", **always})
    hours_id = (await first(ground, select(Hours.id))).id
    assert (await admin.post(f"/setup/hours/{hours_id}/closure", data={"message": " "})).status_code == 422
    await admin.post(f"/setup/hours/{hours_id}/closure", data={"message": "Storm."})
    async with ground.database.transaction() as tx:
        assert not is_open(await queries.opening_hours(tx, hours_id), now())
    assert "Storm." in (await admin.get(f"/setup/hours/{hours_id}")).text
    await admin.post(f"/setup/hours/{hours_id}/closure", data={"open": "1"})
    async with ground.database.transaction() as tx:
        assert is_open(await queries.opening_hours(tx, hours_id), now())
    assert [len(await happened(ground, kind)) for kind in ("hours.closed", "hours.opened")] == [1, 1]


@pytest.mark.req("Q2")
async def test_days_that_differ(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/hours", data={"name": "Office", "zone": "UTC", **WEEK})
    hours_id = (await first(ground, select(Hours.id))).id
    day = date(2030, 6, 3)
    for times in ({"from": "10:00", "to": "11:00"}, {"from": "", "to": ""}):
        assert (
            await admin.post(f"/setup/hours/{hours_id}/days", data={"day": day.isoformat(), "name": "Fair", **times})
        ).status_code == 303
        async with ground.database.transaction() as tx:
            assert len(list(spans_of(await queries.opening_hours(tx, hours_id), day))) == (1 if times["from"] else 0)
    assert (await admin.post(f"/setup/hours/{hours_id}/days", data={"day": "someday"})).status_code == 422
    await admin.post(f"/setup/hours/{hours_id}/days", data={"day": day.isoformat(), "drop": "1"})
    async with ground.database.transaction() as tx:
        assert await queries.days_of(tx, hours_id) == []


@pytest.mark.req("Q2")
async def test_hours_that_a_queue_keeps_stay(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/hours", data={"name": "Office", "zone": "UTC", **WEEK})
    hours_id = (await first(ground, select(Hours.id))).id
    await admin.post("/setup/queues", data={**QUEUE, "hours_id": hours_id})
    assert (await admin.post(f"/setup/hours/{hours_id}/remove")).status_code == 409
    await admin.post(
        f"/setup/queues/{(await first(ground, select(Queue.id).where(Queue.name == 'Permits'))).id}", data=QUEUE
    )
    assert (await admin.post(f"/setup/hours/{hours_id}/remove")).status_code == 303


@pytest.mark.req("Q1")
async def test_codes_and_reasons(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert (await admin.post("/setup/codes", data={"name": "Answered"})).status_code == 303
    assert (await admin.post("/setup/codes", data={"name": "Answered"})).status_code == 422
    code = await first(ground, select(WrapUpCode.id))
    assert (await admin.post(f"/setup/codes/{code.id}/retire")).status_code == 303
    assert (await admin.post(f"/setup/codes/{code.id}/retire")).status_code == 404
    await admin.post("/setup/codes", data={"name": "Answered"})
    assert (await first(ground, select(WrapUpCode.id).where(WrapUpCode.retired_at.is_(None)))).id == code.id, (
        "the same code again"
    )
    assert (await admin.post("/setup/away-reasons", data={"name": "Break"})).status_code == 303
    assert (await admin.post("/setup/away-reasons", data={"name": "Break"})).status_code == 422
    reason = await first(ground, select(AwayReason.id))
    assert (await admin.post(f"/setup/away-reasons/{reason.id}/remove")).status_code == 303


@pytest.mark.req("Q1")
@pytest.mark.parametrize("level", [0, 6, -1])
async def test_levels_go_from_one_to_five(ground: Ground, sign_in: Any, level: int) -> None:
    agent = await sign_in()
    async with ground.database.transaction() as tx:
        skill = await abilities.add_skill(tx, None, "Law")
        with pytest.raises(Invalid):
            await abilities.set_skills(tx, None, agent.id, {skill: level})
