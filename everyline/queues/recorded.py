"""A day as the events tell it: to be played through other rules, and to see that the same rules decide the same again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from everyline.ground.database import Tx
from everyline.ground.events import Event, Position, read_after
from everyline.queues import queries
from everyline.queues.expressions import both, needing
from everyline.queues.floor import Floor
from everyline.queues.rules import SETTLING_SECONDS, Candidate, Entry, QueueRule
from everyline.queues.simulation import Arrival, Change, Day

AT_ONCE = 10_000
PATIENCE_KNOWN = "abandoned"


def entry_of(event: Event, languages: dict[str, int]) -> Entry:
    """The entry that ``queue_entry.entered`` tells of; ``languages`` are skills by language."""
    data = event.data
    language = languages.get(data["language"])
    needs = {int(skill): level for skill, level in data.get("needs", {}).items()}
    spoken = language if language in needs else None
    needs.pop(spoken, None)  # type: ignore[arg-type]  # -- None is no key
    return Entry(
        data["entry_id"],
        event.queue_id or 0,
        datetime.fromisoformat(data["waiting_since"]).timestamp(),
        data["priority"],
        data["media_class"],
        data["channel"],
        data["weight"],
        data.get("offer_seconds", 60),
        both(needing(needs), data.get("wants", {})),
        spoken,
        tuple(data.get("preferred", ())),
        data.get("preferred_until") or 0,
        not_before=data.get("not_before") or 0,
    )


async def events_between(tx: Tx, begins: datetime, ends: datetime) -> list[Event]:
    """All events of a span of time, in commit order."""
    found: list[Event] = []
    position = Position(0, 0)
    while True:
        batch = await read_after(tx, position, most=AT_ONCE)
        found += [event for event in batch if begins <= event.at < ends]
        if len(batch) < AT_ONCE:
            return found
        position = batch[-1].position


# --- the same rules decide the same again -----------------------------------------------------------------------------


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
                self._put(event.agent_id, being_offered=True)
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
        self._put(event.agent_id, being_offered=False)
        self._open[entry_id].discard(event.agent_id or 0)
        if event.kind != "offer.withdrawn":
            refused = self._entries[entry_id].refused_by | {event.agent_id or 0}
            self._entries[entry_id] = replace(self._entries[entry_id], refused_by=refused)
        if not self._open[entry_id] and event.data.get("reason") not in ("picked", "somebody else took it"):
            self.floor.put_entry(self._entries[entry_id], at)

    def _taken(self, event: Event, entry_id: int, at: float) -> None:
        agent_id, data = event.agent_id or 0, event.data
        self.floor.drop_entry(entry_id)
        offered = {"being_offered": False} if agent_id in self._open[entry_id] else {}
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
            agent, available=False, being_offered=False, load=0, in_hand={}, interruptible={}, settling={}, handled=0
        )
        for agent in await queries.floor_agents(tx)
    ]
    languages = {row.language: row.id for row in await queries.all_skills(tx) if row.language}
    return Replay(await queries.floor_queues(tx), agents, languages).run(log)


# --- a recorded day as a day to simulate ------------------------------------------------------------------------------


async def recorded_day(tx: Tx, begins: datetime, ends: datetime) -> Day:
    """What came and who was there in a span of time. Work that is not over counts with the mean of its media class; the
    patience of those who were answered is taken to be without end."""
    log = await events_between(tx, begins, ends)
    languages = {row.language: row.id for row in await queries.all_skills(tx) if row.language}
    zero = begins.timestamp()
    worked: dict[int, tuple[float, float]] = {}
    patience: dict[int, float] = {}
    for event in log:
        if event.kind == "interaction.wrapped_up" and event.data.get("entry_id"):
            worked[event.data["entry_id"]] = (event.data["work_seconds"], event.data["wrap_up_seconds"] or 0)
        elif event.kind == "queue_entry.left" and event.data["outcome"] == PATIENCE_KNOWN:
            patience[event.data["entry_id"]] = event.data["waited_seconds"]
    entered = {
        event.data["entry_id"]: event
        for event in log
        if event.kind == "queue_entry.entered" and not event.data["moved"]
    }
    known: defaultdict[str, list[float]] = defaultdict(list)
    for entry_id, (seconds, _) in worked.items():
        if entry_id in entered:
            known[entered[entry_id].data["media_class"]].append(seconds)
    usual = {name: sum(each) / len(each) for name, each in known.items()}
    arrivals = []
    for entry_id, event in entered.items():
        entry = replace(entry_of(event, languages), since=event.at.timestamp() - zero, preferred=())
        seconds, wrap_up = worked.get(entry_id, (usual.get(entry.media_class, 300.0), 0.0))
        arrivals.append(Arrival(entry, seconds, wrap_up, patience.get(entry_id, float("inf"))))
    changes = [
        Change(event.at.timestamp() - zero, event.agent_id, available=event.data["state"] == "available")
        for event in log
        if event.kind == "agent.state_changed" and event.agent_id
    ]
    first = {change.agent_id: change for change in reversed(changes)}
    before = {
        event.agent_id: event.data.get("before") == "available"
        for event in reversed(log)
        if event.kind == "agent.state_changed"
    }
    agents = [
        replace(
            agent,
            available=before[agent.id] if agent.id in first else agent.available,
            idle_since=0,
            being_offered=False,
            load=0,
            in_hand={},
            interruptible={},
            settling={},
            handled=0,
        )
        for agent in await queries.floor_agents(tx)
    ]
    answer_seconds = {
        row.id: row.answer_seconds or row.goal_seconds for row in await tx.rows(queries.statements.floor_queues)
    }
    return Day(
        await queries.floor_queues(tx),
        agents,
        sorted(arrivals, key=lambda one: one.entry.since),
        changes,
        answer_seconds=answer_seconds,
    )
