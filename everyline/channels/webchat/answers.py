"""How the widget is answered: JSON for the sites that the line names, and refusals that say what to do."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from everyline.channel_contract import Line, Refused
from everyline.channels.webchat import tokens
from everyline.channels.webchat.lines import LineBook
from everyline.channels.webchat.settings import WebchatSettings
from everyline.channels.webchat.tokens import Visitor
from everyline.ground.clock import now
from everyline.ground.errors import Conflict, Invalid, NotFound, ProductError
from everyline.ground.words import _, accepted, languages, speaking

log = logging.getLogger(__name__)

WORDS_BYTES = 256 * 1024  # of a request without files
DISCARDED_BYTES = 8 * 1024 * 1024  # what is too large is read so far, so that its sender hears why
PREFLIGHT_SECONDS = 7200
LATER_SECONDS = 3.0


class Refusal(Exception):
    """The widget is told no, and why."""

    def __init__(
        self,
        status: int,
        error: str,
        words: str = "",
        *,
        retry_after: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.words = status, error, words
        self.retry_after, self.fields = retry_after, dict(fields or {})


@dataclass(slots=True)
class Asked:
    """One request of a widget that may ask."""

    request: Request
    line: Line
    visitor: Visitor  # a stranger's where no token is asked for

    @property
    def settings(self) -> WebchatSettings:
        """Those of the line."""
        found: WebchatSettings = self.line.settings
        return found


Work = Callable[[Asked], Awaitable[Response]]


def answer(content: Any, status: int = 200) -> Response:
    """JSON, or nothing."""
    if content is None:
        return Response(status_code=204)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json")


def refused(refusal: Refusal) -> Response:
    """A refusal as the widget reads it."""
    after = math.ceil(refusal.retry_after) if refusal.retry_after else None
    said = {"error": refusal.error, "words": refusal.words, "retry_after": after, "fields": refusal.fields}
    found = answer(said, refusal.status)
    if after:
        found.headers["retry-after"] = str(after)
    return found


def allowed_origin(connection: HTTPConnection, line: Line) -> str:
    """The site that asks, when it may; empty when no site asks. Raises Refusal."""
    origin = connection.headers.get("origin", "")
    if not origin:
        return ""
    if urlsplit(origin).netloc == connection.headers.get("host") or line.settings.shows_on(origin):
        return origin
    raise Refusal(403, "site", _("This site may not show this chat: an admin has to name it in the line's settings."))


def cross_origin(origin: str) -> dict[str, str]:
    """The headers by which a browser lets that site read the answer (Fetch standard, section 3.2)."""
    if not origin:
        return {"vary": "origin"}
    return {"access-control-allow-origin": origin, "access-control-expose-headers": "retry-after", "vary": "origin"}


def preflight(origin: str) -> Response:
    """What may be asked."""
    headers = cross_origin(origin) | {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type, last-event-id",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=headers)


def bearer(connection: HTTPConnection, line: Line) -> Visitor:
    """Who asks. Raises Refusal."""
    scheme, _space, token = connection.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer":
        found = tokens.read(line, token.strip(), now().timestamp(), line.settings.remembers_days)
    if found is None:
        raise Refusal(401, "token", _("We do not know you any more. Please begin again."))
    return found


def spoken(connection: HTTPConnection, line: Line | None) -> str:
    """The language that is asked for, or that the browser likes best among those we speak, else the line's."""
    wanted = connection.query_params.get("language", "").partition("-")[0].lower()
    if wanted in languages():
        return wanted
    preferred = accepted(connection.headers.get("accept-language", ""))
    return next((one for one in preferred if one in languages()), line.language if line is not None else "en")


async def body(request: Request, most: int = WORDS_BYTES) -> bytes:
    """What was sent. Raises Refusal when it is more than that."""
    found = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            found += chunk
        elif size > DISCARDED_BYTES:
            break
    if size > most:
        raise Refusal(413, "too large", _("This is more than can be taken."))
    return bytes(found)


async def words(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises Refusal."""
    try:
        found = json.loads(await body(request) or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "unreadable", _("This cannot be read.")) from error
    if not isinstance(found, dict):
        raise Refusal(400, "unreadable", _("This cannot be read."))
    return found


def text_in(found: Mapping[str, Any], name: str, most: int = 20_000) -> str:
    """A text of the object; empty when it is none. What the database does not take is not in it."""
    value = found.get(name)
    if not isinstance(value, str):
        return ""
    return value[:most].encode("utf-8", "replace").decode().replace("\0", "")


class Guarded:
    """What every request goes through: the line, the site, the token; and how what goes wrong is told."""

    def __init__(self, book: LineBook) -> None:
        self._book = book

    def of(self, work: Work, *, open_to_all: bool = False) -> Callable[[Request], Awaitable[Response]]:
        """An answerer of requests; ``open_to_all``: no token is asked for."""

        async def answers(request: Request) -> Response:
            origin = ""
            try:
                line = await self._line(request)
                with speaking(spoken(request, line)):
                    try:
                        origin = allowed_origin(request, line)
                        if request.method == "OPTIONS":
                            return preflight(origin)
                        visitor = Visitor("") if open_to_all else bearer(request, line)
                        found = await work(Asked(request, line, visitor))
                    except (Refusal, ProductError, Refused, OSError) as error:
                        found = refused(as_refusal(error))
            except (Refusal, OSError) as error:
                found = refused(as_refusal(error))
            found.headers.update(cross_origin(origin))
            return found

        return answers

    async def _line(self, request: Request) -> Line:
        line = await self._book.line(request.path_params["slug"].lower())
        if line is None:
            raise Refusal(404, "nothing", _("There is no chat at this address."))
        return line


def as_refusal(error: Exception) -> Refusal:
    """What went wrong, as the widget is told."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Invalid):
        return Refusal(422, "wrong", error.message, fields=error.fields)
    if isinstance(error, NotFound):
        return Refusal(404, "nothing", error.message)
    if isinstance(error, Conflict):
        return Refusal(409, "conflict", error.message)
    if isinstance(error, Refused):
        return Refusal(413, "too large", str(error))
    if isinstance(error, ProductError):
        return Refusal(error.status, "conflict", error.message)
    log.warning("a visitor was asked to try again: %s", error)
    said = _("It could not be kept just now. Please try again in a moment.")
    return Refusal(503, "later", said, retry_after=LATER_SECONDS)
