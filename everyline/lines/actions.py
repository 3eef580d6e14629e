"""Verbs of lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.channel_contract import LineSettings
from everyline.channel_registry import all_channels, channel
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.keys import Vault
from everyline.ground.words import _
from everyline.lines import queries, rules
from everyline.lines.conditions import Route
from everyline.lines.models import Line, LineCursor, LineHealth
from everyline.lines.models import Route as RouteRow


def read_settings(channel_name: str, given: Mapping[str, Any]) -> LineSettings:
    """The settings that were typed, checked. Invalid says for each field what is wrong."""
    kind = channel(channel_name).settings
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        fields = {
            str(found["loc"][0]) if found["loc"] else "": found["msg"].removeprefix("Value error, ")
            for found in error.errors()
        }
        raise Invalid(_("Some settings of the line are wrong."), fields) from error


def _normal(channel_name: str, address: str) -> str:
    if channel_name not in all_channels():
        known = ", ".join(all_channels())
        raise Invalid(_("There is no channel of that name. There are: %s.") % known, {"channel": known})
    try:
        return channel(channel_name).normal(address)
    except ValueError as error:
        raise Invalid(_("The address of the line is wrong: %s.") % error, {"address": str(error)}) from error


async def _refuse_taken(tx: Tx, channel_name: str, address: str, but: int | None = None) -> None:
    taken = await tx.value(
        select(Line.id).where(
            Line.channel == channel_name, Line.address == address, Line.retired_at.is_(None), Line.id != (but or 0)
        )
    )
    if taken:
        raise Conflict(_("There is a line with this address already."))


async def add(
    tx: Tx,
    vault: Vault,
    by: int | None,
    *,
    channel_name: str,
    address: str,
    name: str = "",
    language: str = "en",
    queue_id: int | None = None,
    hours_id: int | None = None,
    answer_line_id: int | None = None,
    open_now: bool = True,
    settings: Mapping[str, Any],
) -> int:
    """Add a line; returns its id."""
    address = _normal(channel_name, address)
    checked = read_settings(channel_name, settings)
    await _refuse_taken(tx, channel_name, address)
    plain, secret = rules.split(checked)
    line_id: int = await tx.value(
        insert(Line)
        .values(
            channel=channel_name,
            address=address,
            name=name or address,
            language=language,
            queue_id=queue_id,
            hours_id=hours_id,
            answer_line_id=answer_line_id,
            open=open_now,
            settings=plain,
            secrets=vault.lock(secret),
        )
        .returning(Line.id)
    )
    await events.record(tx, "line.added", actor_id=by, line_id=line_id)
    return line_id


async def change(
    tx: Tx,
    vault: Vault,
    by: int | None,
    line_id: int,
    *,
    settings: Mapping[str, Any] | None = None,
    **facts: Any,
) -> None:
    """Change a line's facts (name, language, address, queue_id, hours_id, answer_line_id, per_minute, acknowledges,
    open) and settings."""
    row = await queries.get(tx, line_id)
    values = dict(facts)
    if "address" in values:
        values["address"] = _normal(row.channel, values["address"])
        await _refuse_taken(tx, row.channel, values["address"], line_id)
    if settings is not None:
        before = json.loads(vault.open(row.secrets)) if row.secrets else {}
        kept = rules.keep_unseen(channel(row.channel).settings, settings, before)
        plain, secret = rules.split(read_settings(row.channel, kept))
        values |= {"settings": plain, "secrets": vault.lock(secret)}
    if values:
        await tx.execute(update(Line).where(Line.id == line_id).values(**values))
        await events.record(tx, "line.changed", actor_id=by, line_id=line_id, fields=sorted(values))


async def retire(tx: Tx, by: int | None, line_id: int) -> None:
    """Take a line out of service for good; its history stays, its address can be used anew."""
    await queries.get(tx, line_id)
    await tx.execute(update(Line).where(Line.id == line_id).values(retired_at=now(), open=False))
    await events.record(tx, "line.retired", actor_id=by, line_id=line_id)


async def _recover(tx: Tx, line_id: int) -> None:
    """An event when the wire did not work until now."""
    failing = (LineHealth.line_id == line_id) & LineHealth.failing_since.is_not(None)
    if await tx.first(update(LineHealth).where(failing).values(failing_since=None).returning(LineHealth.line_id)):
        await events.record(tx, "line.recovered", line_id=line_id)


async def note_healthy(tx: Tx, line_id: int) -> None:
    """The wire works; an event only when it did not until now."""
    await _recover(tx, line_id)
    values = {"healthy_at": now(), "failing_since": None}
    await tx.execute(
        upsert(LineHealth)
        .values(line_id=line_id, **values)
        .on_conflict_do_update(index_elements=["line_id"], set_=values)
    )


async def note_failed(tx: Tx, line_id: int, error: str) -> None:
    """The wire does not work; an event only when it worked until now."""
    at = now()
    values = {"error": error[:2000], "error_at": at}
    row = await tx.first(
        upsert(LineHealth)
        .values(line_id=line_id, failing_since=at, **values)
        .on_conflict_do_update(
            index_elements=["line_id"], set_={**values, "failing_since": func.coalesce(LineHealth.failing_since, at)}
        )
        .returning(LineHealth.failing_since)
    )
    if row is not None and row.failing_since == at:
        await events.record(tx, "line.failed", line_id=line_id)


async def move_cursor(tx: Tx, line_id: int, cursor: Mapping[str, Any]) -> None:
    """Remember how far a poller has come."""
    values = {"cursor": dict(cursor), "moved_at": now()}
    await tx.execute(
        upsert(LineCursor)
        .values(line_id=line_id, **values)
        .on_conflict_do_update(index_elements=["line_id"], set_=values)
    )


async def note_sent(tx: Tx, line_id: int) -> None:
    """Something went out: the wire works."""
    await _recover(tx, line_id)
    at = now()
    values = {"sent_at": at, "healthy_at": at, "failing_since": None}
    await tx.execute(
        upsert(LineHealth)
        .values(line_id=line_id, **values)
        .on_conflict_do_update(index_elements=["line_id"], set_=values)
    )


async def note_received(tx: Tx, moments: Mapping[int, Any]) -> None:
    """Something came in on these lines, at these moments."""
    for line_id, at in sorted(moments.items()):
        values = {"received_at": at}  # says nothing of the way out, which may fail all the same
        await tx.execute(
            upsert(LineHealth)
            .values(line_id=line_id, **values)
            .on_conflict_do_update(index_elements=["line_id"], set_=values)
        )


async def keep_route(tx: Tx, by: int | None, line_id: int, route: Route) -> int:
    """Add a route at the end (id 0), or change one; returns its id. NotFound; Invalid when it says nothing or leads nowhere."""
    if not route.name.strip():
        raise Invalid(_("A route needs a name."), {"name": _("Write a name.")})
    leads = route.queue_id or route.flow is not None or route.priority or route.follows_case or route.last_agent
    if not leads:
        raise Invalid(_("A route leads somewhere else than the line does."), {"queue_id": _("Choose where it leads.")})
    if bool(route.when.begins) != bool(route.when.ends):
        raise Invalid(_("Write both times, or none."), {"ends": _("Write both times, or none.")})
    values: dict[str, Any] = {
        "name": " ".join(route.name.split())[:120],
        "conditions": route.when.as_json(),
        "queue_id": route.queue_id,
        "flow": route.flow,
        "priority": route.priority,
        "follows_case": route.follows_case,
        "last_agent": route.last_agent,
    }
    if route.id:
        wanted = update(RouteRow).where(RouteRow.id == route.id, RouteRow.line_id == line_id)
        found = await tx.value(wanted.values(**values).returning(RouteRow.id))
    else:
        last = select(func.coalesce(func.max(RouteRow.position), 0) + 1).where(RouteRow.line_id == line_id)
        values |= {"line_id": line_id, "position": last.scalar_subquery()}
        found = await tx.value(insert(RouteRow).values(**values).returning(RouteRow.id))
    if found is None:
        raise NotFound(_("There is no such route."))
    await events.record(tx, "line.routes_changed", actor_id=by, line_id=line_id, route_id=found)
    return int(found)


async def move_route(tx: Tx, by: int | None, line_id: int, route_id: int, step: int) -> None:
    """Try a route so many places later (earlier, when below 0)."""
    ids = await tx.column(
        select(RouteRow.id)
        .where(RouteRow.line_id == line_id)
        .order_by(RouteRow.position, RouteRow.id)
        .with_for_update()
    )
    if route_id not in ids:
        raise NotFound(_("There is no such route."))
    at = ids.index(route_id)
    ids.insert(min(max(at + step, 0), len(ids) - 1), ids.pop(at))
    await tx.many(
        update(RouteRow).where(RouteRow.id == bindparam("which")).values(position=bindparam("place")),
        [{"which": one, "place": place} for place, one in enumerate(ids, 1)],
    )
    await events.record(tx, "line.routes_changed", actor_id=by, line_id=line_id, route_id=route_id)


async def drop_route(tx: Tx, by: int | None, line_id: int, route_id: int) -> None:
    """Try a route no more."""
    gone = delete(RouteRow).where(RouteRow.id == route_id, RouteRow.line_id == line_id)
    if await tx.value(gone.returning(RouteRow.id)) is None:
        raise NotFound(_("There is no such route."))
    await events.record(tx, "line.routes_changed", actor_id=by, line_id=line_id, route_id=route_id)
