"""Reads of figures: rows of the ledgers, and the facts behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text

from everyline.ground.database import Row, Tx
from everyline.ground.moments import zone
from everyline.measure.figures import FIGURES, NOTHING, STEPS, Asked, Line, Sums, columns_of, total
from everyline.measure.models import ARRIVALS, HAPPENINGS, TIMES, WORKS
from everyline.measure.rules import DEFAULT_FORMULA

FIRST_TIME_DAYS = 7  # a customer who comes back within so many was not helped the first time

_WHERE = (
    "begins_at >= :begin and begins_at < :end and queue_id = any(:queues) and (:channel = '' or channel = :channel) "
    "and (:language = '' or language = :language) and (:team = 0 or team_id = :team)"
)
_WORK_OF_AGENTS = (
    "(select v.* from event_of_work v join work w on w.assignment_id = v.assignment_id "
    "where w.ended_at >= :begin and w.ended_at < :end and w.agent_id is not null) v"
)
_TOTALS = {"cohort_ledger": "cohort_total", "event_ledger": "event_total"}
_OF_TOTALS = {"interval", "queue"}
_SHARED = {"queue": "queue_id", "channel": "channel", "language": "language", "team": "team_id"}


def _moment(asked: Asked) -> str:
    """The beginning of the interval that a row lies in, in the reader's zone where days and weeks are meant."""
    if asked.step == "15":
        return "begins_at"
    if asked.step in ("day", "week"):
        return f"date_trunc('{asked.step}', begins_at, :zone)"
    return f"date_bin(interval '{STEPS[asked.step]} minutes', begins_at, cast(:begin as timestamptz))"


def _values(asked: Asked) -> dict[str, Any]:
    return {
        "begin": asked.begin,
        "end": asked.end,
        "zone": str(zone(asked.zone)),
        "queues": list(asked.queue_ids),
        "channel": asked.channel,
        "language": asked.language,
        "team": asked.team_id,
        "agent": asked.agent_id,
    }


def _grouped(asked: Asked, also: dict[str, str]) -> tuple[str, str]:
    named = {"interval": _moment(asked), **_SHARED, **also}
    return ", ".join(f"{named[name]} as key_{n}" for n, name in enumerate(asked.rows)), ", ".join(
        str(n + 1) for n in range(len(asked.rows))
    )


class _Part(NamedTuple):
    """A select of the keys and of some sums of one ledger, to be joined with others by the keys."""

    words: str
    columns: tuple[str, ...]


def _ledger(asked: Asked, ledger: str, columns: Iterable[str], also: dict[str, str] | None = None) -> _Part:
    columns = tuple(columns)
    keys, numbers = _grouped(asked, also or {})
    where, single = _WHERE, False
    if ledger in _TOTALS and not (asked.channel or asked.language or asked.team_id) and set(asked.rows) <= _OF_TOTALS:
        ledger, where = _TOTALS[ledger], "begins_at >= :begin and begins_at < :end and queue_id = any(:queues)"
        single = set(asked.rows) == _OF_TOTALS and asked.step == "15"  # a row of the ledger is a row of the report
    sums = ", ".join(name if single else f"coalesce(sum({name}), 0)::bigint as {name}" for name in columns)
    who = " and (:agent = 0 or agent_id = :agent)" if also is not None else ""
    words = f"select {f'{keys}, ' if keys else ''}{sums} from {ledger} where {where}{who}"  # noqa: S608 -- names of ours
    return _Part(f"{words} group by {numbers}" if numbers and not single else words, columns)


# of those who worked in these queues; what they do besides is theirs too
_STATES = {
    "available_ms": "case when state = 'available' then state_ms else 0 end",
    "available_engaged_ms": "case when state = 'available' then engaged_ms else 0 end",
    "away_ms": "case when state = 'away' then state_ms else 0 end",
    "engaged_ms": "engaged_ms",
}


def _states(asked: Asked) -> _Part:
    if not set(asked.rows) <= {"interval", "agent", "team"}:
        return _states_by_queue(asked)
    keys, numbers = _grouped(asked, {"agent": "l.agent_id", "team": "coalesce(g.team_id, 0)"})
    sums = ", ".join(f"coalesce(sum({words}), 0)::bigint as {name}" for name, words in _STATES.items())
    words = (
        f"select {f'{keys}, ' if keys else ''}{sums} from agent_ledger l left join agent g on g.id = l.agent_id "  # noqa: S608 -- names of ours
        "where begins_at >= :begin and begins_at < :end and (:agent = 0 or l.agent_id = :agent) "
        "and (:team = 0 or g.team_id = :team) "
        f"and l.agent_id in (select distinct agent_id from time_ledger where {_WHERE})"
    )
    return _Part(f"{words} group by {numbers}" if numbers else words, tuple(_STATES))


def _states_by_queue(asked: Asked) -> _Part:
    """By queue, channel or language: of the agents who worked there in the same interval of a quarter of an hour."""
    keys, numbers = _grouped(asked, {"interval": _moment(asked)})
    shared = ", ".join(name for name in ("begins_at", "agent_id", *_SHARED.values()))
    sums = ", ".join(f"coalesce(sum({words}), 0)::bigint as {name}" for name, words in _STATES.items())
    words = (
        f"select {keys}, {sums} from (select distinct {shared} from time_ledger where {_WHERE}) t "  # noqa: S608 -- names of ours
        f"join agent_ledger l using (begins_at, agent_id) group by {numbers}"
    )
    return _Part(words, tuple(_STATES))


def _parts(asked: Asked, needed: Sums) -> dict[str, _Part]:
    """By ledger: what has to be read there."""

    def among(columns: Sequence[str], wanted: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in columns if name in set(wanted))

    agents = {"agent": "agent_id"}
    found = {"time": _ledger(asked, "time_ledger", among(TIMES, needed.time), agents)}
    if "agent" in asked.rows or asked.agent_id:
        found["event"] = _ledger(asked, _WORK_OF_AGENTS, among(WORKS, needed.event), agents)
    else:
        found["cohort"] = _ledger(asked, "cohort_ledger", among(ARRIVALS, needed.cohort))
        found["event"] = _ledger(asked, "event_ledger", among(HAPPENINGS, needed.event))
    if needed.agent:
        found["agent"] = _states(asked)
    return {ledger: found[ledger] for ledger in Sums._fields if ledger in found and found[ledger].columns}


def _joined(asked: Asked, parts: dict[str, _Part]) -> str:
    """The parts side by side, in the order of their keys. A report can have a hundred thousand rows: the database joins and
    sorts them in a fraction of the time that we would take."""
    keys = [f"key_{n}" for n in range(len(asked.rows))]
    columns = [*keys, *(f"{ledger}.{name}" for ledger, part in parts.items() for name in part.columns)]
    tables = [f"({part.words}) {ledger}" for ledger, part in parts.items()]
    joined = tables[0] + "".join(
        f" full join {table} using ({', '.join(keys)})" if keys else f" cross join {table}" for table in tables[1:]
    )
    order = ", ".join(
        f'{key} collate "C"' if name in ("channel", "language") else key
        for key, name in zip(keys, asked.rows, strict=True)
    )
    return f"select {', '.join(columns)} from {joined}" + (f" order by {order}" if order else "")  # noqa: S608 -- names of ours


async def lines(tx: Tx, asked: Asked, formula: str = "", figures: Iterable[str] = FIGURES) -> list[Line]:
    """The rows of a report, in their order, with what some figures are made of. ``formula``: count all by this one; else each
    queue by its own, and what holds several queues by the one that they share or the usual one."""
    if not asked.queue_ids:
        return []
    promised = await formulas(tx)
    shared = formula or shared_formula(promised, asked.queue_ids)
    place = asked.rows.index("queue") if "queue" in asked.rows else None
    own = place is not None and not formula
    parts = _parts(asked, columns_of(figures, {shared, *(promised.values() if own else ())}))
    if not parts:
        return []
    words = _joined(asked, parts)
    values = {name: value for name, value in _values(asked).items() if f":{name}" in words}
    at = len(asked.rows)
    spans: list[
        tuple[int, int, tuple[str, ...]]
    ] = []  # of each ledger: where its sums begin and end in a row, and what they are
    for ledger in Sums._fields:
        columns = parts[ledger].columns if ledger in parts else ()
        spans.append((at, at + len(columns), columns))
        at += len(columns)
    keyed = len(asked.rows)
    found = []
    for row in await tx.tuples(text(words), values):
        sums = Sums(
            *[
                NOTHING if begin == end or row[begin] is None else dict(zip(columns, row[begin:end], strict=True))
                for begin, end, columns in spans
            ]
        )
        key = row[:keyed]
        found.append(
            Line(key, sums, promised.get(key[place], DEFAULT_FORMULA) if own and place is not None else shared)
        )
    return found


async def whole(tx: Tx, asked: Asked, formula: str = "") -> Line:
    """All that was asked for as one row."""
    found = await lines(tx, replace(asked, rows=()), formula)
    return found[0] if found else total([], formula or DEFAULT_FORMULA)


async def formulas(tx: Tx) -> dict[int, str]:
    """Each queue's formula."""
    return {row.id: row.formula for row in await tx.rows(text("select id, formula from queue"))}


def shared_formula(promised: dict[int, str], queue_ids: Iterable[int]) -> str:
    """The formula that all of these queues are counted by, or the usual one."""
    found = {promised.get(queue_id, DEFAULT_FORMULA) for queue_id in queue_ids}
    return found.pop() if len(found) == 1 else DEFAULT_FORMULA


async def promises(tx: Tx, queue_id: int) -> Sequence[Row]:
    """What a queue promised, newest first."""
    return await tx.rows(text("select * from promise where queue_id = :queue order by since desc"), {"queue": queue_id})


async def known_until(tx: Tx) -> datetime | None:
    """The newest moment that the figures know of."""
    found: datetime | None = await tx.value(text("select at from follower where name = 'figures'"))
    return found


# --- what is read from facts -----------------------------------------------------------------------------------------

_FIRST_TIME = text(
    """
    select count(*) filter (where known and not again) as settled, count(*) filter (where known or again) as judged,
        count(*) filter (where not known and not again) as open
    from (
        select works > 1 or transfers > 0 or coalesce(reopened_at <= resolved_at + make_interval(days => :days), false)
            or coalesce(next_at <= resolved_at + make_interval(days => :days), false) as again,
            resolved_at + make_interval(days => :days) <= :until as known
        from matter
        where resolved_at >= :begin and resolved_at < :end and queue_id = any(:queues)
            and (:channel = '' or channel = :channel) and (:language = '' or language = :language)
    ) m
    """
)
_REASONS = text(
    """
    select c.name, count(*) as n, sum(w.charged_ms)::bigint as charged_ms
    from work w left join wrap_up_code c on c.id = w.wrap_up_code_id
    where w.ended_at >= :begin and w.ended_at < :end and w.queue_id = any(:queues) and (:channel = '' or w.channel = :channel)
        and (:language = '' or w.language = :language) and (:team = 0 or w.team_id = :team)
    group by c.name order by n desc, c.name
    """
)
_BACKLOG = text(
    """
    select count(*) as n, count(*) filter (where opened_at <= :at - interval '1 day') as over_1,
        count(*) filter (where opened_at <= :at - interval '3 days') as over_3,
        count(*) filter (where opened_at <= :at - interval '7 days') as over_7,
        count(*) filter (where opened_at <= :at - interval '30 days') as over_30
    from case_span
    where began_at < :at and (ended_at is null or ended_at >= :at) and queue_id = any(:queues)
        and (:channel = '' or channel = :channel) and (:language = '' or language = :language)
    """
)
_OVERDUE = text(
    """
    select count(*) from stay
    where ended_at is null and due_at < :at and queue_id = any(:queues) and (:channel = '' or channel = :channel)
        and (:language = '' or language = :language)
    """
)
_STATE_TIMES = text(
    f"""
    select l.state, l.reason, sum(l.state_ms)::bigint as state_ms, sum(l.engaged_ms)::bigint as engaged_ms
    from agent_ledger l
    where l.begins_at >= :begin and l.begins_at < :end and (:agent = 0 or l.agent_id = :agent)
        and l.agent_id in (select distinct agent_id from time_ledger where {_WHERE})
    group by 1, 2 order by 1 desc, 3 desc
    """  # noqa: S608 -- names of ours
)
_EXPECTED = text(
    """
    select count(*) as n, avg(abs(extract(epoch from ended_at - entered_at) - expected_seconds)) as off,
        avg((extract(epoch from ended_at - entered_at) between expected_low and expected_high)::int) as within
    from stay
    where ended_as = 'answered' and expected_seconds is not null and ended_at >= :begin and ended_at < :end
        and queue_id = any(:queues) and (:channel = '' or channel = :channel) and (:language = '' or language = :language)
    """
)


async def _facts(tx: Tx, words: Any, asked: Asked, **more: Any) -> list[Row]:
    values = {**_values(asked), **more}
    return await tx.rows(words, {name: value for name, value in values.items() if f":{name}" in words.text})


async def first_time(tx: Tx, asked: Asked, until: datetime, days: int = FIRST_TIME_DAYS) -> Row:
    """Cases resolved at the first go: ``settled`` of ``judged``; ``open`` are those whose window of days is not over. The key
    is the customer and the queue: another case of theirs there within the window speaks against it, as do a second piece
    of work, a transfer and a reopening."""
    return (await _facts(tx, _FIRST_TIME, asked, until=until, days=days))[0]


async def reasons(tx: Tx, asked: Asked) -> list[Row]:
    """Handled work by wrap-up code; no name: without one."""
    return await _facts(tx, _REASONS, asked)


async def backlog(tx: Tx, asked: Asked, at: datetime) -> Row:
    """Cases open at a moment, and how many of them are older than some days."""
    return (await _facts(tx, _BACKLOG, asked, at=at))[0]


async def overdue(tx: Tx, asked: Asked, at: datetime) -> int:
    """Entries that still wait after the time that was promised."""
    return int((await _facts(tx, _OVERDUE, asked, at=at))[0][0])


async def state_times(tx: Tx, asked: Asked) -> list[Row]:
    """How long agents who worked here were in which state, and how much of it with work in hand."""
    return await _facts(tx, _STATE_TIMES, asked)


async def expected_waits(tx: Tx, asked: Asked) -> Row:
    """How far announced waits were off, counted from when they were announced: the mean error in seconds, and the share
    that ended within the range."""
    return (await _facts(tx, _EXPECTED, asked))[0]


# --- the cases behind a figure ---------------------------------------------------------------------------------------

_STAY = "f.entered_at >= :begin and f.entered_at < :end"
_WORK = "f.ended_at >= :begin and f.ended_at < :end"
# Work that reaches into the time; what was begun more than a month before is looked for by nobody.
_IN_HAND = (
    "f.accepted_at >= cast(:begin as timestamptz) - interval '31 days' and f.accepted_at < :end and f.ended_at > :begin"
)
_OFFER = "f.at >= :begin and f.at < :end"
_ABANDONED = "f.ended_as = 'abandoned' and f.ended_at - f.waiting_since"
_SPAN = "f.began_at >= :begin and f.began_at < :end"
_BEHIND: dict[str, tuple[str, str, str]] = {  # figure: facts, which of them, the moment they are ordered by
    "offered": ("stay", f"{_STAY} and f.ended_as <> 'withdrawn'", "entered_at"),
    "answered": ("stay", f"{_STAY} and f.ended_as = 'answered'", "entered_at"),
    "in_time": ("stay", f"{_STAY} and f.ended_as = 'answered' and f.ended_at <= f.due_at", "entered_at"),
    "late": ("stay", f"{_STAY} and f.ended_as = 'answered' and f.ended_at > f.due_at", "entered_at"),
    "abandoned": ("stay", f"{_STAY} and {_ABANDONED} > make_interval(secs => f.short_seconds)", "entered_at"),
    "short": ("stay", f"{_STAY} and {_ABANDONED} <= make_interval(secs => f.short_seconds)", "entered_at"),
    "flowed_out": ("stay", f"{_STAY} and f.ended_as = 'flowed out'", "entered_at"),
    "called_back": ("stay", f"{_STAY} and f.ended_as = 'called back'", "entered_at"),
    "withdrawn": ("stay", f"{_STAY} and f.ended_as = 'withdrawn'", "entered_at"),
    "handled": ("work", f"{_WORK} and f.accepted_at is not null", "ended_at"),
    "transferred": ("work", f"{_WORK} and f.outcome = 'transferred'", "ended_at"),
    "engaged": ("work", _IN_HAND, "accepted_at"),
    "offers_missed": ("offer_mark", f"{_OFFER} and f.kind = 'missed'", "at"),
    "offers_declined": ("offer_mark", f"{_OFFER} and f.kind = 'declined'", "at"),
    "backlog_change": (
        "case_span",
        f"{_SPAN} and (f.ended_at is null or f.ended_at >= :end)",
        "began_at",
    ),  # what it grew by
    "opened": ("case_span", f"{_SPAN} and f.kind = 'opened'", "began_at"),
    "reopened": ("case_span", f"{_SPAN} and f.kind = 'reopened'", "began_at"),
    "resolved": ("case_span", "f.ended_at >= :begin and f.ended_at < :end and f.end_kind = 'resolved'", "ended_at"),
}
_MORE = {
    "stay": "f.agent_id, f.ended_as as outcome, extract(epoch from f.ended_at - f.waiting_since)::float8 as seconds",
    "work": "f.agent_id, f.outcome, (f.charged_ms / 1000.0)::float8 as seconds",
    "offer_mark": "f.agent_id, f.kind as outcome, null::float8 as seconds",
    "case_span": "null::bigint as agent_id, f.end_kind as outcome, extract(epoch from f.ended_at - f.opened_at)::float8 as seconds",
}
_TEAM = {
    "stay": " and (:team = 0 or f.team_id = :team)",
    "work": " and (:team = 0 or f.team_id = :team)",
    "offer_mark": "",
    "case_span": "",
}


def can_open(figure: str) -> bool:
    """Are there cases to be shown behind a figure of this name?"""
    return figure in _BEHIND


async def behind(
    tx: Tx, asked: Asked, figure: str, *, before: tuple[datetime, int] | None = None, most: int = 50
) -> list[Row]:
    """The facts behind a figure with their cases, newest first, ``most`` at once; ``before``: moment and case id of the last
    one seen. KeyError for a figure that cannot be opened."""
    facts, which, moment = _BEHIND[figure]
    agent = " and (:agent = 0 or f.agent_id = :agent)" if facts != "case_span" else ""
    words = (
        f"select f.case_id, f.{moment} as at, f.queue_id, f.channel, f.language, {_MORE[facts]}, c.number, c.subject, "  # noqa: S608 -- names of ours
        f"coalesce(u.name, '') as customer_name, coalesce(g.name, '') as agent_name, q.name as queue_name "
        f'from {facts} f left join "case" c on c.id = f.case_id left join customer u on u.id = c.customer_id '
        f"left join queue q on q.id = f.queue_id left join agent g on g.id = {'f.agent_id' if facts != 'case_span' else 'null'} "
        f"where {which} and f.queue_id = any(:queues) and (:channel = '' or f.channel = :channel) "
        f"and (:language = '' or f.language = :language){_TEAM[facts]}{agent} "
        f"{f'and (f.{moment}, f.case_id) < (:before, :before_id) ' if before else ''}"
        f"order by f.{moment} desc, f.case_id desc limit :most"
    )
    more: dict[str, Any] = {"most": most}
    if before:
        more |= {"before": before[0], "before_id": before[1]}
    return await _facts(tx, text(words), asked, **more)


def week_before(asked: Asked) -> Asked:
    """The same time a week earlier, on the reader's clock: a change of the clock in between moves nothing."""
    place = zone(asked.zone)
    begin, end = ((at.astimezone(place) - timedelta(days=7)) for at in (asked.begin, asked.end))
    return replace(asked, begin=begin, end=end)
