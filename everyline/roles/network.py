"""The network role, for the demonstration only: the telephone network that the sample company's trunk leads to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal

import uvloop

from everyline.ground import logs
from everyline.ground.settings import settings
from everyline.roles import collecting


async def main() -> None:
    """Run until SIGTERM."""
    from everyline.sample.network import Network  # noqa: PLC0415 -- all that moves sound, where it is installed

    collecting.resume()
    known = json.loads((settings().data / "demo.json").read_text())
    network = Network(known["network"]["port"], known["sip"]["port"])
    task = asyncio.create_task(network.run(settings().data))
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def run() -> None:
    """Run the role in this process."""
    logs.begin("network", form=settings().log_format, level=settings().log_level)
    uvloop.run(main())
