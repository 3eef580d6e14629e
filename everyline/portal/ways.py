"""The ways to reach us: every open line of a brand, with its hours, how long it takes now, and which is the quickest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from everyline.channel_contract import Facts, MediaClass
from everyline.channel_registry import all_channels
from everyline.customers.brands import Shown
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.moments import zone as zone_of
from everyline.ground.words import _, mark
from everyline.intake.acknowledgements import Promise, duration_in_words, expected_at
from everyline.lines import queries as lines
from everyline.portal.saying import day_in_words, hours_in_words, moment_of_day, now_in_words, range_in_words, weekday
from everyline.queues import queries as queues
from everyline.queues.hours import OpeningHours, is_open
from everyline.queues.waiting import expected_wait
from everyline.queues.waits import Expected

KEPT_SECONDS = 15.0  # how long what a queue can say is taken as it was
LATER = timedelta(hours=20)  # what takes longer is told as a day, not as a length

# by the scheme of the address that a way leads to: what its button says
ACTS = {"mailto": mark("Write an email"), "tel": mark("Call")}


@dataclass(frozen=True, slots=True)
class QueueNow:
    """What a queue can say about itself now."""

    promise: Promise
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Way:
    """One line, as customers see it."""

    id: int
    facts: Facts
    name: str
    address: str
    href: str
    act: str
    live: bool  # somebody answers at once
    is_open: bool
    hours: tuple[str, ...]
    now: str  # open or closed, and until when
    zone: str
    closure: str  # of an emergency; usually empty
    takes: str  # how long it takes now; empty: too little is known, or closed
    seconds: float | None  # the same, for telling which is the quickest


@dataclass
class QueuesNow:
    """What queues can say, remembered for a while by one process: many ask, and it changes slowly."""

    _known: dict[int, tuple[float, QueueNow]] = field(default_factory=dict)
    _hours: dict[int, tuple[float, OpeningHours]] = field(default_factory=dict)

    async def of(self, tx: Tx, queue_id: int) -> QueueNow:
        """What a queue can say."""
        known = self._known.get(queue_id)
        if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
            queue = await queues.get(tx, queue_id)
            hours = await self.hours(tx, queue.hours_id)
            usual = await queues.usual_answer_seconds(tx, queue_id, hours.zone)
            promise = Promise(hours, timedelta(seconds=queue.goal_seconds), usual)
            known = (time.monotonic(), QueueNow(promise, await expected_wait(tx, queue_id)))
            self._known[queue_id] = known
        return known[1]

    async def hours(self, tx: Tx, hours_id: int | None) -> OpeningHours:
        """When something with these hours is open."""
        known = self._hours.get(hours_id or 0)
        if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
            known = self._hours[hours_id or 0] = (time.monotonic(), await queues.opening_hours(tx, hours_id))
        return known[1]


async def ways(tx: Tx, remembered: QueuesNow, brand: Shown) -> list[Way]:
    """Every open line of a brand that leads somewhere: live ones first, then by what they are."""
    at, found = now(), []
    default = await queues.default_queue(tx)
    for name, channel in all_channels().items():
        if not channel.facts.leads_to:
            continue
        rows = [row for row in await lines.open_lines(tx, name) if brand.shows_line(row.id)]
        for row in rows:
            queue_id = row.queue_id or default
            if queue_id is None:
                continue
            queue = await remembered.of(tx, queue_id)
            hours = await remembered.hours(tx, row.hours_id) if row.hours_id else queue.promise.hours
            found.append(_way(row, channel.facts, hours, queue, at, alone=len(rows) == 1))
    return sorted(found, key=lambda way: (not way.live, way.facts.name, way.id))


def _way(row: Row, facts: Facts, hours: OpeningHours, queue: QueueNow, at: datetime, *, alone: bool) -> Way:
    href = facts.leads_to.format(address=row.address)
    scheme = "" if href.startswith("/") else href.partition(":")[0]
    live = facts.media_class is not MediaClass.MAIL
    opens = is_open(hours, at)
    takes, seconds = _live(queue, opens=opens) if live else _mail(queue, at)
    otherwise = _("Write a message") if scheme else _("Start") if live else _("Open the form")
    return Way(
        row.id,
        facts,
        _(facts.label) if alone else row.name,
        row.address if scheme else _("On this website"),
        href,
        _(ACTS[scheme]) if scheme in ACTS else otherwise,
        live,
        opens,
        tuple(hours_in_words(hours)),
        now_in_words(hours, at),
        hours.zone,
        hours.closure(facts.name),
        takes,
        seconds,
    )


def _live(queue: QueueNow, *, opens: bool) -> tuple[str, float | None]:
    if not opens or queue.expected is None:
        return "", None
    return range_in_words(queue.expected), queue.expected.seconds


def _mail(queue: QueueNow, at: datetime) -> tuple[str, float | None]:
    expected = expected_at(queue.promise, at)
    if expected is None or queue.promise.hours.closed_now:
        return "", None
    zone = queue.promise.hours.zone
    lasts = expected - at
    if lasts <= LATER:
        return duration_in_words(lasts), lasts.total_seconds()
    day = expected.astimezone(zone_of(zone)).date()
    near = day - at.astimezone(zone_of(zone)).date() < timedelta(days=6)
    words = _("by %(day)s, %(time)s") % {
        "day": weekday(day) if near else day_in_words(expected, zone, at.date()),
        "time": moment_of_day(expected, zone),
    }
    return words, lasts.total_seconds()


def quickest(found: Sequence[Way]) -> Way | None:
    """The way that is answered first by what is known now; None when nothing is known of any."""
    known = [way for way in found if way.seconds is not None]
    return min(known, key=lambda way: (way.seconds, way.id)) if known else None


def by_kind(found: Sequence[Way]) -> list[tuple[Way, int]]:
    """Of each kind of line the quickest, with how many there are."""
    kinds: dict[str, list[Way]] = {}
    for way in found:
        kinds.setdefault(way.facts.name, []).append(way)
    return [(quickest(same) or same[0], len(same)) for same in kinds.values()]
