"""A troubleshooting guide: an article that asks what is the case and branches. Pure.

It is written as text, so that it is edited, compared and translated like any other::

    What to do when nothing comes from the tap.

    ## start: Do your neighbors have water?
    Ask next door, or look at the hydrant.
    - Yes -> valve
    - No -> outage

    ## valve: Open the main valve
    = solved

    ## outage: A pipe is broken
    = ask us

A step begins with ``## name: title``. ``- words -> name`` is a way on; ``= solved`` and ``= ask us`` are ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from everyline.ground.words import _

_STEP = re.compile(r"##[ \t]+([\w-]{1,40})[ \t]*:[ \t]*(.+?)[ \t]*#*")
_CHOICE = re.compile(r"[-*+][ \t]+(.+?)[ \t]*(?:->|→)[ \t]*([\w-]{1,40})[ \t]*")
_END = re.compile(r"=[ \t]*(solved|ask us)[ \t]*", re.IGNORECASE)


class End(StrEnum):
    """How a guide ends."""

    SOLVED = "solved"
    ASK_US = "ask us"


@dataclass(frozen=True, slots=True)
class Choice:
    """A way on from a step."""

    words: str
    to: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to look at or do (Markdown), and where it leads."""

    name: str
    title: str
    text: str = ""
    choices: tuple[Choice, ...] = ()
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide; it begins with its first step."""

    introduction: str
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step | None:
        """The step of a name."""
        return next((step for step in self.steps if step.name == name), None)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a guide, and at which step; empty: with the whole."""

    step: str
    words: str


def read(text: str) -> Guide:
    """The guide that a text describes. What is no step, choice or end is text of the step it stands in."""
    introduction: list[str] = []
    steps: list[Step] = []
    into = introduction
    choices: list[Choice] = []
    end: End | None = None
    head: tuple[str, str] | None = None

    def close() -> None:
        if head is not None:
            steps.append(Step(head[0], head[1], "\n".join(into).strip(), tuple(choices), end))

    for line in text.splitlines():
        if found := _STEP.fullmatch(line):
            close()
            head, into, choices, end = (found[1], found[2]), [], [], None
        elif head is not None and (found := _CHOICE.fullmatch(line)):
            choices.append(Choice(found[1], found[2]))
        elif head is not None and (found := _END.fullmatch(line)):
            end = End(found[1].lower())
        else:
            into.append(line)
    close()
    return Guide("\n".join(introduction).strip(), tuple(steps))


def write(guide: Guide) -> str:
    """The text of a guide: what ``read`` reads."""
    parts = [guide.introduction] if guide.introduction else []
    for step in guide.steps:
        lines = [f"## {step.name}: {step.title}", *([step.text] if step.text else [])]
        lines += [f"- {choice.words} -> {choice.to}" for choice in step.choices]
        lines += [f"= {step.end}"] if step.end else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def faults(guide: Guide) -> list[Fault]:
    """Everything that would leave a reader standing: a way to nowhere, a step nobody reaches, one from which no end is."""
    if not guide.steps:
        return [Fault("", _("A guide needs a step: a line such as ## start: What do you see?"))]
    found: list[Fault] = []
    names = [step.name for step in guide.steps]
    ways = {step.name: [choice.to for choice in step.choices if choice.to in names] for step in guide.steps}
    found += [Fault(name, _("Two steps have this name.")) for name in dict.fromkeys(names) if names.count(name) > 1]
    for step in guide.steps:
        found += [
            Fault(
                step.name,
                _("“%(words)s” leads to %(to)s, which is no step.") % {"words": choice.words, "to": choice.to},
            )
            for choice in step.choices
            if choice.to not in names
        ]
        if not step.choices and step.end is None:
            found.append(Fault(step.name, _("Nothing follows this step: add a choice or an end.")))
        if step.choices and step.end is not None:
            found.append(Fault(step.name, _("This step has both choices and an end.")))
    led_to = reached([guide.steps[0].name], ways)
    found += [Fault(name, _("No choice leads to this step.")) for name in dict.fromkeys(names) if name not in led_to]
    back: dict[str, list[str]] = {name: [] for name in names}
    for name, to in ways.items():
        for one in to:
            back[one].append(name)
    ending = reached([step.name for step in guide.steps if step.end is not None], back)
    found += [
        Fault(step.name, _("From here there is no way to an end."))
        for step in guide.steps
        if step.name not in ending and (step.choices and ways[step.name])
    ]
    return found


def reached(begin: Iterable[str], ways: Mapping[str, list[str]]) -> set[str]:
    """All steps that can be got to."""
    seen: set[str] = set()
    waiting = list(begin)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += ways.get(name, [])
    return seen


def as_text(guide: Guide) -> str:
    """The whole guide as Markdown in numbered steps, for those who read it on paper or have it read out."""
    numbers = {step.name: at for at, step in enumerate(guide.steps, 1)}
    parts = [guide.introduction] if guide.introduction else []
    for step in guide.steps:
        ways = [
            "- " + _("%(words)s: go to step %(number)s.") % {"words": choice.words, "number": numbers[choice.to]}
            for choice in step.choices
            if choice.to in numbers
        ]
        ask = _("Please ask us: we help you from here.") if step.end is End.ASK_US else ""
        blocks = (f"### {numbers[step.name]}. {step.title}", step.text, "\n".join(ways), ask)
        parts += filter(None, blocks)
    return "\n\n".join(parts)
