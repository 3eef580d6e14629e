"""Which partner gets the next entry, so that the split converges on its targets.

A coin toss keeps no memory, and a hundred tosses may be sixty to forty. Here each team has a *deficit*: its share of all
entries given out so far (this one included) less what it was given. The team furthest behind over the day is next, so that no team
is ever off by more than one entry while all are open. Who was closed in the morning would have the whole afternoon to itself;
therefore a team that is ahead in the present interval waits while another that may take is not. A floor goes before, a ceiling holds
back. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Share:
    """What a team is to get of a queue's entries."""

    team_id: int
    percent: float
    floor: int = 0  # at least so many an interval
    ceiling: float = inf  # at most so many an interval


def choose(shares: Sequence[Share], day: Mapping[int, int], interval: Mapping[int, int]) -> int | None:
    """The team that the next entry goes to; ``day`` and ``interval`` are what each was given so far. None when no team may
    take it: it is everybody's then. Teams that are closed are left out of ``shares``."""
    open_ = [share for share in shares if share.percent > 0 and interval.get(share.team_id, 0) < share.ceiling]
    if not open_:
        return None
    whole = sum(share.percent for share in open_)
    of_day = sum(day.get(share.team_id, 0) for share in open_) + 1
    of_interval = sum(interval.get(share.team_id, 0) for share in open_) + 1

    def behind(share: Share) -> tuple[bool, bool, float, float, int]:
        part = share.percent / whole
        given = interval.get(share.team_id, 0)
        below_floor = given < share.floor
        # twice its part is the most by which a team makes good in one interval what it missed before
        too_fast = given + 1 > 2 * part * of_interval + 1
        return (
            not below_floor,
            too_fast,
            -(part * of_day - day.get(share.team_id, 0)),
            -(part * of_interval - given),
            share.team_id,
        )

    return min(open_, key=behind).team_id
