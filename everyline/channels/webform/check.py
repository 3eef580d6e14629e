"""The test button: the form's page is made, and a test message comes in."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator

from everyline.channel_contract import Check, Door, Line, Raw, Refused, Severity
from everyline.channels.webform import pages, piece, stamps
from everyline.channels.webform.form import Typed
from everyline.ground.clock import now
from everyline.ground.words import _

ARRIVES_SECONDS = 10.0


async def check(line: Line, door: Door) -> AsyncIterator[Check]:
    """One step. The page is made as a customer gets it; what is handed in goes through the door as a form does."""
    started = time.monotonic()
    step = _("The form is shown, and our test message came in")
    pages.page(line, Typed(), stamp=stamps.make(line, now().timestamp()), embedded=False)
    probe = f"{line.signer.sign(0)}.{secrets.token_hex(16)}"
    body = piece.Submission(submission="", probe=probe).as_bytes()
    try:
        await door.accept(line, Raw(piece.identify(body), body))
        came = await door.arrived(line, piece.probe_id(probe), seconds=ARRIVES_SECONDS)
        detail = "" if came else _("It did not come in within %s seconds.") % round(ARRIVES_SECONDS)
    except (Refused, OSError) as error:
        came, detail = False, str(error)
    yield Check(
        step,
        Severity.OK if came else Severity.FAILED,
        detail=detail or f"/in/{line.channel}/{line.address}",
        milliseconds=round((time.monotonic() - started) * 1000),
        advice="" if came else _("Look whether the database and the disk of the installation are well."),
    )
