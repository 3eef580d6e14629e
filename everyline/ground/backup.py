"""Backup and restore: the database, the files and the secret key of an installation in one compressed archive.

The database is written by ``pg_dump`` in one snapshot, and files only ever come, so a backup of a running product is
whole. Restoring needs an empty installation.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import psycopg

from everyline import __version__
from everyline.ground import schema
from everyline.ground.keys import secret_key
from everyline.ground.postgres import client_binaries
from everyline.ground.settings import Settings

FORMAT = 1


class BackupError(Exception):
    """It could not be done; the message says why, and what was kept."""


def backup(settings: Settings, url: str, target: Path) -> int:
    """Write everything into ``target``; returns its size in bytes. It appears under its name only when it is whole."""
    if target.exists():
        raise BackupError(f"{target} exists already: choose another name, or move it away")
    fresh = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(prefix="everyline-backup-") as folder:
        dump = Path(folder) / "database.dump"
        _run("pg_dump", "--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--file={dump}", url)
        with psycopg.connect(url) as connection:
            step = schema.current(connection)
        facts = {"format": FORMAT, "version": __version__, "schema": step}
        with tarfile.open(fresh, "w:gz", compresslevel=4) as archive:
            _add(archive, "everyline.json", json.dumps(facts).encode())
            _add(archive, "secret.key", secret_key(settings))
            archive.add(dump, "database.dump")
            if (settings.data / "files").exists():
                archive.add(settings.data / "files", "files")
    fresh.chmod(0o600)
    fresh.replace(target)
    return target.stat().st_size


def restore(settings: Settings, url: str, source: Path) -> None:
    """Bring everything back from ``source`` into an empty installation."""
    with psycopg.connect(url) as connection:
        if connection.execute("select to_regclass('alembic_version')").fetchone() != (None,):
            raise BackupError(
                "this installation holds data already; restore into a new data folder or an empty database"
            )
    with tempfile.TemporaryDirectory(prefix="everyline-restore-") as name:
        folder = Path(name)
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        facts = json.loads((folder / "everyline.json").read_text())
        if facts["format"] != FORMAT or facts["schema"] > schema.latest():
            raise BackupError(
                f"the backup was made by version {facts['version']}: restore it with that one or a newer one"
            )
        _run(
            "pg_restore",
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            f"--dbname={url}",
            str(folder / "database.dump"),
        )
        with psycopg.connect(url) as connection:
            # transaction ids of another server mean nothing here: what was, was before everything that comes
            connection.execute("update event set xid = '2'")
        key = settings.data / "secret.key"
        if not settings.secret_key:
            key.parent.mkdir(parents=True, exist_ok=True)
            key.unlink(missing_ok=True)
            key.touch(mode=0o600)
            key.write_bytes((folder / "secret.key").read_bytes())
        for path in (folder / "files").rglob("*"):
            if path.is_file():
                target = settings.data / "files" / path.relative_to(folder / "files")
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                target.write_bytes(path.read_bytes())
    schema.bring_up_to_date(url)
    with psycopg.connect(url) as connection:
        # positions mean nothing here either: whoever follows the events begins anew
        connection.execute("update follower set xid = '0', id = 0, at = null")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([str(client_binaries() / program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed; nothing was changed: {done.stderr.strip()[-500:]}")
