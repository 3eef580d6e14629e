"""How good a party's sound is said to be, as time passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import pytest

from everyline.channels.phone.gauge import Gauge
from everyline.media.legs import Leg
from everyline.media.quality import Quality

NOTHING = Quality(0, 0, 0, 0, 0, 0, 0, 1.0, 40.0, None, None, None)


@dataclass
class Counting:
    """A leg that has counted so much."""

    found: Quality = NOTHING

    def quality(self) -> Quality:
        return self.found

    def goes_on(self, seconds: float, loss: float) -> None:
        """Packets come, or do not."""
        lost = round(50 * seconds * loss)
        self.found = replace(
            self.found, received=self.found.received + round(50 * seconds) - lost, lost=self.found.lost + lost
        )


@pytest.mark.req("V5")
def test_what_is_shown_is_lately_and_what_is_kept_is_the_whole_call(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1000.0
    monkeypatch.setattr("everyline.channels.phone.gauge.monotonic", lambda: at)
    counting = Counting()
    counting.goes_on(3600, 0.5)  # a browser's, of calls before this one
    leg, found = cast("Leg", counting), Gauge()
    found.lately(leg)

    def passes(seconds: int, loss: float) -> dict[str, float]:
        nonlocal at
        shown: dict[str, float] = {}
        for _ in range(seconds):
            at += 1
            counting.goes_on(1, loss)
            shown = found.lately(leg)
        return shown

    assert passes(600, 0)["loss"] == 0
    assert passes(12, 0.2)["loss"] == 0.2
    assert passes(6, 0)["loss"] < 0.2
    assert passes(6, 0)["loss"] == 0
    assert 0 < found.whole(leg)["loss"] < 0.01
