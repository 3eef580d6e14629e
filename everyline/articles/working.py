"""Reads for those who write articles: versions, languages, lists, figures, and what is not well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from everyline.articles import queries
from everyline.articles.models import (
    ArticleAddress,
    ArticleFeedback,
    ArticleFile,
    ArticleFlag,
    ArticleSynonym,
    ArticleUse,
    ArticleVersion,
)
from everyline.articles.queries import PAGE
from everyline.articles.rendering import FileRow
from everyline.articles.rules import OPEN, STALE_VOTES, Stale, Translation, stale, translation
from everyline.articles.wordings import WRITTEN
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _

statements = queries.statements
FIGURE_DAYS = 90


async def version(tx: Tx, article_id: int, language: str, number: int) -> Row:
    """One version. NotFound when there is none."""
    row = await tx.first(
        select(ArticleVersion.__table__).where(
            ArticleVersion.article_id == article_id,
            ArticleVersion.language == language,
            ArticleVersion.number == number,
        )
    )
    if row is None:
        raise NotFound(_("There is no such version."))
    return row


async def versions(tx: Tx, article_id: int, language: str) -> Sequence[Row]:
    """All versions in one language, the newest first."""
    return await tx.rows(
        select(ArticleVersion.__table__)
        .where(ArticleVersion.article_id == article_id, ArticleVersion.language == language)
        .order_by(ArticleVersion.number.desc())
    )


async def open_version(tx: Tx, article_id: int, language: str) -> Row | None:
    """The version that is being worked on."""
    return await tx.first(
        select(ArticleVersion.__table__).where(
            ArticleVersion.article_id == article_id,
            ArticleVersion.language == language,
            ArticleVersion.state.in_(OPEN),
        )
    )


@dataclass(frozen=True, slots=True)
class LanguageState:
    """How far an article is in one language."""

    language: str
    translation: Translation
    published: int | None  # number of the version
    open: int | None  # number of the version that is being worked on
    state: str  # of that
    publish_at: datetime | None
    slug: str


async def languages_of(tx: Tx, article_id: int, wanted: Sequence[str] = ()) -> list[LanguageState]:
    """Every language that an article has or, of ``wanted``, should have."""
    article = await queries.get(tx, article_id)
    return (await languages_of_all(tx, {article_id: article.language}, wanted))[article_id]


async def languages_of_all(
    tx: Tx, sources: Mapping[int, str], wanted: Sequence[str] = ()
) -> dict[int, list[LanguageState]]:
    """The same of several articles. ``sources``: the language that each was written in."""
    rows = await tx.rows(
        select(
            ArticleVersion.article_id,
            ArticleVersion.language,
            ArticleVersion.number,
            ArticleVersion.state,
            ArticleVersion.source_number,
            ArticleVersion.publish_at,
        ).where(ArticleVersion.article_id.in_(list(sources)), ArticleVersion.state != "past")
    )
    slugs = {
        (row.article_id, row.language): row.slug
        for row in await tx.rows(
            select(ArticleAddress.article_id, ArticleAddress.language, ArticleAddress.slug).where(
                ArticleAddress.article_id.in_(list(sources)), ArticleAddress.current
            )
        )
    }
    live = {(row.article_id, row.language): row for row in rows if row.state == "published"}
    begun = {(row.article_id, row.language): row for row in rows if row.state in OPEN}

    def state(article_id: int, language: str) -> LanguageState:
        place, source = (article_id, language), live.get((article_id, sources[article_id]))
        there, work = live.get(place), begun.get(place)
        status = translation(
            language,
            sources[article_id],
            source.number if source else None,
            there.source_number if there else None,
            published=there is not None,
            begun=work is not None,
        )
        return LanguageState(
            language,
            status,
            there.number if there else None,
            work.number if work else None,
            work.state if work else "",
            work.publish_at if work else None,
            slugs.get(place, ""),
        )

    had: dict[int, set[str]] = {}
    for row in rows:
        had.setdefault(row.article_id, set()).add(row.language)
    return {
        article_id: [
            state(article_id, one) for one in dict.fromkeys([source, *sorted({*had.get(article_id, ()), *wanted})])
        ]
        for article_id, source in sources.items()
    }


async def synonyms(tx: Tx, language: str = "") -> Sequence[Row]:
    """Words that mean the same in this house."""
    wanted = select(ArticleSynonym.__table__).order_by(ArticleSynonym.language, ArticleSynonym.id)
    return await tx.rows(wanted.where(ArticleSynonym.language == language) if language else wanted)


async def file(tx: Tx, file_id: int) -> FileRow:
    """A file of an article, whether readers see the article or not. NotFound."""
    row = await tx.first(
        select(ArticleFile.__table__).where(ArticleFile.id == file_id, ArticleFile.removed_at.is_(None))
    )
    if row is None:
        raise NotFound(_("There is no such file."))
    return FileRow(row.id, row.name, row.content_type, row.size, row.captions_of, row.language, row.file_hash)


async def addresses(tx: Tx, article_id: int, language: str) -> Sequence[Row]:
    """Under which names an article is and was found in one language, the newest first."""
    return await tx.rows(
        select(ArticleAddress.__table__)
        .where(ArticleAddress.article_id == article_id, ArticleAddress.language == language)
        .order_by(ArticleAddress.current.desc(), ArticleAddress.since.desc())
    )


async def feedback(tx: Tx, article_id: int, *, most: int = PAGE) -> Sequence[Row]:
    """What readers said of an article, the newest first."""
    return await tx.rows(
        select(ArticleFeedback.__table__)
        .where(ArticleFeedback.article_id == article_id)
        .order_by(ArticleFeedback.at.desc())
        .limit(most)
    )


async def flags(tx: Tx, article_id: int | None = None) -> Sequence[Row]:
    """What agents found wrong and nobody has settled."""
    wanted = select(ArticleFlag.__table__).where(ArticleFlag.settled_at.is_(None)).order_by(ArticleFlag.at)
    return await tx.rows(wanted if article_id is None else wanted.where(ArticleFlag.article_id == article_id))


async def uses(tx: Tx, article_id: int, *, most: int = PAGE) -> Sequence[Row]:
    """The cases in which an article was given, the newest first."""
    return await tx.rows(
        select(ArticleUse.__table__)
        .where(ArticleUse.article_id == article_id)
        .order_by(ArticleUse.at.desc())
        .limit(most)
    )


async def figures(tx: Tx, article_id: int, since: date) -> Sequence[Row]:
    """Views, votes, deflected and used by channel."""
    return await tx.rows(statements.figures, {"article_id": article_id, "since": since})


async def figures_of_all(tx: Tx, since: date, *, most: int = PAGE) -> Sequence[Row]:
    """The same of all articles, most read first."""
    return await tx.rows(statements.figures_of_all, {"since": since, "most": most})


async def gap_groups(tx: Tx, *, language: str = "", settled: bool = False, most: int = PAGE) -> Sequence[Row]:
    """What was asked and not found, most asked first; each with the cases that asked (``case_ids``) and its ``asks``."""
    return await tx.rows(statements.gap_groups, {"language": language, "open": not settled, "most": most})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles that say nearly the same; ``contradict``: and may not say it alike."""

    article_id: int
    other_id: int
    language: str
    title: str
    other_title: str
    likeness: float  # 0 to 1
    contradict: bool


@dataclass(frozen=True, slots=True)
class Lack:
    """What an article lacks."""

    article_id: int
    title: str
    slug: str
    languages: tuple[str, ...]  # that are missing
    behind: tuple[str, ...]  # that are translations of an older version
    wordings: tuple[str, ...]  # that nobody wrote
    source: str = ""  # the language it is written in


@dataclass(frozen=True, slots=True)
class Health:
    """What is not well with the articles."""

    stale: tuple[tuple[Row, Stale], ...]
    pairs: tuple[Pair, ...]
    lacking: tuple[Lack, ...]
    flags: tuple[Row, ...]
    nobodys: tuple[Row, ...] = ()  # published, and without an owner who may still sign in
    paired: int = 0  # of how many pairs these are the first
    uncompared: int = 0  # articles that are still to be compared with the others


async def health(tx: Tx, wanted: Sequence[str], *, most: int = 100) -> Health:
    """Stale articles, near duplicates and those that may contradict each other, missing languages (of ``wanted``) and
    wordings, and open flags."""
    today = now().date()
    voted = await tx.rows(
        statements.votes, {"since": today - timedelta(days=FIGURE_DAYS), "today": today, "votes": STALE_VOTES}
    )
    old = [(row, stale(today, row.review_on, row.helped, row.not_helped)) for row in voted]
    lacking = []
    for row in await tx.rows(statements.lacking, {"most": most * 10}):
        missing = tuple(language for language in wanted if language not in row.languages)
        unwritten = tuple(str(kind) for kind in WRITTEN if not row.wordings.get(kind))
        if missing or row.behind or unwritten:
            lacking.append(
                Lack(row.article_id, row.title, row.slug, missing, tuple(row.behind), unwritten, row.language)
            )
    pairs = await tx.rows(statements.pairs, {"most": most})
    return Health(
        tuple((row, found) for row, found in old if found is not None)[:most],
        tuple(
            Pair(
                row.article_id,
                row.other_id,
                row.language,
                row.title,
                row.other_title,
                round(row.likeness, 3),
                row.contradict,
            )
            for row in pairs
        ),
        tuple(lacking[:most]),
        tuple(await flags(tx))[:most],
        tuple(await tx.rows(statements.nobodys, {"most": most})),
        pairs[0].of if pairs else 0,
        await tx.value(statements.how_many_uncompared),
    )
