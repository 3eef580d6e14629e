"""Where what begins on a line goes: by time, number, language, customer."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.lines.conditions import Arrival, Route, When, chosen, country_of, holds, never, prefix

THERE = ZoneInfo("America/Los_Angeles")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=THERE)
pytestmark = pytest.mark.req("V2")


@pytest.mark.parametrize(
    ("when", "arrival", "is_taken"),
    [
        (When(), Arrival(MONDAY_NOON), True),
        (When(days=(0,)), Arrival(MONDAY_NOON), True),
        (When(days=(1, 2)), Arrival(MONDAY_NOON), False),
        (When(begins="08:00", ends="12:00"), Arrival(MONDAY_NOON), False),  # the end is out of it
        (When(begins="12:00", ends="13:00"), Arrival(MONDAY_NOON), True),
        (When(days=(0,), begins="22:00", ends="06:00"), Arrival(MONDAY_NOON.replace(hour=23)), True),
        # the small hours of a Tuesday are Monday's night
        (When(days=(0,), begins="22:00", ends="06:00"), Arrival(MONDAY_NOON.replace(day=24, hour=5)), True),
        (When(days=(1,), begins="22:00", ends="06:00"), Arrival(MONDAY_NOON.replace(day=24, hour=5)), False),
        (When(holiday=True), Arrival(MONDAY_NOON), False),
        (When(holiday=True), Arrival(MONDAY_NOON, holiday=True), True),
        (When(holiday=False), Arrival(MONDAY_NOON, holiday=True), False),
        (When(closure=True), Arrival(MONDAY_NOON, closure=True), True),
        (When(prefixes=("+1360", "+1206")), Arrival(MONDAY_NOON, "+13605550142"), True),
        (When(prefixes=("+1360",)), Arrival(MONDAY_NOON, "+15035550142"), False),
        (When(prefixes=("+1360",)), Arrival(MONDAY_NOON), False),  # withheld
        (When(countries=("MX",)), Arrival(MONDAY_NOON, "+525512345678"), True),
        (When(countries=("US",)), Arrival(MONDAY_NOON, "+16045550142"), False),  # +1, and yet Canada
        (When(countries=("CA",)), Arrival(MONDAY_NOON, "+16045550142"), True),
        (When(countries=("MX",), prefixes=("+1360",)), Arrival(MONDAY_NOON, "+13605550142"), True),  # either
        (When(languages=("es",)), Arrival(MONDAY_NOON, language="es"), True),
        (When(languages=("es",)), Arrival(MONDAY_NOON, language="en"), False),
        (When(dialled=("+448001234567",)), Arrival(MONDAY_NOON, dialled="+448001234567"), True),
        (When(kinds=("firm",)), Arrival(MONDAY_NOON), False),
        (When(known=False), Arrival(MONDAY_NOON), True),
        (When(open_case=True), Arrival(MONDAY_NOON, known=True, open_case=True), True),
        (When(open_case=True, languages=("es",)), Arrival(MONDAY_NOON, open_case=True, language="en"), False),
    ],
)
def test_a_route_is_taken_when_all_of_it_holds(when: When, arrival: Arrival, is_taken: bool) -> None:
    assert holds(when, arrival) is is_taken


@pytest.mark.parametrize("country", ["US", "CA", "MX", "GB", "DE", "FR", "IT", "VN", "JM", "AU"])
def test_every_countrys_numbers_come_from_there(country: str) -> None:
    example = phonenumbers.example_number(country)
    assert example is not None
    number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert country_of(number) == country
    assert holds(When(countries=(country,)), Arrival(MONDAY_NOON, number))
    assert not holds(When(countries=("NZ",)), Arrival(MONDAY_NOON, number))


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("360", "US", "+1360"),
        ("(360) 555", "US", "+1360555"),
        ("020", "GB", "+4420"),
        ("+44 20", "US", "+4420"),
        ("06", "IT", "+3906"),
        ("030", "DE", "+4930"),
    ],
)
def test_an_area_is_kept_as_numbers_begin_that_come_from_it(typed: str, country: str, kept: str) -> None:
    assert prefix(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country"), [("", "US"), ("abc", "US"), ("360", "XX"), ("0", "GB"), ("1" * 16, "US")]
)
def test_what_is_no_area_is_said(typed: str, country: str) -> None:
    with pytest.raises(ValueError, match=r"area code|plus sign"):
        prefix(typed, country)


def test_the_first_that_holds_is_taken_and_what_comes_after_one_that_always_does_is_never() -> None:
    spanish, rest, dead = (
        Route(1, "Spanish", When(languages=("es",)), 2),
        Route(2, "All others", When(), 3),
        Route(3, "Nobody", When(known=True), 4),
    )
    assert chosen((spanish, rest), Arrival(MONDAY_NOON, language="es")) is spanish
    assert chosen((spanish, rest), Arrival(MONDAY_NOON, language="en")) is rest
    assert chosen((spanish,), Arrival(MONDAY_NOON, language="en")) is None
    assert never((spanish, rest, dead)) == [3]


_text = st.text(max_size=8)
_some = st.lists(_text, max_size=3).map(tuple)


@given(
    st.builds(
        When,
        days=st.lists(st.integers(0, 6), max_size=7, unique=True).map(tuple),
        begins=st.sampled_from(["", "08:00", "22:00"]),
        ends=st.sampled_from(["", "06:00", "17:30"]),
        holiday=st.none() | st.booleans(),
        prefixes=_some,
        countries=_some,
        languages=_some,
        known=st.none() | st.booleans(),
    )
)
def test_conditions_are_read_as_they_were_kept(when: When) -> None:
    assert When.read(when.as_json()) == when
    assert When.read({**when.as_json(), "moon": "full"}) == when
