"""Follows the events and keeps the facts and the ledgers, in sets: no event is handled by itself.

A batch is read by position. What the facts counted for before it is taken out of the ledgers, the facts are brought up to
date, and what they count for now is put in; so an interval never needs to be read whole, and it does not matter where a
batch ends. The pro-rated time of the agents whose clocks changed is read anew from the moment on at which they did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import TextClause, text

from everyline.ground import events, sql
from everyline.ground.database import Database, Tx
from everyline.measure.models import ARRIVALS, CASES, HAPPENINGS, KEY, TOTAL_KEY, WORKS
from everyline.queues import queries as queues
from everyline.queues.hours import spans_of

statements = sql.beside(__file__, "measure.sql")

BATCH = 50_000  # events at once
KNOWN_DAYS = 90  # how far ahead open spans are written down

_TEMPORARY = {
    "batch": "xid xid8, id bigint, at timestamptz, kind text, agent_id bigint, customer_id bigint, case_id bigint, interaction_id bigint, "
    "queue_id bigint, data jsonb",
    "batch_stay": "entry_id bigint, queue_id bigint, case_id bigint, interaction_id bigint, agent_id bigint, team_id bigint, channel text, "
    "media_class text, language text, moved boolean, entered_at timestamptz, waiting_since timestamptz, expected_seconds integer, "
    "expected_low integer, expected_high integer, ended_at timestamptz, outcome text",
    "batch_work": "assignment_id bigint, entry_id bigint, queue_id bigint, case_id bigint, interaction_id bigint, customer_id bigint, "
    "agent_id bigint, team_id bigint, channel text, media_class text, language text, weight integer, accepted_at timestamptz, "
    "work_ended_at timestamptz, ended_at timestamptz, outcome text, wrap_up_code_id bigint",
    "batch_case": "case_id bigint, customer_id bigint, queue_id bigint, opened_at timestamptz",
    "batch_contact": "case_id bigint, channel text, language text, works integer",
    "agent_window": "agent_id bigint, since timestamptz, whole timestamptz",
    "cut": "agent_id bigint, assignment_id bigint, phase text, weight integer, begins_at timestamptz, began_at timestamptz, ended_at timestamptz",
    "moment": "agent_id bigint, begins_at timestamptz, began_at timestamptz, ended_at timestamptz, weight bigint",
    "charge": "assignment_id bigint, begins_at timestamptz, talk_us bigint, hold_us bigint, wrap_up_us bigint, charged_us bigint",
}
_KEY = ", ".join(KEY)
_DELTA = "begins_at timestamptz, queue_id bigint, channel text, language text, team_id bigint"


def _counted(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} bigint default 0" for name in columns)


def _tables() -> list[TextClause]:
    tables = {
        **_TEMPORARY,
        "delta_cohort": f"{_DELTA}, {_counted(ARRIVALS)}",
        "delta_event": f"{_DELTA}, {_counted(HAPPENINGS)}",
    }
    return [
        text(f"create temporary table if not exists {name} ({columns}) on commit delete rows")
        for name, columns in tables.items()
    ]


def _tell(view: str, delta: str, columns: tuple[str, ...], sign: str, among: str) -> TextClause:
    """What the facts of a view count for, put into a delta with a sign."""
    sums = ", ".join(f"{sign}coalesce(sum(v.{name}), 0)" for name in columns)
    key = ", ".join(f"v.{name}" for name in KEY)
    into = f"insert into {delta} ({_KEY}, {', '.join(columns)})"
    return text(f"{into} select {key}, {sums} from {view} v {among} group by {key}")  # noqa: S608 -- names of ours


def _tellings(sign: str) -> list[TextClause]:
    works = "join agent_window a on a.agent_id = v.agent_id and v.ended_at >= a.since"
    stays, cases = "join batch_stay b on b.entry_id = v.entry_id", "join batch_case b on b.case_id = v.case_id"
    return [
        _tell("cohort_of_stay", "delta_cohort", ARRIVALS, sign, stays),
        _tell("event_of_stay", "delta_event", ARRIVALS, sign, stays),
        _tell("event_of_work", "delta_event", WORKS, sign, works),
        _tell("event_of_case", "delta_event", CASES, sign, cases),
    ]


def _booking(ledger: str, delta: str, columns: tuple[str, ...], key: tuple[str, ...] = KEY) -> list[TextClause]:
    """Add a delta to a ledger of this key, and throw away the rows that count for nothing any more."""
    sums, listed, keyed = ", ".join(f"sum({name})" for name in columns), ", ".join(columns), ", ".join(key)
    changed = " or ".join(f"sum({name}) <> 0" for name in columns)
    added = ", ".join(f"{name} = {ledger}.{name} + excluded.{name}" for name in columns)
    same = " and ".join(f"d.{name} = l.{name}" for name in key)
    nothing = " and ".join(f"l.{name} = 0" for name in columns)
    less = " or ".join(f"{name} < 0" for name in columns)  # nothing else can bring a row down to nothing
    return [
        text(
            f"insert into {ledger} ({keyed}, {listed}) select {keyed}, {sums} from {delta} group by {keyed} "  # noqa: S608 -- names of ours
            f"having {changed} on conflict ({keyed}) do update set {added}"
        ),
        text(
            f"delete from {ledger} l using (select distinct {keyed} from {delta} where {less}) d "  # noqa: S608 -- names of ours
            f"where {same} and {nothing}"
        ),
    ]


_CREATE = _tables()
_ROOM = text("set local work_mem = '32MB'")  # for the sums of a batch; else they go to the disk and back
# Of what is joined by alone: the facts of events are long, and nothing is looked for by them.
_ANALYZE = [
    text(f"analyze {name}")
    for name in (
        "batch (kind, case_id, queue_id, agent_id)", "batch_stay (entry_id, queue_id)", "batch_work (assignment_id, agent_id)",
        "batch_case (case_id)", "agent_window",
    )
]  # fmt: skip
_ANALYZE_CUTS = [
    text("analyze cut (agent_id, assignment_id, phase, begins_at, began_at)"),
    text("analyze moment (agent_id, begins_at)"),
]
# The facts of a few cases are looked for among those of millions, in tables that may be too new to have statistics.
_BY_INDEX, _ANY_WAY = text("set local enable_seqscan = off"), text("set local enable_seqscan = on")
# "From then on" is taken for a third of a table by who plans, and is the newest thousandth of it.
_ONE_BY_ONE, _IN_SETS = (
    [text(f"set local enable_{way} = {state}") for way in ("hashjoin", "mergejoin", "seqscan")]
    for state in ("off", "on")
)
_TAKE_OUT, _PUT_IN = _tellings("-"), _tellings("")
_BOOK = [
    *_booking("cohort_ledger", "delta_cohort", ARRIVALS),
    *_booking("event_ledger", "delta_event", HAPPENINGS),
    *_booking("cohort_total", "delta_cohort", ARRIVALS, TOTAL_KEY),
    *_booking("event_total", "delta_event", HAPPENINGS, TOTAL_KEY),
]
_FACTS = (
    "stay", "work", "hold_mark", "offer_mark", "state_span", "case_mark", "case_span", "matter", "cohort_ledger", "event_ledger", "cohort_total", "event_total",
    "time_ledger", "agent_ledger",
)  # fmt: skip
_GROWN = text(
    "select s.relname from pg_stat_user_tables s join pg_class c on c.oid = s.relid where s.relname = any(:tables) "
    "and s.n_mod_since_analyze > greatest(c.reltuples, 20000)"
)
_FORGET = text(f"truncate {', '.join(_FACTS)}")
_FROM_THE_BEGINNING = text("update follower set xid = '0', id = 0, at = null where name = 'figures'")


@dataclass(frozen=True, slots=True)
class Followed:
    """How many events a step took in, and the newest moment that the figures know of."""

    events: int
    at: datetime | None


async def follow(tx: Tx, most: int = BATCH) -> Followed:
    """Take in the next events, at most so many."""
    await events.write_none(tx)
    place = await tx.one(statements.follower)
    if place.anew:
        await tx.execute(_FORGET)
    await tx.execute(_ROOM)
    for statement in _CREATE:
        await tx.execute(statement)
    await tx.execute(statements.take_batch, {"xid": place.xid, "id": place.id, "most": most})
    end = await tx.one(statements.end_of_batch)
    await tx.execute(statements.keep_promises)
    if not end.n:
        return Followed(0, place.at)
    await _know_hours(tx, end.earliest, end.at)
    for statement in (
        statements.batch_of_stays, statements.batch_of_works, statements.touched_cases, statements.mark_holds,
        statements.mark_states, statements.end_states, statements.open_windows, *_ANALYZE, *_ONE_BY_ONE, *_TAKE_OUT,
        statements.upsert_stays, statements.upsert_works, statements.widen_windows, statements.clear_times,
        statements.clear_states, *_IN_SETS, statements.cut_works, statements.split_clock, *_ANALYZE_CUTS, statements.charge,
        statements.book_times, statements.book_charges, statements.book_states, statements.mark_cases, _BY_INDEX,
        statements.know_contacts, statements.clear_spans, statements.book_spans, statements.book_matters, statements.book_returns, *_ONE_BY_ONE, *_PUT_IN, *_IN_SETS,
        statements.count_offers, statements.mark_offers, *_BOOK,
    ):  # fmt: skip
        await tx.execute(statement)
    await tx.execute(statements.advance, {"xid": end.xid, "id": end.id, "at": end.at})
    return Followed(end.n, end.at)


async def _know_hours(tx: Tx, earliest: datetime, latest: datetime) -> None:
    """Write down the open spans of the hours that promises are counted in. What is written down stays, so that a change of
    the hours changes no figure of the past."""
    await tx.execute(statements.forget_open_spans)
    until = latest + timedelta(days=KNOWN_DAYS)
    for row in await tx.rows(statements.hours_in_use):
        if row.known is not None and row.known > latest + timedelta(days=KNOWN_DAYS - 7):
            continue
        hours = await queues.opening_hours(tx, row.hours_id)
        day = (row.known or earliest - timedelta(days=7)).astimezone(UTC).date()
        spans = []
        while day <= until.date():
            spans += [(begin, end) for begin, end in spans_of(hours, day) if row.known is None or begin > row.known]
            day += timedelta(days=1)
        await tx.many(
            statements.know_open_span,
            [{"hours_id": row.hours_id, "opens_at": begin, "closes_at": end} for begin, end in spans],
        )


async def catch_up(database: Database, most: int = BATCH) -> int:
    """Follow until nothing is left that can be read; returns how many events there were."""
    total = 0
    while True:
        async with database.transaction() as tx:
            found = (await follow(tx, most)).events
        total += found
        if found < most:
            return total
        async with database.transaction() as tx:  # tables that double need statistics before the server gets to it
            for table in await tx.column(_GROWN, {"tables": list(_FACTS)}):
                await tx.execute(text(f"analyze {table}"))


async def rebuild(database: Database, most: int = BATCH) -> int:
    """Forget all facts and ledgers and make them anew from the events. Promises and open spans stay: they say what held
    at the time. Figures are not whole until it is done."""
    async with database.transaction() as tx:
        await events.write_none(tx)
        await tx.one(statements.follower)
        await tx.execute(_FORGET)
        await tx.execute(_FROM_THE_BEGINNING)
    return await catch_up(database, most)
