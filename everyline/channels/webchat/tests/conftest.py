"""The chat line of the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from everyline.channels.webchat.tests.chat import Chat, opened
from everyline.ground.installation import Ground


@pytest.fixture
async def chat(ground: Ground) -> AsyncIterator[Chat]:
    """A chat line without agents, on which visitors wait all the same."""
    async with opened(ground) as found:
        yield found
