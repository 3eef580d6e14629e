"""When to try again, and when to stop. Pure."""

from __future__ import annotations

from datetime import timedelta

MOST_ATTEMPTS = 12
FIRST_PAUSE = 20.0  # seconds
LONGEST_PAUSE = 4 * 3600.0


def pause(attempts: int, chance: float) -> timedelta:
    """How long to wait after the n-th failed attempt: doubling from 20 s to 4 h, spread by a fifth either way so that
    what failed together does not come again together. ``chance`` is a number from 0 to 1."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE) * (0.8 + 0.4 * chance))


def gives_up(attempts: int) -> bool:
    """Has it been tried often enough? Twelve attempts take about a day."""
    return attempts >= MOST_ATTEMPTS


def outcome_of(*, permanent: bool, unknown: bool) -> str:
    """What a failed attempt means. Cut off after the last moment without a word from the other side (``unknown``),
    nobody can tell whether it was taken: it is not sent again by itself."""
    if unknown:
        return "unknown"
    return "permanent" if permanent else "temporary"
