"""How an article is put on each way of giving it: written, or made from the full text; with what is doubtful said while typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, guides, wordings
from everyline.articles.rules import LONGEST_TEXT, Kind
from everyline.articles.wordings import NAMES, WRITTEN, Finding, Wording
from everyline.ground import markdown
from everyline.ground.database import Row
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.forms import back, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _, mark, ngettext, speaking
from everyline.knowledge.article import article_frame, known_language, working_on
from everyline.knowledge.editing import conflict_page, keep
from everyline.knowledge.frame import HOME
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]

GIVEN = {
    Wording.SPOKEN: mark("Read out on the telephone."),
    Wording.SHORT: mark("One text message."),
    Wording.CHAT: mark("Typed into a talk, and on a TTY, a letter at a time."),
    Wording.LETTER: mark("Printed, with nothing to press."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One wording on the page."""

    kind: Wording
    name: str
    given: str
    text: str  # that was written; empty where none was
    made: str  # the one made from the full text
    size: str  # of the one that goes out, in its own measure
    findings: tuple[Finding, ...]


def size_of(kind: Wording, text: str) -> str:
    """How much it is, in the measure of its kind."""
    if kind is Wording.SPOKEN:
        seconds = wordings.speaking_seconds(text)
        return ngettext("%d second to say", "%d seconds to say", seconds) % seconds
    if kind is Wording.SHORT:
        cut = wordings.segments(text)
        said = ngettext("%(units)d units, %(parts)d message", "%(units)d units, %(parts)d messages", cut.parts)
        return said % {"units": cut.units, "parts": cut.parts}
    length = len(markdown.plain(text)) if kind is Wording.LETTER else len(text)
    said = ngettext("%d character", "%d characters", length) % length
    if kind is Wording.CHAT:
        seconds = wordings.typing_seconds(text)
        return f"{said}, " + ngettext("%d second on a TTY", "%d seconds on a TTY", seconds) % seconds
    return said


def shown(kind: Wording, written: str, made: str) -> Shown:
    """One wording with what there is to say of it."""
    goes_out = written.strip() or made
    findings = tuple(wordings.lint(kind, goes_out))
    return Shown(kind, _(NAMES[kind]), _(GIVEN[kind]), written, made, size_of(kind, goes_out), findings)


def made_of(kind: Wording, article_kind: str, language: str, version: Row) -> str:
    """What is given out where nothing was written, as readers of this language get it."""
    with speaking(language):
        text = guides.as_text(guides.read(version.text)) if article_kind == Kind.GUIDE else version.text
        return wordings.made(kind, version.title, version.summary, text)


async def _page(
    request: Request,
    me: Me,
    article_id: int,
    language: str,
    *,
    written: dict[str, str] | None = None,
    status: int = 200,
    **more: Any,
) -> Response:
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        if found.version is None:
            raise NotFound(_("There is nothing at this address."))
        context = await article_frame(tx, request, me, found, "wordings")
    kept = {**found.version.wordings, **(written or {})}
    every = [
        shown(kind, kept.get(kind, ""), made_of(kind, found.article.kind, language, found.version)) for kind in WRITTEN
    ]
    context |= {"wordings": every, "revision": found.revision, "longest": LONGEST_TEXT}
    return page("knowledge/wordings.html", status=status, **{**context, **more})


@router.get("/{article_id}/{language}/wordings")
async def each(request: Request, me: Reader, article_id: int, language: str) -> Response:
    """All of them."""
    return await _page(request, me, article_id, language)


@router.post("/{article_id}/{language}/wordings")
async def save(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """Keep what was written; what is left empty is made from the full text."""
    known_language(language)
    form = await typed(request)
    written = {str(kind): form.text(f"wording-{kind}", longest=2 * LONGEST_TEXT) for kind in WRITTEN}
    revision = form.number("revision", 0, 10**9)
    try:
        async with ground_of(request).database.transaction() as tx:
            await keep(tx, me, article_id, language, revision, wordings=written)
    except actions.Overtaken as error:
        return await conflict_page(request, me, article_id, language, {"wordings": written}, error)
    except NotFound:
        raise
    except ProductError as error:
        return await _page(
            request, me, article_id, language, written=written, status=error.status, revision=revision, **wrong(error)
        )
    return back(f"{HOME}/articles/{article_id}/{language}/wordings", "saved")


@router.post("/{article_id}/{language}/wordings/{kind}")
async def lint(request: Request, _me: Reader, article_id: int, language: str, kind: str) -> Response:
    """What there is to say of a wording that is being typed: a fragment."""
    if kind not in WRITTEN:
        raise NotFound(_("There is nothing at this address."))
    form = await typed(request)
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
    if found.version is None:
        raise NotFound(_("There is nothing at this address."))
    which = Wording(kind)
    made = made_of(which, found.article.kind, language, found.version)
    written = form.text(f"wording-{kind}", longest=2 * LONGEST_TEXT)[:LONGEST_TEXT]
    return page("knowledge/wording.html", wording=shown(which, written, made))
