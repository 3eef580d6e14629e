"""Places, ways to answer, mentions and the timeline: what needs no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from everyline.cases.rules import begun
from everyline.channel_registry import channel
from everyline.desk import composing, phrases, timeline
from everyline.desk.file_routes import with_pictures
from everyline.desk.places import Place
from everyline.ground.moments import span

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("key", "query"),
    [
        ("mine", {}),
        ("queue-3", {"segment": "waiting", "tag": "a b"}),
        ("late", {"order": "newest"}),
        ("saved-7", {"after": "x~1"}),
    ],
)
def test_a_place_comes_back_from_its_own_address(key: str, query: dict[str, str]) -> None:
    place = Place.read(key, query)
    assert Place.of(place.here) == place


def test_another_segment_begins_at_its_first_page() -> None:
    place = Place.read("mine", {"after": "2026~1"})
    assert "after" not in place.href(segment="waiting")
    assert "after" in place.href(after=place.after)


@dataclass
class Point:
    id: int
    kind: str = "mailbox"
    address: str = "a@example.org"
    preferred: bool = False
    bad_since: datetime | None = None
    bad_reason: str = ""


ABLE = {"mailbox": channel("email").facts}


@pytest.mark.req("A3")
def test_the_preferred_way_is_chosen_then_the_one_that_was_used() -> None:
    points = [Point(1), Point(2, address="b@example.org"), Point(3, "number", "+13605550142")]
    assert [way.point_id for way in composing.ways(points, ABLE, 2, None, "Jane") if way.chosen] == [2]
    points[0].preferred = True
    chosen = composing.ways(points, ABLE, 2, None, "Jane")
    assert [way.point_id for way in chosen if way.chosen] == [1]
    assert "prefers a@example.org" in next(way.warning for way in chosen if way.point_id == 2)
    assert {way.point_id for way in chosen} == {1, 2}, "what no line reaches is no way"
    points[0].bad_since, points[0].bad_reason = NOW, "550 gone"
    chosen = composing.ways(points, ABLE, 2, None, "Jane")
    assert [way.point_id for way in chosen if way.chosen] == [2]
    assert next(way.reason for way in chosen if way.point_id == 1) == "550 gone"
    assert [way.point_id for way in composing.ways(points, ABLE, 2, 1, "Jane") if way.chosen] == [1], (
        "a draft remembers"
    )


@pytest.mark.req("A8")
def test_the_longest_name_behind_an_at_sign_is_called() -> None:
    agents = [
        SimpleNamespace(id=1, name="Ana"),
        SimpleNamespace(id=2, name="Ana Lund"),
        SimpleNamespace(id=3, name="Bo"),
    ]
    assert composing.called("@ana lund and @Bo, @Ana", agents) == [2, 3, 1]
    assert composing.called("mail me at x@nowhere.example", agents) == []
    assert composing.called("@", agents) == []


@dataclass
class Message:
    id: int
    at: datetime
    direction: str = "in"
    channel: str = "email"
    agent_id: int | None = None
    agent_name: str = ""
    address: str = "jane@example.org"
    line_address: str = "help@county.example"
    line_name: str = "Help"
    subject: str = "Dog"
    text: str = "Hello"
    quoted: str = ""
    rich: bool = False
    formatted: str = ""
    kind: str = "message"
    facts: dict[str, Any] = field(default_factory=dict)


def delivery(state: str, **facts: Any) -> Any:
    base = {"id": 5, "message_id": 1, "kind": "reply", "address": "jane@example.org", "state": state, "attempts": 0}
    return SimpleNamespace(**{**base, "answer": "", "due_at": NOW, "sent_at": NOW, "ended_at": NOW, **facts})


def pieces(
    messages: list[Message], deliveries: list[Any] | None = None, events: list[Any] | None = None
) -> list[dict[str, Any]]:
    return timeline.assemble(
        "Dog", "Jane", messages, [], events or [], deliveries or [], [], me_id=7, now=NOW, there=UTC_ZONE
    )


@pytest.mark.req("E1", "P2")
@pytest.mark.parametrize(
    ("state", "facts", "words", "again", "back"),
    [
        ("due", {"due_at": NOW + timedelta(seconds=9)}, "Goes out at 12:00:09", False, True),
        ("due", {"attempts": 2, "answer": "451 later"}, "451 later", False, False),
        ("on wire", {"attempts": 1}, "Going out", False, False),
        ("sent", {}, "Sent 12:00", False, False),
        ("arrived", {}, "Arrived 12:00", False, False),
        ("bounced", {"answer": "550 no such user"}, "Did not arrive: 550 no such user", True, False),
        ("failed", {}, "Could not be sent", True, False),
        ("unknown", {}, "not known whether this went out", True, False),
    ],
)
def test_each_answer_says_what_became_of_it(
    state: str, facts: dict[str, Any], words: str, again: bool, back: bool
) -> None:
    ours = Message(1, NOW, "out", agent_id=7, agent_name="Dana")
    foot = pieces([ours], [delivery(state, **facts)])[-1]["foot"]
    assert words in foot["text"]
    assert (bool(foot["again"]), foot["take_back"]) == (again, back)


def test_days_head_the_pieces_and_events_are_folded_between_them() -> None:
    events = [
        SimpleNamespace(
            kind=kind,
            at=NOW + timedelta(minutes=minute),
            actor_id=7,
            actor_name="Dana",
            agent_name="Dana",
            queue_name="Tax",
            agent_id=7,
            data={},
        )
        for minute, kind in enumerate(["queue_entry.entered", "offer.made", "interaction.accepted", "case.begun"])
    ]
    found = pieces([Message(1, NOW - timedelta(days=1)), Message(2, NOW + timedelta(hours=1))], events=events)
    assert [one["kind"] for one in found] == ["day", "piece", "day", "events", "piece"]
    assert [found[0]["text"], found[2]["text"]] == ["Yesterday", "Today"]
    assert found[3]["gist"] == "Waits in Tax, Dana began to work on it"
    assert found[3]["more"] == "and 2 more"


def test_times_are_as_short_as_they_can_be_told_apart() -> None:
    there = ZoneInfo("America/Los_Angeles")
    assert phrases.moment(NOW, NOW, there) == "05:00"
    assert phrases.moment(NOW - timedelta(days=2), NOW, there) == "Mon"
    assert phrases.moment(NOW - timedelta(days=30), NOW, there) == "Feb 16"
    assert phrases.moment(NOW - timedelta(days=400), NOW, there) == "Feb 11, 2025"
    assert [span(seconds) for seconds in (5, 300, 7500, 90000)] == ["5 sec", "5 min", "2 hr 5 min", "1 day 1 hr"]
    assert phrases.size(412 * 1024) == "412 kB"


def test_pictures_of_a_letter_are_found_by_their_content_id() -> None:
    source = '<img src="cid:A%40x"><img src="cid:none" alt="n">'
    assert with_pictures(source, {"<a@x>": 5}) == '<img src="/desk/attachments/5?inline=1"><img alt="n">'


def test_a_word_that_is_only_begun_is_looked_for_when_it_is_long_enough() -> None:
    assert begun("dog licen") == "dog & licen:*"
    assert [begun(words) for words in ("do", "", "10023", '"dog licen"', "dog -cat")] == [""] * 5
