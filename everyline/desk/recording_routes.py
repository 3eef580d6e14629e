"""Recordings of calls at their case: played, with their waveform and gaps; kept longer, or whatever happens; saved as a file."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import text
from starlette.responses import Response

from everyline.calls import recordings
from everyline.calls.sealing import Broken
from everyline.desk import phrases
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Forbidden, NotFound, ProductError
from everyline.ground.forms import Typed, typed
from everyline.ground.moments import zone
from everyline.ground.pages import page
from everyline.ground.serving import part_answer
from everyline.ground.words import _, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

log = logging.getLogger(__name__)
router = APIRouter(prefix="/desk/recordings")
Listener = Annotated[Me, permit("recording.listen")]
Keeper = Annotated[Me, permit("recording.keep")]
BARS = 300  # of the waveform
ONCE = timedelta(minutes=5)  # a browser asks for a sound in parts: within so long it is one listening
SPEEDS = ("1", "1.25", "1.5", "2")
WHY = {
    "agent": mark("paused by hand"),
    "secret": mark("something secret was keyed"),
    "hold": mark("on hold"),
    "apart": mark("on hold"),
    "waiting": mark("waited"),
}
_SOUND = {"cache-control": "private, no-store", "content-security-policy": "default-src 'none'; sandbox"}
_LISTENED = text(
    "select exists (select from audit where subject = 'recording' and subject_id = :id and agent_id = :agent_id "
    "and act = 'recording.listened' and at > :since)"
)


def bars(peaks: bytes) -> list[int]:
    """At most so many of the waveform as can be told apart, each the highest of its stretch, 0 to 100."""
    step = max(-(-len(peaks) // BARS), 1)
    return [max(peaks[at : at + step]) * 100 // 255 for at in range(0, len(peaks), step)]


def place(seconds: float) -> str:
    """A moment of a recording: 3:05."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _gaps(row: Row) -> list[dict[str, Any]]:
    """Where nothing was kept, and why."""
    found = []
    for begin, end, why in row.marks:
        until = row.seconds if end is None else min(end, row.seconds)
        found.append(
            {
                "begin": begin,
                "end": until,
                "part": (begin / row.seconds, (until - begin) / row.seconds) if row.seconds else (0, 0),
                "text": f"{place(begin)}–{place(until)}",
                "why": _(WHY[why]) if why in WHY else why or _("paused"),
            }
        )
    return found


async def _show(request: Request, me: Me, recording_id: int, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        row = await recordings.get(tx, me, recording_id)
    until = _last_day(row.kept_until, me)
    today = now().astimezone(zone(me.zone)).date()
    context = {
        "row": row,
        "bars": bars(bytes(row.peaks)),
        "gaps": _gaps(row),
        "length": place(row.seconds),
        "until": until,
        "until_words": phrases.day(date.fromisoformat(until), today) if until else "",
        "speeds": SPEEDS,
        "may": me.may,
        "errors": {},
        "said": "",
    }
    return page("desk/recording.html", status=status, **{**context, **more})


@router.get("/{recording_id}")
async def player(request: Request, me: Listener, recording_id: int) -> Response:
    """The player, a part of the case."""
    return await _show(request, me, recording_id)


@router.get("/{recording_id}/sound")
async def sound(request: Request, me: Listener, recording_id: int) -> Response:
    """The sound, or the part of it that is asked for."""
    content, _row = await _opened(request, me, recording_id, "recording.listened")
    return part_answer(content, request.headers.get("range", ""), content_type="audio/wav", headers=_SOUND)


@router.get("/{recording_id}/file")
async def save(request: Request, me: Annotated[Me, permit("recording.download")], recording_id: int) -> Response:
    """The same as a file to keep."""
    content, row = await _opened(request, me, recording_id, "recording.downloaded")
    name = f"call-{row.began_at:%Y-%m-%d-%H%M}-{row.id}.wav"
    headers = {**_SOUND, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="audio/wav", headers=headers)


async def _opened(request: Request, me: Me, recording_id: int, act: str) -> tuple[bytes, Row]:
    """The sound as a WAV file. It is written down who gets it, before they do; who may not is written down as well."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        try:
            row = await recordings.get(tx, me, recording_id)
            refused = None
        except Forbidden as error:
            row, refused = None, error
        await _write_down(tx, request, me, recording_id, act if refused is None else "recording.refused")
    if refused is not None:
        raise refused
    assert row is not None
    if row.deleted_at is not None:
        raise NotFound(_("This recording was deleted."))
    try:
        opened = await recordings.open_one(ground, row)
    except FileNotFoundError as error:
        raise NotFound(_("This recording is not here any more.")) from error
    except Broken as error:
        log.exception("recording %s is not what was sealed", row.id)
        raise Conflict(_("This recording was changed after it was made: it is not played.")) from error
    return opened.wav(), row


async def _write_down(tx: Tx, request: Request, me: Me, recording_id: int, act: str) -> None:
    address = request.client.host if request.client else ""
    if act == "recording.listened":
        values = {"id": recording_id, "agent_id": me.id, "since": now() - ONCE}
        if await tx.value(_LISTENED, values):
            return
    await audit(tx, me.id, act, "recording", recording_id, address=address)


@router.post("/{recording_id}/keeping")
async def keeping(request: Request, me: Keeper, recording_id: int) -> Response:
    """Until when it is kept, and whether whatever that says."""
    form = await typed(request)
    try:
        until = _day(form, me)
        held = form.yes("held")
        async with ground_of(request).database.transaction() as tx:
            row = await recordings.get(tx, me, recording_id)
            address = request.client.host if request.client else ""
            if held != row.held:
                await recordings.hold(tx, me.id, row, held=held)
                act = "recording.held" if held else "recording.released"
                await audit(tx, me.id, act, "recording", row.id, address=address)
            if _last_day(until, me) != _last_day(row.kept_until, me):
                await recordings.keep_until(tx, me.id, row, until)
                day = until.isoformat() if until is not None else ""
                await audit(tx, me.id, "recording.dated", "recording", row.id, address=address, until=day)
    except (NotFound, Forbidden):
        raise
    except ProductError as error:
        return await _show(request, me, recording_id, status=error.status, errors=form.errors, said=error.message)
    return await _show(request, me, recording_id, said=_("Saved."))


def _last_day(at: datetime | None, me: Me) -> str:
    return at.astimezone(zone(me.zone)).date().isoformat() if at is not None else ""


def _day(form: Typed, me: Me) -> datetime | None:
    """The end of a day; nothing typed is for ever. Invalid."""
    typed_day = form.text("until", longest=10)
    found = None
    if typed_day:
        try:
            found = datetime.combine(datetime.fromisoformat(typed_day).date(), time(23, 59, 59), zone(me.zone))
        except ValueError:
            form.errors["until"] = _("A day looks like 2026-12-31.")
        else:
            if found < now():
                form.errors["until"] = _("This day is over.")
    form.done()
    return found
