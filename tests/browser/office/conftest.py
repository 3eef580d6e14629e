"""The shared product."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import a_chromium, an_admin, empty_product, with_ground
from tests.product import RunningProduct


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One for all."""
    with a_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def office() -> Iterator[RunningProduct]:
    """A product with an admin and nothing else, for tests that bring lines, queues and people of their own."""
    with empty_product() as found:
        with_ground(found, an_admin)
        yield found
