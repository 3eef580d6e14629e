"""Which list of cases somebody looks at: a view, a queue or a saved view, its segment, its filters and its page.

A place is written into addresses, so that a case knows the list it was opened from::

    /desk/views/mine?segment=waiting        /desk/queues/3?tag=urgent        /desk/cases/17?view=queue-3&tag=urgent
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from everyline.cases.queries import Filters
from everyline.cases.rules import Status
from everyline.ground.words import mark
from everyline.people.rules import Me

VIEWS = {
    "mine": mark("My cases"),
    "unassigned": mark("Unassigned"),
    "mentions": mark("Mentions"),
    "drafts": mark("Drafts"),
    "snoozed": mark("Snoozed"),
    "longest": mark("Waiting longest"),
    "late": mark("Past their goal"),
    "all": mark("All cases"),
}
SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "open": (Status.NEW, Status.OPEN),
    "waiting": (Status.WAITING_FOR_CUSTOMER, Status.WAITING_FOR_OTHERS),
    "all": (),
}
NARROWING = (
    "status",
    "queue",
    "owner",
    "tag",
    "language",
    "priority",
    "line",
    "unread",
)  # what the filter dialog asks for
_WHOLE = frozenset({"mentions", "drafts", "snoozed"})  # views that begin with everything


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is. ``key`` is a view, ``queue-<id>`` or ``saved-<id>``."""

    key: str = "mine"
    segment: str = "open"
    narrowed: Mapping[str, str] = field(default_factory=dict)
    oldest_first: bool = False
    after: str = ""  # a page further down
    before: str = ""  # a page further up
    base: str = ""  # of a saved view: the view or queue that it narrows
    title: str = ""

    @classmethod
    def read(cls, key: str, params: Mapping[str, str]) -> Place:
        """The place that an address names; what makes no sense in it is left out."""
        segment = params.get("segment", "")
        order = params.get("order", "")
        return cls(
            key,
            segment if segment in SEGMENTS else "all" if key in _WHOLE else "open",
            {name: value.strip()[:80] for name in NARROWING if (value := params.get(name, "")).strip()},
            order == "oldest" if order else key in ("longest", "late"),
            params.get("after", ""),
            params.get("before", ""),
        )

    @classmethod
    def of(cls, here: str) -> Place:
        """The place that a form remembers: what ``here`` gave."""
        params = dict(parse_qsl(here))
        return cls.read(params.get("view", "mine"), params)

    def query(self, **changes: Any) -> str:
        """All that is not in the path, as a query."""
        place = replace(self, **changes)
        usual = "all" if place.key in _WHOLE else "open"
        found = dict(place.narrowed)
        if place.segment != usual:
            found["segment"] = place.segment
        if place.oldest_first != (place.key in ("longest", "late")):
            found["order"] = "oldest" if place.oldest_first else "newest"
        for name in ("after", "before"):
            if getattr(place, name):
                found[name] = getattr(place, name)
        return urlencode(found)

    def href(self, **changes: Any) -> str:
        """The address of the list; a change of anything but the page begins at its first page."""
        if not {"after", "before"} & set(changes):
            changes |= {"after": "", "before": ""}
        path = f"/desk/queues/{self.key[6:]}" if self.key.startswith("queue-") else f"/desk/views/{self.key}"
        query = self.query(**changes)
        return f"{path}?{query}" if query else path

    @property
    def here(self) -> str:
        """The same place and page as the query of a case's address."""
        query = self.query()
        return f"view={self.key}&{query}" if query else f"view={self.key}"

    @property
    def queue_id(self) -> int | None:
        """The queue that the list is of."""
        key = self.base or self.key
        return int(key[6:]) if key.startswith("queue-") and key[6:].isdigit() else None

    def saved_over(self, base_key: str, filters: Mapping[str, Any], name: str) -> Place:
        """The place with the filters of a saved view beneath what is asked for now."""
        own = {key: str(filters[key]) for key in NARROWING if filters.get(key)}
        oldest = filters.get("order") == "oldest"
        return replace(
            self, base=base_key, narrowed={**own, **self.narrowed}, oldest_first=self.oldest_first or oldest, title=name
        )

    def kept(self) -> dict[str, Any]:
        """What a saved view of this place remembers."""
        return {"base": self.base or self.key, **self.narrowed, **({"order": "oldest"} if self.oldest_first else {})}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def filters(place: Place, me: Me, now: datetime) -> Filters:
    """The place as the filters of ``cases.queries``."""
    key, narrowed = place.base or place.key, place.narrowed
    statuses: tuple[str, ...] = SEGMENTS[place.segment]
    if narrowed.get("status"):
        statuses = (narrowed["status"],)
    owner = narrowed.get("owner", "")
    priority = _number(narrowed.get("priority", ""))
    return Filters(
        statuses=statuses,
        queue_id=place.queue_id if place.queue_id is not None else _number(narrowed.get("queue", "")),
        owner_id=me.id if key in ("mine", "snoozed") or owner == "me" else _number(owner),
        unowned=key == "unassigned" or owner == "nobody",
        mentions_of=me.id if key == "mentions" else None,
        drafts_of=me.id if key == "drafts" else None,
        snoozed=True if key == "snoozed" else False if place.segment == "open" else None,
        tag=narrowed.get("tag", "").lower(),
        language=narrowed.get("language", ""),
        priority=priority,
        unread=bool(narrowed.get("unread")),
        past_goal=now if key == "late" else None,
        line_id=_number(narrowed.get("line", "")),
    )
