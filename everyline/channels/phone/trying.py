"""A call from ourselves to ourselves: what the test of a line does with sound."""

from __future__ import annotations

import asyncio
import time

from everyline.channel_contract import Check, Severity
from everyline.ground.words import _
from everyline.media import negotiation, progress, sdp
from everyline.media.engine import Engine
from everyline.media.errors import MediaError
from everyline.media.pulse import Pulse
from everyline.sip.events import Answered, Ended
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk

CALL_SECONDS = 8.0
HEARD_PACKETS = 20


async def call_ourselves() -> Check:
    """Over this machine's own network, with an engine of its own."""
    started = time.monotonic()
    engine = Engine("127.0.0.1")
    try:
        async with asyncio.timeout(CALL_SECONDS), Pulse(engine):
            said = await _call(engine)
    except TimeoutError:
        said = _("Nothing was heard within %s seconds.") % round(CALL_SECONDS)
    except (OSError, MediaError) as error:
        said = str(error)
    finally:
        engine.close()
    return Check(
        _("A test call from ourselves was answered and heard"),
        Severity.FAILED if said else Severity.OK,
        detail=said,
        milliseconds=round((time.monotonic() - started) * 1000),
        advice=_("Look whether this machine's own network lets UDP through.") if said else "",
    )


async def _call(engine: Engine) -> str:
    """What went wrong; empty when sound was heard."""

    async def answer(call: IncomingCall) -> None:
        leg = engine.open("test, called")
        agreed = negotiation.answer(sdp.parse(call.offer), leg.place)
        leg.agree(agreed)
        call.answer(sdp.write(agreed.ours))
        leg.play(progress.beep())
        async for _event in call.events():
            pass

    async def refuse(call: IncomingCall) -> None:
        call.reject(486)

    async with (
        SipExchange(Listening(), [Trunk("ourselves", "127.0.0.1")], answer) as there,
        SipExchange(Listening(), [Trunk("there", "127.0.0.1", there.port)], refuse) as here,
    ):
        leg = engine.open("test, calling")
        ours = negotiation.offer(leg.place)
        caller, offer = Caller("+12025550199"), sdp.write(ours)
        call = here.call("+12025550100", ("there",), caller=caller, rules=NumberRules(), offer=offer)
        async for event in call.events():
            if isinstance(event, Ended):
                return f"{event.code} {event.words}"
            if isinstance(event, Answered):
                leg.agree(negotiation.accept(ours, sdp.parse(event.body)))
                while leg.quality().received < HEARD_PACKETS:  # noqa: ASYNC110 -- a tick is 20 ms
                    await asyncio.sleep(0.02)
                await call.hang_up()
                return ""
    return ""
