"""What the doctor looks at before anybody calls: the port on which calls come, and by which addresses trunks reach us."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from everyline.channel_contract import Check, Line, Severity
from everyline.channels.phone import notes
from everyline.channels.phone.settings import InstallSettings
from everyline.ground.settings import Settings
from everyline.ground.words import _, ngettext

MOST_NAMED = 5  # files; of more, the number says how many

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def examine(lines: Sequence[Line], product: Settings, *, running: bool) -> Iterator[Check]:
    """``running``: a process of ours that moves sound is there."""
    install = InstallSettings()
    yield sip_port(install, running=running)
    for host in dict.fromkeys(line.settings.host for line in lines if line.settings.host):
        yield from way_to(host, _addresses(host), install, product)
    yield from left_behind(product.data / "calls")


def left_behind(folder: Path) -> Iterator[Check]:
    """Recordings and messages that are on the disk and in no case: they are taken in when the process that moves sound begins."""
    found = list(notes.left(folder))
    if not found:
        return
    names = ", ".join(str(one.relative_to(folder)) for one in found[:MOST_NAMED])
    advice = _(
        "Start the process that moves sound anew: it takes them in. Its log says why one is left where it is; a line that is closed must be open for that."
    )
    words = ngettext(
        "%d recording or message of a call is in no case yet",
        "%d recordings or messages of calls are in no case yet",
        len(found),
    )
    yield Check(words % len(found), Severity.FAILED, names, advice=advice)


def sip_port(install: InstallSettings, *, running: bool) -> Check:
    """Is the port free, or ours?"""
    place = f"{install.host}:{install.port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in install.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((install.host, install.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and running:
            return Check(_("Calls are taken on %s") % place)
        if error.errno == errno.EADDRINUSE:
            advice = _("Another program has this port. End it, or choose another by EVERYLINE_PHONE_PORT.")
        else:
            advice = _("Set EVERYLINE_PHONE_HOST to an address of this machine, and EVERYLINE_PHONE_PORT above 1023.")
        return Check(_("Calls cannot be taken on %s") % place, Severity.FAILED, str(error.strerror), advice=advice)
    if running and install.port:
        advice = _(
            "A process that moves sound is there and does not listen: look into its log, and at EVERYLINE_PHONE_PORT."
        )
        return Check(_("Nobody takes calls on %s") % place, Severity.FAILED, advice=advice)
    return Check(_("%s is free for calls") % place)


def way_to(host: str, found: Iterable[Address], install: InstallSettings, product: Settings) -> Iterator[Check]:
    """Can this trunk reach us, and its sound? A private address of ours is nothing to a public one."""
    theirs = next(iter(found), None)
    if theirs is None:
        advice = _("Compare the host of the line with what your provider says, and look at this machine's name server.")
        yield Check(_("The trunk %s has an address") % host, Severity.FAILED, _("none is known"), advice=advice)
        return
    ours = _our_side(theirs)
    for what, at, shown, name in (
        (_("signals"), install.host, install.shown_as, "EVERYLINE_PHONE_SHOWN_AS"),
        (_("sound"), product.media_host, product.media_shown_as, "EVERYLINE_MEDIA_SHOWN_AS"),
    ):
        own = _read(at)
        step = _("%(host)s reaches us for %(what)s at %(at)s") % {"host": host, "what": what, "at": shown or at}
        if own is not None and own.is_loopback and not theirs.is_loopback:
            variable = name.replace("_SHOWN_AS", "_HOST")
            advice = (
                _("Set %s to an address of this machine that others reach: now only this machine itself does.")
                % variable
            )
            yield Check(step, Severity.FAILED, at, advice=advice)
            continue
        seen = _read(shown) or (ours if own is None or own.is_unspecified else own)
        unknown = not shown and name.startswith("EVERYLINE_MEDIA") and own is not None and own.is_unspecified
        if unknown or (theirs.is_global and seen is not None and not seen.is_global):
            advice = _(
                "The trunk is outside, this address is not seen there: set %s to the one that is, and pass its UDP ports on."
            )
            yield Check(step, Severity.FAILED, str(seen or at), advice=advice % name)
            continue
        yield Check(step)


def _read(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _addresses(host: str) -> list[Address]:
    """What a name means; empty when nobody knows."""
    if (known := _read(host)) is not None:
        return [known]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return []
    return [one for place in found if (one := _read(str(place[4][0]).partition("%")[0])) is not None]


def _our_side(theirs: Address) -> Address | None:
    """The address of this machine on the way there. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6 if theirs.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((str(theirs), 9))
            return _read(str(probe.getsockname()[0]))
    except OSError:
        return None
