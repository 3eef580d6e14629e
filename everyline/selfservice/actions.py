"""Verbs of flows: begun, written, published, taken out of use; trials kept."""

from __future__ import annotations

import json

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.selfservice import flows, queries
from everyline.selfservice.flows import Flow, Unreadable
from everyline.selfservice.linting import lint, publishable
from everyline.selfservice.models import FlowRow, FlowTrial, FlowVersion
from everyline.selfservice.trials import Recorded, failing

MOST_TRIALS = 200  # of one flow


def read(text: str) -> Flow:
    """The flow that was given. Invalid, with the reason at ``form``."""
    try:
        return flows.read(text)
    except Unreadable as error:
        raise Invalid(_("This flow cannot be read."), {"form": str(error)}) from error


async def add(tx: Tx, by: int | None, text: str) -> str:
    """Begin a flow with a draft; returns its name. Conflict when there is one of that name."""
    flow = read(text)
    made = upsert(FlowRow).values(name=flow.name, created_by=by).on_conflict_do_nothing().returning(FlowRow.id)
    flow_id = await tx.value(made)
    if flow_id is None:
        raise Conflict(_("There is a flow “%s” already: give this one another name.") % flow.name)
    await tx.execute(insert(FlowVersion).values(flow_id=flow_id, number=1, form=_form(flow), changed_by=by))
    await events.record(tx, "flow.added", actor_id=by, flow_id=flow_id)
    return flow.name


def _form(flow: Flow) -> object:
    return json.loads(flows.written(flow))


async def write(tx: Tx, by: int | None, name: str, text: str, revision: int) -> int:
    """Write the draft of a flow, or begin one beside what is published; ``revision`` is the draft's as it was read, 0 where there
    was none. Returns its revision now. Conflict when somebody else has written meanwhile: nothing of either is lost."""
    row = await _locked(tx, name)
    flow = read(text)
    if flow.name != name:
        raise Invalid(_("This flow cannot be read."), {"form": _("Its name is “%s” and stays so.") % name})
    newest = (await queries.versions(tx, row.id))[0]
    values = {"form": _form(flow), "changed_by": by, "changed_at": now()}
    if newest.state != "draft":
        if revision:
            raise Conflict(
                _(
                    "This draft was published meanwhile. What you wrote is still here: copy it, and look at what is published."
                )
            )
        await tx.execute(insert(FlowVersion).values(flow_id=row.id, number=newest.number + 1, **values))
        await events.record(tx, "flow.changed", actor_id=by, flow_id=row.id, number=newest.number + 1)
        return 1
    if newest.revision != revision:
        raise Conflict(
            _(
                "Somebody else has changed this draft meanwhile. What you wrote is still here: copy it, and look at theirs."
            )
        )
    await tx.execute(
        update(FlowVersion).where(FlowVersion.id == newest.id).values(revision=FlowVersion.revision + 1, **values)
    )
    await events.record(tx, "flow.changed", actor_id=by, flow_id=row.id, number=newest.number)
    return revision + 1


async def _locked(tx: Tx, name: str) -> Row:
    row = await tx.first(select(FlowRow.__table__).where(FlowRow.name == name).with_for_update())
    if row is None or row.retired_at is not None:
        raise NotFound(_("There is no such flow."))
    return row


async def publish(tx: Tx, by: int | None, name: str) -> int:
    """Make the draft what customers go through from now on; returns its number. Conflict when there is none. Invalid when
    something is wrong with it, or a test case leads elsewhere than it did: both are said at ``form``."""
    row = await _locked(tx, name)
    newest = (await queries.versions(tx, row.id))[0]
    if newest.state != "draft":
        raise Conflict(_("There is no draft to publish."))
    flow = queries.flow_of(newest.form)
    found = lint(flow, await queries.known(tx))
    if not publishable(found):
        raise Invalid(_("Something is wrong with this flow: nothing was published."), {"form": found[0].words})
    shelf = await queries.shelf(tx, flow, newest.number)
    elsewhere = failing(shelf, flow, [recorded for _id, recorded in await queries.trials(tx, row.id)])
    if elsewhere:
        told = _("“%s” leads elsewhere than it did. Look at it, or drop the test case.") % elsewhere[0][0].name
        raise Invalid(_("A test case fails: nothing was published."), {"form": told})
    at = now()
    await tx.execute(
        update(FlowVersion)
        .where(FlowVersion.flow_id == row.id, FlowVersion.state == "published")
        .values(state="former")
    )
    await tx.execute(update(FlowVersion).where(FlowVersion.id == newest.id).values(state="published", published_at=at))
    await events.record_at(tx, at, "flow.published", actor_id=by, flow_id=row.id, number=newest.number)
    return int(newest.number)


async def retire(tx: Tx, by: int | None, name: str) -> None:
    """Nobody begins this flow any more."""
    row = await _locked(tx, name)
    await tx.execute(update(FlowRow).where(FlowRow.id == row.id).values(retired_at=now()))
    await events.record(tx, "flow.retired", actor_id=by, flow_id=row.id)


async def offer(tx: Tx, by: int | None, name: str, *, on: bool) -> None:
    """Put a flow among what can be done on the website, or take it away from there."""
    row = await _locked(tx, name)
    await tx.execute(update(FlowRow).where(FlowRow.id == row.id).values(offered=on))
    await events.record(tx, "flow.offered" if on else "flow.withdrawn", actor_id=by, flow_id=row.id)


async def keep_trial(tx: Tx, by: int | None, name: str, recorded: Recorded) -> int:
    """Keep a trial as a test case; returns its id."""
    row = await _locked(tx, name)
    if not recorded.name.strip():
        raise Invalid(_("Please look at this again."), {"name": _("This is needed.")})
    if len(await queries.trials(tx, row.id)) >= MOST_TRIALS:
        raise Conflict(_("There are %s test cases already: drop some.") % MOST_TRIALS)
    kept = queries.RECORDED.dump_python(recorded, mode="json")
    trial_id: int = await tx.value(
        insert(FlowTrial).values(flow_id=row.id, recorded=kept, created_by=by).returning(FlowTrial.id)
    )
    return trial_id


async def drop_trial(tx: Tx, name: str, trial_id: int) -> None:
    """Forget a test case."""
    row = await _locked(tx, name)
    if not await tx.execute(delete(FlowTrial).where(FlowTrial.id == trial_id, FlowTrial.flow_id == row.id)):
        raise NotFound(_("There is no such test case."))
