"""Rows of our own: found by the digest of their key, replaced by a file as a whole, or written one by one."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Text, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.words import _
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.sources.answers import Answer
from everyline.selfservice.sources.declared import Source
from everyline.selfservice.sources.files import Line
from everyline.selfservice.sources.models import CustomerSourceRow

AT_ONCE = 5000  # rows of one statement
PAGE = 50
_FIND = text("select cells from customer_source_row where source_id = :source_id and digest = :digest")
_ADD = text("""
    insert into customer_source_row (source_id, digest, cells)
    select :source_id, digest, cells::jsonb
    from unnest(cast(:digests as bytea[]), cast(:cells as text[])) as given (digest, cells)
""")


def digest(key: bytes, source: Source, values: Mapping[str, Value]) -> bytes:
    """What a row is found under: HMAC-SHA256 of its key's values under the installation's key, so that a secret among them can
    be compared and not read."""
    said = [source.id, *(values[one.slot.name].value for one in source.inputs)]
    return hmac.digest(key, b"everyline customer source" + json.dumps(said).encode(), "sha256")


def cells(line: Line) -> dict[str, str]:
    """What is kept of a row: all but secrets."""
    return {name: one.value for name, one in {**line.inputs, **line.fields}.items() if one.kind is not Kind.SECRET}


async def find(database: Database, key: bytes, source: Source, values: Mapping[str, Value]) -> Answer:
    """The row of a key."""
    row = await database.glance(_FIND, {"source_id": source.id, "digest": digest(key, source, values)})
    if row is None:
        return Answer(None)
    return Answer(
        {one.slot.name: row.cells.get(one.slot.name) for one in source.fields},
        json.dumps(row.cells, ensure_ascii=False),
    )


async def replace(tx: Tx, key: bytes, source: Source, lines: Sequence[Line]) -> None:
    """These rows and no others. Whoever looks meanwhile finds those of before."""
    await clear(tx, source)
    for at in range(0, len(lines), AT_ONCE):
        some = lines[at : at + AT_ONCE]
        await tx.execute(
            _ADD,
            {
                "source_id": source.id,
                "digests": [digest(key, source, one.inputs) for one in some],
                "cells": [json.dumps(cells(one)) for one in some],
            },
        )


async def clear(tx: Tx, source: Source) -> int:
    """No rows; returns how many there were."""
    return await tx.execute(delete(CustomerSourceRow).where(CustomerSourceRow.source_id == source.id))


async def add(tx: Tx, key: bytes, source: Source, line: Line) -> int:
    """One more row; returns its id. Conflict when there is one with its key."""
    made = (
        upsert(CustomerSourceRow)
        .values(source_id=source.id, digest=digest(key, source, line.inputs), cells=cells(line))
        .on_conflict_do_nothing()
        .returning(CustomerSourceRow.id)
    )
    row_id = await tx.value(made)
    if row_id is None:
        raise Conflict(_("There is a row with this key already."))
    return int(row_id)


async def write(tx: Tx, key: bytes, source: Source, row_id: int, line: Line) -> None:
    """Write a row anew. NotFound, Conflict."""
    await get(tx, source, row_id)
    digest_ = digest(key, source, line.inputs)
    taken = await tx.value(
        select(CustomerSourceRow.id).where(
            CustomerSourceRow.source_id == source.id,
            CustomerSourceRow.digest == digest_,
            CustomerSourceRow.id != row_id,
        )
    )
    if taken:
        raise Conflict(_("There is a row with this key already."))
    await tx.execute(
        update(CustomerSourceRow).where(CustomerSourceRow.id == row_id).values(digest=digest_, cells=cells(line))
    )


async def remove(tx: Tx, source: Source, row_id: int) -> None:
    """Take a row away. NotFound."""
    await get(tx, source, row_id)
    await tx.execute(delete(CustomerSourceRow).where(CustomerSourceRow.id == row_id))


async def get(tx: Tx, source: Source, row_id: int) -> Row:
    """One row (id, cells)."""
    row = await tx.first(
        select(CustomerSourceRow.id, CustomerSourceRow.cells).where(
            CustomerSourceRow.id == row_id, CustomerSourceRow.source_id == source.id
        )
    )
    if row is None:
        raise NotFound(_("There is no such row."))
    return row


async def page(tx: Tx, source: Source, *, words: str = "", after: int = 0) -> list[Row]:
    """Up to ``PAGE`` rows after one, those that have these words in a cell (id, cells)."""
    chosen = [CustomerSourceRow.source_id == source.id, CustomerSourceRow.id > after]
    if words:
        pattern = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        chosen.append(cast(CustomerSourceRow.cells, Text).ilike(pattern))
    return await tx.rows(
        select(CustomerSourceRow.id, CustomerSourceRow.cells).where(*chosen).order_by(CustomerSourceRow.id).limit(PAGE)
    )


async def how_many(tx: Tx, source: Source) -> int:
    """How many rows there are."""
    return int(
        await tx.value(
            select(func.count()).select_from(CustomerSourceRow).where(CustomerSourceRow.source_id == source.id)
        )
    )
