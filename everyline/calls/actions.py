"""The verbs of calls: what agents want of them, what the process that moves sound tells of them, and what becomes of those whose
process is gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from everyline.call_contract import CallNow, CallState, Deed, Direction, LegKind, LegNow, LegState
from everyline.calls import callbacks, rules, wanted
from everyline.calls.models import CallOrder, SoundNode
from everyline.calls.queries import of_interaction, statements
from everyline.calls.queries import reach as reach_of
from everyline.cases import queries as case_queries
from everyline.dispatch import talks
from everyline.ground import events
from everyline.ground.addresses import NUMBER, normal
from everyline.ground.bus import Bus
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _, mark
from everyline.people.rules import Me
from everyline.queues import actions as queues
from everyline.queues import work

BROWSER, ECHO, AWAY = "browser", "echo", "away"  # deeds of browsers, not of calls
WORD = "call order"  # what the bus says when something is wanted
ORDER_SECONDS = 10.0  # what nobody took within this time is not done any more
GONE_SECONDS = 15.0  # a process that was silent for so long is gone
KEPT_FOR = timedelta(days=1)


async def order(tx: Tx, me: Me, interaction_id: int, deed: Deed, **values: Any) -> int:
    """An agent who takes part or has the case in hand, or a supervisor, wants something of a call; returns the order's id, to be told
    to the bus by ``call_for`` after the commit. NotFound; Conflict when the call is over or not theirs; Invalid."""
    row = await of_interaction(tx, interaction_id)
    if row is None or not (me.sees_queue(row.queue_id) or row.owner_id == me.id or rules.takes_part(row.legs, me.id)):
        raise NotFound(_("There is no such call."))
    if deed is Deed.TRACE:  # of whoever sets up telephones, by ``ask_trace``
        raise NotFound(_("There is no such call."))
    wrong = rules.makes_sense(deed, row.state, values)
    if wrong == "call":
        raise Conflict(_("This call has ended."))
    if wrong:
        raise Invalid(_("Something is missing."), {wrong: _("Say whom or what.")})
    if deed in rules.OVERSEES:
        if not me.may("entry.direct"):
            raise NotFound(_("There is no such call."))
        await events.record(
            tx,
            "call.overseen",
            actor_id=me.id,
            agent_id=row.owner_id,
            case_id=row.case_id,
            interaction_id=interaction_id,
            queue_id=row.queue_id,
            deed=str(deed),
        )
    elif not (row.owner_id == me.id or rules.takes_part(row.legs, me.id) or me.may("entry.direct")):
        raise Conflict(_("Somebody else has this call in hand."))
    if values.get("number"):
        values["number"] = _callable(str(values["number"]))
    if deed in rules.CALLS_SOMEBODY and values.get("with"):
        await wanted.ask(tx, int(values["with"]))
    return await _want(tx, me.id, deed, row.node, row.key, values)


def _callable(number: str) -> str:
    if number.startswith(("sip:", "sips:")):
        return number
    try:
        return normal(NUMBER, number)
    except ValueError as error:
        raise Invalid(_("This is no phone number."), {"number": str(error)}) from error


async def _want(tx: Tx, agent_id: int, deed: str, node: str, key: str, values: dict[str, Any]) -> int:
    wanted = insert(CallOrder).values(agent_id=agent_id, deed=str(deed), node=node, call_key=key, values=values)
    order_id: int = await tx.value(wanted.returning(CallOrder.id))
    return order_id


async def ask_trace(tx: Tx, me: Me, call: Row) -> int:
    """What was said on the wires of a call (``queries.by_key``); the order's answer is a ``call_contract.Traced``. Conflict when the
    process that had it is gone, and with it what was said."""
    if not await tx.value(select(SoundNode.name).where(SoundNode.name == call.node)):
        raise Conflict(_("The process that had this call has ended since, and what it kept of the wire went with it."))
    return await _want(tx, me.id, Deed.TRACE, call.node, call.key, {"line": call.line_id})


async def order_on_line(tx: Tx, agent_id: int, deed: Deed, key: str, line_id: int, values: dict[str, Any]) -> int:
    """Something is wanted of a call that no process has yet: of the one that has the agent's browser, else of whichever is there."""
    reach, node = await reach_of(tx, agent_id)
    return await _want(tx, agent_id, deed, "" if reach.number else node, key, {**values, "line": line_id})


async def of_browser(tx: Tx, agent_id: int, deed: str, node: str = "", **values: Any) -> int:
    """Something is wanted of an agent's browser, of which the process that has its sound takes care; any, where none has it."""
    return await _want(tx, agent_id, deed, node, "", values)


def call_for(bus: Bus) -> None:
    """Have what was wanted looked at now."""
    bus.say({"kind": WORD})


async def take(tx: Tx, node: str) -> Sequence[Row]:
    """What is wanted of this process, each once: columns id, call_key, agent_id, deed, values, and the agent's language."""
    return await tx.rows(statements.take_orders, {"node": node, "at": now(), "seconds": ORDER_SECONDS})


async def settle(tx: Tx, order_id: int, *, answer: str = "", refused: str = "") -> None:
    """An order was carried out, with what came of it, or why not."""
    row = await tx.first(statements.order_done, {"id": order_id, "at": now(), "answer": answer, "refused": refused})
    if row is not None and row.asked is not None and refused:
        await wanted.ask_no_more(tx, row.asked)


async def tell(tx: Tx, node: str, line_id: int, call: CallNow) -> None:
    """How a call stands. What changes for those who look is an event; quality alone is none. A customer who is put on hold is so in the
    figures too."""
    before = await tx.first(statements.standing, {"key": call.key})
    if before is not None and before.ended_at is not None:
        return
    interaction_id = await tx.value(statements.tell, {**_columns(call), "node": node, "line_id": line_id})
    changed = bool(await tx.value(statements.tell_legs, _legs(call, now())))
    if call.state is CallState.ENDED:
        await tx.execute(statements.end_legs, {"key": call.key, "at": call.ended_at or now()})
    if changed or call.state is CallState.ENDED:
        await wanted.take_part(tx, call.key)
    if interaction_id is None:
        return
    if call.direction is Direction.OUT:
        await _try_callback(tx, interaction_id, call)
    held = any(leg.kind is LegKind.CUSTOMER and leg.state is LegState.HELD for leg in call.legs)
    if changed and call.state is CallState.UP:
        await (work.hold if held else work.take_up)(tx, interaction_id)
        if any(leg.kind is LegKind.AGENT and leg.state is LegState.IN for leg in call.legs):
            await talks.note_answer(tx, interaction_id, now())
    same = before is not None and (before.state, before.keeping, before.interaction_id) == (
        call.state,
        call.keeping,
        interaction_id,
    )
    if changed or not same:
        await _moved(tx, interaction_id, call)


async def _try_callback(tx: Tx, interaction_id: int, call: CallNow) -> None:
    """Whoever is called may have asked for it. Who hangs up before it is known whether they are a machine was reached."""
    ended = call.state is CallState.ENDED
    if call.answered_at is not None and call.answered_by != "machine":
        if ended or call.answered_by != "listening":
            await callbacks.reached(tx, interaction_id)
    elif ended:
        await callbacks.missed(tx, interaction_id, answered_by=call.answered_by if call.answered_at else "")


def _columns(call: CallNow) -> dict[str, Any]:
    names = (
        "key",
        "number",
        "dialled",
        "trunk",
        "codec",
        "began_at",
        "answered_at",
        "ended_at",
        "ended_by",
        "reason",
        "talk_id",
    )
    found = {name: getattr(call, name) for name in names}
    return {**found, "direction": str(call.direction), "state": str(call.state), "keeping": str(call.keeping)}


def _legs(call: CallNow, at: datetime) -> dict[str, Any]:
    legs: tuple[LegNow, ...] = call.legs
    return {
        "key": call.key,
        "at": at,
        "names": [leg.name for leg in legs],
        "kinds": [str(leg.kind) for leg in legs],
        "states": [str(leg.state) for leg in legs],
        "shown": [leg.shown for leg in legs],
        "agent_ids": [leg.agent_id for leg in legs],
        "numbers": [leg.number for leg in legs],
        "muted": [leg.muted for leg in legs],
        "heard": [str(leg.heard) for leg in legs],
        "qualities": [json.dumps(dict(leg.quality)) for leg in legs],
        "remarks": [leg.remark for leg in legs],
    }


async def _moved(tx: Tx, interaction_id: int, call: CallNow) -> None:
    row = await of_interaction(tx, interaction_id)
    assert row is not None
    agents = sorted({leg["agent_id"] for leg in row.legs if leg["agent_id"] is not None})
    await events.record(
        tx,
        "call.moved",
        agent_id=row.owner_id,
        case_id=row.case_id,
        interaction_id=interaction_id,
        queue_id=row.queue_id,
        line_id=row.line_id,
        key=call.key,
        state=str(call.state),
        keeping=str(call.keeping),
        agents=agents,
    )


async def beat(tx: Tx, node: str, **holds: int) -> None:
    """A process that moves sound is there; ``holds`` counts what it has in memory."""
    await tx.execute(statements.beat, {"node": node, "at": now(), "holds": json.dumps(holds)})


async def nodes(tx: Tx) -> list[str]:
    """The processes that were there lately."""
    return await tx.column(select(SoundNode.name))


async def leave(tx: Tx, node: str) -> None:
    """It ended: what is left of its calls is lost with it."""
    await tx.execute(statements.node_ends, {"node": node})


async def sweep(tx: Tx) -> int:
    """Calls whose process is gone are over: who waited keeps their place if they come back, whoever talked wraps up, and the case says
    what happened. Returns how many there were."""
    at = now()
    rows = await tx.rows(statements.lost_calls, {"since": at - timedelta(seconds=GONE_SECONDS)})
    for row in rows:
        await _lose(tx, row, at)
    for gone in await tx.rows(statements.forget_nodes, {"since": at - timedelta(seconds=GONE_SECONDS)}):
        await events.record(tx, "agent.reach_changed", agent_id=gone.agent_id, ready=False)
    await tx.execute(statements.sweep_orders, {"before": at - KEPT_FOR})
    return len(rows)


async def _lose(tx: Tx, row: Row, at: datetime) -> None:
    reason = mark("The call was cut off: the process that had its sound ended.")
    await tx.execute(statements.lose, {"key": row.key, "at": at, "reason": reason})
    await tx.execute(statements.end_legs, {"key": row.key, "at": at})
    await wanted.take_part(tx, row.key)
    if row.interaction_id is None:
        return
    await case_queries.locked(tx, row.case_id)
    called_back = row.in_vain and await callbacks.missed(tx, row.interaction_id, counts=False)
    if row.goes_on and not called_back:
        await queues.end_talk(tx, None, row.case_id, "gone")
    await events.record(tx, "call.lost", case_id=row.case_id, interaction_id=row.interaction_id, key=row.key)
