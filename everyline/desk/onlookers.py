"""Who else looks at a case, and who writes on it. Transient words over the bus; nothing of it is kept."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from everyline.desk.phrases import initials
from everyline.ground.bus import Bus
from everyline.people.permit import ground_of
from everyline.people.rules import Me

LOOKS_SECONDS = 25.0  # a browser says every ten seconds that it looks
WRITES_SECONDS = 12.0
KIND = "onlookers"


@dataclass(slots=True)
class Other:
    """Somebody on a case."""

    agent_id: int
    name: str
    looks_until: float
    writes_until: float = 0.0


class Onlookers:
    """Who is on which case, as this process has heard."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._by_case: dict[int, dict[int, Other]] = {}
        self._hearing = ExitStack()
        self._hearing.enter_context(bus.hearing(self._hear))

    def say(self, me: Me, case_id: int, *, writes: bool = False) -> None:
        """Tell everybody that one looks at a case, or writes on it."""
        self._bus.say({"kind": KIND, "case": case_id, "agent": me.id, "name": me.name, "writes": writes})

    def others(self, me: Me, case_id: int) -> list[dict[str, Any]]:
        """Who else is there, those who write first."""
        at = time.monotonic()
        found = [
            one for one in self._by_case.get(case_id, {}).values() if one.agent_id != me.id and one.looks_until > at
        ]
        found.sort(key=lambda one: (one.writes_until <= at, one.name))
        return [
            {"name": one.name, "initials": initials(one.name), "hue": one.agent_id, "writes": one.writes_until > at}
            for one in found
        ]

    def _hear(self, words: dict[str, Any]) -> None:
        if words.get("kind") != KIND:
            return
        at = time.monotonic()
        here = self._by_case.setdefault(words["case"], {})
        one = here.setdefault(words["agent"], Other(words["agent"], words["name"], 0.0))
        one.looks_until = at + LOOKS_SECONDS
        if words["writes"]:
            one.writes_until = at + WRITES_SECONDS
        if len(self._by_case) > 1000:
            self._forget(at)

    def _forget(self, at: float) -> None:
        for case_id, here in list(self._by_case.items()):
            if all(one.looks_until <= at for one in here.values()):
                del self._by_case[case_id]


def onlookers_of(connection: HTTPConnection) -> Onlookers:
    """The one of this process, made when it is first asked for."""
    state = connection.app.state
    found: Onlookers | None = getattr(state, "onlookers", None)
    if found is None:
        found = state.onlookers = Onlookers(ground_of(connection).bus)
    return found
