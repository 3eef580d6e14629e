"""Reads of lines."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from everyline import channel_contract as contract
from everyline.channel_registry import channel
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.keys import CaseSigner, Vault
from everyline.ground.words import _
from everyline.lines.conditions import Route, When
from everyline.lines.models import Line, LineHealth
from everyline.lines.models import Route as RouteRow


def as_channel_sees(row: Row, vault: Vault, signer: CaseSigner) -> contract.Line:
    """The line with its settings read and its secrets opened."""
    secrets = json.loads(vault.open(row.secrets)) if row.secrets else {}
    settings = channel(row.channel).settings.model_validate({**row.settings, **secrets})
    return contract.Line(row.id, row.channel, row.address, row.name, row.language, settings, signer)


async def get(tx: Tx, line_id: int) -> Row:
    """One line's row. NotFound when there is none, or it is retired."""
    row = await tx.first(select(Line.__table__).where(Line.id == line_id, Line.retired_at.is_(None)))
    if row is None:
        raise NotFound(_("There is no such line."))
    return row


async def by_ids(tx: Tx, ids: Sequence[int]) -> dict[int, Row]:
    """Lines by id, retired ones too: what came in on them is still theirs."""
    return {row.id: row for row in await tx.rows(select(Line.__table__).where(Line.id.in_(ids)))}


async def open_lines(tx: Tx, channel_name: str) -> Sequence[Row]:
    """The open lines of a channel."""
    return await tx.rows(
        select(Line.__table__)
        .where(Line.channel == channel_name, Line.open, Line.retired_at.is_(None))
        .order_by(Line.id)
    )


async def with_health(tx: Tx) -> Sequence[Row]:
    """Every line with how it is doing."""
    health = LineHealth.__table__
    return await tx.rows(
        select(
            Line.__table__,
            health.c.received_at,
            health.c.sent_at,
            health.c.healthy_at,
            health.c.error,
            health.c.error_at,
            health.c.failing_since,
        )
        .outerjoin(health, health.c.line_id == Line.id)
        .where(Line.retired_at.is_(None))
        .order_by(Line.channel, Line.name)
    )


async def routes(tx: Tx, line_id: int) -> tuple[Route, ...]:
    """The routes of a line, in the order in which they are tried."""
    rows = await tx.rows(
        select(RouteRow.__table__).where(RouteRow.line_id == line_id).order_by(RouteRow.position, RouteRow.id)
    )
    return tuple(
        Route(
            row.id,
            row.name,
            When.read(row.conditions),
            row.queue_id,
            row.flow,
            row.priority,
            row.follows_case,
            row.last_agent,
        )
        for row in rows
    )
