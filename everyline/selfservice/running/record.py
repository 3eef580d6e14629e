"""What was gone through before people took over, as agents read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from everyline.ground.database import Tx
from everyline.selfservice import flows
from everyline.selfservice.bot import handing as asking
from everyline.selfservice.bot.handing import HandOver
from everyline.selfservice.identity import Level
from everyline.selfservice.queries import flow_of
from everyline.selfservice.running import library, proving, questioning, talking
from everyline.selfservice.running.handing import collected
from everyline.selfservice.running.keeping import STATE, statements
from everyline.selfservice.walking import Frame, State


@dataclass(frozen=True, slots=True)
class GoneThrough:
    """One run: what was asked of the bot in it, what was collected (what it was asked by, value), and the steps in their order.
    Secrets are not shown."""

    id: int
    title: str
    began_at: datetime
    outcome: str
    level: Level
    asked: HandOver
    collected: tuple[tuple[str, str], ...]
    way: tuple[str, ...]


async def gone_through(tx: Tx, case_id: int) -> list[GoneThrough]:
    """The runs that led to a case, newest first."""
    rows = await tx.rows(statements.of_case, {"case_id": case_id})
    states = [STATE.validate_python(row.state) for row in rows]
    known = await _flows(tx, [(row.flow, row.version) for row in rows], states)
    found = []
    for row, state in zip(rows, states, strict=True):
        flow = known.get((row.flow, row.version))
        way = await tx.rows(statements.way_of, {"id": row.id})
        found.append(
            GoneThrough(
                row.id,
                flow.called() if flow is not None else row.flow,
                row.began_at,
                row.outcome,
                Level(row.level),
                await asking.of_talk(tx, talking.talk_of(row.id)),
                _collected(known, state),
                tuple(one.step for one in way),
            )
        )
    return found


async def _flows(
    tx: Tx, begun: Iterable[tuple[str, int]], states: Iterable[State]
) -> Mapping[tuple[str, int], flows.Flow]:
    """The flows that these runs began with and those in which they stand."""
    wanted = {(one.flow, one.version) for state in states for one in _within(state)} | set(begun)
    own = {one: flow for one in wanted if (flow := library.own(one[0])) is not None}
    named = [one for one in wanted if one not in own]
    names = {"names": [name for name, _n in named], "numbers": [number for _n, number in named]}
    rows = await tx.rows(statements.forms, names) if named else []
    return own | {(row.name, row.number): flow_of(row.form) for row in rows}


def _within(state: State) -> list[Frame | State]:
    """The flows that a run stands in, from without to within."""
    return [*state.around, state]


def _collected(known: Mapping[tuple[str, int], flows.Flow], state: State) -> tuple[tuple[str, str], ...]:
    """All that was collected: in the flow that they began with, and in those within it in which they stand."""
    found: dict[tuple[str, str], None] = {}
    for one in _within(state):
        if one.flow in (proving.NAME, questioning.NAME):  # what shows who somebody is says nothing of what they want
            continue
        flow = known.get((one.flow, one.version))
        person = flow.step(flow.person) if flow is not None and flow.person else None
        carry = person.carry if isinstance(person, flows.Queue) else ()
        found |= dict.fromkeys(collected(flow, one.slots, carry))
    return tuple(found)
