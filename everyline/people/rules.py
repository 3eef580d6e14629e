"""Who may do what. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


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
    "canned_answer.write": LEADS,  # those that others use too; everybody may keep their own
    "customer.read": ALL,
    "customer.write": ALL,
    "customer.merge": ALL,
    "queue.read": ALL,
    "queue.work": ALL,  # take offers, pick, transfer, wrap up
    "view.share": LEADS,
    "agent.read": ALL,
    "agent.direct": LEADS,  # change another agent's state
    "board.read": LEADS,
    "entry.direct": LEADS,  # move what waits, change its priority, give it to an agent, take a case over
    "threshold.write": LEADS,
    "quarantine.read": LEADS,
    "quarantine.act": LEADS,
    "line.read": LEADS,
    "line.write": ADMINS,
    "queue.write": ADMINS,
    "agent.write": ADMINS,
    "audit.read": ADMINS,
    "token.write": ADMINS,
    "installation.write": ADMINS,
    "flow.write": ADMINS,
    "recording.listen": ALL,  # agents only to calls in which they took part
    "recording.download": LEADS,
    "recording.keep": LEADS,  # until when, and whatever the date
    "figure.read": LEADS,
    "event.read": LEADS,
    "inbound.write": ADMINS,  # hand in raw pieces over the API
    "article.read": ALL,  # those for agents too, and drafts
    "article.write": ALL,  # drafts, translations, files, flags
    "article.publish": LEADS,  # what readers see, from when to when
    "article.arrange": LEADS,  # categories, owners, reviews, synonyms, gaps
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
    position: str = ""  # of events, before anything was read for the request: what comes later its page hears live

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


FREE_TRIES = {
    "name": 5,
    "address": 30,
}  # failures within the hour before waiting begins; behind one address sits a whole office
LONGEST_WAIT = 900  # seconds
_CONTROL = re.compile(r"[\x00-\x20\x7f\\\\]")


def seconds_to_wait(kind: str, failures: int) -> int:
    """How long after the last failure the next try is looked at, by ``name`` or by ``address``: 2, 4, 8 … seconds."""
    over = failures - FREE_TRIES[kind]
    return 0 if over < 0 else min(2 ** min(over + 1, 10), LONGEST_WAIT)


def own_path(wanted: str, otherwise: str = "/desk") -> str:
    """Where to go after signing in: a path of ours, never another site. Browsers read a backslash as a slash, and leave
    out tabs and line ends (URL standard, section 4.4), so that a path with one of these is none."""
    if not wanted.startswith("/") or wanted.startswith("//") or _CONTROL.search(wanted):
        return otherwise
    parts = urlsplit(wanted)
    return otherwise if parts.scheme or parts.netloc else wanted


def browser_words(user_agent: str) -> str:
    """What a browser is called, for the list of one's sign-ins: "Firefox, Linux"."""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    found = [next((name for sign, name in signs if sign in user_agent), "") for signs in (browsers, systems)]
    return ", ".join(filter(None, found)) or user_agent.partition(" ")[0][:40]
