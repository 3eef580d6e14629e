"""The demonstration: the sample company on free ports of this machine, with what scripts need in ``demo.json``."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from everyline.channel_registry import all_channels
from everyline.ground.installation import Ground, standing
from everyline.ground.settings import Settings
from everyline.lines import actions as lines
from everyline.lines.models import Line
from everyline.sample import house, loader, telephone
from everyline.sample.ports import NAME, has_telephones


def prepare(
    settings: Settings, url: Callable[[], str], ports: dict[str, Any], before: dict[str, Any]
) -> dict[str, Any]:
    """Load the company at the first start, and write ``demo.json``; returns what stands in it. ``url`` waits for the database."""
    all_channels()  # loaded while the database starts
    return asyncio.run(_prepare(settings, url(), ports, before))


async def _prepare(settings: Settings, url: str, ports: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    async with standing(settings, url) as ground:
        found = {**before, **ports, "address": settings.address}
        if await loader.is_empty(ground):
            loaded = await loader.load(
                ground,
                smtp_host=ports["mail_host"]["host"],
                smtp_port=ports["mail_host"]["port"],
                trunk=ports["network"]["port"] if has_telephones() else 0,
            )
            found["sign_ins"] = {
                role: {"email": email, "password": loaded.passwords[role]}
                for role, (_name, email) in house.SIGN_INS.items()
            }
            found["token"] = loaded.token
        else:
            await _move_hosts(ground, before, ports)
    _write(settings.data / NAME, found)
    return found


async def _move_hosts(ground: Ground, before: dict[str, Any], ports: dict[str, Any]) -> None:
    """Lines that led to the sample customers' hosts lead to where those are now."""
    mail, network = ports["mail_host"], ports["network"]
    async with ground.database.transaction() as tx:
        for row in await tx.rows(select(Line.id, Line.channel, Line.settings).where(Line.retired_at.is_(None))):
            fresh = dict(row.settings)
            if "smtp_port" in fresh and before.get("mail_host") != mail:
                fresh |= {"smtp_host": mail["host"], "smtp_port": mail["port"]}
            if row.channel == telephone.CHANNEL and fresh.get("port") == before.get("network", {}).get("port"):
                fresh["port"] = network["port"]
            if fresh != row.settings:
                await lines.change(tx, ground.vault, None, row.id, settings=fresh)


def _write(path: Path, found: dict[str, Any]) -> None:
    fresh = path.with_suffix(".fresh")
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=2)
        file.write("\n")
    fresh.replace(path)


def words(found: dict[str, Any]) -> str:
    """What is printed when it runs."""
    people = "\n".join(f"  {role:<11} {one['email']:<30} {one['password']}" for role, one in found["sign_ins"].items())
    return (
        f"\nEveryline is running with its sample company, Harbor County.\n\n  {found['address']}\n\n{people}\n\n"
        f"  write to it and call it as a customer: {found['address']}/try\n"
        f"  SMTP listener: {found['smtp']['host']}:{found['smtp']['port']} · all of this for scripts: {NAME} in the data folder\n\n"
        "Ctrl-C ends it; the data stays.\n"
    )
