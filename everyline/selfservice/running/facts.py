"""What the branches of flows ask of the world, read as far as they do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from everyline.cases.models import Case
from everyline.cases.rules import Status
from everyline.channel_contract import MediaClass, TalkRules
from everyline.channel_registry import all_channels
from everyline.ground.database import Tx
from everyline.queues import attendance
from everyline.queues import queries as queues
from everyline.queues.waiting import expected_wait
from everyline.selfservice.flows import Branch, Flow
from everyline.selfservice.identity import Level, Who

OF_QUEUES = ("open", "staffed", "waiting", "wait_minutes")
_OVER = (Status.RESOLVED, Status.CLOSED)


def asked(flow: Flow) -> tuple[frozenset[str], frozenset[str]]:
    """The queues and the other facts that a flow's branches ask about."""
    names: set[str] = set()
    others: set[str] = set()
    for step in flow.steps:
        if isinstance(step, Branch):
            about = {one.about for way in step.ways for one in way.when}
            others |= about
            if about & set(OF_QUEUES):
                names.add(step.queue or flow.queue)
    return frozenset(names), frozenset(others)


async def of_queues(tx: Tx, names: Iterable[str]) -> dict[str, Any]:
    """``QUEUE/open`` and so on; those of the empty name are the usual queue's."""
    found: dict[str, Any] = {}
    for name in names:
        queue_id = await queue_named(tx, name)
        if queue_id is None:
            continue
        there = await attendance.of(tx, None, queue_id, TalkRules())
        expected = await expected_wait(tx, queue_id) if there.attended else None
        values: dict[str, Any] = {"open": there.open, "staffed": there.agents > 0, "waiting": there.waiting}
        if expected is not None:
            values["wait_minutes"] = round(expected.seconds / 60, 1)
        found |= {f"{name}/{fact}": value for fact, value in values.items()}
        if not name:
            found |= values
    return found


async def queue_named(tx: Tx, name: str) -> int | None:
    """The queue of a name, else the usual one."""
    row = next((one for one in await queues.all_queues(tx) if one.name == name), None) if name else None
    return row.id if row is not None else await queues.default_queue(tx)


async def of_customer(tx: Tx, who: Who, others: frozenset[str]) -> dict[str, Any]:
    """What is known of who it is."""
    found: dict[str, Any] = {"level": int(who.level), "known": who.shows(Level.ADDRESS), "live": is_live(who.channel)}
    if "open_cases" in others:
        found["open_cases"] = await _open_cases(tx, who) if who.shows(Level.PROVED) else 0
    return found


async def _open_cases(tx: Tx, who: Who) -> int:
    query = select(func.count()).select_from(Case).where(Case.customer_id == who.customer_id, Case.status.not_in(_OVER))
    return int(await tx.value(query))


def is_live(channel: str) -> bool:
    """Does somebody on this channel answer within minutes? Who is on a page does."""
    found = all_channels().get(channel)
    return found is None or found.facts.media_class is not MediaClass.MAIL
