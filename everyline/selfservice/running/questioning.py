"""Finding out who somebody is by what they know: the dialogue that asks the questions a house has declared, one each turn. All
answers are secrets, whatever kind they are of: kept locked for as long as the dialogue takes, shown to nobody, asked for in no
talk. Whether we know somebody at an address is not to be learned from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from everyline.articles.wordings import Wording
from everyline.customers import queries as customers
from everyline.ground.addresses import normal
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.ground.words import mark
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Condition,
    Done,
    Errand,
    Flow,
    Say,
    Step,
    Way,
    Words,
    in_all_languages,
)
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import knowledge
from everyline.selfservice.sources.knowledge import Question, Questions, Verdict
from everyline.selfservice.walking import Came

NAME = "(questions)"  # which no flow of anybody's can have
CHECK = "(check-answers)"
WHOSE = "whose"  # the address that they say we know of them
MOST_TRIES = 3  # in a run; knowledge.MOST_TRIES are those of all runs
ADDRESS_ASKED = {
    Kind.EMAIL: mark("What is the email address that we know of you?"),
    Kind.PHONE: mark("What is the telephone number that we know of you?"),
    Kind.ADDRESS: mark("What is the postal address that we know of you?"),
}


def flow(found: Questions) -> Flow:
    """The dialogue of these questions."""
    asked = [f"ask-{n}" for n, _one in enumerate(found.asked)]
    after = [*asked[1:], "check"]
    questions = [
        Ask(name, words=_words(one), slot=_slot(one, n), to=to, fail="failed")
        for n, (name, one, to) in enumerate(zip(asked, found.asked, after, strict=True))
    ]
    values = {one.slot.name: f"{{a{n}}}" for n, one in enumerate(found.asked)}
    steps: tuple[Step, ...] = (
        Ask(
            "whose",
            words=in_all_languages(ADDRESS_ASKED[found.address.kind]),
            slot=Slot(found.address.kind, WHOSE),
            to=asked[0],
            fail="failed",
        ),
        *questions,
        Errand("check", errand=CHECK, values={**values, f"({WHOSE})": f"{{{WHOSE}}}"}, done="end", refused="again", down="failed"),
        Branch(
            "again",
            ways=(Way(when=(Condition(about="times.check", holds="at least", value=MOST_TRIES),), to="failed"),),
            otherwise="wrong",
        ),
        Say("wrong", words=in_all_languages(mark("This does not agree with what we know. Please try once more.")), to=asked[0]),
        Done("failed", words=in_all_languages(mark("We could not find out who you are.")), outcome="left"),
        Done("end"),
    )  # fmt: skip
    return Flow(NAME, title=in_all_languages(mark("Who are you?")), start="whose", steps=steps)


def _words(one: Question) -> Words:
    """What the house asks; where it wrote nothing, the name of what is asked for."""
    if not one.words:
        return {"en": {Wording.FULL: one.slot.name.replace("_", " ").replace("-", " ").capitalize() + "?"}}
    return {language: {Wording.FULL: text} for language, text in one.words.items()}


def _slot(one: Question, n: int) -> Slot:
    return replace(one.slot, kind=Kind.SECRET, name=f"a{n}", of=one.slot.kind)


async def known_address(tx: Tx, found: Questions, who: Who) -> dict[str, Value]:
    """The slots that the dialogue begins with: the address, where their channel shows it."""
    if not who.shows(Level.ADDRESS) or who.customer_id is None:
        return {}
    points = await customers.points(tx, who.customer_id)
    point = next((one for one in points if one.id == who.point_id and one.kind == found.address_kind), None)
    return {} if point is None else {WHOSE: Value(found.address.kind, point.address)}


async def check(ground: Ground, values: Mapping[str, Value], who: Who) -> tuple[Came, Who]:
    """Are these the answers? Who gives them is the customer of that address."""
    whose = values[f"({WHOSE})"]
    async with ground.database.transaction() as tx:
        found = await knowledge.questions(tx)
    if found is None:
        return Came("down"), who
    try:
        address = normal(found.address_kind, whose.value)
    except ValueError:
        address = whose.value
    answers = {one.slot.name: values[one.slot.name] for one in found.asked if one.slot.name in values}
    checked = await knowledge.check(ground, found.address_kind, address, answers, who.origins)
    if checked.verdict is Verdict.RIGHT:
        return Came("done"), replace(who, customer_id=checked.customer_id, level=Level.PROVED, point_id=None)
    return Came("refused" if checked.verdict is Verdict.WRONG else "down"), who
