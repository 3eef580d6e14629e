"""A house of its own process, with a caller who speaks a message until somebody kills it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from everyline.channels.phone.tests.doubles import a_talk, world


async def main(folder: Path) -> None:
    """Until it is killed."""
    async with world(folder, begins=lambda _key: a_talk("mail")) as house:
        caller = await house.calls()
        caller.talk(1900)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
