"""Reads of what is asked of agents: who fits an expression, who waits for nobody, and where a skill is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import select

from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid
from everyline.ground.words import _
from everyline.queues.expressions import (
    NOTHING,
    Tree,
    Unreadable,
    both,
    mask,
    needing,
    parse,
    skills_in,
    write,
)
from everyline.queues.models import Skill
from everyline.queues.relaxation import nearest
from everyline.queues.rules import Step

statements = sql.beside(__file__, "asks.sql")

Abilities = Sequence[tuple[Mapping[int, int], int]]  # skill id to level, and how many agents are like that


@dataclass(frozen=True, slots=True)
class Fit:
    """How many agents fit an expression, and what to ask for when nobody does."""

    fits: int
    of: int
    nearest: str | None  # in words; None: somebody fits, or there is nobody at all
    nearest_fits: int = 0


@dataclass(frozen=True, slots=True)
class Unmet:
    """An entry that nobody can take."""

    entry_id: int
    case_id: int
    queue_id: int
    waiting_since: datetime
    asks: str  # in words
    nearest: str  # what somebody could take, in words


@dataclass(frozen=True, slots=True)
class Needed:
    """Where a skill is needed, and by how many it is held."""

    agents: int
    queues: tuple[tuple[int, str], ...]  # id and name: the queue itself asks for it
    steps: tuple[tuple[int, str, int], ...]  # queue's id and name, and the number of the step
    entries: int  # that wait for it now, beside those that wait because of their queue

    @property
    def anywhere(self) -> bool:
        """Is it missed by anything?"""
        return bool(self.agents or self.queues or self.steps or self.entries)


async def skill_names(tx: Tx) -> dict[int, str]:
    """Every skill's name, by id."""
    return {row.id: row.name for row in await tx.rows(select(Skill.id, Skill.name))}


async def read(tx: Tx, words: str, field: str = "wants") -> Tree:
    """The expression that somebody wrote. Invalid, said at ``field``, when it cannot be read."""
    try:
        return parse(words, {name: number for number, name in (await skill_names(tx)).items()})
    except Unreadable as error:
        raise Invalid(_("Please look at this again."), {field: str(error)}) from error


def asked_by(row: Row) -> Tree:
    """All that a queue asks for, as one expression."""
    return both(needing({int(skill): level for skill, level in row.needs.items()}), row.wants)


async def abilities(tx: Tx, queue_ids: Iterable[int]) -> dict[int, Abilities]:
    """What the members of these queues can."""
    found: dict[int, list[tuple[Mapping[int, int], int]]] = {}
    for row in await tx.rows(statements.abilities, {"queue_ids": list(queue_ids)}):
        found.setdefault(row.queue_id, []).append((_levels(row.skills), row.agents))
    return dict(found)


async def abilities_of(tx: Tx, agent_ids: Iterable[int]) -> Abilities:
    """What these agents can."""
    rows = await tx.rows(statements.abilities_of, {"ids": list(agent_ids)})
    return [(_levels(row.skills), row.agents) for row in rows]


def _levels(skills: Mapping[str, int]) -> dict[int, int]:
    return {int(skill): level for skill, level in skills.items()}


def _counter(abilities: Abilities) -> Callable[[Tree], int]:
    """How many of these agents meet an expression. Agents are bits, so that asking of thousands many times over is quick."""
    everybody = (1 << sum(agents for _levels, agents in abilities)) - 1

    @cache
    def with_skill(skill: int, least: int) -> int:
        found, at = 0, 0
        for levels, agents in abilities:
            if levels.get(skill, 0) >= least:
                found |= ((1 << agents) - 1) << at
            at += agents
        return found

    return lambda tree: mask(tree, everybody, with_skill).bit_count()


def fit(tree: Tree, abilities: Abilities, names: Mapping[int, str]) -> Fit:
    """How many of these agents fit, and the nearest expression that somebody does when nobody fits this one."""
    count = _counter(abilities)
    fits, everybody = count(tree), count(NOTHING)
    found = None if fits else nearest(tree, count)
    return Fit(fits, everybody, None) if found is None else Fit(0, everybody, _said(found[0], names), found[1])


def _said(tree: Tree, names: Mapping[int, str]) -> str:
    return write(tree, names) or _("anybody who takes from this queue")


async def unmet(tx: Tx, queue_ids: Collection[int] | None = None, *, most: int = 500) -> list[Unmet]:
    """The entries of these queues, or of all, that nobody can take, however long they wait: not those that a step of relaxation
    still helps by its time. Those who have waited longest first."""
    found: list[Unmet] = []
    for group in await _beyond_help(tx, queue_ids):
        rows = await tx.rows(statements.asking, {**group.values, "most": most})
        found += [
            Unmet(row.entry_id, row.case_id, row.queue_id, row.waiting_since, group.asks, group.nearest) for row in rows
        ]
    return sorted(found, key=lambda one: (one.waiting_since, one.entry_id))[:most]


async def unmet_counts(tx: Tx) -> dict[tuple[int, str], int]:
    """How many those are, all of them, by queue and by what somebody could take, in words."""
    found: Counter[tuple[int, str]] = Counter()
    for group in await _beyond_help(tx):
        found[group.values["queue_id"], group.nearest] += await tx.value(statements.count_asking, group.values)
    return dict(found.most_common())


@dataclass(frozen=True, slots=True)
class _Group:
    """Entries of a queue that ask in one way, which nobody can meet once they have waited for so long."""

    values: Mapping[str, Any]  # by which they are found
    asks: str  # in words
    nearest: str


async def _beyond_help(tx: Tx, queue_ids: Collection[int] | None = None) -> list[_Group]:
    ways = [row for row in await tx.rows(statements.asks) if queue_ids is None or row.queue_id in queue_ids]
    if not ways:
        return []
    ids = sorted({row.queue_id for row in ways})
    queues = {row.id: row for row in await tx.rows(statements.rules_of, {"ids": ids})}
    able, names, at = await abilities(tx, ids), await skill_names(tx), now()
    counters = {queue_id: _counter(able.get(queue_id, ())) for queue_id in ids}
    found: list[_Group] = []
    for ask in ways:
        queue = queues.get(ask.queue_id)
        if queue is None:
            continue
        count = counters[ask.queue_id]
        stuck_after, tree = _stuck(queue, ask, count)
        if stuck_after is None:
            continue
        near = nearest(tree, count)
        values = {
            "queue_id": ask.queue_id,
            "needs": Jsonb(ask.needs),
            "wants": Jsonb(ask.wants),
            "language": ask.language,
            "since": at - timedelta(seconds=stuck_after),
            "at": at,
        }
        words = _said(near[0], names) if near else _("nobody takes from this queue")
        found.append(_Group(values, write(tree, names), words))
    return found


def _stuck(queue: Row, ask: Row, count: Callable[[Tree], int]) -> tuple[float | None, Tree]:
    """After how many seconds entries that ask so are beyond help, and what they ask for then; None: never."""
    own = needing({int(skill): level for skill, level in ask.needs.items() if int(skill) != ask.language})
    spoken: Tree = {"skill": ask.language, "least": 1} if ask.language is not None else NOTHING
    stages: list[tuple[float, Tree]] = [(0.0, both(asked_by(queue), own, ask.wants, spoken))]
    stages += [
        (step.after, both(step.wants, own, ask.wants, spoken if step.language else NOTHING))
        for step in map(Step.read, queue.steps)
        if step.after is not None
    ]
    for number in range(len(stages) - 1, -1, -1):
        if count(stages[number][1]):
            return stages[number + 1] if number + 1 < len(stages) else (None, NOTHING)
    return stages[0]


async def where_needed(tx: Tx, skill_id: int) -> Needed:
    """Where a skill is needed: to be said before it is removed."""
    queues, steps = [], []
    for row in await tx.rows(statements.rules_of, {"ids": None}):
        if skill_id in skills_in(asked_by(row)):
            queues.append((row.id, row.name))
        steps += [
            (row.id, row.name, number)
            for number, step in enumerate(map(Step.read, row.steps), 1)
            if skill_id in skills_in(step.wants)
        ]
    rows = await tx.rows(statements.entries_needing, {"skill": str(skill_id)})
    entries = sum(row.entries for row in rows if row.needed or skill_id in skills_in(row.wants))
    agents: Any = await tx.value(statements.skill_holders, {"skill_id": skill_id})
    return Needed(int(agents), tuple(queues), tuple(steps), entries)
