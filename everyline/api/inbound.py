"""``POST /api/v1/lines/{id}/inbound``: hand in one raw piece, such as a mail, and be told yes once it is kept.

A plain ASGI application, because it is the one request that comes by the thousand: pieces that come at the same time
share a commit, and a token that was right is believed for a few seconds.
"""

from __future__ import annotations

import logging
import time

from sqlalchemy import select
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from everyline.channel_contract import Raw, Refused
from everyline.channel_registry import channel
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.lines.models import Line
from everyline.people.permit import who_asks

log = logging.getLogger(__name__)
BELIEVED_SECONDS = 5.0

_KEPT = b'{"kept":true,"new":true}'
_KNOWN = b'{"kept":true,"new":false}'


class HandIn:
    """The endpoint of one process."""

    def __init__(self) -> None:
        self._rights: dict[bytes, float] = {}  # authorization header to when it was right
        self._channels: dict[int, tuple[str, float]] = {}  # line to its channel

    async def __call__(self, scope: Scope, receive: Receive, send: Send, line_id: int) -> None:
        state = scope["app"].state
        ground: Ground = state.ground
        door: IntakeDoor = state.door
        channel_name = None
        try:
            refused = await self._refuse(scope)
            channel_name = await self._channel_of(ground, line_id) if refused is None else None
        except (DatabaseError, OSError) as error:
            log.warning("a piece could not be taken: %s", error)
            refused = _problem(503, "The database does not answer. Hand the piece in again in a while.")
        if refused is not None:
            await refused(scope, receive, send)
            return
        if channel_name is None:
            await _problem(404, "There is no such open line.")(scope, receive, send)
            return
        body = await _body(receive, ground.settings.largest_message)
        if body is None:
            await _problem(413, "The piece is larger than this installation takes.")(scope, receive, send)
            return
        if not body:
            await _problem(422, "The piece is empty.")(scope, receive, send)
            return
        try:
            new = await door.keep(line_id, Raw(channel(channel_name).identify(body), body))
        except Refused as error:
            await _problem(413, str(error))(scope, receive, send)
            return
        except OSError as error:
            await _problem(503, str(error))(scope, receive, send)
            return
        answer = _KEPT if new else _KNOWN
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 202 if new else 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _refuse(self, scope: Scope) -> JSONResponse | None:
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        at = time.monotonic()
        if at - self._rights.get(header, -BELIEVED_SECONDS) < BELIEVED_SECONDS:
            return None
        me = await who_asks(HTTPConnection(scope))
        if me is None:
            return _problem(401, "Give a token: Authorization: Bearer …")
        if not me.may("inbound.write"):
            return _problem(403, "This token may not hand in pieces; it needs the scope inbound.write.")
        if len(self._rights) > 1000:
            self._rights.clear()
        self._rights[header] = at
        return None

    async def _channel_of(self, ground: Ground, line_id: int) -> str | None:
        known = self._channels.get(line_id)
        if known is None or time.monotonic() - known[1] > BELIEVED_SECONDS:
            async with ground.database.transaction() as tx:
                name = await tx.value(
                    select(Line.channel).where(Line.id == line_id, Line.open, Line.retired_at.is_(None))
                )
            if name is None:
                self._channels.pop(line_id, None)
                return None
            known = self._channels[line_id] = (name, time.monotonic())
        return known[0]


async def _body(receive: Receive, most: int) -> bytes | None:
    """The request's body; None when it is larger than ``most``."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _problem(status: int, title: str) -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status}, status, media_type="application/problem+json"
    )
