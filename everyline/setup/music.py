"""The music of a queue: what callers hear while they wait in it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.forms import back, filled
from everyline.ground.pages import page
from everyline.ground.serving import file_answer
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries, set_up
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/queues/{queue_id}/music")
Writer = Annotated[Me, permit("queue.write")]
_SOUND = {"cache-control": "private, no-cache", "content-security-policy": "default-src 'none'; sandbox"}


async def _show(request: Request, me: Me, queue_id: int, error: str = "") -> Response:
    async with ground_of(request).database.transaction() as tx:
        shown = await frame(tx, request, me, "queues")
        row = await queries.get(tx, queue_id)
    return page(
        "setup/music.html", status=422 if error else 200, **filled(shown, {"queue": row}, {"errors": {"music": error}})
    )


@router.get("")
async def ask(request: Request, me: Writer, queue_id: int) -> Response:
    """What is heard now, and how to change it."""
    return await _show(request, me, queue_id)


@router.get("/sound")
async def sound(request: Request, me: Writer, queue_id: int) -> Response:  # noqa: ARG001 -- who may is asked for
    """The music as callers hear it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, queue_id)
    if row.music_hash:
        return file_answer(ground.files, row.music_hash, name="music.wav", content_type="audio/wav", private=True)
    from everyline.calls.voices import piece  # noqa: PLC0415 -- arrays, which other pages do without
    from everyline.speech.recorded import as_file  # noqa: PLC0415 -- the same

    content = await asyncio.to_thread(lambda: as_file(piece()))
    return Response(content, media_type="audio/wav", headers=_SOUND)


@router.post("")
async def keep(request: Request, me: Writer, queue_id: int) -> Response:
    """Callers who wait in it hear this from now on."""
    from everyline.speech.recorded import LARGEST, made  # noqa: PLC0415 -- arrays, which other pages do without

    ground = ground_of(request)
    async with request.form(max_files=1, max_fields=10) as uploads:
        upload = uploads.get("music")
        content = await upload.read(LARGEST + 1) if isinstance(upload, UploadFile) else b""
    if not content:
        return await _show(request, me, queue_id, _("Choose a file."))
    try:
        ready = await asyncio.to_thread(made, content)
    except Invalid as error:
        return await _show(request, me, queue_id, str(error))
    digest = await ground.files.put(ready.wav)
    async with ground.database.transaction() as tx:
        await _change(tx, request, me, queue_id, digest)
    return back(f"/setup/queues/{queue_id}/music", "saved")


@router.post("/remove")
async def remove(request: Request, me: Writer, queue_id: int) -> Response:
    """They hear the piece of the house again."""
    async with ground_of(request).database.transaction() as tx:
        await _change(tx, request, me, queue_id, "")
    return back(f"/setup/queues/{queue_id}/music", "removed")


async def _change(tx: Tx, request: Request, me: Me, queue_id: int, digest: str) -> None:
    row = await queries.get(tx, queue_id)
    await set_up.change_queue(tx, me.id, queue_id, music_hash=digest)
    await audit(
        tx, me.id, "queue.changed", "queue", queue_id, address=caller(request), name=row.name, music=bool(digest)
    )
