"""Everything that waits and everybody who could take it, kept so that one decision is quick. Pure: no clock, no database.

Agents are bits: whoever has a skill, is a member of a queue, or has room for a call is an integer with their bits set, and
an expression is evaluated over all agents by a few operations on such integers. Entries that ask for the same stand in one
group in order of their turns, so that a decision looks at the first of each group and not at every entry.

The same code runs in the distributor, in the simulation and in the tests::

    floor = Floor([QueueRule(1)])
    floor.put_agent(Candidate(7, queue_ids=frozenset({1})))
    floor.put_entry(Entry(1, 1, since=0.0), now=5.0)
    floor.match(5.0)                      # [Proposal(entry_id=1, agent_ids=(7,), expires_at=65.0)]
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import Any

from everyline.queues.crew import Crew
from everyline.queues.expressions import NOTHING, Tree, both, mask
from everyline.queues.rules import INTERRUPTS, Entry, Proposal, QueueRule, Strategy, has_room, turn

Kind = tuple[Any, ...]  # all that decides who can take an entry


@dataclass(slots=True)
class _Group:
    """Entries that the same agents could take."""

    queue: QueueRule
    tree: Tree
    media: tuple[str, str, int]  # media class, channel, weight
    preferred: tuple[int, ...]
    outside: bool
    team_id: int | None
    refused_by: frozenset[int]
    tier: int
    turns: list[tuple[float, int]] = field(default_factory=list)
    static: int = 0  # who could take them if they were free
    version: int = -1  # of the floor, when that was found out


class Floor(Crew):
    """The entries that wait and the agents, by the rules of the queues."""

    def __init__(self, queues: Iterable[QueueRule] = ()) -> None:
        super().__init__()
        self.queues = {queue.id: queue for queue in queues}
        self.entries: dict[int, Entry] = {}
        self._groups: dict[Kind, _Group] = {}
        self._group_of: dict[int, Kind] = {}
        self._changes: list[tuple[float, int]] = []  # when an entry asks for something else
        self._reached: dict[int, frozenset[int]] = {}  # queue to the steps whose condition holds
        self._tiers = {queue.id: sorted(set(queue.delays.values()) - {0.0}) for queue in self.queues.values()}

    # --- entries -----------------------------------------------------------------------------------------------------

    def put_entry(self, entry: Entry, now: float) -> None:
        """An entry waits."""
        self.drop_entry(entry.id)
        self.entries[entry.id] = entry
        self._place(entry, now)

    def drop_entry(self, entry_id: int) -> None:
        """An entry waits no more."""
        entry = self.entries.pop(entry_id, None)
        if entry is not None:
            self._take_out(entry)

    def _take_out(self, entry: Entry) -> None:
        kind = self._group_of.pop(entry.id, None)
        if kind is None:
            return
        group = self._groups[kind]
        one = (turn(entry, group.queue.priority), entry.id)
        del group.turns[bisect_right(group.turns, one) - 1]
        if not group.turns:
            del self._groups[kind]

    def _place(self, entry: Entry, now: float) -> None:
        """Into the group of those who ask for the same at this moment; note when that changes."""
        queue = self.queues[entry.queue_id]
        tiers = [entry.since + delay for delay in self._tiers[queue.id]]
        tier = bisect_right(tiers, now)
        steps = [entry.since + step.after for step in queue.steps if step.after is not None]
        moments = [entry.preferred_until, entry.team_until, entry.not_before, *tiers, *steps]
        moments = [moment for moment in moments if moment > now]
        if moments:
            heappush(self._changes, (min(moments), entry.id))
            if len(self._changes) > 4 * len(self.entries) + 1000:  # what was noted more than once
                soonest = {number: change for change, number in sorted(self._changes, reverse=True)}
                self._changes = [(change, number) for number, change in soonest.items() if number in self.entries]
                heapify(self._changes)
        if entry.not_before > now:
            return
        step = self._step(queue, entry, now)
        preferred = entry.preferred if now < entry.preferred_until else ()
        team_id = entry.team_id if now < entry.team_until else None
        media = (entry.media_class, entry.channel, entry.weight)
        kind = (
            queue.id, step, tier, media, _frozen(entry.wants), entry.language, preferred, entry.outside, team_id, entry.refused_by,
        )  # fmt: skip
        group = self._groups.get(kind)
        if group is None:
            tree = self._tree(queue, step, entry)
            group = self._groups[kind] = _Group(
                queue, tree, media, preferred, entry.outside, team_id, entry.refused_by, tier
            )
        self._group_of[entry.id] = kind
        insort(group.turns, (turn(entry, queue.priority), entry.id))

    def _step(self, queue: QueueRule, entry: Entry, now: float) -> int:
        """The last step that is reached; 0: none."""
        held = self._reached.get(queue.id, frozenset())
        return max(
            (
                number
                for number, step in enumerate(queue.steps, 1)
                if number in held or (step.after is not None and now >= entry.since + step.after)
            ),
            default=0,
        )

    @staticmethod
    def _tree(queue: QueueRule, step: int, entry: Entry) -> Tree:
        asked = queue.steps[step - 1].wants if step else queue.wants
        speaks = entry.language is not None and (not step or queue.steps[step - 1].language)
        return both(asked, entry.wants, {"skill": entry.language, "least": 1} if speaks else NOTHING)

    def set_reached(self, queue_id: int, steps: frozenset[int], now: float) -> None:
        """The steps of a queue (counted from 1) whose condition holds; who waits already is moved at once."""
        if self._reached.get(queue_id, frozenset()) == steps:
            return
        self._reached[queue_id] = steps
        for entry in [entry for entry in self.entries.values() if entry.queue_id == queue_id]:
            self._take_out(entry)
            self._place(entry, now)

    def next_change(self) -> float | None:
        """When something changes by itself, an entry or an agent; None: nothing of the kind is ahead."""
        return min((heap[0][0] for heap in (self._changes, self._settles) if heap), default=None)

    def _advance(self, now: float) -> None:
        while self._settles and self._settles[0][0] <= now:
            agent = self.agents.get(heappop(self._settles)[1])
            if agent is not None and any(until <= now for until in agent.settling.values()):
                settling = {name: until for name, until in agent.settling.items() if until > now}
                self.put_agent(replace(agent, settling=settling))
        while self._changes and self._changes[0][0] <= now:
            entry = self.entries.get(heappop(self._changes)[1])
            if entry is not None:
                self._take_out(entry)
                self._place(entry, now)

    # --- decisions ---------------------------------------------------------------------------------------------------

    def match(self, now: float) -> list[Proposal]:
        """The offers to make now, in order of the entries' turns. No agent gets two, no entry is passed over for a later one
        that the same agent could take as well, unless the later one interrupts such as it and nobody else can take that."""
        self._advance(now)
        free = self._ready
        if not (free or any(self._shown.values())) or not self._groups:
            return []
        heads = [(*group.turns[0], index) for index, group in enumerate(self._groups.values())]
        groups = list(self._groups.values())
        heapify(heads)
        position = [0] * len(groups)
        queues: dict[int, Iterator[int]] = {}
        proposals: dict[int, Proposal] = {}
        left: list[tuple[float, int, int]] = []
        while heads and free:
            head = heappop(heads)
            _, entry_id, index = head
            group = groups[index]
            able = self._able(group) & free
            if not able:
                left.append(head)
                continue
            chosen = self._choose(group, able, queues, index)
            for slot in chosen:
                free &= ~(1 << slot)
            proposals[entry_id] = self._proposal(entry_id, chosen, now)
            position[index] += 1
            if position[index] < len(group.turns):
                heappush(heads, (*group.turns[position[index]], index))
        outranking = [head for head in (*left, *heads) if groups[head[2]].media[0] in INTERRUPTS]
        self._outrank(proposals, outranking, groups, position, free, now)
        return list(proposals.values())

    def _proposal(self, entry_id: int, chosen: list[int], now: float) -> Proposal:
        agents = [agent for slot in chosen if (agent := self._at[slot]) is not None]
        over = tuple(agent.id for agent in agents if agent.being_offered)
        return Proposal(entry_id, tuple(agent.id for agent in agents), now + self.entries[entry_id].offer_seconds, over)

    def _outrank(
        self,
        proposals: dict[int, Proposal],
        heads: list[tuple[float, int, int]],
        groups: list[_Group],
        position: list[int],
        free: int,
        now: float,
    ) -> None:
        """What found nobody free and interrupts other work takes those before whom an offer of such work stands, of before or of now;
        what was to be offered now looks for somebody else."""
        shown = dict(self._shown)
        fresh: dict[int, int] = {}  # slot to the entry that was to be offered there
        for entry_id, proposal in proposals.items() if heads else ():
            for slot in (self._slot[agent_id] for agent_id in proposal.agent_ids):
                fresh[slot] = entry_id
                media_class = self.entries[entry_id].media_class
                shown[media_class] = shown.get(media_class, 0) | 1 << slot
        heapify(heads)
        while heads:
            _, entry_id, index = heappop(heads)
            group = groups[index]
            yields = 0
            for media_class in INTERRUPTS[group.media[0]]:
                yields |= shown.get(media_class, 0)
            able = self._capable(group) & yields
            if not able:
                continue
            chosen = self._choose(group, able, {}, index)
            for slot in chosen:
                shown = {media_class: bits & ~(1 << slot) for media_class, bits in shown.items()}
            proposals[entry_id] = self._proposal(entry_id, chosen, now)
            for other in {fresh.pop(slot) for slot in chosen if slot in fresh}:
                free &= ~self._displace(proposals, other, proposals[entry_id].agent_ids, free, now)
            position[index] += 1
            if position[index] < len(group.turns):
                heappush(heads, (*group.turns[position[index]], index))

    def _displace(
        self, proposals: dict[int, Proposal], entry_id: int, gone: tuple[int, ...], free: int, now: float
    ) -> int:
        """An entry is not offered to these after all; when that leaves nobody, to whoever is still free. Returns who that is."""
        proposal = proposals.pop(entry_id)
        agents = tuple(agent_id for agent_id in proposal.agent_ids if agent_id not in gone)
        if agents:
            proposals[entry_id] = replace(proposal, agent_ids=agents)
            return 0
        group = self._groups[self._group_of[entry_id]]
        able = self._able(group) & free
        chosen = self._choose(group, able, {}, 0) if able else []
        if chosen:
            proposals[entry_id] = self._proposal(entry_id, chosen, now)
        return sum(1 << slot for slot in chosen)

    def could(self, entry_id: int) -> list[int]:
        """Agents who could take an entry if they were free, as it asks now."""
        kind = self._group_of.get(entry_id)
        return (
            []
            if kind is None
            else [agent.id for agent in map(self._at.__getitem__, _bits(self._static(self._groups[kind]))) if agent]
        )

    def unmet(self) -> list[int]:
        """Entries that nobody could take, however long they wait."""
        return [number for group in self._groups.values() if not self._static(group) for _, number in group.turns]

    def would_meet(self, queue_id: int, tree: Tree) -> int:
        """How many members of a queue fit an expression."""
        return (mask(tree, self._everybody, self._with) & self._members.get(queue_id, 0)).bit_count()

    def asked(self, entry_id: int) -> Tree:
        """The whole of what an entry asks for now."""
        kind = self._group_of.get(entry_id)
        return NOTHING if kind is None else self._groups[kind].tree

    def _with(self, skill: int, least: int) -> int:
        return self._skilled.get((skill, least), 0)

    def _static(self, group: _Group) -> int:
        if group.version != self._version:
            group.version = self._version
            if group.preferred and group.outside:
                found = self._everybody
            else:
                found = self._members.get(group.queue.id, 0)
                if group.tree:
                    found &= mask(group.tree, self._everybody, self._with)
                if group.team_id is not None:
                    found &= self._teams.get(group.team_id, 0)
                late = self._tiers[group.queue.id][group.tier :]
                for team, delay in group.queue.delays.items():
                    if delay in late:
                        found &= ~self._teams.get(team, 0)
            if group.preferred:
                found &= sum(1 << self._slot[agent] for agent in set(group.preferred) if agent in self._slot)
            group.static = found
        return group.static

    def _able(self, group: _Group) -> int:
        return self._capable(group) & self._ready

    def _capable(self, group: _Group) -> int:
        """Who could take it, but for other offers and their state."""
        room = self._room.get(group.media)
        if room is None:
            room = sum(1 << slot for slot, agent in enumerate(self._at) if agent and has_room(agent, *group.media))
            self._room[group.media] = room
        return self._static(group) & room & ~self._settling.get(group.media[0], 0)

    def _choose(self, group: _Group, able: int, queues: dict[int, Iterator[int]], index: int) -> list[int]:
        refused = sum(1 << self._slot[agent] for agent in group.refused_by if agent in self._slot)
        able = able & ~refused or able
        if group.preferred:
            return [
                self._slot[agent] for agent in group.preferred if agent in self._slot and able >> self._slot[agent] & 1
            ][:1]
        key = self._preference(group)
        if index not in queues:  # most decisions take one agent: the first is found without sorting them all
            queues[index] = iter(())
            if group.queue.rings == 1:
                return [min(_bits(able), key=key)]
        chosen: list[int] = []
        for attempt in (queues[index], None):
            if attempt is None:
                attempt = queues[index] = iter(sorted(_bits(able), key=key))
            for slot in attempt:
                if able >> slot & 1 and slot not in chosen:
                    chosen.append(slot)
                    if len(chosen) == group.queue.rings:
                        return chosen
        return chosen

    def _preference(self, group: _Group) -> Callable[[int], Any]:
        """Order among agents, smallest first."""
        at: list[Any] = self._at
        strategy = group.queue.strategy
        if strategy is Strategy.LEAST_OCCUPIED:
            return lambda slot: (at[slot].load, at[slot].idle_since, at[slot].id)
        if strategy is Strategy.FEWEST_HANDLED:
            return lambda slot: (at[slot].handled, at[slot].idle_since, at[slot].id)
        if strategy is Strategy.MOST_SKILLED:
            skills = sorted(_skills(group.tree))
            return lambda slot: (-sum(at[slot].skills.get(one, 0) for one in skills), at[slot].idle_since, at[slot].id)
        return lambda slot: (at[slot].idle_since, at[slot].id)


def _bits(bits: int) -> list[int]:
    """The places of the bits that are set."""
    return [place for place, digit in enumerate(reversed(f"{bits:b}")) if digit == "1"]


def _skills(tree: Tree) -> set[int]:
    """The skills that count for an entry; those that it must not have do not."""
    if "skill" in tree:
        return {tree["skill"]}
    return set().union(*(_skills(one) for name in ("all", "any") for one in tree.get(name, ())))


def _frozen(tree: Any) -> Any:
    """A tree as a key."""
    if isinstance(tree, dict):
        return tuple((name, _frozen(tree[name])) for name in sorted(tree))
    return tuple(_frozen(one) for one in tree) if isinstance(tree, list) else tree
