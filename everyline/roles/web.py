"""The web role: pages, the API, live streams, public pages and webhooks of channels."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import logging
import os
import pkgutil
import socket
from collections.abc import AsyncIterator, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

import everyline
from everyline.api.inbound import HandIn
from everyline.api.once import OnceRoute
from everyline.api.routes import create_api
from everyline.board.watch import Watch
from everyline.channel_registry import all_channels
from everyline.customers.brands import Brands
from everyline.ground import logs
from everyline.ground.guard import Guard
from everyline.ground.installation import Ground, standing
from everyline.ground.live import Hub
from everyline.ground.pages import STATIC, environment
from everyline.ground.settings import settings
from everyline.intake.door import IntakeDoor
from everyline.measure.surveying import TalkSurveys
from everyline.portal.hosts import Hosts
from everyline.portal.readings import Readings
from everyline.portal.shelf import Shelf
from everyline.portal.ways import QueuesNow
from everyline.roles import answers, collecting, health
from everyline.roles.live import Live
from everyline.selfservice.running.turns import Turns

log = logging.getLogger(__name__)


class Files(StaticFiles):
    """Static files; their addresses carry a hash, so that they are kept for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start" and scope.get("query_string"):
                message["headers"].append((b"cache-control", b"public, max-age=31536000, immutable"))
            await send(message)

        await super().__call__(scope, receive, kept)


class Application(FastAPI):
    """Leads the two requests that come by the thousand past everything that others need: they check rights themselves, and
    neither carries a form of another site."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        self._live, self._hand_in = Live(), HandIn()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == "/live":
                scope["app"] = self
                await self._live(scope, receive, send)
                return
            if path.endswith("/inbound") and scope["method"] == "POST":
                line_id = path.removeprefix("/api/v1/lines/").removesuffix("/inbound")
                if line_id.isascii() and line_id.isdigit() and len(line_id) < 19:
                    scope["app"] = self
                    await self._hand_in(scope, receive, send, int(line_id))
                    return
        await super().__call__(scope, receive, send)


def parts(name: str) -> list[ModuleType]:
    """The modules of this name, one in a noun or face: ``routes`` with its pages, ``api`` with its own part of the API."""
    found = [f"everyline.{module.name}.{name}" for module in pkgutil.iter_modules(everyline.__path__) if module.ispkg]
    return [
        importlib.import_module(one) for one in found if one != "everyline.api.routes" and importlib.util.find_spec(one)
    ]


@cache
def pages() -> Sequence[BaseRoute]:
    """The pages of all nouns and faces; put together once a process, which takes longer than all else of an application."""
    return [route for module in parts("routes") for route in module.router.routes]


@cache
def parts_of_api() -> Sequence[BaseRoute]:
    """What nouns and faces add to the API, likewise."""
    return [route for module in parts("api") for route in module.create_router(OnceRoute).routes]


def load() -> None:
    """Put together once what all processes of the role have in common."""
    pages()
    parts_of_api()
    environment()


def create_app(ground: Ground) -> FastAPI:
    """The application of one web process."""
    hub = Hub(ground)
    door = IntakeDoor(ground, hub, TalkSurveys())
    board = Watch(ground, hub)
    shelf, readings, turns = Shelf(), Readings(ground), Turns(ground)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await door.start()
        reading = asyncio.create_task(hub.run(), name="live hub")
        with hub.hearing(shelf.hear):
            yield
        await readings.stop()
        await board.stop()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await door.stop()

    app = Application(title="Everyline", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.ground, app.state.door, app.state.hub, app.state.board = ground, door, hub, board
    app.state.brands, app.state.queues_now = Brands(), QueuesNow()
    app.state.shelf, app.state.readings, app.state.turns = shelf, readings, turns
    answers.install(app)
    app.router.routes.extend(pages())
    app.include_router(health.router)
    api = create_api()
    api.router.routes.extend(parts_of_api())
    api.state.ground, api.state.door, api.state.hub, api.state.board = ground, door, hub, board
    app.mount("/api/v1", api)
    app.router.routes.append(Mount("/static", Files(directory=STATIC)))
    for name, channel in all_channels().items():
        routes = channel.routes(door)
        if routes:
            # looked at first: what comes in by the hundred a second is not held against every page
            app.router.routes.insert(0, Mount(f"/in/{name}", routes=list(routes)))
    app.add_middleware(Hosts, database=ground.database, brands=app.state.brands)
    app.add_middleware(Guard, settings=ground.settings)
    return app


class Server(uvicorn.Server):
    """A server that lets go of live streams when it is to end."""

    hub: Hub

    def handle_exit(self, sig: int, frame: object) -> None:
        self.hub.end_all()
        # nobody may be left to end what does not end by itself
        asyncio.get_event_loop().call_later(settings().drain_seconds + 3, os._exit, 1)
        super().handle_exit(sig, frame)  # type: ignore[arg-type]  # -- a frame or None, as the signal module gives it


async def main(descriptor: int | None) -> None:
    """Run the role until SIGTERM; ``descriptor`` is the listening socket that the supervisor holds."""
    chosen = settings()
    async with standing(chosen) as ground:
        app = create_app(ground)
        collecting.resume()
        config = uvicorn.Config(
            app,
            host=chosen.host,
            port=chosen.port,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=max(int(chosen.drain_seconds), 1),
            backlog=4096,
        )
        server = Server(config)
        server.hub = app.state.hub
        sockets = [socket.socket(fileno=descriptor)] if descriptor is not None else None
        await server.serve(sockets=sockets)


def run(descriptor: int | None = None) -> None:
    """Run the role in this process."""
    logs.begin("web", form=settings().log_format, level=settings().log_level)
    uvloop.run(main(descriptor))
