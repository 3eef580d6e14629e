"""How often articles are read: counted without cookies, without robots, and once for each reader in a while.

Who reads is told by a hash over their network address and browser with a salt that only this process knows and that ends
with it: nothing of it is kept. Readings are written a few seconds later, all in one go.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
import time
from collections import Counter, OrderedDict

from fastapi import Request

from everyline.articles import actions
from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground

log = logging.getLogger(__name__)

CHANNEL = "portal"
AGAIN_SECONDS = 1800.0  # one reader, one article: once in this time
MOST_REMEMBERED = 50_000  # readers of articles
FLUSH_SECONDS = 2.0

_ROBOT = re.compile(
    r"(?<!cu)bot\b|bot[/;_-]|crawl|spider|slurp|headless|lighthouse|preview|monitor|scan|fetch|facebookexternal|archiver|curl/|wget/|"
    r"^(?:python|java|go-http|okhttp|libwww|axios|node|ruby|php)",
    re.IGNORECASE,
)


def is_robot(agent: str) -> bool:
    """Does a program say so of itself (User-Agent; RFC 9110, section 10.1.5)? One that says nothing is one, too."""
    return not agent.strip() or _ROBOT.search(agent) is not None


class Once:
    """Tells what a reader does for the first time in a while from what they do again."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def first(self, request: Request, *about: object, seconds: float = AGAIN_SECONDS) -> bool:
        """Is it the first time?"""
        client = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "")[:500]
        words = "\0".join((client, agent, *map(str, about))).encode("utf-8", "replace")
        key = hashlib.blake2b(words, digest_size=12, key=self._salt).digest()
        at = time.monotonic()
        until = self._seen.pop(key, 0.0)
        self._seen[key] = max(until, at + seconds) if until <= at else until
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return until <= at


class Readings:
    """The readings of one process that are not written yet."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._unwritten: Counter[tuple[int, str, int | None]] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self.once = Once()

    def is_person(self, request: Request) -> bool:
        """Does somebody look at the page now: no robot, and no browser that only wants to have it at hand?"""
        purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
        return "prefetch" not in purpose and not is_robot(request.headers.get("user-agent", ""))

    def count(self, request: Request, article_id: int, language: str, customer_id: int | None) -> None:
        """Somebody reads an article."""
        if not self.is_person(request) or not self.once.first(request, "read", article_id, language):
            return
        self._unwritten[article_id, language, customer_id] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon(), name="readings")

    async def _write_soon(self) -> None:
        while self._unwritten:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what was counted. What cannot be written now is tried again."""
        taken, self._unwritten = self._unwritten, Counter()
        try:
            async with self._ground.database.transaction() as tx:
                await actions.all_viewed(tx, taken, channel=CHANNEL)
        except (DatabaseError, OSError) as error:
            log.warning("readings wait for the database: %s", type(error).__name__)
            self._unwritten.update(taken)

    async def stop(self) -> None:
        """The process ends: write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._unwritten:
            await self.write()
