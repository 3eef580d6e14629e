"""A guide as fields of a form: steps with their ways on, and back to the text that is kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from everyline.articles.guides import Choice, End, Guide, Step
from everyline.articles.rules import slug
from everyline.ground.forms import Typed
from everyline.ground.words import _

NEW_STEP = "+"  # chosen as where a way leads: to a step that is yet to be written
NOWHERE = "-"  # a way of which nobody has said yet where it leads
MOST_STEPS = 200
MOST_WAYS = 20  # of one step
SPARE = 2  # empty rows for further ways


def from_form(form: Typed) -> Guide:
    """The guide that was typed. A step without a title and a way without words are kept when there is anything else to them."""
    steps: list[Step] = []
    for at in range(min(form.number("steps", 0, MOST_STEPS), MOST_STEPS)):
        title = " ".join(form.text(f"step-{at}-title").split())
        ways = tuple(_ways(form, at))
        text = form.text(f"step-{at}-text", longest=100_000).replace("\r\n", "\n")
        if not (title or ways or text):
            continue
        ending = form.text(f"step-{at}-end")
        end = End(ending) if ending in list(End) else None
        name = form.text(f"step-{at}-name") or _free(title, steps)
        steps.append(Step(name, title or _("(no title yet)"), text, ways, end))
    return Guide(form.text("introduction", longest=100_000).replace("\r\n", "\n"), tuple(_with_new(steps)))


def _ways(form: Typed, at: int) -> list[Choice]:
    found = []
    for number in range(min(form.number(f"step-{at}-ways", 0, MOST_WAYS), MOST_WAYS)):
        words = " ".join(form.text(f"step-{at}-way-{number}-words").split())
        to = form.text(f"step-{at}-way-{number}-to")
        if words:
            found.append(Choice(words, to or NOWHERE))
    return found


def _free(title: str, steps: Sequence[Step]) -> str:
    """A name that no step has yet, made of a title."""
    taken = {step.name for step in steps}
    base = slug(title, "step")[:36].strip("-") or "step"
    return next(one for at in range(1, MOST_STEPS + 2) if (one := base if at == 1 else f"{base}-{at}") not in taken)


def _with_new(steps: Sequence[Step]) -> list[Step]:
    """The steps, with those that were asked for as the end of a way, each named by its words."""
    every = list(steps)
    for at, step in enumerate(steps):
        ways = list(step.choices)
        for number, way in enumerate(ways):
            if way.to == NEW_STEP:
                name = _free(way.words, every)
                ways[number] = Choice(way.words, name)
                every.append(Step(name, way.words))
        every[at] = replace(step, choices=tuple(ways))
    return every


def asked_for(guide: Guide, what: str) -> Guide:
    """The guide after a button: ``add``, ``remove 2``, ``up 2``, ``down 2``, steps numbered from 0."""
    steps = list(guide.steps)
    act, _blank, number = what.partition(" ")
    if act == "add" and len(steps) < MOST_STEPS:
        title = _("New step")
        steps.append(Step(_free(title, steps), title))
    elif number.isdecimal() and number.isascii() and int(number[:6]) < len(steps):
        at = int(number)
        step = steps.pop(at)
        if act != "remove":
            steps.insert(max(0, at - 1) if act == "up" else at + 1 if act == "down" else at, step)
    return Guide(guide.introduction, tuple(steps))


@dataclass(frozen=True, slots=True)
class Branch:
    """A step where it stands in the tree: the words that lead to it, and what follows."""

    number: int  # of the step, from 1; 0 where a way leads nowhere
    words: str  # of the way that leads here; empty at the beginning
    title: str
    end: str
    seen: bool  # it stands further up already; what follows is told there
    branches: tuple[Branch, ...]


def tree(guide: Guide) -> Branch | None:
    """The guide as a tree from its first step, for those who follow it in a list. None when it has no step."""
    if not guide.steps:
        return None
    numbers = {step.name: at for at, step in reversed(list(enumerate(guide.steps, 1)))}
    shown: set[str] = set()

    def grow(name: str, words: str) -> Branch:
        step = guide.step(name)
        if step is None:
            return Branch(0, words, "", "", seen=False, branches=())
        if name in shown:
            return Branch(numbers[name], words, step.title, "", seen=True, branches=())
        shown.add(name)
        branches = tuple(grow(way.to, way.words) for way in step.choices)
        return Branch(numbers[name], words, step.title, str(step.end or ""), seen=False, branches=branches)

    return grow(guide.steps[0].name, "")
