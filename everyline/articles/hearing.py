"""Verbs of what comes back: views, votes, uses, flags, and what was asked and not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, text, update

from everyline.articles import meanings, publishing, queries, rules
from everyline.articles.finding import plain_words
from everyline.articles.models import (
    Article,
    ArticleFeedback,
    ArticleFlag,
    ArticleUse,
    Gap,
    GapGroup,
    PublishedArticle,
)
from everyline.articles.wordings import Wording
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.events import Event
from everyline.ground.words import _

statements = queries.statements
LINK = "link"  # what was given of an article instead of one of its wordings
_LOCK_GAPS = text("select pg_advisory_xact_lock(7341)")  # two who ask the same at once are one group


async def _count(tx: Tx, article_id: int, language: str, channel: str, **counts: int) -> None:
    none = dict.fromkeys(("views", "helped", "not_helped", "deflected", "used"), 0)
    values = {"article_id": article_id, "language": language, "channel": channel, "day": now().date()}
    await tx.execute(statements.count_day, {**values, **none, **counts})


async def viewed(tx: Tx, article_id: int, language: str, *, channel: str = "", customer_id: int | None = None) -> None:
    """Somebody read an article."""
    await all_viewed(tx, {(article_id, language, customer_id): 1}, channel=channel)


async def all_viewed(tx: Tx, times: Mapping[tuple[int, str, int | None], int], *, channel: str = "") -> None:
    """Articles were read so many times, told together: by article, language and customer. What is gone is not counted."""
    found = await tx.rows(statements.viewed, _columns([(one[0], one[1], count) for one, count in times.items()]))
    there = {(row.article_id, row.language) for row in found}
    if not there:
        return
    day = {"day": now().date(), "channel": channel}
    await tx.execute(statements.count_views, {**day, **_columns([tuple(row) for row in found])})
    at = now()
    await events.record_all(
        tx,
        [
            Event(
                "article.viewed",
                at,
                customer_id=customer_id,
                data={"article_id": article_id, "language": language, "channel": channel, "times": count},
            )
            for (article_id, language, customer_id), count in times.items()
            if (article_id, language) in there
        ],
    )


def _columns(rows: Sequence[tuple[int, str, int]]) -> dict[str, list[Any]]:
    article_ids, languages, times = zip(*rows, strict=True) if rows else ((), (), ())
    return {"article_ids": list(article_ids), "languages": list(languages), "times": list(times)}


async def feedback(
    tx: Tx,
    article_id: int,
    language: str,
    helped: bool,  # noqa: FBT001 -- what was answered is an argument like the others
    words: str = "",
    channel: str = "",
    customer_id: int | None = None,
) -> int:
    """Somebody said whether an article helped; returns the id."""
    number = await tx.value(
        select(PublishedArticle.number).where(
            PublishedArticle.article_id == article_id, PublishedArticle.language == language
        )
    )
    if number is None:
        raise NotFound(_("There is no such article."))
    feedback_id: int = await tx.value(
        insert(ArticleFeedback)
        .values(
            article_id=article_id,
            language=language,
            number=number,
            helped=helped,
            words=words.replace("\x00", "").strip()[: rules.LONGEST_REMARK],
            channel=channel,
            customer_id=customer_id,
        )
        .returning(ArticleFeedback.id)
    )
    await _count(tx, article_id, language, channel, **({"helped": 1} if helped else {"not_helped": 1}))
    owner_id = await tx.value(select(Article.owner_id).where(Article.id == article_id))
    await events.record(
        tx,
        "article.voted",
        agent_id=owner_id,
        customer_id=customer_id,
        article_id=article_id,
        language=language,
        helped=helped,
        feedback_id=feedback_id,
    )
    return feedback_id


async def said_more(tx: Tx, feedback_id: int, words: str) -> bool:
    """Somebody who has said whether an article helped says why, once; returns whether it was kept."""
    said = words.replace("\x00", "").strip()[: rules.LONGEST_REMARK]
    return bool(said) and bool(
        await tx.execute(
            update(ArticleFeedback)
            .where(ArticleFeedback.id == feedback_id, ArticleFeedback.words == "")
            .values(words=said)
        )
    )


async def deflected(
    tx: Tx, article_id: int, language: str, *, channel: str = "", customer_id: int | None = None
) -> None:
    """Somebody was about to write to us, read an article instead, and left it at that."""
    await _count(tx, article_id, language, channel, deflected=1)
    await events.record(
        tx, "article.deflected", customer_id=customer_id, article_id=article_id, language=language, channel=channel
    )


async def used(
    tx: Tx,
    article_id: int,
    case_id: int,
    message_id: int | None,
    channel: str,
    wording: str,
    *,
    language: str = "",
    by: int | None = None,
) -> int:
    """An article was given in an answer, in one of its wordings or as a link; returns the id."""
    if wording != LINK and wording not in list(Wording):
        raise Invalid(_("There is no wording %s.") % wording, {"wording": _("Choose one of the list.")})
    article = await queries.get(tx, article_id)
    language = language or article.language
    use_id: int = await tx.value(
        insert(ArticleUse)
        .values(
            article_id=article_id,
            language=language,
            case_id=case_id,
            message_id=message_id,
            channel=channel,
            wording=wording,
            agent_id=by,
        )
        .returning(ArticleUse.id)
    )
    await _count(tx, article_id, language, channel, used=1)
    await events.record(
        tx,
        "article.used",
        actor_id=by,
        case_id=case_id,
        article_id=article_id,
        language=language,
        channel=channel,
        wording=wording,
    )
    return use_id


async def flag(
    tx: Tx, by: int | None, article_id: int, words: str, *, language: str = "", case_id: int | None = None
) -> int:
    """An agent found something wrong; returns the id. The owner is told."""
    if not words.strip():
        raise Invalid(_("Say what is wrong."), {"words": _("Write something.")})
    article = await queries.get(tx, article_id)
    flag_id: int = await tx.value(
        insert(ArticleFlag)
        .values(
            article_id=article_id,
            language=language or article.language,
            agent_id=by,
            case_id=case_id,
            words=words.strip()[: rules.LONGEST_REMARK],
        )
        .returning(ArticleFlag.id)
    )
    await events.record(
        tx,
        "article.flagged",
        actor_id=by,
        agent_id=article.owner_id,
        case_id=case_id,
        article_id=article_id,
        flag_id=flag_id,
    )
    return flag_id


async def settle_flag(tx: Tx, by: int | None, flag_id: int) -> None:
    """What was wrong is put right, or was not wrong."""
    article_id = await tx.value(
        update(ArticleFlag)
        .where(ArticleFlag.id == flag_id, ArticleFlag.settled_at.is_(None))
        .values(settled_at=now(), settled_by=by)
        .returning(ArticleFlag.article_id)
    )
    if article_id is None:
        raise NotFound(_("There is no such flag."))
    await events.record(tx, "article.flag_settled", actor_id=by, article_id=article_id, flag_id=flag_id)


async def settle_feedback(tx: Tx, by: int | None, feedback_id: int) -> None:
    """Somebody has looked at what a reader said."""
    article_id = await tx.value(
        update(ArticleFeedback)
        .where(ArticleFeedback.id == feedback_id)
        .values(settled_at=now(), settled_by=by)
        .returning(ArticleFeedback.article_id)
    )
    if article_id is None:
        raise NotFound(_("There is no such feedback."))
    await events.record(tx, "article.feedback_settled", actor_id=by, article_id=article_id, feedback_id=feedback_id)


async def found_nothing(
    tx: Tx,
    words: str,
    language: str,
    *,
    channel: str = "",
    audience: str = "public",
    customer_id: int | None = None,
    case_id: int | None = None,
) -> int | None:
    """Keep a search without a useful hit, with others that mean the same; returns the group's id. None: nothing was asked."""
    said = " ".join(words.replace("\x00", "").split())[: rules.LONGEST_WORDS]
    if not any(len(word) >= 3 for word in plain_words(said)):
        return None
    vector = await meanings.of(said)
    await tx.execute(_LOCK_GAPS)
    group_id = await tx.value(meanings.statements.alike_gap, {"language": language, "words": said})
    if group_id is None and vector is not None:
        group_id = await meanings.same_gap(tx, vector, language)
    if group_id is None:
        group_id = await tx.value(insert(GapGroup).values(language=language, words=said).returning(GapGroup.id))
        if vector is not None:
            await meanings.keep_gap(tx, group_id, vector)
    await tx.execute(update(GapGroup).where(GapGroup.id == group_id).values(asked=GapGroup.asked + 1, last_at=now()))
    values = {"channel": channel, "audience": audience, "customer_id": customer_id, "case_id": case_id}
    gap_id = await tx.value(insert(Gap).values(group_id=group_id, words=said, **values).returning(Gap.id))
    await events.record(
        tx, "gap.found", customer_id=customer_id, case_id=case_id, gap_id=gap_id, group_id=group_id, channel=channel
    )
    return int(group_id)


async def write_for_gap(tx: Tx, by: int | None, group_id: int) -> int:
    """Begin the article that a group of gaps asks for, with what was asked as the ways in which it is asked; returns its id.
    The group is settled when it is published."""
    row = await tx.first(select(GapGroup.__table__).where(GapGroup.id == group_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such gap."))
    if row.article_id is not None:
        raise Conflict(_("Somebody is writing this article already."))
    asked = await tx.column(
        select(Gap.words).where(Gap.group_id == group_id).order_by(Gap.at.desc()).limit(rules.MOST_QUESTIONS)
    )
    title = row.words[:1].upper() + row.words[1 : rules.LONGEST_TITLE]
    article_id = await publishing.add(tx, by, row.language, title, questions=[row.words, *asked])
    await tx.execute(update(GapGroup).where(GapGroup.id == group_id).values(article_id=article_id))
    await events.record(tx, "gap.taken", actor_id=by, group_id=group_id, article_id=article_id)
    return article_id


async def settle_gap(tx: Tx, by: int | None, group_id: int, *, article_id: int | None = None) -> None:
    """Nothing is to be written for it, or an article that there is answers it: what was asked becomes a way to ask for that
    one, and finds it from now on."""
    done = await tx.execute(
        update(GapGroup)
        .where(GapGroup.id == group_id, GapGroup.settled_at.is_(None))
        .values(settled_at=now(), settled_by=by, article_id=article_id or GapGroup.article_id)
    )
    if not done:
        raise NotFound(_("There is no such gap."))
    if article_id is not None:
        group = await tx.one(select(GapGroup.__table__).where(GapGroup.id == group_id))
        asked = await tx.column(select(Gap.words).where(Gap.group_id == group_id).order_by(Gap.at.desc()).limit(10))
        await publishing.add_questions(tx, article_id, group.language, [group.words, *asked])
    await events.record(tx, "gap.settled", actor_id=by, group_id=group_id, article_id=article_id)
