"""The post office role, for the demonstration only: the sample customers' mail host."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal

from everyline.ground import logs
from everyline.ground.settings import settings
from everyline.roles import collecting
from everyline.sample import post_office


async def main() -> None:
    """Run until SIGTERM."""
    collecting.resume()
    known = json.loads((settings().data / "demo.json").read_text())
    task = asyncio.create_task(
        post_office.run(settings().data / "letters", known["mail_host"]["host"], known["mail_host"]["port"])
    )
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def run() -> None:
    """Run the role in this process."""
    logs.begin("post office", form=settings().log_format, level=settings().log_level)
    asyncio.run(main())
