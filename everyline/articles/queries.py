"""Reads of articles: what readers see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, func, select, tuple_

from everyline.articles import guides, wordings
from everyline.articles.models import Article, ArticleFile, Category, PublishedArticle
from everyline.articles.rendering import FILE_PATH, FileRow, Rendered, Step, rendered, renderer, unpacked
from everyline.articles.rules import Audience, Kind, seen_by
from everyline.articles.wordings import Wording
from everyline.ground import markdown, sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _, speaking

statements = sql.beside(__file__, "articles.sql")

NEWS = 5
MOST_READ = 8
RELATED = 6
PAGE = 50


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. ``audience`` is public, signed in or agents; each sees what those before it see. ``category_ids``: the
    categories they see, with nothing meant of those below; empty: every one, and what stands in none."""

    audience: str
    language: str
    customer_id: int | None = None
    category_ids: tuple[int, ...] = ()

    @property
    def audiences(self) -> list[str]:
        """The audiences whose articles they see."""
        return seen_by(self.audience)

    @property
    def within(self) -> list[int] | None:
        """The categories they see as statements take them; None: every one."""
        return list(self.category_ids) or None

    @property
    def sees(self) -> ColumnElement[bool]:
        """Which published articles they see."""
        seen = PublishedArticle.audience.in_(self.audiences)
        return and_(seen, PublishedArticle.category_id.in_(self.category_ids)) if self.category_ids else seen


@dataclass(frozen=True, slots=True)
class Crumb:
    """A category by its name."""

    id: int
    slug: str
    name: str
    remark: str
    icon: str


@dataclass(frozen=True, slots=True)
class Place(Crumb):
    """A category as a reader sees it; ``articles`` counts those below it as well."""

    articles: int
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in a list."""

    article_id: int
    slug: str
    title: str
    summary: str
    kind: str
    updated_at: datetime
    published_at: datetime  # for the first time


@dataclass(frozen=True, slots=True)
class Home:
    """The first page."""

    places: tuple[Place, ...]
    news: tuple[Entry, ...]
    most_read: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class CategoryShown:
    """One category: where it stands, what stands in it."""

    place: Place
    path: tuple[Place, ...]  # from the top, without itself
    articles: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """The article is found under another name now."""

    slug: str


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file to take along."""

    id: int
    name: str
    content_type: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An article as a reader sees it."""

    article_id: int
    language: str
    number: int
    slug: str
    kind: str
    audience: str
    title: str
    summary: str
    html: str  # of a guide: what stands before its first step
    headings: tuple[markdown.Heading, ...]
    steps: tuple[Step, ...]
    languages: Mapping[str, str]  # language: slug
    path: tuple[Crumb, ...]  # from the top
    files: tuple[FileShown, ...]
    related: tuple[Entry, ...]
    tags: tuple[str, ...]
    products: tuple[str, ...]
    minutes: int  # to read
    published_at: datetime
    updated_at: datetime
    own_language: bool = True  # it is written in the reader's language


def _named(names: Mapping[str, str], language: str) -> str:
    return names.get(language) or names.get("en") or next(iter(names.values()), "")


async def places(tx: Tx, reader: Reader) -> tuple[Place, ...]:
    """All categories in which a reader finds anything, as they stand in one another."""
    rows = await tx.rows(statements.tree, {"language": reader.language, "audiences": reader.audiences})
    if reader.category_ids:
        rows = [row for row in rows if row.id in reader.category_ids]
    return _grown(rows, reader.language, empty=False)


async def all_places(tx: Tx, language: str) -> tuple[Place, ...]:
    """Every category, for those who arrange them."""
    rows = await tx.rows(statements.tree, {"language": language, "audiences": seen_by(Audience.AGENTS)})
    return _grown(rows, language, empty=True)


def _grown(rows: Sequence[Row], language: str, *, empty: bool) -> tuple[Place, ...]:
    below: dict[int | None, list[Row]] = {}
    known = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)

    def grow(parent_id: int | None) -> tuple[Place, ...]:
        found = []
        for row in below.get(parent_id, ()):
            inner = grow(row.id)
            count = row.articles + sum(place.articles for place in inner)
            if count or empty:
                name, remark = _named(row.names, language), _named(row.remarks, language)
                found.append(Place(row.id, row.slug, name, remark, row.icon, count, inner))
        return tuple(found)

    return grow(None)


def _path(top: Sequence[Place], category_id: int | None) -> tuple[Place, ...]:
    """The categories that lead to one, itself last; empty when it is not among these."""
    for place in top:
        if place.id == category_id:
            return (place,)
        if inner := _path(place.places, category_id):
            return (place, *inner)
    return ()


_ENTRY = (
    PublishedArticle.article_id,
    PublishedArticle.slug,
    PublishedArticle.title,
    PublishedArticle.summary,
    PublishedArticle.kind,
    PublishedArticle.updated_at,
    PublishedArticle.published_at,
)


def _entries(rows: Sequence[Row]) -> tuple[Entry, ...]:
    return tuple(Entry(*row) for row in rows)


async def home(tx: Tx, reader: Reader) -> Home:
    """Categories with how much is in each, the latest news, and what is read most."""
    mine = (PublishedArticle.language == reader.language, reader.sees)
    news = await tx.rows(
        select(*_ENTRY)
        .where(*mine, PublishedArticle.kind == Kind.NEWS)
        .order_by(PublishedArticle.published_at.desc())
        .limit(NEWS)
    )
    most = await tx.rows(
        select(*_ENTRY)
        .where(*mine, PublishedArticle.kind != Kind.NEWS)
        .order_by(PublishedArticle.views.desc(), PublishedArticle.article_id)
        .limit(MOST_READ)
    )
    return Home(await places(tx, reader), _entries(news), _entries(most))


async def news(tx: Tx, reader: Reader, *, before: tuple[datetime, int] | None = None) -> tuple[Entry, ...]:
    """A page of news, the latest first. ``before``: moment and article of the last one shown."""
    place = tuple_(PublishedArticle.published_at, PublishedArticle.article_id)
    rows = await tx.rows(
        select(*_ENTRY)
        .where(
            PublishedArticle.language == reader.language,
            reader.sees,
            PublishedArticle.kind == Kind.NEWS,
            *([place < tuple_(*before)] if before else []),
        )
        .order_by(PublishedArticle.published_at.desc(), PublishedArticle.article_id.desc())
        .limit(PAGE)
    )
    return _entries(rows)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an article is found in one language."""

    article_id: int
    language: str
    slug: str
    updated_at: datetime


async def addresses(tx: Tx, reader: Reader) -> list[Address]:
    """Every article that a reader sees, in every language, for maps of a site."""
    return [
        Address(*row)
        for row in await tx.tuples(
            select(
                PublishedArticle.article_id,
                PublishedArticle.language,
                PublishedArticle.slug,
                PublishedArticle.updated_at,
            )
            .where(reader.sees)
            .order_by(PublishedArticle.article_id, PublishedArticle.language)
        )
    ]


async def below(tx: Tx, category_ids: Collection[int]) -> tuple[int, ...]:
    """These categories and all that stand in them."""
    rows = await tx.rows(select(Category.id, Category.parent_id))
    found = set(category_ids) & {row.id for row in rows}
    while more := {row.id for row in rows if row.parent_id in found} - found:
        found |= more
    return tuple(sorted(found))


async def category(tx: Tx, reader: Reader, slug: str) -> CategoryShown:
    """One category. NotFound when there is none, or nothing in it for this reader."""
    top = await places(tx, reader)
    category_id = await tx.value(select(Category.id).where(Category.slug == slug))
    path = _path(top, category_id) if category_id is not None else ()
    if not path:
        raise NotFound(_("There is nothing at this address."))
    rows = await tx.rows(
        select(*_ENTRY)
        .join(Article, Article.id == PublishedArticle.article_id)
        .where(
            PublishedArticle.category_id == category_id,
            PublishedArticle.language == reader.language,
            reader.sees,
            PublishedArticle.kind != Kind.NEWS,
        )
        .order_by(Article.position, PublishedArticle.title)
        .limit(500)
    )
    return CategoryShown(path[-1], path[:-1], _entries(rows))


async def shown(tx: Tx, reader: Reader, slug: str) -> Shown | Moved:
    """The article of this name, in the language of the name. NotFound when there is none for this reader."""
    sight = {"audiences": reader.audiences, "category_ids": reader.within}
    row = await tx.first(statements.shown, {"slug": slug, **sight})
    if row is None:
        raise NotFound(_("There is nothing at this address."))
    if not row.current:
        return Moved(row.slug)
    near = {
        "article_id": row.article_id,
        "language": row.language,
        **sight,
        "category_id": row.category_id,
        "tags": row.tags,
        "products": row.products,
        "most": RELATED,
    }
    related = await tx.rows(statements.related, near)
    files = tuple(FileRow(*one) for one in row.files or ())
    if row.renderer == renderer():
        pieces = unpacked(row.rendered)
    else:
        words = await tx.one(statements.published_text, {"article_id": row.article_id, "language": row.language})
        pieces = _made(row.kind, words.text, words.plain, files)
    return Shown(
        article_id=row.article_id,
        language=row.language,
        number=row.number,
        slug=row.slug,
        kind=row.kind,
        audience=row.audience,
        title=row.title,
        summary=row.summary,
        html=pieces.html,
        headings=pieces.headings,
        steps=pieces.steps,
        languages=dict(row.languages),
        path=tuple(
            Crumb(category_id, place, _named(names, row.language), _named(remarks, row.language), icon)
            for category_id, place, names, remarks, icon in row.path or ()
            if not reader.category_ids or category_id in reader.category_ids
        ),
        files=tuple(
            FileShown(one.id, one.name, one.content_type, one.size, f"{FILE_PATH}{one.id}")
            for one in files
            if one.captions_of is None and one.id not in pieces.named
        ),
        related=tuple(Entry(*one[:7]) for one in related),
        tags=tuple(row.tags),
        products=tuple(row.products),
        minutes=wordings.minutes(pieces.seconds),
        published_at=row.published_at,
        updated_at=row.updated_at,
        own_language=row.language == reader.language,
    )


async def files_of(tx: Tx, article_id: int) -> list[FileRow]:
    """The files that an article has."""
    return [FileRow(*row) for row in await tx.rows(statements.files_of, {"article_id": article_id})]


@lru_cache(maxsize=128)
def _made(kind: str, text: str, plain: str, files: tuple[FileRow, ...]) -> Rendered:
    """What another renderer has left behind is made once and not for each of its readers, until the job has been there."""
    return rendered(kind, text, plain, files)


async def preview(tx: Tx, article_id: int, kind: str, text: str) -> tuple[str, tuple[Step, ...]]:
    """The HTML of a text that is being written, and its steps if it is a guide."""
    found = rendered(kind, text, "", await files_of(tx, article_id))
    return found.html, found.steps


async def shown_file(tx: Tx, reader: Reader, file_id: int) -> FileRow:
    """A file of a published article that this reader may read. NotFound otherwise."""
    row = await tx.first(
        select(ArticleFile.__table__)
        .join(PublishedArticle, PublishedArticle.article_id == ArticleFile.article_id)
        .where(
            ArticleFile.id == file_id,
            ArticleFile.removed_at.is_(None),
            reader.sees,
        )
        .limit(1)
    )
    if row is None:
        raise NotFound(_("There is no such file."))
    return FileRow(row.id, row.name, row.content_type, row.size, row.captions_of, row.language, row.file_hash)


async def wording(tx: Tx, article_id: int, channel_kind: str, language: str) -> str:
    """The text made for a kind of wording (full, spoken, short, chat, letter); one made of the full text where none was
    written. Falls back to the language the article was written in. NotFound when it is not published."""
    kind = Wording(channel_kind)
    rows = await tx.rows(
        select(
            PublishedArticle.language,
            PublishedArticle.kind,
            PublishedArticle.title,
            PublishedArticle.summary,
            PublishedArticle.text,
            PublishedArticle.wordings,
        )
        .join(Article, Article.id == PublishedArticle.article_id)
        .where(PublishedArticle.article_id == article_id)
        .order_by(
            (PublishedArticle.language == language).desc(),
            (PublishedArticle.language == Article.language).desc(),
            PublishedArticle.language,
        )
        .limit(1)
    )
    if not rows:
        raise NotFound(_("There is no such article."))
    row = rows[0]
    if kind is not Wording.FULL and row.wordings.get(kind):
        return str(row.wordings[kind])
    with speaking(row.language):
        text = guides.as_text(guides.read(row.text)) if row.kind == Kind.GUIDE else row.text
        return wordings.made(kind, row.title, row.summary, text)


async def get(tx: Tx, article_id: int) -> Row:
    """One article. NotFound when there is none."""
    row = await tx.first(select(Article.__table__).where(Article.id == article_id))
    if row is None:
        raise NotFound(_("There is no such article."))
    return row


async def published_languages(tx: Tx) -> list[str]:
    """The languages in which anything is published, the most common first."""
    return await tx.column(
        select(PublishedArticle.language).group_by(PublishedArticle.language).order_by(func.count().desc())
    )
