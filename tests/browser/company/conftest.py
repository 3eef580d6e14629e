"""The demonstration."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from sqlalchemy import text

from everyline.ground.installation import Ground
from tests.browser.conftest import a_chromium, with_ground
from tests.product import RunningProduct


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all."""
    with a_chromium() as browser:
        yield browser


async def _counted(ground: Ground) -> bool:
    """Are there figures of the sample company's last days?"""
    async with ground.database.transaction() as tx:
        return bool(await tx.value(text("select max(begins_at) > now() - interval '2 days' from event_total")))


@pytest.fixture(scope="package")
def demo() -> Iterator[RunningProduct]:
    """The demonstration with its sample company."""
    product = RunningProduct(command=("demo",))
    product.start()
    while not with_ground(product, _counted):
        time.sleep(0.1)
    yield product
    product.stop()
    shutil.rmtree(product.data, ignore_errors=True)
