"""The list of calls that go on: who sees which, what it says of each, and hanging up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from everyline.call_contract import CallNow, CallState, Direction, Heard, Keeping, LegKind, LegNow, LegState
from everyline.calls import actions
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.ground.live import topics_of
from everyline.roles.live import allowed
from tests.board.conftest import Floor

pytestmark = pytest.mark.req("V6", "V5", "Q3")
CUSTOMER = LegNow(
    "customer", LegKind.CUSTOMER, LegState.IN, "(360) 555-0142", number="+13605550142",
    quality={"score": 2.6, "loss": 0.081, "jitter_ms": 42.0}, remark="Nothing is heard from them.",
)  # fmt: skip


async def a_line(floor: Floor) -> int:
    found = await floor.value(
        "insert into line (channel, address, name) values ('phone', '+18005550100', 'Toll-free') returning id"
    )
    return int(found)


async def a_call(floor: Floor, line_id: int, key: str, *legs: LegNow, queue_id: int | None = None, **facts: Any) -> int:
    """A call with a case in a queue; its interaction."""
    customer_id = await floor.value("insert into customer (name) values ('Jane Doe') returning id")
    case_id = await floor.value(
        'insert into "case" (customer_id, subject, queue_id) values (:c, :s, :q) returning id',
        c=customer_id, s="A call", q=queue_id or floor.queue_id,
    )  # fmt: skip
    interaction_id = await floor.value(
        "insert into interaction (case_id, line_id, channel, media_class, started_at) values (:c, :l, 'phone', 'call', now()) returning id",
        c=case_id, l=line_id,
    )  # fmt: skip
    async with floor.ground.database.transaction() as tx:
        await actions.beat(tx, "node-1")
        call = CallNow(key, Direction.IN, CallState.UP, now(), "+13605550142", talk_id=interaction_id, legs=legs)
        await actions.tell(tx, "node-1", line_id, CallNow(**{**{n: getattr(call, n) for n in call.__slots__}, **facts}))
    return int(interaction_id)


@asynccontextmanager
async def obeying(ground: Ground, refuses: str = "") -> AsyncIterator[list[str]]:
    """A process that has the sound of calls; what was wanted of it."""
    wanted: list[str] = []
    heard = asyncio.Event()

    async def obey() -> None:
        with ground.bus.hearing(lambda words: heard.set() if words.get("kind") == actions.WORD else None):
            while True:
                await heard.wait()
                heard.clear()
                async with ground.database.transaction() as tx:
                    for row in await actions.take(tx, "node-1"):
                        wanted.append(row.deed)
                        await actions.settle(tx, row.id, refused=refuses)

    task = asyncio.create_task(obey())
    try:
        yield wanted
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_the_list_says_how_every_call_stands_and_sounds(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True, name="Ruth Lead")
    agent = await floor.sign_in("agent", name="Dana Whitfield", queues=(floor.queue_id,))
    assert "No call goes on" in (await floor.get(lead, "/board/calls")).text
    mine = LegNow("agent-1", LegKind.AGENT, LegState.IN, "Dana Whitfield", agent.id, quality={"score": 4.3})
    line_id = await a_line(floor)
    interaction_id = await a_call(floor, line_id, "key-1", CUSTOMER, mine, keeping=Keeping.ON, answered_at=now())
    page = (await floor.get(lead, "/board/calls")).text
    for words in (
        "Jane Doe", "calls us", "+13605550142", "Toll-free", "They talk", "Recording", "Dana Whitfield", "Bad sound",
        "2.6 of 5, 8.1 % lost, jitter 42 ms", "Good sound", "Nothing is heard from them.", "1 call goes on.",
    ):  # fmt: skip
        assert words in page, words
    assert 'data-live-refresh="calls"' in page
    assert f"/board/calls/{interaction_id}/hang-up" in page
    assert 'value="listen"' not in page, "nothing to listen with"
    assert 'href="/desk/phone"' in page

    await floor.value(
        "insert into reach (agent_id, number) values (:me, '+12065550188') returning agent_id", me=lead.id
    )
    page = (await floor.get(lead, "/board/calls", **{"hx-request": "true"})).text
    assert "<html" not in page
    assert all(f'value="{deed}"' in page for deed in ("listen", "whisper", "barge"))
    assert 'value="leave"' not in page


async def test_whoever_listens_is_shown_and_can_leave(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True, name="Ruth Lead")
    other = await floor.sign_in("supervisor", all_queues=True, name="Omar Lead")
    await floor.value(
        "insert into reach (agent_id, number) values (:me, '+12065550188') returning agent_id", me=lead.id
    )
    line_id = await a_line(floor)
    ear = LegNow("supervisor-1", LegKind.SUPERVISOR, LegState.IN, "Ruth Lead", lead.id, heard=Heard.AGENT)
    await a_call(floor, line_id, "key-1", CUSTOMER, ear)
    page = (await floor.get(lead, "/board/calls")).text
    assert "whispers" in page
    assert 'value="leave"' in page
    assert "Ruth Lead" in (await floor.get(other, "/board/calls")).text


async def test_calls_are_seen_by_those_who_see_their_queue(floor: Floor) -> None:
    line_id = await a_line(floor)
    theirs = await a_call(floor, line_id, "key-1", CUSTOMER, queue_id=floor.other_id)
    lead = await floor.sign_in("supervisor", queues=(floor.queue_id,))
    page = (await floor.get(lead, "/board/calls")).text
    assert "Jane Doe" not in page
    assert f'data-live-refresh="queue:{floor.queue_id}"' in page
    assert (await floor.get(lead, f"/board/calls/{theirs}/hang-up")).status_code == 404
    assert (await floor.post(lead, f"/board/calls/{theirs}/hang-up")).status_code == 404
    agent = await floor.sign_in("agent", all_queues=True)
    assert (await floor.get(agent, "/board/calls")).status_code == 403


async def test_a_call_is_ended_after_a_question_and_it_is_written_down(floor: Floor) -> None:
    lead = await floor.sign_in("supervisor", all_queues=True)
    interaction_id = await a_call(floor, await a_line(floor), "key-1", CUSTOMER)
    path = f"/board/calls/{interaction_id}/hang-up"
    question = await floor.get(lead, path, **{"hx-request": "true"})
    assert "ends for all who are in it" in question.text
    assert "<html" not in question.text
    assert "<html" in (await floor.get(lead, path)).text
    async with obeying(floor.ground) as wanted:
        done = await floor.post(lead, path, back="/board/calls")
    assert wanted == ["hang up"]
    assert done.headers["location"] == "/board/calls?done=hung-up"
    assert await floor.value("select count(*) from audit where act = 'call.hung_up'") == 1
    async with obeying(floor.ground, refuses="This call is over."):
        refused = await floor.post(lead, path)
    assert refused.status_code == 409
    assert "This call is over." in refused.text


async def test_the_list_hears_of_every_call(floor: Floor) -> None:
    await a_call(floor, await a_line(floor), "key-1", CUSTOMER)
    async with floor.ground.database.transaction() as tx:
        (moved,) = [event for event in await events.read_after(tx, events.Position(0, 0)) if event.kind == "call.moved"]
    assert {"calls", f"queue:{floor.queue_id}"} <= topics_of(moved)
    lead = await floor.sign_in("supervisor", all_queues=True)
    narrow = await floor.sign_in("supervisor", queues=(floor.queue_id,))
    agent = await floor.sign_in("agent", all_queues=True)
    for who, may in ((lead, True), (narrow, False), (agent, False)):
        me = await floor.me(who.id)
        assert await floor.do(lambda tx, me=me: allowed(tx, me, "calls")) is may
