"""What the bot replies: alarms first, then what is meant, then what articles say, and else that it does not know.

``await answer(ground, said, heard)`` is all that a channel calls. No transaction is open while a language model is asked.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.ground.moments import language_names
from everyline.ground.spoken import chosen, no_words, yes_words
from everyline.ground.words import _, languages, speaking
from everyline.people import queries as people
from everyline.selfservice.bot import (
    alarms,
    filling,
    following,
    quality,
    retrieving,
    setting,
    shelf,
    smalltalk,
    teaching,
    tongue,
    training,
    wording,
)
from everyline.selfservice.bot.classifier import Guessed
from everyline.selfservice.bot.following import Before
from everyline.selfservice.bot.masking import masked
from everyline.selfservice.bot.passages import content, overlap
from everyline.selfservice.bot.replies import Choice, Heard, Outcome, Reply, Target
from everyline.selfservice.bot.retrieving import Found
from everyline.selfservice.bot.setting import Setting
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.flows import Flow
from everyline.selfservice.slots import clean

LONGEST = 1000  # characters of a question; of more a person reads all
HEAD = 300  # of them that are searched for
SURE = 0.5  # likelihood from which an intent is taken
CLOSE = 0.45  # the second one's likelihood, as a share of the first one's, from which it is asked back
ENOUGH = 0.42  # evidence from which a passage answers (retrieving.Found.evidence), with meanings
ENOUGH_SAID = 0.36  # without them
ALIKE = 0.035  # evidence by which two articles differ at least that are not asked back about
_ARTICLE = re.compile(r"/articles/([\w-]{1,120})/?(?:[?#].*)?$")  # the page of one
FOLLOWS = 0.5  # share of what a following question adds that the passage holds


@dataclass(frozen=True, slots=True)
class _House:
    """What a turn looks at."""

    setting: Setting
    intents: dict[str, Intent]
    flows: dict[str, Flow]
    today: date


async def answer(ground: Ground, said: str, heard: Heard) -> Reply:
    """The reply to what somebody said. Never raises for what is said or for what a language model does."""
    began = time.monotonic()
    text = clean(said.replace("\x00", " "))
    before = following.read(heard.context)
    language, elsewhere = tongue.spoken(text, before.language or heard.who.language, heard.languages)
    with speaking(language):
        async with ground.database.transaction() as tx:
            verdict = await _verdict(tx, heard, before, text, language)
            if verdict is not None:
                return verdict
            house = await _house(tx, heard)
            turn = _Turn(house, heard, before, text, language, elsewhere)
            reply = await turn.reply(tx)
        if reply.outcome is Outcome.ANSWER and house.setting.has_model:
            reply = await wording.worded(ground, house.setting, text, reply, turn.found, turn.known)
        reply = replace(reply, language=language)
        if heard.trial:
            return replace(reply, context=turn.kept(reply, None))
        async with ground.database.transaction() as tx:
            question_id = await quality.keep(
                tx, masked(text), heard, reply, turn.model_id, (time.monotonic() - began) * 1e3, house.setting
            )
    return replace(reply, question_id=question_id, context=turn.kept(reply, question_id))


async def _verdict(tx: Tx, heard: Heard, before: Before, text: str, language: str) -> Reply | None:
    """The reply to whether the answer before helped, which is no question and is kept with that answer; None to all else."""
    helped = following.helped(text, before) if heard.talk and not heard.trial else None
    if helped is None or before.question_id is None:
        return None
    try:
        await quality.verdict(tx, before.question_id, heard.talk, helped=helped)
    except NotFound:  # it is not theirs to say
        return None
    context = replace(before, question_id=None, offered=not helped, language=language).kept()
    if helped:
        told = _("Good to hear. What else can we do for you?")
        return Reply(outcome=Outcome.SMALL_TALK, words=told, language=language, context=context)
    told = _("I am sorry that this did not help. Shall a person answer?")
    return Reply(outcome=Outcome.UNSURE, words=told, language=language, context=context)


async def _house(tx: Tx, heard: Heard) -> _House:
    facts = await people.installation(tx)
    published = await shelf.published(tx, heard.flows)
    return _House(
        await setting.load(tx),
        await teaching.without_examples(tx),
        published,
        now().astimezone(ZoneInfo(facts["zone"])).date(),
    )


class _Turn:
    """One turn on its way."""

    def __init__(self, house: _House, heard: Heard, before: Before, text: str, language: str, elsewhere: str) -> None:
        self._house, self._heard, self._before = house, heard, before
        self._text, self._language, self._elsewhere = text, language, elsewhere
        self.found: list[Found] = []
        self.model_id: int | None = None
        self._guessed: Guessed | None = None

    @property
    def known(self) -> wording.Known:
        """What may be begun, for the language model."""
        flows = {name: filling.inputs(flow) for name, flow in self._house.flows.items()}
        meant = tuple(
            (str(one.target), one.target_name)
            for guess in (self._guessed.guesses[:3] if self._guessed is not None and self._guessed.known else ())
            if (one := self._house.intents.get(guess.label)) is not None
        )
        return wording.Known(flows, self._heard.errands, meant, self._house.today)

    def kept(self, reply: Reply, question_id: int | None) -> dict[str, Any]:
        """What the next turn needs to know of this one, which is kept under this id."""
        unsure = reply.outcome is Outcome.UNSURE
        source = reply.sources[0] if reply.sources else None
        stays = reply.outcome in (Outcome.SMALL_TALK, Outcome.UNSURE)
        return Before(
            source.article_id if source else (self._before.article_id if stays else None),
            source.title if source else (self._before.title if stays else ""),
            masked(self._text) if source else (self._before.asked if stays else ""),
            unsure,
            self._before.unsure + 1 if unsure else 0,
            reply.choices,
            self._language,
            question_id if reply.outcome is Outcome.ANSWER else None,
        ).kept()

    # --- what comes first

    async def reply(self, tx: Tx) -> Reply:
        text, house = self._text, self._house
        added = [phrase for words in house.setting.distress.values() for phrase in words]
        if alarms.in_distress(text, added):
            return self._distress()
        if alarms.wants_person(text):
            return self._say(Outcome.PERSON, _("I connect you with a person."))
        if not text:
            return self._say(Outcome.SMALL_TALK, _("I did not get anything. What can we do for you?"))
        if alarms.wordless(text):
            if alarms.pleased(text):
                return self._say(Outcome.SMALL_TALK, smalltalk.answer("thanks"))
            return self._say(Outcome.SMALL_TALK, _("I understand words only. What can we do for you?"))
        chosen_ = await self._of_choices(tx)
        if chosen_ is not None:
            return chosen_
        if kind := smalltalk.kind_of(text):
            return self._say(Outcome.SMALL_TALK, smalltalk.answer(kind))
        if self._elsewhere:
            return self._foreign()
        if len(text) > LONGEST:
            return self._unsure(
                _("That is a lot to read for me. Put it in one sentence, or let a person read all of it.")
            )
        if alarms.abusive(text) and len(content(alarms.without_abuse(text))) < 2:
            told = _("I am sorry that this is annoying. Say in a few words what you need, or let a person help you.")
            return self._unsure(told)
        return await self._question(tx)

    def _say(self, outcome: Outcome, words: str, **more: Any) -> Reply:
        return Reply(outcome=outcome, words=words, language=self._language, **more)

    def _distress(self) -> Reply:
        house = self._house.setting
        told = house.comfort.get(self._language) or house.comfort.get("en", "")
        if not told:
            told = _(
                "A person is coming to help you right away. If somebody is in danger now, please call the emergency services."
            )
            if house.phone:
                told += " " + _("You can also call %s.") % house.phone
        return self._say(Outcome.DISTRESS, told, phone=house.phone)

    def _foreign(self) -> Reply:
        ours = ", ".join(name for _code, name in language_names(self._heard.languages or languages()))
        return self._unsure(_("I speak %s. A person may speak your language: shall I ask one?") % ours)

    def _unsure(self, words: str = "") -> Reply:
        if not words:
            words = _("I do not know that, and I would rather not guess. Shall a person answer?")
            if self._before.unsure:
                words = _("I still cannot answer this. A person can: shall I ask one?")
        score = self._guessed.belongs if self._guessed is not None else 0.0
        return self._say(Outcome.UNSURE, words, score=score)

    async def _of_choices(self, tx: Tx) -> Reply | None:
        """What was chosen of what was offered the turn before."""
        text, before = self._text, self._before
        if before.choices:
            at = chosen(text, following.options(before.choices))
            if at is not None:
                one = before.choices[int(at)]
                intent = Intent(one.name, one.target, one.name, {self._language: one.words})
                return await self._to(tx, intent, 1.0, before.asked or text)
        if before.offered and len(text.split()) <= 3:
            yes = chosen(text, [("yes", list(yes_words())), ("no", list(no_words()))])
            if yes == "yes":
                return self._say(Outcome.PERSON, _("I connect you with a person."))
            if yes == "no":
                return self._say(Outcome.SMALL_TALK, _("All right. What else can we do for you?"))
        return None

    # --- what is meant

    async def _question(self, tx: Tx) -> Reply:
        text = self._text[:HEAD]
        goes_on = following.goes_on(text)
        if goes_on and (follows := await self._follow(tx, text)) is not None:
            return follows
        asked = f"{self._before.title} {following.without_lead(text)}" if goes_on and self._before.title else text
        self.model_id, self._guessed = await training.guess(tx, text)
        meant = self._meant()
        if goes_on and self._before.title:  # what it goes on from is no intent of its own
            meant = [one for one in meant if one[0].target is not Target.ARTICLE]
        done = [one for one in meant if one[0].target is not Target.ARTICLE]
        if len(meant) == 1 and done:
            reply = await self._to(tx, *done[0], text)
            if reply is not None:
                return reply
        self.found = await retrieving.find(tx, self._heard, self._language, asked)
        for intent, likely in meant:
            if intent.target is Target.ARTICLE:
                await self._lift(tx, intent, likely, asked)
        if len(meant) > 1 and done:
            choices = await self._choices(tx, meant)
            if len(choices) > 1:
                return self._clarify(choices)
        answering = [one for one in self.found if self._answers(one)]
        if goes_on and self._before.title:  # the title alone is no answer to what was added
            answering = [
                one for one in answering if overlap(following.without_lead(text), [one.passage.words]) >= FOLLOWS
            ]
        if not answering:
            return self._unsure()
        first, alike = answering[0], [one for one in answering[1:] if answering[0].evidence - one.evidence < ALIKE]
        if alike and (len(content(text)) == 1 or alike[0].score > 0.85 * first.score):
            return self._clarify(
                [Choice(one.article.title, Target.ARTICLE, one.article.slug) for one in (first, *alike)][:3]
            )
        return self._answer(first)

    def _meant(self) -> list[tuple[Intent, float]]:
        """The intent that is meant, or those between which it is asked back; none when nothing is near enough."""
        guessed = self._guessed
        if guessed is None or not guessed.known:
            return []
        can = [
            (intent, one.likely)
            for one in guessed.guesses
            if (intent := self._house.intents.get(one.label)) is not None and self._possible(intent)
        ]
        if not can:
            return []
        first, likely = can[0]
        close = [
            (intent, one) for intent, one in can[1:3] if one >= CLOSE * likely and intent.leads_to != first.leads_to
        ]
        if likely >= SURE and not close:
            return [can[0]]
        return [can[0], *close] if close and likely + close[0][1] >= SURE else []

    def _possible(self, intent: Intent) -> bool:
        """Can it be had where this is said?"""
        if intent.target is Target.FLOW:
            return intent.target_name in self._house.flows
        if intent.target is Target.ERRAND:
            return intent.target_name in self._heard.errands
        return True

    async def _lift(self, tx: Tx, intent: Intent, likely: float, asked: str) -> None:
        """An article that an intent leads to has that on its side, beside what the search says: neither is right alone."""
        found = await retrieving.by_slug(tx, self._heard, self._language, intent.target_name, asked)
        if found is None:
            return
        assert self._guessed is not None
        there = next((one for one in self.found if one.article.article_id == found.article.article_id), found)
        found = replace(
            found,
            score=there.score,
            taught=likely * min(1.0, 2 * self._guessed.belongs),
            intent=intent.name,
            foreign=found.article.language != self._language,
        )
        others = [one for one in self.found if one.article.article_id != found.article.article_id]
        self.found = sorted([found, *others], key=lambda one: -one.evidence)

    async def _to(self, tx: Tx, intent: Intent, likely: float, text: str) -> Reply | None:
        """Where an intent leads. None when what it leads to is not for this reader."""
        facts: dict[str, Any] = {"intent": intent.name, "score": likely}
        if intent.target is Target.PERSON:
            return self._say(Outcome.PERSON, _("I connect you with a person."), **facts)
        if intent.target is Target.SMALL_TALK:
            return self._say(Outcome.SMALL_TALK, intent.called(self._language), **facts)
        if intent.target is Target.ARTICLE:
            found = await retrieving.by_slug(tx, self._heard, self._language, intent.target_name, text)
            if found is None:
                return None
            self.found = [found]
            return self._answer(found, **facts)
        if not self._possible(intent):
            return None
        if intent.target is Target.FLOW:
            flow = self._house.flows[intent.target_name]
            slots = filling.filled(self._text, filling.inputs(flow), self._house.today)
            return self._say(
                Outcome.BEGIN, _("I can do that with you now."), name=intent.target_name, slots=slots, **facts
            )
        slots = filling.filled(self._text, self._heard.errands[intent.target_name], self._house.today)
        return self._say(
            Outcome.ERRAND, _("I can do that with you now."), name=intent.target_name, slots=slots, **facts
        )

    async def _choices(self, tx: Tx, meant: list[tuple[Intent, float]]) -> list[Choice]:
        """As they are offered; articles under their titles, and only those that this reader sees."""
        found = []
        for intent, _likely in meant[:3]:
            words = intent.words.get(self._language) or intent.words.get("en", "")
            if intent.target is Target.ARTICLE:
                article = await retrieving.by_slug(tx, self._heard, self._language, intent.target_name, self._text)
                if article is None:
                    continue
                words = words or article.article.title
            found.append(Choice(words or intent.called(self._language), *intent.leads_to))
        return found

    def _clarify(self, choices: list[Choice]) -> Reply:
        score = self._guessed.belongs if self._guessed is not None else 0.0
        return self._say(Outcome.CLARIFY, _("Which of these do you mean?"), choices=tuple(choices), score=score)

    # --- what articles say

    async def _follow(self, tx: Tx, text: str) -> Reply | None:
        """Words that go on from what was talked about, or from the article that is looked at, answered out of it."""
        bare = following.without_lead(text) or text
        article_id, looked_at = self._before.article_id, _ARTICLE.search(self._heard.page)
        if article_id is not None:
            found = await retrieving.by_id(tx, self._heard, self._language, article_id, bare)
        elif looked_at is not None:
            found = await retrieving.by_slug(tx, self._heard, self._language, looked_at[1], bare)
        else:
            return None
        if found is None:
            return None
        told = content(bare)
        if told and found.passage.share < FOLLOWS:
            return None
        if not told and found.passage.score <= 0.1:  # neither a word of it nor what such a question wants to know
            return None
        self.found = [found]
        return self._answer(found)

    def _answers(self, one: Found) -> bool:
        """Does it answer, and not only sound like it?"""
        return one.evidence >= (ENOUGH_SAID if one.near is None else ENOUGH)

    def _answer(self, found: Found, **facts: Any) -> Reply:
        source = found.source
        facts.setdefault("score", round(found.evidence, 4))
        facts.setdefault("intent", found.intent)
        return self._say(Outcome.ANSWER, source.passage, sources=(source,), **facts)
