"""The doctor: looks at settings, database, disk and lines, and says what to do."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

from sqlalchemy import text

from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.lines.queries import with_health
from everyline.roles import sound_doctor
from everyline.roles.sound_doctor import Finding

LEAST_FREE = 2 * 1024**3  # bytes


async def examine(ground: Ground) -> AsyncIterator[Finding]:
    """Everything, in the order in which it is to be mended."""
    settings = ground.settings
    yield Finding(well=True, what=f"settings are read; data folder {settings.data.absolute()}")
    public = settings.public_url or settings.host in ("127.0.0.1", "::1", "localhost")
    yield Finding(
        bool(public),
        f"people reach the product at {settings.address}",
        "set EVERYLINE_PUBLIC_URL to the address that people type, or links in mails lead nowhere",
    )
    free = shutil.disk_usage(settings.data).free
    yield Finding(
        free > LEAST_FREE,
        f"{free / 1024**3:.1f} GiB are free for the data folder",
        "make room: the database stops when the disk is full",
    )
    async with ground.database.transaction() as tx:
        version = await tx.value(text("select current_setting('server_version')"))
        size = await tx.value(text("select pg_size_pretty(pg_database_size(current_database()))"))
        yield Finding(well=True, what=f"the database answers: PostgreSQL {version}, {size}")
        admins = await tx.value(text("select count(*) from agent where role = 'admin' and active"))
        yield Finding(admins > 0, f"{admins} admins can sign in", "add one with `everyline admin add EMAIL`")
        stuck = await tx.value(
            text("select count(*) from inbound where state = 'new' and received_at < now() - interval '10 minutes'")
        )
        yield Finding(
            stuck == 0,
            f"{stuck} pieces wait for longer than 10 minutes to be processed",
            "is a worker running? `everyline serve` runs one",
        )
        aside = await tx.value(text("select count(*) from inbound where state = 'quarantined'"))
        yield Finding(
            aside == 0,
            f"{aside} pieces are in quarantine",
            "look at them in the set-up under Quarantine, and retry or discard them",
        )
        unknown = await tx.value(text("select count(*) from delivery where state in ('unknown', 'failed')"))
        yield Finding(
            unknown == 0,
            f"{unknown} deliveries may not have gone out",
            "their cases show them: send again there, or leave it",
        )
        lines = await with_health(tx)
    yield Finding(bool(lines), f"{len(lines)} lines are set up", "add one in the set-up, or with `everyline line add`")
    for line in lines:
        known = line.channel in all_channels()
        failing = line.failing_since is not None
        state = (
            f"fails since {line.failing_since:%Y-%m-%d %H:%M} UTC: {line.error}"
            if failing
            else "works"
            if line.healthy_at or line.received_at
            else "has not been used yet"
        )
        yield Finding(
            known and not failing,
            f"{line.channel} {line.address} {state if line.open else 'is closed'}",
            "test the line in the set-up; it says which step fails",
        )
    async for finding in sound_doctor.examine(ground):
        yield finding
    yield Finding(well=True, what=f"examined at {now():%Y-%m-%d %H:%M:%S} UTC")
