"""Who goes through a flow, and how well that is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How well it is shown who somebody is. Each level opens all that the ones below it open."""

    UNKNOWN = 0  # they said so, or nothing
    ADDRESS = 1  # they write or call from an address on record
    PROVED = 2  # they told a code that went to a verified contact point, or what only they know
    SIGNED_IN = 3


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody in a flow. ``customer_id`` is set from ``Level.ADDRESS`` on; ``point_id`` is the contact point by which it is shown."""

    customer_id: int | None = None
    level: Level = Level.UNKNOWN
    point_id: int | None = None
    language: str = "en"  # that is spoken now
    channel: str = ""  # on which they are now
    origins: tuple[str, ...] = ()  # where they come from (``origins``): what strangers do is counted by it

    def shows(self, level: Level) -> bool:
        """Is it shown well enough who they are?"""
        return self.customer_id is not None and self.level >= level
