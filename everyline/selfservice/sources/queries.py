"""Reads of customer sources."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy import text as literal

from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.keys import Vault
from everyline.ground.words import _
from everyline.selfservice.sources.declared import Kind, Secrets, Source, fields_of, inputs_of, secrets_of, settings_of
from everyline.selfservice.sources.models import CustomerSource, CustomerSourceHealth

_BY_NAME = literal("""
    select s.*, h.answered_at, h.error, h.error_at, coalesce(h.failures, 0) as failures, h.opened_at, h.trial_at
    from customer_source s left join customer_source_health h on h.source_id = s.id
    where s.name = :name and s.retired_at is null
""")


async def by_name(database: Database, name: str) -> Row | None:
    """A source in use with its health, outside of any transaction; None when there is none of that name."""
    return await database.glance(_BY_NAME, {"name": name})


async def every(tx: Tx) -> list[Row]:
    """All sources in use with their health, by name."""
    health = (
        CustomerSourceHealth.answered_at,
        CustomerSourceHealth.error,
        CustomerSourceHealth.error_at,
        CustomerSourceHealth.failures,
        CustomerSourceHealth.opened_at,
        CustomerSourceHealth.trial_at,
    )
    return await tx.rows(
        select(CustomerSource.__table__, *health)
        .outerjoin(CustomerSourceHealth, CustomerSourceHealth.source_id == CustomerSource.id)
        .where(CustomerSource.retired_at.is_(None))
        .order_by(CustomerSource.name)
    )


async def names(tx: Tx) -> frozenset[str]:
    """What flows can look up."""
    return frozenset(await tx.column(select(CustomerSource.name).where(CustomerSource.retired_at.is_(None))))


async def get(tx: Tx, source_id: int, *, lock: bool = False) -> Row:
    """A source in use. NotFound."""
    chosen = select(CustomerSource.__table__).where(CustomerSource.id == source_id, CustomerSource.retired_at.is_(None))
    row = await tx.first(chosen.with_for_update() if lock else chosen)
    if row is None:
        raise NotFound(_("There is no such source."))
    return row


async def proof(tx: Tx) -> Row | None:
    """The source that serves as proof, if there is one."""
    return await tx.first(
        select(CustomerSource.__table__).where(
            CustomerSource.proof, CustomerSource.enabled, CustomerSource.retired_at.is_(None)
        )
    )


def source_of(row: Row) -> Source:
    """The source of a row."""
    return Source(
        id=row.id,
        revision=row.revision,
        name=row.name,
        settings=settings_of(Kind(row.kind), row.settings),
        inputs=inputs_of(row.inputs),
        fields=fields_of(row.fields),
        seconds=row.seconds,
        keep_seconds=row.keep_seconds,
        most_failures=row.most_failures,
        pause_seconds=row.pause_seconds,
        enabled=row.enabled,
        proof=row.proof,
    )


def secrets_of_row(row: Row, vault: Vault) -> Secrets:
    """Its secrets."""
    return secrets_of(vault.open(row.secrets)) if row.secrets else Secrets()
