"""One party of a call: an ear and a mouth of the engine, with the wire behind it, a telephone's or a browser's."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from everyline.call_contract import Heard, LegKind, LegNow, LegState
from everyline.channels.phone.gauge import Gauge
from everyline.ground.words import later, mark
from everyline.media import negotiation, sdp
from everyline.media.errors import MediaError
from everyline.media.events import Digit, Flowing, OneWay, Silent
from everyline.sip.calls import Refused
from everyline.sip.events import Answered, Ended, KeyPressed, Offered, Ringing
from everyline.sip.transfers import TransferAsked

if TYPE_CHECKING:
    from everyline.channels.phone.aside import Aside
    from everyline.media.legs import Leg
    from everyline.media.negotiation import Agreement
    from everyline.media.sdp import Description
    from everyline.sip.calls import Call


@dataclass(eq=False)
class Party:
    """Somebody in a call. ``wire`` is None for a browser, whose leg is not ours to close."""

    name: str
    kind: LegKind
    leg: Leg | None
    changed: Callable[[], None]
    wire: Call | None = None
    state: LegState = LegState.RINGING
    shown: str = ""
    agent_id: int | None = None
    number: str = ""
    heard: Heard = Heard.ALL
    remark: str = ""
    quiet_since: float | None = None  # no packet came since then
    apart: bool = False  # they talk with the agent alone
    rings: bool = False  # in their browser, until they answer
    keyed: Callable[[str], None] | None = None
    arrived: Callable[[], None] | None = None  # what to do when they answer, or let something be heard before
    referred: Callable[[TransferAsked], None] | None = None  # what to do when its telephone passes the call on
    holds: Callable[[], None] | None = None  # what to do when its telephone holds us, and when it does no more
    holding: bool = False  # its telephone holds us
    aside: Aside | None = None  # whom its telephone called meanwhile
    here: asyncio.Event = field(default_factory=asyncio.Event)  # it was answered
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: Ended | None = None
    ours: Description | None = None  # our offer, until it is answered
    gauge: Gauge = field(default_factory=Gauge)
    whole: dict[str, float] = field(default_factory=dict)  # how good it was, once it is over
    rang: asyncio.Event = field(default_factory=asyncio.Event)  # it rings there
    early: asyncio.Event = field(default_factory=asyncio.Event)  # something is heard before anybody answers

    def now(self) -> LegNow:
        """How it stands."""
        return LegNow(
            self.name,
            self.kind,
            self.state,
            self.shown,
            self.agent_id,
            self.number,
            muted=self.leg is not None and not self.leg.closed and self.leg.muted,
            heard=self.heard,
            quality=self._quality(),
            remark=self.remark,
        )

    def _quality(self) -> dict[str, float]:
        if self.leg is None or self.leg.closed or self.leg.agreement is None:
            return self.whole
        return self.gauge.lately(self.leg)

    def becomes(self, state: LegState, remark: str | None = None) -> None:
        """It stands otherwise."""
        self.state = state
        if remark is not None:
            self.remark = remark
        if state is LegState.GONE:
            self.gone.set()
        elif state is not LegState.RINGING:
            self.here.set()
        self.changed()

    def take_away(self) -> None:
        """Out of its mix; a leg of ours is closed, a browser's is as it was before."""
        leg = self.leg
        if leg is None or leg.closed:
            return
        self.whole = self.gauge.whole(leg) if leg.agreement is not None else {}
        if self.wire is not None:
            leg.close()
        else:
            if leg.mix is not None:
                leg.mix.remove(leg)
            leg.music = None
            leg.stop_prompts()
            leg.unmute()

    async def listen(self) -> None:
        """What its leg tells, until it is closed."""
        if self.leg is None:
            return
        async for event in self.leg.events():
            match event:
                case Digit(key=key):
                    if self.keyed:
                        self.keyed(key)
                case OneWay(to_us=True):
                    self.quiet_since = time.monotonic()
                    self._remarks(mark("Nothing is heard from them."))
                case OneWay():
                    self._remarks(mark("They do not hear us."))
                case Silent():
                    self._remarks(mark("They are silent."))
                case Flowing(to_us=to_us):
                    if to_us:
                        self.quiet_since = None
                    if self.quiet_since is None:
                        self._remarks("")
                case _:
                    pass

    def _remarks(self, words: str) -> None:
        if words != self.remark:
            self.remark = words
            self.changed()

    async def attend(self) -> None:
        """What its wire tells, until it is over: answers, changes, keys. Ends the party."""
        assert self.wire
        async for event in self.wire.events():
            match event:
                case Ringing(body=body):
                    self.rang.set()
                    if body and self.agreed(body):
                        self.early.set()
                        self._arrives()
                case Answered(body=body):
                    if body:
                        self.agreed(body)
                    if self.state is LegState.RINGING:
                        self.becomes(LegState.APART if self.apart else LegState.IN)
                    self._arrives()
                case Offered(body=body):
                    self._offered(body)
                case KeyPressed(key=key):
                    if self.keyed and not self._tells_keys():
                        self.keyed(key)
                case TransferAsked():
                    if self.referred is not None:
                        self.referred(event)
                    else:
                        event.decline()
                case Ended():
                    self.outcome = event
                case _:
                    pass
        self.take_away()
        self.becomes(LegState.GONE)

    def _tells_keys(self) -> bool:
        """Do keys come with the sound? Then those that are signalled besides are the same."""
        agreed = self.leg.agreement if self.leg is not None else None
        return agreed is not None and agreed.events is not None

    def _arrives(self) -> None:
        if self.arrived is not None and self.leg is not None and self.leg.agreement is not None:
            self.arrived()

    async def ask_for_life(self) -> None:
        """Is the other side still there? Whoever does not answer is ended by the wire itself."""
        if self.wire is None or self.leg is None or self.leg.closed or self.leg.agreement is None:
            return
        with contextlib.suppress(Refused):
            await self.wire.change(sdp.write(self.leg.agreement.ours))

    def offer(self) -> bytes:
        """Our offer to it."""
        assert self.leg
        self.ours = negotiation.offer(self.leg.place)
        return sdp.write(self.ours)

    def agreed(self, body: bytes) -> bool:
        """They answered our offer. False: there is nothing to speak by."""
        if self.leg is None or self.leg.closed or self.ours is None:
            return False
        try:
            self.leg.agree(negotiation.accept(self.ours, sdp.parse(body)))
        except MediaError as error:
            self._remarks(str(error))
            return False
        return True

    def _offered(self, body: bytes) -> None:
        """They change the call: other codecs, other places, hold and resume."""
        assert self.wire
        leg = self.leg
        if leg is None or leg.closed:
            self.wire.refuse()
            return
        before = leg.agreement.ours if leg.agreement else None
        if not body:
            self.ours = negotiation.offer(leg.place, before=before)
            self.wire.accept(sdp.write(self.ours))
            return
        try:
            agreed = negotiation.answer(sdp.parse(body), leg.place, before=before)
        except MediaError:
            self.wire.refuse()
            return
        leg.agree(agreed)
        self.wire.accept(sdp.write(agreed.ours))
        self._remarks(mark("They have put us on hold.") if agreed.held else "")
        if agreed.held is not self.holding:
            self.holding = agreed.held
            if self.holds is not None:
                self.holds()


async def first(*events: asyncio.Event) -> None:
    """Wait until one of these is so."""
    waiting = [asyncio.ensure_future(one.wait()) for one in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def agreement(leg: Leg, body: bytes) -> Agreement:
    """What their offer comes to. Raises MediaError."""
    found = negotiation.answer(sdp.parse(body), leg.place)
    leg.agree(found)
    return found


def words_for(reason: str, said: str) -> str:
    """Why a call was not answered, in words for agents (``words.later``)."""
    known = {
        "busy": mark("The line is busy."),
        "no_answer": mark("Nobody answers."),
        "declined": mark("They do not take the call."),
        "not_found": mark("There is no such number."),
        "unreachable": mark("They cannot be reached."),
        "congested": mark("All trunks are busy or down."),
    }
    return known.get(reason) or later(mark("The call did not go through: %s"), said.strip())
