"""The figures of the board: the picture, summed by queue, channel, language or team within somebody's scope. Pure.

Every figure is a sum over groups, and a group belongs to exactly one row of each cut, so that the rows of a cut sum to its
totals. An agent stands in every row that they could take from, and once in the totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from everyline.board import rules
from everyline.board.facts import POINTS, AgentFacts, Group, Picture, QueueFacts, Tally
from everyline.measure.rules import Ratio
from everyline.queues.waits import Expected, expect, rounded

CUTS = ("queue", "channel", "language", "team")
STATES = ("available", "busy", "wrapping_up", "away", "offline")
ALL = "all"  # the key of the totals
LONG_SECONDS = {"wrapping_up": 300, "busy": 1800, "away": 1800}  # in one state: worth a look
LOOK_AT = 8  # agents named for that

Counts = tuple[int, int, int, int, int]  # agents by state, in the order of STATES
NOBODY: Counts = (0, 0, 0, 0, 0)
NOTHING = Ratio(0, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the board, or its totals."""

    key: str  # "queue-7", "channel-email", "language-es", "team-3", "all"
    id: int  # of a queue or team; 0 otherwise
    name: str  # of a queue or team, else the code of a channel or language
    hue: int = 0
    channels: tuple[str, ...] = ()
    partner: bool = False
    waiting: int = 0
    oldest: datetime | None = None
    oldest_group: Group | None = None
    expected: tuple[int, int] | None = None  # seconds, the range for who came last
    now: Ratio = NOTHING  # the service level of the last half hour
    today: Ratio = NOTHING
    goal: int = 80  # per cent
    formulas: tuple[str, ...] = ()  # of the service level, each that is summed in it
    seconds: tuple[int, ...] = ()  # the times that they hold to
    agents: Counts = NOBODY
    trend: tuple[int, ...] = ()
    tones: Mapping[str, str] = field(default_factory=dict)  # figure to "warn" or "bad"

    @property
    def tone(self) -> str:
        """The worst of them."""
        return rules.worse(self.tones.values())


@dataclass(frozen=True, slots=True)
class Look:
    """An agent who has been in a state for long, or who let offers pass."""

    agent: AgentFacts
    why: str  # "long wrap-up", "long busy", "long away", "not answering"


@dataclass(frozen=True, slots=True)
class Board:
    """All figures of one cut within one scope."""

    by: str
    lines: tuple[Line, ...]
    total: Line
    entered: tuple[tuple[str, int], ...]  # by channel, today, most first
    looks: tuple[Look, ...]
    before: tuple[int, ...]  # waiting a day ago, at the points of the trend
    unmet: tuple[tuple[int, int, str], ...]  # queue, how many, the nearest relaxation


@dataclass(slots=True)
class _Sum:
    waiting: int = 0
    oldest: datetime | None = None
    oldest_group: Group | None = None
    queues: set[int] = field(default_factory=set)
    now: dict[int, Tally] = field(default_factory=dict)  # by queue: each is counted by its own formula
    today: dict[int, Tally] = field(default_factory=dict)
    trend: list[int] = field(default_factory=lambda: [0] * POINTS)


def key_of(by: str, group: Group) -> str:
    """The row that a group belongs to."""
    return f"{by}-{ {'queue': group.queue_id, 'channel': group.channel, 'language': group.language, 'team': group.team_id}[by] }"


def agent_counts(picture: Picture, by: str, queue_ids: frozenset[int] | None) -> dict[str, Counts]:
    """Agents by state in each row, and in all: those who take from a queue within the scope."""
    found: dict[str, list[int]] = {}
    channels = {queue.id: channels_of(picture, queue) for queue in picture.queues.values()} if by == "channel" else {}
    for agent in picture.agents.values():
        seen = agent.queue_ids if queue_ids is None else agent.queue_ids & queue_ids
        if not seen and not (queue_ids is None and agent.works):
            continue
        place = STATES.index(agent.state)
        if by == "queue":
            keys = [f"queue-{number}" for number in seen]
        elif by == "channel":
            keys = [f"channel-{name}" for name in {name for number in seen for name in channels.get(number, ())}]
        elif by == "language":
            keys = [f"language-{code}" for code in agent.languages]
        else:
            keys = [f"team-{agent.team_id}"]
        for key in (ALL, *keys):
            found.setdefault(key, [0] * len(STATES))[place] += 1
    return {key: (row[0], row[1], row[2], row[3], row[4]) for key, row in found.items()}


def channels_of(picture: Picture, queue: QueueFacts) -> tuple[str, ...]:
    """The channels by which entries come to a queue: of its lines, and of what came today."""
    seen = {group.channel for group in (*picture.waiting, *picture.entered) if group.queue_id == queue.id}
    return (*queue.channels, *sorted(seen - set(queue.channels) - {""}))


def _sums(picture: Picture, by: str, queue_ids: frozenset[int] | None) -> dict[str, _Sum]:
    found: dict[str, _Sum] = {ALL: _Sum()}

    def of(group: Group) -> Iterable[_Sum]:
        if group.queue_id not in picture.queues or (queue_ids is not None and group.queue_id not in queue_ids):
            return ()
        mine = found.setdefault(key_of(by, group), _Sum())
        mine.queues.add(group.queue_id)
        found[ALL].queues.add(group.queue_id)
        return (found[ALL], mine)

    for group, waits in picture.waiting.items():
        for one in of(group):
            one.waiting += waits.count
            if one.oldest is None or waits.oldest < one.oldest:
                one.oldest, one.oldest_group = waits.oldest, group
    for ended in picture.lately:
        for one in of(ended.group):
            one.now.setdefault(ended.group.queue_id, Tally()).count(ended)
    for group, tally in picture.today.items():
        for one in of(group):
            one.today.setdefault(group.queue_id, Tally()).add(tally)
    for group, series in picture.trends.items():
        for one in of(group):
            one.trend = [a + b for a, b in zip(one.trend, series, strict=True)]
    return found


def compute(
    picture: Picture, by: str, queue_ids: frozenset[int] | None, at: datetime, agents: Mapping[str, Counts]
) -> Board:
    """All figures of a cut within a scope (None: every queue), at a moment."""
    sums = _sums(picture, by, queue_ids)
    served: dict[int, list[float]] = {}
    for ended in picture.lately:
        if ended.how == "answered":
            served.setdefault(ended.group.queue_id, []).append(ended.at.timestamp())
    waiting_in = Counter[int]()
    for group, waits in picture.waiting.items():
        waiting_in[group.queue_id] += waits.count
    expected = {
        number: found
        for number in picture.queues
        if waiting_in[number] and (found := expect(waiting_in[number], served.get(number, ()), at.timestamp()))
    }

    def line(
        key: str, number: int, name: str, hue: int = 0, channels: tuple[str, ...] = (), *, partner: bool = False
    ) -> Line:
        start = Line(key, number, name, hue, channels, partner, agents=agents.get(key, NOBODY))
        return _line(picture, key, sums.get(key, _Sum()), expected, at, start)

    mine = [queue for queue in picture.queues.values() if queue_ids is None or queue.id in queue_ids]
    lines: list[Line] = []
    if by == "queue":
        lines = [
            line(f"queue-{queue.id}", queue.id, queue.name, hue=queue.hue, channels=channels_of(picture, queue))
            for queue in mine
        ]
    elif by == "channel":
        names = {name for queue in mine for name in channels_of(picture, queue)} | _named(sums, by)
        lines = [line(f"channel-{name}", 0, name) for name in sorted(names) if name]
    elif by == "language":
        codes = _named(sums, by) | picture.spoken
        lines = [line(f"language-{code}", 0, code) for code in sorted(codes, key=lambda code: (not code, code))]
    else:
        teams = [(number, *facts) for number, facts in picture.teams.items()]
        shown = {f"team-{number}" for number, _name, _partner in teams}
        lines = [
            line(f"team-{number}", number, name, partner=partner)
            for number, name, partner in sorted(teams, key=lambda one: one[1])
        ]
        if "team-0" in sums or "team-0" in agents or not shown:
            lines.append(line("team-0", 0, ""))
    total = line(ALL, 0, "")
    entered = Counter[str]()
    for group, n in picture.entered.items():
        if group.queue_id in picture.queues and (queue_ids is None or group.queue_id in queue_ids):
            entered[group.channel] += n
    before = [0] * POINTS
    for number, series in picture.before.items():
        if queue_ids is None or number in queue_ids:
            before = [a + b for a, b in zip(before, series, strict=True)]
    return Board(
        by,
        tuple(lines),
        total,
        tuple(entered.most_common()),
        looks(picture, queue_ids, at),
        tuple(before),
        tuple(one for one in picture.unmet if queue_ids is None or one[0] in queue_ids),
    )


def _named(sums: Mapping[str, _Sum], by: str) -> set[str]:
    return {key.removeprefix(f"{by}-") for key in sums if key != ALL}


def _line(picture: Picture, key: str, mine: _Sum, expected: Mapping[int, Expected], at: datetime, start: Line) -> Line:
    """A row, with its figures and how they stand against their thresholds."""
    limits, own = picture.limits, start.id if key.startswith("queue-") else 0
    queues = [picture.queues[number] for number in sorted(mine.queues or ({own} if own else set()))]
    now = rules.level((picture.queues[number], tally) for number, tally in mine.now.items())
    today = rules.level((picture.queues[number], tally) for number, tally in mine.today.items())
    goal = round(sum(queue.answer_share for queue in queues) / len(queues)) if queues else 80
    longest = max(
        (expected[queue.id] for queue in queues if queue.id in expected), key=lambda one: one.high, default=None
    )
    values: dict[str, float | None] = {
        "waiting": mine.waiting,
        "oldest": (at - mine.oldest).total_seconds() if mine.oldest else None,
        "expected": longest.high if longest else None,
        "level": None if now.share is None else goal - now.share * 100,
        "free": start.agents[0] if mine.waiting else None,
    }
    tones = {}
    for figure, value in values.items():
        found = rules.tone(figure, rules.limit_of(limits, own, figure), value)
        if figure == "oldest" and not found and mine.oldest_group and rules.limit_of(limits, own, figure).bad is None:
            found = _past_goal(picture.queues[mine.oldest_group.queue_id], mine.oldest, at)
        if found:
            tones[figure] = found
    return replace(
        start,
        waiting=mine.waiting,
        oldest=mine.oldest,
        oldest_group=mine.oldest_group,
        expected=(rounded(longest.low), rounded(longest.high)) if longest else None,
        now=now,
        today=today,
        goal=goal,
        formulas=tuple(sorted({queue.formula for queue in queues})),
        seconds=tuple(sorted({queue.answer_seconds for queue in queues})),
        trend=(*mine.trend[1:], mine.waiting),
        tones=tones,
    )


def _past_goal(queue: QueueFacts, since: datetime | None, at: datetime) -> str:
    """Where nobody set a threshold for the oldest, the queue's goal is one."""
    if since is None or (at - since).total_seconds() <= queue.answer_seconds:
        return ""
    until = rules.due(queue, since)
    return "bad" if until is not None and until < at else ""


def looks(picture: Picture, queue_ids: frozenset[int] | None, at: datetime) -> tuple[Look, ...]:
    """Agents to look after, the longest first."""
    found = []
    for agent in picture.agents.values():
        if queue_ids is not None and not agent.queue_ids & queue_ids:
            continue
        state = agent.state
        if state == "away" and agent.reason == "not answering":
            found.append(Look(agent, "not answering"))
        elif state in LONG_SECONDS and (at - agent.since).total_seconds() > LONG_SECONDS[state]:
            found.append(Look(agent, f"long {state}"))
    found.sort(key=lambda look: look.agent.since)
    return tuple(found[:LOOK_AT])
