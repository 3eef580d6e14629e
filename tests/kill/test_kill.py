"""``kill -9`` of every process and of the database while mail arrives: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import pytest

from tests.kill.soak import VICTIMS, soak


@pytest.mark.req("P2", "P1", "E1", "E3")
@pytest.mark.timeout(400)
def test_killing_every_process_loses_nothing_and_doubles_nothing() -> None:
    outcome = soak(160, seed=7, seconds=10, hasten=True, most=len(VICTIMS))
    assert set(outcome.kills) == set(VICTIMS), outcome
    assert outcome.refused == []
    assert outcome.faults == []
    assert outcome.deliveries["sent"] >= 0.9 * sum(outcome.deliveries.values()), outcome
