"""Verbs of dispatch. The row is first: nothing goes onto a wire that is not written down with its idempotency key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.cases import actions as cases
from everyline.cases.models import Attachment, Case, Draft, Interaction, Message
from everyline.cases.rules import Status, answer_subject, preview, stale
from everyline.channel_contract import Address, Card, Facts, MediaClass
from everyline.channel_registry import channel, reaching
from everyline.customers.actions import mark_bad
from everyline.customers.models import ContactPoint
from everyline.dispatch import queries, rules, talks
from everyline.dispatch.models import Delivery, DeliveryAttempt
from everyline.ground import events, markdown
from everyline.ground.addresses import MAILBOX
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.keys import CaseSigner, Vault
from everyline.ground.words import _
from everyline.lines.models import Line
from everyline.people.models import Agent
from everyline.queues import actions as queues
from everyline.queues import queries as queue_queries
from everyline.queues.models import Queue, QueueEntry
from everyline.queues.waiting import LIVE

statements = queries.statements

THREAD_LENGTH = 20  # ids of a thread that an answer names, as RFC 5322 section 3.6.4 asks, newest kept


def wire_id(token: str, domain: str) -> str:
    """What a delivery is called on the wire, for ever: the case's token, so that an answer finds back, and a random part."""
    return f"{token}.{secrets.token_hex(8)}@{domain or 'everyline.invalid'}"


async def answer_line(tx: Tx, line_id: int | None, kind: str) -> Row:
    """The line that an answer goes out on: the one the customer used if it can reach them, else the one set for it,
    else the first that can. Conflict when there is none."""
    rows = {
        row.id: row for row in await tx.rows(select(Line.__table__).where(Line.retired_at.is_(None)).order_by(Line.id))
    }
    able = {found.facts.name for found in reaching(kind)}
    used = rows.get(line_id or 0)
    wanted = [used, rows.get(used.answer_line_id or 0) if used else None]
    if used is not None:
        wanted += [row for row in rows.values() if row.queue_id == used.queue_id]
    for row in [*wanted, *rows.values()]:
        if row is not None and row.channel in able and row.open:
            return row
    raise Conflict(_("No line of ours can reach this address. An admin can add one in the set-up."))


async def thread(tx: Tx, case_id: int) -> list[str]:
    """What the pieces of a case are called on the wire, oldest first."""
    rows = await tx.rows(
        select(Message.external_id)
        .where(Message.case_id == case_id, Message.external_id != "")
        .order_by(Message.id.desc())
        .limit(THREAD_LENGTH)
    )
    return [row.external_id for row in reversed(rows)]


async def answer(
    tx: Tx,
    signer: CaseSigner,
    by: int,
    case_id: int,
    text: str,
    *,
    contact_point_id: int | None = None,
    revision: int | None = None,
    then: Status | None = None,
    idempotency_key: str = "",
    wrap_up_code_id: int | None = None,
    at_once: bool = False,
    answer_to: str = "",
    copies: Sequence[str] = (),
    card: Card | None = None,
    replies: Sequence[str] = (),
) -> int:
    """Write to the customer; returns the message's id. ``text`` may hold a little Markdown (see ``ground.markdown``): it
    goes out as it was typed, with its HTML beside it where the channel carries that.

    It goes to one of the customer's contact points. When their newest message asks for answers elsewhere (Reply-To),
    they go there only if the writer names that very address in ``answer_to``, having seen it: anybody can write
    anybody's name into From, and what stands on a case and the reference that leads into it must not go to a stranger
    unnoticed. Conflict when the customer does not ask for that address, or no longer. Whoever it goes to, the case and
    its contact point stay the customer's. ``copies``: others who get the same, as somebody typed their addresses.

    In a talk, ``card`` pushes something to look at, whose words ``text`` says too, and ``replies`` are quick ones to choose
    from. Who answers a talk that waits takes it out of its queue.

    It goes out when the channel's undo window has passed. ``revision`` is the case's when the writer last read it:
    Conflict when there is news since. ``then`` is what the case does afterwards: wait for the customer or for others,
    or resolve.
    """
    row = await tx.first(select(Case.__table__).where(Case.id == case_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such case."))
    if idempotency_key:
        sent = await tx.value(
            select(Delivery.message_id).where(Delivery.idempotency_key == f"answer:{case_id}:{idempotency_key}")
        )
        if sent is not None:
            return int(sent)
    if row.status == Status.CLOSED:
        raise Conflict(_("Case %s is closed: write a new one.") % row.number)
    news = stale(revision, row.revision) if revision is not None else None
    if news is not None:
        raise Conflict(
            _("There is news on this case since you began to write. Your answer was kept: read the news, then send it.")
        )
    draft = await tx.first(
        select(Draft.__table__).where(Draft.case_id == case_id, Draft.agent_id == by, Draft.kind == "reply")
    )
    files = await tx.column(select(Attachment.id).where(Attachment.draft_id == draft.id)) if draft else []
    if not text.strip() and not files:
        raise Invalid(_("The answer is empty."), {"text": _("Write something.")})
    asked, contact_point_id = await _asked(tx, row, answer_to, contact_point_id)
    point = await _point(tx, row, contact_point_id)
    to = asked or Address(point.kind, point.address)
    await _may_answer(tx, case_id, point.id)
    line = await answer_line(tx, row.line_id, to.kind)
    facts = channel(line.channel).facts
    copied = rules.copies(copies, await queries.own_addresses(tx), to.address) if any(copies) else ()
    if copied and not facts.copies:
        said = _("Over this channel an answer goes to one address only: take the copies away.")
        raise Invalid(said, {"copies": said})
    html = _formatted(text, facts)
    at = now()
    carried = [[one.kind, one.address, one.name] for one in copied]
    facts_said: dict[str, Any] = {"copies": carried} if carried else {}
    if facts.pulled:
        await _take_up(tx, by, case_id)
        interaction_id = await talks.interaction(tx, case_id, line, point.id, at)
        external_id, references, signature, subject = "", [], "", ""
        facts_said |= talks.facts_of(card, replies)
    else:
        interaction_id = await _interaction(tx, case_id, line, point.id, at)
        external_id = wire_id(signer.sign(case_id), line.address.partition("@")[2])
        references = await thread(tx, case_id)
        signature = await _signature(tx, by, row.queue_id)
        subject = answer_subject(row.subject) if references else row.subject  # what we write first answers nothing
    written = rules.signed(text, html, signature)
    message_id: int = await tx.value(
        insert(Message)
        .values(
            case_id=case_id,
            interaction_id=interaction_id,
            direction="out",
            agent_id=by,
            contact_point_id=point.id,
            external_id=external_id,
            subject=subject,
            text=text,
            html=html,
            facts=facts_said,
            kind="card" if card is not None and facts.pulled else "message",
            at=at,
        )
        .returning(Message.id)
    )
    if files:
        await tx.execute(
            update(Attachment).where(Attachment.id.in_(files)).values(message_id=message_id, draft_id=None)
        )
    delivery_id = await _write(
        tx,
        idempotency_key=f"answer:{case_id}:{idempotency_key or message_id}",
        line_id=line.id,
        case_id=case_id,
        message_id=message_id,
        contact_point_id=point.id,
        kind="reply",
        address_kind=to.kind,
        address=to.address,
        address_name=to.name,
        copies=carried,
        sender_name=await _sender_name(tx, by, line),
        subject=subject,
        text=written.text,
        html=written.html,
        language=row.language,
        references=references,
        external_id=external_id,
        due_at=at if at_once else at + timedelta(seconds=facts.undo_seconds),
        **({"state": "sent", "sent_at": at} if facts.pulled else {}),
    )
    if facts.pulled:
        await talks.note_answer(tx, interaction_id, at)
    await tx.execute(
        update(Case)
        .where(Case.id == case_id)
        .values(
            moved_at=at,
            revision=Case.revision + 1,
            last_words=preview(markdown.words(text)),
            last_channel=line.channel,
            last_direction="out",
            unread=False,
            owner_id=row.owner_id or by,
            answered_at=func.coalesce(Case.answered_at, at),
            due_at=None,
        )
    )
    await cases.drop_draft(tx, by, case_id, "reply")
    await events.record(
        tx,
        "message.written",
        actor_id=by,
        case_id=case_id,
        customer_id=row.customer_id,
        interaction_id=interaction_id,
        queue_id=row.queue_id,
        line_id=line.id,
        agent_id=row.owner_id or by,
        message_id=message_id,
        delivery_id=delivery_id,
    )
    await _afterwards(tx, by, row, then, wrap_up_code_id)
    return message_id


async def _take_up(tx: Tx, by: int, case_id: int) -> None:
    """Who answers somebody who waits live has taken them: they do not go on to wait for another."""
    entry_id = await tx.value(
        select(QueueEntry.id).where(
            QueueEntry.case_id == case_id, QueueEntry.state.in_(LIVE), QueueEntry.media_class == str(MediaClass.CHAT)
        )
    )
    if entry_id is not None:
        await queues.give_entry(tx, by, entry_id, by)


async def _afterwards(tx: Tx, by: int, row: Row, then: Status | None, wrap_up_code_id: int | None) -> None:
    if then is Status.RESOLVED:
        await queues.resolve(tx, by, row.id, wrap_up_code_id)
    elif then in (Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS):
        await queues.put_aside(tx, by, row.id, then)
    else:
        await queues.leave(tx, row.id, "answered")
        if row.status in (Status.NEW, Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS):
            await cases.begin(tx, by, row.id)
        elif row.status == Status.RESOLVED:
            await cases.reopen(tx, by, row.id)


async def foreseen(
    tx: Tx, by: int, case_id: int, text: str, *, contact_point_id: int | None = None, answer_to: str = ""
) -> rules.Written:
    """What ``answer`` would send to the same address, signature and all; nothing is written down. Conflict or Invalid where
    nothing could be sent there."""
    row = await tx.first(select(Case.__table__).where(Case.id == case_id))
    if row is None:
        raise NotFound(_("There is no such case."))
    asked, contact_point_id = await _asked(tx, row, answer_to, contact_point_id)
    point = await _point(tx, row, contact_point_id)
    line = await answer_line(tx, row.line_id, asked.kind if asked else point.kind)
    facts = channel(line.channel).facts
    signature = "" if facts.pulled else await _signature(tx, by, row.queue_id)
    return rules.signed(text, _formatted(text, facts), signature)


def _formatted(text: str, facts: Facts) -> str:
    return markdown.formatted(text) if facts.formatted else ""


async def _asked(tx: Tx, row: Row, answer_to: str, contact_point_id: int | None) -> tuple[Address | None, int | None]:
    """Where the customer asked answers to go, if that was chosen, and the contact point that they asked from."""
    if not answer_to:
        return None, contact_point_id
    found = await queries.correspondence(tx, row.id, row.customer_id)
    if found.asked is None or found.asked.address != answer_to.strip().lower():
        raise Conflict(_("The customer's newest message does not ask for answers at %s.") % answer_to[:100])
    return found.asked, found.asked_by_id


async def _point(tx: Tx, row: Row, contact_point_id: int | None) -> Row:
    """The contact point chosen, which must be the case's customer's; else the one the customer used last."""
    if contact_point_id is None:
        contact_point_id = await tx.value(
            select(Interaction.contact_point_id)
            .join(ContactPoint, ContactPoint.id == Interaction.contact_point_id)
            .where(Interaction.case_id == row.id, ContactPoint.customer_id == row.customer_id)
            .order_by(Interaction.id.desc())
            .limit(1)
        )
    query = select(ContactPoint.__table__).where(ContactPoint.customer_id == row.customer_id)
    if contact_point_id is not None:
        query = query.where(ContactPoint.id == contact_point_id)
    found = await tx.first(query.order_by(ContactPoint.preferred.desc(), ContactPoint.id).limit(1))
    if found is None:
        raise Invalid(
            _("This customer has no such address."), {"contact_point": _("Choose one of the customer's addresses.")}
        )
    return found


async def _may_answer(tx: Tx, case_id: int, point_id: int) -> None:
    """Conflict when the customer does not want to be written to there and has not written from there since."""
    if await tx.first(statements.unwanted_answer, {"case_id": case_id, "point_id": point_id}):
        said = _("This customer does not want to be written to at that address. Choose another of their addresses.")
        raise Conflict(said)


async def _interaction(tx: Tx, case_id: int, line: Row, point_id: int, at: datetime) -> int:
    """The interaction that is going on with this address on this line, or a new one that we begin."""
    found = await tx.value(
        select(Interaction.id)
        .where(
            Interaction.case_id == case_id,
            Interaction.contact_point_id == point_id,
            Interaction.channel == line.channel,
            Interaction.ended_at.is_(None),
        )
        .order_by(Interaction.id.desc())
        .limit(1)
    )
    if found is not None:
        return int(found)
    begun: int = await tx.value(
        insert(Interaction)
        .values(
            case_id=case_id,
            line_id=line.id,
            contact_point_id=point_id,
            channel=line.channel,
            media_class=str(channel(line.channel).facts.media_class),
            direction="out",
            started_at=at,
        )
        .returning(Interaction.id)
    )
    return begun


async def _signature(tx: Tx, by: int, queue_id: int | None) -> str:
    """The agent's, or the queue's when they have none."""
    own = await tx.value(select(Agent.signature).where(Agent.id == by))
    house = await tx.value(select(Queue.signature).where(Queue.id == queue_id)) if queue_id else ""
    return str(own or house or "").strip()


async def _sender_name(tx: Tx, by: int, line: Row) -> str:
    name = await tx.value(select(Agent.name).where(Agent.id == by))
    return f"{name}, {line.name}" if name else str(line.name)


async def _write(tx: Tx, **values: Any) -> int:
    delivery_id: int = await tx.value(insert(Delivery).values(**values).returning(Delivery.id))
    return delivery_id


async def write_all(tx: Tx, deliveries: Sequence[dict[str, Any]]) -> None:
    """Many deliveries at once; one whose idempotency key is there already is left out."""
    if deliveries:
        await tx.many(upsert(Delivery).on_conflict_do_nothing(index_elements=["idempotency_key"]), list(deliveries))


async def notify(
    tx: Tx,
    vault: Vault,
    *,
    idempotency_key: str,
    address: str,
    name: str,
    subject: str,
    text: str,
    language: str,
    files: Sequence[tuple[str, str, str]] = (),
) -> None:
    """Write to one of us, such as a link to set a password: on the first open line that reaches a mailbox, and never on a
    case. Its text is locked until it goes out, as such a link lets in whoever reads it. ``files``: what goes with it, by hash
    in the file store, name and media type. Conflict when there is no such line."""
    line = await answer_line(tx, None, MAILBOX)
    await write_all(
        tx,
        [
            {
                "idempotency_key": idempotency_key,
                "line_id": line.id,
                "kind": "notice",
                "address_kind": MAILBOX,
                "address": address,
                "address_name": name,
                "sender_name": line.name,
                "subject": subject,
                "text": vault.lock(text).decode("ascii"),
                "language": language,
                "files": [list(file) for file in files],
                "automatic": True,
                "external_id": wire_id("notice", line.address.partition("@")[2]),
            }
        ],
    )
    await events.record(tx, "notice.written", line_id=line.id)


async def take_back(tx: Tx, by: int, case_id: int, message_id: int) -> str:
    """Take an answer back while its undo window is open; its words become the draft again. Returns them."""
    message = await tx.first(
        select(Message.__table__).where(Message.id == message_id, Message.case_id == case_id, Message.agent_id == by)
    )
    if message is None:
        raise NotFound(_("There is no such answer of yours."))
    row = await tx.first(statements.take_back, {"message_id": message_id, "at": now()})
    if row is None:
        raise Conflict(_("It is too late: the answer has gone out."))
    point = await tx.value(select(ContactPoint.address).where(ContactPoint.id == row.contact_point_id))
    draft_id = await cases.draft(
        tx,
        by,
        case_id,
        "reply",
        message.text,
        contact_point_id=row.contact_point_id,
        answer_to="" if point == row.address else row.address,
        copies=[f"{name} <{address}>" if name else address for _kind, address, name in row.copies],
    )
    await tx.execute(
        update(Attachment).where(Attachment.message_id == message_id).values(draft_id=draft_id, message_id=None)
    )
    await tx.execute(update(Delivery).where(Delivery.id == row.id).values(message_id=None))
    await tx.execute(delete(Message).where(Message.id == message_id))
    await _as_before(tx, case_id)
    await events.record(tx, "message.taken_back", actor_id=by, case_id=case_id, delivery_id=row.id)
    status = await tx.value(select(Case.status).where(Case.id == case_id))
    if status in (Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS, Status.RESOLVED):
        await cases.reopen(tx, by, case_id)
    return str(message.text)


async def _as_before(tx: Tx, case_id: int) -> None:
    """A case as if its newest answer had not been written: its last words, its goal, whether it was answered at all."""
    case = await tx.first(select(Case.__table__).where(Case.id == case_id))
    newest = await tx.first(
        select(Message.__table__, Interaction.channel)
        .join(Interaction, Interaction.id == Message.interaction_id)
        .where(Message.case_id == case_id, Message.kind == "message")
        .order_by(Message.id.desc())
        .limit(1)
    )
    values: dict[str, Any] = {"revision": Case.revision + 1}
    if case is not None and newest is not None:
        values |= {
            "last_words": preview(markdown.words(newest.text) if newest.direction == "out" else newest.text),
            "last_channel": newest.channel,
            "last_direction": newest.direction,
            "moved_at": newest.at,
        }
        if newest.direction == "in" and case.queue_id is not None:
            values["due_at"] = await queue_queries.goal(tx, case.queue_id, newest.at)
    answered = await tx.value(
        select(func.min(Message.at)).where(
            Message.case_id == case_id, Message.direction == "out", Message.agent_id.is_not(None)
        )
    )
    await tx.execute(update(Case).where(Case.id == case_id).values(answered_at=answered, **values))


async def bounce(tx: Tx, delivery: Row, reason: str, failed: Sequence[str] = ()) -> None:
    """Something of ours did not arrive: the case says so to who has it, and the address is marked.

    ``failed`` are the addresses that are told to have failed; empty: who it was written to. Where only copies did not
    arrive, the delivery stands, and the case is looked at again.
    """
    if rules.only_copies(failed, delivery.address, [address for _kind, address, _name in delivery.copies]):
        if delivery.case_id is not None:
            await bring_back(tx, delivery.case_id)
        return
    await tx.execute(
        update(Delivery).where(Delivery.id == delivery.id).values(state="bounced", answer=reason[:2000], ended_at=now())
    )
    point = await tx.value(select(ContactPoint.address).where(ContactPoint.id == delivery.contact_point_id))
    if point == delivery.address:  # and not where answers were asked to go
        await mark_bad(tx, delivery.contact_point_id, reason)
    await events.record(
        tx,
        "delivery.bounced",
        case_id=delivery.case_id,
        line_id=delivery.line_id,
        delivery_id=delivery.id,
        message_id=delivery.message_id,
    )
    if delivery.case_id is not None:
        await bring_back(tx, delivery.case_id)


async def bring_back(tx: Tx, case_id: int) -> None:
    """Somebody has to look at a case again: its owner, or whoever takes it from its queue."""
    row = await tx.first(select(Case.__table__).where(Case.id == case_id).with_for_update())
    if row is None or row.status == Status.CLOSED:
        return
    if row.status in (Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS, Status.RESOLVED):
        await cases.reopen(tx, None, case_id)
    await tx.execute(
        update(Case).where(Case.id == case_id).values(unread=True, revision=Case.revision + 1, moved_at=now())
    )
    if row.queue_id is not None:
        await queues.wait_in(tx, case_id, row.queue_id, preferred_agent_id=row.owner_id)


async def send_again(tx: Tx, by: int, case_id: int, delivery_id: int) -> None:
    """An agent decides that what failed, or may have gone out, is to be sent once more."""
    row = await tx.first(
        update(Delivery)
        .where(
            Delivery.id == delivery_id,
            Delivery.case_id == case_id,
            Delivery.state.in_(["unknown", "failed", "bounced"]),
        )
        .values(state="due", due_at=now(), attempts=0, ended_at=None)
        .returning(Delivery.id, Delivery.line_id)
    )
    if row is None:
        raise Conflict(_("This does not wait to be sent again."))
    await events.record(
        tx, "delivery.sent_again", actor_id=by, case_id=case_id, line_id=row.line_id, delivery_id=delivery_id
    )


async def note_attempt(tx: Tx, delivery_id: int, outcome: str, answer: str) -> None:
    """Keep what the wire said to one try."""
    await tx.execute(insert(DeliveryAttempt).values(delivery_id=delivery_id, outcome=outcome, answer=answer[:2000]))
