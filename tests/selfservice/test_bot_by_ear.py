"""The bot on the telephone: asked in anybody's words, answered aloud, and left for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from everyline.channels.phone.conversation import Conversation
from everyline.channels.phone.effects import Answer, Person
from everyline.ground.installation import Ground
from everyline.ground.words import speaking
from everyline.selfservice.running import talking
from everyline.selfservice.running.runner import Runner
from everyline.speech.hearing import Ear
from tests.selfservice.bot_world import furnish
from tests.selfservice.test_by_ear import Call, spoken

pytestmark = pytest.mark.req("V3", "W5")
HELPED = "Did this help?"


class Caller(Call):
    """Somebody who asks the bot."""

    async def hears(self, said: str) -> tuple[str, dict[str, Any]]:
        """Say something, and what is told then."""
        await self.say(said)
        await Runner(self.ground).round()
        return await self.told()

    async def waits(self) -> bool:
        """Is it a person's turn?"""
        async with self.ground.database.transaction() as tx:
            return bool(
                await tx.value(text("select count(*) from queue_entry where interaction_id = :id"), {"id": self.id})
            )


@pytest.fixture
async def call(ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Caller:
    """A caller whom the bot has asked what they need, where spoken answers are heard."""
    await furnish(ground)
    monkeypatch.setattr(Ear, "installed", lambda _settings: Ear(tmp_path))
    made = Caller(ground)
    await made.begin(talking.NAME)
    await spoken(made)
    return made


async def test_an_answer_is_read_aloud_and_asked_about(call: Caller) -> None:
    words, turn = await call.hears("does my dog need a license")
    assert turn["prompts"][0] == "Every dog older than six months needs a license. From: License your dog."
    assert not set("*[](/") & set(words), "nothing in it is for eyes alone"
    assert "http" not in words
    assert words.count("Every dog") == 1, "it is told once"
    asking = turn["prompts"][turn["question"] :]
    assert asking[0] == HELPED, "what is repeated is the question, not the answer"
    assert (turn["keys"]["says"], turn["listens"]) == ({"1": "Yes", "2": "No"}, "text")
    words, _turn = await call.hears("yes")
    assert words.startswith("Good to hear. What else")
    assert not await call.waits()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Yes, it did.", "1"),
        ("no thank you", "2"),
        ("Two", "2"),
        ("And what does it cost for an old dog?", "And what does it cost for an old dog?"),
        ("is there no fee for old dogs", "is there no fee for old dogs"),
        ("whom do I send it to", "whom do I send it to"),
    ],
)
async def test_after_an_answer_yes_and_no_are_these_and_all_else_is_the_next_question(
    call: Caller, said: str, answer: str
) -> None:
    _words, turn = await call.hears("does my dog need a license")
    heard = Conversation(turn, "en")
    with speaking("en"):
        heard.begin(0.0)
        [found] = [one for one in heard.words(said, 1.0) if isinstance(one, Answer)]
    assert found.text == turn["keys"]["says"].get(answer, answer)


async def test_after_three_misses_a_person_answers(call: Caller) -> None:
    words, _turn = await call.hears("who won the football match on the moon")
    assert words.startswith("I do not know that")
    await call.hears("does my dog need a license")
    words, _turn = await call.hears("no")
    assert words.startswith("I am sorry that this did not help.")
    assert not await call.waits()
    words, turn = await call.hears("tell me the colour of the president's car")
    assert words.startswith("I am sorry that I cannot help you with this.\nA person takes over.")
    assert turn["keys"] is None
    assert await call.waits()


async def test_what_helps_begins_the_count_anew(call: Caller) -> None:
    await call.hears("who won the football match on the moon")
    await call.hears("what is the colour of the president's car")
    await call.hears("does my dog need a license")
    await call.hears("yes")
    await call.hears("who won the football match on the moon")
    await call.hears("what is the colour of the president's car")
    assert not await call.waits()


@pytest.mark.parametrize("said", ["can I speak to a person please", "0"])
async def test_a_person_comes_when_one_is_asked_for(call: Caller, said: str) -> None:
    words, turn = await call.hears(said)
    assert "A person takes over." in words
    assert turn["keys"] is None
    assert await call.waits()


async def test_nought_and_silence_lead_to_people(call: Caller) -> None:
    _words, turn = await call.hears("hello")
    heard = Conversation(turn, "en")
    with speaking("en"):
        heard.begin(0.0)
        assert heard.key("0", 1.0)[-1] == Person()
        silent, effects = Conversation(turn, "en"), []
        silent.begin(0.0)
        at = 0.0
        while not silent.done:
            effects = silent.prompts_ended(at)
            at = max(at, silent.due() or at)
            effects = silent.tick(at) or effects
        assert effects[-1] == Person()


async def test_where_nothing_hears_a_person_is_a_key_away(ground: Ground) -> None:
    made = Caller(ground)
    await made.begin(talking.NAME)
    words, turn = await made.told()
    assert "To tell it to a person, press 0." in words
    assert turn["listens"] is None
