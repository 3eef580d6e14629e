"""The mail hosts of an address: what its domain says of them in DNS (SRV: RFC 6186, RFC 8314), else in the file that mail
programs ask for (autoconfig), else a host of the usual name that answers.

Whoever owns the typed domain says where we look, so nothing inside the own network is ever spoken to, and what they say is
only proposed: an admin sees the hosts before a password goes anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from everyline.channel_contract import Proposal
from everyline.channels.email.records import published
from everyline.ground import http
from everyline.ground.words import _

SECONDS = 10.0  # all of it
PAGE_SECONDS = 4.0
CONNECT_SECONDS = 3.0
LARGEST_PAGE = 128 * 1024  # bytes
MOST_RECORDS = 10

_HOST = re.compile(r"(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_SERVICES = {
    "imap": (("_imaps", "tls"), ("_imap", "starttls")),
    "smtp": (("_submissions", "tls"), ("_submission", "starttls")),
}
_SOCKETS = {"SSL": "tls", "STARTTLS": "starttls"}
_PAGES = (
    "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}",
    "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
)
_PORTS = {"imap": ((993, "tls"), (143, "starttls")), "smtp": ((465, "tls"), (587, "starttls"))}


class Place(NamedTuple):
    """Where to connect to, and as whom when that is known."""

    host: str
    port: int
    encryption: str  # tls, starttls
    user: str = ""


Places = dict[str, Place]  # by what is done there: imap, smtp


@dataclass(frozen=True, slots=True)
class Reach:
    """What is asked beside DNS."""

    pages: Sequence[str] = _PAGES
    ports: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=lambda: _PORTS)
    may: Callable[[str], bool] = http.is_public  # may this address be connected to?
    trusted: bool = False  # are the pages hosts of our own choice?


async def propose(address: str, reach: Reach | None = None, *, seconds: float = SECONDS) -> Proposal:
    """The hosts of an address in normal form. Bounded in time; raises nothing."""
    domain = address.rpartition("@")[2]
    said: Places = {}
    guessed: Places = {}
    if _HOST.fullmatch(domain):
        with contextlib.suppress(TimeoutError):  # what is there by then is kept
            async with asyncio.timeout(seconds):
                await _look(address, domain, reach or Reach(), said, guessed)
    found = {what: (said | guessed)[what] for what in _SERVICES if what in said or what in guessed}
    if not found:
        words = _("Nothing was found out about {domain}. Fill in what your mail provider says.")
    elif said:
        words = _("{domain} itself names its mail hosts: {hosts}.")
    else:
        words = _(
            "These hosts answer: {hosts}. {domain} itself says nothing, so compare them with your provider's words."
        )
    hosts = ", ".join(dict.fromkeys(place.host for place in found.values()))
    return Proposal(words.format(domain=domain, hosts=hosts), tuple(_groups(address, found)))


async def _look(address: str, domain: str, reach: Reach, said: Places, guessed: Places) -> None:
    """One source after the other, as long as something is missing."""
    _add(said, await _named(domain))
    if len(said) < len(_SERVICES):
        _add(said, await _configured(address, domain, reach))
    missing = [what for what in _SERVICES if what not in said]
    if missing:
        await _guess(domain, reach, missing, guessed)


def _add(found: Places, more: Places) -> None:
    for what, place in more.items():
        found.setdefault(what, place)


def _groups(address: str, found: Places) -> list[dict[str, str]]:
    groups = []
    for what, place in found.items():
        group = {f"{what}_host": place.host, f"{what}_port": str(place.port), f"{what}_encryption": place.encryption}
        if what == "imap":
            group |= {"incoming": "imap", "imap_user": place.user or address}
        elif place.user and place.user != (found["imap"].user if "imap" in found else address):
            group["smtp_user"] = place.user
        groups.append(group)
    return groups


# --- what the domain says in DNS -------------------------------------------------------------------------------------


async def _named(domain: str) -> Places:
    asked = [(what, service, encryption) for what, two in _SERVICES.items() for service, encryption in two]
    answers = await asyncio.gather(*(published(f"{service}._tcp.{domain}", "SRV") for _what, service, _by in asked))
    found: Places = {}
    for (what, _service, encryption), records in zip(asked, answers, strict=True):
        place = served(records or [], encryption)
        if place is not None:
            found.setdefault(what, place)
    return found


def served(records: Sequence[Any], encryption: str) -> Place | None:
    """The first host of SRV records: least priority, then most weight (RFC 2782). A root target says that there is none."""
    for record in sorted(records[:MOST_RECORDS], key=lambda one: (one.priority, -one.weight)):
        host = record.target.to_text(omit_final_dot=True).lower()
        if _HOST.fullmatch(host) and 0 < record.port < 65536:
            return Place(host, record.port, encryption)
    return None


# --- what it says in the file for mail programs ----------------------------------------------------------------------


async def _configured(address: str, domain: str, reach: Reach) -> Places:
    urls = [page.format(domain=domain, address=quote(address, safe="@")) for page in reach.pages]
    found: Places = {}
    for places in await asyncio.gather(*(_page(url, address, trusted=reach.trusted) for url in urls)):
        _add(found, places)
    return found


async def _page(url: str, address: str, *, trusted: bool) -> Places:
    if not (trusted or await _addresses(url.split("/")[2])):
        return {}  # the machine's own look-up of a name that is not there could take longer than all of this
    try:
        answer = await http.request(
            "GET", url, trusted=trusted, seconds=PAGE_SECONDS, most_bytes=LARGEST_PAGE, redirects=2
        )
    except http.HttpError:
        return {}
    return configured(answer.body, address) if answer.status == 200 else {}


def configured(page: bytes, address: str) -> Places:
    """The hosts that a configuration file names; none when it is no such file. Only encrypted ways with a password."""
    try:
        text = page.decode("utf-8")
        if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):  # entities could grow without end
            return {}
        root = ElementTree.fromstring(text)  # noqa: S314 -- holds no entity of its own, as looked at above
    except (ValueError, ElementTree.ParseError):
        return {}
    found: Places = {}
    for what, tag in (("imap", "incomingServer"), ("smtp", "outgoingServer")):
        for server in root.iterfind(f"./emailProvider/{tag}[@type='{what}']"):
            place = _server(server, address)
            if place is not None:
                found.setdefault(what, place)
    return found


def _server(server: ElementTree.Element, address: str) -> Place | None:
    host = _filled(server.findtext("hostname", ""), address).lower()
    port, encryption = server.findtext("port", "").strip(), _SOCKETS.get(server.findtext("socketType", "").strip())
    if not (_HOST.fullmatch(host) and encryption and port.isascii() and port.isdecimal() and len(port) < 6):
        return None
    user = _filled(server.findtext("username", ""), address)
    if len(user) > 320 or not user.isprintable():
        return None
    return Place(host, int(port), encryption, user) if 0 < int(port) < 65536 else None


def _filled(words: str, address: str) -> str:
    local, _at, domain = address.rpartition("@")
    for name, value in (("ADDRESS", address), ("LOCALPART", local), ("DOMAIN", domain)):
        words = words.replace(f"%EMAIL{name}%", value)
    return words.strip()


# --- hosts of the usual names, if they answer ------------------------------------------------------------------------


async def _guess(domain: str, reach: Reach, missing: Sequence[str], found: Places) -> None:
    takes = await published(domain, "MX") or []
    first = sorted(takes[:MOST_RECORDS], key=lambda one: one.preference)[:2]
    names = [record.exchange.to_text(omit_final_dot=True).lower() for record in first]
    provider = next(filter(None, (_above(name) for name in names if not f".{name}".endswith(f".{domain}"))), "")
    if provider:
        _add(found, {what: place for what, place in (await _named(provider)).items() if what in missing})
    own = [name for name in names if _HOST.fullmatch(name)]
    domains = [domain, *([provider] if provider else [])]
    asked = [
        (what, Place(host, port, encryption))
        for what in missing
        if what not in found
        for host in dict.fromkeys([f"{label}.{one}" for one in domains for label in (what, "mail")] + own)
        for port, encryption in reach.ports[what]
    ]
    answers = await asyncio.gather(*(_answers(place, reach.may) for _what, place in asked))
    for (what, place), answers_there in zip(asked, answers, strict=True):
        if answers_there:
            found.setdefault(what, place)


def _above(host: str) -> str:
    """The domain that a mail exchanger belongs to; empty where that could be everybody's, such as co.uk."""
    above = host.partition(".")[2]
    labels = above.split(".")
    shared = len(labels) < 2 or (len(labels) == 2 and len(labels[0]) <= 3 and len(labels[1]) == 2)
    return above if _HOST.fullmatch(above) and not shared else ""


async def _answers(place: Place, may: Callable[[str], bool]) -> bool:
    """Does somebody listen there? The name is looked up once, and one inner address is enough to leave it alone."""
    addresses = await _addresses(place.host)
    if not addresses or not all(may(address) for address in addresses):
        return False
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _reader, writer = await asyncio.open_connection(addresses[0], place.port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def _addresses(host: str) -> list[str]:
    records = await asyncio.gather(published(host, "A"), published(host, "AAAA"))
    return [record.address for found in records for record in found or ()]
