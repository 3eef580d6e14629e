"""A visitor talks and is answered: one interaction over many messages, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from conftest import SignInAs, until
from everyline.cases.models import Case, Interaction, Message, Talk
from everyline.channels.webchat.stream import HEARTBEAT_SECONDS
from everyline.channels.webchat.tests.chat import Chat, Stream, Visitor, begun
from everyline.queues.models import Assignment, QueueEntry

pytestmark = pytest.mark.req("C1")


async def test_what_a_visitor_says_becomes_one_interaction_that_waits_once(chat: Chat) -> None:
    visitor = await chat.greeted()
    stream = await visitor.stream()
    for text in ("Hello", "My bill is $412", "It is usually around $90"):
        await visitor.say(text)
        await stream.message(text)
    talk = await stream.phase("waiting")
    assert stream.texts == ["Hello", "My bill is $412", "It is usually around $90"]
    assert talk["place"] == 1
    assert talk["number"] > 10_000
    interactions, entries = await chat.rows(Interaction), await chat.rows(QueueEntry)
    assert [(one.media_class, one.ended_at) for one in interactions] == [("chat", None)]
    assert [(one.media_class, one.state) for one in entries] == [("chat", "waiting")]
    assert [one.text for one in await chat.rows(Message)] == stream.texts


async def test_the_answer_comes_over_the_stream_with_who_wrote_it(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(name="Maya Okafor", queues=(1,), available=True)
    _visitor, stream, case_id = await begun(chat, "My bill is high")
    await chat.answer(agent.id, case_id, "Hello, I have **your account** here.", replies=["Yes", "No"])
    said = await stream.message("Hello, I have **your account** here.")
    assert said["from"] == "agent"
    assert said["agent"] == {"name": "Maya Okafor", "initials": "MO", "hue": agent.id % 12}
    assert said["html"] == "<p>Hello, I have <strong>your account</strong> here.</p>"
    assert said["replies"] == ["Yes", "No"]
    talk = await stream.phase("talking")
    assert talk["agent"]["name"] == "Maya Okafor"
    assert talk["read_upto"] == str((await chat.rows(Message))[0].id)
    # who answers a talk that waits has taken it
    assert [(one.agent_id, one.work_ended_at) for one in await chat.rows(Assignment)] == [(agent.id, None)]


@pytest.mark.req("C1", "P2")
async def test_the_same_message_five_times_at_once_is_one(chat: Chat) -> None:
    visitor = await chat.greeted()
    stream = await visitor.stream()
    answers = await asyncio.gather(*(visitor.say("Hello", "same-same-same") for _ in range(5)))
    assert sorted(answer.json()["new"] for answer in answers) == [False] * 4 + [True]
    assert (await stream.message("Hello"))["client_id"] == "same-same-same"
    await visitor.say("and more")
    await stream.message("and more")
    assert stream.texts == ["Hello", "and more"]


@pytest.mark.req("C1", "P2")
async def test_twenty_first_messages_at_once_are_one_case(chat: Chat) -> None:
    visitor = await chat.greeted()
    stream = await visitor.stream()
    await asyncio.gather(*(visitor.say(f"line {n}") for n in range(20)))
    await asyncio.gather(*(stream.message(f"line {n}") for n in range(20)))
    assert len(await chat.rows(Case)) == len(await chat.rows(Interaction)) == len(await chat.rows(Talk)) == 1
    assert sorted(stream.texts) == sorted(f"line {n}" for n in range(20))
    assert len(await chat.rows(QueueEntry)) == 1


@pytest.mark.req("C1", "P2")
async def test_after_a_lost_line_nothing_is_lost_and_nothing_twice(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat, "one")
    await chat.answer(agent.id, case_id, "two")
    await stream.message("two")
    position = stream.position
    await stream.close()
    await chat.answer(agent.id, case_id, "three")
    await visitor.say("four")
    await until(lambda: _four(chat))
    again = await visitor.stream(after=position)
    await again.message("four")
    assert again.texts == ["three", "four"]
    by_header = await visitor.stream(**{"last-event-id": position})
    await by_header.message("four")
    assert by_header.texts == ["three", "four"]
    hello = await visitor.say_hello()
    assert [one["text"] for one in hello["messages"]] == ["one", "two", "three", "four"]
    latest = await visitor.stream(after=hello["position"])
    await chat.answer(agent.id, case_id, "five")
    await latest.message("five")
    assert latest.texts == ["five"]


async def _four(chat: Chat) -> bool:
    return len(await chat.rows(Message)) == 4


@pytest.mark.req("C1", "P2")
async def test_both_sides_at_once_reach_every_window_in_one_order(chat: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(queues=(1,), available=True)
    visitor, first, case_id = await begun(chat, "begin")
    second = await visitor.stream()
    await asyncio.gather(
        *(visitor.say(f"v{n}") for n in range(10)), *(chat.answer(agent.id, case_id, f"a{n}") for n in range(10))
    )
    for stream in (first, second):
        await asyncio.gather(*(stream.message(f"{side}{n}") for side in "va" for n in range(10)))
    assert first.texts == second.texts
    assert len(first.texts) == len(set(first.texts)) == 21


async def test_a_fresh_matter_begins_only_when_no_talk_goes_on(chat: Chat, sign_in: SignInAs) -> None:
    visitor, stream, _case_id = await begun(chat, "one matter")
    await visitor.say("still that", begins=True)
    await stream.message("still that")
    assert len(await chat.rows(Case)) == 1
    assert (await visitor.post("end")).json()["talk"]["phase"] == "ended"
    await visitor.say("another matter", begins=True)
    await stream.message("another matter")
    assert [one.subject for one in await chat.rows(Case)] == ["one matter", "another matter"]


async def test_typing_goes_both_ways_and_is_kept_nowhere(chat: Chat, sign_in: SignInAs) -> None:
    from everyline.intake import talking
    from everyline.people import queries as people

    agent = await sign_in(name="Maya Okafor", queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    async with chat.ground.database.transaction() as tx:
        me = await people.me(tx, agent.id)
    assert me is not None
    hub = chat.app.state.hub
    desk = hub.open(agent.id, frozenset({f"case:{case_id}"}), None)
    talking.typing(chat.ground.bus, me, case_id, on=True)
    typed = await stream.until(lambda one: one["kind"] == "typing")
    assert typed == {
        "kind": "typing",
        "agent": {"name": "Maya Okafor", "initials": "MO", "hue": agent.id % 12},
        "on": True,
    }
    assert (await visitor.post("typing", {"on": True})).status_code == 204
    async with asyncio.timeout(30):
        while b"talk.typing" not in (lines := await desk.take(5)):
            pass
    assert b'"on":true' in lines


async def test_read_marks_go_both_ways(chat: Chat, sign_in: SignInAs) -> None:
    from everyline.intake import talking

    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    async with chat.ground.database.transaction() as tx:
        await talking.read(tx, chat.ground.bus, case_id)
    mine = await stream.until(lambda one: one["kind"] == "read")
    assert mine["upto"] == str((await chat.rows(Message))[0].id)
    answer_id = await chat.answer(agent.id, case_id, "Good day")
    await stream.message("Good day")
    desk = chat.app.state.hub.open(agent.id, frozenset({f"case:{case_id}"}), None)
    assert (await visitor.post("seen", {"upto": str(answer_id)})).status_code == 204
    async with asyncio.timeout(30):
        while b"talk.seen" not in await desk.take(5):
            pass
    assert [one.seen_upto for one in await chat.rows(Talk)] == [answer_id]
    await visitor.post("seen", {"upto": "999999"})  # a number of no message of ours
    assert [one.seen_upto for one in await chat.rows(Talk)] == [answer_id]


async def test_a_transfer_keeps_the_talk_and_what_was_said(chat: Chat, sign_in: SignInAs) -> None:
    from sqlalchemy import insert

    from everyline.queues import actions as queues
    from everyline.queues.models import Queue

    agent = await sign_in(queues=(1,), available=True)
    visitor, stream, case_id = await begun(chat)
    await chat.answer(agent.id, case_id, "One moment")
    async with chat.ground.database.transaction() as tx:
        queue_id = await tx.value(insert(Queue).values(name="Water billing").returning(Queue.id))
        await queues.transfer(tx, agent.id, case_id, queue_id, "about the meter")
    talk = await stream.until(lambda one: one["kind"] == "talk" and one["talk"]["queue"] == "Water billing")
    assert talk["talk"]["phase"] == "waiting"
    entries = await chat.rows(QueueEntry)
    assert [(one.media_class, one.state) for one in entries][-1] == ("chat", "waiting")
    assert len(await chat.rows(Interaction)) == 1
    other = await sign_in(name="Jo Ito", queues=(queue_id,), available=True)
    await chat.answer(other.id, case_id, "I take over")
    assert (await stream.message("I take over"))["agent"]["name"] == "Jo Ito"
    await visitor.say("Thanks")
    await stream.message("Thanks")
    assert stream.texts == ["Hello", "One moment", "I take over", "Thanks"]


async def test_a_visitor_hears_where_they_stand(chat: Chat) -> None:
    visitors = [await chat.greeted() for _ in range(3)]
    streams: list[Stream] = []
    for visitor in visitors:
        stream = await visitor.stream()
        streams.append(stream)
        await visitor.say("Hello")
        await stream.phase("waiting")
    last = visitors[-1]
    assert (await last.say_hello())["talk"]["place"] == 3
    await visitors[0].post("end")
    await streams[2].until(lambda one: one["kind"] == "talk" and one["talk"]["place"] == 2)


async def test_what_comes_in_bursts_is_told_in_order(chat: Chat) -> None:
    visitor: Visitor = await chat.greeted()
    stream = await visitor.stream()
    for n in range(30):
        await visitor.say(f"{n}", secrets.token_hex(8))
    await stream.message("29")
    assert stream.texts == [str(n) for n in range(30)]


async def test_streams_that_come_back_while_the_process_ends_do_not_hold_it_up(chat: Chat) -> None:
    visitor = await chat.greeted()
    before = await visitor.stream()
    chat.app.state.hub.end_all()
    at_once = await visitor.stream()
    async with asyncio.timeout(30):
        await asyncio.gather(before.task, at_once.task)
    assert chat.app.state.hub.open(1, frozenset({"agent:1"}), None).ended


async def test_who_leaves_is_let_go_at_once_not_at_the_next_heartbeat(chat: Chat) -> None:
    _visitor, stream, _case = await begun(chat)
    async with asyncio.timeout(HEARTBEAT_SECONDS / 2):
        await stream.leave()
    followers = chat.door._followers
    assert followers is not None
    assert len(followers) == 0
