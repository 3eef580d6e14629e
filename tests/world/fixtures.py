"""Worlds as fixtures, each one for the whole run of a process. A conftest takes them with ``from … import mail_world``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world.mail import MailWorld

_running: list[MailWorld] = []


@pytest.fixture
def mail_world() -> Iterator[MailWorld]:
    """The mail hosts of customers and of the organisation; ended when Python ends. Where a test had mail go is forgotten after it:
    the mail of the next one would be sent to a listener that is gone."""
    if not _running:
        _running.append(MailWorld.start())
    yield _running[0]
    _running[0].unroute_all()
