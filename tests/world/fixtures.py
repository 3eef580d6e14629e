"""Worlds as fixtures, one for the whole run of a process. A conftest takes them with ``from … import mail_world``."""

from __future__ import annotations

import pytest

from tests.world.mail import MailWorld

_running: list[MailWorld] = []  # a fixture that two conftests import is two fixtures, but one world


@pytest.fixture(scope="session")
def mail_world() -> MailWorld:
    """The mail hosts of customers and of the organisation; ended when Python ends."""
    if not _running:
        _running.append(MailWorld.start())
    return _running[0]
