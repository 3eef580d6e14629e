"""The pages of the board: figures, what stands behind them, and what supervisors do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from conftest import until
from everyline.queues import actions
from tests.board.conftest import Floor

pytestmark = pytest.mark.req("Q3")


@pytest.mark.parametrize("by", ["queue", "channel", "language", "team"])
async def test_every_cut_is_shown_and_what_waits_is_counted(floor: Floor, by: str) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    await floor.mail()
    page = await floor.get(lead, f"/board?by={by}")
    assert page.status_code == 200, page.text
    assert 'data-live-topics="board:' + by in page.text
    board = (await floor.api(lead, "GET", f"/board?by={by}")).json()
    assert board["total"]["waiting"] == 1
    assert sum(line["waiting"] for line in board["lines"]) == 1


@pytest.mark.req("Q1", "P3")
async def test_a_figure_opens_to_its_entries_and_they_can_be_directed(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    agent = await floor.sign_in("agent", name="Dana Whitfield", queues=(floor.queue_id, floor.other_id), available=True)
    entry_id = await floor.mail(subject="The bridge")
    rows = await floor.get(lead, f"/board/entries?by=queue&key=queue-{floor.queue_id}&figure=waiting")
    assert "The bridge" in rows.text
    assert f"/board/entries/{entry_id}?back=" in rows.text
    form = await floor.get(lead, f"/board/entries/{entry_id}")
    assert "Dana Whitfield" in form.text
    fragment = await floor.get(lead, f"/board/entries/{entry_id}", **{"hx-request": "true"})
    assert "<html" not in fragment.text

    moved = await floor.post(lead, f"/board/entries/{entry_id}/move", queue_id=floor.other_id, back="/board")
    assert moved.headers["location"] == "/board?done=moved", moved.text
    new_id = await floor.value("select max(id) from queue_entry where state in ('waiting', 'offered')")
    assert await floor.value("select queue_id from queue_entry where id = :id", id=new_id) == floor.other_id
    assert (await floor.post(lead, f"/board/entries/{entry_id}/move", queue_id=floor.queue_id)).status_code == 404

    await floor.post(lead, f"/board/entries/{new_id}/priority", priority=1)
    assert await floor.value("select priority from queue_entry where id = :id", id=new_id) == 1
    given = await floor.post(lead, f"/board/entries/{new_id}/give", agent_id=agent.id, back="/board")
    assert given.status_code == 303, given.text
    assert (await floor.case_of(new_id)).owner_id == agent.id
    acts = await floor.value("select array_agg(act order by id) from audit where agent_id = :id", id=lead.id)
    assert [act for act in acts if act.startswith("queue_entry")] == [
        "queue_entry.moved",
        "queue_entry.raised",
        "queue_entry.given",
    ]


@pytest.mark.req("Q1", "P3")
async def test_a_case_is_taken_over_and_a_state_is_changed(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    agent = await floor.sign_in("agent", name="Tom Okafor", queues=(floor.queue_id,), available=True)
    entry_id = await floor.mail()
    await floor.do(lambda tx: actions.give_entry(tx, lead.id, entry_id, agent.id))
    case = await floor.case_of(entry_id)
    page = await floor.get(lead, f"/board/agents/{agent.id}")
    assert f"/board/cases/{case.id}/take-over" in page.text
    listed = await floor.get(lead, "/board/agents")
    assert "Tom Okafor" in listed.text
    assert str(case.number) in listed.text

    assert (await floor.post(lead, f"/board/cases/{case.id}/take-over")).status_code == 303
    assert (await floor.case_of(entry_id)).owner_id == lead.id
    assert (await floor.post(lead, f"/board/agents/{agent.id}/state", choice="away:training")).status_code == 303
    assert await floor.value("select reason from agent_state where agent_id = :id", id=agent.id) == "training"

    async def away() -> list[str]:
        return [one["name"] for one in (await floor.api(lead, "GET", "/board/agents?state=away")).json()]

    assert await until(away) == ["Tom Okafor"]


async def test_what_ended_opens_to_how_it_ended(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    agent = await floor.sign_in("agent", queues=(floor.queue_id,), available=True)
    entry_id = await floor.mail()
    await floor.get(lead, "/board")
    await floor.do(lambda tx: actions.give_entry(tx, lead.id, entry_id, agent.id))
    board = await floor.board(lead, lambda board: board["total"]["level_now"]["whole"])
    assert board["total"]["level_now"] == {"share": 1.0, "part": 1, "whole": 1}
    assert board["total"]["level_today"]["whole"] == 1
    for figure in ("now", "today"):
        page = await floor.get(lead, f"/board/entries?by=queue&key=all&figure={figure}")
        assert "in time" in page.text
    assert "answered in time / (offered" in (await floor.get(lead, "/board")).text


@pytest.mark.req("Q1", "P3")
async def test_scope_is_kept_everywhere(floor: Floor) -> None:
    mine = await floor.sign_in("supervisor", queues=(floor.other_id,))
    stranger = await floor.sign_in("agent", name="Sam Stranger", queues=(floor.queue_id,), available=True)
    entry_id = await floor.mail()
    case = await floor.case_of(entry_id)
    board = (await floor.api(mine, "GET", "/board")).json()
    assert [line["id"] for line in board["lines"]] == [floor.other_id]
    assert board["total"]["waiting"] == 0
    assert "Sam Stranger" not in (await floor.get(mine, "/board/agents")).text
    for by, key in (("queue", f"queue-{floor.queue_id}"), ("channel", "channel-email"), ("queue", "all")):
        answer = await floor.get(mine, f"/board/entries?by={by}&key={key}")
        assert answer.status_code == 404 or f"/board/entries/{entry_id}" not in answer.text
    assert (await floor.get(mine, f"/board/entries/{entry_id}")).status_code == 404
    assert (await floor.get(mine, f"/board/agents/{stranger.id}")).status_code == 404
    for path, form in (
        (f"/board/entries/{entry_id}/move", {"queue_id": floor.other_id}),
        (f"/board/entries/{entry_id}/priority", {"priority": 1}),
        (f"/board/entries/{entry_id}/give", {"agent_id": mine.id}),
        (f"/board/cases/{case.id}/take-over", {}),
        (f"/board/agents/{stranger.id}/state", {"choice": "offline"}),
    ):
        assert (await floor.post(mine, path, **form)).status_code == 404, path
    assert (await floor.api(mine, "POST", f"/entries/{entry_id}/move", queue_id=floor.other_id)).status_code == 404
    refused = await floor.api(mine, "PUT", "/board/thresholds", queue_id=floor.queue_id, figure="waiting", bad=1)
    assert refused.status_code == 404
    everybody = await floor.api(mine, "PUT", "/board/thresholds", figure="waiting", bad=1)
    assert everybody.status_code == 404


async def test_an_agent_sees_no_board(floor: Floor) -> None:
    agent = await floor.sign_in("agent", queues=(floor.queue_id,))
    for path in ("/board", "/board/entries", "/board/agents", "/board/thresholds"):
        assert (await floor.get(agent, path)).status_code == 403
    assert (await floor.api(agent, "GET", "/board")).status_code == 403


async def test_thresholds_are_kept_and_colour_the_board(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    await floor.mail()
    await floor.mail(subject="Another")
    form: dict[str, Any] = {"waiting-warn": "0", "waiting-bad": "1", "waiting-rings": "1"}
    saved = await floor.post(lead, f"/board/thresholds?queue={floor.queue_id}", **form)
    assert saved.status_code == 303, saved.text
    board = await floor.board(lead, lambda board: any(line["tones"] for line in board["lines"]))
    line = next(line for line in board["lines"] if line["id"] == floor.queue_id)
    assert line["tones"] == {"waiting": "bad"}
    page = (await floor.get(lead, "/board")).text
    assert re.search(rf'data-line="queue-{floor.queue_id}" data-tone="bad"', page)
    assert "too many wait" in page
    wrong = await floor.post(
        lead, f"/board/thresholds?queue={floor.queue_id}", **{"waiting-warn": "5", "waiting-bad": "1"}
    )
    assert wrong.status_code == 422
    assert "Trouble begins before the warning." in wrong.text
    kept = await floor.value(text("select bad from threshold where figure = 'waiting'"))
    assert kept == 1


@pytest.mark.req("Q1")
async def test_what_nobody_can_take_is_said_with_what_somebody_could(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    await floor.sign_in("agent", queues=(floor.queue_id,), available=True)
    await floor.do(lambda tx: tx.execute(text("insert into skill (name) values ('Underwater welding')")))
    await floor.do(
        lambda tx: tx.execute(
            text(
                "update queue set needs = (select jsonb_build_object(id::text, 3) from skill where name = 'Underwater welding') where id = :id"
            ),
            {"id": floor.queue_id},
        )
    )
    await floor.mail()
    board = await floor.board(lead, lambda board: board["unmet"])
    assert board["unmet"] == [
        {"queue_id": floor.queue_id, "entries": 1, "relaxation": "anybody who takes from this queue"}
    ]
    page = (await floor.get(lead, "/board")).text
    assert "can be taken by nobody" in page
    assert "Nearest that somebody could: anybody who takes from this queue." in page
