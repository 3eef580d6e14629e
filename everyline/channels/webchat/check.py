"""The test button: a test message comes in as a visitor's does, and the script is there."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator

from everyline.channel_contract import Check, Door, Line, Raw, Refused, Severity
from everyline.channels.webchat import piece
from everyline.channels.webchat.piece import Utterance
from everyline.channels.webchat.widget import SCRIPT
from everyline.ground.pages import STATIC
from everyline.ground.words import _

ARRIVES_SECONDS = 10.0


async def check(line: Line, door: Door) -> AsyncIterator[Check]:
    """Two or three steps. What is handed in goes through the door as a visitor's message does."""
    started = time.monotonic()
    mark = piece.probe(line, secrets.token_bytes(16))
    body = Utterance(probe=mark).as_bytes()
    try:
        await door.accept(line, Raw(piece.identify(body), body))
        came = await door.arrived(line, piece.probe_id(mark), seconds=ARRIVES_SECONDS)
        detail = "" if came else _("It did not come in within %s seconds.") % round(ARRIVES_SECONDS)
    except (Refused, OSError) as error:
        came, detail = False, str(error)
    yield Check(
        _("Our test message came in"),
        Severity.OK if came else Severity.FAILED,
        detail=detail,
        milliseconds=round((time.monotonic() - started) * 1000),
        advice="" if came else _("Look whether the database and the disk of the installation are well."),
    )
    built = (STATIC / SCRIPT).exists()
    yield Check(
        _("The widget's script is there"),
        Severity.OK if built else Severity.FAILED,
        detail=f"/in/{line.channel}/{line.address}/widget.js",
        advice="" if built else _("Build it: make build."),
    )
    if not line.settings.sites:
        yield Check(
            _("A site may show the widget"),
            Severity.NOTE,
            advice=_("Name the sites that show it; until then only pages of this installation may."),
        )
