"""What takes calls, as the product sees it. Sound is loaded when it runs, and not by who only asks for the channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pathlib import Path

    from everyline.call_contract import CallDoor
    from everyline.channel_contract import Door
    from everyline.channels.phone.house import House
    from everyline.channels.phone.settings import InstallSettings


class Telephone:
    """The receiver. Not exclusive by a lock: whoever has the port is the one, and calls outlive a database that is away."""

    name = "telephone"
    exclusive = False

    def __init__(self, install: InstallSettings, folder: Path | None = None) -> None:
        self.install, self.folder = install, folder
        self.house: House | None = None
        self.ready = asyncio.Event()

    async def run(self, door: Door) -> None:
        """Until it is cancelled; its calls end with it."""
        from everyline.channels.phone import taking  # noqa: PLC0415 -- it loads numpy and the engine

        await taking.take(self, cast("CallDoor", door))

    async def drain(self, seconds: float) -> None:
        """``call_contract.Drains``."""
        from everyline.channels.phone import closing  # noqa: PLC0415 -- as above

        if self.house is not None:
            await closing.close(self.house, seconds)
