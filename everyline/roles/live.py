"""``GET /live?topics=…``: the stream of one browser, with the rights of who is signed in."""

from __future__ import annotations

import asyncio
import random

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from everyline.board.figures import CUTS
from everyline.board.watch import Audience, Watch
from everyline.cases.queries import get
from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.events import Position
from everyline.ground.live import Hub, Stream
from everyline.people.permit import ground_of, who_asks
from everyline.people.rules import Me

HEARTBEAT_SECONDS = 20.0
LIFE_SECONDS = 1800.0  # then the browser comes back and its rights are looked at anew
MOST_TOPICS = 50

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def allowed(tx: Tx, me: Me, topic: str) -> bool:
    """May they hear of this?"""
    name, _colon, number = topic.partition(":")
    if not number:
        return {
            "queues": me.all_queues,
            "lines": me.may("line.read"),
            "quarantine": me.may("quarantine.read"),
            "agents": me.may("agent.direct"),
            "calls": me.all_queues and me.may("board.read"),
        }.get(name, False)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return False
    if name == "agent":
        return int(number) == me.id
    if name == "queue":
        return me.sees_queue(int(number))
    if name == "line":
        return me.may("line.read")
    if name == "case":
        try:
            await get(tx, me, int(number))
        except NotFound:
            return False
        return True
    return False


async def _audiences(board: Watch, me: Me, asked: list[str]) -> list[Audience]:
    """The cuts of the board that are asked for; who asks belongs to the audience of their scope."""
    if not me.may("board.read"):
        return []
    cuts = [cut for topic in asked for name, _colon, cut in [topic.partition(":")] if name == "board" and cut in CUTS]
    return [await board.join(me, cut) for cut in cuts]


class Live:
    """The endpoint, as a plain ASGI application: thousands of them are open at a time, so each must be small."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        me = await who_asks(connection)
        if me is None:
            await PlainTextResponse("Please sign in.", 401)(scope, receive, send)
            return
        hub: Hub = connection.app.state.hub
        asked = sorted({topic for topic in connection.query_params.get("topics", "").split(",") if topic})[:MOST_TOPICS]
        async with ground_of(connection).database.transaction() as tx:
            topics = frozenset([topic for topic in asked if await allowed(tx, me, topic)])
        board: Watch = connection.app.state.board
        audiences = await _audiences(board, me, asked)
        await hub.started.wait()
        stream = hub.open(me.id, topics | {audience.topic for audience in audiences}, _after(connection))
        for audience in audiences:
            stream.put(board.whole(audience))
        position = hub.position
        del connection, asked
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: stream.end())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send(
                {
                    "type": "http.response.body",
                    "body": f"retry: {random.randint(300, 1500)}\nid: {position}\ndata:\n\n".encode()
                    if not stream.unsent or audiences
                    else b": hello\n\n",
                    "more_body": True,
                }
            )
            await _pump(stream, hub, send, gone)
        finally:
            hub.close(stream)
            gone.cancel()


async def _pump(stream: Stream, hub: Hub, send: Send, gone: asyncio.Future[None]) -> None:
    end_at = asyncio.get_running_loop().time() + LIFE_SECONDS
    while not gone.done():
        lines = await stream.take(HEARTBEAT_SECONDS)
        if not lines and not stream.ended:
            lines = (
                f"id: {hub.position}\n\n".encode()
            )  # nothing new, up to here: kept by the browser for when it comes back
        ended = stream.ended or asyncio.get_running_loop().time() > end_at
        await send({"type": "http.response.body", "body": lines, "more_body": not ended})
        if ended:
            return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _after(connection: HTTPConnection) -> Position | None:
    try:
        return Position.read(connection.headers.get("last-event-id") or connection.query_params.get("after", ""))
    except ValueError:
        return None
