"""An admin's browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture
async def admin(client: httpx.AsyncClient, sign_in: Any) -> httpx.AsyncClient:
    """The browser of an admin who is signed in."""
    client.cookies.update((await sign_in("admin", name="Ada Admin")).cookies)
    return client
