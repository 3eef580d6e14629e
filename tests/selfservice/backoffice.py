"""Other people's systems, as sources find them: a host that answers over HTTP in every way there is, and a PostgreSQL server
with a password, an own role that reads, and things to be stolen."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from everyline.ground.installation import Ground
from everyline.ground.postgres import EmbeddedPostgres
from everyline.selfservice.identity import Who
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import Result, actions, look_up
from everyline.selfservice.sources.declared import Field, Http, Input, Secrets, Source, Sql
from tests.product import free_port

ACCOUNT = Input(Slot(Kind.ACCOUNT, "account"))
DUE = Field(Slot(Kind.MONEY, "due"))
UNTIL = Field(Slot(Kind.DATE, "until"))
NOBODY = Who()
READER, READER_PASSWORD = "reader", "read-0nly-secret"


@dataclass
class Office:
    """A host on loopback. ``answers`` by path, all others as the empty one; what it was asked stands in ``asked``."""

    answers: dict[str, Callable[[asyncio.StreamWriter], Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def says(
        self, path: str, body: object, *, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{more}\r\n"
        self.answers[path] = lambda writer: writer.write(head.encode() + content)

    def does(self, path: str, act: Callable[[asyncio.StreamWriter], Any]) -> None:
        self.answers[path] = act

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _colon, value in (one.partition(":") for one in lines[1:] if one)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append((lines[0], headers, body))
            path = lines[0].split(" ")[1].partition("?")[0]
            act = self.answers.get(path, self.answers.get(""))
            if act is None:
                self.silent.set()
                await reader.read()  # until the other side goes
            else:
                act(writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    """A host on a free port of loopback."""
    found = Office()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def bill(host: Office, path: str = "/bills/{account}", **facts: Any) -> Source:
    """A source over HTTP."""
    of_http = {name: facts.pop(name) for name in list(facts) if name in Http.__dataclass_fields__}
    settings = Http(**{"url": host.url(path), "inner": True, **of_http})
    return Source(**{"name": "bill", "settings": settings, "inputs": (ACCOUNT,), "fields": (DUE, UNTIL), **facts})


async def added(ground: Ground, source: Source, secrets: Secrets | None = None) -> Source:
    """The source, in use."""
    async with ground.database.transaction() as tx:
        source_id = await actions.add(tx, ground.vault, None, source, secrets)
    return replace(source, id=source_id, revision=1)


async def asked(
    ground: Ground, name: str = "bill", account: str = "4711", seconds: float = 5, who: Who = NOBODY
) -> Result:
    """What comes of looking up an account."""
    return await look_up(ground, name, {"account": Value(Kind.ACCOUNT, account)}, seconds, who)


@dataclass(frozen=True)
class Ledger:
    """A server of another house: reached by TCP, with a password."""

    port: int
    owner: str  # an address with all rights

    def source(self, select: str, **facts: Any) -> Source:
        """A source that reads there."""
        of_sql = {name: facts.pop(name) for name in list(facts) if name in Sql.__dataclass_fields__}
        place = {
            "host": "127.0.0.1",
            "port": self.port,
            "database": "ledger",
            "role": READER,
            "encryption": "disable",
            "inner": True,
        }
        settings = Sql(**{**place, "select": select, **of_sql})
        return Source(**{"name": "bill", "settings": settings, "inputs": (ACCOUNT,), "fields": (DUE, UNTIL), **facts})

    @property
    def secrets(self) -> Secrets:
        """What its role signs in with."""
        return Secrets(password=READER_PASSWORD)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What its owner sees."""
        with psycopg.connect(self.owner) as connection:
            return connection.execute(statement.encode()).fetchall()


@contextmanager
def running_ledger() -> Iterator[Ledger]:
    """A server of its own with 1,000 bills."""
    folder, port = Path(tempfile.mkdtemp(prefix="everyline-ledger-")), free_port()
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("create database ledger")
            connection.execute(f"create role {READER} login password '{READER_PASSWORD}'".encode())
            connection.execute("create role mighty login superuser password 'mighty-secret'")
        server.stop()
        (server.folder / "local.conf").write_text(f"listen_addresses = '127.0.0.1'\nport = {port}\nfsync = off\n")
        (server.folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        server.start()
        owner = server.url.replace("/everyline?", "/ledger?") + f"&port={port}"
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(
                "create table bill (account text primary key, due numeric(12, 2), until date, owner text)"
            )
            connection.execute(
                "insert into bill select (1000 + n)::text, n + 0.5, date '2026-01-01' + n % 300, 'Owner ' || n from generate_series(1, 1000) n"
            )
            connection.execute("create table treasure (secret text)")
            connection.execute("insert into treasure values ('gold')")
            connection.execute(f"grant select on bill to {READER}".encode())
            connection.execute("create table scratch (n int)")
            connection.execute(f"create sequence counted; grant all on sequence counted to {READER}".encode())
            connection.execute(f"grant select, insert, update, delete on scratch to {READER}".encode())
        yield Ledger(port, owner)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
