"""When it is open: through changes of the clock, holidays and closures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.queues.hours import ALWAYS, OpeningHours, add_open_time, is_open, next_opening

WEEK = [[("08:00", "12:00"), ("13:00", "17:00")]] * 5 + [[], []]
OFFICE = OpeningHours("America/Los_Angeles", WEEK, "US-WA")
NIGHT = OpeningHours("America/Los_Angeles", [[("00:00", "24:00")]] * 7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.req("Q1", "E3")
@pytest.mark.parametrize(
    ("moment", "open_then"),
    [
        ("2026-03-16T08:00-07:00", True),
        ("2026-03-16T07:59-07:00", False),
        ("2026-03-16T12:30-07:00", False),
        ("2026-03-16T17:00-07:00", False),
        ("2026-03-15T10:00-07:00", False),  # a Sunday
        ("2026-07-03T10:00-07:00", False),  # Independence Day is a Saturday in 2026, kept on Friday
        ("2026-11-26T10:00-08:00", False),  # Thanksgiving
    ],
)
def test_open_or_closed(moment: str, open_then: bool) -> None:
    assert is_open(OFFICE, at(moment)) is open_then


@pytest.mark.req("E3")
def test_a_goal_runs_on_only_while_it_is_open() -> None:
    friday = at("2026-03-13T16:00-07:00")
    assert add_open_time(OFFICE, friday, timedelta(hours=4)) == at("2026-03-16T11:00-07:00")


@pytest.mark.req("E3")
def test_a_day_of_the_clock_change_has_23_or_25_hours() -> None:
    assert add_open_time(NIGHT, at("2026-11-01T00:00-07:00"), timedelta(hours=25)) == at("2026-11-02T00:00-08:00")
    assert add_open_time(NIGHT, at("2026-03-08T00:00-08:00"), timedelta(hours=23)) == at("2026-03-09T00:00-07:00")


@pytest.mark.req("E3")
def test_a_day_that_differs_goes_before_week_and_holiday() -> None:
    hours = OpeningHours(
        "America/Los_Angeles", WEEK, "US-WA", {date(2026, 11, 26): [("10:00", "11:00")], date(2026, 3, 16): []}
    )
    assert is_open(hours, at("2026-11-26T10:30-08:00"))
    assert next_opening(hours, at("2026-03-16T09:00-07:00")) == at("2026-03-17T08:00-07:00")


@pytest.mark.req("E3")
def test_an_emergency_closes_at_once() -> None:
    assert not is_open(
        OpeningHours("UTC", ALWAYS.week, closed_now="The office is flooded."), at("2026-03-16T12:00+00:00")
    )


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)).map(
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)


@pytest.mark.req("E3")
@given(moments, st.integers(1, 80))
def test_open_time_that_is_added_is_found_again(start: datetime, hours: int) -> None:
    end = add_open_time(OFFICE, start, timedelta(hours=hours))
    assert end is not None
    until = int((end - start) / timedelta(hours=1))
    assert sum(is_open(OFFICE, start + timedelta(hours=n)) for n in range(until)) == hours
    assert is_open(OFFICE, end - timedelta(seconds=1))
