"""Brings the database's schema up to date.

A warm start compares one number and imports nothing of Alembic. Two processes that start at once wait for each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7331  # advisory lock of whoever migrates
OLDEST_SERVER = 150000  # PostgreSQL 15


class SchemaError(Exception):
    """The database cannot be used by this version; the message says what to do."""


def latest() -> str:
    """The newest step that this version knows."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(connection: psycopg.Connection) -> str:
    """The step that a database is at; empty when it holds nothing of ours yet."""
    if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
        return ""
    row = connection.execute("select version_num from alembic_version").fetchone()
    return row[0] if row else ""


def bring_up_to_date(url: str) -> bool:
    """Run the steps that a database lacks; True when there were any. Raises SchemaError."""
    import psycopg  # noqa: PLC0415 -- the supervisor runs this in a process of its own, and needs none of it for itself

    with psycopg.connect(url, autocommit=True) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise SchemaError("EVERYLINE_DATABASE_URL leads to a PostgreSQL older than 15: use 15 or later")
        if current(connection) == latest():
            return False
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        found = current(connection)
        if found == latest():
            return False
        if found > latest():
            raise SchemaError(
                f"the database is at step {found} and this version of Everyline knows only {latest()}: "
                "start the newer version again, or restore a backup made with this one"
            )
        _migrate(url)
    return True


def _migrate(url: str) -> None:
    import psycopg  # noqa: PLC0415 -- as above
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine  # noqa: PLC0415 -- as above

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()
