"""The demonstration: the sample company on free ports of this machine, with what scripts need in ``demo.json``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sqlalchemy import select

from everyline.ground.installation import Ground, standing
from everyline.ground.settings import Settings
from everyline.lines import actions as lines
from everyline.lines.models import Line
from everyline.sample import house, loader
from everyline.sample.ports import NAME


async def prepare(settings: Settings, url: str, ports: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Load the company at the first start, and write ``demo.json``; returns what stands in it."""
    async with standing(settings, url) as ground:
        found = {**before, **ports, "address": settings.address}
        if await loader.is_empty(ground):
            loaded = await loader.load(
                ground, smtp_host=ports["mail_host"]["host"], smtp_port=ports["mail_host"]["port"]
            )
            found["sign_ins"] = {
                role: {"email": email, "password": loaded.passwords[role]}
                for role, (_name, email) in house.SIGN_INS.items()
            }
            found["token"] = loaded.token
        elif before.get("mail_host") != ports["mail_host"]:
            await _move_mail_host(ground, ports["mail_host"])
    _write(settings.data / NAME, found)
    return found


async def _move_mail_host(ground: Ground, host: dict[str, Any]) -> None:
    async with ground.database.transaction() as tx:
        for row in await tx.rows(select(Line.id, Line.settings).where(Line.retired_at.is_(None))):
            if "smtp_port" in row.settings:
                await lines.change(
                    tx,
                    ground.vault,
                    None,
                    row.id,
                    settings={**row.settings, "smtp_host": host["host"], "smtp_port": host["port"]},
                )


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
        f"  write to it as a customer: {found['address']}/try\n"
        f"  SMTP listener: {found['smtp']['host']}:{found['smtp']['port']} · all of this for scripts: {NAME} in the data folder\n\n"
        "Ctrl-C ends it; the data stays.\n"
    )
