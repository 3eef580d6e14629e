"""Looking up what a customer source knows: within its time, kept for a while, and left alone while it is down.

Nothing is held open in our own database while somebody outside is asked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import select

from everyline.customers.models import ContactPoint
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.ground.settings import SettingsError
from everyline.ground.words import _
from everyline.selfservice.identity import Who
from everyline.selfservice.slots import Value
from everyline.selfservice.sources import actions, mapping, queries, sql, table, web
from everyline.selfservice.sources.answers import (
    Answer,
    Down,
    Found,
    Missing,
    Result,
    Step,
    Tried,
    Trouble,
    masked,
    secret_values,
)
from everyline.selfservice.sources.breaker import Stand, stand
from everyline.selfservice.sources.declared import Http, Secrets, Source, Table
from everyline.selfservice.sources.keeping import Kept
from everyline.selfservice.sources.rules import ADDRESSES

log = logging.getLogger(__name__)
NOTED_AGAIN = timedelta(seconds=30)  # that a source is well need not be written down more often
_KEPT = Kept()
_LEFT: set[asyncio.Task[Any]] = set()  # asked, and not waited for any longer
AT_ONCE = 16  # that one process asks of one source; who waits longer than there is time for is told that it is down
_ROOMS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], asyncio.Semaphore]] = WeakKeyDictionary()
T = TypeVar("T")


async def look_up(ground: Ground, name: str, values: Mapping[str, Value], seconds: float, who: Who) -> Result:
    """What the source of this name knows under these values, at most ``seconds`` later. Whatever the source does, this does not
    raise. Missing too when no record can have such values; Down when it is not asked at all, and why."""
    row = await queries.by_name(ground.database, name)
    if row is None:
        return Down(_("There is no source “%s”.") % name)
    if not row.enabled:
        return Down(_("It is switched off."))
    return (await asked(ground, row, values, seconds, await address_of(ground, who))).result


async def address_of(ground: Ground, who: Who) -> tuple[str, str] | None:
    """The kind and the address of the contact point by which it is shown who they are; None when nothing shows it."""
    if who.customer_id is None or who.point_id is None:
        return None
    statement = select(ContactPoint.kind, ContactPoint.address).where(ContactPoint.id == who.point_id)
    async with ground.database.transaction() as tx:
        found = await tx.first(statement)
    return (found.kind, found.address) if found is not None else None


async def asked(
    ground: Ground,
    row: Row,
    values: Mapping[str, Value],
    seconds: float,
    address: tuple[str, str] | None,
    *,
    kept: bool = True,
    anyway: bool = False,
) -> Tried:
    """Look up in the source of a row (``queries.by_name``). ``kept``: an answer of before will do. ``anyway``: also while it is left
    alone."""
    began = time.monotonic()
    source = queries.source_of(row)
    try:
        given = _given(source, values, address)
    except Trouble as error:
        return Tried(Down(error.reason), error.step)
    except (mapping.Nonsense, web.Unfit) as error:
        return Tried(Missing(), Step.VALUES, str(error))
    key = _KEPT.key(ground.database.url, source, given)
    if kept and (before := _KEPT.get(key)) is not None:
        return Tried(Found(before), Step.FIELDS)
    if not anyway and (refused := await _left_alone(ground, source, row)) is not None:
        return Tried(Down(refused), Step.REACH)
    try:
        secrets = queries.secrets_of_row(row, ground.vault)
    except SettingsError as error:
        return Tried(Down(str(error)), Step.VALUES)
    hidden = (*secrets.all(), *secret_values(given))
    seen = ""
    try:
        answer = await _bounded(_ask(ground, source, secrets, given, seconds), min(seconds, source.seconds))
        seen = answer.seen
        found = _read(source, answer)
    except web.Unfit as error:
        return Tried(Missing(), Step.VALUES, str(error))
    except Trouble as error:
        reason = masked(error.reason, [*hidden, *(one.value for one in given.values() if len(one.value) > 2)])
        log.warning("source %s: %s", source.name, reason)
        await _note(ground, source, row, reason, counts=error.counts)
        return Tried(Down(reason), error.step, error.seen or seen, _since(began), hidden)
    await _note(ground, source, row)
    if isinstance(found, Found) and not isinstance(source.settings, Table):  # what is ours changes under our hands
        _KEPT.put(key, source, found.slots)
    return Tried(found, Step.FIELDS, seen, _since(began), hidden)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _given(source: Source, values: Mapping[str, Value], address: tuple[str, str] | None) -> dict[str, Value]:
    """What it is asked with: each input in the form of its kind. Nonsense when no record can have this; Trouble when whoever
    asks does not say it at all."""
    found: dict[str, Value] = {}
    for one in source.inputs:
        name = one.slot.name
        if one.given == "address":
            if address is None or address[0] != ADDRESSES[one.slot.kind]:
                raise mapping.Nonsense(_("There is no such address on record."))
            found[name] = Value(one.slot.kind, address[1])
            continue
        if name not in values:
            raise Trouble(Step.VALUES, _("It is asked without “%s”.") % name, counts=False)
        read = mapping.read(one.slot, values[name].value)
        if read is None:
            raise mapping.Nonsense(_("“%s” is empty.") % name)
        found[name] = read
    return found


async def _left_alone(ground: Ground, source: Source, row: Row) -> str | None:
    """Why it is not asked now; None when it is."""
    stands = stand(row.opened_at, row.trial_at, source.pause_seconds, now())
    if stands is Stand.HALF_OPEN:
        async with ground.database.transaction() as tx:
            if await actions.take_trial(tx, source, row.trial_at):
                return None
    if stands is Stand.CLOSED:
        return None
    return _("It failed %(n)s times in a row and is left alone for a while: %(why)s") % {
        "n": row.failures,
        "why": row.error,
    }


async def _ask(ground: Ground, source: Source, secrets: Secrets, given: Mapping[str, Value], seconds: float) -> Answer:
    if isinstance(source.settings, Table):
        return await table.find(ground.database, ground.key, source, given)
    rooms = _ROOMS.setdefault(asyncio.get_running_loop(), {})
    async with rooms.setdefault((ground.database.url, source.id), asyncio.Semaphore(AT_ONCE)):
        ask = web.ask if isinstance(source.settings, Http) else sql.ask
        return await ask(source, secrets, given, min(seconds, source.seconds))


def _read(source: Source, answer: Answer) -> Result:
    if answer.cells is None:
        return Missing()
    cells = answer.cells
    try:
        return Found(mapping.values(source.fields, lambda field: cells.get(field.slot.name)))
    except mapping.Nonsense as error:
        raise Trouble(Step.FIELDS, str(error), counts=False) from error


async def _bounded(asking: Coroutine[Any, Any, T], seconds: float) -> T:
    """What comes within the time. Trouble when nothing does; whoever is asked then is not waited for, however slowly they let
    go."""
    task = asyncio.create_task(asking)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _LEFT.add(task)
            task.add_done_callback(_let_go)
    if not task.done():
        raise Trouble(Step.REACH, _("No answer within %s seconds.") % f"{seconds:g}")
    return task.result()


def _let_go(task: asyncio.Task[Any]) -> None:
    _LEFT.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody wonders


async def _note(ground: Ground, source: Source, row: Row, reason: str = "", *, counts: bool = True) -> None:
    if isinstance(source.settings, Table) and not reason:
        return
    well = row.failures == 0 and row.opened_at is None
    if not reason and well and row.answered_at is not None and now() - row.answered_at < NOTED_AGAIN:
        return
    async with ground.database.transaction() as tx:
        if reason:
            await actions.note_failure(tx, source, reason, counts=counts)
        else:
            await actions.note_answer(tx, source.id)
