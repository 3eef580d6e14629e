"""What is new, as server-sent events (HTML standard, section 9.2): a plain ASGI application, for thousands are open at a time
and each must be small."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from everyline.channel_contract import Following, Line, TalkDoor, TalkNews
from everyline.channels.webchat import answers, shapes, tokens
from everyline.channels.webchat.answers import Refusal
from everyline.channels.webchat.lines import LineBook
from everyline.channels.webchat.tokens import Visitor
from everyline.ground.clock import now
from everyline.ground.words import _, speaking

HEARTBEAT_SECONDS = 20.0
LIFE_SECONDS = 1700.0  # then the widget comes back
MOST_STREAMS = 10  # of one visitor in one process

_HEARTBEAT = b": \n\n"


class Streams:
    """The streams of one process."""

    def __init__(self, door: TalkDoor, book: LineBook) -> None:
        self._door, self._book = door, book
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        begun = await self._begin(connection, scope, receive, send)
        if begun is None:
            return
        line, visitor, following, headers = begun
        del connection, begun
        self._open[visitor.id] += 1
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: following.close())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _pump(following, line, visitor, send, gone)
        finally:
            following.close()
            gone.cancel()
            self._open[visitor.id] -= 1
            if not self._open[visitor.id]:
                del self._open[visitor.id]

    async def _begin(
        self, connection: HTTPConnection, scope: Scope, receive: Receive, send: Send
    ) -> tuple[Line, Visitor, Following, list[tuple[bytes, bytes]]] | None:
        origin = ""
        try:
            line = await self._line(scope)
            with speaking(answers.spoken(connection, line)):
                origin = answers.allowed_origin(connection, line)
                if scope["method"] == "OPTIONS":
                    await answers.preflight(origin)(scope, receive, send)
                    return None
                visitor = answers.bearer(connection, line)
                following = self._follow(connection, line, visitor)
        except (Refusal, OSError) as error:
            found = answers.refused(answers.as_refusal(error))
            found.headers.update(answers.cross_origin(origin))
            await found(scope, receive, send)
            return None
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *((name.encode(), value.encode()) for name, value in answers.cross_origin(origin).items()),
        ]
        return line, visitor, following, headers

    async def _line(self, scope: Scope) -> Line:
        line = await self._book.line(scope["path_params"]["slug"].lower())
        if line is None:
            raise Refusal(404, "nothing", _("There is no chat at this address."))
        return line

    def _follow(self, connection: HTTPConnection, line: Line, visitor: Visitor) -> Following:
        if self._open[visitor.id] >= MOST_STREAMS:
            raise Refusal(429, "slower", _("This chat is open in too many windows."), retry_after=30)
        after = connection.headers.get("last-event-id") or connection.query_params.get("after", "")
        try:
            return self._door.follow(line, visitor.address, answers.spoken(connection, line), after)
        except ValueError as error:
            raise Refusal(400, "unreadable", _("This is no position.")) from error


async def _pump(following: Following, line: Line, visitor: Visitor, send: Send, gone: asyncio.Future[None]) -> None:
    loop = asyncio.get_running_loop()
    end_at = loop.time() + LIFE_SECONDS
    first = f"retry: {random.randint(500, 2500)}\n\n".encode()
    if now().timestamp() - visitor.given_at > tokens.FRESH_SECONDS:
        fresh = Visitor(visitor.id, visitor.verification, visitor.mailbox, visitor.name, now().timestamp())
        first += _event({"kind": "token", **shapes.token(line, fresh)})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    while not gone.done():
        news = await following.news(HEARTBEAT_SECONDS)
        over = following.over or loop.time() > end_at or (news is not None and news.lost)
        if gone.done():
            return
        said = _HEARTBEAT if news is None else as_events(news)
        await send({"type": "http.response.body", "body": said, "more_body": not over})
        if over:
            return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(said: dict[str, Any], position: str = "") -> bytes:
    head = f"id: {position}\n" if position else ""
    return f"{head}data: {json.dumps(said, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def as_events(news: TalkNews) -> bytes:
    """News as the widget reads them."""
    if news.lost:
        return _event({"kind": "again"})
    found = [_event({"kind": "message", "message": shapes.message(one)}, position) for position, one in news.messages]
    if news.talk is not None:
        found.append(_event({"kind": "talk", "talk": shapes.talk(news.talk)}))
    if news.read_upto:
        found.append(_event({"kind": "read", "upto": str(news.read_upto)}))
    found += [_event({"kind": "typing", "agent": shapes.person(agent), "on": on}) for agent, on in news.typing]
    return b"".join(found)
