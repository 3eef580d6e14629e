"""One call, whichever side began it: what both sides do while it stands.

A call belongs to one event loop. Whoever owns it reads ``events`` to the end and gives orders by the verbs; each verb says
what it raises. Bodies are bytes that are passed through.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Protocol

from everyline.sip import keys, refreshing
from everyline.sip.dialog import ALLOWED, SUPPORTED, Dialog
from everyline.sip.events import (
    Answered,
    CallState,
    Ended,
    EndReason,
    KeyPressed,
    Offered,
    OfferWithdrawn,
    Ringing,
    reason_of,
)
from everyline.sip.messages import SDP, Answer, Fields, Reply, Request, words
from everyline.sip.refreshing import Refresh
from everyline.sip.thread import Handle
from everyline.sip.trace import Line
from everyline.sip.transfers import TransferAsked, Transfers
from everyline.sip.trunks import TrunkStanding

log = logging.getLogger(__name__)
CallEvent = Ringing | Answered | Offered | OfferWithdrawn | KeyPressed | TransferAsked | Ended
MOST_EVENTS = 500
OFFER_SECONDS = 8.0
GLARE_SECONDS = (2.1, 4.0)
STANDING: Fields = (("allow", ALLOWED), ("supported", SUPPORTED))


class Refused(Exception):
    """The other side did not do what it was asked. ``code`` is SIP's."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code
        self.words = words


class Exchange(Protocol):
    """What a call needs of the exchange that it belongs to."""

    @property
    def least_refresh(self) -> int:
        """The least seconds between signs of life that we take part in."""
        ...

    @property
    def usual_refresh(self) -> int:
        """The seconds between signs of life where the other side names none."""
        ...

    def answer(self, handle: Handle, reply: Reply) -> None:
        """Answer a request."""
        ...

    async def ask(
        self,
        request: Request,
        dialog: Dialog,
        trunk: str,
        *,
        target: tuple[str, int] | None = None,
        provisional: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Send a request and wait for its final answer, proving who we are where that is asked.

        It goes where the dialog leads, or to ``target``. When whoever waits is cancelled, so is an INVITE.
        """
        ...

    def pending(self, handle: Handle, call: Call) -> float:
        """An INVITE of this call waits for its acknowledgement; returns the seconds that it may take."""
        ...

    def enlist(self, call: Call, dialog: Dialog) -> None:
        """Requests of this dialog are the call's from now on."""
        ...

    def dismiss(self, call: Call) -> None:
        """The call is over: it is looked for no more."""
        ...

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that goes on by itself, until the exchange is closed."""
        ...

    def part(self, farewell: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a farewell: the exchange does not close while one is being said, within reason."""
        ...

    def trace_of(self, call_id: str) -> tuple[Line, ...]:
        """The messages of a call."""
        ...


class Call:
    """What calls in and calls out have in common."""

    def __init__(self, exchange: Exchange, trunk: str) -> None:
        self.trunk = trunk
        self.state = CallState.TRYING
        self.outcome: Ended | None = None
        self.attention: object = None  # whatever the call's owner wants to find at it
        self._exchange = exchange
        self._dialog: Dialog | None = None
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._body: tuple[bytes, str] = (b"", SDP)
        self._their_body = b""
        self._offer: tuple[Handle, Request] | None = None
        self._offer_timer: asyncio.TimerHandle | None = None
        self._changing = False
        self._refresh: Refresh | None = None
        self._refresh_timer: asyncio.TimerHandle | None = None
        self._waits_for_ack: Handle | None = None
        self._ack_timer: asyncio.TimerHandle | None = None
        self._acknowledged = asyncio.Event()
        self._acknowledged.set()
        self._they_update = False
        self._held: TrunkStanding | None = None
        self._transfers = Transfers(self._request, self._ended_by_transfer)

    def hold_on(self, standing: TrunkStanding) -> None:
        """The call takes one of a trunk's places."""
        self._held = standing
        standing.calls += 1

    def release(self) -> None:
        """It gives the place back."""
        if self._held:
            self._held.calls -= 1
            self._held = None

    @property
    def id(self) -> str:
        """The Call-ID, by which its trace is found."""
        return self._dialog.call_id if self._dialog else ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every Call-ID that it had: a call out has another with each trunk that it tries."""
        return (self.id,) if self.id else ()

    @property
    def dialog(self) -> Dialog:
        """The dialog. Raises LookupError before there is one."""
        if self._dialog is None:
            raise LookupError("there is no dialog yet")
        return self._dialog

    async def events(self) -> AsyncIterator[CallEvent]:
        """What happens, in order, up to and with Ended."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    def trace(self) -> tuple[Line, ...]:
        """The call's messages, as far as they are kept."""
        return self._exchange.trace_of(self.id)

    # --- verbs ---------------------------------------------------------------------------------------------------

    async def hang_up(self) -> None:
        """End the call, in whatever state it is. Does nothing when it is over."""
        if self.state is CallState.CONNECTED:
            self.finish(Ended(EndReason.HUNG_UP, by_us=True))
            await asyncio.shield(self._exchange.part(self._bye()))

    async def change(self, body: bytes, body_type: str = SDP) -> bytes:
        """Offer the other side another body (hold, resume, other media); returns its answer. Raises Refused."""
        self._connected()
        if self._changing or self._offer:
            raise Refused(491, "another change is under way")
        self._changing = True
        try:
            answer = await self._request("INVITE", (*STANDING, *self._refresh_fields()), body, body_type)
            if answer.code == 491:  # both at once (RFC 3261, 14.1)
                await asyncio.sleep(random.uniform(*GLARE_SECONDS))
                self._connected()
                answer = await self._request("INVITE", (*STANDING, *self._refresh_fields()), body, body_type)
        finally:
            self._changing = False
        if not 200 <= answer.code < 300:
            self._gone(answer)
            raise Refused(answer.code, answer.words)
        self._body, self._their_body = (body, body_type), answer.body
        self._agreed(refreshing.agreed(answer, self._exchange.least_refresh))
        return answer.body

    def accept(self, body: bytes, body_type: str = SDP) -> None:
        """Accept what was Offered last, with this answer. Does nothing when it was withdrawn."""
        if self._offer:
            handle, request = self._offer
            self._close_offer()
            self._body, self._their_body = (body, body_type), request.body
            agreed, fields = refreshing.answering(
                request, self._refresh.seconds if self._refresh else self._exchange.usual_refresh
            )
            self._agreed(agreed)
            if request.method == "INVITE":
                self._wait_for_ack(handle)
            self._say(handle, 200, (*STANDING, *fields, ("contact", str(self.dialog.reachable_at))), body, body_type)

    def refuse(self, code: int = 488) -> None:
        """Leave the call as it is. Does nothing when the offer was withdrawn."""
        if self._offer:
            handle, _ = self._offer
            self._close_offer()
            self._say(handle, code)

    async def press(self, key: str, milliseconds: int = 160) -> None:
        """Send a key by signalling. Raises Refused, ValueError."""
        self._connected()
        answer = await self._request("INFO", (), keys.write(key, milliseconds), keys.RELAY)
        if answer.code >= 300:
            raise Refused(answer.code, answer.words)

    async def transfer(self, to: str, *, seconds: float = 60) -> None:
        """Have the other side call somebody else, a SIP address, instead of us. Ends the call; raises Refused when it stays."""
        self._connected()
        await self._transfer(f"<{to}>", seconds)

    async def transfer_to(self, other: Call, *, seconds: float = 60) -> None:
        """Join the other sides of two calls and leave both (RFC 3891). Raises Refused when both stay."""
        self._connected()
        await self._transfer(self._transfers.joining(other.dialog), seconds)

    # --- what comes ----------------------------------------------------------------------------------------------

    def asked(self, request: Request, handle: Handle) -> None:
        """A request of the other side within the dialog."""
        if not self.dialog.follows(request):
            self._say(handle, 500, (("retry-after", "1"),))
            return
        if self.state is CallState.ENDED:
            self._say(handle, 200 if request.method == "BYE" else 481)
            return
        match request.method:
            case "BYE":
                self._say(handle, 200)
                self.finish(Ended(EndReason.HUNG_UP, words=request.one("reason")[:200]))
            case "INVITE" | "UPDATE" if self.state is CallState.CONNECTED:
                self._offered(request, handle)
            case "INFO":
                pressed = keys.read(request.body, request.body_type)
                if pressed:
                    self.tell(KeyPressed(*pressed))
                self._say(handle, 200 if pressed or not request.body else 415)
            case "OPTIONS":
                self._say(handle, 200, STANDING)
            case "REFER" if self.state is CallState.CONNECTED:
                asked = self._transfers.asked(request, lambda code, fields=(): self._say(handle, code, fields))
                if asked:
                    self.tell(asked)
            case "NOTIFY":
                self._say(handle, 200 if self._transfers.notified(request) else 489)
            case "INVITE" | "UPDATE":
                self._say(handle, 491)
            case _:
                self._say(handle, 405, (("allow", ALLOWED),))

    def taken_back(self, handle: Handle) -> None:
        """The other side took an offer back."""
        if self._offer and self._offer[0] is handle:
            self._close_offer()
            self.tell(OfferWithdrawn())

    def acknowledged(self, handle: Handle, request: Request | None) -> None:
        """A success of ours was acknowledged, or never was."""
        if self._waits_for_ack is not handle:
            return
        self._waits_for_ack = None
        self._acknowledged.set()
        if self._ack_timer:
            self._ack_timer.cancel()
        if request is None:
            if self.state is CallState.CONNECTED:
                self.finish(Ended(EndReason.SILENT, words="no acknowledgement"))
                self._exchange.part(self._bye())
        elif self.state is CallState.CONNECTED:
            self._their_body = request.body or self._their_body
            self.tell(Answered(request.body, request.body_type))

    def tell(self, event: CallEvent) -> None:
        """Put an event in the call's queue; more than anybody reads are dropped."""
        if self._events.qsize() < MOST_EVENTS or isinstance(event, Ended):
            self._events.put_nowait(event)

    def finish(self, ended: Ended) -> None:
        """The call is over; only the first time counts."""
        if self.state is CallState.ENDED:
            return
        self.state, self.outcome = CallState.ENDED, ended
        if self._offer:
            self._say(self._offer[0], 487)
            self._close_offer()
        if self._refresh_timer:
            self._refresh_timer.cancel()
        self._transfers.close()
        self.tell(ended)
        self._exchange.dismiss(self)

    def replaced(self) -> None:
        """Another call took the place of this one (RFC 3891)."""
        if self.state is CallState.CONNECTED:
            self.finish(Ended(EndReason.REPLACED, by_us=True))
            self._exchange.part(self._bye())

    # --- within --------------------------------------------------------------------------------------------------

    def _offered(self, request: Request, handle: Handle) -> None:
        if refreshing.too_small(request, self._exchange.least_refresh):
            self._say(handle, 422, (("min-se", str(self._exchange.least_refresh)),))
        elif self._changing:
            self._say(handle, 491)
        elif self._offer:
            self._say(handle, 500, (("retry-after", str(random.randint(0, 10))),))
        elif (request.method == "UPDATE" and not request.body) or (request.body and request.body == self._their_body):
            self._offer = (handle, request)  # nothing new: a sign of life
            self.accept(*(self._body if request.body else (b"", SDP)))
        else:
            self._offer = (handle, request)
            self._offer_timer = asyncio.get_running_loop().call_later(OFFER_SECONDS, self.refuse)
            self.tell(Offered(request.body, request.body_type))

    def _close_offer(self) -> None:
        self._offer = None
        if self._offer_timer:
            self._offer_timer.cancel()
            self._offer_timer = None

    def _wait_for_ack(self, handle: Handle) -> None:
        self._waits_for_ack = handle
        self._acknowledged.clear()
        limit = self._exchange.pending(handle, self)
        self._ack_timer = asyncio.get_running_loop().call_later(limit, self.acknowledged, handle, None)

    def _say(self, handle: Handle, code: int, fields: Fields = (), body: bytes = b"", body_type: str = SDP) -> None:
        tag = self._dialog.ours.tag if self._dialog else ""
        self._exchange.answer(handle, Reply(code, words(code), fields, body, body_type, tag))

    async def _request(self, method: str, fields: Fields = (), body: bytes = b"", body_type: str = SDP) -> Answer:
        return await self._exchange.ask(self.dialog.request(method, fields, body, body_type), self.dialog, self.trunk)

    async def _bye(self) -> None:
        await self._acknowledged.wait()  # not before it (RFC 3261, 15)
        await self._request("BYE")

    async def _transfer(self, to: str, seconds: float) -> None:
        code, said = await self._transfers.refer(to, seconds)
        if code >= 300:
            raise Refused(code, said)
        self._ended_by_transfer()

    def _ended_by_transfer(self) -> None:
        if self.state is CallState.CONNECTED:
            self.finish(Ended(EndReason.TRANSFERRED, by_us=True))
            self._exchange.part(self._bye())

    def _connected(self) -> None:
        if self.state is not CallState.CONNECTED:
            raise Refused(481, "the call does not stand")

    def _gone(self, answer: Answer) -> None:
        if answer.code in (408, 481):  # RFC 3261, 12.2.1.2
            self.finish(Ended(EndReason.SILENT, answer.code, answer.words))
            self._exchange.part(self._bye())

    # --- refreshes -----------------------------------------------------------------------------------------------

    def _agreed(self, refresh: Refresh | None) -> None:
        self._refresh = refresh
        if self._refresh_timer:
            self._refresh_timer.cancel()
            self._refresh_timer = None
        if refresh and self.state is not CallState.ENDED:
            clock = asyncio.get_running_loop()
            if refresh.ours:
                self._refresh_timer = clock.call_later(
                    refresh.refresh_after, lambda: self._exchange.start(self._sign_of_life())
                )
            else:
                self._refresh_timer = clock.call_later(refresh.end_after, self._silent)

    def _refresh_fields(self) -> Fields:
        if self._refresh is None:
            return ()
        return refreshing.asking(self._refresh.seconds, self._exchange.least_refresh)

    async def _sign_of_life(self) -> None:
        if self.state is not CallState.CONNECTED:
            return
        if self._changing or self._offer:
            self._agreed(self._refresh)  # what is under way is a sign of life by itself
            return
        self._changing = True
        try:
            if self._they_update:
                answer = await self._request("UPDATE", (*STANDING, *self._refresh_fields()))
            else:
                answer = await self._request("INVITE", (*STANDING, *self._refresh_fields()), *self._body)
        finally:
            self._changing = False
        if 200 <= answer.code < 300:
            self._agreed(refreshing.agreed(answer, self._exchange.least_refresh) or self._refresh)
        else:
            self._gone(answer)
            self._agreed(self._refresh)

    def _silent(self) -> None:
        self.finish(Ended(EndReason.SILENT, words="no sign of life"))
        self._exchange.part(self._bye())

    def _stands(self, message: Request | Answer) -> None:
        """The call was answered, by a message that tells what the other side can."""
        self.state = CallState.CONNECTED
        self._they_update = "update" in message.tokens("allow")


def failed(answer: Answer, *, by_us: bool = False) -> Ended:
    """How a call ended that was never answered."""
    return Ended(reason_of(answer.code), answer.code, answer.words, by_us)
