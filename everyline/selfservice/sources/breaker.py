"""Whether a source is asked: after so many failures in a row it is left alone for a while, then one tries it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Stand(StrEnum):
    """How the breaker stands."""

    CLOSED = "closed"  # asked
    OPEN = "open"  # not asked
    HALF_OPEN = "half-open"  # one may try


def stand(opened_at: datetime | None, trial_at: datetime | None, pause_seconds: int, at: datetime) -> Stand:
    """How it stands at a moment. Who tries it has as long as the pause, in case they never come back."""
    if opened_at is None:
        return Stand.CLOSED
    since = max(opened_at, trial_at) if trial_at else opened_at
    return Stand.HALF_OPEN if at >= since + timedelta(seconds=pause_seconds) else Stand.OPEN
