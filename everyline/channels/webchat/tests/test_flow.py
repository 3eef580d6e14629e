"""A flow answers first on a chat line: buttons, slots, and people who see all of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from conftest import SignInAs, until
from everyline.articles import actions as articles
from everyline.cases.models import Case, Interaction, Message, Talk
from everyline.channels.webchat.tests.chat import Chat, Stream
from everyline.lines.models import Line
from everyline.queues.models import Queue as QueueRow
from everyline.queues.models import QueueEntry
from everyline.selfservice import actions as flow_actions
from everyline.selfservice import flows
from everyline.selfservice.flows import Article, Ask, Choose, Done, Flow, Option, Queue, words
from everyline.selfservice.models import FlowRun
from everyline.selfservice.running import talking
from everyline.selfservice.running.runner import Runner
from everyline.selfservice.slots import Kind, Slot

pytestmark = pytest.mark.req("W4", "C1")


def lights(queue: str) -> Flow:
    return Flow(
        "lights",
        title=words("Street lights", es="Alumbrado"),
        start="menu",
        person="agent",
        queue=queue,
        steps=(
            Choose(
                "menu",
                words=words("What is it about?", es="¿De qué se trata?"),
                options=(
                    Option(name="dark", words=words("A light is out", es="Una farola no funciona"), to="where"),
                    Option(name="read", words=words("How long it takes", es="Cuánto tarda"), to="article"),
                ),
            ),
            Ask("where", words=words("Which street?", es="¿Qué calle?"), slot=Slot(Kind.TEXT, "street"), to="day"),
            Ask("day", words=words("Since when?", es="¿Desde cuándo?"), slot=Slot(Kind.DATE, "day"), to="code"),
            Ask("code", words=words("Which PIN?", es="¿Qué PIN?"), slot=Slot(Kind.SECRET, "pin"), to="agent"),
            Article("article", slug="light-times", to="bye", missing="agent"),
            Done("bye", words=words("Good night.", es="Buenas noches.")),
            Queue("agent", words=words("We connect you.", es="Le ponemos con alguien."), carry=("street",)),
        ),
    )


@pytest.fixture
async def flowing(chat: Chat) -> AsyncIterator[Chat]:
    """The chat line, answered by a flow first, with a worker that does what flows wait for."""
    async with chat.ground.database.transaction() as tx:
        queue = await tx.value(select(QueueRow.name).order_by(QueueRow.id).limit(1))
        article_id = await articles.add(tx, None, "en", "Light times", text="**Three** days at most.")
        await articles.publish(tx, None, article_id, "en")
        await flow_actions.add(tx, None, flows.written(lights(queue)))
        await flow_actions.publish(tx, None, "lights")
        await tx.execute(update(Line).where(Line.id == chat.line.id).values(flow="lights"))
    runner = asyncio.create_task(Runner(chat.ground).run())
    yield chat
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)


async def test_a_flow_asks_with_buttons_and_people_get_all_that_was_said(flowing: Chat, sign_in: SignInAs) -> None:
    await sign_in(name="Maya Okafor", queues=(1,), available=True)
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await visitor.say("Hello")
    asked = await stream.message("What is it about?")
    assert asked["replies"] == ["A light is out", "How long it takes"]
    assert asked["hint"] == ""
    assert await flowing.rows(QueueEntry) == []
    await visitor.say("a light is OUT")
    await stream.message("Which street?")
    await visitor.say("Elm Street")
    dated = await stream.message("Since when?")
    assert dated["hint"] == "For example 2026-03-31"
    await visitor.say("yesterday")
    secret = (await stream.until(lambda one: "Which PIN?" in one.get("message", {}).get("text", "")))["message"]["text"]
    assert re.search(r"/go/[\w-]{32}$", secret)
    await visitor.say("4711")  # what others can read is not taken
    await until(lambda: _said(stream, "/go/", 2))
    assert [run.turns for run in await flowing.rows(FlowRun)] == [4]
    await visitor.say("0")
    await stream.message("We connect you.")
    (entry,) = await flowing.rows(QueueEntry)
    assert (entry.media_class, entry.state) in {("chat", "waiting"), ("chat", "offered")}
    (run,) = await flowing.rows(FlowRun)
    assert (run.outcome, run.case_id) == ("person", entry.case_id)
    assert run.state["slots"]["street"]["value"] == "Elm Street"
    (talk,) = await flowing.rows(Talk)
    assert talk.mode == "live"


async def test_who_begins_with_one_of_the_ways_has_chosen_it_and_who_is_done_waits_for_nobody(flowing: Chat) -> None:
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await visitor.say("how long it takes")
    await stream.message("Three days at most.\n\nGood night.")
    await stream.phase("ended")
    assert await flowing.rows(QueueEntry) == []
    assert [case.status for case in await flowing.rows(Case)] == ["resolved"]
    assert [one.ended_at is not None for one in await flowing.rows(Interaction)] == [True]


async def test_who_wants_a_person_gets_one_and_is_told_when_nobody_is_there(flowing: Chat) -> None:
    async with flowing.ground.database.transaction() as tx:
        await tx.execute(update(Line).values(settings=Line.settings.op("||")({"waits_alone": False})))
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await visitor.say("hola", language="es")
    await stream.message("¿De qué se trata?")
    await visitor.say("quiero hablar con una persona", language="es")
    await until(lambda: _entries(flowing))
    (entry,) = await flowing.rows(QueueEntry)
    assert entry.media_class == "mail"
    await stream.phase("mail")
    assert any("Le ponemos con alguien." in text for text in stream.texts)
    assert not any("Did not" in text for text in stream.texts)


async def test_two_answers_at_once_are_two_turns_in_their_order(flowing: Chat) -> None:
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await asyncio.gather(*(visitor.say(text) for text in ("A light is out",)))
    await stream.message("Which street?")
    await visitor.say("Elm Street", "one-one-one")
    await visitor.say("0", "two-two-two")
    await until(lambda: _entries(flowing))
    (run,) = await flowing.rows(FlowRun)
    assert run.state["slots"]["street"]["value"] == "Elm Street"
    assert run.outcome == "person"
    said = [one.text for one in await flowing.rows(Message) if one.direction == "in"]
    assert said == ["A light is out", "Elm Street", "0"]


async def _said(stream: Stream, words: str, times: int) -> bool:
    return sum(words in text for text in stream.texts) == times


async def _entries(chat: Chat) -> object:
    return await chat.rows(QueueEntry)


@pytest.mark.req("W5")
async def test_the_bot_answers_with_its_source_and_hands_over(flowing: Chat, sign_in: SignInAs) -> None:
    agent = await sign_in(name="Maya Okafor", queues=(1,), available=True)
    async with flowing.ground.database.transaction() as tx:
        await tx.execute(update(Line).where(Line.id == flowing.line.id).values(flow=talking.NAME))
        text = "Dog licences cost 20 dollars a year. You get one at the town hall."
        article_id = await articles.add(tx, None, "en", "Dog licences", text=text)
        await articles.publish(tx, None, article_id, "en")
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await visitor.say("What does a dog licence cost?")
    said = await stream.until(lambda one: "20 dollars" in one.get("message", {}).get("text", ""))
    assert "/en/articles/dog-licences" in said["message"]["text"]
    assert said["message"]["text"].endswith("Did this help?")
    assert said["message"]["replies"] == ["Yes", "No"]
    await visitor.say("No")
    asked = await stream.until(lambda one: "Shall a person answer?" in one.get("message", {}).get("text", ""))
    assert asked["message"]["replies"] == ["A person, please"]
    await visitor.say("I want to speak to a person")
    await stream.until(lambda one: "A person takes over." in one.get("message", {}).get("text", ""))
    (entry,) = await flowing.rows(QueueEntry)
    assert entry.media_class == "chat"
    (run,) = await flowing.rows(FlowRun)
    assert (run.flow, run.outcome, run.case_id) == (talking.NAME, "person", entry.case_id)
    beside = (await flowing.browser.get(f"/desk/cases/{entry.case_id}/collected", headers=agent.cookie)).text
    assert "“What does a dog licence cost?” → answered from “Dog licences”, which did not help" in beside
    assert f'href="/desk/cases/{entry.case_id}/articles/{article_id}?language=en"' in beside


async def test_who_ends_the_talk_with_a_flow_waits_for_nobody_though_their_mailbox_is_known(flowing: Chat) -> None:
    visitor = await flowing.greeted()
    stream = await visitor.stream()
    await visitor.say("Hello", mailbox="rosa@customer.example")
    await stream.message("What is it about?")
    assert (await visitor.post("end")).status_code == 200
    await flowing.keeper.round()
    assert await flowing.rows(QueueEntry) == []
    assert [case.status for case in await flowing.rows(Case)] == ["resolved"]
    assert [run.outcome for run in await flowing.rows(FlowRun)] == ["left"]
