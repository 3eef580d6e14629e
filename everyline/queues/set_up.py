"""Verbs of those who arrange the work: queues, who takes from them, and wrap-up codes.

The verbs about skills and capacity stand in ``abilities``, those about hours in ``openings``, those about teams in ``teams``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.queues import queries
from everyline.queues.abilities import LEVELS
from everyline.queues.expressions import skills_in
from everyline.queues.models import Membership, Queue, QueueEntry, Skill, WrapUpCode
from everyline.queues.rules import Condition, Step, Strategy

LONGEST = 30 * 86_400  # seconds
MOST_STEPS = 10
EARLIER_AGENT = ("off", "members", "any")
BOUNDS: Mapping[str, tuple[int, int]] = {
    "hue": (0, 11),
    "priority": (-5, 5),
    "goal_seconds": (1, 10_000 * 3600),
    "wrap_up_seconds": (0, 7200),
    "rings": (1, 20),
    "preferred_seconds": (0, LONGEST),
    "answer_seconds": (0, LONGEST),
    "answer_share": (1, 100),
    "short_seconds": (0, 3600),
    "most_waiting": (0, 1_000_000),
    "most_wait_seconds": (0, LONGEST),
    "rejoin_seconds": (0, 3600),
}


async def create_queue(tx: Tx, by: int | None, *, name: str, **facts: Any) -> int:
    """Make a queue; returns its id. ``facts`` as in ``change_queue``."""
    values = _queue_facts({"name": name, **facts})
    await _refuse_taken(tx, values["name"])
    await _hold_skills(tx, values)
    await _check_limits(tx, None, values)
    queue_id: int = await tx.value(insert(Queue).values(**values).returning(Queue.id))
    await events.record(tx, "queue.created", actor_id=by, queue_id=queue_id)
    return queue_id


async def change_queue(tx: Tx, by: int | None, queue_id: int, **facts: Any) -> None:
    """Change what a queue says about its entries, by the names of its columns. ``needs`` are skill id to least level, ``wants``
    is a tree of ``expressions``, ``steps`` are ``rules.Step`` in the order in which they are reached, ``formula`` is the id of
    one that the figures know. What a queue asks for counts for entries that wait already. Invalid names each fact that is
    wrong: an overflow that leads back here, a limit that leads nowhere, a step that is never reached."""
    before = await queries.get(tx, queue_id)
    values = {name: value for name, value in _queue_facts(facts).items() if getattr(before, name) != value}
    if "name" in values:
        await _refuse_taken(tx, values["name"], queue_id)
    if values:
        await _hold_skills(tx, values)
        kept = {name: getattr(before, name) for name in ("most_waiting", "most_wait_seconds", "overflow_queue_id")}
        if values.keys() & kept.keys():
            await _check_limits(tx, queue_id, {**kept, **values})
        await tx.execute(update(Queue).where(Queue.id == queue_id).values(**values))
        await events.record(tx, "queue.changed", actor_id=by, queue_id=queue_id, fields=sorted(values))


def _queue_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    values, wrong = dict(facts), {}
    if "name" in values:
        values["name"] = _name(values["name"])
    if values.get("strategy", Strategy.LONGEST_IDLE) not in list(Strategy):
        wrong["strategy"] = _("Choose one of the list.")
    if values.get("earlier_agent", "off") not in EARLIER_AGENT:
        wrong["earlier_agent"] = _("Choose one of the list.")
    if not all(level in LEVELS for level in values.get("needs", {}).values()):
        wrong["needs"] = _("A level is a number from 1 to 5.")
    for name, (least, most) in BOUNDS.items():
        if name in values and not least <= values[name] <= most:
            wrong[name] = _("A number from {least} to {most}.").format(least=least, most=most)
    if values.get("accepts") and values.get("rings", 1) > 1:
        wrong["rings"] = _("What is accepted by itself goes to one agent.")
    if "steps" in values:
        problem = wrong_steps(values["steps"])
        if problem:
            wrong["steps"] = problem
    if wrong:
        raise Invalid(_("Please look at this again."), wrong)
    if "needs" in values:
        values["needs"] = {str(skill): level for skill, level in values["needs"].items()}
    if "steps" in values:
        values["steps"] = [step.kept() for step in values["steps"]]
    return values


def wrong_steps(steps: Sequence[Step]) -> str:
    """What is wrong with steps of relaxation, in words; empty when nothing is."""
    if len(steps) > MOST_STEPS:
        return _("At most %s steps.") % MOST_STEPS
    latest = 0.0
    for number, step in enumerate(steps, 1):
        said = ""
        if step.after is None and step.condition is None:
            said = _("Say when it is reached: after a time, or by a condition.")
        elif step.after is not None and not 0 < step.after <= LONGEST:
            said = _("The time is more than nothing, and at most 30 days.")
        elif step.after is not None and step.after <= latest:
            said = _("It comes no later than the step before: that one would never count.")
        elif step.condition is Condition.SERVICE_LEVEL_UNDER and not 0 < step.value <= 100:
            said = _("A service level is from 1 to 100 per cent.")
        elif step.condition is Condition.READY_UNDER and not 0 < step.value <= 100_000:
            said = _("Say how many agents: at least 1.")
        elif step.condition is Condition.EXPECTED_WAIT_OVER and not 0 < step.value <= LONGEST:
            said = _("Say a time of at least one second.")
        if said:
            return _("Step {number}: {problem}").format(number=number, problem=said)
        latest = step.after if step.after is not None else latest
    return ""


async def _hold_skills(tx: Tx, values: Mapping[str, Any]) -> None:
    """The skills that are asked for exist, and stay until this is written."""
    asked = {
        "needs": {int(skill) for skill in values.get("needs", {})},
        "wants": skills_in(values.get("wants", {})),
        "steps": set().union(*(skills_in(step["wants"]) for step in values.get("steps", ()))),
    }
    ids = set().union(*asked.values())
    if not ids:
        return
    there = set(await tx.column(select(Skill.id).where(Skill.id.in_(ids)).with_for_update(key_share=True, read=True)))
    wrong = {field: _("A skill that this asks for was removed.") for field, skills in asked.items() if skills - there}
    if wrong:
        raise Invalid(_("Please look at this again."), wrong)


async def _check_limits(tx: Tx, queue_id: int | None, values: Mapping[str, Any]) -> None:
    """What is too much goes somewhere, and never back to where it came from."""
    to = values.get("overflow_queue_id")
    limited = bool(values.get("most_waiting") or values.get("most_wait_seconds"))
    if to is None:
        if limited:
            raise Invalid(
                _("Please look at this again."), {"overflow_queue_id": _("Say where what is too much or too old goes.")}
            )
        return
    if not limited:
        said = _("Say when something goes there: how many may wait, or how long.")
        raise Invalid(_("Please look at this again."), {"most_waiting": said})
    # all of them are held, so that two changes at once do not close a circle between them
    rows = await tx.rows(
        select(Queue.id, Queue.name, Queue.overflow_queue_id)
        .where(Queue.retired_at.is_(None))
        .order_by(Queue.id)
        .with_for_update(key_share=True)
    )
    queues = {row.id: row for row in rows}
    if to not in queues:
        raise Invalid(_("There is no such queue."), {"overflow_queue_id": _("Choose one of the list.")})
    way, here = [], to
    while here is not None and here in queues and here not in way:
        way.append(here)
        if here == queue_id:
            names = [queues[queue_id].name, *(queues[one].name for one in way)]
            said = (
                _("A queue cannot overflow into itself.")
                if len(way) == 1
                else _("This goes in a circle: %s.") % " → ".join(names)
            )
            raise Invalid(said, {"overflow_queue_id": said})
        here = queues[here].overflow_queue_id


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    return name.strip()


async def _refuse_taken(tx: Tx, name: str, but: int = 0) -> None:
    if await tx.value(select(Queue.id).where(Queue.name == name, Queue.id != but)) is not None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})


async def retire_queue(tx: Tx, by: int | None, queue_id: int) -> None:
    """Take a queue out of use. Its history stays; its name can be used anew. Conflict while something waits in it, while
    another overflows into it, or when it is the last."""
    row = await queries.get(tx, queue_id)
    waits = select(func.count()).where(QueueEntry.queue_id == queue_id, QueueEntry.state.in_(["waiting", "offered"]))
    if await tx.value(waits):
        raise Conflict(_("Something waits in this queue: transfer it first."))
    if len(await queries.all_queues(tx)) == 1:
        raise Conflict(_("This is the last queue: what comes in must have somewhere to wait."))
    other = await tx.value(
        select(Queue.name).where(Queue.overflow_queue_id == queue_id, Queue.retired_at.is_(None)).limit(1)
    )
    if other is not None:
        raise Conflict(_("The queue %s overflows into this one: change that first.") % other)
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
