"""Verbs of those who arrange the work: queues and who takes from them, skills, capacity, hours, wrap-up codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.queues import queries
from everyline.queues.models import (
    AgentSkill,
    Capacity,
    Hours,
    HoursDay,
    Membership,
    Queue,
    QueueEntry,
    Skill,
    WrapUpCode,
)
from everyline.queues.rules import DEFAULT_CAPS, Strategy

LEVELS = range(1, 6)


async def create_queue(tx: Tx, by: int | None, *, name: str, **facts: Any) -> int:
    """Make a queue; returns its id. ``facts`` as in ``change_queue``."""
    values = _queue_facts({"name": name, **facts})
    await _refuse_taken(tx, Queue, values["name"])
    queue_id: int = await tx.value(insert(Queue).values(**values).returning(Queue.id))
    await events.record(tx, "queue.created", actor_id=by, queue_id=queue_id)
    return queue_id


async def change_queue(tx: Tx, by: int | None, queue_id: int, **facts: Any) -> None:
    """Change a queue's name, hue, hours_id, priority, goal_seconds, wrap_up_seconds, strategy, signature, needs
    (skill id to least level), speaks or position. Entries that wait already keep what they need."""
    before = await queries.get(tx, queue_id)
    values = {name: value for name, value in _queue_facts(facts).items() if getattr(before, name) != value}
    if "name" in values:
        await _refuse_taken(tx, Queue, values["name"], queue_id)
    if values:
        await tx.execute(update(Queue).where(Queue.id == queue_id).values(**values))
        await events.record(tx, "queue.changed", actor_id=by, queue_id=queue_id, fields=sorted(values))


def _queue_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(facts)
    if "name" in values:
        values["name"] = _name(values["name"])
    if values.get("strategy", Strategy.LONGEST_IDLE) not in list(Strategy):
        raise Invalid(_("There is no such strategy."), {"strategy": _("Choose one of the list.")})
    if not all(level in LEVELS for level in values.get("needs", {}).values()):
        raise Invalid(_("A level is a number from 1 to 5."), {"needs": _("A level is a number from 1 to 5.")})
    if "needs" in values:
        values["needs"] = {str(skill): level for skill, level in values["needs"].items()}
    return values


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    return name.strip()


async def _refuse_taken(tx: Tx, table: Any, name: str, but: int | None = None) -> None:
    if await tx.value(select(table.id).where(table.name == name, table.id != (but or 0))) is not None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})


async def retire_queue(tx: Tx, by: int | None, queue_id: int) -> None:
    """Take a queue out of use. Its history stays; its name can be used anew. Conflict while something waits in it, or
    when it is the last."""
    row = await queries.get(tx, queue_id)
    waits = select(func.count()).where(QueueEntry.queue_id == queue_id, QueueEntry.state.in_(["waiting", "offered"]))
    if await tx.value(waits):
        raise Conflict(_("Something waits in this queue: transfer it first."))
    if len(await queries.all_queues(tx)) == 1:
        raise Conflict(_("This is the last queue: what comes in must have somewhere to wait."))
    await set_members(tx, by, queue_id, ())
    gone = f"{row.name} ({queue_id})"
    await tx.execute(update(Queue).where(Queue.id == queue_id).values(retired_at=now(), name=gone))
    await events.record(tx, "queue.retired", actor_id=by, queue_id=queue_id)


async def set_members(tx: Tx, by: int | None, queue_id: int, agent_ids: Iterable[int]) -> None:
    """Who takes from a queue."""
    before = set(await tx.column(select(Membership.agent_id).where(Membership.queue_id == queue_id)))
    wanted = set(agent_ids)
    for agent_id in sorted(wanted - before):
        await _join(tx, by, agent_id, queue_id)
    for agent_id in sorted(before - wanted):
        await _leave(tx, by, agent_id, queue_id)


async def set_queues(tx: Tx, by: int | None, agent_id: int, queue_ids: Iterable[int]) -> None:
    """What queues an agent takes from."""
    before = set(await tx.column(select(Membership.queue_id).where(Membership.agent_id == agent_id)))
    wanted = set(queue_ids)
    for queue_id in sorted(wanted - before):
        await _join(tx, by, agent_id, queue_id)
    for queue_id in sorted(before - wanted):
        await _leave(tx, by, agent_id, queue_id)


async def _join(tx: Tx, by: int | None, agent_id: int, queue_id: int) -> None:
    await people.get(tx, agent_id)
    await queries.get(tx, queue_id)
    await tx.execute(upsert(Membership).values(agent_id=agent_id, queue_id=queue_id).on_conflict_do_nothing())
    await events.record(tx, "agent.joined_queue", actor_id=by, agent_id=agent_id, queue_id=queue_id)


async def _leave(tx: Tx, by: int | None, agent_id: int, queue_id: int) -> None:
    await tx.execute(delete(Membership).where(Membership.agent_id == agent_id, Membership.queue_id == queue_id))
    await events.record(tx, "agent.left_queue", actor_id=by, agent_id=agent_id, queue_id=queue_id)


# --- skills and capacity ---------------------------------------------------------------------------------------------


async def add_skill(tx: Tx, by: int | None, name: str, language: str | None = None) -> int:
    """Add a skill; with ``language`` (ISO 639-1) it is that language."""
    name = _name(name)
    await _refuse_taken(tx, Skill, name)
    if language and await tx.value(select(Skill.id).where(Skill.language == language)) is not None:
        raise Invalid(_("This language is a skill already."), {"language": _("Choose another language.")})
    skill_id: int = await tx.value(insert(Skill).values(name=name, language=language or None).returning(Skill.id))
    await events.record(tx, "skill.added", actor_id=by, skill_id=skill_id)
    return skill_id


async def rename_skill(tx: Tx, by: int | None, skill_id: int, name: str) -> None:
    """Call a skill something else."""
    name = _name(name)
    await _refuse_taken(tx, Skill, name, skill_id)
    if await tx.value(update(Skill).where(Skill.id == skill_id).values(name=name).returning(Skill.id)) is None:
        raise NotFound(_("There is no such skill."))
    await events.record(tx, "skill.changed", actor_id=by, skill_id=skill_id)


async def remove_skill(tx: Tx, by: int | None, skill_id: int) -> None:
    """Nobody has it and nothing needs it any more: not the queues, and not what waits in them."""
    if await tx.value(delete(Skill).where(Skill.id == skill_id).returning(Skill.id)) is None:
        raise NotFound(_("There is no such skill."))
    for forget in (queries.statements.queues_need_no_more, queries.statements.entries_need_no_more):
        await tx.execute(forget, {"skill": str(skill_id)})
    await events.record(tx, "skill.removed", actor_id=by, skill_id=skill_id)


async def set_skills(tx: Tx, by: int | None, agent_id: int, levels: Mapping[int, int]) -> None:
    """What an agent can, and how well (1 to 5)."""
    if not all(level in LEVELS for level in levels.values()):
        raise Invalid(_("A level is a number from 1 to 5."), {"skills": _("A level is a number from 1 to 5.")})
    query = select(AgentSkill.skill_id, AgentSkill.level).where(AgentSkill.agent_id == agent_id)
    if {row.skill_id: row.level for row in await tx.rows(query)} == dict(levels):
        return
    await tx.execute(delete(AgentSkill).where(AgentSkill.agent_id == agent_id))
    if levels:
        rows = [{"agent_id": agent_id, "skill_id": skill, "level": level} for skill, level in levels.items()]
        await tx.many(insert(AgentSkill), rows)
    await events.record(tx, "agent.skills_changed", actor_id=by, agent_id=agent_id)


async def set_capacity(tx: Tx, by: int | None, agent_id: int, most: Mapping[str, int]) -> None:
    """How much of each media class an agent has at once, where it differs from the rule."""
    wanted = {name: number for name, number in most.items() if number != DEFAULT_CAPS.get(name)}
    if not all(name in DEFAULT_CAPS and 0 <= number <= 100 for name, number in wanted.items()):
        raise Invalid(_("Capacity is a number from 0 to 100."), {"capacity": _("Write a number from 0 to 100.")})
    query = select(Capacity.media_class, Capacity.most).where(Capacity.agent_id == agent_id)
    if {row.media_class: row.most for row in await tx.rows(query)} == wanted:
        return
    await tx.execute(delete(Capacity).where(Capacity.agent_id == agent_id))
    if wanted:
        rows = [{"agent_id": agent_id, "media_class": name, "most": number} for name, number in wanted.items()]
        await tx.many(insert(Capacity), rows)
    await events.record(tx, "agent.capacity_changed", actor_id=by, agent_id=agent_id)


# --- hours -----------------------------------------------------------------------------------------------------------

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
        values["name"] = _name(values["name"])
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
    await _refuse_taken(tx, Hours, values["name"])
    hours_id: int = await tx.value(insert(Hours).values(**values).returning(Hours.id))
    await events.record(tx, "hours.added", actor_id=by, hours_id=hours_id)
    return hours_id


async def change_hours(tx: Tx, by: int | None, hours_id: int, **facts: Any) -> None:
    """Change name, zone, week or holidays_of."""
    values = _hours_facts(facts)
    if "name" in values:
        await _refuse_taken(tx, Hours, values["name"], hours_id)
    await _update_hours(tx, hours_id, values)
    await events.record(tx, "hours.changed", actor_id=by, hours_id=hours_id, fields=sorted(values))


async def _update_hours(tx: Tx, hours_id: int, values: Mapping[str, Any]) -> None:
    if await tx.value(update(Hours).where(Hours.id == hours_id).values(**values).returning(Hours.id)) is None:
        raise NotFound(_("There are no such hours."))


async def close_now(tx: Tx, by: int | None, hours_id: int, message: str) -> None:
    """Emergency closure: closed from this moment, whatever the week says, until ``open_again``."""
    if not message.strip():
        raise Invalid(_("Say why, for those who write."), {"message": _("Write a sentence.")})
    await _update_hours(tx, hours_id, {"closed_now": message.strip()})
    await events.record(tx, "hours.closed", actor_id=by, hours_id=hours_id)


async def open_again(tx: Tx, by: int | None, hours_id: int) -> None:
    """The emergency is over: the week counts again."""
    await _update_hours(tx, hours_id, {"closed_now": ""})
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


async def remove_hours(tx: Tx, by: int | None, hours_id: int) -> None:
    """Remove hours. Conflict while a queue keeps them; lines that kept them are always open from now on."""
    if (
        await tx.value(select(Queue.id).where(Queue.hours_id == hours_id, Queue.retired_at.is_(None)).limit(1))
        is not None
    ):
        raise Conflict(_("A queue keeps these hours: give it others first."))
    await tx.execute(update(Queue).where(Queue.hours_id == hours_id).values(hours_id=None))
    if await tx.value(delete(Hours).where(Hours.id == hours_id).returning(Hours.id)) is None:
        raise NotFound(_("There are no such hours."))
    await events.record(tx, "hours.removed", actor_id=by, hours_id=hours_id)


# --- wrap-up codes ---------------------------------------------------------------------------------------------------


async def add_wrap_up_code(tx: Tx, by: int | None, name: str, queue_id: int | None = None) -> int:
    """Add an outcome to choose from; without a queue, for all of them."""
    name = _name(name)
    taken = await tx.first(
        select(WrapUpCode.__table__).where(WrapUpCode.name == name, WrapUpCode.queue_id.is_not_distinct_from(queue_id))
    )
    if taken is not None and taken.retired_at is None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})
    if taken is not None:  # back in use, so that the figures of both times are of one code
        await tx.execute(update(WrapUpCode).where(WrapUpCode.id == taken.id).values(retired_at=None))
        code_id = int(taken.id)
    else:
        last = select(func.coalesce(func.max(WrapUpCode.position), 0) + 1).scalar_subquery()
        code_id = await tx.value(
            insert(WrapUpCode).values(name=name, queue_id=queue_id, position=last).returning(WrapUpCode.id)
        )
    await events.record(tx, "wrap_up_code.added", actor_id=by, queue_id=queue_id, wrap_up_code_id=code_id)
    return code_id


async def retire_wrap_up_code(tx: Tx, by: int | None, code_id: int) -> None:
    """Nobody can choose it any more; what was wrapped up with it keeps it."""
    row = await tx.value(
        update(WrapUpCode)
        .where(WrapUpCode.id == code_id, WrapUpCode.retired_at.is_(None))
        .values(retired_at=now())
        .returning(WrapUpCode.id)
    )
    if row is None:
        raise NotFound(_("There is no such wrap-up code."))
    await events.record(tx, "wrap_up_code.retired", actor_id=by, wrap_up_code_id=code_id)
