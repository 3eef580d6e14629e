"""The page of a queue: what it asks for, its steps, limits and shares, typed by people."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.ground.forms import read_duration, said_duration
from everyline.ground.installation import Ground
from everyline.people.models import Audit
from everyline.queues import abilities, queries, set_up, teams
from everyline.queues.models import Queue
from everyline.queues.teams import Part

pytestmark = pytest.mark.req("Q1")

FORM = {"name": "Water", "goal": "4", "goal_unit": "hours", "speaks": "1", "strategy": "fewest handled"}
STEPS = {
    "step-0-after": "10 min",
    "step-0-wants": "water",
    "step-0-language": "1",
    "step-1-after": "5 min",
    "step-1-while": "agents ready under",
    "step-1-value": "2",
    "step-1-wants": "water >= 2",
    "step-2-while": "expected wait over",
    "step-2-value": "1 h",
    "step-2-wants": "",
    "step-3-wants": "",
}
WHOLE = {
    **FORM,
    **STEPS,
    "wants": 'Water >= 3 and not "on probation"',
    "rings": "3",
    "earlier_agent": "any",
    "preferred_seconds": "2 h",
    "answer_seconds": "20 s",
    "answer_share": "90",
    "formula": "SL-2",
    "short_seconds": "3",
    "most_waiting": "50",
    "most_wait_seconds": "1 h 30 min",
    "rejoin_seconds": "2 min",
}


async def skilled(ground: Ground) -> tuple[int, int]:
    async with ground.database.transaction() as tx:
        return await abilities.add_skill(tx, None, "Water"), await abilities.add_skill(tx, None, "on probation")


async def the_queue(ground: Ground, name: str = "Water") -> Any:
    async with ground.database.transaction() as tx:
        return await tx.first(select(Queue.__table__).where(Queue.name == name))


def said(answer: httpx.Response) -> str:
    """What stands on a page, without its tags."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.mark.parametrize(
    ("typed", "seconds", "shown"),
    [
        ("90", 90, "90 s"),
        ("90 s", 90, "90 s"),
        ("5min", 300, "5 min"),
        ("1 h 30 min", 5400, "1 h 30 min"),
        ("2 D", 172_800, "2 d"),
        ("1h30m", 5400, "1 h 30 min"),
        ("soon", None, ""),
        ("-5", None, ""),
        ("", None, ""),
        ("0", 0, ""),
        ("61 min", 3660, "1 h 1 min"),
    ],
)
def test_times_as_people_type_them(typed: str, seconds: int | None, shown: str) -> None:
    assert read_duration(typed) == seconds
    assert said_duration(seconds) == shown


async def test_all_that_a_queue_says_comes_back_as_it_was_typed(admin: httpx.AsyncClient, ground: Ground) -> None:
    water, probation = await skilled(ground)
    general = await the_queue(ground, "General")
    made = await admin.post("/setup/queues", data={**WHOLE, "overflow_queue_id": general.id})
    assert made.status_code == 303, said(made)
    row = await the_queue(ground)
    assert row.wants == {"all": [{"skill": water, "least": 3}, {"not": {"skill": probation, "least": 1}}]}
    assert [(step["after"], step["condition"], step["value"], step["language"]) for step in row.steps] == [
        (300.0, "agents ready under", 2, False),
        (None, "expected wait over", 3600, False),
        (600.0, None, 0, True),
    ], "in the order of their times"
    kept = ("rings", "earlier_agent", "preferred_seconds", "answer_seconds", "answer_share", "formula", "short_seconds")
    assert [getattr(row, name) for name in kept] == [3, "any", 7200, 20, 90, "SL-2", 3]
    limits = ("most_waiting", "most_wait_seconds", "overflow_queue_id", "rejoin_seconds", "strategy")
    assert [getattr(row, name) for name in limits] == [50, 5400, general.id, 120, "fewest handled"]
    page = (await admin.get(f"/setup/queues/{row.id}")).text
    shown = {name: html.unescape(value) for name, value in re.findall(r'name="([\w-]+)"[^>]* value="([^"]*)"', page)}
    for name in ("preferred_seconds", "answer_seconds", "most_wait_seconds", "rejoin_seconds"):
        assert shown[name] == WHOLE[name]
    assert "Water &gt;= 3 and not &#34;on probation&#34;" in page
    assert [shown[f"step-{number}-after"] for number in range(4)] == ["5 min", "", "10 min", ""]
    again = await admin.post(
        f"/setup/queues/{row.id}", data={**WHOLE, "step-0-out": "1", "most_waiting": "", "most_wait_seconds": ""}
    )
    assert again.status_code == 303, said(again)
    changed = await the_queue(ground)
    assert (len(changed.steps), changed.overflow_queue_id, changed.most_wait_seconds) == (2, None, 0)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"wants": "watr >= 3"}, "wants", "There is no skill “watr”."),
        ({"wants": "Water >= 9"}, "wants", "A level is a number from 1 to 5."),
        ({"wants": "(Water"}, "wants", "A parenthesis is not closed."),
        ({"step-0-wants": "Water and"}, "step-0-wants", "The expression ends too early."),
        ({"step-0-after": "soon"}, "step-0-after", "Write a time such as 90 s, 5 min or 4 h."),
        ({"step-0-after": ""}, "step-0-after", "Say when it is reached: after a time, or by a condition."),
        ({"step-1-value": ""}, "step-1-value", "A number from 1 to 100000."),
        ({"step-2-value": "often"}, "step-2-value", "Write a time such as 90 s, 5 min or 4 h."),
        ({"step-1-after": "10 min"}, "steps", "Step 2: It comes no later than the step before"),
        ({"rings": "3", "accepts": "1"}, "rings", "What is accepted by itself goes to one agent."),
        ({"answer_share": "120"}, "answer_share", "A number from 1 to 100."),
        ({"formula": "SL-mine"}, "formula", "Choose one of the list."),
        ({"overflow_queue_id": ""}, "overflow_queue_id", "Say where what is too much or too old goes."),
        ({"most_waiting": "", "most_wait_seconds": ""}, "most_waiting", "Say when something goes there"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_all_that_was_typed_is_kept(
    admin: httpx.AsyncClient, ground: Ground, sign_in: Any, change: dict[str, str], field: str, words: str
) -> None:
    await skilled(ground)
    agent = await sign_in()
    general = await the_queue(ground, "General")
    typed = {**WHOLE, "overflow_queue_id": str(general.id), "member": str(agent.id), **change}
    answer = await admin.post("/setup/queues", data=typed)
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert error, said(answer)
    assert words in html.unescape(error[1])
    assert f'value="{agent.id}" checked' in answer.text
    shown = html.unescape(answer.text)
    for name in ("wants", "step-1-wants", "most_wait_seconds", "preferred_seconds"):
        assert typed[name] in shown
    folded = re.search(r'<details class="panel fold" id="[\w-]+" open>', answer.text)
    assert folded or field == "wants", "what is wrong is not folded away"
    assert await the_queue(ground) is None


async def test_who_fits_is_said_while_one_types(admin: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    water, _probation = await skilled(ground)
    agents = [(await sign_in()).id for _number in range(3)]
    async with ground.database.transaction() as tx:
        for agent_id, level in zip(agents, (2, 2, 4), strict=True):
            await abilities.set_skills(tx, None, agent_id, {water: level})

    async def fits(words: str, members: list[int], field: str = "wants") -> str:
        answer = await admin.post(f"/setup/queues/fits?field={field}", data={field: words, "member": members})
        assert answer.status_code == 200
        return said(answer).strip()

    assert await fits("water >= 2", agents) == "3 of 3 agents fit."
    assert await fits("water >= 3", agents) == "1 of 3 agents fit."
    assert "The nearest that somebody fits is Water >= 2 (2)." in await fits("water >= 4", agents[:2], "step-0-wants")
    assert await fits("water", []) == "Nobody takes from this queue."
    assert await fits("watr", agents) == "There is no skill “watr”."
    assert await fits("", agents) == "3 of 3 agents fit."


async def test_an_expression_nobody_meets_is_said_on_the_page_and_in_the_list(
    admin: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    await skilled(ground)
    agent = await sign_in()
    made = await admin.post("/setup/queues", data={**FORM, "wants": "water >= 3", "member": agent.id})
    assert made.status_code == 303, "it is no mistake: somebody may learn it tomorrow"
    page = said(await admin.get(f"/setup/queues/{(await the_queue(ground)).id}"))
    assert "waits for nobody. The nearest that somebody fits is anybody who takes from this queue (1)." in page
    assert "nobody fits" in said(await admin.get("/setup/queues"))


async def test_a_queue_does_not_overflow_in_a_circle(admin: httpx.AsyncClient, ground: Ground) -> None:
    general = await the_queue(ground, "General")
    await admin.post("/setup/queues", data={**FORM, "most_waiting": "5", "overflow_queue_id": general.id})
    water = await the_queue(ground)
    back = {**FORM, "name": "General", "most_waiting": "5", "overflow_queue_id": water.id}
    answer = await admin.post(f"/setup/queues/{general.id}", data=back)
    assert answer.status_code == 422
    assert "This goes in a circle: General → Water → General." in said(answer)


@pytest.mark.req("Q8")
async def test_what_teams_do_in_a_queue(admin: httpx.AsyncClient, ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        house, north = await teams.add_team(tx, None, "House"), await teams.add_team(tx, None, "North", partner=True)
    parts = {
        f"team-{house}-delay": "",
        f"team-{house}-share": "60",
        f"team-{house}-floor": "",
        f"team-{house}-ceiling": "",
        f"team-{north}-delay": "90 s",
        f"team-{north}-share": "30",
        f"team-{north}-floor": "2",
        f"team-{north}-ceiling": "9",
    }
    assert (await admin.post("/setup/queues", data={**FORM, **parts})).status_code == 303
    row = await the_queue(ground)
    async with ground.database.transaction() as tx:
        assert await teams.parts_of(tx, row.id) == {house: Part(0, 60), north: Part(90, 30, 2, 9)}
    page = await admin.get(f"/setup/queues/{row.id}")
    assert "The shares add up to 90, not to 100: what comes is split in proportion." in said(page)
    assert f'name="team-{north}-delay" placeholder="at once" value="90 s"' in page.text
    assert "add up to 110: at most 100." in said(
        await admin.post("/setup/queues/shares", data={**parts, f"team-{north}-share": "50"})
    )
    over = await admin.post(f"/setup/queues/{row.id}", data={**FORM, **parts, f"team-{north}-share": "50"})
    assert over.status_code == 422
    assert f'id="team-{north}-share-error"' in over.text
    async with ground.database.transaction() as tx:
        assert (await teams.parts_of(tx, row.id))[north].share == 30
        await tx.execute(
            text(
                "insert into share_count (queue_id, begins_at, team_id, given) values (:q, now(), :h, 3), (:q, now(), :n, 1)"
            ),
            {"q": row.id, "h": house, "n": north},
        )
    split = said(await admin.get(f"/setup/queues/{row.id}/shares"))
    assert "House 3 75.0 66.7 +8.3 North 1 25.0 33.3 −8.3" in split


async def test_a_skill_says_where_it_is_needed_before_it_goes(
    admin: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    water, probation = await skilled(ground)
    agent = await sign_in()
    async with ground.database.transaction() as tx:
        await abilities.set_skills(tx, None, agent.id, {water: 2})
    await admin.post("/setup/queues", data={**FORM, "wants": "water", "step-0-after": "60", "step-0-wants": "water"})
    asked = said(await admin.get(f"/setup/skills/{water}/remove"))
    for words in ("The queue Water asks for it.", "Step 1 of the queue Water asks for it.", "1 agent has it."):
        assert words in asked
    assert "Nothing needs it, and nobody has it." in said(await admin.get(f"/setup/skills/{probation}/remove"))
    assert (await admin.post(f"/setup/skills/{water}", data={"remove": "1"})).status_code == 303
    row = await the_queue(ground)
    assert (row.wants, row.steps[0]["wants"]) == ({}, {})
    assert (await admin.get(f"/setup/skills/{water}/remove")).status_code == 404
    quoted = await admin.post("/setup/skills", data={"name": 'the "best"', "language": ""})
    assert quoted.status_code == 422
    assert "Leave the quotation mark out." in said(quoted)


async def test_old_needs_are_shown_as_an_expression(admin: httpx.AsyncClient, ground: Ground) -> None:
    water, _probation = await skilled(ground)
    async with ground.database.transaction() as tx:
        queue_id = int(await queries.default_queue(tx) or 0)
        await set_up.change_queue(tx, None, queue_id, needs={water: 2})
    assert "Water &gt;= 2" in (await admin.get(f"/setup/queues/{queue_id}")).text
    await admin.post(f"/setup/queues/{queue_id}", data={**FORM, "wants": "Water >= 2"})
    row = await the_queue(ground)
    assert (row.needs, row.wants) == ({}, {"skill": water, "least": 2})
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Audit.act).order_by(Audit.id.desc()).limit(1)) == "queue.changed"
