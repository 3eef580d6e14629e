"""A call that came in."""

from __future__ import annotations

from everyline.sip import refreshing
from everyline.sip.calls import STANDING, Call, Exchange
from everyline.sip.dialog import Dialog
from everyline.sip.events import CallState, Ended, EndReason, reason_of
from everyline.sip.facts import CallFacts
from everyline.sip.messages import SDP, Fields, Reply, Request, words
from everyline.sip.thread import Handle
from everyline.sip.transfers import Replaces


class IncomingCall(Call):
    """Somebody calls. ``offer`` is the body that they sent; empty when they want to be offered something."""

    def __init__(
        self,
        exchange: Exchange,
        request: Request,
        handle: Handle,
        dialog: Dialog,
        facts: CallFacts,
        replaced: Call | None,
    ) -> None:
        super().__init__(exchange, facts.trunk)
        self.facts = facts
        self.offer = request.body
        self.offer_type = request.body_type
        self.takes_place_of = replaced
        self._dialog = dialog
        self._their_body = request.body
        self._request_of_call = request
        self._handle: Handle | None = handle

    def ring(self, body: bytes = b"", body_type: str = SDP, *, code: int = 0) -> None:
        """Let it ring there (180), or with a body let them hear something before anybody answers (183)."""
        if self._handle is not None and self.state in (CallState.TRYING, CallState.RINGING):
            self.state = CallState.RINGING
            if body:
                self._body = (body, body_type)
            self._say(self._handle, code or (183 if body else 180), self._reachable(), body, body_type)

    def answer(self, body: bytes, body_type: str = SDP) -> None:
        """Answer it; Answered follows when they have acknowledged, with what they sent along. Does nothing when it is over."""
        if self._handle is None or self.state not in (CallState.TRYING, CallState.RINGING):
            return
        handle, self._handle = self._handle, None
        self._body = (body, body_type)
        self._stands(self._request_of_call)
        refresh, fields = refreshing.answering(self._request_of_call, self._exchange.usual_refresh)
        self._agreed(refresh)
        self._wait_for_ack(handle)
        self._say(handle, 200, (*STANDING, *self._reachable(), *fields), body, body_type)
        if self.takes_place_of:
            self.takes_place_of.replaced()

    def reject(self, code: int = 486, *, fields: Fields = (), said: str = "") -> None:
        """Do not answer it: 486 busy, 480 nobody there, 603 not wanted, 404 no such number; ``said`` is what a telephone shows instead of what the
        code is called. Does nothing when it is over."""
        if self._handle is not None and self.state in (CallState.TRYING, CallState.RINGING):
            handle, self._handle = self._handle, None
            self._exchange.answer(handle, Reply(code, said or words(code), fields, tag=self.dialog.ours.tag))
            self.finish(Ended(reason_of(code), code, words(code), by_us=True))

    async def hang_up(self) -> None:
        """End it; before it was answered it is turned away as not reachable."""
        self.reject(480)
        await super().hang_up()

    def taken_back(self, handle: Handle) -> None:
        """They hung up before we answered, or at the same moment, and were faster."""
        if handle is self._handle or handle is self._waits_for_ack:
            self._handle = self._waits_for_ack = None
            self._acknowledged.set()
            self.finish(Ended(EndReason.CANCELLED, 487))
        super().taken_back(handle)

    def asked(self, request: Request, handle: Handle) -> None:
        """A request of the other side; a BYE before an answer ends what rings (RFC 3261, 15.1.2)."""
        waiting = self._handle
        super().asked(request, handle)
        if request.method == "BYE" and waiting is not None:
            self._handle = None
            self._say(waiting, 487)

    def _reachable(self) -> Fields:
        return (("contact", str(self.dialog.reachable_at)),)


def named_call(request: Request) -> Replaces | None:
    """The call that an INVITE wants to take the place of; None when it names none, or not exactly one."""
    found = request.all("replaces")
    return Replaces.read(found[0]) if len(found) == 1 else None
