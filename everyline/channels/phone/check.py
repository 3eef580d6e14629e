"""The test button: the piece of a call comes in, the trunk answers, somebody takes calls here, and a call of ours is heard."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import secrets
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from everyline.channel_contract import Check, Door, Line, Raw, Refused, Said, Severity
from everyline.channels.phone import piece, trunks
from everyline.channels.phone.piece import Piece
from everyline.channels.phone.settings import InstallSettings
from everyline.ground.words import _
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.trunks import TrunkState

ARRIVES_SECONDS = 10.0
TRUNK_SECONDS = 8.0


async def check(line: Line, door: Door) -> AsyncIterator[Check]:
    """Four steps. None of them rings anybody."""
    yield await _comes_in(line, door)
    if importlib.util.find_spec("sippy") is None:
        yield Check(
            _("What calls need is installed"),
            Severity.FAILED,
            advice=_("Install the extra for calls: pip install 'everyline[phone]'."),
        )
        return
    yield await _trunk_answers(line)
    yield _taken_here()
    from everyline.channels.phone import trying  # noqa: PLC0415 -- it loads numpy and the engine

    yield await trying.call_ourselves()


async def _comes_in(line: Line, door: Door) -> Check:
    started = time.monotonic()
    mark = piece.probe(line, secrets.token_bytes(16))
    body = Piece(event="probe", probe=mark).as_bytes()
    try:
        await door.accept(line, Raw(piece.identify(body), body))
        came = await door.arrived(line, piece.probe_id(mark), seconds=ARRIVES_SECONDS)
        detail = "" if came else _("It did not come in within %s seconds.") % round(ARRIVES_SECONDS)
    except (Refused, OSError) as error:
        came, detail = False, str(error)
    return Check(
        _("Our test piece of a call came in"),
        Severity.OK if came else Severity.FAILED,
        detail=detail,
        milliseconds=_since(started),
        advice="" if came else _("Look whether the database and the disk of the installation are well."),
    )


async def _trunk_answers(line: Line) -> Check:
    """Ask the trunk whether it is there, from a port of the test's own: a registration that stands is not touched."""
    step = _("The trunk answers")
    asked = trunks.trunks_of([line])
    if not asked:
        return Check(step, Severity.FAILED, advice=_("Say the host of your provider or telephone system."))
    started = time.monotonic()
    install, trunk = InstallSettings(), replace(asked[0], register=False, ping_seconds=TRUNK_SECONDS)
    at = Listening(install.host, 0, install.shown_as)
    try:
        async with SipExchange(at, [trunk], _refuse) as exchange:
            standing = exchange.trunks[0]
            async with asyncio.timeout(TRUNK_SECONDS):
                while standing.state in (TrunkState.UNCHECKED, TrunkState.TRYING):  # noqa: ASYNC110 -- nobody tells
                    await asyncio.sleep(0.05)
            up, said = standing.state is TrunkState.UP, standing.last_error
    except TimeoutError:
        up, said = False, _("It did not answer within %s seconds.") % round(TRUNK_SECONDS)
    except OSError as error:
        up, said = False, str(error)
    return Check(
        step,
        Severity.OK if up else Severity.FAILED,
        detail=said or f"{trunk.host}:{trunk.port}",
        milliseconds=_since(started),
        advice=""
        if up
        else _("Compare host and port with what your provider says, and let UDP through your firewall."),
        said=(
            Said(words=f"OPTIONS sip:{trunk.host}:{trunk.port}", ours=True),
            Said(by=trunk.host, words=said or "200 OK"),
        ),
    )


def _taken_here() -> Check:
    """Does somebody have the port on which calls come in? Then it cannot be had twice."""
    install = InstallSettings()
    step = _("Calls are taken on this machine")
    try:
        with socket.socket(socket.AF_INET6 if ":" in install.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((install.host, install.port))
        taken, said = False, ""
    except OSError as error:
        taken, said = error.errno == errno.EADDRINUSE, str(error.strerror)
    return Check(
        step,
        Severity.OK if taken else Severity.NOTE,
        detail=f"{install.host}:{install.port}" if taken else said,
        advice=""
        if taken
        else _("Nobody listens there. Start the process that moves sound, or look at it where it runs."),
    )


async def _refuse(call: object) -> None:
    reject = getattr(call, "reject", None)
    if reject is not None:
        reject(486)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
