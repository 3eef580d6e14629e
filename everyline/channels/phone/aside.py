"""A call beside a call: an agent's telephone holds its caller and calls somebody else, to ask them, or to hand the caller over to them.

It comes to what is done in the desk by *Ask first*: whoever is called is apart with the agent while the caller hears music. The second wire is no
party of its own: it is the agent's other ear.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from everyline.call_contract import LegKind, LegState
from everyline.channels.phone import dialling, joining, living, referring
from everyline.channels.phone.parties import Party, agreement, first
from everyline.ground.words import _
from everyline.media import sdp
from everyline.media.errors import MediaError
from everyline.media.sockets import Latch

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall
    from everyline.sip.incoming import IncomingCall
    from everyline.sip.transfers import Replaces

log = logging.getLogger(__name__)


class Aside:
    """An agent's second call of this kind, as long as it lasts."""

    def __init__(self, call: OneCall, party: Party, second: Party, wire: IncomingCall, third: Party) -> None:
        self.call, self.party, self.second, self.wire, self.third = call, party, second, wire, third
        self.left = False  # their telephone has put the caller on hold
        self._answer = b""

    async def live(self) -> None:
        """Until one of the three is gone."""
        second, third = self.second, self.third
        try:
            await first(third.rang, third.early, third.here, third.gone, second.gone)
            if not (third.here.is_set() or third.gone.is_set() or second.gone.is_set()):
                self.wire.ring(self._answer if third.early.is_set() else b"")
                self.turn()
            await first(third.here, third.gone, second.gone, self.party.gone)  # who leaves while it rings hears no more
            if self.party.gone.is_set():
                return
            if third.here.is_set() and not second.gone.is_set():
                self.wire.answer(self._answer or second.offer())
                self.turn()
                await first(third.gone, second.gone, self.party.gone)
            elif third.outcome is not None:
                dialling.pass_refusal(self.wire, third.outcome)
        finally:
            self._end()

    def agree(self) -> None:
        """Take what the telephone offers. Raises MediaError."""
        assert self.second.leg is not None
        if self.wire.offer:
            self._answer = sdp.write(agreement(self.second.leg, self.wire.offer).ours)

    def turn(self) -> None:
        """The agent speaks where their telephone does not hold us: with whom they called, or with the caller again."""
        call, mix, third = self.call, self.call.mix, self.third
        if call.over.is_set() or self.party.state is LegState.GONE:
            return
        self.left = self.left or self.party.holding
        back = self.left and not self.party.holding
        ear, other = (self.party.leg, self.second.leg) if back else (self.second.leg, self.party.leg)
        if other is not None and other.mix is mix:
            mix.remove(other)
        if ear is not None and not ear.closed and ear.agreement is not None and ear.mix is None:
            mix.add(ear)
        inside = third.leg is not None and third.leg.mix is mix
        if back:
            if inside and third.leg is not None:
                mix.hold(third.leg)
                third.becomes(LegState.HELD)
            joining.resume(call)
            third.apart = True
        else:
            if third.state is LegState.HELD and inside and third.leg is not None:
                mix.resume(third.leg)
                third.becomes(LegState.APART)
            call.start(joining.hold(call, "apart"), "hold while somebody is asked")
        call.changed()

    def third_arrives(self) -> None:
        """Whom they called is there, or lets something be heard before."""
        joining.enter(self.call, self.third)
        self.turn()

    def names(self, replaces: Replaces, over: object) -> bool:
        """Is this call the other of the two that their telephone has?"""
        named = self.call.house.exchange.named(replaces)
        return named is not None and named is not over and named in (self.wire, self.party.wire)

    def _end(self) -> None:
        call, party, third = self.call, self.party, self.third
        party.aside = None
        living.hang_up(call, self.second)
        if call.over.is_set():
            return
        if third.leg is not None and third.leg.mix is call.mix:
            call.mix.resume(third.leg)
        if party.state is LegState.GONE:
            return
        if third.apart and third.state is not LegState.GONE:
            living.hang_up(call, third)
        if party.leg is not None and not party.leg.closed and party.leg.mix is None:
            call.mix.add(party.leg)
        if not party.holding:
            joining.resume(call)
        call.changed()


async def ask(call: OneCall, party: Party, wire: IncomingCall) -> None:
    """An agent's telephone calls somebody while it has a call: they are asked about its caller."""
    async with call.lock:
        if party.aside is not None or call.passing is not None or party.state is LegState.GONE or call.over.is_set():
            dialling.refuse(wire, 486, _("You have a call in hand already."))
            return
        leg = dialling.open_leg(call.house, Latch.FIRST, f"second call of {party.name} of call {call.key}")
        if leg is None:
            dialling.refuse(wire, 480, _("No more calls fit on this machine."))
            return
        second = Party("second", LegKind.AGENT, leg, call.changed, wire=wire, agent_id=party.agent_id)
        try:
            third = await referring.called(call, wire.facts.dialled, party)
        except joining.Unreachable as error:
            leg.close()
            dialling.refuse(wire, 403, str(error))
            return
        third.apart = True
        aside = Aside(call, party, second, wire, third)
        try:
            aside.agree()
        except MediaError:
            leg.close()
            living.hang_up(call, third)
            wire.reject(488)
            return
        third.arrived = aside.third_arrives
        second.referred = lambda asked: referring.asked_by(call, party, asked, over=wire)
        second.keyed = lambda key: dialling.press(third, key)
        party.aside = aside
        await joining.hold(call, "apart")
        living.attend(call, second)
        call.start(aside.live(), f"asking by {party.name}")
        call.changed()
