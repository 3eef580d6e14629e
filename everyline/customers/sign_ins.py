"""Customers getting in, staying in and getting out: by a code that is sent to an address of theirs.

Who asks with an address that nobody has gets the same answers after the same work; only no code is sent. A code is six digits,
holds ten minutes, takes five tries, and works only in the browser that asked for it: what is kept of it is a hash together with a
challenge of 256 bits that only that browser holds.

A contact point that is not proved opens nothing. A new address of a customer becomes a contact point of theirs only when it is proved: until
then a letter from it is not theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, text, update

from everyline.customers import actions, queries, rules
from everyline.customers.models import ContactPoint, Customer, CustomerSignIn, ProofCode
from everyline.customers.rules import SignedInCustomer
from everyline.ground import addresses, events
from everyline.ground.clock import now
from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import Conflict, Invalid, ProductError
from everyline.ground.words import _
from everyline.people.passwords import fresh_token, token_hash
from everyline.people.rules import browser_words
from everyline.people.sign_ins import note_success, note_try

SIGN_IN = "sign in"
ADD = "add"
A_DAY = timedelta(hours=12)
A_MONTH = timedelta(days=30)

_BY_TOKEN = text(
    "select p.id as point_id, p.kind, p.address, c.id as customer_id, c.name, c.language, c.zone, "
    "s.used_at < now() - interval '1 minute' as stale from customer_sign_in s join contact_point p on p.id = s.contact_point_id "
    "join customer c on c.id = p.customer_id where s.token_hash = :hash and s.expires_at > now() and p.verified_at is not null"
)
_USED = text("update customer_sign_in set used_at = now() where token_hash = :hash")
_TRY = (
    update(ProofCode)
    .values(tries=ProofCode.tries + 1)
    .where(ProofCode.used_at.is_(None), ProofCode.tries < rules.MOST_TRIES)
    .returning(*ProofCode.__table__.c)
)


class WrongCode(ProductError):
    """The code is not the right one, is over, or was tried too often; which of these is not said."""

    status = 422

    def __init__(self) -> None:
        super().__init__(_("This code is not the right one, or its ten minutes are over."))


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that was asked for. ``challenge`` is for the browser; the code is to be sent only when ``sends``."""

    challenge: str
    code: str
    address: str  # normal form
    language: str
    sends: bool
    name: str = ""


async def ask_for_code(
    tx: Tx, typed: str, network: str, *, customer_id: int | None = None, kind: str = addresses.MAILBOX
) -> Asked:
    """Make a code for an address: to sign in with, or, with ``customer_id``, to add it to what that customer has.

    ``network`` is the address that the request came from. Raises Invalid, TooManyTries.
    """
    try:
        address = addresses.normal(kind, typed)
    except ValueError as error:
        said = _("Please check your email address: it looks like name@example.org")
        raise Invalid(said, {"address": said}) from error
    attempt_id = await note_try(tx, _counted(kind, address), network)
    point = await tx.first(
        select(ContactPoint.__table__).where(ContactPoint.kind == kind, ContactPoint.address == address)
    )
    whose = customer_id if customer_id is not None else point.customer_id if point else None
    row = await tx.first(select(Customer.__table__).where(Customer.id == whose))
    challenge, kept = fresh_token()
    code = f"{secrets.randbelow(1_000_000):06}"
    await tx.execute(
        insert(ProofCode).values(
            challenge_hash=kept,
            purpose=SIGN_IN if customer_id is None else ADD,
            kind=kind,
            address=address,
            customer_id=customer_id,
            code_hash=_hash(challenge, code),
            attempt_id=attempt_id,
            expires_at=now() + rules.CODE_HOLDS,
        )
    )
    known = row is not None
    return Asked(challenge, code, address, row.language if row else "", known, row.name if row else "")


async def asked_address(tx: Tx, challenge: str, purpose: str) -> str:
    """The address that a code of this browser was asked for; empty when there is none that may still be entered."""
    found = await tx.value(
        select(ProofCode.address).where(
            ProofCode.challenge_hash == token_hash(challenge),
            ProofCode.purpose == purpose,
            ProofCode.used_at.is_(None),
            ProofCode.expires_at > now(),
        )
    )
    return str(found or "")


async def enter_code(database: Database, challenge: str, typed: str, network: str, purpose: str = SIGN_IN) -> Row:
    """The row of the code, used up. The try is counted before it is looked at, in a transaction of its own, so that many at once
    cannot outrun the count. Raises WrongCode, TooManyTries."""
    async with database.transaction() as tx:
        row = await tx.first(
            _TRY.where(
                ProofCode.challenge_hash == token_hash(challenge),
                ProofCode.purpose == purpose,
                ProofCode.expires_at > now(),
            )
        )
        attempt_id = 0
        if row is not None:
            attempt_id = await note_try(tx, _counted(row.kind, row.address), network)
    code = rules.digits(typed)
    if row is None or not hmac.compare_digest(bytes(row.code_hash), _hash(challenge, code)):
        raise WrongCode
    async with database.transaction() as tx:
        used = update(ProofCode).where(ProofCode.challenge_hash == row.challenge_hash, ProofCode.used_at.is_(None))
        if await tx.execute(used.values(used_at=now())) != 1:
            raise WrongCode  # the same code was entered twice at once
        for one in (row.attempt_id, attempt_id):
            await note_success(tx, one)
    return row


async def begin(
    database: Database, challenge: str, typed: str, network: str, *, keep: bool = False, user_agent: str = ""
) -> tuple[str, timedelta]:
    """Sign a browser in by its code; returns its token and for how long it holds. The contact point is proved by it. Raises
    WrongCode, TooManyTries."""
    row = await enter_code(database, challenge, typed, network)
    async with database.transaction() as tx:
        point = await tx.first(
            update(ContactPoint)
            .where(ContactPoint.kind == row.kind, ContactPoint.address == row.address)
            .values(verified_at=func.coalesce(ContactPoint.verified_at, now()))
            .returning(ContactPoint.id, ContactPoint.customer_id)
        )
        if point is None:
            raise WrongCode
        token, kept = fresh_token()
        lasts = A_MONTH if keep else A_DAY
        await tx.execute(
            insert(CustomerSignIn).values(
                token_hash=kept,
                contact_point_id=point.id,
                expires_at=now() + lasts,
                browser=browser_words(user_agent),
            )
        )
        await events.record(tx, "customer.signed_in", customer_id=point.customer_id, contact_point_id=point.id)
    return token, lasts


async def prove(tx: Tx, point_id: int) -> None:
    """A code that went to a contact point came back."""
    await tx.execute(
        update(ContactPoint)
        .where(ContactPoint.id == point_id)
        .values(verified_at=func.coalesce(ContactPoint.verified_at, now()))
    )


async def add_proved(database: Database, customer_id: int, challenge: str, typed: str, network: str) -> bool:
    """Give a customer the address whose code they entered. Returns True when another record was joined with theirs by it: one
    that had no other address. Raises WrongCode, TooManyTries, Conflict when it belongs to a record with more than that."""
    row = await enter_code(database, challenge, typed, network, ADD)
    async with database.transaction() as tx:
        own = await queries.get(tx, customer_id)
        asked = await queries.get(tx, row.customer_id)
        if asked.id != own.id:
            raise WrongCode
        await tx.execute(queries.statements.lock_addresses, {"addresses": [f"{row.kind}:{row.address}"]})
        held = await tx.first(
            select(ContactPoint.__table__).where(ContactPoint.kind == row.kind, ContactPoint.address == row.address)
        )
        joined = False
        if held is not None and held.customer_id != own.id:
            if len(await queries.points(tx, held.customer_id)) > 1:
                raise Conflict(
                    _("This address stands in another record of ours. Please write to us: we can make the two one.")
                )
            await actions.merge(tx, None, own.id, held.customer_id)
            joined = True
        point_id = await actions.add_point(tx, None, own.id, kind=row.kind, address=row.address)
        await tx.execute(
            update(ContactPoint)
            .where(ContactPoint.id == point_id)
            .values(verified_at=func.coalesce(ContactPoint.verified_at, now()))
        )
        await events.record(tx, "contact_point.verified", customer_id=own.id, contact_point_id=point_id)
    return joined


async def who_asks(tx: Tx, token: str) -> SignedInCustomer | None:
    """The customer behind a browser's token; None when there is none."""
    if not token:
        return None
    hashed = token_hash(token)
    row = await tx.first(_BY_TOKEN, {"hash": hashed})
    if row is None:
        return None
    if row.stale:
        await tx.execute(_USED, {"hash": hashed})
    return SignedInCustomer(row.customer_id, row.name, row.language, row.zone, row.point_id, row.kind, row.address)


async def end(tx: Tx, token: str) -> None:
    """Sign one browser out."""
    await tx.execute(delete(CustomerSignIn).where(CustomerSignIn.token_hash == token_hash(token)))


async def of_customer(tx: Tx, customer_id: int) -> list[Row]:
    """The browsers that a customer is signed in with, the last used first. ``mark`` names one without giving anything away."""
    mark = func.substr(func.encode(CustomerSignIn.token_hash, "hex"), 1, 16).label("mark")
    query = (
        select(CustomerSignIn.__table__, mark, ContactPoint.address)
        .join(ContactPoint, ContactPoint.id == CustomerSignIn.contact_point_id)
        .where(ContactPoint.customer_id == customer_id, CustomerSignIn.expires_at > now())
    )
    return await tx.rows(query.order_by(CustomerSignIn.used_at.desc()))


async def end_others(tx: Tx, customer_id: int, token: str) -> None:
    """Sign a customer out everywhere but in this browser."""
    points = select(ContactPoint.id).where(ContactPoint.customer_id == customer_id)
    await tx.execute(
        delete(CustomerSignIn).where(
            CustomerSignIn.contact_point_id.in_(points), CustomerSignIn.token_hash != token_hash(token)
        )
    )
    await events.record(tx, "customer.signed_out_elsewhere", customer_id=customer_id)


def _counted(kind: str, address: str) -> str:
    """Under which name tries are counted."""
    return f"customer {kind} {address}"


def _hash(challenge: str, code: str) -> bytes:
    return hashlib.sha256(f"{challenge} {code}".encode()).digest()
