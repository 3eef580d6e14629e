"""The left half of the desk: the ways to go with their counts, and one page of a list of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from everyline.cases import queries as cases
from everyline.channel_contract import Facts
from everyline.channel_registry import all_channels
from everyline.desk import phrases, places
from everyline.desk.places import Place
from everyline.desk.queries import statements
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.moments import zone
from everyline.ground.words import _, mark
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell

COUNTED_UP_TO = 200
MOST_QUEUES = 40  # whose events one page listens to, one by one
ROWS = 30  # on a page of a list
ROWS_BESIDE = 15  # beside a case that is opened by its address
ICONS = {
    "mine": "inbox",
    "unassigned": "person",
    "mentions": "at",
    "drafts": "pen",
    "snoozed": "snooze",
    "longest": "clock",
    "late": "flag",
    "all": "layers",
}
KEYS = {
    "mine": "g i",
    "unassigned": "g a",
    "mentions": "g m",
    "drafts": "g r",
    "snoozed": "g z",
    "longest": "g w",
    "late": "g l",
    "all": "g e",
}

_EMPTY = {
    "mine": (
        mark("Nothing waits for you"),
        mark("Cases that you own stand here. New work is offered to you as it comes."),
    ),
    "unassigned": (mark("Everything has an owner"), mark("Cases of your queues that nobody owns stand here.")),
    "mentions": (mark("Nobody called you"), mark("Cases in whose notes somebody wrote @ and your name stand here.")),
    "drafts": (mark("No drafts"), mark("What you begin to write is kept. Cases with a draft of yours stand here.")),
    "snoozed": (
        mark("Nothing is snoozed"),
        mark("What you snooze is out of sight until the time you chose, and stands here until then."),
    ),
    "longest": (
        mark("Nobody waits"),
        mark("Open cases stand here, the one in which nothing was said for longest first."),
    ),
    "late": (mark("Every goal is kept"), mark("Cases that should have been answered by now stand here.")),
    "all": (
        mark("Nothing here"),
        mark("The cases of all your queues stand here. New work is offered to those who are available."),
    ),
}


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Stands in for the channel of a case in which nothing was said yet."""

    name: str = ""
    label: str = mark("Case")
    icon: str = "desk"
    hue: int = 220


def channel_facts(name: str) -> Facts | Nowhere:
    """What marks a channel on the screen."""
    found = all_channels().get(name)
    return found.facts if found is not None else Nowhere()


async def resolve_place(tx: Tx, me: Me, place: Place, queues: Sequence[Row]) -> Place:
    """The place with its title and, for a saved view, what it narrows to. NotFound when it is not theirs."""
    if place.key in places.VIEWS:
        return replace(place, title=_(places.VIEWS[place.key]))
    if place.key.startswith("saved-"):
        for view in await cases.views(tx, me):
            if str(view.id) == place.key[6:]:
                kept = dict(view.filters)
                return place.saved_over(str(kept.get("base", "all")), kept, view.name)
    for queue in queues:
        if queue.id == place.queue_id and me.sees_queue(queue.id):
            return replace(place, title=queue.name)
    raise NotFound(_("There is no such list."))


async def frame(
    tx: Tx, me: Me, place: Place | None, queues: Sequence[Row], counts: Row | None = None
) -> dict[str, Any]:
    """The frame of the desk's pages, with the ways to go and their counts, which are read unless they were."""
    context: dict[str, Any]
    context, counts, saved = await tx.together(
        shell(tx, me, face=_("Everyline desk"), nav=[], nav_label=_("Views and queues"), add=add_item()),
        read_counts(tx, me, counts),
        cases.views(tx, me),
    )
    context["shell"]["nav"] = ways(me, place, queues, counts, saved)
    context["at"] = place.key if place else ""
    context["nav_topics"] = topics_of_scope(me)
    return context


def add_item() -> dict[str, Any]:
    """The button on top of the side bar."""
    return item(_("New case"), "/desk/new", icon="plus", key="c")


def topics_of_scope(me: Me) -> str:
    """What changes in everything that one sees. A stream has a bounded number of topics."""
    queues = ["queues"] if me.all_queues else [f"queue:{queue_id}" for queue_id in sorted(me.queue_ids)[:MOST_QUEUES]]
    return " ".join([f"agent:{me.id}", *queues])


async def read_counts(tx: Tx, me: Me, known: Row | None = None) -> Row:
    """How much stands in each view."""
    return known or await tx.one(
        statements.counts,
        {
            "me": me.id,
            "all_queues": me.all_queues,
            "queue_ids": None if me.all_queues else sorted(me.queue_ids),
            "at": now(),
            "most": COUNTED_UP_TO + 1,
        },
    )


def ways(me: Me, place: Place | None, queues: Sequence[Row], counts: Row, views: Sequence[Row]) -> list[dict[str, Any]]:
    """Views and queues with their counts."""
    at = now()
    here = place.key if place else ""

    def view(key: str, count: int = 0, **facts: Any) -> dict[str, Any]:
        shown = f"{COUNTED_UP_TO}+" if count > COUNTED_UP_TO else count
        return item(
            _(places.VIEWS[key]),
            f"/desk/views/{key}",
            icon=ICONS[key],
            key=KEYS[key],
            count=shown,
            current=key == here,
            **facts,
        )

    own = [
        view("mine", counts.mine),
        view("unassigned", counts.unassigned),
        view("mentions", counts.mentions, tone="brand", meaning=_("%d new") % counts.mentions),
        view("drafts", counts.drafts),
        view("snoozed", counts.snoozed),
    ]
    further = [
        view("longest"),
        view("late", counts.late, tone="bad", meaning=_("%d past their goal") % counts.late),
        view("all"),
    ]
    if me.may("entry.direct"):
        further.append(item(_("Live talks"), "/desk/talks", icon="talk", key="g t", current=here == "talks"))
    for saved in views:
        key = f"saved-{saved.id}"
        further.append(
            item(
                saved.name,
                f"/desk/views/{key}",
                icon="people" if saved.agent_id is None else "star",
                current=key == here,
            )
        )
    return [
        group("", own),
        group(_("Queues"), [queue_item(queue, here, at) for queue in queues if me.sees_queue(queue.id)]),
        group(_("Views"), further),
    ]


def queue_item(queue: Row, here: str, at: datetime) -> dict[str, Any]:
    """A queue with what waits in it; a queue whose oldest has waited past its goal says so."""
    late = queue.oldest is not None and (at - queue.oldest).total_seconds() > queue.goal_seconds
    facts = (
        {"tone": "warn", "meaning": _("%(count)d wait, the oldest past the goal") % {"count": queue.waiting}}
        if late
        else {}
    )
    return item(
        queue.name,
        f"/desk/queues/{queue.id}",
        hue=queue.hue,
        count=queue.waiting,
        current=here == f"queue-{queue.id}",
        **facts,
    )


async def read_list(
    tx: Tx, me: Me, place: Place, *, counts: Row | None = None, current: int = 0, most: int = ROWS
) -> dict[str, Any]:
    """One page of a list, as ``desk/list.html`` shows it. ``counts`` are read where they are needed, unless they were."""
    at = now()
    narrowed = places.filters(place, me, at)
    if place.before:
        found = await cases.listed(tx, me, narrowed, after=place.before, oldest_first=not place.oldest_first, most=most)
        rows, newer, older = list(reversed(found.rows)), found.after is not None, True
    else:
        found = await cases.listed(
            tx, me, narrowed, after=place.after or None, oldest_first=place.oldest_first, most=most
        )
        rows, newer, older = list(found.rows), bool(place.after), found.after is not None
    if not rows and (place.after or place.before):
        return await read_list(tx, me, replace(place, after="", before=""), counts=counts, current=current, most=most)
    here, there = place.here, zone(me.zone)
    asked = bool(place.narrowed.get("status"))
    # of one's own cases there are few enough to count them; a queue's counts stand in the side bar
    opened: int | None = None
    waiting: int | None = None
    if place.key == "mine" and not place.narrowed:
        counts = await read_counts(tx, me, counts)
        opened, waiting = counts.mine, counts.waiting
    return {
        "place": place,
        "rows": [shown_row(row, here, current, at, there) for row in rows],
        "newer": place.href(after="", before=_mark_of(rows[0])) if rows and newer else "",
        "older": place.href(after=_mark_of(rows[-1]), before="") if rows and older else "",
        "segments": [
            {
                "href": place.href(segment=key),
                "text": text,
                "current": place.segment == key and not asked,
                "count": count,
            }
            for key, text, count in (
                ("open", _("Open"), _bounded(opened)),
                ("waiting", _("Waiting"), _bounded(waiting)),
                ("all", _("All"), None),
            )
        ],
        "topics": list_topics(place, me),
        "empty": empty_words(place),
        "may_share": me.may("view.share"),
    }


def empty_words(place: Place) -> tuple[str, str]:
    """What an empty list says: what will stand here."""
    if place.narrowed and place.key not in _EMPTY:
        return _("Nothing fits"), _("No case fits these filters.")
    if place.narrowed:
        return _("Nothing fits"), _("No case of this list fits these filters.")
    if place.segment == "waiting":
        return _("Nothing waits for an answer"), _("Cases in which we wait for the customer or for others stand here.")
    title, text = _EMPTY.get(
        place.key,
        (mark("Nothing here"), mark("Cases of this queue stand here. New work is offered to those who are available.")),
    )
    return _(title), _(text)


def _bounded(count: int | None) -> str | int | None:
    return f"{COUNTED_UP_TO}+" if count is not None and count > COUNTED_UP_TO else count


def list_topics(place: Place, me: Me) -> str:
    """What a list listens to."""
    if place.queue_id is not None:
        return f"queue:{place.queue_id} agent:{me.id}"
    if place.key in ("mine", "mentions", "drafts", "snoozed"):
        return f"agent:{me.id}"
    return topics_of_scope(me)


def _mark_of(row: Row) -> str:
    return f"{row.moved_at.isoformat()}~{row.id}"


def shown_row(row: Row, here: str, current: int, at: datetime, there: ZoneInfo) -> SimpleNamespace:
    """One case as the macro ``list_row`` has it. By attribute: a template finds those many times faster than keys."""
    return SimpleNamespace(
        id=row.id,
        href=f"/desk/cases/{row.id}?{here}" if here else f"/desk/cases/{row.id}",
        channel=channel_facts(row.last_channel),
        customer=row.customer_name,
        subject=row.subject or _("(no subject)"),
        last=(_("You: %s") if row.last_direction == "out" else "%s") % row.last_words,
        moved_at=row.moved_at,
        when=phrases.moment(row.moved_at, at, there),
        goal=phrases.goal(row, at),
        owner={"name": row.owner_name, "initials": phrases.initials(row.owner_name), "hue": row.owner_id}
        if row.owner_id
        else None,
        line=row.line_name or "",
        new=row.unread,
        current=row.id == current,
        draft=row.has_draft,
        tags=row.tags[:2],
        urgent=row.priority if row.priority < 3 else 0,
        number=row.number,
        status=phrases.status(row.status),
    )
