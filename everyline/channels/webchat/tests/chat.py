"""A chat line for tests: a visitor's browser, a processor that makes cases of what it sends, and agents who answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Table, select

from conftest import until
from everyline.cases.models import Case, Talk
from everyline.channel_contract import Line
from everyline.dispatch import actions as dispatch
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.intake.keeper import Keeper
from everyline.intake.processor import Processor
from everyline.lines import actions as lines
from everyline.lines import queries as line_queries
from everyline.measure.surveying import TalkSurveys
from everyline.roles.web import create_app

SITE = "https://www.harbor.example"


@dataclass
class Stream:
    """An open stream, read over ASGI itself: the test client gives an answer out when it is whole."""

    task: asyncio.Task[None]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)
    position: str = ""
    raw: bytes = b""
    _fresh: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, message: dict[str, Any]) -> None:
        """What the application sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        self.raw += message.get("body", b"")
        *whole, self.raw = self.raw.split(b"\n\n")
        for block in whole:
            for line in block.decode().split("\n"):
                if line.startswith("id: "):
                    self.position = line[4:]
                elif line.startswith("data: "):
                    self.got.append(json.loads(line[6:]))
        self._fresh.set()

    async def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 30) -> dict[str, Any]:
        """The first that is wanted, of what came or comes."""
        async with asyncio.timeout(seconds):
            while True:
                for one in self.got:
                    if wanted(one):
                        return one
                self._fresh.clear()
                await self._fresh.wait()

    async def message(self, text: str) -> dict[str, Any]:
        """The message with these words."""
        found = await self.until(lambda one: one["kind"] == "message" and one["message"]["text"] == text)
        message: dict[str, Any] = found["message"]
        return message

    async def phase(self, phase: str) -> dict[str, Any]:
        """The talk when it stands there."""
        found = await self.until(lambda one: one["kind"] == "talk" and one["talk"]["phase"] == phase)
        talk: dict[str, Any] = found["talk"]
        return talk

    @property
    def texts(self) -> list[str]:
        return [one["message"]["text"] for one in self.got if one["kind"] == "message"]

    async def leave(self) -> None:
        """The browser hangs up; returns when the product has let go."""
        self._gone.set()
        await self.task

    async def close(self) -> None:
        self._gone.set()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Visitor:
    """One browser on one site."""

    chat: Chat
    token: str = ""
    hello: dict[str, Any] = field(default_factory=dict)
    origin: str = SITE
    slug: str = "help"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "origin": self.origin}

    async def say_hello(self, **more: Any) -> dict[str, Any]:
        answer = await self.post("hello", {"token": self.token, **more})
        assert answer.status_code == 200, answer.text
        self.hello = answer.json()
        self.token = self.hello["token"]
        return self.hello

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return await self.chat.browser.post(f"/in/webchat/{self.slug}/{path}", json=body or {}, headers=headers, **more)

    async def get(self, path: str) -> httpx.Response:
        return await self.chat.browser.get(f"/in/webchat/{self.slug}/{path}", headers=self.headers)

    async def say(self, text: str, client_id: str = "", **more: Any) -> httpx.Response:
        body = {"id": client_id or secrets.token_hex(8), "text": text, "language": "en", **more}
        answer = await self.post("messages", body)
        assert answer.status_code == 202, answer.text
        return answer

    async def stream(self, after: str = "", **headers: str) -> Stream:
        """Open the stream; it is closed with the chat."""
        given = {**self.headers, **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"/in/webchat/{self.slug}/stream",
            "raw_path": f"/in/webchat/{self.slug}/stream".encode(),
            "root_path": "",
            "query_string": f"after={after}".encode() if after else b"",
            "headers": [
                (name.lower().encode(), value.encode()) for name, value in {"host": "everyline.test", **given}.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("everyline.test", 80),
        }
        found = Stream(asyncio.create_task(asyncio.sleep(0)))
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await found._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            found.take(message)

        found.task = asyncio.create_task(self.chat.app(scope, receive, send))
        self.chat.streams.append(found)
        async with asyncio.timeout(30):
            while not found.status:
                found._fresh.clear()
                await found._fresh.wait()
        return found


@dataclass
class Chat:
    """The line, the application of a web process, and a worker's processor."""

    ground: Ground
    app: FastAPI
    browser: httpx.AsyncClient
    line: Line
    keeper: Keeper
    streams: list[Stream] = field(default_factory=list)

    @property
    def door(self) -> IntakeDoor:
        found: IntakeDoor = self.app.state.door
        return found

    def visitor(self, **more: Any) -> Visitor:
        return Visitor(self, **more)

    async def greeted(self, **more: Any) -> Visitor:
        """A visitor who has said hello."""
        found = Visitor(self)
        await found.say_hello(**more)
        return found

    async def rows(self, table: Any) -> list[Any]:
        found: Table = table.__table__
        async with self.ground.database.transaction() as tx:
            return list(await tx.rows(select(found).order_by(*found.primary_key.columns)))

    async def answer(self, agent_id: int, case_id: int, text: str, **more: Any) -> int:
        async with self.ground.database.transaction() as tx:
            return await dispatch.answer(tx, self.ground.signer, agent_id, case_id, text, **more)

    async def change(self, **settings: Any) -> None:
        """Change settings of the line, and wait until they count: processes read lines again every other second."""
        async with self.ground.database.transaction() as tx:
            before = (await line_queries.get(tx, self.line.id)).settings
            await lines.change(tx, self.ground.vault, None, self.line.id, settings={**before, **settings})
            row = await line_queries.get(tx, self.line.id)
        self.line = line_queries.as_channel_sees(row, self.ground.vault, self.ground.signer)
        await asyncio.sleep(2.1)


async def mail_line(ground: Ground) -> int:
    """A line that mail goes out on, to nowhere."""
    async with ground.database.transaction() as tx:
        return await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="help@harbor.example",
            name="Harbor County",
            queue_id=1,
            settings={"smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_encryption": "none"},
        )


@contextlib.asynccontextmanager
async def opened(ground: Ground, **settings: Any) -> AsyncIterator[Chat]:
    """A chat line on a running application, with a mail line for what goes by mail."""
    answers_on = await mail_line(ground)
    async with ground.database.transaction() as tx:
        line_id = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="webchat",
            address="help",
            name="Harbor County help",
            queue_id=1,
            answer_line_id=answers_on,
            settings={"sites": SITE, "waits_alone": True, **settings},
        )
        row = await line_queries.get(tx, line_id)
    app = create_app(ground)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    processing = asyncio.create_task(Processor(ground).run())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://everyline.test") as browser,
    ):
        line = line_queries.as_channel_sees(row, ground.vault, ground.signer)
        chat = Chat(ground, app, browser, line, Keeper(ground, TalkSurveys()))
        try:
            yield chat
        finally:
            for stream in chat.streams:
                await stream.close()
            processing.cancel()
            await asyncio.gather(processing, return_exceptions=True)


async def begun(chat: Chat, said: str = "Hello", **more: Any) -> tuple[Visitor, Stream, int]:
    """A visitor who has said something, their stream, and the case."""
    visitor = await chat.greeted()
    stream = await visitor.stream()
    await visitor.say(said, **more)
    await stream.message(said)
    await until(lambda: chat.rows(Talk))
    return visitor, stream, (await chat.rows(Case))[-1].id
