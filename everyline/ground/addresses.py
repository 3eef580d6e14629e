"""The kinds of address a customer can have, and the normal form of each.

A kind is not a channel: one number may be reachable by phone, text message and fax; one mailbox by mail and by form.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from everyline.ground.words import _

MAILBOX = "mailbox"
NUMBER = "number"
HANDLE = "handle"
POSTAL = "postal"
VISITOR = "visitor"  # who talks to us on a page: a name that we gave, which leads nowhere beyond it

_MAILBOX = re.compile(r"[^\s@<>\"(),:;\\\x00-\x1f\x7f]+@[^\s@<>\"(),:;\\\x00-\x1f\x7f]+")


def normal_mailbox(address: str) -> str:
    """Lower case, domain in its ASCII form (RFC 5890). Local parts are compared without case, as every large
    mail host does, although RFC 5321 section 2.4 would allow a difference.

    Raises ValueError when it is no address.
    """
    address = address.strip()
    if len(address) > 320 or not _MAILBOX.fullmatch(address):
        raise ValueError("an email address looks like name@example.org")
    local, _at, domain = address.rpartition("@")
    try:
        host = domain.rstrip(".").encode("idna").decode("ascii") if not domain.isascii() else domain.rstrip(".")
    except UnicodeError as error:
        raise ValueError("the part after @ is not a domain name") from error
    if not host or ".." in host:
        raise ValueError("the part after @ is not a domain name")
    return f"{local}@{host}".lower()


def normal_number(number: str) -> str:
    """E.164 with its plus sign (ITU-T E.164). Raises ValueError when it is no possible number."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, "US" if not number.strip().startswith("+") else None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("a number looks like +1 360 555 0142") from error
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("this number is too short or too long for its country")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def normal_handle(handle: str) -> str:
    """``name@network`` in lower case. Raises ValueError when either is missing."""
    name, _at, network = handle.strip().lstrip("@").rpartition("@")
    if not name or not network:
        raise ValueError("a handle looks like name@network")
    return f"{name}@{network}".lower()


def normal_postal(address: str) -> str:
    """Lines trimmed and joined by line feeds, runs of spaces folded. Raises ValueError when nothing is left."""
    lines = [" ".join(line.split()) for line in address.splitlines()]
    text = "\n".join(line for line in lines if line)
    if not text:
        raise ValueError("a postal address needs at least one line")
    return text


_VISITOR = re.compile(r"[a-z0-9][a-z0-9-]{7,99}")


def normal_visitor(name: str) -> str:
    """The name that we gave, in lower case. ValueError when we give no such names."""
    name = name.strip().lower()
    if not _VISITOR.fullmatch(name):
        raise ValueError("this is no visitor of ours")
    return name


KINDS: dict[str, Callable[[str], str]] = {
    MAILBOX: normal_mailbox,
    NUMBER: normal_number,
    HANDLE: normal_handle,
    POSTAL: normal_postal,
    VISITOR: normal_visitor,
}


def normal(kind: str, address: str) -> str:
    """The normal form of an address. Raises ValueError with words for people."""
    return KINDS[kind](address)


def shown(kind: str, address: str) -> str:
    """An address as people are shown it: a visitor's name of ours means nothing to anybody but its first letters."""
    return _("Visitor %s") % address[2:6].upper() if kind == VISITOR else address


def network(address: str) -> str:
    """Whom an address belongs to: itself, or its /64 for IPv6, of which every household has at least one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
