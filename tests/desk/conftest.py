"""A county desk with one case, for the tests of its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.channels.webchat.tests.chat import Chat, Stream, Visitor, begun, opened
from everyline.ground.installation import Ground
from tests.mail import MailLine, mail

BY_SCRIPT = {"hx-request": "true"}


@dataclass
class Desk:
    """A line with one case in its queue, and a browser."""

    ground: Ground
    browser: httpx.AsyncClient
    line: MailLine
    sign_in: Any
    case_id: int = 0

    async def mail(self, *words: str, **facts: str) -> int:
        """Let a mail come in; the newest case's id."""
        await self.line.receive(mail(*words, **facts))
        return int(await self.value(select(Case.id).order_by(Case.id.desc()).limit(1)))

    async def value(self, statement: Any, **parameters: Any) -> Any:
        """One value from the database."""
        async with self.ground.database.transaction() as tx:
            return await tx.value(text(statement) if isinstance(statement, str) else statement, parameters)

    async def do(self, statement: str, **parameters: Any) -> None:
        """Change something in the database."""
        async with self.ground.database.transaction() as tx:
            await tx.execute(text(statement), parameters)

    async def case(self, case_id: int = 0) -> Any:
        """The row of a case."""
        async with self.ground.database.transaction() as tx:
            return await tx.one(select(Case.__table__).where(Case.id == (case_id or self.case_id)))

    async def agent(self, **facts: Any) -> Any:
        """An agent of the line's queue."""
        return await self.sign_in(queues=(self.line.queue_id,), **facts)

    async def get(self, who: Any, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.browser.get(path, headers={**who.cookie, **headers})

    async def part(self, who: Any, path: str, target: str = "") -> httpx.Response:
        """Read a part of a page, as its script does."""
        return await self.browser.get(path, headers={**who.cookie, **BY_SCRIPT, "hx-target": target})

    async def post(self, who: Any, path: str, /, **form: Any) -> httpx.Response:
        """Send a form, as the script does; with ``plain=True`` as a browser without scripts does, with ``files`` too."""
        plain, files = form.pop("plain", False), form.pop("files", None)
        headers = {**who.cookie, **({} if plain else BY_SCRIPT)}
        return await self.browser.post(path, data=form, files=files, headers=headers)


@pytest.fixture
async def desk(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> Desk:
    """The desk with one case that waits."""
    found = Desk(ground, client, await MailLine.add(ground), sign_in)
    found.case_id = await found.mail()
    return found


@dataclass
class TalkDesk:
    """A chat line with its visitors, and agents who work in a browser."""

    chat: Chat
    sign_in: Any

    async def agent(self, role: str = "agent", **facts: Any) -> Any:
        """Somebody of the line's queue."""
        return await self.sign_in(role, queues=(1,), **facts)

    async def talk(self, agent: Any, said: str = "Hello") -> tuple[Visitor, Stream, int]:
        """A talk that an agent has in hand: the visitor, their stream, and the case."""
        visitor, stream, case_id = await begun(self.chat, said)
        await self.chat.answer(agent.id, case_id, "Good day")
        return visitor, stream, case_id

    async def get(self, who: Any, path: str) -> httpx.Response:
        """Read a part of a page, as its script does."""
        return await self.chat.browser.get(path, headers={**who.cookie, **BY_SCRIPT})

    async def post(self, who: Any, path: str, **form: Any) -> httpx.Response:
        """Send a form, as its script does."""
        headers = {**who.cookie, **BY_SCRIPT, "sec-fetch-site": "same-origin"}
        return await self.chat.browser.post(path, data=form, headers=headers)

    async def value(self, statement: str, **parameters: Any) -> Any:
        """One value from the database."""
        async with self.chat.ground.database.transaction() as tx:
            return await tx.value(text(statement), parameters)

    async def do(self, statement: str, **parameters: Any) -> None:
        """Change something in the database, such as moving the moments of a talk back."""
        async with self.chat.ground.database.transaction() as tx:
            await tx.execute(text(statement), parameters)


@pytest.fixture
async def talks(ground: Ground, sign_in: Any) -> AsyncIterator[TalkDesk]:
    """A chat line on a running application."""
    async with opened(ground) as chat:
        yield TalkDesk(chat, sign_in)
