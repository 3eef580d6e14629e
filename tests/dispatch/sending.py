"""A sender that runs for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from everyline.dispatch.sender import Sender
from everyline.ground.installation import Ground


@asynccontextmanager
async def sending(ground: Ground) -> AsyncIterator[None]:
    task = asyncio.create_task(Sender(ground).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
