"""``kill -9`` of every process and of the database while visitors talk: every word is there once, in its order."""

from __future__ import annotations

import pytest

from tests.kill.soak import VICTIMS
from tests.kill.talks import talk_and_kill


@pytest.mark.req("P2", "C1")
@pytest.mark.timeout(300)
def test_killing_every_process_loses_no_word_and_doubles_none() -> None:
    outcome = talk_and_kill(12, 6, seed=11, seconds=8, most=len(VICTIMS))
    assert outcome.kills.total() >= 4, outcome
    assert outcome.again > 0, "nothing was hit"
    assert outcome.refused == []
    assert outcome.faults == []
