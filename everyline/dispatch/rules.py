"""When to try again and when to stop; who gets an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from everyline.channel_contract import Address
from everyline.ground import markdown
from everyline.ground.addresses import MAILBOX, normal_mailbox
from everyline.ground.errors import Invalid
from everyline.ground.words import _, mark

MOST_ATTEMPTS = 12
FIRST_PAUSE = 20.0  # seconds
LONGEST_PAUSE = 4 * 3600.0
MOST_COPIES = 50
PURPOSES = {
    "reply": "service",
    "acknowledgement": "service",
    "survey": "surveys",
}  # what each kind is sent for; others were asked for
UNWANTED = mark("The customer does not want this sent to that address.")
CAN_WAIT = frozenset({"survey"})  # kinds that disturb, and are no worse for coming later

_NAMED = re.compile(r'\s*"?([^"<>]*?)"?\s*<([^<>]*)>\s*')


def pause(attempts: int, chance: float) -> timedelta:
    """How long to wait after the n-th failed attempt: doubling from 20 s to 4 h, spread by a fifth either way so that
    what failed together does not come again together. ``chance`` is a number from 0 to 1."""
    return timedelta(seconds=min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE) * (0.8 + 0.4 * chance))


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as it goes out."""

    text: str
    html: str  # empty: the text says all, or its channel carries none


def signed(text: str, html: str, signature: str) -> Written:
    """A text and its HTML with the signature below, in each in its own way."""
    if not signature:
        return Written(text, html)
    return Written(f"{text.rstrip()}\n\n-- \n{signature}\n", html + markdown.html("-- \n" + signature) if html else "")


def gives_up(attempts: int) -> bool:
    """Has it been tried often enough? Twelve attempts take about a day."""
    return attempts >= MOST_ATTEMPTS


def outcome_of(*, permanent: bool, unknown: bool) -> str:
    """What a failed attempt means. Cut off after the last moment without a word from the other side (``unknown``),
    nobody can tell whether it was taken: it is not sent again by itself."""
    if unknown:
        return "unknown"
    return "permanent" if permanent else "temporary"


def refused(kind: str, purposes: Collection[str]) -> bool:
    """Did the customer say no to what a delivery of this kind is for? ``purposes``: those they said no to."""
    return PURPOSES.get(kind) in purposes


def quiet_until(kind: str, quiet_from: str, until: str, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When a delivery of this kind may go out, if ``at`` is within the customer's quiet hours (``HH:MM`` of their zone, past
    midnight when they end before they begin); None: at once."""
    return undisturbed_until(quiet_from, until, zone, at) if kind in CAN_WAIT else None


def undisturbed_until(quiet_from: str, until: str, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the quiet hours that ``at`` is within are over; None: it is within none."""
    if not quiet_from or not until or quiet_from == until:
        return None
    there = at.astimezone(zone)
    clock = there.strftime("%H:%M")
    quiet = quiet_from <= clock < until if quiet_from < until else clock >= quiet_from or clock < until
    if not quiet:
        return None
    day = there.date() + timedelta(days=1 if clock >= until else 0)
    return datetime.combine(day, time.fromisoformat(until), zone)


def is_own(address: str, own: Collection[str]) -> bool:
    """Is this an address of one of our lines, with a case's reference in it or without?"""
    local, _at, domain = address.rpartition("@")
    return address in own or f"{local.partition('+')[0]}@{domain}" in own


def others(everyone: Iterable[Address], own: Collection[str], without: Collection[str]) -> tuple[Address, ...]:
    """Of those a message went to, who gets a copy of the answer: mailboxes, each once, none of ours, and nobody of
    ``without``."""
    found: dict[str, Address] = {}
    for one in everyone:
        if one.kind == MAILBOX and one.address not in without and not is_own(one.address, own):
            found.setdefault(one.address, one)
    return tuple(found.values())[:MOST_COPIES]


def copies(typed: Iterable[str], own: Collection[str], to: str) -> tuple[Address, ...]:
    """Whom an agent named for a copy, as ``name@example.org`` or ``Name <name@example.org>``, several apart by commas or
    semicolons; each once, and not who gets the answer itself. Raises Invalid with the words that are no address."""
    found: dict[str, Address] = {}
    for words in _apart(typed):
        named = _NAMED.fullmatch(words)
        name, address = (named[1], named[2]) if named else ("", words)
        try:
            address = normal_mailbox(address)
        except ValueError as error:
            said = _("“%s” is no email address. It looks like name@example.org.") % words[:100]
            raise Invalid(said, {"copies": said}) from error
        if is_own(address, own):
            said = _("%s is an address of ours: a copy would come back to us.") % address
            raise Invalid(said, {"copies": said})
        if address != to:
            found.setdefault(address, Address(MAILBOX, address, " ".join(name.split())[:200]))
    if len(found) > MOST_COPIES:
        said = _("At most %d copies with one answer.") % MOST_COPIES
        raise Invalid(said, {"copies": said})
    return tuple(found.values())


def _apart(typed: Iterable[str]) -> list[str]:
    """One piece for each address; a comma inside a name, as in ``Doe, Jane <jane@example.org>``, parts nothing."""
    found: list[str] = []
    for text in typed:
        begun = ""
        for piece in re.split(r"([,;\n])", text):
            begun += piece
            if "@" in piece:
                found.append(begun.strip(" ,;\n\t"))
                begun = ""
        if begun.strip(" ,;\n\t"):
            found.append(begun.strip(" ,;\n\t"))
    return found


def only_copies(failed: Sequence[str], address: str, copied: Collection[str]) -> bool:
    """Did what came back reach who it was written to, and only copies of it did not arrive? Unless every address that
    failed is known to be a copy's, it is taken for a failure of the whole."""
    lower = {one.strip().lower() for one in failed}
    return bool(lower) and address not in lower and lower <= set(copied)
