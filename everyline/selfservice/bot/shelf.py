"""The flows that may be begun, as they are published."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import select

from everyline.ground.database import Tx
from everyline.selfservice import flows
from everyline.selfservice.flows import Flow
from everyline.selfservice.models import FlowRow, FlowVersion

_MOST = 500  # that a process holds
_read: dict[tuple[int, str], Flow] = {}  # by version, and what is known of when it was written


async def published(tx: Tx, among: Collection[str] | None = None) -> dict[str, Flow]:
    """Those in use by their names; ``among``: of these alone. What a published version says never changes, so it is read once."""
    rows = await tx.rows(
        select(FlowRow.name, FlowVersion.id, FlowVersion.published_at)
        .join(FlowVersion, FlowVersion.flow_id == FlowRow.id)
        .where(FlowRow.retired_at.is_(None), FlowVersion.state == "published")
    )
    wanted = [row for row in rows if among is None or row.name in among]
    missing = [row.id for row in wanted if (row.id, str(row.published_at)) not in _read]
    if missing:
        if len(_read) > _MOST:
            _read.clear()
        forms = await tx.rows(
            select(FlowVersion.id, FlowVersion.published_at, FlowVersion.form).where(FlowVersion.id.in_(missing))
        )
        _read.update({(row.id, str(row.published_at)): flows.read(json.dumps(row.form)) for row in forms})
    return {row.name: _read[row.id, str(row.published_at)] for row in wanted}
