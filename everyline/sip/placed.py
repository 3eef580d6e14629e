"""A call that we make: one trunk after the other until somebody answers or does not want to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from everyline.sip import refreshing
from everyline.sip.addresses import Named, Uri
from everyline.sip.calls import STANDING, Call, Exchange
from everyline.sip.dialog import Dialog
from everyline.sip.events import Answered, Attempt, CallState, Ended, EndReason, Ringing, reason_of
from everyline.sip.messages import Answer, Fields
from everyline.sip.trunks import TrunkStanding

ELSEWHERE = frozenset({0, 401, 403, 407, 408, 488, 500, 501, 502, 503, 504, 505})  # another trunk may do better


@dataclass(frozen=True)
class Caller:
    """Who is shown to those we call. ``number`` is E.164; ``withheld`` shows nobody."""

    number: str
    name: str = ""
    withheld: bool = False


class Ways(Exchange, Protocol):
    """What a call out needs of the exchange besides."""

    def standing(self, trunk: str) -> TrunkStanding:
        """How a trunk stands. Raises KeyError."""
        ...

    def reachable_at(self, name: str) -> Named:
        """The address at which we are called back."""
        ...


class PlacedCall(Call):
    """We call somebody. Ringing, Answered and Ended tell how it goes; ``attempts`` which trunks were tried."""

    def __init__(
        self,
        ways: Ways,
        route: tuple[str, ...],
        to: Uri | str,
        caller: Caller,
        offer: tuple[bytes, str],
        ring_seconds: float,
    ) -> None:
        super().__init__(ways, route[0] if route else "")
        self.attempts: tuple[Attempt, ...] = ()
        self._ways = ways
        self._route = route
        self._to = to
        self._caller = caller
        self._body = offer
        self._ring_seconds = ring_seconds
        self._heard = asyncio.Event()
        self._rang = False
        self._trying: asyncio.Task[Answer] | None = None
        self._why: Ended | None = None
        self._ids: tuple[str, ...] = ()

    async def run(self) -> None:
        """Try the trunks in order. Started by the exchange."""
        last = Answer(code=503, words="no trunk takes the call")
        for name in self._route:
            standing = self._ways.standing(name)
            why = standing.why_not_out()
            if why:
                self.attempts += (Attempt(name, 0, why),)
                continue
            self.trunk = name
            self.hold_on(standing)
            try:
                last = await self._try(standing)
            finally:
                if self.state is not CallState.CONNECTED:
                    self.release()
            self.attempts += (Attempt(name, last.code, last.words),)
            if self.state is CallState.CONNECTED:
                return
            if self._given_up() or self._rang or not (last.code in ELSEWHERE or 300 <= last.code < 400):
                break
        ended = self._why or Ended(reason_of(last.code), last.code, last.words)
        self.finish(replace(ended, code=ended.code or last.code, attempts=self.attempts))

    async def hang_up(self) -> None:
        """End the call, or take it back before it is answered."""
        if self.state in (CallState.TRYING, CallState.RINGING):
            self._give_up(Ended(EndReason.CANCELLED, by_us=True))
        await super().hang_up()

    def _give_up(self, why: Ended) -> None:
        self._why = self._why or why
        if self._trying is not None:
            self._trying.cancel()

    @property
    def ids(self) -> tuple[str, ...]:
        """One for each try."""
        return self._ids

    def _given_up(self) -> bool:
        return self._why is not None

    async def _try(self, standing: TrunkStanding) -> Answer:
        seconds = self._ways.usual_refresh
        answer = Answer(code=408)
        for _ in range(3):
            answer = await self._invite(standing, seconds)
            if answer.code != 422 or not seconds < (asked := refreshing.asked_for(answer)) <= 86_400:
                break
            seconds = asked
        return answer

    async def _invite(self, standing: TrunkStanding, seconds: int) -> Answer:
        if self._given_up():
            return Answer(code=487, words="taken back")
        dialog = self._dialog = self._begin(standing)
        self._ids += (dialog.call_id,)
        self._ways.enlist(self, dialog)
        fields = (*STANDING, *refreshing.asking(seconds, self._ways.least_refresh), *self._who_calls(standing))
        request = dialog.request("INVITE", fields, *self._body)
        self._heard.clear()
        clock = asyncio.get_running_loop()
        limits = [
            clock.call_later(standing.trunk.patience, self._impatient),
            clock.call_later(self._ring_seconds, self._give_up, Ended(EndReason.NO_ANSWER, by_us=True)),
        ]
        work = self._ways.ask(
            request, dialog, standing.trunk.name, target=standing.target, provisional=self._provisional(dialog)
        )
        self._trying = asyncio.ensure_future(work)
        try:
            answer = await self._trying
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return (
                Answer(code=487, words="taken back") if self._given_up() else Answer(code=408, words="no answer at all")
            )
        finally:
            self._trying = None
            for limit in limits:
                limit.cancel()
        if 200 <= answer.code < 300:
            dialog.confirm(answer)
            self._stands(answer)
            self._agreed(refreshing.agreed(answer, self._ways.least_refresh))
            self._their_body = answer.body
            self.tell(Answered(answer.body, answer.body_type))
        return answer

    def _impatient(self) -> None:
        if not self._heard.is_set() and self._trying is not None:
            self._trying.cancel()

    def _provisional(self, dialog: Dialog) -> Callable[[Answer], None]:
        def heard(answer: Answer) -> None:
            self._heard.set()
            if answer.code > 100 and self._dialog is dialog and self.state in (CallState.TRYING, CallState.RINGING):
                dialog.confirm(answer)
                self.state = CallState.RINGING
                self._rang = self._rang or answer.code == 180
                self.tell(Ringing(answer.code, answer.body, answer.body_type))

        return heard

    def _begin(self, standing: TrunkStanding) -> Dialog:
        trunk = standing.trunk
        if isinstance(self._to, Uri):
            target = self._to
        else:
            number = self._to if trunk.plus else self._to.lstrip("+")
            target = Uri("sip", number, trunk.realm_host, None if trunk.domain else trunk.port, {"user": "phone"})
        shown = self._caller.number if trunk.plus else self._caller.number.lstrip("+")
        ours = Named(Uri("sip", shown, trunk.realm_host), self._caller.name)
        if self._caller.withheld:
            ours = Named(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        reachable = self._ways.reachable_at(trunk.username or ("everyline" if self._caller.withheld else shown))
        return Dialog.beginning(ours, Named(target), reachable, target, standing.target)

    def _who_calls(self, standing: TrunkStanding) -> Fields:
        fields: Fields = (("privacy", "id"),) if self._caller.withheld else ()
        if standing.trunk.trusted and self._caller.number:
            fields += (("p-asserted-identity", f"<sip:{self._caller.number}@{standing.trunk.realm_host}>"),)
        return fields
