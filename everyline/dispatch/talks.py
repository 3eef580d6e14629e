"""What goes out into a talk, where the other side fetches what is for it; and what goes by mail when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from everyline.cases.models import Interaction, Message, Talk
from everyline.channel_contract import Card
from everyline.dispatch import queries
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid
from everyline.ground.words import _

MOST_REPLIES = 10
LONGEST_REPLY = 80  # characters
NOTICE = "notice"  # the kind of what we say in a talk without an agent


def facts_of(card: Card | None, replies: Sequence[str], hint: str | None = None) -> dict[str, Any]:
    """A card, quick replies and what an answer looks like, as their message keeps them. Invalid when the card leads nowhere."""
    found: dict[str, Any] = {}
    if card is not None:
        if card.url and urlsplit(card.url).scheme not in ("http", "https"):
            raise Invalid(_("A card leads to a page of the web."), {"url": _("It begins with https://.")})
        if not card.title.strip():
            raise Invalid(_("A card needs a title."), {"title": _("Write something.")})
        found["card"] = {
            "kind": card.kind,
            "title": card.title.strip()[:200],
            "extract": card.extract.strip()[:500],
            "url": card.url[:2000],
            "slug": card.slug[:200],
            "picture": card.picture[:2000],
        }
    chosen = [" ".join(one.split())[:LONGEST_REPLY] for one in replies if one.strip()][:MOST_REPLIES]
    if chosen:
        found["replies"] = list(dict.fromkeys(chosen))
    if hint is not None:
        found["hint"] = hint
    return found


async def interaction(tx: Tx, case_id: int, line: Row, point_id: int, at: datetime) -> int:
    """The talk that goes on with this address; else one that we begin, which is answered whenever they look."""
    row = await tx.first(
        queries.statements.talk_of_point, {"case_id": case_id, "line_id": line.id, "point_id": point_id}
    )
    if row is not None and row.ended_at is None:
        return int(row.id)
    begun: int = await tx.value(
        insert(Interaction)
        .values(
            case_id=case_id,
            line_id=line.id,
            contact_point_id=point_id,
            channel=line.channel,
            media_class="mail",
            direction="out",
            started_at=at,
        )
        .returning(Interaction.id)
    )
    values = {"verification": row.verification, "claimed": row.claimed, "rules": row.rules} if row is not None else {}
    await tx.execute(insert(Talk).values(interaction_id=begun, mode="later", said_at=at, here_at=at, **values))
    return begun


async def note_answer(tx: Tx, interaction_id: int, at: datetime) -> None:
    """We have said something: who is silent from now on is warned one day, and what they said before is read."""
    await tx.execute(queries.statements.note_answer, {"interaction_id": interaction_id, "at": at})


async def say(
    tx: Tx,
    interaction_row: Row,
    text: str,
    replies: Sequence[str] = (),
    *,
    hint: str | None = None,
    turn: Mapping[str, Any] | None = None,
) -> int:
    """Say something in a talk that no agent wrote, with answers to choose from; returns the message's id. ``hint`` is there
    when it is a turn of a dialogue, and says what an answer looks like; ``turn`` when it is one by ear
    (``channel_contract.TalkMessage.turn``). The case must be locked."""
    message_id: int = await tx.value(
        insert(Message)
        .values(
            case_id=interaction_row.case_id,
            interaction_id=interaction_row.id,
            direction="out",
            contact_point_id=interaction_row.contact_point_id,
            text=text,
            at=now(),
            kind=NOTICE,
            facts=facts_of(None, replies, hint) | ({} if turn is None else {"turn": dict(turn)}),
        )
        .returning(Message.id)
    )
    await events.record(
        tx,
        "message.written",
        case_id=interaction_row.case_id,
        interaction_id=interaction_row.id,
        line_id=interaction_row.line_id,
        message_id=message_id,
        message_kind=NOTICE,
    )
    return message_id
