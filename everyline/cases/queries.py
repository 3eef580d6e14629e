"""Reads of cases. Everything a person asks for goes through ``visible``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal, or_, select, true, tuple_

from everyline.cases.models import Case, Draft, Mention, Note
from everyline.cases.rules import OPEN_STATUSES, Status, begun
from everyline.customers.models import ContactPoint, Customer
from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.wire import Wired, wired
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.models import Agent
from everyline.people.rules import Me

statements = sql.beside(__file__, "cases.sql")
PAGE = 50
COUNTED_UP_TO = 1000  # a count stops there: nobody needs to know it exactly, and it would read every row


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cases are seen: those of some queues and one's own, or all."""

    agent_id: int
    all_queues: bool
    queue_ids: frozenset[int]

    @classmethod
    def of(cls, me: Me) -> Scope:
        return cls(me.id, me.all_queues, me.queue_ids)

    def condition(self) -> ColumnElement[bool]:
        """As a condition on cases."""
        if self.all_queues:
            return true()
        return or_(Case.queue_id.in_(sorted(self.queue_ids)), Case.owner_id == self.agent_id)


def visible(me: Me) -> ColumnElement[bool]:
    """The cases someone may see: those of their queues, and their own."""
    return Scope.of(me).condition()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of cases is narrowed to. Empty: everything one may see."""

    statuses: tuple[str, ...] = ()
    queue_id: int | None = None
    owner_id: int | None = None
    unowned: bool = False
    mentions_of: int | None = None  # agent
    drafts_of: int | None = None  # agent
    snoozed: bool | None = None
    tag: str = ""
    language: str = ""
    priority: int | None = None
    unread: bool = False
    past_goal: datetime | None = None  # due before this moment
    customer_id: int | None = None
    line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and where the next begins; None: this was the last."""

    rows: Sequence[Row]
    after: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as conditions on cases."""
    found: list[ColumnElement[bool]] = [Case.merged_into_id.is_(None)]
    if filters.statuses:
        found.append(Case.status.in_(filters.statuses))
        if Status.CLOSED not in filters.statuses:
            found.append(
                Case.status != Status.CLOSED
            )  # says so to the planner: the lists' indexes leave closed cases out
    if filters.queue_id is not None:
        found.append(Case.queue_id == filters.queue_id)
    if filters.owner_id is not None:
        found.append(Case.owner_id == filters.owner_id)
    if filters.unowned:
        found.append(Case.owner_id.is_(None))
    if filters.mentions_of is not None:
        called = (
            select(Note.case_id)
            .join(Mention, Mention.note_id == Note.id)
            .where(Mention.agent_id == filters.mentions_of)
        )
        found.append(Case.id.in_(called))
    if filters.drafts_of is not None:
        found.append(Case.id.in_(select(Draft.case_id).where(Draft.agent_id == filters.drafts_of, Draft.text != "")))
    if filters.snoozed is not None:
        found.append(Case.wakes_at.is_not(None) if filters.snoozed else Case.wakes_at.is_(None))
    if filters.tag:
        found.append(Case.tags.contains([filters.tag]))
    if filters.language:
        found.append(Case.language == filters.language)
    if filters.priority is not None:
        found.append(Case.priority == filters.priority)
    if filters.unread:
        found.append(Case.unread.is_(True))
    if filters.past_goal is not None:
        found.append(Case.due_at < filters.past_goal)
    if filters.customer_id is not None:
        found.append(Case.customer_id == filters.customer_id)
    if filters.line_id is not None:
        found.append(Case.line_id == filters.line_id)
    return found


_LISTED = (
    *(
        "id",
        "number",
        "customer_id",
        "subject",
        "status",
        "priority",
        "queue_id",
        "owner_id",
        "line_id",
        "language",
        "tags",
    ),
    *(
        "opened_at",
        "moved_at",
        "wakes_at",
        "resolved_at",
        "due_at",
        "answered_at",
        "revision",
        "last_words",
        "last_channel",
    ),
    *("last_direction", "unread"),
)

# built once: putting it together for every list would cost as much as asking the database
_LISTING = (
    select(
        *[Case.__table__.c[name] for name in _LISTED],
        Customer.name.label("customer_name"),
        Agent.name.label("owner_name"),
        Line.name.label("line_name"),
        exists()
        .where(Draft.case_id == Case.id, Draft.agent_id == bindparam("reader"), Draft.text != "")
        .label("has_draft"),
    )
    .join(Customer, Customer.id == Case.customer_id)
    .outerjoin(Agent, Agent.id == Case.owner_id)
    .outerjoin(Line, Line.id == Case.line_id)
)


def _page_mark(after: str) -> tuple[datetime, int]:
    """Where a page ends, read from what it gave."""
    moment, _tilde, number = after.partition("~")
    try:
        return datetime.fromisoformat(moment), int(number)
    except ValueError as error:
        raise Invalid(_("This is no page of a list.")) from error


async def listed(
    tx: Tx, me: Me, filters: Filters, *, after: str | None = None, oldest_first: bool = False, most: int = PAGE
) -> Page:
    """One page of a list, newest words first (or oldest). ``after`` is what the page before gave."""
    kept = not after and filters.past_goal is None  # what has a moment in it is not asked again
    rows = await tx.rows((_listing if kept else _listing.__wrapped__)(Scope.of(me), filters, after, oldest_first, most))
    more = len(rows) > most
    last = rows[most - 1] if more else None
    return Page(rows[:most], f"{last.moved_at.isoformat()}~{last.id}" if last is not None else None)


@lru_cache(maxsize=2000)
def _listing(scope: Scope, filters: Filters, after: str | None, oldest_first: bool, most: int) -> Wired:  # noqa: FBT001 -- a key of the cache
    keys = (Case.moved_at, Case.id)
    narrowed = [scope.condition(), *conditions(filters)]
    if after:
        here = tuple_(*(literal(value, key.type) for value, key in zip(_page_mark(after), keys, strict=True)))
        narrowed.append(tuple_(*keys) > here if oldest_first else tuple_(*keys) < here)
    order = [key.asc() for key in keys] if oldest_first else [key.desc() for key in keys]
    return wired(_LISTING.where(and_(*narrowed)).order_by(*order).limit(most + 1), {"reader": scope.agent_id})


async def count(tx: Tx, me: Me, filters: Filters) -> int:
    """How many there are, up to ``COUNTED_UP_TO``."""
    few = select(Case.id).where(visible(me), *conditions(filters)).limit(COUNTED_UP_TO).subquery()
    return int(await tx.value(select(func.count()).select_from(few)))


async def find(tx: Tx, me: Me, words: str, *, most: int = 30) -> Sequence[Row]:
    """Cases by number, by words of their messages, or by their customer; best first."""
    words = words.strip()
    if not words:
        return []
    scores: dict[int, float] = {}
    number = words.lstrip("#")
    if number.isascii() and number.isdigit() and len(number) < 18:
        case_id = await tx.value(select(Case.id).where(Case.number == int(number)))
        if case_id is not None:
            scores[case_id] = 10
    for row in await tx.rows(statements.search_messages, {"words": words, "begun": begun(words), "most": most * 4}):
        scores[row.case_id] = scores.get(row.case_id, 0) + row.score
    pattern = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    if len(words) >= 3:
        people = (
            select(Customer.id)
            .where(Customer.name.ilike(pattern))
            .limit(100)
            .union(select(ContactPoint.customer_id).where(ContactPoint.address.ilike(pattern)).limit(100))
        )
        for case_id in await tx.column(
            select(Case.id).where(Case.customer_id.in_(people)).order_by(Case.id.desc()).limit(most)
        ):
            scores[case_id] = scores.get(case_id, 0) + 1
    if not scores:
        return []
    rows = await tx.rows(
        _LISTING.where(Case.id.in_(scores), visible(me), Case.merged_into_id.is_(None)),
        {"reader": me.id},
    )
    return sorted(rows, key=lambda row: (-scores[row.id], -row.id))[:most]


def scope_of(me: Me) -> dict[str, Any]:
    """The same as ``visible``, for named statements."""
    return {
        "me": me.id,
        "everything": me.all_queues,
        "queue_ids": None if me.all_queues else sorted(me.queue_ids),
    }


async def get(tx: Tx, me: Me, case_id: int, *, lock: bool = False) -> Row:
    """One case that one may see. NotFound otherwise: whether it exists is not told."""
    row = await tx.first(statements.get_locked if lock else statements.get, {"case_id": case_id, **scope_of(me)})
    if row is None:
        raise NotFound(_("There is no such case."))
    return row


async def locked(tx: Tx, case_id: int) -> Row:
    """One case, held until the end of the transaction. NotFound."""
    row = await tx.first(select(Case.__table__).where(Case.id == case_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such case."))
    return row


async def timeline(tx: Tx, case_id: int, *, after: int = 0, most: int = 200) -> list[Row]:
    """The newest messages of a case, oldest first."""
    rows = await tx.rows(statements.timeline, {"case_id": case_id, "after": after, "most": most})
    return list(reversed(rows))


async def notes(tx: Tx, case_id: int) -> Sequence[Row]:
    """The notes of a case, oldest first."""
    return await tx.rows(statements.notes, {"case_id": case_id})


async def attachments(tx: Tx, case_id: int) -> Sequence[Row]:
    """The files of a case."""
    return await tx.rows(statements.attachments, {"case_id": case_id})


async def history(tx: Tx, case_id: int) -> Sequence[Row]:
    """The newest 500 events of a case, newest first."""
    return await tx.rows(statements.history, {"case_id": case_id})


async def links(tx: Tx, me: Me, case_id: int) -> Sequence[Row]:
    """Linked cases that one may see."""
    rows = await tx.rows(statements.links, {"case_id": case_id})
    seen = (
        set(await tx.column(select(Case.id).where(Case.id.in_([row.id for row in rows]), visible(me))))
        if rows
        else set()
    )
    return [row for row in rows if row.id in seen]


async def drafts(tx: Tx, me: Me, case_id: int) -> dict[str, Row]:
    """One's own drafts on a case, by kind."""
    rows = await tx.rows(statements.drafts, {"case_id": case_id, "agent_id": me.id})
    return {row.kind: row for row in rows}


async def views(tx: Tx, me: Me) -> Sequence[Row]:
    """Saved lists: everybody's and one's own."""
    return await tx.rows(statements.views, {"agent_id": me.id})


async def of_customer(tx: Tx, me: Me, customer_id: int, *, most: int = 20) -> Sequence[Row]:
    """A customer's cases that one may see, newest first."""
    return await tx.rows(
        statements.of_customer, {"customer_id": customer_id, "reader": me.id, "most": most, **scope_of(me)}
    )


OPEN = tuple(str(status) for status in OPEN_STATUSES)
