"""How good a leg is, as people at the desk and reports are told."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Quality:
    """Counts since the leg was opened. Times in milliseconds; None where nothing is known yet."""

    received: int  # packets
    sent: int
    lost: int  # by their numbers, never came
    late: int  # came too late to be heard
    concealed: int  # frames that were made up
    strangers: int  # packets from elsewhere
    unreadable: int  # packets that were no RTP or of a payload nobody agreed on
    jitter_ms: float
    delay_ms: float | None  # that the jitter buffer adds
    round_trip_ms: float | None  # by their reports
    lost_there: float | None  # the part of ours that they lost, by their last report
    jitter_there_ms: float | None

    def since(self, before: Quality) -> Quality:
        """What was counted since an earlier look."""
        counts = ("received", "sent", "lost", "late", "concealed", "strangers", "unreadable")
        return replace(self, **{name: max(0, getattr(self, name) - getattr(before, name)) for name in counts})

    @property
    def loss(self) -> float:
        """The part of theirs that was not heard, lost or late."""
        return (self.lost + self.late) / max(self.received + self.lost, 1)

    @property
    def score(self) -> float:
        """A mean opinion score from 1 to 4.5, estimated from delay and loss (ITU-T G.107 with G.113's values for G.711 with
        concealment)."""
        delay = (self.delay_ms or 0) + (self.round_trip_ms or 0) / 2
        lost = 100 * max(self.loss, self.lost_there or 0)
        rating = 93.2 - 0.024 * delay - max(delay - 177.3, 0) * 0.11 - 95 * lost / (lost + 25.1)
        if rating <= 0:
            return 1.0
        return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
