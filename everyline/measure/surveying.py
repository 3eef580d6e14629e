"""Surveys: one question to a customer when their case is settled, on the channel they used, and what came back.

A customer is asked once about a case, and at most once in a time; never at an address that only machines read, that mail
comes back from, or whose owner wants no more of it. The link works once and runs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.channel_contract import SurveyQuestion
from everyline.dispatch import actions as dispatch
from everyline.ground import events, sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _, mark, speaking
from everyline.measure.figures import Asked
from everyline.measure.models import Survey, SurveyRefusal, SurveySetting
from everyline.people.passwords import fresh_token, token_hash
from everyline.people.queries import organisation_name

statements = sql.beside(__file__, "surveys.sql")

OPEN_DAYS = 14  # how long a link works
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question: its scale, from the worst to the best, and which answers count as good and as bad."""

    name: str
    question: str
    low: int
    high: int
    low_words: str
    high_words: str
    good: int  # from here on
    bad: int  # up to here
    figure: str
    words: str  # how the figure is counted


KINDS: dict[str, Kind] = {
    "satisfaction": Kind(
        mark("Satisfaction (CSAT)"), mark("How satisfied are you with our help?"), 1, 5, mark("not at all"), mark("very"), 4, 2,
        mark("Satisfied"), mark("answers of 4 and 5 / all answers"),
    ),
    "recommendation": Kind(
        mark("Recommendation (NPS)"), mark("How likely are you to recommend us to others?"), 0, 10, mark("not at all"), mark("certainly"),
        9, 6, mark("Net promoters"), mark("(answers of 9 and 10 − answers up to 6) / all answers × 100"),
    ),
    "effort": Kind(
        mark("Effort (CES)"), mark("How easy was it to get your matter settled?"), 1, 7, mark("very hard"), mark("very easy"), 5, 3,
        mark("Easy"), mark("answers of 5 to 7 / all answers"),
    ),
}  # fmt: skip


def result(kind: str, good: int, bad: int, answers: int) -> float | None:
    """The figure of a kind, in per cent or, for recommendation, −100 to 100; None without an answer."""
    if not answers:
        return None
    return 100 * ((good - bad) if kind == "recommendation" else good) / answers


async def settings(tx: Tx) -> dict[int, Row]:
    """What the customers of each queue are asked."""
    return {row.queue_id: row for row in await tx.rows(select(SurveySetting.__table__))}


async def change_setting(
    tx: Tx, by: int, queue_id: int, kind: str, *, every_days: int = 30, share: int = 100, after_minutes: int = 60
) -> None:
    """Set what the customers of a queue are asked; an empty ``kind`` stops it."""
    if not kind:
        await tx.execute(delete(SurveySetting).where(SurveySetting.queue_id == queue_id))
    elif kind not in KINDS:
        raise Invalid(_("There is no such kind of survey."), {"kind": _("Choose one of the list.")})
    else:
        values = {"kind": kind, "every_days": every_days, "share": share, "after_minutes": after_minutes}
        await tx.execute(
            upsert(SurveySetting)
            .values(queue_id=queue_id, **values)
            .on_conflict_do_update(index_elements=["queue_id"], set_=values)
        )
    await events.record(tx, "survey.set_up", actor_id=by, queue_id=queue_id, survey=kind)


async def ask_due(tx: Tx, address: str, most: int = MOST_AT_ONCE) -> int:
    """Ask about the cases that are due; returns how many. ``address`` is the product's own, without a slash at its end."""
    rows = await tx.rows(statements.due, {"at": now(), "most": most})
    organisation = await organisation_name(tx) if rows else ""
    for row in rows:
        try:
            line = await dispatch.answer_line(tx, row.line_id, row.address_kind)
        except Conflict:  # no line reaches this address now: the customer is asked when there is one
            continue
        token, kept = fresh_token()
        at = now()
        survey_id = await tx.value(
            upsert(Survey)
            .values(
                token_hash=kept, case_id=row.case_id, customer_id=row.customer_id, queue_id=row.queue_id, agent_id=row.agent_id,
                channel=row.channel, language=row.language, kind=row.kind, asked_at=at, expires_at=at + timedelta(days=OPEN_DAYS),
            )
            .on_conflict_do_nothing(index_elements=["case_id"])
            .returning(Survey.id)
        )  # fmt: skip
        if survey_id is None:
            continue
        await dispatch.write_all(tx, [_letter(row, line, f"{address}/survey/{token}", organisation, survey_id)])
        await events.record(
            tx,
            "survey.asked",
            case_id=row.case_id,
            customer_id=row.customer_id,
            queue_id=row.queue_id,
            survey_id=survey_id,
        )
    return len(rows)


class TalkSurveys:
    """Asks at the end of a talk, where it was held (``intake.talking.Surveys``)."""

    async def ask(self, tx: Tx, case_id: int, agent_id: int | None, token: str) -> str:
        """Write a question down, if this customer is to be asked; its kind, or nothing."""
        at = now()
        kind: str | None = await tx.value(
            statements.ask_in_talk,
            {
                "case_id": case_id,
                "agent_id": agent_id,
                "hash": token_hash(token),
                "at": at,
                "expires_at": at + timedelta(days=OPEN_DAYS),
            },
        )
        if kind is not None:
            await events.record(tx, "survey.asked", case_id=case_id, agent_id=agent_id)
        return kind or ""

    def question(self, kind: str, token: str) -> SurveyQuestion:
        """The question in the current language."""
        found = KINDS[kind]
        return SurveyQuestion(
            token, kind, _(found.question), found.low, found.high, _(found.low_words), _(found.high_words)
        )

    async def answer(self, tx: Tx, token: str, score: int, words: str) -> None:
        """What the customer says, once."""
        await answer(tx, token, score, words)


def _letter(row: Row, line: Row, link: str, organisation: str, survey_id: int) -> dict[str, Any]:
    with speaking(row.language or "en"):
        words = _(
            "Hello,\n\nyou wrote to us about “%(subject)s”, and we think that it is settled.\n\n%(question)s\n"
            "One click is enough: %(link)s\n\nThe link works once, until %(days)d days from now. If it is not settled, simply answer "
            "our last message. If you want no such questions, say so on the same page.\n\n%(organisation)s\n"
        ) % {
            "subject": row.subject,
            "question": _(KINDS[row.kind].question),
            "link": link,
            "days": OPEN_DAYS,
            "organisation": organisation,
        }
        subject = _("Was it settled well? Your case %s") % row.number
    return {
        "idempotency_key": f"survey:{survey_id}",
        "line_id": line.id,
        "case_id": row.case_id,
        "contact_point_id": row.contact_point_id,
        "kind": "survey",
        "address_kind": row.address_kind,
        "address": row.address,
        "address_name": row.customer_name,
        "sender_name": line.name,
        "subject": subject,
        "text": words,
        "language": row.language,
        "automatic": True,
        "external_id": dispatch.wire_id("survey", line.address.partition("@")[2]),
    }


async def by_token(tx: Tx, token: str) -> Row:
    """The survey of a link. NotFound when it is none of ours or has run out."""
    row = await tx.first(statements.by_token, {"hash": token_hash(token)})
    if row is None or row.expires_at < now():
        raise NotFound(_("This link works no more. If your matter is not settled, please write to us again."))
    return row


async def answer(tx: Tx, token: str, score: int, words: str) -> None:
    """What the customer says, once. Conflict when they have said it; Invalid for a score off the scale."""
    row = await by_token(tx, token)
    kind = KINDS[row.kind]
    if not kind.low <= score <= kind.high:
        raise Invalid(_("Please choose one of the numbers."), {"score": _("Please choose one of the numbers.")})
    done = await tx.execute(
        update(Survey)
        .where(Survey.id == row.id, Survey.answered_at.is_(None))
        .values(score=score, words=words.strip()[:2000], answered_at=func.now())
    )
    if not done:
        raise Conflict(_("You have answered already. Thank you."))
    await events.record(
        tx,
        "survey.answered",
        case_id=row.case_id,
        customer_id=row.customer_id,
        queue_id=row.queue_id,
        survey_id=row.id,
        score=score,
    )


async def refuse(tx: Tx, token: str) -> None:
    """The customer wants no more surveys, at any address they have."""
    row = await by_token(tx, token)
    addresses = await tx.rows(
        text("select address from contact_point where customer_id = :customer"), {"customer": row.customer_id}
    )
    await tx.many(
        upsert(SurveyRefusal).on_conflict_do_nothing(index_elements=["address"]),
        [{"address": one.address} for one in addresses],
    )
    await events.record(tx, "survey.refused", customer_id=row.customer_id, survey_id=row.id)


async def summary(tx: Tx, asked: Asked) -> list[dict[str, Any]]:
    """The results of each kind, with how many were asked and how many answered."""
    rows = await tx.rows(
        statements.summary,
        {
            "begin": asked.begin, "end": asked.end, "queues": list(asked.queue_ids), "channel": asked.channel, "language": asked.language,
            "kinds": list(KINDS), "good": [kind.good for kind in KINDS.values()], "bad": [kind.bad for kind in KINDS.values()],
        },
    )  # fmt: skip
    return [
        {
            "kind": row.kind,
            "asked": row.asked,
            "answers": row.answers,
            "rate": 100 * row.answers / row.asked if row.asked else None,
            "result": result(row.kind, row.good, row.bad, row.answers),
            "average": float(row.average) if row.average is not None else None,
        }
        for row in rows
    ]


async def answers(tx: Tx, asked: Asked, *, before: int = 0, most: int = 50) -> list[Row]:
    """What customers said, newest first."""
    return await tx.rows(
        statements.answers,
        {"begin": asked.begin, "end": asked.end, "queues": list(asked.queue_ids), "before": before, "most": most},
    )


async def spread(tx: Tx, asked: Asked, kind: str) -> dict[int, int]:
    """How often each answer was given."""
    rows = await tx.rows(
        statements.spread, {"begin": asked.begin, "end": asked.end, "queues": list(asked.queue_ids), "kind": kind}
    )
    return {row.score: row.n for row in rows}


async def bring(tx: Tx, case_id: int, kind: str, score: int | None, at: datetime) -> None:
    """A survey of the past, of a history that is brought along; a case of no queue or customer has none."""
    _token, kept = fresh_token()
    await tx.execute(statements.bring, {"hash": kept, "case_id": case_id, "kind": kind, "score": score, "at": at})
