"""How good the bot is: what it was asked and what came of it, without secrets; what it did not know, as gaps of the articles; what a
new model would have taken past questions for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert, select, update

from everyline.articles import actions as articles
from everyline.ground import sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.selfservice.bot import training
from everyline.selfservice.bot.classifier import Guessed
from everyline.selfservice.bot.models import BotQuestion
from everyline.selfservice.bot.replies import Heard, Outcome, Reply
from everyline.selfservice.bot.setting import Setting

statements = sql.beside(__file__, "quality.sql")

LONGEST = 500  # characters that are kept
REPLAYED = 1000  # questions, newest first
BACK_WITHIN = timedelta(days=7)
UNANSWERED = 50


async def keep(
    tx: Tx, words: str, heard: Heard, reply: Reply, model_id: int | None, milliseconds: float, setting: Setting
) -> int:
    """Keep a question and what came of it; returns its id. ``words`` are without secrets (``masking``). What it did not know becomes
    a gap of the articles; of distress no word is kept."""
    kept = "" if reply.outcome is Outcome.DISTRESS else words[:LONGEST]
    question_id: int = await tx.value(
        insert(BotQuestion)
        .values(
            talk=heard.talk[:80],
            words=kept,
            language=reply.language,
            channel=heard.who.channel,
            customer_id=heard.who.customer_id,
            outcome=str(reply.outcome),
            intent=reply.intent,
            name=reply.name,
            score=float(reply.score),
            article_id=reply.sources[0].article_id if reply.sources else None,
            model_id=model_id,
            worded=reply.worded,
            milliseconds=round(milliseconds),
            cost=setting.cost(reply.tokens),
        )
        .returning(BotQuestion.id)
    )
    if reply.outcome is Outcome.UNSURE:
        await articles.found_nothing(
            tx,
            kept,
            reply.language,
            channel=heard.who.channel,
            audience=heard.audience,
            customer_id=heard.who.customer_id,
        )
    return question_id


async def verdict(tx: Tx, question_id: int, talk: str, *, helped: bool) -> None:
    """Somebody said whether a reply helped; ``talk`` is the one it was given in. NotFound when it was not."""
    mine = (BotQuestion.id == question_id, BotQuestion.talk == talk[:80])
    row = await tx.first(
        update(BotQuestion)
        .where(*mine)
        .values(helped=helped)
        .returning(BotQuestion.article_id, BotQuestion.language, BotQuestion.channel, BotQuestion.customer_id)
    )
    if row is None:
        raise NotFound(_("There is no such question."))
    if row.article_id is not None:
        await articles.feedback(
            tx, row.article_id, row.language, helped=helped, channel=row.channel, customer_id=row.customer_id
        )


# --- replay


@dataclass(frozen=True, slots=True)
class Difference:
    """A past question that another model takes for something else. Empty: for nothing that was taught."""

    words: str
    language: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """Past questions asked again of two models."""

    questions: int
    differences: tuple[Difference, ...]


async def replay(tx: Tx, before_id: int, after_id: int, *, most: int = REPLAYED) -> Replay:
    """What one model takes past questions for, compared with another one. NotFound."""
    rows = await tx.rows(
        select(BotQuestion.words, BotQuestion.language, BotQuestion.at)
        .where(BotQuestion.words != "", BotQuestion.outcome.in_(_MEANT))
        .order_by(BotQuestion.id.desc())
        .limit(most)
    )
    if not rows:
        return Replay(0, ())
    embed = await training.embedder()
    taken: list[list[str]] = []
    for model_id in (before_id, after_id):
        model = await training.unpacked(tx, model_id)
        if model.needs_meaning and embed is None:
            raise NotFound(_("There is no such model."))
        guessed = await asyncio.to_thread(model.guess, [row.words for row in rows], embed)
        taken.append([_label(one) for one in guessed])
    found = [
        Difference(row.words, row.language, before, after, row.at)
        for row, before, after in zip(rows, *taken, strict=True)
        if before != after
    ]
    return Replay(len(rows), tuple(found))


_MEANT = (Outcome.ANSWER, Outcome.CLARIFY, Outcome.BEGIN, Outcome.ERRAND, Outcome.UNSURE)


def _label(guessed: Guessed) -> str:
    return guessed.guesses[0].label if guessed.known and guessed.guesses else ""


# --- figures


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of the talks of some days. ``contained`` of ``talks`` ended without a person, ``unhelped`` of them after the customer
    said that it did not help; of the ``known`` customers among those ``back`` came again within seven days, by whatever channel."""

    questions: int
    by_outcome: dict[str, int]
    talks: int
    contained: int
    unhelped: int
    known: int
    back: int
    helped: int
    not_helped: int
    worded: int
    cost: Decimal
    milliseconds_p95: int

    @property
    def containment(self) -> float:
        """The share of talks that ended without a person."""
        return self.contained / self.talks if self.talks else 0.0

    @property
    def came_back(self) -> float:
        """The share of contained talks whose customer came again: what containment does not say of itself."""
        return self.back / self.known if self.known else 0.0

    @property
    def cost_per_answer(self) -> Decimal:
        """What an answer cost on average; the built-in engine costs nothing."""
        answers = self.by_outcome.get(Outcome.ANSWER, 0)
        return self.cost / answers if answers else Decimal(0)


async def figures(tx: Tx, days: int = 28) -> Figures:
    """Those of the last days. Who came back is counted of talks that are more than seven days old."""
    until = now()
    span = {
        "since": until - timedelta(days=days),
        "until": until,
        "settled": until - BACK_WITHIN,
        "within": BACK_WITHIN,
    }
    row = await tx.one(statements.figures, span)
    outcomes = await tx.rows(statements.outcomes, span)
    return Figures(
        row.questions,
        {one.outcome: one.n for one in outcomes},
        row.talks,
        row.contained,
        row.unhelped,
        row.known,
        row.back,
        row.helped,
        row.not_helped,
        row.worded,
        row.cost,
        row.milliseconds_p95,
    )


async def unanswered(tx: Tx, *, most: int = UNANSWERED) -> Sequence[Row]:
    """What it did not know, or answered without helping, and nobody has looked at, most asked first (words, language, asked,
    not_helped, last_at, id of one)."""
    return await tx.rows(statements.unanswered, {"most": most})


async def settle(tx: Tx, question_id: int) -> None:
    """Somebody has looked at it, and at all that were put the same way. NotFound."""
    if not await tx.execute(statements.settle, {"id": question_id, "at": now()}):
        raise NotFound(_("There is no such question."))


async def forget_old(tx: Tx, days: int = 400) -> int:
    """Forget what was asked so long ago; returns how many."""
    return await tx.execute(statements.forget_old, {"before": now() - timedelta(days=days)})
