"""``everyline simulate``: a change is tried before it is made."""

from __future__ import annotations

import pytest

from everyline import simulate as work
from everyline.queues.simulation import Simulation
from everyline.simulate import Made, Wrong, changed, compare

pytestmark = pytest.mark.req("Q1")


def test_a_made_day_is_the_same_each_time_and_more_agents_shorten_the_wait() -> None:
    day, names = Made.read("per_hour=120,minutes=4,agents=9,patience=3").day(7, 20)
    again, _ = Made.read("per_hour=120, minutes=4, agents=9, patience=3").day(7, 20)
    lines = list(compare(day, None, names))
    assert lines == list(compare(again, None, names))
    assert lines[0].split()[:3] == ["queue", "came", "answered"]
    tried = changed(day, names, (), ("made=+3",), {})
    before, after = Simulation(day).run().queues[1], Simulation(tried).run().queues[1]
    assert before.offered == after.offered
    assert (after.average_wait or 0) < (before.average_wait or 0)
    assert "With the change:" in list(compare(day, tried, names))


def test_rules_can_be_tried() -> None:
    day, names = Made().day(1, 20)
    tried = changed(
        day, names, ("made.strategy=least occupied", "made.wants=spanish >= 2", "made.rings=2"), (), {"Spanish": 5}
    )
    assert (tried.queues[0].strategy, tried.queues[0].wants, tried.queues[0].rings) == (
        "least occupied",
        {"skill": 5, "least": 2},
        2,
    )
    assert Simulation(tried).run().queues[1].answered == 0, "nobody speaks it"


@pytest.mark.parametrize(
    ("settings", "more", "words"),
    [
        (("Fire.rings=2",), (), "there is no queue 'Fire'; there are made"),
        (("made.colour=red",), (), "is no change"),
        (("made.rings=many",), (), "'many' is no rings"),
        (("made.strategy=best",), (), "it is one of longest idle"),
        (("made.wants=klingon",), (), "klingon"),
        ((), ("made=lots",), "is no number of agents"),
    ],
)
def test_what_cannot_be_tried_is_said(settings: tuple[str, ...], more: tuple[str, ...], words: str) -> None:
    day, names = Made().day(1, 20)
    with pytest.raises(Wrong, match=words):
        changed(day, names, settings, more, {})


@pytest.mark.parametrize("words", ["agents=some", "colour=red", "media_class=fax"])
def test_a_day_that_cannot_be_made_is_refused(words: str) -> None:
    with pytest.raises(Wrong):
        work.Made.read(words)
