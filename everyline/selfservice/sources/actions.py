"""Verbs of customer sources: added, changed, switched, retired; their rows loaded, written, removed; their health noted."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.keys import Vault
from everyline.ground.words import _
from everyline.selfservice.sources import queries, table
from everyline.selfservice.sources.declared import Kind, Secrets, Source, secrets_written, written
from everyline.selfservice.sources.files import Line, Report
from everyline.selfservice.sources.models import CustomerSource, CustomerSourceHealth
from everyline.selfservice.sources.rules import faults


def _refuse_faults(source: Source, secrets: Secrets) -> None:
    if found := faults(source, secrets):
        raise Invalid(_("Something is wrong with this source."), found)


async def _refuse_taken(tx: Tx, source: Source) -> None:
    others = (CustomerSource.retired_at.is_(None), CustomerSource.id != source.id)
    if await tx.value(select(CustomerSource.id).where(CustomerSource.name == source.name, *others)):
        raise Conflict(_("There is a source “%s” already: give this one another name.") % source.name)
    if source.proof and (name := await tx.value(select(CustomerSource.name).where(CustomerSource.proof, *others))):
        raise Conflict(_("“%s” serves as proof already, and one is enough.") % name)


def _values(source: Source, secrets: Secrets, vault: Vault) -> dict[str, Any]:
    return {
        **written(source),
        "secrets": vault.lock(secrets_written(secrets)),
        "seconds": source.seconds,
        "keep_seconds": source.keep_seconds,
        "most_failures": source.most_failures,
        "pause_seconds": source.pause_seconds,
        "enabled": source.enabled,
        "proof": source.proof,
    }


async def add(tx: Tx, vault: Vault, by: int | None, source: Source, secrets: Secrets | None = None) -> int:
    """Add a source; returns its id. Invalid says what is wrong by the names of ``rules.faults``; Conflict when its name is taken,
    or another serves as proof."""
    secrets = secrets or Secrets()
    _refuse_faults(source, secrets)
    await _refuse_taken(tx, replace(source, id=0))
    values = {"name": source.name, "kind": source.kind.value, **_values(source, secrets, vault)}
    source_id: int = await tx.value(insert(CustomerSource).values(**values).returning(CustomerSource.id))
    await events.record(tx, "customer_source.added", actor_id=by, source_id=source_id)
    return source_id


async def change(tx: Tx, vault: Vault, by: int | None, source: Source, secrets: Secrets) -> None:
    """Change a source; ``source.revision`` is the one that was read. Its name and kind stay; what rows are found by, too, as
    long as there are any. Invalid, Conflict."""
    row = await queries.get(tx, source.id, lock=True)
    before = queries.source_of(row)
    if row.revision != source.revision:
        raise Conflict(_("Somebody else has changed this source meanwhile. Look at theirs first."))
    if (source.name, source.kind) != (before.name, before.kind):
        raise Invalid(_("Something is wrong with this source."), {"name": _("Its name and its kind stay.")})
    _refuse_faults(source, secrets)
    await _refuse_taken(tx, source)
    keys = [[(one.slot.name, one.slot.kind) for one in of.inputs] for of in (before, source)]
    if source.kind is Kind.TABLE and keys[0] != keys[1] and await table.how_many(tx, source):
        told = _("Rows are found by these: take all rows away before you change them.")
        raise Invalid(_("Something is wrong with this source."), {"inputs": told})
    values = {**_values(source, secrets, vault), "revision": row.revision + 1}
    await tx.execute(update(CustomerSource).where(CustomerSource.id == source.id).values(**values))
    await events.record(tx, "customer_source.changed", actor_id=by, source_id=source.id)


async def switch(tx: Tx, by: int | None, source_id: int, *, on: bool) -> None:
    """Have it asked, or not."""
    await queries.get(tx, source_id, lock=True)
    await tx.execute(update(CustomerSource).where(CustomerSource.id == source_id).values(enabled=on))
    kind = "customer_source.enabled" if on else "customer_source.disabled"
    await events.record(tx, kind, actor_id=by, source_id=source_id)


async def retire(tx: Tx, by: int | None, source_id: int) -> None:
    """Take it out of use, with its rows and its secrets."""
    source = queries.source_of(await queries.get(tx, source_id, lock=True))
    await table.clear(tx, source)
    await tx.execute(
        update(CustomerSource).where(CustomerSource.id == source_id).values(retired_at=now(), secrets=None)
    )
    await events.record(tx, "customer_source.retired", actor_id=by, source_id=source_id)


# --- rows


async def load(
    tx: Tx, key: bytes, by: int | None, source_id: int, lines: list[Line], report: Report, *, file: str
) -> None:
    """Replace the rows of a table by those of a file (``files.read``). Invalid when not one of them could be read: then those of
    before stay."""
    source = queries.source_of(await queries.get(tx, source_id, lock=True))
    if not lines and report.refused:
        why = _("line %(line)s: %(why)s") % {"line": report.faults[0][0], "why": report.faults[0][1]}
        raise Invalid(_("Not one row could be read. Nothing was changed."), {"file": why})
    await table.replace(tx, key, source, lines)
    kept = {**asdict(report), "file": file[:200], "at": now().isoformat()}
    await tx.execute(update(CustomerSource).where(CustomerSource.id == source_id).values(loaded=kept))
    facts = {"kept": report.kept, "refused": report.refused}
    await events.record(tx, "customer_source.loaded", actor_id=by, source_id=source_id, **facts)


async def add_row(tx: Tx, key: bytes, by: int | None, source: Source, line: Line) -> int:
    """Add a row; returns its id. Conflict."""
    row_id = await table.add(tx, key, source, line)
    await events.record(tx, "customer_source.row_added", actor_id=by, source_id=source.id, row_id=row_id)
    return row_id


async def write_row(tx: Tx, key: bytes, by: int | None, source: Source, row_id: int, line: Line) -> None:
    """Write a row anew. NotFound, Conflict."""
    await table.write(tx, key, source, row_id, line)
    await events.record(tx, "customer_source.row_changed", actor_id=by, source_id=source.id, row_id=row_id)


async def remove_row(tx: Tx, by: int | None, source: Source, row_id: int) -> None:
    """Take a row away. NotFound."""
    await table.remove(tx, source, row_id)
    await events.record(tx, "customer_source.row_removed", actor_id=by, source_id=source.id, row_id=row_id)


async def clear(tx: Tx, by: int | None, source_id: int) -> None:
    """Take all rows away."""
    source = queries.source_of(await queries.get(tx, source_id, lock=True))
    removed = await table.clear(tx, source)
    await tx.execute(update(CustomerSource).where(CustomerSource.id == source_id).values(loaded=None))
    await events.record(tx, "customer_source.cleared", actor_id=by, source_id=source_id, removed=removed)


# --- health


async def _health(tx: Tx, source_id: int) -> Row:
    await tx.execute(upsert(CustomerSourceHealth).values(source_id=source_id).on_conflict_do_nothing())
    return await tx.one(
        select(CustomerSourceHealth.__table__).where(CustomerSourceHealth.source_id == source_id).with_for_update()
    )


async def _note(tx: Tx, source_id: int, **values: Any) -> None:
    await tx.execute(update(CustomerSourceHealth).where(CustomerSourceHealth.source_id == source_id).values(**values))


async def note_answer(tx: Tx, source_id: int) -> None:
    """It answered: the breaker closes. An event only when it was open."""
    row = await _health(tx, source_id)
    await _note(tx, source_id, answered_at=now(), failures=0, opened_at=None, trial_at=None)
    if row.opened_at is not None:
        await events.record(tx, "customer_source.recovered", source_id=source_id)


async def note_failure(tx: Tx, source: Source, reason: str, *, counts: bool) -> None:
    """It did not answer; after the last failure that there may be the breaker opens. An event only when it was closed."""
    row = await _health(tx, source.id)
    values: dict[str, Any] = {"error": reason[:500], "error_at": now()}
    if counts:
        values["failures"] = row.failures + 1
        if row.opened_at is not None:
            values |= {"opened_at": now(), "trial_at": None}
        elif values["failures"] >= source.most_failures:
            values["opened_at"] = now()
            await events.record(tx, "customer_source.failed", source_id=source.id)
    await _note(tx, source.id, **values)


async def take_trial(tx: Tx, source: Source, seen: Any) -> bool:
    """Be the one who tries it again; ``seen`` is when somebody last did, as it was read. False when another is faster."""
    same = CustomerSourceHealth.trial_at.is_not_distinct_from(seen)
    return bool(
        await tx.execute(
            update(CustomerSourceHealth)
            .where(CustomerSourceHealth.source_id == source.id, CustomerSourceHealth.opened_at.is_not(None), same)
            .values(trial_at=now())
        )
    )
