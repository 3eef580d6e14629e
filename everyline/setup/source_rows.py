"""Rows of a table that is a customer source: brought as a file, looked at, written and removed one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound, ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.selfservice.sources import actions, files, mapping, queries, table
from everyline.selfservice.sources.declared import Field, Input, Kind, Source
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/sources/{source_id}/rows")
Writer = Annotated[Me, permit("flow.write")]


async def _table(tx: Tx, source_id: int) -> tuple[Source, Any]:
    row = await queries.get(tx, source_id)
    if row.kind != Kind.TABLE:
        raise NotFound(_("There is no such source."))
    return queries.source_of(row), row


def _columns(source: Source) -> list[Input | Field]:
    return [*source.inputs, *source.fields]


async def _rows(
    request: Request, me: Me, source_id: int, row_id: int | None = None, *, status: int = 200, **more: Any
) -> Response:
    words = request.query_params.get("words", "")[:200]
    after = request.query_params.get("after", "")
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "sources")
        source, kept = await _table(tx, source_id)
        found = await table.page(
            tx, source, words=words, after=int(after) if after.isdecimal() and len(after) < 19 else 0
        )
        how_many = await table.how_many(tx, source)
        row = await table.get(tx, source, row_id) if row_id is not None else None
    context = {
        "source": source,
        "columns": _columns(source),
        "rows": found,
        "row": row,
        "how_many": how_many,
        "words": words,
        "older": found[-1].id if len(found) == table.PAGE else None,
        "loaded": kept.loaded,
        "values": dict(row.cells) if row is not None else {},
        "most_bytes": files.MOST_BYTES,
    }
    return page("setup/source-rows.html", status=status, **filled(around, context, more))


@router.get("")
async def every_row(request: Request, me: Writer, source_id: int) -> Response:
    """The rows, a page of them, and the ways to more."""
    return await _rows(request, me, source_id)


@router.post("/file")
async def load(request: Request, me: Writer, source_id: int) -> Response:
    """Replace all rows by those of a file."""
    fields, ground = await request.form(), ground_of(request)
    given = fields.get("file")
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            raise Invalid(_("Choose a file."), {"file": _("Choose one.")})
        content = await given.read(files.MOST_BYTES + 1)
        async with ground.database.transaction() as tx:
            source, _row = await _table(tx, source_id)
        lines, report = await asyncio.to_thread(files.read, source, content)
        async with ground.database.transaction() as tx:
            await actions.load(tx, ground.key, me.id, source_id, lines, report, file=given.filename)
            facts = {"file": given.filename[:200], "kept": report.kept, "refused": report.refused}
            await audit(
                tx, me.id, "customer_source.loaded", "customer_source", source_id, address=caller(request), **facts
            )
    except NotFound:
        raise
    except ProductError as error:
        return await _rows(request, me, source_id, status=error.status, **wrong(error))
    finally:
        await fields.close()
    return back(f"/setup/sources/{source_id}/rows", "saved")


@router.post("/clear")
async def clear(request: Request, me: Writer, source_id: int) -> Response:
    """Take all rows away."""
    async with ground_of(request).database.transaction() as tx:
        await _table(tx, source_id)
        await actions.clear(tx, me.id, source_id)
        await audit(tx, me.id, "customer_source.cleared", "customer_source", source_id, address=caller(request))
    return back(f"/setup/sources/{source_id}/rows", "removed")


@router.post("")
async def add(request: Request, me: Writer, source_id: int) -> Response:
    """Add a row."""
    return await _keep(request, me, source_id, None)


@router.get("/{row_id}")
async def one(request: Request, me: Writer, source_id: int, row_id: int) -> Response:
    """One row, to be written."""
    return await _rows(request, me, source_id, row_id)


@router.post("/{row_id}")
async def write(request: Request, me: Writer, source_id: int, row_id: int) -> Response:
    """Write a row anew."""
    return await _keep(request, me, source_id, row_id)


async def _keep(request: Request, me: Me, source_id: int, row_id: int | None) -> Response:
    form, ground = await typed(request), ground_of(request)
    async with ground.database.transaction() as tx:
        source, _row = await _table(tx, source_id)
    try:
        line = _line(form, source)
        async with ground.database.transaction() as tx:
            if row_id is None:
                await actions.add_row(tx, ground.key, me.id, source, line)
            else:
                await actions.write_row(tx, ground.key, me.id, source, row_id, line)
    except NotFound:
        raise
    except ProductError as error:
        again = {"values": _values(form, source), **wrong(error)}
        return await _rows(request, me, source_id, row_id, status=error.status, **again)
    return back(f"/setup/sources/{source_id}/rows", "added" if row_id is None else "saved")


def _line(form: Typed, source: Source) -> files.Line:
    """The row that was typed. Invalid says at which of its cells something is wrong."""
    cells = _values(form, source)
    for column in _columns(source):
        name = column.slot.name
        try:
            value = mapping.read(column.slot, cells[name])
        except mapping.Nonsense as error:
            form.errors[f"cell-{name}"] = str(error)
            continue
        if value is None and getattr(column, "needed", True):
            form.errors[f"cell-{name}"] = _("This is needed.")
    form.done()
    return files.line(source, lambda column: cells[column.slot.name])


def _values(form: Typed, source: Source) -> Mapping[str, str]:
    return {one.slot.name: form.text(f"cell-{one.slot.name}", longest=4000) for one in _columns(source)}


@router.post("/{row_id}/remove")
async def remove(request: Request, me: Writer, source_id: int, row_id: int) -> Response:
    """Take a row away."""
    async with ground_of(request).database.transaction() as tx:
        source, _row = await _table(tx, source_id)
        await actions.remove_row(tx, me.id, source, row_id)
    return back(f"/setup/sources/{source_id}/rows", "removed")
