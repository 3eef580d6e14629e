"""Fixtures for the suite and for the tests in channel folders.

A database server runs for each worker of the suite; every test gets a fresh database, copied from one that is migrated.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from everyline.ground import schema
from everyline.ground.installation import Ground, standing
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings
from everyline.people import actions as people
from everyline.people.models import SignIn
from everyline.people.passwords import fresh_token
from everyline.people.permit import COOKIE
from everyline.roles.web import create_app
from tests.folders import fresh_folder

hypothesis.settings.register_profile(  # a busy machine is no fault
    "everyline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("everyline")
_numbers = itertools.count()
SHARED = (
    "tests/browser/company",
    "tests/browser/office",
    "tests/browser/mail",
)  # folders whose files share a running product
IN_REAL_TIME = (
    "tests/browser/test_phone",
    "tests/calls/",
    "everyline/channels/phone/",
    "tests/media/",
    "tests/sip/",
    "tests/speech/",
    "tests/webrtc/",
)  # files whose tests mostly wait for sound, and suffer when they have to wait for the processor as well
LONGEST_FIRST = (*SHARED, "tests/kill", "tests/browser")  # folders that take longest; so all workers end together


def pytest_configure(config: pytest.Config) -> None:
    """What happens in real time comes before what works, when both want a processor."""
    if getattr(config, "workerinput", {}).get("workerid", "gw0") != "gw0":
        os.nice(5)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""

    def turn(item: pytest.Item) -> int:
        return next(
            (n for n, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(f"{folder}/")), len(LONGEST_FIRST)
        )

    items.sort(key=turn)


class ByProduct(LoadFileScheduling):
    """A worker gets whole files, and whole folders where their files share what is dear to start. One begins with what happens in
    real time, which leaves the others most of the processor, and they leave it a part."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = file.rpartition("/")[0]
        return folder if folder in SHARED else file

    def _assign_work_unit(self, node: Any) -> None:
        in_real_time = node.gateway.id == "gw0"
        fitting = (scope for scope in self.workqueue if scope.startswith(IN_REAL_TIME) == in_real_time)
        if scope := next(fitting, ""):
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByProduct:
    """Asked for when there is more than one worker."""
    return ByProduct(config, log)


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """No setting of the machine reaches a test."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("EVERYLINE_")}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a database server with the migrated database ``template``; it trades safety for speed."""
    folder = fresh_folder("everyline-suite-")
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        base = postgres.url.replace("/everyline?", "/{}?")
        with psycopg.connect(base.format("postgres"), autocommit=True) as connection:
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                connection.execute(f"alter system set {setting}")
            connection.execute("select pg_reload_conf()")
            connection.execute("create database template_everyline")
        schema.bring_up_to_date(base.format("template_everyline"))
        yield base
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(server: str) -> Iterator[str]:
    """A fresh database of its own."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template template_everyline strategy file_copy")
    yield server.format(name)
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
async def ground(database_url: str, tmp_path: Path) -> AsyncIterator[Ground]:
    """The ground over a fresh database and an empty data folder."""
    chosen = Settings(data=tmp_path / "data", database_url=database_url, secret_key="k" * 32)
    async with standing(chosen) as found:
        yield found


@pytest.fixture
async def client(ground: Ground) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts, at the application of a web process."""
    app = create_app(ground)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://everyline.test") as browser,
    ):
        browser.headers["sec-fetch-site"] = "same-origin"
        yield browser


@dataclass(frozen=True)
class SignedIn:
    """An agent of a test, and what shows that it is them."""

    id: int
    email: str
    cookies: dict[str, str]
    token: str

    @property
    def cookie(self) -> dict[str, str]:
        """The header for pages."""
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    @property
    def bearer(self) -> dict[str, str]:
        """The header for the API."""
        return {"authorization": f"Bearer {self.token}"}


SignInAs = Callable[..., Awaitable[SignedIn]]


@pytest.fixture
def sign_in(ground: Ground) -> SignInAs:
    """``await sign_in(role="agent", queues=[1])``: an agent who is signed in, a member of these queues. ``hears``: calls reach them."""

    async def make(
        role: str = "agent",
        *,
        name: str = "",
        queues: tuple[int, ...] = (),
        available: bool = False,
        all_queues: bool = False,
        hears: bool = False,
    ) -> SignedIn:
        from sqlalchemy import func, insert, text

        from everyline.queues import abilities
        from everyline.queues import actions as queue_actions

        email = f"{role}{next(_numbers)}@house.example"
        cookie, kept = fresh_token()
        async with ground.database.transaction() as tx:
            agent_id = await people.add_agent(
                tx, None, email=email, name=name or email.partition("@")[0].title(), role=role, all_queues=all_queues
            )
            await tx.execute(
                insert(SignIn).values(
                    token_hash=kept, agent_id=agent_id, expires_at=func.now() + text("interval '1 day'")
                )
            )
            _token_id, token = await people.add_token(tx, None, agent_id, "test")
            for queue_id in queues:
                await tx.execute(
                    text("insert into membership (queue_id, agent_id) values (:queue, :agent)"),
                    {"queue": queue_id, "agent": agent_id},
                )
            if hears:
                await abilities.hears(tx, agent_id, "here", ready=True)
            if available:
                await queue_actions.change_state(tx, agent_id, agent_id, "available")
        return SignedIn(agent_id, email, {COOKIE: cookie}, token)

    return make


async def until(condition: Callable[[], Awaitable[object]], *, seconds: float = 30) -> object:
    """Wait until an awaited condition is true, and return what it gave; fail after ``seconds``."""
    async with asyncio.timeout(seconds):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(0.02)
