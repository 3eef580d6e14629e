"""Verbs about what agents can, and how much of it at once: skills with their levels, capacity, and where they hear calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from everyline.channel_registry import all_channels
from everyline.ground import events
from everyline.ground.addresses import NUMBER, normal
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.queues import queries
from everyline.queues.expressions import Tree, skills_in, without
from everyline.queues.models import AgentSkill, Capacity, Queue, QueueEntry, Reach, Skill
from everyline.queues.rules import DEFAULT_CAPS, DEFAULT_WEIGHTS, FULL

LEVELS = range(1, 6)
SIP_ADDRESS = re.compile(r"sips?:[^\s@<>]{1,64}@[A-Za-z0-9.:\[\]-]{1,255}")
MOST = 100  # interactions at once


async def add_skill(tx: Tx, by: int | None, name: str, language: str | None = None) -> int:
    """Add a skill; with ``language`` (ISO 639-1) it is that language."""
    name = await _name(tx, name)
    if language and await tx.value(select(Skill.id).where(Skill.language == language)) is not None:
        raise Invalid(_("This language is a skill already."), {"language": _("Choose another language.")})
    skill_id: int = await tx.value(insert(Skill).values(name=name, language=language or None).returning(Skill.id))
    await events.record(tx, "skill.added", actor_id=by, skill_id=skill_id)
    return skill_id


async def rename_skill(tx: Tx, by: int | None, skill_id: int, name: str) -> None:
    """Call a skill something else; expressions that name it name it so from now on."""
    name = await _name(tx, name, skill_id)
    if await tx.value(update(Skill).where(Skill.id == skill_id).values(name=name).returning(Skill.id)) is None:
        raise NotFound(_("There is no such skill."))
    await events.record(tx, "skill.changed", actor_id=by, skill_id=skill_id)


async def _name(tx: Tx, name: str, but: int = 0) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    if '"' in name:  # expressions hold names in quotes
        raise Invalid(
            _("A name of a skill cannot hold a quotation mark."), {"name": _("Leave the quotation mark out.")}
        )
    same = select(Skill.id).where(func.lower(Skill.name) == func.lower(name), Skill.id != but)
    if await tx.value(same) is not None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})
    return name


async def remove_skill(tx: Tx, by: int | None, skill_id: int) -> None:
    """Nobody has it and nothing needs it any more: not the queues, not their steps of relaxation, and not what waits."""
    if await tx.value(delete(Skill).where(Skill.id == skill_id).returning(Skill.id)) is None:
        raise NotFound(_("There is no such skill."))
    for forget in (queries.statements.queues_need_no_more, queries.statements.entries_need_no_more):
        await tx.execute(forget, {"skill": str(skill_id)})
    for row in await tx.rows(queries.statements.queues_that_want):
        steps = [{**step, "wants": without(step.get("wants", {}), skill_id)} for step in row.steps]
        values: dict[str, Any] = {"wants": without(row.wants, skill_id), "steps": steps}
        if (row.wants, row.steps) != (values["wants"], steps):
            await tx.execute(update(Queue).where(Queue.id == row.id).values(**values))
            await events.record(tx, "queue.changed", actor_id=by, queue_id=row.id, fields=["steps", "wants"])
    changed: list[tuple[Tree, list[int]]] = []
    for row in await tx.rows(queries.statements.entries_that_want):
        if skill_id in skills_in(row.wants):
            alike = next((ids for wants, ids in changed if wants == row.wants), None)
            if alike is None:
                changed.append((row.wants, [row.id]))
            else:
                alike.append(row.id)
    for wants, ids in changed:
        await tx.execute(update(QueueEntry).where(QueueEntry.id.in_(ids)).values(wants=without(wants, skill_id)))
    await events.record(tx, "skill.removed", actor_id=by, skill_id=skill_id)


async def set_skills(tx: Tx, by: int | None, agent_id: int, levels: Mapping[int, int]) -> None:
    """What an agent can, and how well (1 to 5)."""
    if not all(level in LEVELS for level in levels.values()):
        raise Invalid(_("A level is a number from 1 to 5."), {"skills": _("A level is a number from 1 to 5.")})
    await people.get(tx, agent_id)
    known = select(Skill.id).where(Skill.id.in_(list(levels))).with_for_update(key_share=True, read=True)
    if len(await tx.column(known)) < len(levels):
        raise Invalid(_("There is no such skill."), {"skills": _("Choose one of the list.")})
    query = select(AgentSkill.skill_id, AgentSkill.level).where(AgentSkill.agent_id == agent_id)
    if {row.skill_id: row.level for row in await tx.rows(query)} == dict(levels):
        return
    await tx.execute(delete(AgentSkill).where(AgentSkill.agent_id == agent_id))
    if levels:
        rows = [{"agent_id": agent_id, "skill_id": skill, "level": level} for skill, level in levels.items()]
        await tx.many(insert(AgentSkill), rows)
    await events.record(tx, "agent.skills_changed", actor_id=by, agent_id=agent_id)


async def set_capacity(
    tx: Tx, by: int | None, agent_id: int, most: Mapping[str, int], weights: Mapping[str, int] | None = None
) -> None:
    """How much an agent has at once, where it differs from the rule: at ``most`` so many interactions (0 to 100), and the
    units of 100 that one takes (``weights``, 1 to 100). Both are by media class (``mail``), or of one channel by ``=`` and its
    name. What is not named follows the rule."""
    weights = weights or {}
    media = {f"={name}": str(channel.facts.media_class) for name, channel in all_channels().items()}
    wrong: dict[str, str] = {}
    for name, number in most.items():
        if not 0 <= number <= MOST or (name not in DEFAULT_CAPS and name not in media):
            wrong[f"most-{name}"] = _("Write a number from 0 to 100.")
    for name, units in weights.items():
        if not 1 <= units <= FULL or (name not in DEFAULT_WEIGHTS and name not in media):
            wrong[f"weight-{name}"] = _("Write a number from 1 to 100.")
    if wrong:
        raise Invalid(_("Capacity is a number from 0 to 100."), wrong)
    await people.get(tx, agent_id)
    own_most = {name: number for name, number in most.items() if number != DEFAULT_CAPS.get(name)}
    own_weights = {name: units for name, units in weights.items() if units != DEFAULT_WEIGHTS.get(name)}
    wanted = {
        (media.get(name, name), name.removeprefix("=") if name in media else ""): (
            own_most.get(name),
            own_weights.get(name),
        )
        for name in {*own_most, *own_weights}
    }
    query = select(Capacity.__table__).where(Capacity.agent_id == agent_id)
    if {(row.media_class, row.channel): (row.most, row.weight) for row in await tx.rows(query)} == wanted:
        return
    await tx.execute(delete(Capacity).where(Capacity.agent_id == agent_id))
    if wanted:
        await tx.many(
            insert(Capacity),
            [
                {"agent_id": agent_id, "media_class": kind, "channel": channel, "most": number, "weight": units}
                for (kind, channel), (number, units) in wanted.items()
            ],
        )
    await events.record(tx, "agent.capacity_changed", actor_id=by, agent_id=agent_id)


async def capacity_of(tx: Tx, agent_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """What an agent has at once at most, and what one takes, as ``set_capacity`` takes them; with the rule's where nothing
    differs from it."""
    most, weights = dict(DEFAULT_CAPS), dict(DEFAULT_WEIGHTS)
    for row in await tx.rows(select(Capacity.__table__).where(Capacity.agent_id == agent_id)):
        name = f"={row.channel}" if row.channel else row.media_class
        if row.most is not None:
            most[name] = row.most
        if row.weight is not None:
            weights[name] = row.weight
    return most, weights


async def hears(tx: Tx, agent_id: int, node: str, *, ready: bool) -> None:
    """An agent's browser hears calls now, by the process of this name, or no longer."""
    await tx.execute(queries.statements.hears, {"agent_id": agent_id, "node": node, "ready": ready})
    await events.record(tx, "agent.reach_changed", agent_id=agent_id, ready=ready)


async def hear_at(tx: Tx, by: int | None, agent_id: int, telephone: str) -> None:
    """The telephone on which an agent hears calls: a number, or a ``sip:`` address of a telephone in the house; empty: the browser.
    Invalid when it is neither."""
    number = telephone.strip()
    if number and not SIP_ADDRESS.fullmatch(number):
        try:
            number = normal(NUMBER, number)
        except ValueError as error:
            raise Invalid(_("This is no phone number."), {"telephone": str(error)}) from error
    if await telephone_of(tx, agent_id) == number:
        return
    await tx.execute(queries.statements.hears_at, {"agent_id": agent_id, "number": number})
    await events.record(tx, "agent.reach_changed", actor_id=by, agent_id=agent_id, ready=bool(number))


async def telephone_of(tx: Tx, agent_id: int) -> str:
    """The telephone on which an agent hears calls, as ``hear_at`` takes it."""
    await people.get(tx, agent_id)
    return await tx.value(select(Reach.number).where(Reach.agent_id == agent_id)) or ""
