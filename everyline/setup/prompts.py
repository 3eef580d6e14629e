"""What callers hear: every wording of lines and flows in its languages, said by a voice or recorded by the house."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.calls import prompts
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound, ProductError
from everyline.ground.forms import back, filled, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.serving import file_answer
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller, frame
from everyline.setup.heard import Heard, all_heard, languages_of

if TYPE_CHECKING:
    from everyline.speech.speaker import Speaker

router = APIRouter(prefix="/setup/prompts")
Keeper = Annotated[Me, permit("line.write")]
MOST_SHOWN = 300
_SOUND = {"cache-control": "private, no-cache", "content-security-policy": "default-src 'none'; sandbox"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A wording as it is listed. ``row``: its recording; ``old``: one of what was said in its place before."""

    heard: Heard
    row: Row | None = None
    old: Row | None = None

    @property
    def state(self) -> str:
        """How it is said."""
        if self.row is not None:
            return "recorded"
        if self.old is not None:
            return "changed"
        return "filled" if self.heard.filled else "voice"


async def _all(tx: Tx, request: Request) -> tuple[list[Shown], list[Row]]:
    """Every wording with its recording, and the recordings of what is said nowhere now."""
    heard = await all_heard(tx, ground_of(request))
    rows = await prompts.kept(tx)
    of_words = {(row.language, bytes(row.words_hash).hex()): row for row in rows}
    said = {(one.language, one.key) for one in heard}
    unsaid = [row for row in rows if (row.language, bytes(row.words_hash).hex()) not in said]
    of_place = {(row.language, row.place): row for row in reversed(unsaid) if row.place}
    shown = [
        Shown(one, of_words.get((one.language, one.key)), of_place.get((one.language, one.place))) for one in heard
    ]
    taken = {one.old.id for one in shown if one.old is not None and one.row is None}
    return shown, [row for row in unsaid if row.id not in taken]


@router.get("")
async def every_one(request: Request, me: Keeper) -> Response:
    """The list, narrowed by language, words and how they are said."""
    asked = request.query_params
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "prompts")
        every, unsaid = await _all(tx, request)
    languages = languages_of(one.heard for one in every)
    language = asked.get("language", "")[:12] or (languages[0] if languages else "")
    state, wanted = asked.get("state", "")[:12], asked.get("words", "").strip()[:200]
    of_language = [one for one in every if one.heard.language == language]
    fits = [
        one
        for one in of_language
        if (not state or one.state == state)
        and (not wanted or wanted.casefold() in f"{one.heard.words}\n{one.heard.where}".casefold())
    ]
    counts = {
        name: sum(one.state == name for one in of_language) for name in ("recorded", "changed", "voice", "filled")
    }
    context = {
        "rows": fits[:MOST_SHOWN],
        "more": max(len(fits) - MOST_SHOWN, 0),
        "unsaid": [row for row in unsaid if row.language == language],
        "spoken": language_names(tuple(languages)),
        "narrowed": (language, state, wanted),
        "counts": counts,
        "any": bool(every),
    }
    return page("setup/prompts.html", **filled(around, context, {}))


async def _one(tx: Tx, request: Request, language: str, key: str) -> Shown:
    every, _unsaid = await _all(tx, request)
    for one in every:
        if one.heard.language == language and one.heard.key == key:
            return one
    raise NotFound(_("This is said nowhere now."))


async def _show(request: Request, me: Me, language: str, key: str, *, status: int = 200, **more: Any) -> Response:
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        around = await frame(tx, request, me, "prompts")
        one = await _one(tx, request, language, key)
    speaks = not one.heard.filled and language in _speaker(request).languages()
    context = {
        "one": one,
        "language_name": dict(language_names((language,)))[language],
        "here": _address(language, key),
        "speaks": speaks,
    }
    return page("setup/prompt.html", status=status, **filled(around, context, more))


def _address(language: str, key: str) -> str:
    return f"/setup/prompts/{language}/{key}"


def _speaker(request: Request) -> Speaker:
    """The voices of this process; their own process is started by the first words."""
    from everyline.speech.speaker import Speaker  # noqa: PLC0415 -- arrays, which other pages do without

    state = request.app.state
    if not hasattr(state, "speaker"):
        state.speaker = Speaker.installed(ground_of(request).settings)
    found: Speaker = state.speaker
    return found


@router.get("/kept/{prompt_id}")
async def recorded(request: Request, me: Keeper, prompt_id: int) -> Response:  # noqa: ARG001 -- who may is asked for
    """A recording, to be played."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await prompts.get(tx, prompt_id)
    return file_answer(ground.files, row.file_hash, name="prompt.wav", content_type="audio/wav", private=True)


@router.post("/kept/{prompt_id}/remove")
async def remove(request: Request, me: Keeper, prompt_id: int) -> Response:
    """The voice says it again."""
    async with ground_of(request).database.transaction() as tx:
        row = await prompts.remove(tx, prompt_id)
        facts = {"language": row.language, "words": row.words}
        await audit(tx, me.id, "prompt.removed", "prompt", prompt_id, address=caller(request), **facts)
    return back(f"/setup/prompts?language={row.language}", "removed")


@router.get("/{language}/{key}")
async def one(request: Request, me: Keeper, language: str, key: str) -> Response:
    """One wording: heard, recorded, replaced."""
    return await _show(request, me, language, key)


@router.get("/{language}/{key}/voice")
async def spoken(request: Request, me: Keeper, language: str, key: str) -> Response:  # noqa: ARG001 -- who may is asked for
    """The wording as the voice says it."""
    from everyline.speech.errors import CannotSpeak  # noqa: PLC0415 -- arrays, which other pages do without
    from everyline.speech.recorded import as_file  # noqa: PLC0415 -- the same

    async with ground_of(request).database.transaction() as tx:
        found = await _one(tx, request, language, key)
    try:
        sound = await _speaker(request).sound(found.heard.words, language)
    except CannotSpeak as error:
        raise NotFound(_("There is no voice for this.")) from error
    return Response(as_file(sound.samples), media_type="audio/wav", headers=_SOUND)


@router.post("/{language}/{key}")
async def record(request: Request, me: Keeper, language: str, key: str) -> Response:
    """Keep what was recorded or handed in for a wording."""
    from everyline.speech.recorded import LARGEST, made  # noqa: PLC0415 -- arrays, which other pages do without

    ground = ground_of(request)
    try:
        async with request.form(max_files=1, max_fields=10) as uploads:
            upload = uploads.get("recording")
            content = await upload.read(LARGEST + 1) if isinstance(upload, UploadFile) else b""
        if not content:
            raise Invalid(_("Record something first, or choose a file."), {"recording": _("This is needed.")})
        try:
            ready = await asyncio.to_thread(made, content)
        except Invalid as error:
            raise Invalid(str(error), {"recording": str(error)}) from error
        digest = await ground.files.put(ready.wav)
        async with ground.database.transaction() as tx:
            found = await _one(tx, request, language, key)
            if found.heard.filled:
                raise Invalid(_("Something is put into these words each time: only a voice can say them."))
            prompt_id = await prompts.keep(
                tx,
                me.id,
                found.heard.words,
                language,
                place=found.heard.place,
                file_hash=digest,
                seconds=ready.seconds,
            )
            facts = {"language": language, "words": found.heard.words, "seconds": round(ready.seconds, 1)}
            await audit(tx, me.id, "prompt.recorded", "prompt", prompt_id, address=caller(request), **facts)
    except NotFound:
        raise
    except ProductError as error:
        return await _show(request, me, language, key, status=error.status, **wrong(error))
    return back(_address(language, key), "saved")
