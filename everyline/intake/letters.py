"""What of a talk goes by mail: what its customer did not see, and the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from everyline.dispatch import actions as dispatch
from everyline.ground import events, sql
from everyline.ground.addresses import MAILBOX
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.keys import CaseSigner
from everyline.ground.words import _, speaking
from everyline.people.queries import organisation_name

statements = sql.beside(__file__, "letters.sql")


async def facts(tx: Tx, interaction_id: int) -> Row:
    """A talk, its case and its line, held until the end of the transaction. NotFound."""
    row = await tx.first(statements.whole_talk, {"interaction_id": interaction_id})
    if row is None:
        raise NotFound(_("There is no such talk."))
    return row


async def unseen(tx: Tx, signer: CaseSigner, row: Row) -> bool:
    """What agents said in a talk and its customer has not seen goes to their mailbox, as one mail whose answer comes back to
    the case. False when there is nothing, or no mailbox, or no line that reaches it."""
    after = max(row.seen_upto, row.mailed_upto)
    said = await tx.rows(statements.unseen, {"interaction_id": row.id, "after": after})
    if not said or not row.mailbox:
        return False
    with speaking(row.language or "en"):
        begins = _("Hello,\n\nyou were not there any more when we answered in our talk:") + "\n\n"
        ends = "\n\n" + _("Simply answer this message if you want to add something.")
        words = begins + "\n\n".join(_utterance(one) for one in said) + ends
        subject = _("Our answer (%(number)s): %(subject)s") % {"number": row.number, "subject": row.subject[:200]}
    sent = await _send(
        tx,
        signer,
        row,
        row.mailbox,
        kind="reply",
        key=f"unseen:{row.id}:{said[-1].id}",
        subject=subject,
        words=words,
        message_ids=[one.id for one in said],
    )
    if sent:
        await tx.execute(statements.mailed, {"interaction_id": row.id, "upto": said[-1].id})
        await events.record(
            tx, "talk.mailed", case_id=row.case_id, interaction_id=row.id, line_id=row.line_id, messages=len(said)
        )
    return sent


async def transcript(tx: Tx, signer: CaseSigner, row: Row, to: str) -> bool:
    """The whole talk goes to a mailbox. False when no line reaches it."""
    said = await tx.rows(statements.whole, {"interaction_id": row.id})
    with speaking(row.language or "en"):
        begins = _("Hello,\n\nthis is our talk of %s (UTC):") % row.started_at.strftime("%Y-%m-%d") + "\n\n"
        words = begins + "\n\n".join(_line(one, row.line_name) for one in said) + "\n"
        subject = _("Our talk (%(number)s): %(subject)s") % {"number": row.number, "subject": row.subject[:200]}
    key = f"transcript:{row.id}"
    return await _send(tx, signer, row, to, kind="transcript", key=key, subject=subject, words=words, message_ids=[])


def _utterance(one: Row) -> str:
    files = "".join(f"\n[{name}]" for name in one.files)
    return f"{one.agent_name}, {one.at:%H:%M}:\n{one.text}{files}"


def _line(one: Row, house: str) -> str:
    who = _("You") if one.direction == "in" else one.agent_name or house
    files = "".join(f"\n[{name}]" for name in one.files)
    return f"{one.at:%H:%M} {who}:\n{one.text}{files}"


async def _send(
    tx: Tx,
    signer: CaseSigner,
    row: Row,
    to: str,
    *,
    kind: str,
    key: str,
    subject: str,
    words: str,
    message_ids: Sequence[int],
) -> bool:
    try:
        line = await dispatch.answer_line(tx, row.line_id, MAILBOX)
    except Conflict:
        return False
    organisation = await organisation_name(tx)
    point_id = await tx.value(statements.point_of_mailbox, {"address": to, "customer_id": row.customer_id})
    values: dict[str, Any] = {
        "idempotency_key": key,
        "line_id": line.id,
        "case_id": row.case_id,
        "message_id": message_ids[-1] if message_ids else None,
        "with_message_ids": list(message_ids[:-1]),
        "contact_point_id": point_id,
        "kind": kind,
        "address_kind": MAILBOX,
        "address": to,
        "sender_name": line.name,
        "subject": subject,
        "text": f"{words}\n\n-- \n{organisation}\n",
        "language": row.language,
        "automatic": kind != "reply",
        "references": await dispatch.thread(tx, row.case_id),
        "external_id": dispatch.wire_id(signer.sign(row.case_id), line.address.partition("@")[2]),
        "due_at": now(),
    }
    await dispatch.write_all(tx, [values])
    return True
