"""The API of articles: what readers see, search, and all that is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from everyline.articles import actions, finding, guides, imports, listing, queries, rules, wordings, working
from everyline.articles.finding import Asked as Search
from everyline.articles.queries import Moved, Place, Reader, Shown
from everyline.articles.wordings import Wording
from everyline.cases.queries import get as get_case
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

Kind = Literal["answer", "guide", "news"]
Audience = Literal["public", "signed in", "agents"]
WordingKind = Literal["full", "spoken", "short", "chat", "letter"]
ReadMe = Annotated[Me, permit("article.read")]
WriteMe = Annotated[Me, permit("article.write")]
PublishMe = Annotated[Me, permit("article.publish")]
ArrangeMe = Annotated[Me, permit("article.arrange")]
Language = Annotated[str, Query(min_length=2, max_length=12, description="ISO 639-1, such as en.")]


class Shape(BaseModel):
    """Reads rows as they come from the database."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What a program sends; a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class Made(Shape):
    id: int


class Content(Asked):
    """The words of an article; what is not named stays."""

    title: str | None = None
    summary: str | None = None
    text: str | None = Field(None, description="Markdown; of a guide: steps.")
    questions: list[str] | None = Field(None, description="Other ways in which it is asked.")
    wordings: dict[str, str] | None = Field(None, description="By kind: spoken, short, chat, letter.")

    def given(self) -> dict[str, Any]:
        """What was named."""
        named = self.model_dump(exclude_unset=True, include=set(Content.model_fields))
        return {name: value for name, value in named.items() if value is not None}


class ArticleAsked(Content):
    title: str
    language: str = "en"
    kind: Kind = "answer"
    audience: Audience = "public"
    category_id: int | None = None
    tags: list[str] = Field(default_factory=list)
    products: list[str] = Field(default_factory=list)
    publish: bool = False


class ArticleChange(Asked):
    """Facts of an article; what is not named stays."""

    kind: Kind | None = None
    audience: Audience | None = None
    category_id: int | None = None
    owner_id: int | None = None
    tags: list[str] | None = None
    products: list[str] | None = None
    position: int | None = None
    review_on: date | None = None
    review_days: int | None = Field(None, ge=1, le=3650)


class Write(Content):
    revision: int = Field(description="The one that was read: 409 when somebody else has written since.")


class VersionShape(Shape):
    number: int
    language: str
    state: str
    title: str
    summary: str
    text: str
    questions: list[str]
    wordings: dict[str, str]
    revision: int
    changed_by: int | None
    changed_at: datetime
    publish_at: datetime | None
    published_at: datetime | None


class LanguageShape(Shape):
    language: str
    translation: str = Field(description="source, current, behind, begun or missing.")
    published: int | None
    open: int | None
    state: str
    publish_at: datetime | None
    slug: str


class ArticleRow(Shape):
    id: int
    kind: str
    audience: str
    language: str
    category_id: int | None
    owner_id: int | None
    tags: list[str]
    products: list[str]
    review_on: date | None
    review_days: int | None
    archived_at: datetime | None
    title: str | None = None
    state: str | None = None


class ArticleWhole(ArticleRow):
    languages: list[LanguageShape]


class ShownShape(Shape):
    article_id: int
    language: str
    slug: str
    kind: str
    title: str
    summary: str
    html: str
    steps: list[dict[str, Any]]
    languages: dict[str, str]
    path: list[str] = Field(description="Slugs of the categories it stands in, from the top.")
    files: list[dict[str, Any]]
    related: list[str] = Field(description="Slugs.")
    tags: list[str]
    minutes: int
    updated_at: datetime


class HitShape(BaseModel):
    article_id: int
    language: str
    slug: str
    title: str = Field(description="HTML with <mark>.")
    extract: str = Field(description="HTML with <mark>.")
    score: float
    kind: str
    useful: bool


class PlaceShape(BaseModel):
    id: int
    slug: str
    name: str
    articles: int
    places: list[PlaceShape]


class CategoryAsked(Asked):
    names: dict[str, str]
    parent_id: int | None = None
    remarks: dict[str, str] = Field(default_factory=dict)
    icon: str = ""
    position: int | None = None


class CategoryChange(Asked):
    names: dict[str, str] | None = None
    remarks: dict[str, str] | None = None
    icon: str | None = None
    position: int | None = None


class Below(Asked):
    parent_id: int | None


class ScheduleAsked(Asked):
    at: datetime | None = Field(description="Null: not any more.")


class WordingAsked(Asked):
    kind: WordingKind
    text: str


class FindingShape(Shape):
    code: str
    weight: str
    words: str
    figure: float


class FeedbackAsked(Asked):
    language: str
    helped: bool
    words: str = ""
    channel: str = ""
    customer_id: int | None = None


class UseAsked(Asked):
    case_id: int
    message_id: int | None = None
    channel: str = ""
    wording: str = Field("full", description="A kind of wording, or link.")
    language: str = ""


class FlagAsked(Asked):
    words: str
    language: str = ""
    case_id: int | None = None


class GapAsked(Asked):
    words: str
    language: str = "en"
    channel: str = ""
    customer_id: int | None = None
    case_id: int | None = None


class GapShape(Shape):
    id: int
    language: str
    words: str
    asked: int
    first_at: datetime
    last_at: datetime
    article_id: int | None
    case_ids: list[int]
    asks: list[str]


class GapSettled(Asked):
    article_id: int | None = Field(None, description="The article that answers it.")


class SynonymAsked(Asked):
    language: str = "en"
    words: list[str]


class ImportAsked(Asked):
    name: str = Field(description="A file's name: .md, .html or .csv. It says how to read it, and is its source.")
    content: str = Field(max_length=imports.LARGEST_PIECE)
    language: str = ""
    category_id: int | None = None
    publish: bool = False


def _reader(me: Me, language: str, audience: Audience = "agents") -> Reader:
    return Reader(audience, language or me.language)


def _whole(row: Row, languages: Sequence[working.LanguageState]) -> ArticleWhole:
    return ArticleWhole(
        **ArticleRow.model_validate(row).model_dump(),
        languages=[LanguageShape.model_validate(one) for one in languages],
    )


def _shown(found: Shown) -> ShownShape:
    return ShownShape(
        article_id=found.article_id,
        language=found.language,
        slug=found.slug,
        kind=found.kind,
        title=found.title,
        summary=found.summary,
        html=found.html,
        steps=[
            {
                "name": step.name,
                "title": step.title,
                "html": step.html,
                "choices": [{"words": choice.words, "to": choice.to} for choice in step.choices],
                "end": step.end,
            }
            for step in found.steps
        ],
        languages=dict(found.languages),
        path=[place.slug for place in found.path],
        files=[{"id": one.id, "name": one.name, "type": one.content_type, "size": one.size} for one in found.files],
        related=[one.slug for one in found.related],
        tags=list(found.tags),
        minutes=found.minutes,
        updated_at=found.updated_at,
    )


def _place(place: Place) -> PlaceShape:
    return PlaceShape(
        id=place.id,
        slug=place.slug,
        name=place.name,
        articles=place.articles,
        places=[_place(inner) for inner in place.places],
    )


def _overtaken(error: actions.Overtaken) -> JSONResponse:
    """409 with what the other has written, and how one's own text differs from it."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": error.status,
            "detail": error.message,
            "revision": error.revision,
            "theirs": error.theirs,
            "difference": [{"mark": line.mark, "text": line.text} for line in error.difference],
        },
        error.status,
        media_type="application/problem+json",
    )


def create_router(route_class: type[APIRoute]) -> APIRouter:
    """The routes, of the class that the API gives its writes."""
    router = APIRouter(route_class=route_class, tags=["articles"])
    _reading(router)
    _writing(router)
    _publishing(router)
    _arranging(router)
    _hearing(router)
    return router


def _reading(router: APIRouter) -> None:
    @router.get("/articles")
    async def articles(
        request: Request,
        _me: ReadMe,
        q: Annotated[str, Query(description="A part of the title.")] = "",
        state: Literal["", "draft", "in review", "published", "scheduled", "archived"] = "",
        category_id: int | None = None,
        owner_id: int | None = None,
        kind: str = "",
        tag: str = "",
        after: int = 0,
    ) -> dict[str, Any]:
        """Articles by id, page by page, with their title in the language they are written in."""
        filters = listing.Filters(q, state, category_id, owner_id, kind, tag)
        async with ground_of(request).database.transaction() as tx:
            rows = await listing.listed(tx, filters, after=after)
        items = [ArticleRow.model_validate(row) for row in rows]
        return {"items": items, "after": str(items[-1].id) if len(items) == queries.PAGE else None}

    @router.get("/articles/find")
    async def find(
        request: Request,
        me: ReadMe,
        q: str,
        language: str = "",
        audience: Audience = "agents",
        otherwise: str = "",
        most: Annotated[int, Query(ge=1, le=50)] = 8,
    ) -> list[HitShape]:
        """Search by words and by meaning, as readers of an audience would find it."""
        async with ground_of(request).database.transaction() as tx:
            reader = _reader(me, language, audience)
            hits = await finding.find(tx, Search(q, reader, most=most, otherwise=otherwise))
        return [
            HitShape(
                article_id=hit.article_id,
                language=hit.language,
                slug=hit.slug,
                title=str(hit.title),
                extract=str(hit.extract),
                score=hit.score,
                kind=hit.kind,
                useful=hit.useful,
            )
            for hit in hits
        ]

    @router.get("/articles/shown/{slug}")
    async def shown(request: Request, slug: str, me: ReadMe, audience: Audience = "agents") -> ShownShape:
        """A published article under its name, or an old one of its names."""
        reader = _reader(me, "", audience)
        async with ground_of(request).database.transaction() as tx:
            found = await queries.shown(tx, reader, slug)
            if isinstance(found, Moved):
                found = await queries.shown(tx, reader, found.slug)
        assert isinstance(found, Shown)
        return _shown(found)

    @router.get("/articles/files/{file_id}")
    async def file(request: Request, file_id: int, me: ReadMe) -> Response:
        """The content of a file, to be kept and never shown by a browser as a page."""
        ground = ground_of(request)
        async with ground.database.transaction() as tx:
            found = await queries.shown_file(tx, _reader(me, ""), file_id)
        headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
        return Response(await ground.files.read(found.file_hash), media_type=found.content_type, headers=headers)

    @router.get("/articles/{article_id}")
    async def article(request: Request, article_id: int, _me: ReadMe) -> ArticleWhole:
        """An article with how far each of its languages is."""
        async with ground_of(request).database.transaction() as tx:
            return _whole(await queries.get(tx, article_id), await working.languages_of(tx, article_id))

    @router.get("/articles/{article_id}/versions")
    async def versions(request: Request, article_id: int, language: Language, _me: ReadMe) -> list[VersionShape]:
        """Every version in one language, the newest first."""
        async with ground_of(request).database.transaction() as tx:
            await queries.get(tx, article_id)
            return [VersionShape.model_validate(row) for row in await working.versions(tx, article_id, language)]

    @router.get("/articles/{article_id}/difference")
    async def difference(
        request: Request, article_id: int, language: Language, before: int, after: int, _me: ReadMe
    ) -> list[dict[str, str]]:
        """The texts of two versions compared by lines: same, gone, new."""
        async with ground_of(request).database.transaction() as tx:
            old = await working.version(tx, article_id, language, before)
            new = await working.version(tx, article_id, language, after)
        return [{"mark": line.mark, "text": line.text} for line in rules.difference(old.text, new.text)]

    @router.get("/articles/{article_id}/wordings/{kind}")
    async def wording(
        request: Request, article_id: int, kind: WordingKind, _me: ReadMe, language: str = "en"
    ) -> dict[str, Any]:
        """The text of a published article for one way of giving it, and what is doubtful about it."""
        async with ground_of(request).database.transaction() as tx:
            text = await queries.wording(tx, article_id, kind, language)
        found = wordings.lint(Wording(kind), text)
        return {"text": text, "findings": [FindingShape.model_validate(one) for one in found]}

    @router.post("/articles/lint")
    async def lint(asked: WordingAsked, _me: ReadMe) -> list[FindingShape]:
        """What is wrong with a wording that is being written."""
        return [FindingShape.model_validate(one) for one in wordings.lint(Wording(asked.kind), asked.text)]

    @router.get("/articles/{article_id}/figures")
    async def figures(
        request: Request, article_id: int, _me: ReadMe, days: Annotated[int, Query(ge=1, le=3660)] = 90
    ) -> list[dict[str, Any]]:
        """Views, votes, deflected and used of the last days, by channel."""
        async with ground_of(request).database.transaction() as tx:
            await queries.get(tx, article_id)
            rows = await working.figures(tx, article_id, now().date() - timedelta(days=days))
        return [row._asdict() for row in rows]

    @router.get("/articles-health")
    async def health(request: Request, _me: ReadMe, languages: str = "en") -> dict[str, Any]:
        """Stale articles, pairs that say nearly the same, what is missing, open flags. Languages are separated by commas."""
        wanted = [one.strip() for one in languages.split(",") if one.strip()]
        async with ground_of(request).database.transaction() as tx:
            found = await working.health(tx, wanted)
        return {
            "stale": [
                {
                    "article_id": row.article_id,
                    "language": row.language,
                    "title": row.title,
                    "review_was_on": why.review_was_on,
                    "not_helped": why.not_helped,
                    "voted": why.voted,
                }
                for row, why in found.stale
            ],
            "pairs": found.pairs,
            "lacking": found.lacking,
            "flags": [
                {"id": row.id, "article_id": row.article_id, "words": row.words, "at": row.at} for row in found.flags
            ],
        }


def _writing(router: APIRouter) -> None:
    @router.post("/articles", status_code=201)
    async def add(request: Request, asked: ArticleAsked, me: WriteMe) -> Made:
        """Begin an article; with ``publish`` readers see it at once."""
        if asked.publish and not me.may("article.publish"):
            raise Invalid(_("You may write it, and somebody else publishes it."), {"publish": _("Leave it out.")})
        content = {name: value for name, value in asked.given().items() if name != "title"}
        async with ground_of(request).database.transaction() as tx:
            article_id = await actions.add(
                tx, me.id, asked.language, asked.title, kind=asked.kind, audience=asked.audience,
                category_id=asked.category_id, tags=asked.tags, products=asked.products, **content,
            )  # fmt: skip
            if asked.publish:
                await actions.publish(tx, me.id, article_id, asked.language)
        return Made(id=article_id)

    @router.post("/articles/{article_id}/drafts/{language}", status_code=201)
    async def open_draft(request: Request, article_id: int, language: str, me: WriteMe) -> VersionShape:
        """The version to write on, in this language: a translation begins with the words it is made of."""
        async with ground_of(request).database.transaction() as tx:
            return VersionShape.model_validate(await actions.open_draft(tx, me.id, article_id, language))

    @router.put("/articles/{article_id}/drafts/{language}", response_model=None)
    async def write(
        request: Request, article_id: int, language: str, asked: Write, me: WriteMe
    ) -> dict[str, int] | JSONResponse:
        """Write on it. 409 tells what somebody else has written since, and the difference; nothing is lost."""
        try:
            async with ground_of(request).database.transaction() as tx:
                return {
                    "revision": await actions.write(tx, me.id, article_id, language, asked.revision, **asked.given())
                }
        except actions.Overtaken as error:
            return _overtaken(error)

    @router.delete("/articles/{article_id}/drafts/{language}", status_code=204)
    async def drop(request: Request, article_id: int, language: str, me: WriteMe) -> None:
        """Give a draft up; it stays among the past versions."""
        async with ground_of(request).database.transaction() as tx:
            await actions.drop_draft(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/drafts/{language}/review", status_code=204)
    async def review(request: Request, article_id: int, language: str, me: WriteMe) -> None:
        """It is written: somebody who may publish looks at it."""
        async with ground_of(request).database.transaction() as tx:
            await actions.send_to_review(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/versions/{language}/{number}/restore", status_code=201)
    async def restore(request: Request, article_id: int, language: str, number: int, me: WriteMe) -> VersionShape:
        """Begin a draft with the words of an old version."""
        async with ground_of(request).database.transaction() as tx:
            return VersionShape.model_validate(await actions.restore(tx, me.id, article_id, language, number))

    @router.post("/articles/{article_id}/files", status_code=201)
    async def add_file(
        request: Request,
        article_id: int,
        file: UploadFile,
        me: WriteMe,
        captions_of: int | None = None,
        language: str = "",
    ) -> Made:
        """Put a file with an article. The text refers to it: ``![words](file:ID)``."""
        content = await file.read(rules.LARGEST_FILE + 1)
        if len(content) > rules.LARGEST_FILE:
            raise Invalid(_("The file is too large."), {"file": _("At most %d MB.") % (rules.LARGEST_FILE // 1024**2)})
        ground, name = ground_of(request), file.filename or "file"
        kind = actions.told_type(content, name, file.content_type or "")
        digest = await ground.files.put(content)
        async with ground.database.transaction() as tx:
            file_id = await actions.add_file(
                tx, me.id, article_id, file_hash=digest, name=name, content_type=kind, size=len(content),
                captions_of=captions_of, language=language,
            )  # fmt: skip
        return Made(id=file_id)

    @router.delete("/articles/{article_id}/files/{file_id}", status_code=204)
    async def remove_file(request: Request, article_id: int, file_id: int, me: WriteMe) -> None:
        """Take a file from an article."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_file(tx, me.id, article_id, file_id)

    @router.post("/articles/guide-faults")
    async def guide_faults(asked: WordingAsked, _me: ReadMe) -> list[dict[str, str]]:
        """What is wrong with the text of a guide."""
        return [{"step": fault.step, "words": fault.words} for fault in guides.faults(guides.read(asked.text))]


def _publishing(router: APIRouter) -> None:
    @router.post("/articles/{article_id}/drafts/{language}/publish", response_model=None)
    async def publish(
        request: Request, article_id: int, language: str, me: PublishMe, revision: int | None = None
    ) -> dict[str, str] | JSONResponse:
        """Show readers the open version; ``revision``: the one that was looked at."""
        try:
            async with ground_of(request).database.transaction() as tx:
                return {"slug": await actions.publish(tx, me.id, article_id, language, revision=revision)}
        except actions.Overtaken as error:
            return _overtaken(error)

    @router.put("/articles/{article_id}/drafts/{language}/schedule", status_code=204)
    async def schedule(request: Request, article_id: int, language: str, asked: ScheduleAsked, me: PublishMe) -> None:
        """Have it published then."""
        if asked.at is not None and asked.at.tzinfo is None:
            raise Invalid(_("Say in which zone."), {"at": _("Write a time with its zone, such as 2026-12-01T09:00Z.")})
        async with ground_of(request).database.transaction() as tx:
            await actions.schedule(tx, me.id, article_id, language, asked.at)

    @router.post("/articles/{article_id}/drafts/{language}/send-back", status_code=204)
    async def send_back(request: Request, article_id: int, language: str, me: PublishMe) -> None:
        """It is not good enough yet."""
        async with ground_of(request).database.transaction() as tx:
            await actions.send_back(tx, me.id, article_id, language)

    @router.post("/articles/{article_id}/archive", status_code=204)
    async def archive(request: Request, article_id: int, me: PublishMe) -> None:
        """Take it from readers."""
        async with ground_of(request).database.transaction() as tx:
            await actions.archive(tx, me.id, article_id)

    @router.post("/articles/{article_id}/bring-back", status_code=204)
    async def bring_back(request: Request, article_id: int, me: PublishMe) -> None:
        """Show an archived one again."""
        async with ground_of(request).database.transaction() as tx:
            await actions.bring_back(tx, me.id, article_id)

    @router.post("/articles/{article_id}/languages/{language}/withdraw", status_code=204)
    async def withdraw(request: Request, article_id: int, language: str, me: PublishMe) -> None:
        """Take one language from readers."""
        async with ground_of(request).database.transaction() as tx:
            await actions.withdraw(tx, me.id, article_id, language)

    @router.post("/articles/import")
    async def take_in(request: Request, asked: ImportAsked, me: PublishMe) -> dict[str, Any]:
        """Take articles in from one file: Markdown, HTML, or a table of questions and answers."""
        ending = asked.name.lower().rpartition(".")[2]
        if ending in ("csv", "tsv"):
            pieces = list(imports.from_table(asked.content, asked.name))
        elif ending in ("md", "markdown"):
            pieces = [imports.from_markdown(asked.content, asked.name)]
        elif ending in ("html", "htm"):
            pieces = [imports.from_html(asked.content, asked.name)]
        else:
            raise Invalid(_("Its name must end in .md, .html or .csv."), {"name": _("Choose one of these.")})
        async with ground_of(request).database.transaction() as tx:
            done = await imports.take_in(
                tx, me.id, pieces, language=asked.language, category_id=asked.category_id, publish=asked.publish
            )
        return {"added": done.added, "changed": done.changed, "same": done.same, "refused": done.refused}


def _arranging(router: APIRouter) -> None:
    @router.patch("/articles/{article_id}")
    async def change(request: Request, article_id: int, asked: ArticleChange, me: ArrangeMe) -> ArticleWhole:
        """Change what an article is, where it stands and whose it is."""
        given = asked.model_dump(exclude_unset=True)
        async with ground_of(request).database.transaction() as tx:
            if "category_id" in given:
                await actions.move(tx, me.id, article_id, given.pop("category_id"))
            if "owner_id" in given:
                await actions.set_owner(tx, me.id, article_id, given.pop("owner_id"))
            if "review_on" in given or "review_days" in given:
                row = await queries.get(tx, article_id)
                on, days = given.pop("review_on", row.review_on), given.pop("review_days", row.review_days)
                await actions.set_review(tx, me.id, article_id, on, every_days=days)
            given = {name: value for name, value in given.items() if value is not None}
            if given:
                await actions.describe(tx, me.id, article_id, **given)
            return _whole(await queries.get(tx, article_id), await working.languages_of(tx, article_id))

    @router.get("/article-categories")
    async def categories(request: Request, _me: ReadMe, language: str = "en") -> list[PlaceShape]:
        """All categories as they stand in one another."""
        async with ground_of(request).database.transaction() as tx:
            return [_place(place) for place in await queries.all_places(tx, language)]

    @router.post("/article-categories", status_code=201)
    async def add_category(request: Request, asked: CategoryAsked, me: ArrangeMe) -> Made:
        """Make a category, with its names by language."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.add_category(tx, me.id, **asked.model_dump()))

    @router.patch("/article-categories/{category_id}", status_code=204)
    async def change_category(request: Request, category_id: int, asked: CategoryChange, me: ArrangeMe) -> None:
        """Change a category; what is not named stays."""
        given = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
        async with ground_of(request).database.transaction() as tx:
            await actions.change_category(tx, me.id, category_id, **given)

    @router.post("/article-categories/{category_id}/move", status_code=204)
    async def move_category(request: Request, category_id: int, asked: Below, me: ArrangeMe) -> None:
        """Put a category into another, or at the top (null). 422 when it would stand in itself."""
        async with ground_of(request).database.transaction() as tx:
            await actions.move_category(tx, me.id, category_id, asked.parent_id)

    @router.delete("/article-categories/{category_id}", status_code=204)
    async def remove_category(request: Request, category_id: int, me: ArrangeMe) -> None:
        """Remove an empty category."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_category(tx, me.id, category_id)

    @router.get("/article-synonyms")
    async def synonyms(request: Request, _me: ReadMe, language: str = "") -> list[dict[str, Any]]:
        """Words that mean the same in this house."""
        async with ground_of(request).database.transaction() as tx:
            return [row._asdict() for row in await working.synonyms(tx, language)]

    @router.post("/article-synonyms", status_code=201)
    async def add_synonym(request: Request, asked: SynonymAsked, me: ArrangeMe) -> Made:
        """Say that words mean the same."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.add_synonym(tx, me.id, asked.language, asked.words))

    @router.delete("/article-synonyms/{synonym_id}", status_code=204)
    async def remove_synonym(request: Request, synonym_id: int, me: ArrangeMe) -> None:
        """They no longer do."""
        async with ground_of(request).database.transaction() as tx:
            await actions.remove_synonym(tx, me.id, synonym_id)


def _hearing(router: APIRouter) -> None:
    @router.post("/articles/{article_id}/views", status_code=204)
    async def viewed(request: Request, article_id: int, _me: WriteMe, language: str = "en", channel: str = "") -> None:
        """Somebody read it."""
        async with ground_of(request).database.transaction() as tx:
            await actions.viewed(tx, article_id, language, channel=channel)

    @router.post("/articles/{article_id}/feedback", status_code=201)
    async def feedback(request: Request, article_id: int, asked: FeedbackAsked, _me: WriteMe) -> Made:
        """Somebody said whether it helped."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.feedback(tx, article_id, **asked.model_dump()))

    @router.get("/articles/{article_id}/feedback")
    async def all_feedback(request: Request, article_id: int, _me: ReadMe) -> list[dict[str, Any]]:
        """What readers said of it, the newest first."""
        async with ground_of(request).database.transaction() as tx:
            return [row._asdict() for row in await working.feedback(tx, article_id)]

    @router.post("/articles/{article_id}/uses", status_code=201)
    async def used(request: Request, article_id: int, asked: UseAsked, me: WriteMe) -> Made:
        """It was given in an answer."""
        async with ground_of(request).database.transaction() as tx:
            await get_case(tx, me, asked.case_id)
            use_id = await actions.used(
                tx, article_id, asked.case_id, asked.message_id, asked.channel, asked.wording,
                language=asked.language, by=me.id,
            )  # fmt: skip
        return Made(id=use_id)

    @router.post("/articles/{article_id}/flags", status_code=201)
    async def flag(request: Request, article_id: int, asked: FlagAsked, me: WriteMe) -> Made:
        """Say what is wrong with it."""
        async with ground_of(request).database.transaction() as tx:
            flag_id = await actions.flag(
                tx, me.id, article_id, asked.words, language=asked.language, case_id=asked.case_id
            )
        return Made(id=flag_id)

    @router.post("/article-flags/{flag_id}/settle", status_code=204)
    async def settle_flag(request: Request, flag_id: int, me: WriteMe) -> None:
        """It is put right, or was not wrong."""
        async with ground_of(request).database.transaction() as tx:
            await actions.settle_flag(tx, me.id, flag_id)

    @router.get("/gaps")
    async def gaps(request: Request, _me: ReadMe, language: str = "", settled: bool = False) -> list[GapShape]:  # noqa: FBT001, FBT002 -- a query's own
        """What was asked and not found, grouped by what it means, most asked first."""
        async with ground_of(request).database.transaction() as tx:
            rows = await working.gap_groups(tx, language=language, settled=settled)
            return [GapShape.model_validate(row) for row in rows]

    @router.post("/gaps", status_code=201)
    async def found_nothing(request: Request, asked: GapAsked, _me: WriteMe) -> Made:
        """Keep what somebody asked and did not find; answers with its group."""
        given = asked.model_dump()
        async with ground_of(request).database.transaction() as tx:
            group_id = await actions.found_nothing(tx, given.pop("words"), given.pop("language"), **given)
        if group_id is None:
            raise Invalid(_("Nothing was asked."), {"words": _("Write a word of three letters or more.")})
        return Made(id=group_id)

    @router.post("/gaps/{group_id}/article", status_code=201)
    async def write_for_gap(request: Request, group_id: int, me: WriteMe) -> Made:
        """Begin the article that it asks for."""
        async with ground_of(request).database.transaction() as tx:
            return Made(id=await actions.write_for_gap(tx, me.id, group_id))

    @router.post("/gaps/{group_id}/settle", status_code=204)
    async def settle_gap(request: Request, group_id: int, asked: GapSettled, me: ArrangeMe) -> None:
        """Nothing is to be written, or an article answers it already."""
        async with ground_of(request).database.transaction() as tx:
            if asked.article_id is not None and (await queries.get(tx, asked.article_id)).archived_at is not None:
                raise NotFound(_("There is no such article."))
            await actions.settle_gap(tx, me.id, group_id, article_id=asked.article_id)
