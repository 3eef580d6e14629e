"""Articles taken in from files: first what would be done, then it is done; what could not be taken is told with its reason."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.articles import imports, queries
from everyline.articles.imports import Piece, Plan
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.forms import Typed, filled, typed, wrong
from everyline.ground.installation import Ground
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.settings import SettingsError
from everyline.ground.words import _, mark
from everyline.knowledge.article import house_languages
from everyline.knowledge.frame import HOME, frame, place_options
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/import")
Publisher = Annotated[Me, permit("article.publish")]

MOST_PIECES = 2000  # of one file by this page; a larger one is taken in by the command
AT_ONCE = 100  # pieces of one transaction
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
    context = {
        "places": places,
        "languages": spoken,
        "values": {"language": "", "category_id": "", "publish": False},
        "plans": [],
        "counts": {},
        "report": None,
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


async def _plans(tx: Tx, pieces: list[Piece], chosen: Chosen) -> list[Plan]:
    return [await imports.planned(tx, piece, chosen.language) for piece in pieces]


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
        pieces = _pieces(content, given.filename)
        token = await _kept(ground, content, given.filename)
        async with ground.database.transaction() as tx:
            plans = await _plans(tx, pieces, chosen)
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


async def _kept(ground: Ground, content: bytes, name: str) -> str:
    """The file is kept until it is taken in; whoever holds the token may have it taken in."""
    digest = await ground.files.put(content)
    return ground.vault.lock(json.dumps(["import", digest, name])).decode("ascii")


async def _opened(ground: Ground, token: str) -> tuple[bytes, str]:
    """The file of a token. Invalid when it is none of ours."""
    try:
        kind, digest, name = json.loads(ground.vault.open(token.encode("ascii", "replace")))
        if kind != "import":
            raise ValueError  # noqa: TRY301 -- of another kind is not readable either
        return await ground.files.read(digest), name
    except (SettingsError, ValueError, TypeError, FileNotFoundError) as error:
        raise Invalid(_("The file is not here any more."), {"file": _("Choose it again.")}) from error


@router.post("/take")
async def take(request: Request, me: Publisher) -> Response:
    """Take in what was looked at."""
    form, ground = await typed(request), ground_of(request)
    chosen, report = _chosen(form), imports.Done()
    try:
        content, name = await _opened(ground, form.text("token"))
        pieces = _pieces(content, name)
        for at in range(0, len(pieces), AT_ONCE):
            async with ground.database.transaction() as tx:
                done = await imports.take_in(
                    tx, me.id, pieces[at : at + AT_ONCE], language=chosen.language, category_id=chosen.category_id,
                    publish=chosen.publish,
                )  # fmt: skip
            report.added += done.added
            report.changed += done.changed
            report.same += done.same
            report.refused += done.refused
    except ProductError as error:
        return await _form(request, me, status=error.status, **_again(chosen), **wrong(error))
    return await _form(request, me, report=report, name=name)
