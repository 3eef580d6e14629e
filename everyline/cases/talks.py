"""Verbs of talks, as far as they concern the case alone: live text with a beginning and an end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from everyline.cases import queries
from everyline.cases.models import CannedAnswer, Interaction, Talk
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people.rules import Me

LATER = "later"  # a talk whose answers come by mail
LIVE = "live"
FLOW = "flow"  # a flow answers, and people when it hands over
MOST_WORDS = 8  # of a search among canned answers


async def end_talks(tx: Tx, by: int | None, case_id: int, ended_by: str) -> list[Row]:
    """The talks that go on in a case end; returns their interactions. The case must be locked."""
    rows = await tx.rows(queries.statements.end_talks, {"case_id": case_id, "ended_by": ended_by, "at": now()})
    for row in rows:
        await events.record(
            tx,
            "talk.ended",
            actor_id=by,
            case_id=case_id,
            customer_id=row.customer_id,
            interaction_id=row.id,
            queue_id=row.queue_id,
            line_id=row.line_id,
            agent_id=row.owner_id,
            ended_by=ended_by,
            point_id=row.contact_point_id,
        )
    return rows


async def answer_later(tx: Tx, interaction_id: int) -> None:
    """Who talks does not wait any longer: they are answered by mail."""
    await tx.execute(update(Interaction).where(Interaction.id == interaction_id).values(media_class="mail"))
    await tx.execute(update(Talk).where(Talk.interaction_id == interaction_id).values(mode=LATER, warned_at=None))


async def add_canned_answer(
    tx: Tx,
    by: int | None,
    *,
    name: str,
    text: str,
    queue_id: int | None = None,
    language: str = "",
    agent_id: int | None = None,
) -> int:
    """Keep words that are used again and again; returns their id. Without a queue they are for every one, without a language
    for each; ``agent_id``: whose own they are, and nobody else's."""
    values = _canned({"name": name, "text": text})
    canned_id: int = await tx.value(
        insert(CannedAnswer)
        .values(queue_id=queue_id, language=language, agent_id=agent_id, changed_by=by, **values)
        .returning(CannedAnswer.id)
    )
    await events.record(tx, "canned_answer.added", actor_id=by, queue_id=queue_id, canned_answer_id=canned_id)
    return canned_id


async def change_canned_answer(tx: Tx, by: int | None, canned_id: int, **facts: Any) -> None:
    """Change name, text, queue_id, language or position."""
    values = {**_canned(facts), "changed_by": by, "changed_at": now()}
    await _update_canned(tx, canned_id, values)
    await events.record(tx, "canned_answer.changed", actor_id=by, canned_answer_id=canned_id, fields=sorted(facts))


async def retire_canned_answer(tx: Tx, by: int | None, canned_id: int) -> None:
    """Offer these words no more."""
    await _update_canned(tx, canned_id, {"retired_at": now()})
    await events.record(tx, "canned_answer.retired", actor_id=by, canned_answer_id=canned_id)


async def use_canned_answer(tx: Tx, canned_id: int) -> None:
    """Count one more use."""
    await _update_canned(tx, canned_id, {"used": CannedAnswer.used + 1})


async def _update_canned(tx: Tx, canned_id: int, values: dict[str, Any]) -> None:
    found = update(CannedAnswer).where(CannedAnswer.id == canned_id, CannedAnswer.retired_at.is_(None))
    if await tx.value(found.values(**values).returning(CannedAnswer.id)) is None:
        raise NotFound(_("There is no such canned answer."))


def _canned(facts: dict[str, Any]) -> dict[str, Any]:
    values = dict(facts)
    for name, most in (("name", 120), ("text", 20_000)):
        if name in values:
            values[name] = str(values[name]).strip()[:most]
            if not values[name]:
                raise Invalid(_("A canned answer needs a name and words."), {name: _("Write something.")})
    return values


def may_change(me: Me, canned: Row) -> bool:
    """One's own, and, with the right to it, those that everybody of one's queues uses."""
    if canned.agent_id is not None:
        return bool(canned.agent_id == me.id)
    return me.may("canned_answer.write") and (canned.queue_id is None or me.sees_queue(canned.queue_id))


async def canned_answer(tx: Tx, me: Me, canned_id: int) -> Row:
    """One canned answer that one may change. NotFound otherwise."""
    row = await tx.first(
        select(CannedAnswer.__table__).where(CannedAnswer.id == canned_id, CannedAnswer.retired_at.is_(None))
    )
    if row is None or not may_change(me, row):
        raise NotFound(_("There is no such canned answer."))
    return row


async def kept_canned_answers(tx: Tx, me: Me) -> list[Row]:
    """The canned answers that one may use, in the order in which they are arranged."""
    seen = CannedAnswer.queue_id.is_(None) | CannedAnswer.queue_id.in_(sorted(me.queue_ids))
    query = select(CannedAnswer.__table__).where(
        CannedAnswer.retired_at.is_(None), CannedAnswer.agent_id.is_(None) | (CannedAnswer.agent_id == me.id)
    )
    if not me.all_queues:
        query = query.where(seen)
    return await tx.rows(
        query.order_by(CannedAnswer.agent_id.is_(None), CannedAnswer.position, CannedAnswer.name, CannedAnswer.id)
    )


async def canned_answers(
    tx: Tx, queue_id: int | None, language: str, words: str = "", *, agent_id: int | None = None, most: int = 50
) -> list[Row]:
    """The canned answers for a case of a queue in a language, everybody's and one agent's own; each of ``words`` stands in the
    name or the text, and those whose name begins so come first."""
    fits = (
        (CannedAnswer.queue_id.is_(None) | (CannedAnswer.queue_id == queue_id))
        & CannedAnswer.language.in_(["", language])
        & (CannedAnswer.agent_id.is_(None) | (CannedAnswer.agent_id == agent_id))
    )
    query = select(CannedAnswer.__table__).where(CannedAnswer.retired_at.is_(None), fits)
    for word in words.split()[:MOST_WORDS]:
        query = query.where(
            CannedAnswer.name.icontains(word, autoescape=True) | CannedAnswer.text.icontains(word, autoescape=True)
        )
    first = CannedAnswer.name.istartswith(words.strip(), autoescape=True).desc()
    return await tx.rows(
        query.order_by(first, CannedAnswer.position, CannedAnswer.used.desc(), CannedAnswer.name).limit(most)
    )
