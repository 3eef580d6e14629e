"""Facts in words for people: times, spans, sizes, statuses, and what happened to a case. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from everyline.ground import moments
from everyline.ground.words import _, language, mark, ngettext

STATUSES = {
    "new": mark("new"),
    "open": mark("open"),
    "waiting for customer": mark("waiting for customer"),
    "waiting for others": mark("waiting for others"),
    "resolved": mark("resolved"),
    "closed": mark("closed"),
}
STATUS_TONES = {
    "new": "brand",
    "open": "brand",
    "waiting for customer": "",
    "waiting for others": "",
    "resolved": "good",
    "closed": "",
}
STATUS_ICONS = {
    "new": "star",
    "open": "book",
    "waiting for customer": "clock",
    "waiting for others": "clock",
    "resolved": "check",
    "closed": "lock",
}
# the languages offered where one is chosen
LANGUAGES = tuple("ar bn de en es fa fr hi hu it ja ko nl pl pt ru so sw tl tr uk ur vi zh".split())  # noqa: SIM905 -- read as a line
POINT_KINDS = {
    "mailbox": mark("Email address"),
    "number": mark("Phone number"),
    "handle": mark("Name on a network"),
    "postal": mark("Postal address"),
}
VISITOR = mark("Chat on a website")  # a kind that nobody adds by hand
POINT_ICONS = {"mailbox": "email", "number": "phone", "handle": "social", "postal": "post", "visitor": "talk"}


def _form(day: date, skeleton: str) -> str:
    return _formed(language(), day, skeleton)


@lru_cache(maxsize=8192)
def _formed(spoken: str, day: date, skeleton: str) -> str:
    from babel.dates import format_date, format_skeleton

    if skeleton == "full":
        return str(format_date(day, "full", locale=spoken))
    return str(format_skeleton(skeleton, datetime(day.year, day.month, day.day), locale=spoken))  # noqa: DTZ001 -- a day, in no zone


def moment(when: datetime, now: datetime, there: ZoneInfo) -> str:
    """As short as it can be told from others: the time today, the weekday this week, else the day."""
    local, today = when.astimezone(there), now.astimezone(there).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if timedelta(0) < today - local.date() < timedelta(days=6):
        return _form(local.date(), "EEE")
    return _form(local.date(), "MMMd" if local.year == today.year else "yMMMd")


def clock(when: datetime, there: ZoneInfo) -> str:
    """The time of day."""
    return f"{when.astimezone(there):%H:%M}"


def day(when: date, today: date) -> str:
    """A day as a heading."""
    if when == today:
        return _("Today")
    if today - when == timedelta(days=1):
        return _("Yesterday")
    return _form(when, "MMMMEEEEd" if when.year == today.year else "full")


def day_and_time(when: datetime, now: datetime, there: ZoneInfo) -> str:
    """A moment in full."""
    local = when.astimezone(there)
    return _("%(day)s, %(time)s") % {"day": day(local.date(), now.astimezone(there).date()), "time": f"{local:%H:%M}"}


def size(count: int) -> str:
    """Bytes in words."""
    if count < 1024:
        return ngettext("%d byte", "%d bytes", count) % count
    if count < 1024 * 1024:
        return _("%d kB") % round(count / 1024)
    return _("%.1f MB") % (count / 1024 / 1024)


def initials(name: str) -> str:
    """One or two letters for an avatar."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "?"


def language_name(code: str) -> str:
    """A language in the reader's own; empty for none."""
    return moments.language_names([code])[0][1] if code else ""


def status(name: str) -> str:
    """A case's status as people say it."""
    return _(STATUSES.get(name, name))


@dataclass(frozen=True, slots=True)
class Goal:
    """What the macro ``goal`` draws."""

    text: str
    left: float = 0.0  # per cent
    state: str = ""
    due: datetime | None = None
    seconds: int = 0


def goal(row: Any, now: datetime) -> Goal | None:
    """A case's goal: until when it wants an answer, or what it waits for."""
    if row.wakes_at is not None:
        return Goal(_("Snoozed"), state="held")
    if row.status in ("waiting for customer", "waiting for others"):
        return Goal(_("Waiting"), state="held")
    if row.status in ("resolved", "closed"):
        return Goal(status(row.status).capitalize(), 100, state="held")
    if row.due_at is None:
        return None
    left = (row.due_at - now).total_seconds()
    whole = max(
        60.0,
        (
            row.due_at - (row.moved_at if row.last_direction == "in" and row.moved_at < row.due_at else row.opened_at)
        ).total_seconds(),
    )
    if left <= 0:
        return Goal(_("%s late") % moments.span(-left), 0, "missed", row.due_at, int(whole))
    part = min(100.0, left / whole * 100)
    return Goal(moments.span(left), part, "soon" if part <= 20 else "", row.due_at, int(whole))


_HAPPENED: Mapping[str, str] = {
    "case.opened": mark("opened by %(actor)s"),
    "case.begun": mark("%(actor)s began to work on it"),
    "case.waits_for_customer": mark("%(actor)s set it to wait for the customer"),
    "case.waits_for_others": mark("%(actor)s set it to wait for others"),
    "case.resolved": mark("resolved by %(actor)s"),
    "case.reopened": mark("opened again by %(actor)s"),
    "case.settled_by_customer": mark("the customer said that all is solved"),
    "case.reopened_by_customer": mark("the customer opened it again"),
    "case.closed": mark("closed for good"),
    "case.snoozed": mark("snoozed by %(actor)s"),
    "case.woken": mark("back from snoozing"),
    "case.given": mark("given to %(agent)s by %(actor)s"),
    "case.described": mark("%(actor)s changed %(fields)s"),
    "case.linked": mark("linked to another case by %(actor)s"),
    "case.unlinked": mark("a link was taken away by %(actor)s"),
    "case.merged": mark("%(actor)s merged another case into this one"),
    "case.merged_away": mark("%(actor)s merged this case into another"),
    "case.split": mark("%(actor)s made a part of it a case of its own"),
    "case.transferred": mark("transferred to %(queue)s by %(actor)s"),
    "queue_entry.entered": mark("waits in %(queue)s"),
    "queue_entry.left": mark("waits no more"),
    "offer.made": mark("offered to %(agent)s"),
    "offer.timed_out": mark("%(agent)s let the offer pass"),
    "offer.declined": mark("%(agent)s declined"),
    "offer.withdrawn": mark("the offer was taken back"),
    "interaction.accepted": mark("accepted by %(agent)s"),
    "interaction.picked": mark("picked by %(agent)s"),
    "interaction.wraps_up": mark("%(agent)s wraps up"),
    "interaction.wrapped_up": mark("wrapped up by %(agent)s"),
    "call.contact_called": mark("%(actor)s called %(contact)s to the call"),
    "call.overseen": mark("%(actor)s listened to the call"),
    "callback.asked": mark("the customer asked to be called"),
    "callback.reached": mark("%(agent)s called back and reached them"),
    "callback.put_off": mark("called back by %(agent)s in vain, it is tried again"),
    "callback.given_up": mark("nobody was reached %(tries)s times: somebody has to decide what to do"),
    "delivery.bounced": mark("an answer did not arrive"),
    "delivery.unknown": mark("it is not known whether an answer went out"),
    "delivery.failed": mark("an answer could not be sent"),
    "delivery.sent_again": mark("%(actor)s had an answer sent again"),
    "message.taken_back": mark("%(actor)s took an answer back"),
}
_OVERSEEN = {
    "whisper": mark("%(actor)s whispered in the call"),
    "barge": mark("%(actor)s joined in the call"),
}
_FIELDS = {
    "subject": mark("the subject"),
    "priority": mark("the priority"),
    "tags": mark("the tags"),
    "language": mark("the language"),
}


def happened(event: Any) -> str:
    """What happened, in one clause; empty for what the timeline shows anyway."""
    sentence = _HAPPENED.get(event.kind)
    if sentence is None or (event.kind == "case.opened" and event.actor_id is None):
        return ""
    if event.kind == "case.given" and event.agent_id is None:
        sentence = mark("%(actor)s took its owner away")
    if event.kind == "call.overseen":
        sentence = _OVERSEEN.get(event.data.get("deed", ""), sentence)
    if event.kind == "call.contact_called" and event.data.get("fee"):
        sentence = mark("%(actor)s called %(contact)s to the call (fee: %(fee)s)")
    fields = [_(_FIELDS[name]) for name in event.data.get("fields", ()) if name in _FIELDS]
    return _(sentence) % {
        "actor": event.actor_name or _("the system"),
        "agent": event.agent_name or _("nobody"),
        "queue": event.queue_name or _("no queue"),
        "contact": event.data.get("contact", ""),
        "fee": event.data.get("fee", ""),
        "fields": ", ".join(fields) or _("its facts"),
        "tries": event.data.get("tries", ""),
    }
