"""What holds for every answer: where writes may come from, and headers that keep browsers from doing harm.

A form on another site must not act for who is signed in here (cross-site request forgery). Cookies are SameSite=Lax; on
top of that every write with a cookie must come from our own origin, by the Origin or Sec-Fetch-Site header (Fetch
standard; OWASP cheat sheet "Cross-Site Request Forgery Prevention").
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from everyline.ground.pages import CONTENT_POLICY
from everyline.ground.settings import Settings
from everyline.ground.words import SOURCE_LANGUAGE, speaking

log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_TO_OTHERS = ("/in/", "/api/")  # forms on other sites and webhooks; programs with a token, never with a cookie

HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cache-control": "no-store",
}


def from_here(headers: Headers, address: str) -> bool:
    """Does a write come from a page of ours? Programs that send neither header carry no cookie either."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in (headers.get("host", ""), urlsplit(address).netloc)


class Guard:
    """The outermost layer of the web role."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self._proxies = frozenset(filter(None, (proxy.strip() for proxy in settings.trusted_proxies.split(","))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._believe_proxy(scope, headers)
        path: str = scope["path"]
        if (
            scope["method"] not in SAFE
            and not path.startswith(OPEN_TO_OTHERS)
            and not from_here(headers, self._settings.address)
        ):
            log.warning("a write from another site was refused: %s", path)
            await PlainTextResponse("This request came from another site and was refused.", 403)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                if scope["scheme"] == "https":
                    answer.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        with speaking(SOURCE_LANGUAGE):  # whatever language is spoken from here on ends with the request
            await self.app(scope, receive, with_headers)

    def _believe_proxy(self, scope: Scope, headers: Headers) -> None:
        """Take the caller's address and scheme from a proxy that the settings name, and from nobody else."""
        client = scope.get("client")
        if client is None or client[0] not in self._proxies:
            return
        forwarded = headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
        if forwarded:
            scope["client"] = (forwarded, 0)
        if headers.get("x-forwarded-proto") in ("http", "https"):
            scope["scheme"] = headers["x-forwarded-proto"]
