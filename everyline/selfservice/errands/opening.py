"""How an errand opens a case: whose it is, where it is answered, in which queue it waits.

Who has shown who they are gets a case of their own. Of who has not, only an address is known that they say is theirs. If nobody has
it, whoever has it from now on is a new customer; if somebody has, nothing is shown and nothing changed of them: the case is a
stranger's, who asks for answers there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from everyline.cases import actions as cases
from everyline.cases.actions import Opened
from everyline.channel_contract import Address
from everyline.channel_registry import reaching
from everyline.customers import actions as customers
from everyline.customers import queries as customer_queries
from everyline.customers import rules as customer_rules
from everyline.customers.models import ContactPoint
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import HANDLE, MAILBOX, NUMBER, VISITOR
from everyline.ground.database import Row
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.queues import actions as queues
from everyline.queues import callbacks
from everyline.queues import queries as queue_queries
from everyline.queues.waiting import Waiting
from everyline.selfservice.errands.contract import Asking, Unable

NOBODY = Address(HANDLE, "unknown@nowhere", "")  # who told something and not who they are
MEDIA_CLASS = "mail"  # nobody waits on the line: it is answered later


@dataclass(frozen=True, slots=True)
class Matter:
    """What a case is opened with. ``fields`` are shown to agents beside the text, by label."""

    subject: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    queue: str = ""  # the name of one; empty: that of the house's choice
    callback_after: datetime | None = None
    callback_number: str = ""  # they are to be called at


@dataclass(frozen=True, slots=True)
class _From:
    customer_id: int
    point_id: int
    kind: str
    answer_to: Address | None = None


async def open_case(asking: Asking, matter: Matter, said: Sequence[Address] = (), *, nameless: bool = False) -> Opened:
    """Open a case and let it wait in its queue. ``said`` are addresses that they say are theirs, ``nameless``: it may be without
    any. Invalid when there is nowhere to answer to; Unable when no line of ours is open."""
    tx = asking.tx
    whose = await _whose(asking, said, nameless=nameless)
    line = await _line(asking, whose.answer_to.kind if whose.answer_to else whose.kind)
    queue_id = await _queue(asking, matter, line)
    facts: dict[str, object] = {"fields": dict(matter.fields)} if matter.fields else {}
    if whose.answer_to is not None:
        facts["reply_to"] = [whose.answer_to.kind, whose.answer_to.address, whose.answer_to.name]
    opened = await cases.open_by_customer(
        tx,
        whose.customer_id,
        subject=matter.subject,
        text=matter.text,
        contact_point_id=whose.point_id,
        line_id=line.id,
        channel=line.channel,
        media_class=MEDIA_CLASS,
        queue_id=queue_id,
        language=asking.language,
        tags=matter.tags,
        due_at=await queue_queries.goal(tx, queue_id, asking.at),
        facts=facts,
    )
    if matter.callback_number:
        await callbacks.ask(tx, opened.case_id, matter.callback_number)
    waiting = Waiting(
        queue_id,
        opened.interaction_id,
        opened.case_id,
        line.channel,
        language=asking.language,
        callback_after=matter.callback_after,
        media_class=await callbacks.media_class(tx, opened.case_id) or MEDIA_CLASS,
    )
    await queues.enter(tx, [waiting])
    return opened


async def _whose(asking: Asking, said: Sequence[Address], *, nameless: bool) -> _From:
    if asking.customer_id is not None:
        return await _own(asking, said)
    for address in said:
        return await _strangers(asking, address)
    if not nameless:
        words = _("Please tell us where we can answer you: an email address or a telephone number.")
        raise Invalid(words, {"email": words})
    known = (await customers.find_or_create(asking.tx, [NOBODY]))[NOBODY.kind, NOBODY.address]
    return _From(known.customer_id, known.point_id, NOBODY.kind)


async def _own(asking: Asking, said: Sequence[Address]) -> _From:
    """The address that they asked from, else the first of theirs that we can answer to; one that they only say is theirs is where
    they ask for answers."""
    points = await customer_queries.points(asking.tx, asking.own)
    able = [point for point in points if point.kind != VISITOR and reaching(point.kind) and point.bad_since is None]
    chosen = next((point for point in able if point.id == asking.point_id), able[0] if able else None)
    theirs = {(point.kind, point.address): point for point in points}
    for address in said:
        known = theirs.get((address.kind, address.address))
        if known is not None:
            return _From(asking.own, known.id, known.kind)
        shown = chosen or next(
            (point for point in points if point.id == asking.point_id), points[0] if points else None
        )
        if shown is not None:
            return _From(asking.own, shown.id, shown.kind, address)
    if chosen is None:
        words = _("Please tell us where we can answer you: an email address or a telephone number.")
        raise Invalid(words, {"email": words})
    return _From(asking.own, chosen.id, chosen.kind)


async def _strangers(asking: Asking, address: Address) -> _From:
    tx = asking.tx
    digest = hashlib.sha256(asking.ground.key + asking.key.encode()).hexdigest()[:16]
    stranger = Address(HANDLE, f"{digest}@nowhere", customer_rules.name_for(address.name, address.address))
    await customers.hold(tx, [address, stranger])
    taken = await tx.value(
        select(ContactPoint.id).where(ContactPoint.kind == address.kind, ContactPoint.address == address.address)
    )
    one = address if taken is None else stranger
    known = (await customers.find_or_create(tx, [one], {(one.kind, one.address): asking.language}))[
        one.kind, one.address
    ]
    return _From(known.customer_id, known.point_id, one.kind, None if taken is None else address)


async def _line(asking: Asking, kind: str) -> Row:
    """The line that it is answered on; who can only be called is an agent's to call, from the first line that is open."""
    for wanted in dict.fromkeys((kind, MAILBOX)):
        try:
            return await dispatch.answer_line(asking.tx, None, wanted)
        except Conflict:
            continue
    raise Unable("no line is open that could answer a case")


async def _queue(asking: Asking, matter: Matter, line: Row) -> int:
    rows = await queue_queries.all_queues(asking.tx)
    if matter.queue:
        named = {row.name.casefold(): row.id for row in rows}
        if matter.queue.casefold() not in named:
            raise NotFound(_("There is no such queue: %s") % matter.queue)
        return int(named[matter.queue.casefold()])
    in_use = {row.id for row in rows}
    wanted = (asking.queue_id, line.queue_id, await queue_queries.default_queue(asking.tx))
    found = next((one for one in wanted if one in in_use), None)  # what the house chose may be out of use since
    if found is None:
        raise Unable("there is no queue")
    return int(found)


def addresses_said(name: str | None, email: str | None, phone: str | None) -> list[Address]:
    """The addresses that somebody says are theirs, the one to answer to first."""
    given = [(MAILBOX, email), (NUMBER, phone)]
    return [Address(kind, address, name or "") for kind, address in given if address]
