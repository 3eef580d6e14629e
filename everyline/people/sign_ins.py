"""Getting in, staying in, getting out: sign-ins, second factors, and links that work once.

A name that nobody has is treated as one that somebody has: the same sum is done, the same is answered.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TypedDict

from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy import text as literal

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound, ProductError
from everyline.ground.keys import Vault
from everyline.ground.words import _, speaking
from everyline.people import queries, rules
from everyline.people.actions import end_sign_ins, set_password
from everyline.people.models import Agent, OneTimeLink, RecoveryCode, SignIn, SignInAttempt
from everyline.people.passwords import fresh_token, matches, token_hash

PENDING = timedelta(minutes=10)  # for typing in the second factor
A_DAY = timedelta(hours=12)
A_WEEK = timedelta(days=7)
INVITATION = "invitation"
PASSWORD_RESET = "password reset"  # noqa: S105 -- the name of a purpose
VALID_FOR = {INVITATION: timedelta(days=7), PASSWORD_RESET: timedelta(hours=1)}

STEP_SECONDS = 30  # RFC 6238, section 5.2
STEPS_ASIDE = 1  # clocks may differ by so many steps
RECOVERY_CODES = 10

_at_once = asyncio.Semaphore(4)  # argon2 takes 19 MiB and a core for as long as it runs


class TooManyTries(ProductError):
    """It is not looked at now; in ``seconds`` it will be."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        when = _("in %s seconds") % seconds if seconds < 90 else _("in %s minutes") % minutes
        super().__init__(_("There were too many tries. Please try again %s.") % when)
        self.seconds = seconds


class WrongPassword(ProductError):
    """Name and password do not go together; which of the two it is is not said."""

    def __init__(self) -> None:
        super().__init__(_("This email address and this password do not go together."))


async def note_try(tx: Tx, name: str, address: str) -> int:
    """Write down a try before it is looked at, so that many at once cannot outrun the count; returns its id. TooManyTries."""
    at = now()
    for key in sorted((f"name {name}", f"address {address}")):
        await tx.execute(literal("select pg_advisory_xact_lock(hashtextextended(:key, 7))"), {"key": key})
    for kind, column, value in (("name", SignInAttempt.name, name), ("address", SignInAttempt.address, address)):
        recent = (
            select(SignInAttempt.at, SignInAttempt.succeeded)
            .where(column == value, SignInAttempt.at > at - timedelta(hours=1))
            .subquery()
        )
        # a sign-in that worked makes good what was mistyped before it, for the name; who tries many names has one of their own
        since = select(func.max(recent.c.at)).where(recent.c.succeeded).scalar_subquery() if kind == "name" else None
        failed = (
            ~recent.c.succeeded
            if since is None
            else (~recent.c.succeeded) & (recent.c.at > func.coalesce(since, at - timedelta(days=1)))
        )
        row = await tx.first(
            select(func.count(case((failed, 1))).label("n"), func.max(case((failed, recent.c.at))).label("last"))
        )
        assert row is not None
        left = rules.seconds_to_wait(kind, row.n) - (at - row.last).total_seconds() if row.last else 0
        if left > 0:
            raise TooManyTries(max(round(left), 1))
    attempt_id: int = await tx.value(
        insert(SignInAttempt).values(at=at, name=name, address=address, succeeded=False).returning(SignInAttempt.id)
    )
    return attempt_id


async def note_success(tx: Tx, attempt_id: int) -> None:
    """The try was a good one."""
    await tx.execute(update(SignInAttempt).where(SignInAttempt.id == attempt_id).values(succeeded=True))


async def right_password(database: Database, email: str, password: str, address: str) -> Row:
    """The agent whose email address and password these are. WrongPassword, TooManyTries."""
    name = email.strip().lower()[:320]
    async with database.transaction() as tx:
        attempt_id = await note_try(tx, name, address)
    async with database.transaction() as tx:
        row = await tx.first(select(Agent.__table__).where(func.lower(Agent.email) == name, Agent.active))
    async with _at_once:
        right = await asyncio.to_thread(matches, row.password_hash if row else None, password[:1000])
    if row is None or not right:
        raise WrongPassword
    async with database.transaction() as tx:
        await note_success(tx, attempt_id)
    return row


async def begin(
    tx: Tx, agent_id: int, *, pending: bool = False, keep: bool = False, user_agent: str = "", address: str = ""
) -> tuple[str, timedelta]:
    """Sign a browser in; returns its token and for how long it holds. ``pending``: the second factor is still to come."""
    token, kept = fresh_token()
    lasts = PENDING if pending else A_WEEK if keep else A_DAY
    await tx.execute(
        insert(SignIn).values(
            token_hash=kept,
            agent_id=agent_id,
            expires_at=now() + lasts,
            browser=rules.browser_words(user_agent),
            address=address,
            second_factor_pending=pending,
        )
    )
    if not pending:
        await tx.execute(update(Agent).where(Agent.id == agent_id).values(seen_at=now()))
        await events.record(tx, "agent.signed_in", actor_id=agent_id, agent_id=agent_id)
    return token, lasts


async def pending_agent(tx: Tx, token: str) -> Row | None:
    """Who still owes the second factor with this token; None when nobody does."""
    return await tx.first(
        select(Agent.__table__)
        .join(SignIn, SignIn.agent_id == Agent.id)
        .where(
            SignIn.token_hash == token_hash(token),
            SignIn.second_factor_pending,
            SignIn.expires_at > now(),
            Agent.active,
        )
    )


async def end(tx: Tx, token: str) -> int | None:
    """Sign one browser out; returns whose it was."""
    agent_id: int | None = await tx.value(
        delete(SignIn).where(SignIn.token_hash == token_hash(token)).returning(SignIn.agent_id)
    )
    if agent_id is not None:
        await events.record(tx, "sign_in.ended", actor_id=agent_id, agent_id=agent_id)
    return agent_id


async def of_agent(tx: Tx, agent_id: int) -> list[Row]:
    """The browsers an agent is signed in with, the last used first. ``mark`` names one without giving anything away."""
    mark = func.substr(func.encode(SignIn.token_hash, "hex"), 1, 16).label("mark")
    query = select(SignIn.__table__, mark).where(
        SignIn.agent_id == agent_id, SignIn.expires_at > now(), ~SignIn.second_factor_pending
    )
    return list(await tx.rows(query.order_by(SignIn.used_at.desc())))


async def end_one(tx: Tx, by: int, agent_id: int, mark: str) -> None:
    """Sign an agent out of one browser, named by its mark."""
    named = func.substr(func.encode(SignIn.token_hash, "hex"), 1, 16) == mark
    if await tx.first(delete(SignIn).where(SignIn.agent_id == agent_id, named).returning(SignIn.agent_id)) is None:
        raise NotFound(_("This sign-in has ended already."))
    await events.record(tx, "sign_in.ended", actor_id=by, agent_id=agent_id)


# --- second factor (RFC 6238) ----------------------------------------------------------------------------------------


async def prepare_second_factor(tx: Tx, vault: Vault, agent_id: int) -> str:
    """The secret for the agent's app (base 32): a fresh one, or the one that waits for its first code."""
    import pyotp

    row = await tx.first(
        select(Agent.second_factor, Agent.second_factor_since).where(Agent.id == agent_id).with_for_update()
    )
    if row is None or row.second_factor_since is not None:
        raise Conflict(_("The second factor is on already."))
    if row.second_factor is not None:
        return vault.open(row.second_factor)
    secret = pyotp.random_base32()
    await tx.execute(
        update(Agent).where(Agent.id == agent_id).values(second_factor=vault.lock(secret), second_factor_used=None)
    )
    return secret


async def turn_on_second_factor(
    tx: Tx, vault: Vault, agent_id: int, code: str, *, but: bytes | None = None
) -> list[str]:
    """The app works: ask for it from now on. Returns the recovery codes, which are shown only now. Invalid."""
    row = await tx.first(
        select(Agent.second_factor, Agent.second_factor_since).where(Agent.id == agent_id).with_for_update()
    )
    if row is None or row.second_factor is None or row.second_factor_since is not None:
        raise Conflict(_("The second factor is on already."))
    if not await _takes_app_code(tx, vault, agent_id, row.second_factor, code):
        raise Invalid(
            _("This code is not the right one. Look whether the clock of your phone is right."),
            {"code": _("Type the six digits that the app shows now.")},
        )
    await tx.execute(update(Agent).where(Agent.id == agent_id).values(second_factor_since=now()))
    await end_sign_ins(tx, agent_id, agent_id, but=but)
    await events.record(tx, "agent.second_factor_on", actor_id=agent_id, agent_id=agent_id)
    return await fresh_recovery_codes(tx, agent_id)


async def fresh_recovery_codes(tx: Tx, agent_id: int) -> list[str]:
    """New recovery codes; the old ones are worth nothing any more. 80 bits each, so that a plain hash is enough."""
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _number in range(RECOVERY_CODES)]
    await tx.execute(delete(RecoveryCode).where(RecoveryCode.agent_id == agent_id))
    await tx.many(insert(RecoveryCode), [{"agent_id": agent_id, "code_hash": _code_hash(code)} for code in codes])
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


async def takes_code(tx: Tx, vault: Vault, agent_id: int, code: str) -> bool:
    """Is this the second factor? A code of the app or a recovery code, each only once."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    locked = await tx.value(
        select(Agent.second_factor).where(Agent.id == agent_id, Agent.second_factor_since.is_not(None))
    )
    if locked is None:
        return False
    if plain.isdecimal():
        return await _takes_app_code(tx, vault, agent_id, locked, plain)
    taken = await tx.value(
        update(RecoveryCode)
        .where(
            RecoveryCode.agent_id == agent_id,
            RecoveryCode.code_hash == _code_hash(plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now())
        .returning(RecoveryCode.agent_id)
    )
    if taken is not None:
        await events.record(tx, "agent.recovery_code_used", actor_id=agent_id, agent_id=agent_id)
    return taken is not None


async def turn_off_second_factor(tx: Tx, by: int, agent_id: int) -> None:
    """Ask for no second factor any more."""
    await tx.execute(
        update(Agent)
        .where(Agent.id == agent_id)
        .values(second_factor=None, second_factor_since=None, second_factor_used=None)
    )
    await tx.execute(delete(RecoveryCode).where(RecoveryCode.agent_id == agent_id))
    await events.record(tx, "agent.second_factor_off", actor_id=by, agent_id=agent_id)


async def recovery_codes_left(tx: Tx, agent_id: int) -> int:
    """How many recovery codes can still be used."""
    return int(
        await tx.value(select(func.count()).where(RecoveryCode.agent_id == agent_id, RecoveryCode.used_at.is_(None)))
    )


async def _takes_app_code(tx: Tx, vault: Vault, agent_id: int, locked: bytes, code: str) -> bool:
    import pyotp

    app = pyotp.TOTP(vault.open(locked))
    given = "".join(letter for letter in code if letter.isdecimal())
    this_step = int(now().timestamp()) // STEP_SECONDS
    for step in range(this_step - STEPS_ASIDE, this_step + STEPS_ASIDE + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), given.encode()):
            # compare-and-set, so that of two who send the same code at once one comes in
            unused = func.coalesce(Agent.second_factor_used, 0) < step
            return (
                await tx.value(
                    update(Agent)
                    .where(Agent.id == agent_id, unused)
                    .values(second_factor_used=step)
                    .returning(Agent.id)
                )
                is not None
            )
    return False


def _code_hash(code: str) -> bytes:
    return hashlib.sha256(b"recovery code " + code.encode()).digest()


# --- links that work once --------------------------------------------------------------------------------------------


async def make_link(tx: Tx, by: int | None, agent_id: int, purpose: str) -> str:
    """A token for a link to a page where the agent sets a password; earlier ones are worth nothing any more."""
    token, kept = fresh_token()
    await tx.execute(delete(OneTimeLink).where(OneTimeLink.agent_id == agent_id))
    await tx.execute(
        insert(OneTimeLink).values(
            token_hash=kept, agent_id=agent_id, purpose=purpose, expires_at=now() + VALID_FOR[purpose]
        )
    )
    kind = "agent.invited" if purpose == INVITATION else "agent.reset_asked"
    await events.record(tx, kind, actor_id=by, agent_id=agent_id)
    return token


class Letter(TypedDict):
    """A letter to one of us, as ``dispatch.notify`` takes it."""

    idempotency_key: str
    address: str
    name: str
    subject: str
    text: str
    language: str


async def link_letter(tx: Tx, by: int | None, agent_id: int, purpose: str, address: str) -> Letter:
    """Make a link, and the letter that brings it, in the agent's language: what ``dispatch.notify`` takes. ``address`` is
    that of the product, without a slash at its end."""
    agent = await queries.get(tx, agent_id)
    organisation = await queries.organisation_name(tx)
    token = await make_link(tx, by, agent_id, purpose)
    words = {"name": agent.name, "organisation": organisation, "link": f"{address}/password/{token}"}
    with speaking(agent.language):
        if purpose == INVITATION:
            subject = _("Your place at the desk of {organisation}")
            text = _(
                "Hello {name},\n\nyou have been added to the desk of {organisation}. "
                "Choose a password here, within seven days:\n\n{link}\n"
            )
        else:
            subject = _("A new password for the desk of {organisation}")
            text = _(
                "Hello {name},\n\nsomebody asked for a new password for you at the desk of {organisation}. "
                "Choose one here, within one hour:\n\n{link}\n\n"
                "If that was not you, there is nothing to do: your password stays as it is.\n"
            )
        return {
            "idempotency_key": f"link:{token_hash(token).hex()}",
            "address": agent.email,
            "name": agent.name,
            "subject": subject.format(**words),
            "text": text.format(**words),
            "language": agent.language,
        }


async def linked_agent(tx: Tx, token: str) -> Row:
    """Whose link this is, with its ``purpose``. NotFound when it is used, too old, or never was."""
    row = await tx.first(
        select(Agent.__table__, OneTimeLink.purpose)
        .join(OneTimeLink, OneTimeLink.agent_id == Agent.id)
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now(),
            Agent.active,
        )
    )
    if row is None or not token:
        raise NotFound(_("This link has been used, or is too old. Ask for a new one."))
    return row


async def use_link(tx: Tx, token: str, password: str) -> int:
    """Set the password by a link; returns whose it is. The link is used up, and every browser is signed out."""
    row = await linked_agent(tx, token)
    used = (
        update(OneTimeLink)
        .where(OneTimeLink.token_hash == token_hash(token), OneTimeLink.used_at.is_(None))
        .values(used_at=now())
    )
    if await tx.value(used.returning(OneTimeLink.agent_id)) is None:
        raise NotFound(_("This link has been used, or is too old. Ask for a new one."))
    await set_password(tx, row.id, row.id, password)
    return int(row.id)
