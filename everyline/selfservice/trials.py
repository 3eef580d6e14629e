"""Trying a flow: somebody goes through it with what they answer, in every rendering, without anything being done outside. Pure.

A ``Trial`` is what the editor shows and what a test case is recorded from; the same answers can be played again before a
version is published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, TypeAlias

from pydantic import ConfigDict

from everyline.selfservice.flows import Flow, leads
from everyline.selfservice.renderings import chat, page, text, typed, voice
from everyline.selfservice.renderings.seam import Rendered, Rendering, Setting
from everyline.selfservice.slots import STRICT, Value
from everyline.selfservice.walking import Began, Came, Does, Facts, Given, Said, Shelf, Silent, State, Turn, begin, walk

RENDERINGS: Mapping[str, Rendering] = {"chat": chat, "text": text, "page": page, "voice": voice, "typed": typed}
SILENCE = "…"  # how nothing said is written down

Outside: TypeAlias = Callable[[Does], Came | None]  # None: it is not known yet, and the trial waits for ``came``


@dataclass(frozen=True, slots=True)
class Answered:
    """What came from outside at a step of a trial, as it is written down."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    edge: str
    slots: Mapping[str, Value] = field(default_factory=dict)
    told: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A test case: the answers of a trial, what came from outside at each step, and where it led."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    language: str = "en"
    answers: tuple[str, ...] = ()
    outside: Mapping[str, Answered] = field(default_factory=dict)  # by step
    facts: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    today: str = "2026-01-15"  # ISO 8601
    way: tuple[str, ...] = ()  # the steps at which it waited for somebody
    ends: str = ""


@dataclass(slots=True)
class Trial:
    """Somebody on their way."""

    shelf: Shelf
    state: State
    outside: Outside
    facts: Facts = field(default_factory=dict)
    today: date = date(2026, 1, 15)
    way: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    given: dict[str, Came] = field(default_factory=dict)  # what came from outside, by step

    @classmethod
    def of(cls, flow: Flow, outside: Outside, **how: Any) -> Trial:
        """Begin with a flow that goes through no other; ``how`` as in ``begun``."""
        return cls.begun(lambda name, _version: (1, flow) if name == flow.name else None, flow, outside, **how)

    @classmethod
    def begun(
        cls,
        shelf: Shelf,
        flow: Flow,
        outside: Outside,
        *,
        language: str = "en",
        facts: Facts | None = None,
        today: date = date(2026, 1, 15),
    ) -> Trial:
        """Begin. Flows within it are the shelf's."""
        found = cls(shelf, begin(flow, 1, language), outside, facts or {}, today)
        found._give(Began())
        return found

    def say(self, answer: str, *, text_messages: bool = False, typed: bool = False) -> Turn:
        """Answer; what is to be done outside is answered until somebody is asked again or it is over."""
        said = Said(answer, text_messages=text_messages, typed=typed)
        return self._give(Silent() if answer == SILENCE else said)

    def came(self, came: Came) -> Turn:
        """What came of that which the trial waits for. ValueError when the step has no such edge."""
        step = self.state.step
        does = self.turns[-1].does
        if does is None or came.edge not in {lead.label for lead in leads(does.step)} | {"to"}:
            raise ValueError(came.edge)
        self.given[step] = came
        return self._give(came)

    def _give(self, given: Given) -> Turn:
        turn = walk(self.shelf, self.state, given, self.facts, self.today)
        told = list(turn.told)
        self._moved(turn)
        while turn.does is not None and (came := self.outside(turn.does)) is not None:
            turn = walk(self.shelf, turn.state, came, self.facts, self.today)
            told += turn.told
            self._moved(turn)
        whole = replace(turn, told=tuple(told))
        self.turns.append(whole)
        return whole

    def _moved(self, turn: Turn) -> None:
        self.state = turn.state
        self.way.append(turn.state.step)

    @property
    def ends(self) -> str:
        """How it ended; empty: it goes on."""
        return self.turns[-1].ends

    def rendered(self, name: str, setting: Setting | None = None) -> Rendered:
        """The newest turn in a rendering."""
        return RENDERINGS[name].render(self.turns[-1], setting or Setting(language=self.state.language))


def played(shelf: Shelf, flow: Flow, case: Recorded) -> Recorded:
    """A test case played again: the same answers, with the way and the end of now. Flows within it are the shelf's."""

    def outside(does: Does) -> Came:
        answer = case.outside.get(does.step.name, Answered("down" if "down" in does.step.HELPS else "fail"))
        return Came(answer.edge, answer.slots, answer.told)

    trial = Trial.begun(
        shelf, flow, outside, language=case.language, facts=case.facts, today=date.fromisoformat(case.today)
    )
    for answer in case.answers:
        if trial.ends:
            break
        trial.say(answer)
    return Recorded(
        case.name, case.language, case.answers, case.outside, case.facts, case.today, tuple(trial.way), trial.ends
    )


def failing(shelf: Shelf, flow: Flow, cases: Sequence[Recorded]) -> list[tuple[Recorded, Recorded]]:
    """The test cases that do not lead where they led, each with where it leads now."""
    pairs = [(case, played(shelf, flow, case)) for case in cases]
    return [(case, now) for case, now in pairs if (case.way, case.ends) != (now.way, now.ends)]
