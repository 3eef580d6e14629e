"""Moving runs: many at once, in some six statements whatever their number."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.keys import Vault
from everyline.selfservice import flows
from everyline.selfservice.flows import Flow
from everyline.selfservice.identity import Who
from everyline.selfservice.running import facts as known
from everyline.selfservice.running.keeping import Run, Whole, as_json, run_of, statements, told_of, written
from everyline.selfservice.running.library import Library, published
from everyline.selfservice.walking import (
    ENDED_AT_PERSON,
    Began,
    Came,
    Failed,
    Given,
    Looked,
    Said,
    Shelf,
    State,
    Turn,
    Within,
    begin,
    walk,
)

WAITS_FOR = timedelta(hours=24)  # who says nothing for so long has left
# An indexed moment that stays the same over most turns spares writing a row into every index again.
WAITS_TO_THE = timedelta(minutes=10)
HELD_FOR = timedelta(seconds=60)  # what is done outside is over by then, or whoever did it is gone
OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Begins:
    """A run that is to begin."""

    flow: str
    who: Who
    slots: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    holder: bytes | None = None
    interaction_id: int | None = None
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Something given to a run. ``turn``: the one that it answers; an answer to another one is none. ``who``: what the channel
    knows now of who it is."""

    run_id: int
    given: Given
    turn: int | None = None
    who: Who | None = None
    holds: bool = False  # what is to be done outside next is done by whoever moves it
    openly: bool = False  # others can read it: no secret is taken
    secretly: bool = False  # nobody can read it: nothing but a secret is taken


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a run stands after a move, or where it stood, when it did not move."""

    run: Run
    turn: Turn
    moved: bool = True


async def begin_all(
    tx: Tx, vault: Vault, library: Library, beginning: Sequence[Begins], *, holds: bool = False
) -> list[Stands]:
    """Runs begin, each on the version that is published now. NotFound when a flow is not there; nothing has begun then."""
    if not beginning:
        return []
    shelf = await library.open(tx)
    versions = [published(shelf, one.flow) for one in beginning]
    ids = [row.id for row in await tx.rows(statements.next_ids, {"n": len(beginning)})]
    states = [
        begin(flow, version, one.who.language, one.slots)
        for one, (version, flow) in zip(beginning, versions, strict=True)
    ]
    runs = [
        {
            "id": run_id,
            "flow": one.flow,
            "version": version,
            **_of_state(state, vault),
            "facts": dict(one.facts),
            **_of_who(one.who),
            "holder": None if one.holder is None else base64.b64encode(one.holder).decode(),
            "interaction_id": one.interaction_id,
            "case_id": one.case_id,
        }
        for run_id, one, (version, _flow), state in zip(ids, beginning, versions, states, strict=True)
    ]
    await tx.execute(statements.begin, {"runs": as_json(runs), "ends_at": _waits_until(now())})
    return await move_all(tx, vault, library, [Move(run_id, Began(), holds=holds) for run_id in ids])


async def move_all(tx: Tx, vault: Vault, library: Library, moves: Sequence[Move]) -> list[Stands]:
    """Move runs, each once. An answer to a turn that is over, or to a run that waits for something else, moves nothing."""
    if not moves:
        return []
    by_id = {one.run_id: one for one in moves}
    rows = await tx.rows(statements.take, {"ids": list(by_id), "at": now()})
    runs = {row.id: run_of(row, vault) for row in rows}
    shelf = await library.open(tx, [run.state for run in runs.values()])
    queues, others = _asked(shelf, runs.values())
    of_queues = await known.of_queues(tx, queues) if queues else {}
    found: dict[int, Stands] = {}
    for run_id, run in runs.items():
        one = by_id[run_id]
        if one.who is not None:
            run = replace(run, who=_known_now(run.who, one.who))
        facts = {**run.facts, **(await known.of_customer(tx, run.who, others) if others else {}), **of_queues}
        found[run_id] = _moved(shelf, run, one, facts)
    await _keep(tx, vault, [(by_id[run_id], one) for run_id, one in found.items() if one.moved])
    return [found[one.run_id] for one in moves if one.run_id in found]


def _moved(shelf: Shelf, run: Run, one: Move, facts: Mapping[str, Any]) -> Stands:
    today = _today()
    late = one.turn is not None and one.turn != run.turns
    comes = isinstance(one.given, Came | Within | Failed)
    # who is asked again has not answered what is done outside, and what came from outside is no answer
    if run.ended or late or (run.turns > 0 and comes != run.outside):
        return stood(shelf, run)
    if (one.openly or one.secretly) and isinstance(one.given, Said) and one.given.text.strip() != "0":
        before = stood(shelf, run)
        slot = before.turn.asks.slot if before.turn.asks is not None else None
        secret = slot is not None and slot.secret
        if secret if one.openly else not secret:
            return replace(before, moved=one.openly)  # what is asked is told again
    try:
        turn = walk(shelf, run.state, one.given, facts, today)
    except LookupError:  # a version that is not there any more: people go on
        turn = Turn(run.state, ends=ENDED_AT_PERSON)
    moves = turn.reserved is None
    if not moves:
        return Stands(run, turn, moved=False)
    if run.outside and run.told:  # what nobody saw yet is told with what came of it
        turn = replace(turn, told=run.told + turn.told)
    language = turn.state.language
    after = replace(
        run,
        state=turn.state,
        told=turn.told,
        turns=run.turns + 1,
        outside=turn.does is not None,
        held=turn.does is not None and one.holds,
        who=run.who if run.who.language == language else replace(run.who, language=language),
        ended=bool(turn.ends),
        outcome=turn.ends,
    )
    return Stands(after, turn)


def stood(shelf: Shelf, run: Run) -> Stands:
    """Where a run stands, as it was told."""
    if run.ended:
        return Stands(run, Turn(run.state, run.told, ends=run.outcome), moved=False)
    try:
        looked = walk(shelf, run.state, Looked(run.outside), {}, _today())
    except LookupError:
        return Stands(run, Turn(run.state, run.told, ends=ENDED_AT_PERSON), moved=False)
    return Stands(run, replace(looked, told=run.told), moved=False)


def _known_now(before: Who, who: Who) -> Who:
    """Who it is: what the channel shows now, unless more was shown in this run, of the same customer."""
    same = who.customer_id in (None, before.customer_id)
    if same and before.level > who.level:
        return replace(before, channel=who.channel, origins=who.origins)
    return replace(who, language=before.language)


def _asked(shelf: Shelf, runs: Any) -> tuple[frozenset[str], frozenset[str]]:
    """What the flows that these runs stand in, and those within them, ask about."""
    queues: set[str] = set()
    others: set[str] = set()
    seen: set[tuple[str, int]] = set()
    waiting = [(state.flow, state.version) for run in runs for state in (run.state, *run.state.around)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found = shelf(*one)
        if found is None:
            continue
        flow: Flow = found[1]
        names, about = known.asked(flow)
        queues |= names
        others |= about
        waiting += [(step.flow, 0) for step in flow.steps if isinstance(step, flows.Subflow)]
    return frozenset(queues), frozenset(others)


def _of_state(state: State, vault: Vault) -> dict[str, Any]:
    bare, sealed = written(state, vault)
    return {"state": Whole(bare), "sealed": None if sealed is None else base64.b64encode(sealed).decode()}


def _of_who(who: Who) -> dict[str, Any]:
    return {
        "channel": who.channel,
        "customer_id": who.customer_id,
        "point_id": who.point_id,
        "level": int(who.level),
        "origins": list(who.origins),
    }


async def _keep(tx: Tx, vault: Vault, moved: Sequence[tuple[Move, Stands]]) -> None:
    if not moved:
        return
    at = now()
    stands = [one for _move, one in moved]
    runs = []
    for one in stands:
        run = one.run
        runs.append(
            {
                "id": run.id,
                **_of_state(run.state, vault),
                "told": Whole(told_of(run.told)),
                "turns": run.turns,
                "waits": OUTSIDE if run.outside else "",
                "held": (at + HELD_FOR).isoformat() if run.held else None,
                **_of_who(run.who),
                "ended": at.isoformat() if run.ended else None,
                "outcome": run.outcome,
            }
        )
    await tx.execute(statements.keep, {"runs": as_json(runs), "at": at, "ends_at": _waits_until(at)})
    passed = [
        (one.run.id, one.run.turns, place, *step, one.run.who.channel)
        for one in stands
        for place, step in enumerate(one.turn.passed[:1000])
    ]
    if passed:
        ids, turns, places, names, versions, steps, channels = map(list, zip(*passed, strict=True))
        await tx.execute(
            statements.passed,
            {
                "at": at,
                "ids": ids,
                "turns": turns,
                "places": places,
                "flows": names,
                "versions": versions,
                "steps": steps,
                "channels": channels,
            },
        )


def _waits_until(at: datetime) -> datetime:
    until = at + WAITS_FOR
    return until + (datetime.min.replace(tzinfo=UTC) - until) % WAITS_TO_THE


def _today() -> date:
    return now().date()
