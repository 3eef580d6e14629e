"""Finding out who somebody is: the dialogue that an Identify step goes through where their channel does not show it. A code goes
to a mailbox that we know and that is proved; who tells it has it. Every mailbox gets the same answers. Where the house has
questions that only its customers can answer, they choose between these (``questioning``) and a code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

from sqlalchemy import select

from everyline.customers import queries as customers
from everyline.customers import sign_ins
from everyline.customers.models import ContactPoint
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, ProductError
from everyline.ground.installation import Ground
from everyline.ground.words import _, mark, speaking
from everyline.people.queries import organisation_name
from everyline.people.sign_ins import TooManyTries
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Choose,
    Condition,
    Done,
    Errand,
    Flow,
    Identify,
    Option,
    Say,
    Way,
    in_all_languages,
)
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.walking import Came

NAME = "(who)"  # which no flow of anybody's can have
SEND, CHECK = "(send-code)", "(check-code)"
MOST_TRIES = 3
WAYS = "ways"  # the slot that is given where there is more than one
CHALLENGE = "challenge"  # the slot in which it is kept; nobody is shown a secret


@cache
def flow() -> Flow:
    """The dialogue, in every language there is a catalogue for."""
    return Flow(
        NAME,
        title=in_all_languages(mark("Who are you?")),
        start="ways",
        steps=(
            Branch("ways", ways=(Way(when=(Condition(about=f"slot.{WAYS}", holds="given"),), to="way"),), otherwise="known"),
            Choose(
                "way",
                words=in_all_languages(mark("So that nobody else gets at what is yours: how do you want to show who you are?")),
                options=(
                    Option(name="code", words=in_all_languages(mark("By a code to my email address")), to="known"),
                    Option(name="questions", words=in_all_languages(mark("By questions that I can answer")), to="questions"),
                ),
                fail="failed",
            ),
            Identify("questions", level=int(Level.PROVED), by="questions", to="end", fail="failed"),
            Branch("known", ways=(Way(when=(Condition(about="slot.mailbox", holds="given"),), to="send"),), otherwise="mailbox"),
            Ask(
                "mailbox",
                words=in_all_languages(mark("So that nobody else gets at what is yours: what is the email address that we know of you? We send a code there.")),
                slot=Slot(Kind.EMAIL, "mailbox"),
                to="send",
                fail="failed",
            ),
            Errand("send", errand=SEND, values={"mailbox": "{mailbox}"}, into="sent", done="code", refused="failed"),
            Ask(
                "code",
                words=in_all_languages(mark("We have sent a code of six digits to {mailbox}, if we know that address. Which one is it?")),
                slot=Slot(Kind.DIGITS, "code", least=6, most=6),
                to="check",
                fail="failed",
            ),
            Errand("check", errand=CHECK, values={"code": "{code}", CHALLENGE: "{sent.challenge}"}, done="end", refused="again"),
            Branch(
                "again",
                ways=(Way(when=(Condition(about="times.check", holds="at least", value=MOST_TRIES),), to="failed"),),
                otherwise="wrong",
            ),
            Say("wrong", words=in_all_languages(mark("This code is not the right one, or its ten minutes are over.")), to="code"),
            Done("failed", words=in_all_languages(mark("We could not find out who you are.")), outcome="left"),
            Done("end"),
        ),
    )  # fmt: skip


async def known_mailbox(tx: Tx, who: Who) -> dict[str, Value]:
    """The slots that the dialogue begins with: where a code can go to whose address we know already."""
    if not who.shows(Level.ADDRESS) or who.customer_id is None:
        return {}
    point = next(
        (one for one in await customers.points(tx, who.customer_id) if one.kind == MAILBOX and one.verified_at), None
    )
    return {} if point is None else {"mailbox": Value(Kind.EMAIL, point.address)}


async def send(ground: Ground, address: str, who: Who, key: str) -> Came:
    """Send a code, once for each key."""
    try:
        async with ground.database.transaction() as tx:
            asked = await sign_ins.ask_for_code(tx, address, _network(key))
            if asked.sends:
                await _letter(tx, ground, asked, who.language)
    except TooManyTries as error:
        return Came("refused", told=error.message)
    except Conflict:
        return Came("down")
    except ProductError:
        return Came("refused")
    return Came("done", {CHALLENGE: Value(Kind.SECRET, asked.challenge)})


async def _letter(tx: Tx, ground: Ground, asked: sign_ins.Asked, language: str) -> None:
    house = await organisation_name(tx)
    with speaking(asked.language or language):
        text = "\n\n".join(
            (
                _("Somebody, most likely you, wants to get something done at %s.") % house,
                _("The code is: %s") % f"{asked.code[:3]} {asked.code[3:]}",
                _("It holds for ten minutes. Type it where you were asked for it, and tell it nobody."),
                _("If it was not you, do nothing: nothing is done without the code."),
                house,
            )
        )
        subject = _("Your code for %s") % house
    await dispatch.notify(
        tx,
        ground.vault,
        idempotency_key=f"code:{hashlib.sha256(asked.challenge.encode()).hexdigest()}",
        address=asked.address,
        name=asked.name,
        subject=subject,
        text=text + "\n",
        language=asked.language or language,
    )


async def check(ground: Ground, challenge: str, code: str, who: Who, key: str) -> tuple[Came, Who]:
    """Is it the code? Who tells it is who has the mailbox that it went to, if that is proved."""
    try:
        row = await sign_ins.enter_code(ground.database, challenge, code, _network(key))
    except ProductError:
        return Came("refused"), who
    async with ground.database.transaction() as tx:
        point = await tx.first(
            select(ContactPoint.id, ContactPoint.customer_id, ContactPoint.verified_at).where(
                ContactPoint.kind == row.kind, ContactPoint.address == row.address
            )
        )
        if point is None:
            return Came("refused"), who
        await sign_ins.prove(tx, point.id)
    return Came("done"), replace(who, customer_id=point.customer_id, level=Level.PROVED, point_id=point.id)


def _network(key: str) -> str:
    """Whose tries are counted: those of the run."""
    return key.rpartition(":")[0]
