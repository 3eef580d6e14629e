"""What one process holds: settings, keys, database, bus, files. Made once at its start, handed to all that need it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from everyline.ground.bus import Bus
from everyline.ground.database import Database
from everyline.ground.files import Files
from everyline.ground.keys import CaseSigner, Vault, secret_key
from everyline.ground.postgres import EmbeddedPostgres
from everyline.ground.settings import Settings


@dataclass(frozen=True)
class Ground:
    """The ground a process stands on."""

    settings: Settings
    key: bytes
    signer: CaseSigner
    vault: Vault
    database: Database
    bus: Bus
    files: Files


def database_url(settings: Settings) -> str:
    """The database's address: the one set, or the embedded one that runs on the data folder. PostgresError if none."""
    return settings.database_url or EmbeddedPostgres(settings.data / "postgres").url


@contextlib.asynccontextmanager
async def standing(settings: Settings, url: str | None = None) -> AsyncIterator[Ground]:
    """Open the ground, and close it at the end of the block."""
    url = url or database_url(settings)
    key = secret_key(settings)
    bus = Bus(url)
    database = Database(url, connections=settings.database_connections, after_commit=bus.tell)
    await bus.start()
    try:
        yield Ground(settings, key, CaseSigner(key), Vault(key), database, bus, Files(settings.data / "files"))
    finally:
        await bus.stop()
        await database.close()
