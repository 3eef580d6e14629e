"""Reads of flows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlalchemy import select

from everyline.articles.models import PublishedArticle
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.queues import queries as queues
from everyline.selfservice import errands, flows
from everyline.selfservice.flows import Flow, Subflow
from everyline.selfservice.linting import Known
from everyline.selfservice.models import FlowRow, FlowTrial, FlowVersion
from everyline.selfservice.sources import queries as sources
from everyline.selfservice.trials import Answered, Recorded
from everyline.selfservice.walking import Shelf

RECORDED, ANSWERED = TypeAdapter(Recorded), TypeAdapter(Answered)


async def get(tx: Tx, name: str) -> Row:
    """A flow by its name (id, name, retired_at)."""
    row = await tx.first(
        select(FlowRow.id, FlowRow.name, FlowRow.retired_at, FlowRow.offered).where(FlowRow.name == name)
    )
    if row is None:
        raise NotFound(_("There is no such flow."))
    return row


async def every_flow(tx: Tx) -> Sequence[Row]:
    """All flows in use by their names, each once for every version that is a draft or published (name, state, number, form,
    changed_at)."""
    return await tx.rows(
        select(
            FlowRow.id, FlowRow.name, FlowVersion.state, FlowVersion.number, FlowVersion.form, FlowVersion.changed_at
        )
        .join(FlowVersion, FlowVersion.flow_id == FlowRow.id)
        .where(FlowRow.retired_at.is_(None), FlowVersion.state.in_(("draft", "published")))
        .order_by(FlowRow.name, FlowVersion.number)
    )


async def published_names(tx: Tx) -> list[str]:
    """The names of the flows that can be begun."""
    return [row.name for row in await every_flow(tx) if row.state == "published"]


async def offered(tx: Tx) -> list[tuple[str, Flow]]:
    """The flows that stand among what can be done on the website, by name."""
    rows = await tx.rows(
        select(FlowRow.name, FlowVersion.form)
        .join(FlowVersion, FlowVersion.flow_id == FlowRow.id)
        .where(FlowRow.retired_at.is_(None), FlowRow.offered, FlowVersion.state == "published")
        .order_by(FlowRow.name)
    )
    return [(row.name, flow_of(row.form)) for row in rows]


async def versions(tx: Tx, flow_id: int) -> Sequence[Row]:
    """Its versions, newest first."""
    return await tx.rows(
        select(FlowVersion.__table__).where(FlowVersion.flow_id == flow_id).order_by(FlowVersion.number.desc())
    )


async def trials(tx: Tx, flow_id: int) -> list[tuple[int, Recorded]]:
    """Its test cases by their ids, oldest first."""
    rows = await tx.rows(
        select(FlowTrial.id, FlowTrial.recorded).where(FlowTrial.flow_id == flow_id).order_by(FlowTrial.id)
    )
    return [(row.id, RECORDED.validate_python(row.recorded)) for row in rows]


def flow_of(form: object) -> Flow:
    """The flow of a form that is kept."""
    return flows.read(json.dumps(form))


async def known(tx: Tx) -> Known:
    """What flows can name."""
    rows = await every_flow(tx)
    through = {
        row.name: frozenset(step.flow for step in flow_of(row.form).steps if isinstance(step, Subflow)) for row in rows
    }
    return Known(
        queues=frozenset(row.name for row in await queues.all_queues(tx)),
        flows={name: frozenset(_all_through(name, through)) for name in through},
        sources=await sources.names(tx),
        errands={name: one.required for name, one in errands.known().items()},
        articles=frozenset(await tx.column(select(PublishedArticle.slug))),
    )


def _all_through(name: str, through: dict[str, frozenset[str]]) -> set[str]:
    """All flows that one goes through, also through others."""
    found: set[str] = set()
    waiting = list(through[name])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += through.get(one, ())
    return found


async def shelf(tx: Tx, flow: Flow, number: int) -> Shelf:
    """The flows that are published, and this one as it is given."""
    rows = await every_flow(tx)
    found = {row.name: (row.number, flow_of(row.form)) for row in rows if row.state == "published"}
    found[flow.name] = (number, flow)
    return lambda name, _version: found.get(name)
