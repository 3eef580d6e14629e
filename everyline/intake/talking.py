"""The verbs of talks: what agents and supervisors do in them, what their customers do beside writing, and what time does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from everyline.cases import actions as cases
from everyline.cases import queries as case_queries
from everyline.cases.rules import CALLBACK, OPEN_STATUSES, Status, fill_in
from everyline.cases.talks import FLOW
from everyline.channel_contract import Address, Card, Page, SurveyQuestion
from everyline.dispatch import actions as dispatch
from everyline.dispatch import talks as saying
from everyline.ground import events, sql
from everyline.ground.addresses import MAILBOX, NUMBER, normal
from everyline.ground.bus import Bus
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.keys import CaseSigner
from everyline.ground.words import _, speaking
from everyline.intake import letters, self_service
from everyline.people.queries import organisation_name
from everyline.people.rules import Me
from everyline.queues import actions as queues
from everyline.queues import callbacks
from everyline.queues import queries as queue_queries

statements = sql.beside(__file__, "talks.sql")

WORD = "talk"  # what transient words about talks are called on the bus
MOST_LIVE = 500
MOST_CANNED = 12  # offered at a time


class Surveys(Protocol):
    """Asks what customers think of a talk."""

    async def ask(self, tx: Tx, case_id: int, agent_id: int | None, token: str) -> str:
        """Write a question down under this token; its kind, or nothing when this customer is not to be asked."""

    def question(self, kind: str, token: str) -> SurveyQuestion:
        """The question in the current language."""

    async def answer(self, tx: Tx, token: str, score: int, words: str) -> None:
        """What the customer says. NotFound, Conflict, Invalid."""


# --- agents and supervisors


def typing(bus: Bus, me: Me, case_id: int, *, on: bool) -> None:
    """An agent writes in the talks of a case, or no longer. Kept nowhere."""
    agent = {"name": me.name, "initials": me.initials, "hue": me.hue}
    bus.say({"kind": WORD, "what": "typing", "by": "agent", "case": case_id, "agent": agent, "on": on})


async def read(tx: Tx, bus: Bus, case_id: int) -> None:
    """What the customer said in a case up to now was read by who works on it."""
    for row in await tx.rows(statements.read, {"case_id": case_id}):
        bus.say({"kind": WORD, "what": "read", "case": case_id, "upto": row.read_upto})


async def push_card(tx: Tx, signer: CaseSigner, by: int, case_id: int, card: Card) -> int:
    """Push an article or a page into a talk; returns the message's id. Where no cards are shown it is its words and address."""
    words = "\n".join(part for part in (card.title, card.extract, card.url) if part)
    return await dispatch.answer(tx, signer, by, case_id, words, card=card)


async def end(tx: Tx, by: int, case_id: int) -> None:
    """An agent ends the talk of a case; whose it is wraps it up. Conflict when none goes on."""
    await queues.end_talk(tx, by, case_id, "agent")


async def whisper(tx: Tx, by: int, case_id: int, text: str) -> int:
    """Say something to whoever talks with a customer that the customer never sees; returns the note's id."""
    row = await case_queries.locked(tx, case_id)
    note_id = await cases.note(tx, by, case_id, text, mentions=[row.owner_id] if row.owner_id else [])
    await events.record(
        tx,
        "talk.whispered",
        actor_id=by,
        agent_id=row.owner_id,
        case_id=case_id,
        queue_id=row.queue_id,
        note_id=note_id,
    )
    return note_id


async def monitor(tx: Tx, by: int, case_id: int) -> None:
    """A supervisor looks on while somebody talks: written down, so that it can be told who did."""
    row = await case_queries.locked(tx, case_id)
    await events.record(
        tx, "talk.monitored", actor_id=by, agent_id=row.owner_id, case_id=case_id, queue_id=row.queue_id
    )


async def live(tx: Tx, me: Me, *, agent_id: int | None = None) -> Sequence[Row]:
    """The talks that go on within one's scope, or those of one agent, who waits for us longest first."""
    values = {"everything": me.all_queues, "queue_ids": sorted(me.queue_ids), "me": me.id}
    return await tx.rows(statements.live, {**values, "agent_id": agent_id, "most": MOST_LIVE})


async def of_case(tx: Tx, case_id: int) -> Sequence[Row]:
    """The talks of a case, newest first: verification, what mailbox is claimed, page trail, read marks, who looks."""
    return await tx.rows(statements.of_case, {"case_id": case_id})


async def canned(tx: Tx, me: Me, case_id: int, words: str = "") -> list[dict[str, Any]]:
    """The canned answers that fit a case within one's scope, everybody's and one's own, with their places filled in."""
    row = await case_queries.get(tx, me, case_id)
    found = await cases.canned_answers(
        tx, row.queue_id, row.language or me.language, words, agent_id=me.id, most=MOST_CANNED
    )
    if not found:
        return []
    customer = await tx.value(letters.statements.customer_name, {"customer_id": row.customer_id})
    facts = {
        "customer": customer or "",
        "agent": me.name,
        "number": str(row.number),
        "subject": row.subject,
        "queue": (await queue_queries.get(tx, row.queue_id)).name if row.queue_id is not None else "",
        "house": await organisation_name(tx),
    }
    return [{"id": one.id, "name": one.name, "text": fill_in(one.text, facts)} for one in found]


# --- the customer


async def point_of(tx: Tx, sender: Address) -> int | None:
    """The contact point of an address; None when they never wrote."""
    values = {"ns": [0], "kinds": [sender.kind], "addresses": [sender.address]}
    row = await tx.first(statements.points, values)
    return None if row is None else int(row.point_id)


async def newest(tx: Tx, line_id: int, sender: Address, *, lock: bool = False) -> Row | None:
    """The newest talk of somebody on a line, with its case locked if that is wanted."""
    point_id = await point_of(tx, sender)
    if point_id is None:
        return None
    values = {"ns": [0], "point_ids": [point_id], "line_ids": [line_id], "talks": [sender.talk]}
    row = await tx.first(statements.newest_talks, values)
    if row is not None and lock:
        await case_queries.locked(tx, row.case_id)
        row = await tx.first(statements.newest_talks, values)
    return row


async def _going_on(tx: Tx, line_id: int, sender: Address) -> Row:
    row = await newest(tx, line_id, sender, lock=True)
    if row is None or row.ended_at is not None:
        raise Conflict(_("This talk has ended."))
    return row


async def end_by_customer(tx: Tx, line_id: int, sender: Address) -> None:
    """The customer ends their talk. Conflict when none goes on."""
    row = await _going_on(tx, line_id, sender)
    await queues.end_talk(tx, None, row.case_id, "customer")


async def claim(tx: Tx, line_id: int, sender: Address, mailbox: str, *, instead: bool) -> None:
    """Where answers may go when the customer does not look. Nothing of that mailbox's customer is shown or changed by it.
    ``instead``: they wait here no longer, and are answered by mail. Conflict when no talk goes on; Invalid."""
    mailbox = _mailbox(mailbox)
    row = await _going_on(tx, line_id, sender)
    await tx.execute(statements.claim, {"interaction_id": row.id, "mailbox": mailbox})
    await events.record(tx, "talk.claimed", case_id=row.case_id, interaction_id=row.id, line_id=line_id)
    if instead and row.mode == "live" and not row.in_hand:
        await queues.answer_later(tx, None, row.case_id, row.id, "transferred")


async def ask_callback(tx: Tx, line_id: int, sender: Address, number: str) -> None:
    """Who waits wants to be called instead: they wait on, in their place, until whoever gets the case calls them. The number is
    theirs to say and nobody has proved it, so it stands in the talk and on no customer. Conflict when they do not wait; Invalid."""
    try:
        number = normal(NUMBER, number)
    except ValueError as error:
        raise Invalid(_("This is no phone number."), {"number": _("A number looks like +1 360 555 0142")}) from error
    row = await _going_on(tx, line_id, sender)
    if row.mode != "live" or row.in_hand:
        raise Conflict(_("Somebody talks with you already."))
    talk = await letters.facts(tx, row.id)
    with speaking(talk.language or "en"):
        said = (
            _("We call you at %s as soon as somebody is free. You keep your place, and can close this page.") % number
        )
    await saying.say(tx, talk, said)
    await callbacks.ask(tx, row.case_id, number)
    await queues.answer_later(tx, None, row.case_id, row.id, "transferred")
    case = await case_queries.locked(tx, row.case_id)
    await cases.describe(tx, None, row.case_id, tags=[*case.tags, CALLBACK])
    await events.record(tx, "talk.callback_asked", case_id=row.case_id, interaction_id=row.id, line_id=line_id)


async def ask_transcript(tx: Tx, signer: CaseSigner, line_id: int, sender: Address, mailbox: str) -> None:
    """The whole talk goes to a mailbox when it ends, once. Conflict when there is none or nobody of us has said anything;
    Invalid when no mailbox is known."""
    row = await newest(tx, line_id, sender, lock=True)
    if row is None or row.answered_at is None:
        raise Conflict(_("There is nothing to send yet."))
    to = _mailbox(mailbox) if mailbox else row.mailbox
    if not to:
        raise Invalid(_("We do not know your email address."), {"mailbox": _("Write your email address.")})
    await tx.execute(statements.ask_transcript, {"interaction_id": row.id, "mailbox": to})
    if row.ended_at is not None and not row.transcript_to:
        await tx.execute(statements.settled, {"interaction_id": row.id, "survey": row.survey, "at": now()})
        await letters.transcript(tx, signer, await letters.facts(tx, row.id), to)


def _mailbox(mailbox: str) -> str:
    try:
        return normal(MAILBOX, mailbox)
    except ValueError as error:
        raise Invalid(_("This is no email address."), {"mailbox": str(error)}) from error


async def see(tx: Tx, bus: Bus, line_id: int, sender: Address, upto: int) -> None:
    """The customer has our messages up to here before their eyes."""
    point_id = await point_of(tx, sender)
    if point_id is None:
        return
    values = {"upto": upto, "at": now(), "point_id": point_id, "line_id": line_id}
    for row in await tx.rows(statements.see, values):
        bus.say({"kind": WORD, "what": "seen", "case": row.case_id, "upto": upto})


async def look_at(tx: Tx, line_id: int, sender: Address, page: Page) -> None:
    """The page that the customer looks at now, while a talk goes on."""
    row = await newest(tx, line_id, sender)
    if row is not None and row.ended_at is None:
        kept = json.dumps([now().isoformat(), page.url, page.title])
        await tx.execute(statements.look_at, {"interaction_id": row.id, "at": now(), "page": kept})


# --- time


async def due(tx: Tx, most: int = 100) -> Sequence[Row]:
    """The talks for which something is to be done now."""
    return await tx.rows(statements.due_talks, {"at": now(), "only": None, "most": most})


async def act(tx: Tx, signer: CaseSigner, surveys: Surveys | None, asked: Row, token: str) -> None:
    """Do what is due for one talk, if it still is: somebody may have said something meanwhile."""
    await case_queries.locked(tx, asked.case_id)
    still = await tx.first(statements.due_talks, {"at": now(), "only": asked.id, "most": 1})
    if still is None or still.what != asked.what:
        return
    row = await letters.facts(tx, asked.id)
    with speaking(row.language or "en"):
        if asked.what == "warn":
            await _warn(tx, row)
        elif asked.what == "end":
            await saying.say(
                tx, row, _("We have not heard from you, so this talk ends here. Just write again if there is more.")
            )
            await queues.end_talk(tx, None, row.case_id, "idle")
        elif asked.what == "left":
            await self_service.leave(tx, row.id, row.case_id)
        elif asked.what == "let go":
            if row.mailbox:
                await queues.answer_later(tx, None, row.case_id, row.id, "abandoned")
            else:
                await queues.end_talk(tx, None, row.case_id, "gone")
        elif asked.what == "mail":
            await letters.unseen(tx, signer, row)
        else:
            await _settle(tx, signer, surveys, row, token)


async def _warn(tx: Tx, row: Row) -> None:
    minutes = max(round(int(row.rules["end_after"]) / 60), 1)
    said = _("Are you still there? This talk ends in %d minutes unless you write.") % minutes
    await saying.say(tx, row, said)
    await tx.execute(statements.warned, {"interaction_id": row.id, "at": now()})
    await events.record(
        tx, "talk.warned", agent_id=row.owner_id, case_id=row.case_id, interaction_id=row.id, line_id=row.line_id
    )


async def _settle(tx: Tx, signer: CaseSigner, surveys: Surveys | None, row: Row, token: str) -> None:
    """A talk has ended: what was not seen goes by mail, so does its transcript; who was never answered is, or is let go."""
    await letters.unseen(tx, signer, row)
    if row.transcript_to:
        await letters.transcript(tx, signer, row, row.transcript_to)
    survey = ""
    rest = await tx.one(statements.rest_of_case, {"interaction_id": row.id, "case_id": row.case_id})
    if row.mode == FLOW:  # no person took part
        await self_service.over(tx, row.id)
    if row.mode == FLOW or row.answered_at is None:
        reachable = row.mailbox and row.mode != FLOW and row.status != Status.CLOSED
        unheard = rest.left_words and row.ended_by != "agent" and row.status in OPEN_STATUSES
        if (reachable or unheard) and row.queue_id is not None:
            await queues.wait_in(tx, row.case_id, row.queue_id, waiting_since=row.started_at)
        elif not rest.goes_on and row.status in (OPEN_STATUSES if row.mode == FLOW else (Status.NEW,)):
            await queues.resolve(tx, None, row.case_id)
    elif surveys is not None and row.ended_by != "gone":
        survey = await surveys.ask(tx, row.case_id, row.owner_id, token)
    await tx.execute(statements.settled, {"interaction_id": row.id, "survey": survey, "at": now()})
    await events.record(tx, "talk.settled", case_id=row.case_id, interaction_id=row.id, line_id=row.line_id)


async def answer_survey(
    tx: Tx, surveys: Surveys, line_id: int, sender: Address, token: str, score: int, words: str, *, own: str
) -> None:
    """What a customer says of their own talk, once; ``own`` is its token."""
    row = await newest(tx, line_id, sender)
    if row is None or not row.survey or token != own:
        raise NotFound(_("This question does not stand open any more."))
    await surveys.answer(tx, token, score, words)
    await tx.execute(statements.survey_answered, {"interaction_id": row.id})
