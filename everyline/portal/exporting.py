"""All that is stored of a customer as one ZIP file, written while it is sent: ``my-data.json`` and their files."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from collections.abc import AsyncIterator
from typing import IO, Any, cast

from everyline.customers import preferences, rules, sign_ins
from everyline.customers import queries as customers
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.files import Files
from everyline.ground.installation import Ground
from everyline.portal import queries

CHUNK = 256 * 1024  # bytes
_UNSAFE = re.compile(r"[^\w.,() -]+")


class _Sink:
    """What the ZIP writer writes into, and what is taken out of it to be sent. It cannot go back, so the writer puts sizes
    behind each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self) -> bytes:
        """What was written since the last time."""
        found, self._parts = b"".join(self._parts), []
        return found


async def collected(tx: Tx, customer_id: int) -> tuple[dict[str, Any], list[tuple[str, Row]]]:
    """What is known as JSON takes it, and the files with their names in the archive."""
    row = await customers.get(tx, customer_id)
    consents = await preferences.consents(tx, row.id)
    points = await customers.points(tx, row.id)
    cases, files = [], []
    before: int | None = None
    while rows := await queries.cases(tx, row.id, before=before, most=200):
        before = rows[-1].id
        for one in rows:
            told, found = await _case(tx, row.id, one)
            cases.append(told)
            files += found
    known = {
        "made_at": now().isoformat(),
        "customer": {
            "name": row.name,
            "kind": row.kind,
            "language": row.language,
            "zone": row.zone,
            "quiet_from": row.quiet_from,
            "quiet_until": row.quiet_until,
            "known_since": row.created_at.isoformat(),
        },
        "contact_points": [
            {
                "kind": point.kind,
                "address": point.address,
                "label": point.label,
                "preferred": point.preferred,
                "proved_at": point.verified_at and point.verified_at.isoformat(),
                "nothing_arrives_since": point.bad_since and point.bad_since.isoformat(),
                "may_be_sent": {
                    purpose: _consent(consents.get((point.id, purpose)), purpose) for purpose in rules.PURPOSES
                },
            }
            for point in points
        ],
        "signed_in": [
            {
                "browser": one.browser,
                "with": one.address,
                "since": one.created_at.isoformat(),
                "last": one.used_at.isoformat(),
            }
            for one in await sign_ins.of_customer(tx, row.id)
        ],
        **{
            name: [
                {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in one.items()}
                for one in every
            ]
            for name, every in (await queries.said(tx, row.id)).items()
        },
        "cases": cases,
    }
    return known, files


def _consent(kept: Row | None, purpose: str) -> dict[str, Any]:
    granted = rules.granted(purpose, kept=kept.granted if kept else None)
    return {"granted": granted, "at": kept.at.isoformat(), "proof": kept.proof} if kept else {"granted": granted}


async def _case(tx: Tx, customer_id: int, case: Row) -> tuple[dict[str, Any], list[tuple[str, Row]]]:
    files = await queries.files(tx, customer_id, case.id)
    named = {file.id: f"files/{case.number}/{file.id}-{safe(file.name)}" for every in files.values() for file in every}
    messages = [
        {
            "at": message.at.isoformat(),
            "from": "you" if message.direction == "in" else (message.agent_name or "us"),
            "channel": message.channel,
            "text": message.text,
            "files": [named[file.id] for file in files.get(message.id, ())],
        }
        for message in await queries.messages(tx, customer_id, case.id)
    ]
    told = {
        "number": case.number,
        "subject": case.subject,
        "status": case.status,
        "opened_at": case.opened_at.isoformat(),
        "messages": messages,
    }
    return told, [(named[file.id], file) for every in files.values() for file in every]


def safe(name: str) -> str:
    """A name that stays within its folder wherever it is unpacked."""
    return _UNSAFE.sub("_", name).strip(". ")[-120:] or "file"


async def archive(ground: Ground, customer_id: int) -> AsyncIterator[bytes]:
    """The ZIP file, piece by piece. What is stored is read at one moment; files are read while they are sent."""
    async with ground.database.transaction(reading=True) as tx:
        known, files = await collected(tx, customer_id)
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("my-data.json", json.dumps(known, ensure_ascii=False, indent=1))
        yield sink.take()
        for name, row in files:
            async for piece in _file(target, sink, ground.files, name, row.file_hash):
                yield piece
    yield sink.take()


async def _file(target: zipfile.ZipFile, sink: _Sink, files: Files, name: str, digest: str) -> AsyncIterator[bytes]:
    path = files.path(digest)
    if not await asyncio.to_thread(path.exists):
        return
    entry = zipfile.ZipInfo(name, now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_STORED  # most files that people send are compressed already
    with path.open("rb") as source, target.open(entry, "w", force_zip64=True) as out:
        while piece := await asyncio.to_thread(source.read, CHUNK):
            out.write(piece)
            yield sink.take()
