"""The bot as a dialogue of runs: somebody says what they need in their own words, and is answered, led on, or handed over, as often
as they go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from everyline.articles.wordings import Wording, made
from everyline.channel_contract import MediaClass
from everyline.channel_registry import all_channels
from everyline.ground.installation import Ground
from everyline.ground.spoken import Reserved, person_word, reserved
from everyline.ground.words import _, mark
from everyline.selfservice import bot, errands
from everyline.selfservice.bot import Heard, Outcome, Reply
from everyline.selfservice.bot.following import helped as helps
from everyline.selfservice.bot.following import read
from everyline.selfservice.flows import Ask, Confirm, Done, Errand, Flow, Identify, Queue, Step, in_all_languages
from everyline.selfservice.identity import Level
from everyline.selfservice.running.keeping import Run
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.walking import Came, Does, Within

NAME = "(bot)"  # which no flow of anybody's can have
THINK = "(think)"
ERRAND = "(errand)"  # before the name of an errand: the dialogue that asks for all that it needs
SAID, CONTEXT = "said", "context"
MISSES = "misses"  # in the context, by ear
MOST_MISSES = 3  # then a person answers: who hears the same regret again and again hangs up
LONGEST_SAID = 5000  # characters that are listened to; the bot itself says what is too long


@cache
def flow() -> Flow:
    """The dialogue, in every language there is a catalogue for."""
    return Flow(
        NAME,
        title=in_all_languages(mark("What do you need?")),
        start="hello",
        person="agent",
        steps=(
            Ask("hello", words=in_all_languages(mark("What do you need? Tell it in your own words.")), slot=Slot(Kind.TEXT, SAID), to="think"),
            Ask("more", slot=Slot(Kind.TEXT, SAID), to="think", tries=9),
            Errand("think", errand=THINK, values={SAID: "{said}", CONTEXT: "{bot.context}"}, into="bot", done="more", refused="agent", down="agent"),
            Queue("agent", words=in_all_languages(mark("A person takes over."))),
        ),
    )  # fmt: skip


@cache
def of_errand(name: str) -> Flow | None:
    """The dialogue of an errand: who it is, where that matters, all that is needed, and whether it is to be done."""
    contract = errands.known().get(name)
    if contract is None:
        return None
    asked = [one for one in contract.inputs if not one.optional]
    steps: list[Step] = []
    after = [*(f"ask-{one.slot.name}" for one in asked), "sure"]
    if contract.needs > Level.UNKNOWN:
        steps.append(Identify("who", level=min(int(contract.needs), 3), to=after[0], fail="agent"))
    for one, to in zip(asked, after[1:], strict=True):
        steps.append(Ask(f"ask-{one.slot.name}", words=in_all_languages(one.words), slot=one.slot, to=to))
    values = {one.slot.name: "{" + one.slot.name + "}" for one in contract.inputs}
    steps += [
        Confirm("sure", words=in_all_languages(contract.title), yes="do", no="end"),
        Errand("do", errand=name, values=values, into="done", done="end", refused="end", down="agent"),
        Done("end"),
        Queue("agent", words=in_all_languages(mark("A person takes over."))),
    ]
    return Flow(
        ERRAND + name, title=in_all_languages(contract.title), start=steps[0].name, person="agent", steps=tuple(steps)
    )


def talk_of(run_id: int) -> str:
    """Under which name the bot keeps what is asked in a run."""
    return f"run {run_id}"


def offered() -> Mapping[str, tuple[Slot, ...]]:
    """The errands that the bot may lead to, with what they ask for."""
    return {name: tuple(one.slot for one in contract.inputs) for name, contract in errands.known().items()}


async def think(ground: Ground, run: Run, does: Does) -> Came | Within:
    """What the bot makes of what was said."""
    said = does.values[SAID].value[:LONGEST_SAID]
    kept = does.values.get(CONTEXT)
    context: Mapping[str, Any] = json.loads(kept.value) if kept is not None and kept.value else {}
    heard = Heard(
        who=run.who,
        errands=offered(),
        page=str(run.facts.get("page", "")),
        product=str(run.facts.get("product", "")),
        context=context,
        talk=talk_of(run.id),
    )
    reply = await bot.answer(ground, said, heard)
    return came_of(counted(reply, said, context) if by_ear(run.who.channel) else reply, ground.settings.portal)


def by_ear(channel: str) -> bool:
    """Is this a call?"""
    found = all_channels().get(channel)
    return found is not None and found.facts.media_class is MediaClass.CALL


def counted(reply: Reply, said: str, context: Mapping[str, Any]) -> Reply:
    """A reply by ear: what was not known and what did not help is counted until something helps, and a person comes after the third time."""
    helped = helps(said, read(context))
    before = context.get(MISSES)
    misses = 0 if helped else (before if isinstance(before, int) else 0) + (reply.outcome is Outcome.UNSURE)
    if misses < MOST_MISSES:
        return replace(reply, context={**reply.context, MISSES: misses})
    words = _("I am sorry that I cannot help you with this.")
    return replace(reply, outcome=Outcome.PERSON, words=words, choices=())


def _person() -> str:
    """An answer by which a person is asked for, as flows understand it."""
    words = _("A person, please")
    return words if reserved(words)[0] is Reserved.PERSON else person_word()


def came_of(reply: Reply, address: str) -> Came | Within:
    """Where a reply leads. ``address``: that of the portal."""
    kept = {CONTEXT: Value(Kind.TEXT, json.dumps(dict(reply.context))), "intent": Value(Kind.TEXT, reply.intent)}
    if reply.outcome is Outcome.BEGIN:
        return Within(reply.name, dict(reply.slots), kept)
    if reply.outcome is Outcome.ERRAND:
        return Within(ERRAND + reply.name, dict(reply.slots), kept)
    if reply.outcome in (Outcome.PERSON, Outcome.DISTRESS):
        words = (
            f"{reply.words} {reply.phone}".strip() if reply.phone and reply.phone not in reply.words else reply.words
        )
        return Came("refused", kept, words)
    words = reply.words
    if reply.outcome is Outcome.ANSWER and reply.sources:
        kept["sources"] = Value(Kind.TEXT, "\n".join(one.path for one in reply.sources))
        words += "\n\n" + "\n".join(_("From: %s") % f"[{one.title}]({address}{one.path})" for one in reply.sources)
        told = {str(Wording.FULL): words, str(Wording.SPOKEN): made(Wording.SPOKEN, "", "", words)}
        return Came("done", kept, words, told, offers=(_("Yes"), _("No")), asked=_("Did this help?"))
    choices = tuple(one.words for one in reply.choices)
    unsure = (_person(),) if reply.outcome is Outcome.UNSURE else ()
    return Came("done", kept, words, offers=(*choices, *unsure))
