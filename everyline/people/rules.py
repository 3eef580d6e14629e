"""Who may do what. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AGENT = "agent"


ALL = frozenset(Role)
LEADS = frozenset({Role.ADMIN, Role.SUPERVISOR})
ADMINS = frozenset({Role.ADMIN})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "own": ALL,  # one's own profile, state, drafts, sign-ins
    "case.read": ALL,
    "case.write": ALL,
    "customer.read": ALL,
    "customer.write": ALL,
    "customer.merge": ALL,
    "queue.read": ALL,
    "queue.work": ALL,  # take offers, pick, transfer, wrap up
    "view.share": LEADS,
    "agent.read": ALL,
    "agent.direct": LEADS,  # change another agent's state
    "quarantine.read": LEADS,
    "quarantine.act": LEADS,
    "line.read": LEADS,
    "line.write": ADMINS,
    "queue.write": ADMINS,
    "agent.write": ADMINS,
    "audit.read": ADMINS,
    "token.write": ADMINS,
    "installation.write": ADMINS,
    "event.read": LEADS,
    "inbound.write": ADMINS,  # hand in raw pieces over the API
}


@dataclass(frozen=True, slots=True)
class Me:
    """Whoever asks: an agent, by browser or by token."""

    id: int
    name: str
    email: str
    role: Role
    all_queues: bool
    queue_ids: frozenset[int]  # of scope and membership together
    language: str = "en"
    zone: str = "UTC"
    theme: str = "system"
    scopes: frozenset[str] | None = None  # of the token; None: a browser, all that the role may
    address: str = ""  # where the request came from

    def may(self, permission: str) -> bool:
        """Does the role, and the token's scopes if there are any, allow this?"""
        if self.role not in PERMISSIONS[permission]:
            return False
        return self.scopes is None or permission in self.scopes

    def sees_queue(self, queue_id: int | None) -> bool:
        """Is the queue within one's scope? Cases of no queue are for those who see all."""
        return self.all_queues or (queue_id is not None and queue_id in self.queue_ids)

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()

    @property
    def hue(self) -> int:
        """0 to 11, the avatar's ground."""
        return self.id % 12
