"""The command ``everyline simulate``: a day played through the rules, as they are and with a change tried on them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import inf
from zoneinfo import ZoneInfo

from everyline.ground.database import Tx
from everyline.queues import queries
from everyline.queues.expressions import Unreadable, parse
from everyline.queues.recorded import recorded_day
from everyline.queues.rules import DEFAULT_WEIGHTS, Candidate, Entry, QueueRule, Strategy
from everyline.queues.simulation import Arrival, Day, Outcome, Result, Simulation

SETTABLE = ("priority", "rings", "strategy", "wants")
HEAD = ("queue", "came", "answered", "abandoned", "in time", "average wait", "80 % within", "longest", "left over")


class Wrong(ValueError):
    """What was asked for cannot be tried; the message says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """A day that never was: calls, chats or mails that come at random (a Poisson stream) for so long."""

    media_class: str = "call"
    hours: float = 8
    per_hour: float = 60
    minutes: float = 4  # of work, exponential
    wrap_up: float = 0  # minutes
    agents: int = 6
    patience: float = 0  # minutes, exponential; 0: without end

    @classmethod
    def read(cls, words: str) -> Made:
        """From ``per_hour=120,minutes=3,agents=8``."""
        facts: dict[str, float | int | str] = {}
        for part in filter(None, (one.strip() for one in words.split(","))):
            name, _equals, value = part.partition("=")
            if name not in cls.__dataclass_fields__:
                raise Wrong(f"a made day knows {', '.join(cls.__dataclass_fields__)}, and not {name!r}")
            try:
                facts[name] = value if name == "media_class" else int(value) if name == "agents" else float(value)
            except ValueError:
                raise Wrong(f"{name} is a number, and not {value!r}") from None
        if facts.get("media_class", "call") not in DEFAULT_WEIGHTS:
            raise Wrong(f"a media class is one of {', '.join(DEFAULT_WEIGHTS)}")
        return cls(**facts)  # type: ignore[arg-type]  # -- read as its fields are

    def day(self, seed: int, goal: float) -> tuple[Day, dict[int, str]]:
        """The day of this seed; ``goal`` is the service level's time in seconds."""
        people = [Candidate(number, queue_ids=frozenset({1})) for number in range(1, self.agents + 1)]
        return Day([QueueRule(1)], people, list(self._arrivals(seed)), answer_seconds={1: goal}), {1: "made"}

    def _arrivals(self, seed: int) -> Iterator[Arrival]:
        chance, at, number = random.Random(seed), 0.0, 0
        while True:
            at += chance.expovariate(self.per_hour / 3600)
            if at > self.hours * 3600:
                return
            number += 1
            yield Arrival(
                Entry(number, 1, at, media_class=self.media_class, weight=DEFAULT_WEIGHTS[self.media_class]),
                chance.expovariate(1 / (self.minutes * 60)),
                self.wrap_up * 60,
                chance.expovariate(1 / (self.patience * 60)) if self.patience else inf,
            )


async def recorded(tx: Tx, day: date, zone: str) -> tuple[Day, dict[int, str]]:
    """A day of the installation as its events tell it, and the queues' names."""
    begins = datetime.combine(day, time(), ZoneInfo(zone))
    names = {row.id: row.name for row in await queries.all_queues(tx)}
    return await recorded_day(tx, begins, begins + timedelta(days=1)), names


def changed(
    day: Day, names: Mapping[int, str], settings: Sequence[str], more: Sequence[str], skills: Mapping[str, int]
) -> Day:
    """The day with other rules (``Water.strategy=most skilled``) and with more agents, or fewer (``Water=+2``). Wrong."""
    by_name = {name.casefold(): number for number, name in names.items()}
    queues = {queue.id: queue for queue in day.queues}

    def queue_of(name: str) -> int:
        found = by_name.get(name.strip().casefold())
        if found is None or found not in queues:
            raise Wrong(f"there is no queue {name!r}; there are {', '.join(sorted(names.values()))}")
        return found

    for one in settings:
        where, equals, value = one.partition("=")
        name, dot, what = where.rpartition(".")
        if not equals or not dot or what not in SETTABLE:
            raise Wrong(f"{one!r} is no change: write QUEUE.WHAT=VALUE, where WHAT is one of {', '.join(SETTABLE)}")
        number = queue_of(name)
        queues[number] = _set(queues[number], what, value.strip(), skills)
    agents = list(day.agents)
    for one in more:
        name, equals, value = one.partition("=")
        if not equals or not value.strip().lstrip("+-").isdigit():
            raise Wrong(f"{one!r} is no number of agents: write QUEUE=+2, or QUEUE=-1")
        agents = _staffed(agents, queue_of(name), int(value))
    return replace(day, queues=list(queues.values()), agents=agents)


def _set(queue: QueueRule, what: str, value: str, skills: Mapping[str, int]) -> QueueRule:
    try:
        match what:
            case "wants":
                return replace(queue, wants=parse(value, skills))
            case "strategy":
                return replace(queue, strategy=Strategy(value))
            case "rings":
                return replace(queue, rings=max(int(value), 1))
            case _:
                return replace(queue, priority=int(value))
    except Unreadable as error:
        raise Wrong(str(error)) from error
    except ValueError:
        known = f": it is one of {', '.join(Strategy)}" if what == "strategy" else ""
        raise Wrong(f"{value!r} is no {what}{known}") from None


def _staffed(agents: list[Candidate], queue_id: int, number: int) -> list[Candidate]:
    members = [agent for agent in agents if queue_id in agent.queue_ids]
    if number < 0:
        gone = {agent.id for agent in members[number:]}
        return [agent for agent in agents if agent.id not in gone]
    first = max((agent.id for agent in agents), default=0) + 1
    like = members[0] if members else Candidate(0, queue_ids=frozenset({queue_id}))
    return agents + [replace(like, id=first + index, available=True, idle_since=0) for index in range(number)]


def table(result: Result, names: Mapping[int, str]) -> list[str]:
    """What came of a day, a line a queue."""
    rows: list[tuple[str, ...]] = [HEAD]
    rows += [_row(names.get(number, str(number)), found) for number, found in result.queues.items() if found.offered]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    busy = result.occupancy
    return [*lines, f"occupancy {busy:.1f} %" if busy is not None else "nobody was there"]


def _row(name: str, found: Outcome) -> tuple[str, ...]:
    level = found.service_level
    return (
        name,
        str(found.offered),
        str(found.answered),
        str(found.abandoned + found.short),
        "-" if level is None else f"{level:.1f} %",
        _span(found.average_wait),
        _span(found.wait_of(0.8)),
        _span(found.longest if found.answered else None),
        str(found.left_over),
    )


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    whole = round(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )


def compare(day: Day, tried: Day | None, names: Mapping[int, str]) -> Iterator[str]:
    """The lines that are printed: the day by the rules as they are, and with the change."""
    if tried is None:
        yield from table(Simulation(day).run(), names)
        return
    yield "As it is:"
    yield from table(Simulation(day).run(), names)
    yield ""
    yield "With the change:"
    yield from table(Simulation(tried).run(), names)
