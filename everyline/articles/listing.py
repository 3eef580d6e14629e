"""Lists of articles for those who write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import REGCONFIG

from everyline.articles.models import (
    Article,
    ArticleDay,
    ArticleFlag,
    ArticleVersion,
    GapGroup,
    PublishedArticle,
)
from everyline.articles.queries import PAGE
from everyline.articles.rules import OPEN, STALE_SHARE, STALE_VOTES, State, configuration
from everyline.articles.working import FIGURE_DAYS
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of articles is narrowed to."""

    words: str = ""  # in a title in any language, or in what is published in ``spoken``
    state: str = ""  # draft, in review, published, scheduled, archived; of any language
    category_id: int | None = None
    owner_id: int | None = None
    kind: str = ""
    tag: str = ""
    due_by: date | None = None  # review falls due by then
    language: str = ""  # it has this one
    audience: str = ""
    stale: bool = False  # its review is overdue, or it seldom helps
    nobodys: bool = False  # it has no owner
    spoken: str = "en"


async def listed(
    tx: Tx, filters: Filters, *, after: int = 0, before: int | None = None, most: int = PAGE
) -> Sequence[Row]:
    """Articles for those who write them, with the title in the language each was written in: by id, those after one; with
    ``before`` the newest first, those before one (0: from the newest)."""
    newest = (
        select(
            ArticleVersion.title,
            ArticleVersion.state,
            ArticleVersion.publish_at,
            ArticleVersion.changed_at,
            ArticleVersion.changed_by,
        )
        .where(ArticleVersion.article_id == Article.id, ArticleVersion.language == Article.language)
        .order_by(ArticleVersion.number.desc())
        .limit(1)
        .lateral()
    )
    columns = (newest.c.title, newest.c.state, newest.c.publish_at, newest.c.changed_at, newest.c.changed_by)
    wanted = select(Article.__table__, *columns).outerjoin(newest, Article.id == Article.id)
    wanted = wanted.where(*_narrowed(filters))
    if before is None:
        wanted = wanted.where(Article.id > after).order_by(Article.id)
    else:
        wanted = wanted.where(*([Article.id < before] if before else [])).order_by(Article.id.desc())
    return await tx.rows(wanted.limit(most))


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Article.archived_at.is_not(None) if filters.state == "archived" else Article.archived_at.is_(None)
    ]
    if filters.state == "scheduled":
        found.append(_has(ArticleVersion.publish_at.is_not(None), ArticleVersion.state.in_(OPEN)))
    elif filters.state in (State.DRAFT, State.IN_REVIEW, State.PUBLISHED):
        found.append(_has(ArticleVersion.state == filters.state))
    if filters.words:
        found.append(_holds(filters.words, filters.spoken))
    for column, value in (
        (Article.category_id, filters.category_id),
        (Article.owner_id, filters.owner_id),
        (Article.kind, filters.kind or None),
        (Article.audience, filters.audience or None),
    ):
        if value is not None:
            found.append(column == value)
    if filters.tag:
        found.append(Article.tags.contains([filters.tag]))
    if filters.due_by is not None:
        found.append(Article.review_on <= filters.due_by)
    if filters.language:
        found.append(_has(ArticleVersion.language == filters.language, ArticleVersion.state != State.PAST))
    if filters.nobodys:
        found.append(Article.owner_id.is_(None))
    if filters.stale:
        found.append(or_(Article.review_on < now().date(), Article.id.in_(_seldom_helps())))
    return found


def _has(*facts: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(ArticleVersion.id).where(ArticleVersion.article_id == Article.id, *facts))


def _holds(words: str, spoken: str) -> ColumnElement[bool]:
    pattern = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    query = func.websearch_to_tsquery(cast(configuration(spoken), REGCONFIG), words)
    published = select(PublishedArticle.article_id).where(PublishedArticle.search.op("@@")(query))
    titled = _has(ArticleVersion.title.ilike(pattern), ArticleVersion.state != State.PAST)
    return or_(titled, Article.id.in_(published))


def _seldom_helps() -> Any:
    said = func.sum(ArticleDay.helped + ArticleDay.not_helped)
    return (
        select(ArticleDay.article_id)
        .where(ArticleDay.day >= now().date() - timedelta(days=FIGURE_DAYS))
        .group_by(ArticleDay.article_id)
        .having(and_(said >= STALE_VOTES, func.sum(ArticleDay.not_helped) > STALE_SHARE * said))
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for somebody."""

    in_review: int
    gaps: int
    flags: int


async def how_many_wait(tx: Tx) -> Waiting:
    """How much waits for somebody."""
    row = await tx.one(
        select(
            select(func.count()).where(ArticleVersion.state == State.IN_REVIEW).scalar_subquery(),
            select(func.count()).where(GapGroup.settled_at.is_(None)).select_from(GapGroup).scalar_subquery(),
            select(func.count()).where(ArticleFlag.settled_at.is_(None)).select_from(ArticleFlag).scalar_subquery(),
        )
    )
    return Waiting(*row)


async def tags(tx: Tx, *, most: int = 200) -> list[str]:
    """The tags that articles have, the most common first."""
    tag = func.unnest(Article.tags).label("tag")
    each = select(tag).where(Article.archived_at.is_(None)).subquery()
    return await tx.column(
        select(each.c.tag).group_by(each.c.tag).order_by(func.count().desc(), each.c.tag).limit(most)
    )
