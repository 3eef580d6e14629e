"""What stands behind a figure: the entries, and what became of them; the agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from everyline.board import rules
from everyline.board.facts import NOW_SECONDS, AgentFacts, Group, Picture
from everyline.board.figures import ALL, CUTS, STATES, channels_of
from everyline.board.reading import statements
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.moments import zone
from everyline.ground.words import _
from everyline.measure.rules import day_bounds
from everyline.people.rules import Me

FIGURES = ("waiting", "now", "today")
PAGE = 50
LAST = datetime(9999, 1, 1, tzinfo=UTC)
FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the board and one of its figures."""

    by: str
    key: str
    figure: str = "waiting"

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Place:
        """From an address. NotFound when there is no such row."""
        by, key = params.get("by", "queue"), params.get("key", ALL)
        figure = params.get("figure", "waiting")
        name = key.removeprefix(f"{by}-")
        numbered = by in ("queue", "team")
        known = key == ALL or (key != name and (not numbered or (name.isascii() and name.isdigit() and len(name) < 19)))
        if by not in CUTS or figure not in FIGURES or not known:
            raise NotFound(_("There is no such figure."))
        return cls(by, key, figure)

    @property
    def value(self) -> str:
        """Which queue, channel, language or team."""
        return self.key.removeprefix(f"{self.by}-")

    def narrowed(self, me: Me) -> dict[str, Any]:
        """The place and one's scope, as statements take them. NotFound for a queue out of scope."""
        found: dict[str, Any] = {"queue_ids": None if me.all_queues else sorted(me.queue_ids)}
        found |= {"channel": None, "language": None, "team_id": None}
        if self.key == ALL:
            return found
        if self.by == "queue":
            if not me.sees_queue(int(self.value)):
                raise NotFound(_("There is no such queue."))
            found["queue_ids"] = [int(self.value)]
        elif self.by == "team":
            found["team_id"] = int(self.value)
        else:
            found[self.by] = self.value
        return found


def _position(after: str, usual: datetime) -> tuple[datetime, int]:
    """A position in a list, from its address. Invalid when it is none."""
    if not after:
        return usual, 0
    at, _colon, number = after.partition("~")
    try:
        return datetime.fromisoformat(at), int(number)
    except ValueError as error:
        raise Invalid(_("This page of the list is not there.")) from error


async def entries(tx: Tx, me: Me, place: Place, picture: Picture, after: str = "") -> tuple[list[dict[str, Any]], str]:
    """A page of the entries behind a figure, and where the next begins ("": this was the last)."""
    narrowed = place.narrowed(me)
    if place.figure == "waiting":
        at, number = _position(after, FIRST)
        rows = await tx.rows(
            statements.entries_behind, {**narrowed, "after_at": at, "after_id": number, "most": PAGE + 1}
        )
        end = f"{rows[PAGE - 1].waiting_since.isoformat()}~{rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    else:
        at, number = _position(after, LAST)
        begin = now() - timedelta(seconds=NOW_SECONDS)
        if place.figure == "today":
            begin, _end = day_bounds(now().astimezone(zone(picture.zone)).date(), zone(picture.zone))
        rows = await tx.rows(
            statements.ended_behind,
            {**narrowed, "begin": begin, "before_at": at, "before_id": number, "most": PAGE + 1},
        )
        end = f"{rows[PAGE - 1].left_at.isoformat()}~{rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    return [_entry(row, picture, place) for row in rows[:PAGE]], end


def _entry(row: Row, picture: Picture, place: Place) -> dict[str, Any]:
    queue = picture.queues.get(row.queue_id)
    found = {"row": row, "how": "", "in_time": False, "counts": True, "late": False}
    if place.figure == "waiting":
        until = rules.due(queue, row.waiting_since) if queue else None
        return found | {"late": until is not None and until < now()}
    outcome = "accepted" if row.state == "taken" else row.outcome
    group = Group(row.queue_id, row.channel, row.language, 0)
    ended = rules.ended(queue, row.id, group, outcome, row.waiting_since, row.left_at) if queue else None
    if ended is None:
        return found | {"counts": False, "how": row.outcome}
    return found | {"how": ended.how, "in_time": ended.in_time, "short": ended.short}


def agents(me: Me, place: Place, picture: Picture, state: str) -> list[AgentFacts]:
    """The agents behind a figure: of the row, in a state (or in any but offline), who are longest in it first."""
    seen = None if me.all_queues else me.queue_ids
    found = []
    for agent in picture.agents.values():
        mine = agent.queue_ids if seen is None else agent.queue_ids & seen
        if not mine and not (seen is None and agent.works):
            continue
        if (agent.state != state) if state in STATES else agent.state == "offline":
            continue
        if _stands_in(agent, mine, place, picture):
            found.append(agent)
    return sorted(found, key=lambda agent: (STATES.index(agent.state), agent.since))


def _stands_in(agent: AgentFacts, mine: frozenset[int], place: Place, picture: Picture) -> bool:
    if place.key == ALL:
        return True
    if place.by == "queue":
        return int(place.value) in mine
    if place.by == "channel":
        queues = (picture.queues[number] for number in mine if number in picture.queues)
        return any(place.value in channels_of(picture, queue) for queue in queues)
    if place.by == "language":
        return place.value in agent.languages
    return agent.team_id == int(place.value)
