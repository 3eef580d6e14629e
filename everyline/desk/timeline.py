"""A case as one timeline over all channels: pieces, notes and what happened in between. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from everyline.cases.rules import answer_subject
from everyline.channel_contract import Facts
from everyline.desk import call_shown, phrases
from everyline.desk.lists import channel_facts
from everyline.dispatch.rules import UNWANTED, is_own
from everyline.ground.words import _, mark

TAKEN_BACK = "taken back"
AGAIN = ("bounced", "failed", "unknown")  # states of a delivery that an agent may have sent again
_ACKNOWLEDGED = {
    "acknowledgement": mark("an acknowledgement went to %s"),
    "confirmation": mark("a confirmation went to %s"),
    "notice": mark("a notice went to %s"),
}


class _Entry(NamedTuple):
    at: datetime
    order: int  # among what happened in the same moment: what led to it, then what was said
    shown: dict[str, Any]


def assemble(
    subject: str,
    customer: str,
    messages: Sequence[Any],
    notes: Sequence[Any],
    events: Sequence[Any],
    deliveries: Sequence[Any],
    attachments: Sequence[Any],
    calls: Sequence[Any] = (),
    *,
    me_id: int,
    now: datetime,
    there: ZoneInfo,
    traces: bool = False,
) -> list[dict[str, Any]]:
    """Everything in order, under headings of days; what happened between two pieces folded into one line."""
    by_message = {row.message_id: row for row in deliveries if row.message_id is not None and row.state != TAKEN_BACK}
    files: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in attachments:
        if not row.inline and (row.message_id or row.note_id):
            key = ("m", row.message_id) if row.message_id else ("n", row.note_id)
            files.setdefault(key, []).append(
                {"name": row.name, "size": phrases.size(row.size), "href": f"/desk/attachments/{row.id}"}
            )
    entries: list[_Entry] = [
        _Entry(
            row.at,
            1,
            _piece(subject, customer, row, by_message.get(row.id), files.get(("m", row.id), []), me_id, now, there),
        )
        for row in messages
    ]
    entries += [_Entry(row.began_at, 0, call_shown.piece(row, now, there, traces=traces)) for row in calls]
    entries += [_Entry(row.at, 1, _note(row, files.get(("n", row.id), []), now, there)) for row in notes]
    entries += [_event(row.at, words, there) for row in events if (words := phrases.happened(row))]
    entries += [
        _event(row.sent_at, _(_ACKNOWLEDGED[row.kind]) % row.address, there)
        for row in deliveries
        if row.message_id is None and row.kind in _ACKNOWLEDGED and row.sent_at is not None
    ]
    entries.sort(key=lambda entry: (entry.at, entry.order))
    return _folded(entries, now, there)


def _folded(entries: Sequence[_Entry], now: datetime, there: ZoneInfo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    today = now.astimezone(there).date()
    last_day = None
    for at, _order, entry in entries:
        day = at.astimezone(there).date()
        if day != last_day:
            found.append({"kind": "day", "text": phrases.day(day, today)})
            last_day = day
        if entry["kind"] != "event":
            found.append(entry)
        elif found[-1]["kind"] == "events":
            found[-1]["events"].append(entry)
        else:
            found.append({"kind": "events", "events": [entry]})
    for one in found:
        if one["kind"] == "events":
            words = [event["text"] for event in one["events"]]
            shown = words if len(words) <= 3 else [words[0], words[-1]]
            one["gist"] = _capital(", ".join(dict.fromkeys(shown)))
            one["more"] = "" if len(words) <= 3 else _("and %d more") % (len(words) - 2)
    return found


def _event(at: datetime, words: str, there: ZoneInfo) -> _Entry:
    return _Entry(at, 0, {"kind": "event", "text": words, "time": phrases.clock(at, there)})


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _note(row: Any, files: list[dict[str, Any]], now: datetime, there: ZoneInfo) -> dict[str, Any]:
    name = row.agent_name or _("the system")
    return {
        "kind": "note",
        "id": f"note-{row.id}",
        "who": name,
        "author": {"initials": phrases.initials(name), "hue": row.agent_id or 0},
        "at": row.at,
        "when": phrases.clock(row.at, there),
        "title": phrases.day_and_time(row.at, now, there),
        "text": row.text,
        "files": files,
    }


def _piece(
    subject: str,
    customer: str,
    row: Any,
    delivery: Any | None,
    files: list[dict[str, Any]],
    me_id: int,
    now: datetime,
    there: ZoneInfo,
) -> dict[str, Any]:
    channel = channel_facts(row.channel)
    ours = row.direction == "out"
    facts = row.facts or {}
    # live text has no subject of its own: what stands there are its first words
    same = answer_subject(row.subject).lower() == answer_subject(subject).lower() or row.text.startswith(row.subject)
    foot = _foot(delivery, ours=row.agent_id == me_id, now=now, there=there) if ours and delivery is not None else None
    look = ("ours" if ours else "") + (f" {foot['look']}" if foot and foot["look"] else "")
    return {
        "kind": "piece",
        "id": row.id,
        "look": look,
        "channel": channel,
        "who": (row.agent_name or _("Everyline")) if ours else (facts.get("sender_name") or customer),
        "how": _how(row, channel, delivery),
        "beside": _beside(row, facts),
        "at": row.at,
        "when": phrases.clock(row.at, there),
        "title": phrases.day_and_time(row.at, now, there),
        "subject": "" if same or not row.subject else row.subject,
        "text": row.text,
        "quoted": row.quoted,
        "rich": row.rich,
        "formatted": row.formatted,
        "fields": list((facts.get("fields") or {}).items()),
        "remarks": facts.get("remarks") or [],
        "failures": [" ".join(filter(None, failure)) for failure in facts.get("failures") or []],
        "mark": row.kind if row.kind in ("automatic", "bounce", "acknowledgement") else "",
        "files": files,
        "foot": foot,
        "splits": not ours,
        "makes": ours and row.agent_id is not None and row.kind == "message" and bool(row.text),
    }


def _beside(row: Any, facts: dict[str, Any]) -> list[dict[str, str]]:
    """Who else got it, and where it asks answers to go; ``title`` is all of it, with addresses."""
    found = []
    own = {row.line_address} if row.line_address else set()
    everyone = [one for one in facts.get("recipients") or facts.get("copies") or [] if not is_own(one[1], own)]
    if everyone:
        names = ", ".join(name or address for _kind, address, name in everyone[:3])
        if len(everyone) > 3:
            names += " " + _("and %d more") % (len(everyone) - 3)
        title = ", ".join(f"{name} <{address}>" if name else address for _kind, address, name in everyone)
        found.append({"text": _("Copy to %s") % names, "title": title})
    if facts.get("reply_to"):
        _kind, address, name = facts["reply_to"]
        found.append({"text": _("Answers to %s") % address, "title": name})
    return found


def _how(row: Any, channel: Facts | Any, delivery: Any | None) -> str:
    label = _(channel.label)
    if row.direction == "out" and channel.pulled:
        return label
    if row.direction == "out":
        to = delivery.address if delivery is not None else row.address
        return _("%(channel)s to %(address)s") % {"channel": label, "address": to or _("nobody")}
    to = row.line_address or row.line_name
    return _("%(channel)s to %(address)s") % {"channel": label, "address": to} if to else label


def _foot(delivery: Any, *, ours: bool, now: datetime, there: ZoneInfo) -> dict[str, Any]:
    """What became of an answer: icon, words, and what can be done about it."""
    state, reason = delivery.state, " ".join((delivery.answer or "").split())[:300]
    reason = _(reason) if reason == UNWANTED else reason
    if state == "due" and delivery.attempts == 0 and delivery.due_at > now:
        words = _("Goes out at %s") % f"{delivery.due_at.astimezone(there):%H:%M:%S}"
        return {"icon": "clock", "text": words, "look": "going", "take_back": ours, "again": 0, "due": delivery.due_at}
    found: dict[str, Any] = {"look": "", "take_back": False, "again": delivery.id if state in AGAIN else 0, "due": None}
    if state in ("due", "claimed", "on wire"):
        again = _("Not taken yet, tried again at %(time)s: %(reason)s") % {
            "time": phrases.clock(delivery.due_at, there),
            "reason": reason,
        }
        return found | {
            "icon": "refresh",
            "text": again if state == "due" and delivery.attempts else _("Going out"),
            "look": "going",
        }
    if state == "arrived":
        return found | {
            "icon": "checks",
            "text": _("Arrived %s") % phrases.clock(delivery.ended_at or delivery.sent_at, there),
        }
    if state == "sent":
        sent = _("Sent %s") % phrases.clock(delivery.sent_at, there)
        refused = [line for line in (delivery.answer or "").splitlines()[1:] if line]
        if not refused:
            return found | {"icon": "check", "text": sent}
        words = _("%(sent)s, but a copy was refused: %(reason)s") % {"sent": sent, "reason": "; ".join(refused)[:300]}
        return found | {"icon": "warning", "text": words}
    words = {
        "bounced": _("Did not arrive: %s") % (reason or _("no reason was given")),
        "failed": _("Could not be sent: %s") % (reason or _("no reason was given")),
        "unknown": _("It is not known whether this went out: the line fell silent after it had everything."),
    }.get(state, state)
    return found | {"icon": "warning", "text": words, "look": "failed"}
