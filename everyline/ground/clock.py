"""The one clock. Everything that needs the time takes it from here, or better, is given it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def moment(seconds: float) -> datetime:
    """The moment so many seconds after the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
