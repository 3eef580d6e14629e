"""What is pushed: to whom, how often it is computed, and what is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import until
from everyline.board.watch import Snapshot, Watch
from everyline.ground.clock import now
from everyline.ground.events import Event, Position
from everyline.ground.live import Hub, Stream
from everyline.queues import actions
from tests.board.conftest import Floor

pytestmark = pytest.mark.req("Q3")


def frames(stream: Stream) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in stream.unsent if line.startswith(b"data: {")]


async def viewer(floor: Floor, by: str = "queue", **facts: Any) -> Stream:
    """Somebody who looks at the board."""
    lead = await floor.sign_in("supervisor", **(facts or {"all_queues": True}))
    audience = await floor.watch.join(await floor.me(lead.id), by)
    hub: Hub = floor.app.state.hub
    return hub.open(lead.id, frozenset({audience.topic}), None)


async def told(stream: Stream, cell: str) -> dict[str, Any]:
    """The first frame that brings a cell."""

    async def found() -> dict[str, Any] | None:
        return next((frame for frame in frames(stream) if cell in frame["cells"]), None)

    frame = await until(found)
    assert isinstance(frame, dict)
    return frame


async def test_a_change_is_pushed_and_only_what_changed(floor: Floor) -> None:
    stream = await viewer(floor)
    await floor.mail()
    frame = await told(stream, f"queue-{floor.queue_id}.waiting")
    assert ">1<" in frame["cells"][f"queue-{floor.queue_id}.waiting"]
    assert not frame["whole"]
    assert not [cell for cell in frame["cells"] if cell.startswith(f"queue-{floor.other_id}.")]


async def test_viewers_of_one_scope_are_one_audience(floor: Floor) -> None:
    streams = [await viewer(floor) for _ in range(5)]
    before = len(floor.watch._shown)
    await floor.mail()
    for stream in streams:
        await told(stream, "sum.waiting")
    assert before == 1
    assert len({json.dumps(frames(stream)) for stream in streams}) == 1


async def test_who_does_not_see_a_queue_hears_nothing_of_it(floor: Floor) -> None:
    mine = await viewer(floor, queues=(floor.other_id,))
    everybody = await viewer(floor)
    await floor.mail()
    await told(everybody, f"queue-{floor.queue_id}.waiting")
    for frame in frames(mine):
        assert not [cell for cell in frame["cells"] if cell.startswith(f"queue-{floor.queue_id}.")]
        assert frame["order"] == [f"queue-{floor.other_id}"]


async def test_trouble_is_said_and_rung_once(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    body = {"queue_id": floor.queue_id, "figure": "waiting", "warn": 0, "bad": 0, "rings": True}
    assert (await floor.api(lead, "PUT", "/board/thresholds", **body)).status_code == 204
    stream = await viewer(floor)
    await floor.mail()
    frame = await told(stream, f"queue-{floor.queue_id}.waiting")
    assert frame["rings"]
    assert "too many wait" in frame["said"][0]
    assert frame["tones"][f"queue-{floor.queue_id}"] == "bad"
    seen = len(frames(stream))
    await floor.mail(subject="Another")
    await until(lambda: _more(stream, seen))
    assert not any(frame["rings"] for frame in frames(stream)[seen:])


async def _more(stream: Stream, seen: int) -> bool:
    return any("sum.waiting" in frame["cells"] for frame in frames(stream)[seen:])


async def test_the_picture_kept_by_events_is_that_of_the_database(floor: Floor) -> None:
    """Figures kept true by events are those that a process starting now would read."""
    lead = await floor.sign_in("supervisor", all_queues=True)
    agent = await floor.sign_in("agent", queues=(floor.queue_id,), available=True)
    me = await floor.me(lead.id)
    await floor.watch.board(me, "queue")
    first = await floor.mail()
    second = await floor.mail(subject="Second")
    await floor.mail(subject="Third")
    await floor.do(lambda tx: actions.give_entry(tx, lead.id, first, agent.id))
    await floor.do(lambda tx: actions.move_entry(tx, lead.id, second, floor.other_id))
    fresh = Watch(floor.ground, floor.app.state.hub)
    wanted = await fresh.board(me, "queue")
    await fresh.stop()

    async def same() -> bool:
        found = await floor.watch.board(me, "queue")
        return bool(_plain(found) == _plain(wanted))

    await until(same)
    assert wanted.total.waiting == 2
    assert wanted.total.today.part == 1
    assert dict(wanted.entered) == {"email": 3}


def _plain(board: Any) -> Any:
    return [
        (line.key, line.waiting, line.oldest, line.now, line.today, line.agents) for line in (board.total, *board.lines)
    ], board.entered


async def test_who_looks_at_midnight_goes_on_looking(floor: Floor) -> None:
    stream = await viewer(floor)
    floor.watch._picture.day = "2000-01-01"  # the day that it was a second ago
    await until(lambda: _of_today(floor))
    await floor.mail()
    cell = f"queue-{floor.queue_id}.waiting"
    assert ">1<" in (await told(stream, cell))["cells"][cell]


async def _of_today(floor: Floor) -> bool:
    return floor.watch._picture.day != "2000-01-01"


def test_a_snapshot_knows_what_it_saw() -> None:
    found = Snapshot.read("10:14:11,13")

    def at(xid: int) -> Event:
        return Event("queue_entry.left", now(), position=Position(xid, 1))

    assert [xid for xid in range(8, 17) if found.saw(at(xid))] == [8, 9, 10, 12]
    assert not Snapshot.read("14:14:").saw(at(14))


async def test_a_board_without_queues_says_what_will_stand_there(floor: Floor) -> None:
    nobody = await floor.sign_in("supervisor")
    page = await floor.get(nobody, "/board")
    assert "No figures yet" in page.text
