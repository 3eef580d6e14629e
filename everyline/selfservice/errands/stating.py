"""Statements: what they say, how they are made, and where they go. Made by a worker, never by who asks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy import text as literal

from everyline.customers import queries as customers
from everyline.customers.models import ContactPoint
from everyline.dispatch import actions as dispatch
from everyline.ground import events
from everyline.ground.addresses import POSTAL
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.installation import Ground
from everyline.ground.moments import zone
from everyline.ground.pages import environment
from everyline.ground.words import _, language, languages, speaking
from everyline.people.queries import installation
from everyline.selfservice.errands import appointing, printing
from everyline.selfservice.errands.models import ErrandDone, Statement
from everyline.selfservice.errands.status import STATES
from everyline.selfservice.errands.times import said, said_clock

log = logging.getLogger(__name__)

HOLDS = timedelta(hours=24)  # how long a link leads to a statement
MOST_ATTEMPTS = 5
MOST_ROWS = 200  # of each kind
AT_ONCE = 20
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_TOKEN = re.compile(r"(\d{1,18})-([a-z2-7]{32})")

_CASES = literal(
    'select number, subject, status, opened_at from "case" where customer_id = :customer_id and merged_into_id is null '
    "and status not in ('resolved', 'closed') and opened_at <= :at order by id desc limit :most"
)
_DUE = literal(
    "update statement set attempts = attempts + 1, due_at = cast(:at as timestamptz) + attempts * interval '5 minutes' + interval '2 minutes' "
    "where id = (select id from statement where state = 'asked' and due_at <= :at order by due_at, id limit 1 for update skip locked) "
    "returning *"
)


def token(key: bytes, statement_id: int) -> str:
    """What leads to a statement: its id with 160 bits that nobody can guess (HMAC-SHA256 in base 32)."""
    digest = hmac.digest(
        hashlib.sha256(b"everyline statement" + key).digest(), str(statement_id).encode("ascii"), "sha256"
    )
    return f"{statement_id}-{base64.b32encode(digest[:20]).decode('ascii').lower()}"


async def found(tx: Tx, key: bytes, given: str) -> Row:
    """The statement that a token leads to (state, file_hash, language). NotFound when there is none or its time is over."""
    match = _TOKEN.fullmatch(given)
    row = None
    if match is not None and hmac.compare_digest(token(key, int(match[1])), given):
        row = await tx.first(
            select(Statement.__table__).where(Statement.id == int(match[1]), Statement.expires_at > now())
        )
    if row is None:
        raise NotFound(_("There is no such statement, or its link is over. Ask for a new one."))
    return row


async def html_of(tx: Tx, row: Row, titles: Mapping[str, str]) -> str:
    """What a statement says, in its language: the same whenever it is read, as long as nothing was changed. ``titles`` are those of
    the errands, by name, to be translated."""
    customer = await customers.get(tx, row.customer_id)
    house = await installation(tx)
    place = customer.zone or str(house["zone"])
    at: datetime = row.asked_at
    points = [one for one in await customers.points(tx, customer.id) if one.kind == POSTAL and one.bad_since is None]
    lines = points[0].address.splitlines() if points else []
    cases = await tx.rows(_CASES, {"customer_id": customer.id, "at": at, "most": MOST_ROWS})
    dates = await appointing.of_customer(tx, customer.id, after=at, most=MOST_ROWS)
    done = await tx.rows(
        select(ErrandDone.errand, ErrandDone.at, ErrandDone.undone_at)
        .where(ErrandDone.customer_id == customer.id, ErrandDone.at < at)
        .order_by(ErrandDone.at.desc(), ErrandDone.id.desc())
        .limit(MOST_ROWS)
    )
    with speaking(row.language):
        spoken = row.language if row.language in languages() else languages()[0]
        return (
            environment()
            .get_template("selfservice/statement.html")
            .render(
                language=spoken,
                direction="rtl" if spoken in RIGHT_TO_LEFT else "ltr",
                house=str(house["organisation"]),
                created=f"{at:%Y-%m-%dT%H:%M:%SZ}",
                name=customer.name,
                address=[line for line in lines if line.casefold() != customer.name.casefold()],
                day=said(at, place),
                cases=[
                    {
                        "number": one.number,
                        "subject": one.subject or _("(no subject)"),
                        "state": _(STATES[one.status]),
                        "since": _date(one.opened_at, place),
                    }
                    for one in cases
                ],
                appointments=[
                    {"number": one.id, "name": one.kind_name, "when": said(one.starts_at, one.zone)} for one in dates
                ],
                errands=[
                    {
                        "when": f"{_date(one.at, place)}, {said_clock(one.at, place)}",
                        "what": _(titles.get(one.errand, one.errand)),
                        "undone": _date(one.undone_at, place) if one.undone_at is not None else "–",
                    }
                    for one in done
                ],
            )
        )


def _date(moment: datetime, place: str) -> str:
    from babel.dates import format_date

    return str(format_date(moment.astimezone(zone(place)).date(), "medium", locale=language()))


async def make_due(ground: Ground, titles: Mapping[str, str]) -> int:
    """Make the statements that were asked for, and send those that go by mail; returns how many. One that fails is tried again
    later, and in the end said to have failed."""
    made = 0
    for _n in range(AT_ONCE):
        async with ground.database.transaction() as tx:
            row = await tx.first(_DUE, {"at": now()})
        if row is None:
            break
        try:
            async with ground.database.transaction(reading=True) as tx:
                html = await html_of(tx, row, titles)
            file_hash = await ground.files.put(await printing.printed(html))  # no transaction is open meanwhile
            async with ground.database.transaction() as tx:
                await _made(tx, ground, row, file_hash)
            made += 1
        except (printing.Unprinted, ProductError) as error:
            log.warning("statement %s could not be made: %s", row.id, error)
            await _failed(ground, row)
    return made


async def _failed(ground: Ground, row: Row) -> None:
    if row.attempts < MOST_ATTEMPTS:
        return
    async with ground.database.transaction() as tx:
        await tx.execute(update(Statement).where(Statement.id == row.id).values(state="failed"))
        await events.record(tx, "statement.failed", customer_id=row.customer_id, statement_id=row.id)


async def _made(tx: Tx, ground: Ground, row: Row, file_hash: str) -> None:
    """Conflict, and so another attempt, when no line reaches a mailbox."""
    taken = update(Statement).where(Statement.id == row.id, Statement.state == "asked")
    if await tx.execute(taken.values(state="made", made_at=now(), file_hash=file_hash)) != 1:
        return  # another worker was faster
    customer = await customers.get(tx, row.customer_id)
    if row.way == "mail":
        point = await tx.first(
            select(ContactPoint.address, ContactPoint.customer_id, ContactPoint.verified_at).where(
                ContactPoint.id == row.contact_point_id
            )
        )
        if point is not None and point.customer_id == customer.id and point.verified_at is not None:
            await _mail(tx, ground, row, customer, point.address, file_hash)
    await events.record(tx, "statement.made", customer_id=customer.id, statement_id=row.id, way=row.way)


async def _mail(tx: Tx, ground: Ground, row: Row, customer: Row, address: str, file_hash: str) -> None:
    with speaking(row.language):
        house = str((await installation(tx))["organisation"])
        words = (_("Hello,"), _("here is the statement that you asked for."), house)
        await dispatch.notify(
            tx,
            ground.vault,
            idempotency_key=f"statement:{row.id}",
            address=address,
            name=customer.name,
            subject=_("Your statement from %s") % house,
            text="\n\n".join(words),
            language=row.language,
            files=[(file_hash, file_name(row), "application/pdf")],
        )


def file_name(row: Row) -> str:
    """What the file of a statement is called."""
    return f"{row.asked_at:%Y-%m-%d}-statement.pdf"
