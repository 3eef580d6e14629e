"""Articles taken in from files: first what would be done, then a job does it; what could not be taken is told with its reason."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from everyline.articles import importing, imports, queries
from everyline.articles.importing import Going
from everyline.articles.imports import Piece
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.forms import Typed, filled, typed, wrong
from everyline.ground.installation import Ground
from everyline.ground.moments import clock, language_names
from everyline.ground.pages import page
from everyline.ground.settings import SettingsError
from everyline.ground.words import _, mark
from everyline.knowledge.article import house_languages
from everyline.knowledge.frame import HOME, frame, place_options, when
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/import")
Publisher = Annotated[Me, permit("article.publish")]

MOST_PIECES = 5000  # of one file by this page; a larger one is taken in by the command
SHOWN = 200  # lines of a report
OUTCOMES = {
    "new": (mark("new"), "good", "plus"),
    "changed": (mark("becomes a new draft"), "brand", "pen"),
    "same": (mark("as it is here"), "", "check"),
    "refused": (mark("left out"), "bad", "x-circle"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """How a file is to be taken in."""

    language: str
    category_id: int | None
    publish: bool


def _chosen(form: Typed) -> Chosen:
    return Chosen(form.text("language", longest=12), form.id("category_id"), form.yes("publish"))


async def _form(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "import")
        places = place_options(await queries.all_places(tx, me.language))
        spoken = language_names(await house_languages(tx))
        before = await importing.latest(tx)
    context = {
        "places": places,
        "languages": spoken,
        "values": {"language": "", "category_id": "", "publish": False},
        "plans": [],
        "counts": {},
        "before": before,
        "token": "",
        "name": "",
        "outcomes": {key: (_(word), tone, symbol) for key, (word, tone, symbol) in OUTCOMES.items()},
        "shown": SHOWN,
    }
    return page("knowledge/import.html", status=status, **filled(shown, context, more))


@router.get("")
async def ask(request: Request, me: Publisher) -> Response:
    """The form."""
    return await _form(request, me)


def _pieces(content: bytes, name: str) -> list[Piece]:
    found: list[Piece] = []
    for piece in imports.from_upload(content, name):
        found.append(piece)
        if len(found) > MOST_PIECES:
            raise Invalid(
                _("There are more than %d articles in it.") % MOST_PIECES,
                {"file": _("Take it in by the command everyline articles import, or in parts.")},
            )
    return found


@router.post("")
async def look(request: Request, me: Publisher) -> Response:
    """What would be done with a file; nothing is done yet."""
    fields = await request.form()
    form, given, ground = Typed(fields), fields.get("file"), ground_of(request)
    chosen = _chosen(form)
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            raise Invalid(_("Choose a file."), {"file": _("Choose one.")})
        content = await given.read(imports.LARGEST_UPLOAD + 1)
        if len(content) > imports.LARGEST_UPLOAD:
            raise Invalid(_("%s is too large.") % given.filename, {"file": _("Take it in by parts.")})
        pieces = await asyncio.to_thread(_pieces, content, given.filename)
        token = await _kept(ground, content, given.filename, len(pieces))
        async with ground.database.transaction() as tx:
            plans = await imports.planned(tx, pieces, chosen.language)
    except ProductError as error:
        return await _form(request, me, status=error.status, **_again(chosen), **wrong(error))
    finally:
        await fields.close()
    return await _form(
        request,
        me,
        plans=plans,
        counts=Counter(plan.outcome for plan in plans),
        token=token,
        name=given.filename,
        **_again(chosen),
    )


def _again(chosen: Chosen) -> dict[str, Any]:
    category = "" if chosen.category_id is None else chosen.category_id
    return {"values": {"language": chosen.language, "category_id": category, "publish": chosen.publish}}


async def _kept(ground: Ground, content: bytes, name: str, pieces: int) -> str:
    """The file is kept until it is taken in; whoever holds the token, which is another for every look, may have it taken in."""
    digest = await ground.files.put(content)
    return ground.vault.lock(json.dumps(["import", digest, name, pieces])).decode("ascii")


def _opened(ground: Ground, token: str) -> tuple[str, str, int]:
    """The file of a token by its hash, its name, and how many pieces it has. Invalid when it is none of ours."""
    try:
        kind, digest, name, pieces = json.loads(ground.vault.open(token.encode("ascii", "replace")))
        if kind != "import" or not ground.files.path(digest).exists():
            raise ValueError  # noqa: TRY301 -- of another kind is not readable either
        return str(digest), str(name), int(pieces)
    except (SettingsError, ValueError, TypeError) as error:
        raise Invalid(_("The file is not here any more."), {"file": _("Choose it again.")}) from error


@router.post("/take")
async def take(request: Request, me: Publisher) -> Response:
    """Have taken in what was looked at: a job does it, once for each look however often the button is pressed."""
    form, ground = await typed(request), ground_of(request)
    chosen, token = _chosen(form), form.text("token")
    try:
        digest, name, pieces = _opened(ground, token)
        async with ground.database.transaction() as tx:
            import_id = await importing.ask(
                tx, me.id, token, file_hash=digest, name=name, pieces=pieces, language=chosen.language,
                category_id=chosen.category_id, publish=chosen.publish,
            )  # fmt: skip
    except ProductError as error:
        return await _form(request, me, status=error.status, **_again(chosen), **wrong(error))
    return RedirectResponse(f"{HOME}/import/{import_id}", 303)


@router.get("/{import_id}")
async def follow(request: Request, me: Publisher, import_id: int) -> Response:
    """How far an import is, and what came of it."""
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "import")
        going = await importing.get(tx, import_id)
    return page("knowledge/import-followed.html", **shown, **_followed(going))


@router.get("/{import_id}/state")
async def follow_live(request: Request, me: Publisher, import_id: int) -> Response:
    """The same alone, for a page that is open."""
    async with ground_of(request).database.transaction() as tx:
        going = await importing.get(tx, import_id)
    return page("knowledge/import-state.html", me=me, clock=clock, when=when, swapped=True, **_followed(going))


def _followed(going: Going) -> dict[str, Any]:
    return {"going": going, "one": going.row, "shown": SHOWN}
