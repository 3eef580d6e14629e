"""The log, followed event by event: wherever something was decided, the rules decide again on what was known then."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from everyline.ground.database import Tx
from everyline.ground.events import Event
from everyline.queues import queries
from everyline.queues.floor import Floor
from everyline.queues.recorded import entry_of
from everyline.queues.rules import SETTLING_SECONDS, Candidate, Entry, QueueRule


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided at a moment, and what is decided now on what was known then: pairs of entry and agent."""

    at: datetime
    then: frozenset[tuple[int, int]]
    now: frozenset[tuple[int, int]]


@dataclass(slots=True)
class _Hand:
    media_class: str
    channel: str
    weight: int
    case_id: int
    settles_at: float = 0
    held: bool = False


@dataclass
class Replay:
    """Follows the log and decides anew wherever something was decided."""

    queues: Sequence[QueueRule]
    agents: Iterable[Candidate]  # as they are arranged, nobody available yet
    languages: dict[str, int]
    floor: Floor = field(init=False)

    def __post_init__(self) -> None:
        self.floor = Floor(self.queues)
        for agent in self.agents:
            self.floor.put_agent(agent)
        self._hands: defaultdict[int, dict[int, _Hand]] = defaultdict(dict)  # agent to assignments
        self._entries: dict[int, Entry] = {}
        self._open: defaultdict[int, set[int]] = defaultdict(set)  # entry to the agents who are shown it

    def run(self, log: Sequence[Event]) -> list[Decision]:
        """Every decision of the log, beside the one that is made on the same facts now."""
        # what happens to one entry is told under its lock, so ids keep its order; numbers of transactions may not
        log = sorted(log, key=lambda event: event.position.id)
        groups: dict[tuple[datetime, str], list[Event]] = {}
        for event in log:
            if event.kind == "offer.made":
                groups.setdefault((event.at, event.data["seen"]), []).append(event)
        decisions: list[Decision] = []
        heard = [False] * len(log)
        for (at, seen), offers in groups.items():
            for index, event in enumerate(log):
                if not heard[index] and _visible(event, seen):
                    heard[index] = True
                    self.hear(event)
            made = self.floor.match(at.timestamp())
            decisions.append(
                Decision(
                    at,
                    frozenset((event.data["entry_id"], event.agent_id or 0) for event in offers),
                    frozenset((proposal.entry_id, agent) for proposal in made for agent in proposal.agent_ids),
                )
            )
        return decisions

    def hear(self, event: Event) -> None:
        """What one event changes on the floor."""
        at = event.at.timestamp()
        entry_id = event.data.get("entry_id", 0)
        match event.kind:
            case "queue_entry.entered":
                self._entries[entry_id] = entry_of(event, self.languages)
                self.floor.put_entry(self._entries[entry_id], at)
            case "queue_entry.raised":
                self._again(entry_id, at, priority=event.data["priority"])
            case "queue_entry.allotted":
                self._again(entry_id, at, team_id=event.data["team_id"], team_until=event.data["team_until"])
            case "queue_entry.left":
                self.floor.drop_entry(entry_id)
            case "offer.made":
                self._open[entry_id].add(event.agent_id or 0)
                self.floor.drop_entry(entry_id)
                self._put(event.agent_id, being_offered=True, offered=self._entries[entry_id].media_class)
            case "offer.declined" | "offer.timed_out" | "offer.withdrawn":
                self._offer_ends(event, entry_id, at)
            case "interaction.accepted" | "interaction.picked":
                self._taken(event, entry_id, at)
            case "interaction.held" | "interaction.resumed":
                self._hands[event.agent_id or 0][event.data["assignment_id"]].held = event.kind == "interaction.held"
                self._count(event.agent_id or 0)
            case "interaction.wrapped_up":
                hands = self._hands[event.agent_id or 0]
                hands.pop(event.data["assignment_id"], None)
                self._count(event.agent_id or 0, **({} if hands else {"idle_since": at}))
            case "interaction.wraps_up":
                self._read(event.agent_id or 0, event.case_id or 0)
            case "message.written":
                self._read(event.actor_id or 0, event.case_id or 0)
            case "agent.state_changed":
                available = event.data["state"] == "available"
                came = available and event.data["before"] != "available"
                self._put(event.agent_id, available=available, **({"idle_since": at} if came else {}))

    def _again(self, entry_id: int, at: float, **facts: Any) -> None:
        self._entries[entry_id] = replace(self._entries[entry_id], **facts)
        if entry_id in self.floor.entries:
            self.floor.put_entry(self._entries[entry_id], at)

    def _offer_ends(self, event: Event, entry_id: int, at: float) -> None:
        self._put(event.agent_id, being_offered=False, offered="")
        self._open[entry_id].discard(event.agent_id or 0)
        if event.kind != "offer.withdrawn":
            refused = self._entries[entry_id].refused_by | {event.agent_id or 0}
            self._entries[entry_id] = replace(self._entries[entry_id], refused_by=refused)
        if not self._open[entry_id] and event.data.get("reason") not in ("picked", "somebody else took it"):
            self.floor.put_entry(self._entries[entry_id], at)

    def _taken(self, event: Event, entry_id: int, at: float) -> None:
        agent_id, data = event.agent_id or 0, event.data
        self.floor.drop_entry(entry_id)
        offered = {"being_offered": False, "offered": ""} if agent_id in self._open[entry_id] else {}
        self._open[entry_id].discard(agent_id)
        settles_at = at + SETTLING_SECONDS if data["media_class"] == "mail" else 0
        self._hands[agent_id][data["assignment_id"]] = _Hand(
            data["media_class"], data["channel"], data["weight"], event.case_id or 0, settles_at
        )
        self._count(agent_id, handled=self.floor.agents[agent_id].handled + 1, **offered)

    def _read(self, agent_id: int, case_id: int) -> None:
        """What they took is read: it is answered, or done."""
        for hand in self._hands[agent_id].values():
            if hand.case_id == case_id:
                hand.settles_at = 0
        self._count(agent_id)

    def _count(self, agent_id: int, **facts: Any) -> None:
        hands = self._hands[agent_id].values()
        in_hand: Counter[str] = Counter()
        yields: Counter[str] = Counter()
        for hand in hands:
            in_hand[hand.media_class] += 1
            in_hand[f"={hand.channel}"] += 1
            if not hand.held:
                yields[hand.media_class] += hand.weight
        load = sum(hand.weight for hand in hands if not hand.held)
        settles_at = max((hand.settles_at for hand in hands), default=0)
        settling = {"mail": settles_at} if settles_at else {}
        self._put(agent_id, load=load, in_hand=in_hand, interruptible=yields, settling=settling, **facts)

    def _put(self, agent_id: int | None, **facts: Any) -> None:
        agent = self.floor.agents.get(agent_id or 0)
        if agent is not None:
            self.floor.put_agent(replace(agent, **facts))


def _visible(event: Event, snapshot: str) -> bool:
    """Whether an event was visible to a snapshot (``xmin:xmax:running``, as ``pg_current_snapshot`` writes it)."""
    least, beyond, running = snapshot.split(":")
    xid = event.position.xid
    return xid < int(least) or (xid < int(beyond) and str(xid) not in running.split(","))


async def replay(tx: Tx, log: Sequence[Event]) -> list[Decision]:
    """The decisions of a log, decided anew by the rules as they are arranged now."""
    agents = [
        replace(
            agent,
            available=False,
            being_offered=False,
            offered="",
            load=0,
            in_hand={},
            interruptible={},
            settling={},
            handled=0,
        )
        for agent in await queries.floor_agents(tx)
    ]
    languages = {row.language: row.id for row in await queries.all_skills(tx) if row.language}
    return Replay(await queries.floor_queues(tx), agents, languages).run(log)
