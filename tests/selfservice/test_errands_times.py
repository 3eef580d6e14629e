"""Free times and times as people say them, over days on which the clock changes. Pure but for the last."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from everyline.ground.words import speaking
from everyline.queues.hours import OpeningHours
from everyline.selfservice.errands.appointing import Kind, bookable
from everyline.selfservice.errands.times import grid, on_the_clock, read_clock, said

pytestmark = pytest.mark.req("V3", "W3")
PLACE = "America/Los_Angeles"
NIGHT = OpeningHours(PLACE, [[("00:00", "04:00")]] * 7)
OFFICE = OpeningHours(PLACE, [[("09:00", "10:10"), ("13:00", "14:00")]] * 5 + [[], []])


@pytest.mark.parametrize(
    ("said_time", "meant"),
    [
        ("14:30", time(14, 30)),
        ("2:30 pm", time(14, 30)),
        ("2 p.m.", time(14)),
        ("12 am", time(0)),
        ("12pm", time(12)),
        ("1430", time(14, 30)),
        ("14 Uhr", time(14)),
        ("14h30", time(14, 30)),
        ("at 9", time(9)),
        ("9.15", time(9, 15)),
        ("25:00", None),
        ("14:75", None),
        ("13 pm", None),
        ("noonish", None),
        ("", None),
        ("1" * 50, None),
    ],
)
def test_a_time_is_read_as_people_say_it(said_time: str, meant: time | None) -> None:
    assert read_clock(said_time) == meant


def test_times_fit_into_the_open_hours_one_behind_the_other() -> None:
    found = [on_the_clock(begins, PLACE)[1] for begins, _ends in grid(OFFICE, 30, date(2026, 3, 6), date(2026, 3, 7))]
    assert found == [time(9), time(9, 30), time(13), time(13, 30)]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 3), (date(2026, 11, 1), 5), (date(2026, 6, 1), 4)])
def test_a_day_on_which_the_clock_changes_has_its_own_length(day: date, hours: int) -> None:
    found = list(grid(NIGHT, 30, day, day))
    assert len(found) == hours * 2
    assert all(ends - begins == timedelta(minutes=30) for begins, ends in found)
    assert all(one[1] == two[0] for one, two in pairwise(found))
    assert {on_the_clock(begins, PLACE)[0] for begins, _ends in found} == {day}
    if hours == 3:
        assert time(2) not in {on_the_clock(begins, PLACE)[1] for begins, _ends in found}


def test_lead_time_and_how_far_ahead_bound_what_can_be_booked() -> None:
    row = SimpleNamespace(id=1, name="Passport", minutes=30, places=1, lead_minutes=60, ahead_days=7, retired_at=None)
    at = datetime(2026, 3, 6, 17, 15, tzinfo=UTC)  # Friday, 9:15 there
    found = [on_the_clock(begins, PLACE) for begins, _ends in bookable(Kind(row, OFFICE), at)]
    assert found[0] == (date(2026, 3, 6), time(13))
    assert found[-1] == (date(2026, 3, 13), time(9, 30))  # within seven days of 24 hours, over the change of the clock
    assert not bookable(Kind(row, OFFICE), at, date(2026, 3, 7))
    assert not bookable(Kind(row, OFFICE), at, date(2026, 5, 1))
    closed = OpeningHours(PLACE, OFFICE.week, closed_now="Flood")
    assert not bookable(Kind(row, closed), at)


def test_a_moment_is_told_in_the_zone_and_language() -> None:
    at = datetime(2026, 3, 6, 22, 0, tzinfo=UTC)
    assert said(at, PLACE) == "Friday, March 6, 2026, 2:00 PM"
    with speaking("de"):
        assert said(at, PLACE) == "Freitag, 6. März 2026, 14:00"
