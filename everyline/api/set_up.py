"""The arrangement of work: queues and what they ask for, skills, capacity, and the emergency switch of hours."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from everyline.api.once import OnceRoute
from everyline.api.set_up_shapes import (
    AgentIds,
    CapacityShape,
    ClosureAsked,
    ExpressionAsked,
    FitShape,
    HoursShape,
    LevelsShape,
    NeededShape,
    QueueAsked,
    QueueChange,
    QueueWhole,
    SkillAsked,
    SkillChange,
    SkillShape,
    StepShape,
    TelephoneShape,
    UnmetShape,
)
from everyline.api.shapes import Made
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.measure.rules import FORMULAS
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import abilities, asks, openings, queries, set_up
from everyline.queues.expressions import write
from everyline.queues.rules import Condition, Step

router = APIRouter(route_class=OnceRoute)
Writer = Annotated[Me, permit("queue.write")]
Reader = Annotated[Me, permit("queue.read")]
Keeper = Annotated[Me, permit("agent.write")]


# --- queues ----------------------------------------------------------------------------------------------------------


async def _facts(tx: Tx, asked: QueueChange) -> dict[str, Any]:
    """What is named, with its expressions read."""
    facts = asked.model_dump(exclude_unset=True)
    wrong = {
        name: _("This is needed.")
        for name, value in facts.items()
        if value is None and name not in ("hours_id", "overflow_queue_id")
    }
    if facts.get("formula", "SL-off-s") not in FORMULAS:
        wrong["formula"] = _("Choose one of the list.")
    if wrong:
        raise Invalid(_("Please look at this again."), wrong)
    if asked.wants is not None:
        facts |= {"wants": await asks.read(tx, asked.wants), "needs": {}}
    if asked.steps is not None:
        facts["steps"] = [
            Step(
                step.after,
                Condition(step.condition) if step.condition else None,
                step.value,
                await asks.read(tx, step.wants, f"steps.{number}.wants"),
                step.language,
            )
            for number, step in enumerate(asked.steps)
        ]
    return facts


async def _whole(tx: Tx, row: Row) -> QueueWhole:
    names = await asks.skill_names(tx)
    n, oldest = (await queries.summary(tx)).get(row.id, (0, None))
    steps = [
        StepShape(
            after=step.after,
            condition=step.condition.value if step.condition else None,
            value=step.value,
            wants=write(step.wants, names),
            language=step.language,
        )
        for step in map(Step.read, row.steps)
    ]
    kept = row._asdict() | {"wants": write(asks.asked_by(row), names), "steps": steps}
    return QueueWhole.model_validate({**kept, "waiting": n, "oldest": oldest})


async def _seen(tx: Tx, me: Me, queue_id: int) -> Row:
    if not me.sees_queue(queue_id):
        raise NotFound(_("There is no such queue."))
    return await queries.get(tx, queue_id)


@router.get("/queues/{queue_id}", tags=["queues"])
async def queue(request: Request, queue_id: int, me: Reader) -> QueueWhole:
    """One queue, with all that it says about its entries."""
    async with ground_of(request).database.transaction() as tx:
        return await _whole(tx, await _seen(tx, me, queue_id))


@router.post("/queues", tags=["queues"], status_code=201)
async def create_queue(request: Request, asked: QueueAsked, me: Writer) -> Made:
    """Make a queue."""
    async with ground_of(request).database.transaction() as tx:
        queue_id = await set_up.create_queue(tx, me.id, **await _facts(tx, asked))
        await audit(tx, me.id, "queue.created", "queue", queue_id, address=me.address, name=asked.name)
    return Made(id=queue_id)


@router.patch("/queues/{queue_id}", tags=["queues"])
async def change_queue(request: Request, queue_id: int, asked: QueueChange, me: Writer) -> QueueWhole:
    """Change a queue; what is not named stays. What it asks for counts for what waits already."""
    async with ground_of(request).database.transaction() as tx:
        facts = await _facts(tx, asked)
        await set_up.change_queue(tx, me.id, queue_id, **facts)
        await audit(tx, me.id, "queue.changed", "queue", queue_id, address=me.address, fields=sorted(facts))
        return await _whole(tx, await queries.get(tx, queue_id))


@router.delete("/queues/{queue_id}", tags=["queues"], status_code=204)
async def retire_queue(request: Request, queue_id: int, me: Writer) -> None:
    """Take a queue out of use; its history stays."""
    async with ground_of(request).database.transaction() as tx:
        await set_up.retire_queue(tx, me.id, queue_id)
        await audit(tx, me.id, "queue.retired", "queue", queue_id, address=me.address)


@router.get("/queues/{queue_id}/members", tags=["queues"])
async def members(request: Request, queue_id: int, me: Reader) -> AgentIds:
    """Who takes from a queue."""
    async with ground_of(request).database.transaction() as tx:
        await _seen(tx, me, queue_id)
        return AgentIds(agent_ids=sorted((await queries.members(tx)).get(queue_id, set())))


@router.put("/queues/{queue_id}/members", tags=["queues"], status_code=204)
async def set_members(request: Request, queue_id: int, asked: AgentIds, me: Writer) -> None:
    """Say who takes from a queue."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, queue_id)
        await set_up.set_members(tx, me.id, queue_id, asked.agent_ids)
        await audit(tx, me.id, "queue.changed", "queue", queue_id, address=me.address, members=len(asked.agent_ids))


@router.post("/queues/{queue_id}/fits", tags=["queues"])
async def fits(request: Request, queue_id: int, asked: ExpressionAsked, me: Reader) -> FitShape:
    """How many who take from a queue fit an expression, and the nearest that somebody fits. Nothing is written."""
    async with ground_of(request).database.transaction() as tx:
        await _seen(tx, me, queue_id)
        tree = await asks.read(tx, asked.expression, "expression")
        able = (await asks.abilities(tx, [queue_id])).get(queue_id, ())
        return FitShape.model_validate(asks.fit(tree, able, await asks.skill_names(tx)))


@router.get("/entries/unmet", tags=["queues"])
async def unmet(request: Request, me: Reader) -> list[UnmetShape]:
    """What waits and can be taken by nobody, however long it waits; who has waited longest first."""
    async with ground_of(request).database.transaction() as tx:
        found = await queries.unmet(tx, None if me.all_queues else me.queue_ids)
    return [UnmetShape.model_validate(one) for one in found]


# --- skills and capacity ---------------------------------------------------------------------------------------------


@router.get("/skills", tags=["agents"])
async def skills(request: Request, _me: Reader) -> list[SkillShape]:
    """Every skill; a language is one."""
    async with ground_of(request).database.transaction() as tx:
        return [SkillShape.model_validate(row) for row in await queries.all_skills(tx)]


@router.post("/skills", tags=["agents"], status_code=201)
async def add_skill(request: Request, asked: SkillAsked, me: Writer) -> Made:
    """Add a skill."""
    async with ground_of(request).database.transaction() as tx:
        skill_id = await abilities.add_skill(tx, me.id, asked.name, asked.language)
        await audit(tx, me.id, "skill.added", "skill", skill_id, address=me.address, name=asked.name)
    return Made(id=skill_id)


@router.patch("/skills/{skill_id}", tags=["agents"], status_code=204)
async def rename_skill(request: Request, skill_id: int, asked: SkillChange, me: Writer) -> None:
    """Rename a skill; expressions that name it name it so from now on."""
    async with ground_of(request).database.transaction() as tx:
        await abilities.rename_skill(tx, me.id, skill_id, asked.name)
        await audit(tx, me.id, "skill.changed", "skill", skill_id, address=me.address, name=asked.name)


@router.get("/skills/{skill_id}/needed", tags=["agents"])
async def needed(request: Request, skill_id: int, _me: Writer) -> NeededShape:
    """Where a skill is needed: to be read before it is removed."""
    async with ground_of(request).database.transaction() as tx:
        found = await asks.where_needed(tx, skill_id)
    return NeededShape(
        agents=found.agents,
        queues=[queue_id for queue_id, _name in found.queues],
        steps=[(queue_id, number) for queue_id, _name, number in found.steps],
        entries=found.entries,
    )


@router.delete("/skills/{skill_id}", tags=["agents"], status_code=204)
async def remove_skill(request: Request, skill_id: int, me: Writer) -> None:
    """Remove a skill: nobody has it, and nothing asks for it any more."""
    async with ground_of(request).database.transaction() as tx:
        await abilities.remove_skill(tx, me.id, skill_id)
        await audit(tx, me.id, "skill.removed", "skill", skill_id, address=me.address)


@router.get("/agents/{agent_id}/skills", tags=["agents"])
async def skills_of(request: Request, agent_id: int, _me: Keeper) -> LevelsShape:
    """What an agent can."""
    async with ground_of(request).database.transaction() as tx:
        return LevelsShape(levels=await queries.skills_of(tx, agent_id))


@router.put("/agents/{agent_id}/skills", tags=["agents"], status_code=204)
async def set_skills(request: Request, agent_id: int, asked: LevelsShape, me: Keeper) -> None:
    """Say what an agent can, and how well."""
    async with ground_of(request).database.transaction() as tx:
        await abilities.set_skills(tx, me.id, agent_id, asked.levels)
        await audit(tx, me.id, "agent.skills_changed", "agent", agent_id, address=me.address)


@router.get("/agents/{agent_id}/capacity", tags=["agents"])
async def capacity(request: Request, agent_id: int, _me: Keeper) -> CapacityShape:
    """How much an agent has at once, with the rule's where nothing differs from it."""
    async with ground_of(request).database.transaction() as tx:
        most, weights = await abilities.capacity_of(tx, agent_id)
    return CapacityShape(most=most, weights=weights)


@router.put("/agents/{agent_id}/capacity", tags=["agents"], status_code=204)
async def set_capacity(request: Request, agent_id: int, asked: CapacityShape, me: Keeper) -> None:
    """Say how much an agent has at once, by media class and channel."""
    async with ground_of(request).database.transaction() as tx:
        await abilities.set_capacity(tx, me.id, agent_id, asked.most, asked.weights)
        await audit(tx, me.id, "agent.capacity_changed", "agent", agent_id, address=me.address)


@router.get("/agents/{agent_id}/telephone", tags=["agents"])
async def telephone(request: Request, agent_id: int, _me: Keeper) -> TelephoneShape:
    """Where an agent hears calls."""
    async with ground_of(request).database.transaction() as tx:
        return TelephoneShape(telephone=await abilities.telephone_of(tx, agent_id))


@router.put("/agents/{agent_id}/telephone", tags=["agents"], status_code=204)
async def set_telephone(request: Request, agent_id: int, asked: TelephoneShape, me: Keeper) -> None:
    """Say where an agent hears calls."""
    async with ground_of(request).database.transaction() as tx:
        await abilities.hear_at(tx, me.id, agent_id, asked.telephone)
        await audit(tx, me.id, "agent.telephone_changed", "agent", agent_id, address=me.address)


# --- hours -----------------------------------------------------------------------------------------------------------


@router.get("/hours", tags=["queues"])
async def hours(request: Request, _me: Reader) -> list[HoursShape]:
    """All hours, and which of them are closed for an emergency."""
    async with ground_of(request).database.transaction() as tx:
        return [HoursShape.model_validate(row) for row in await queries.all_hours(tx)]


@router.put("/hours/{hours_id}/closure", tags=["queues"], status_code=204)
async def close(request: Request, hours_id: int, asked: ClosureAsked, me: Writer) -> None:
    """Close at once, whatever the week says, until it is opened again."""
    async with ground_of(request).database.transaction() as tx:
        await openings.close_now(tx, me.id, hours_id, asked.message, asked.words)
        await audit(tx, me.id, "hours.closed", "hours", hours_id, address=me.address, message=asked.message)


@router.delete("/hours/{hours_id}/closure", tags=["queues"], status_code=204)
async def open_again(request: Request, hours_id: int, me: Writer) -> None:
    """The emergency is over."""
    async with ground_of(request).database.transaction() as tx:
        await openings.open_again(tx, me.id, hours_id)
        await audit(tx, me.id, "hours.opened", "hours", hours_id, address=me.address)
