"""A supervisor's browser over a line with cases that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select, text

from conftest import until
from everyline.board.watch import Watch
from everyline.cases.models import Case
from everyline.ground.installation import Ground
from everyline.people.queries import me as find_me
from everyline.people.rules import Me
from everyline.queues.models import Queue, QueueEntry
from everyline.roles.web import create_app
from tests.mail import MailLine, mail


@dataclass
class Floor:
    """The line's queue, another one, and the application of a web process."""

    ground: Ground
    app: FastAPI
    browser: httpx.AsyncClient
    line: MailLine
    sign_in: Any
    other_id: int = 0

    @property
    def watch(self) -> Watch:
        """The board of that process."""
        found: Watch = self.app.state.board
        return found

    @property
    def queue_id(self) -> int:
        return self.line.queue_id

    async def mail(self, words: str = "Hello, is the bridge open on Sunday?", **facts: str) -> int:
        """Let a mail come in; the entry that waits for it."""
        await self.line.receive(mail(words, **facts))
        return int(await self.value(select(QueueEntry.id).order_by(QueueEntry.id.desc()).limit(1)))

    async def value(self, statement: Any, **parameters: Any) -> Any:
        async with self.ground.database.transaction() as tx:
            return await tx.value(text(statement) if isinstance(statement, str) else statement, parameters)

    async def do(self, work: Any) -> Any:
        """``await floor.do(lambda tx: verb(tx, …))``"""
        async with self.ground.database.transaction() as tx:
            return await work(tx)

    async def case_of(self, entry_id: int) -> Any:
        async with self.ground.database.transaction() as tx:
            return await tx.one(
                select(Case.__table__).join(QueueEntry, QueueEntry.case_id == Case.id).where(QueueEntry.id == entry_id)
            )

    async def me(self, agent_id: int) -> Me:
        async with self.ground.database.transaction() as tx:
            found = await find_me(tx, agent_id)
        assert found is not None
        return found

    async def get(self, who: Any, path: str, **headers: str) -> httpx.Response:
        return await self.browser.get(path, headers={**who.cookie, **headers})

    async def post(self, who: Any, path: str, /, **form: Any) -> httpx.Response:
        return await self.browser.post(path, data=form, headers=who.cookie)

    async def api(self, who: Any, method: str, path: str, **body: Any) -> httpx.Response:
        return await self.browser.request(method, f"/api/v1{path}", headers=who.bearer, json=body or None)

    async def board(self, who: Any, settled: Callable[[dict[str, Any]], object], by: str = "queue") -> dict[str, Any]:
        """The figures over the API, once they say what is waited for: a change comes to the board a moment after it."""

        async def read() -> dict[str, Any] | None:
            found: dict[str, Any] = (await self.api(who, "GET", f"/board?by={by}")).json()
            return found if settled(found) else None

        found = await until(read)
        assert isinstance(found, dict)
        return found


@pytest.fixture
async def floor(ground: Ground, sign_in: Any) -> AsyncIterator[Floor]:
    """The floor, with the application running."""
    app = create_app(ground)
    line = await MailLine.add(ground)
    async with ground.database.transaction() as tx:
        other = int(await tx.value(insert(Queue).values(name="Permits", hue=4).returning(Queue.id)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://everyline.test") as browser,
    ):
        browser.headers["sec-fetch-site"] = "same-origin"
        yield Floor(ground, app, browser, line, sign_in, other)
