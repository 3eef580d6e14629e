"""Verbs about hours: the week, holidays, days that differ, and the emergency closure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.channel_registry import all_channels
from everyline.ground import events
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.queues.models import Hours, HoursDay, Queue

Spans = Sequence[Sequence[str]]


def check_spans(spans: Spans) -> list[list[str]]:
    """The open spans of one day in order. ValueError when one is no span, or two overlap."""
    found = sorted([begin, end] for begin, end in spans)
    for begin, end in found:
        time.fromisoformat(begin)
        if end != "24:00":
            time.fromisoformat(end)
        if not begin < end:
            raise ValueError(_("it must begin before it ends"))
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise ValueError(_("two spans overlap"))
    return found


def check_holidays(place: str) -> str:
    """A country whose public holidays are known, or its subdivision (ISO 3166: "US", "US-WA"). ValueError."""
    import holidays as library

    place = place.strip().upper()
    if place:
        country, _dash, subdivision = place.partition("-")
        try:
            library.country_holidays(country, subdiv=subdivision or None)
        except NotImplementedError as error:
            raise ValueError(_("the holidays of this place are not known")) from error
    return place


def _hours_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    values, wrong = dict(facts), {}
    if "name" in values:
        values["name"] = values["name"].strip()
        if not values["name"]:
            raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    if "zone" in values and values["zone"] not in available_timezones():
        wrong["zone"] = _("Choose one of the list.")
    if "holidays_of" in values:
        try:
            values["holidays_of"] = check_holidays(values["holidays_of"])
        except ValueError as error:
            wrong["holidays_of"] = str(error)
    if "week" in values:
        week = []
        for number, spans in enumerate(values["week"]):
            try:
                week.append(check_spans(spans))
            except ValueError as error:
                wrong[f"day-{number}"] = str(error)
        values["week"] = week
    if wrong:
        raise Invalid(_("Something is not right with these hours."), wrong)
    return values


async def add_hours(
    tx: Tx, by: int | None, *, name: str, zone: str, week: Sequence[Spans], holidays_of: str = ""
) -> int:
    """Add hours; returns their id. ``week`` is seven days, Monday first, each a list of "HH:MM" to "HH:MM"."""
    values = _hours_facts({"name": name, "zone": zone, "week": week, "holidays_of": holidays_of})
    await _refuse_taken(tx, values["name"])
    hours_id: int = await tx.value(insert(Hours).values(**values).returning(Hours.id))
    await events.record(tx, "hours.added", actor_id=by, hours_id=hours_id)
    return hours_id


async def change_hours(tx: Tx, by: int | None, hours_id: int, **facts: Any) -> None:
    """Change name, zone, week or holidays_of."""
    values = _hours_facts(facts)
    if "name" in values:
        await _refuse_taken(tx, values["name"], hours_id)
    await _update_hours(tx, hours_id, values)
    await events.record(tx, "hours.changed", actor_id=by, hours_id=hours_id, fields=sorted(values))


async def _refuse_taken(tx: Tx, name: str, but: int = 0) -> None:
    if await tx.value(select(Hours.id).where(Hours.name == name, Hours.id != but)) is not None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})


async def _update_hours(tx: Tx, hours_id: int, values: Mapping[str, Any]) -> None:
    if await tx.value(update(Hours).where(Hours.id == hours_id).values(**values).returning(Hours.id)) is None:
        raise NotFound(_("There are no such hours."))


async def close_now(
    tx: Tx, by: int | None, hours_id: int, message: str, words: Mapping[str, str] | None = None
) -> None:
    """Emergency closure: closed from this moment, whatever the week says, until ``open_again``. ``words``: the message on a
    channel where it is another one there, such as what is said in a call."""
    if not message.strip():
        raise Invalid(_("Say why, for those who write."), {"message": _("Write a sentence.")})
    own = {name: text.strip() for name, text in (words or {}).items() if text.strip()}
    unknown = sorted(own.keys() - all_channels().keys())
    if unknown:
        raise Invalid(
            _("There is no such channel."), {f"words-{name}": _("Choose one of the list.") for name in unknown}
        )
    await _update_hours(tx, hours_id, {"closed_now": message.strip(), "closed_words": own})
    await events.record(tx, "hours.closed", actor_id=by, hours_id=hours_id)


async def open_again(tx: Tx, by: int | None, hours_id: int) -> None:
    """The emergency is over: the week counts again."""
    await _update_hours(tx, hours_id, {"closed_now": "", "closed_words": {}})
    await events.record(tx, "hours.opened", actor_id=by, hours_id=hours_id)


async def set_day(tx: Tx, by: int | None, hours_id: int, day: date, name: str = "", times: Spans = ()) -> None:
    """One day differs from its week: open at ``times``, or closed."""
    try:
        spans = check_spans(times)
    except ValueError as error:
        raise Invalid(_("Something is not right with these hours."), {"times": str(error)}) from error
    values = {"name": name.strip(), "times": spans}
    try:
        row = upsert(HoursDay).values(hours_id=hours_id, day=day, **values)
        await tx.execute(row.on_conflict_do_update(index_elements=["hours_id", "day"], set_=values))
    except ForeignKeyViolation as error:
        raise NotFound(_("There are no such hours.")) from error
    await events.record(tx, "hours.changed", actor_id=by, hours_id=hours_id, fields=["days"])


async def drop_day(tx: Tx, by: int | None, hours_id: int, day: date) -> None:
    """The day is like its week again."""
    await tx.execute(delete(HoursDay).where(HoursDay.hours_id == hours_id, HoursDay.day == day))
    await events.record(tx, "hours.changed", actor_id=by, hours_id=hours_id, fields=["days"])


# text, because kinds of appointments belong to a noun above this one
_APPOINTMENTS = text("select id from appointment_kind where hours_id = :hours_id limit 1")


async def remove_hours(tx: Tx, by: int | None, hours_id: int) -> None:
    """Remove hours. Conflict while a queue keeps them, or appointments are made within them; lines that kept them are always
    open from now on."""
    if (
        await tx.value(select(Queue.id).where(Queue.hours_id == hours_id, Queue.retired_at.is_(None)).limit(1))
        is not None
    ):
        raise Conflict(_("A queue keeps these hours: give it others first."))
    if await tx.value(_APPOINTMENTS, {"hours_id": hours_id}) is not None:
        raise Conflict(_("Appointments are made within these hours: give their kind others first."))
    await tx.execute(update(Queue).where(Queue.hours_id == hours_id).values(hours_id=None))
    if await tx.value(delete(Hours).where(Hours.id == hours_id).returning(Hours.id)) is None:
        raise NotFound(_("There are no such hours."))
    await events.record(tx, "hours.removed", actor_id=by, hours_id=hours_id)
