"""Agents as bits: whoever has a skill, is a member of a queue or has room for a call is an integer with their bits set. Pure."""

from __future__ import annotations

from heapq import heappush
from math import inf

from everyline.queues.rules import Candidate, has_room


class Crew:
    """The agents who could take something, by what they can and how they stand."""

    def __init__(self) -> None:
        self.agents: dict[int, Candidate] = {}
        self._slot: dict[int, int] = {}  # agent to bit
        self._at: list[Candidate | None] = []  # bit to agent
        self._vacant: list[int] = []
        self._version = 0  # counts changes of who could take what
        self._everybody = 0
        self._members: dict[int, int] = {}
        self._skilled: dict[tuple[int, int], int] = {}
        self._teams: dict[int, int] = {}
        self._ready = 0
        self._shown: dict[str, int] = {}  # media class to those who would be ready but for an offer of it
        self._settling: dict[str, int] = {}
        self._room: dict[tuple[str, str, int], int] = {}
        self._settles: list[tuple[float, int]] = []  # when something is kept from an agent no longer

    def put_agent(self, agent: Candidate) -> None:
        """An agent is new here, or something about them changed."""
        before = self.agents.get(agent.id)
        if before is None:
            slot = self._vacant.pop() if self._vacant else len(self._at)
            if slot == len(self._at):
                self._at.append(None)
            self._slot[agent.id] = slot
        slot = self._slot[agent.id]
        self.agents[agent.id] = self._at[slot] = agent
        bit = 1 << slot
        if before is None or (before.queue_ids, before.skills, before.team_id) != (
            agent.queue_ids,
            agent.skills,
            agent.team_id,
        ):
            if before is not None:
                self._forget(before, bit)
            self._everybody |= bit
            for queue_id in agent.queue_ids:
                self._members[queue_id] = self._members.get(queue_id, 0) | bit
            for skill, level in agent.skills.items():
                for least in range(1, level + 1):
                    self._skilled[skill, least] = self._skilled.get((skill, least), 0) | bit
            if agent.team_id is not None:
                self._teams[agent.team_id] = self._teams.get(agent.team_id, 0) | bit
            self._version += 1
        self._ready = self._ready | bit if agent.available and not agent.being_offered else self._ready & ~bit
        shown = agent.offered if agent.available and agent.being_offered else ""
        for media_class in {*self._shown, shown} - {""}:
            before_it = self._shown.get(media_class, 0)
            self._shown[media_class] = before_it | bit if media_class == shown else before_it & ~bit
        for media, room in self._room.items():
            self._room[media] = room | bit if has_room(agent, *media) else room & ~bit
        for media_class in {*self._settling, *agent.settling}:
            settling = self._settling.get(media_class, 0)
            self._settling[media_class] = settling | bit if media_class in agent.settling else settling & ~bit
        for until in agent.settling.values():
            if until < inf:  # else it ends by what is told of them
                heappush(self._settles, (until, agent.id))

    def drop_agent(self, agent_id: int) -> None:
        """An agent is here no longer."""
        agent = self.agents.pop(agent_id, None)
        if agent is None:
            return
        slot = self._slot.pop(agent_id)
        self._forget(agent, 1 << slot)
        self._ready &= ~(1 << slot)
        self._shown = {media_class: shown & ~(1 << slot) for media_class, shown in self._shown.items()}
        self._at[slot] = None
        self._vacant.append(slot)
        self._version += 1

    def _forget(self, agent: Candidate, bit: int) -> None:
        self._everybody &= ~bit
        for queue_id in agent.queue_ids:
            self._members[queue_id] &= ~bit
        for skill, level in agent.skills.items():
            for least in range(1, level + 1):
                self._skilled[skill, least] &= ~bit
        if agent.team_id is not None:
            self._teams[agent.team_id] &= ~bit

    def ready_in(self, queue_id: int, team_id: int | None = None) -> int:
        """How many agents of a queue, and of a team of it, are available and before no offer."""
        found = self._ready & self._members.get(queue_id, 0)
        return (found if team_id is None else found & self._teams.get(team_id, 0)).bit_count()
