"""Appointments as calendars read them: iCalendar (RFC 5545) with the methods of iTIP (RFC 5546, section 3.2). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from everyline.ground.clock import now

FILE_NAME, MEDIA_TYPE = "appointment.ics", "text/calendar"
LONGEST_LINE = 75  # octets without the line break (RFC 5545, section 3.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One appointment. ``uid`` is its name in every calendar, ``revision`` grows with every change (SEQUENCE)."""

    uid: str
    revision: int
    starts: datetime
    ends: datetime
    summary: str
    description: str
    host: tuple[str, str]  # name and mailbox of who invites
    guest: tuple[str, str]
    cancelled: bool = False


def written(one: Invitation) -> bytes:
    """The file. Nobody is asked for an answer: it is agreed already."""
    method, status = ("CANCEL", "CANCELLED") if one.cancelled else ("REQUEST", "CONFIRMED")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Everyline//Appointments//EN",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{one.uid}",
        f"SEQUENCE:{one.revision}",
        f"DTSTAMP:{_moment(now())}",
        f"DTSTART:{_moment(one.starts)}",
        f"DTEND:{_moment(one.ends)}",
        f"SUMMARY:{_text(one.summary)}",
        f"DESCRIPTION:{_text(one.description)}",
        f"STATUS:{status}",
        f"ORGANIZER{_named(one.host[0])}:mailto:{_address(one.host[1])}",
        f"ATTENDEE{_named(one.guest[0])};PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{_address(one.guest[1])}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Section 3.3.11. Control characters have no place in it."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return _bare(re.sub(r"\r\n?|\n", r"\\n", escaped))


def _named(name: str) -> str:
    """A parameter's value in quotes, which can hold none (section 3.1)."""
    bare = _bare(name).replace('"', "'").strip()
    return f';CN="{bare}"' if bare else ""


def _address(mailbox: str) -> str:
    return "".join(_bare(mailbox).split())


def _bare(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", text)


def _folded(line: str) -> bytes:
    """A line cut where it is too long, never within a character."""
    parts: list[bytes] = []
    part = b""
    for sign in line:
        octets = sign.encode("utf-8", "replace")
        if len(part) + len(octets) > LONGEST_LINE - (1 if parts else 0):
            parts.append(part)
            part = b""
        part += octets
    return b"\r\n ".join([*parts, part]) + b"\r\n"
