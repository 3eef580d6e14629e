"""What programs send to the API of articles, and what they get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from everyline.articles import actions, imports, working
from everyline.articles.queries import Place, Reader, Shown
from everyline.ground.database import Row
from everyline.people.permit import permit
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


def reader_of(me: Me, language: str, audience: Audience = "agents") -> Reader:
    return Reader(audience, language or me.language)


def whole(row: Row, languages: Sequence[working.LanguageState]) -> ArticleWhole:
    return ArticleWhole(
        **ArticleRow.model_validate(row).model_dump(),
        languages=[LanguageShape.model_validate(one) for one in languages],
    )


def shown_shape(found: Shown) -> ShownShape:
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


def place_shape(place: Place) -> PlaceShape:
    return PlaceShape(
        id=place.id,
        slug=place.slug,
        name=place.name,
        articles=place.articles,
        places=[place_shape(inner) for inner in place.places],
    )


def overtaken(error: actions.Overtaken) -> JSONResponse:
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
