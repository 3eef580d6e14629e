"""Brands by their own domain: there the portal stands at the root, and nothing else of the product does."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from everyline.customers.brands import Brands
from everyline.ground.database import Database, DatabaseError
from everyline.ground.settings import PORTAL

PREFIX = PORTAL
# files, public pages of channels, surveys, statements
SHARED = ("/static/", "/in/", "/survey/", "/statement/", "/readyz", "/healthz")


class Hosts:
    """Puts what comes for a brand's own domain where the portal is. ``scope["state"]`` then holds ``own_domain``."""

    def __init__(self, app: ASGIApp, *, database: Database, brands: Brands) -> None:
        self._app = app
        self._database = database
        self._brands = brands

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if not path.startswith(SHARED) and await self._own(Headers(scope=scope).get("host", "")):
                scope = {
                    **scope,
                    "path": PREFIX + path.rstrip("/"),
                    "raw_path": PREFIX.encode() + scope.get("raw_path", path.encode()).rstrip(b"/"),
                    "state": {**scope.get("state", {}), "own_domain": True},
                }
        await self._app(scope, receive, send)

    async def _own(self, host: str) -> bool:
        try:
            _brand, own = await self._brands.at(self._database, host)
        except (DatabaseError, OSError):
            return False
        return own
