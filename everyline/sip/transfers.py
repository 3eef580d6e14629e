"""Passing calls on: REFER in both directions, with and without a call to replace (RFC 3515, RFC 3891, RFC 5589)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, Self

from everyline.sip.addresses import Named, Uri
from everyline.sip.dialog import Dialog
from everyline.sip.messages import Answer, Fields, Request, words

FRAGMENT = "message/sipfrag;version=2.0"
DECIDE_SECONDS = 10.0
_STATUS = re.compile(r"SIP/2\.0 (\d{3})[ \t]*([^\r\n]*)")


@dataclass(frozen=True)
class Replaces:
    """The call that another is to take the place of, as its receiver sees the tags."""

    call_id: str
    our_tag: str
    their_tag: str
    early_only: bool = False

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when a tag is missing."""
        call_id, *pairs = text.split(";")
        found = {k.strip().lower(): v.strip() for k, _, v in (pair.partition("=") for pair in pairs)}
        if not (call_id.strip() and found.get("to-tag") and found.get("from-tag")):
            return None
        return cls(call_id.strip(), found["to-tag"], found["from-tag"], "early-only" in found)


class Answering(Protocol):
    """Answers one request."""

    def __call__(self, code: int, fields: Fields = ()) -> None:
        """Once."""
        ...


class Asking(Protocol):
    """Sends a request in the dialog and gives its final answer."""

    def __call__(self, method: str, fields: Fields = (), body: bytes = b"", body_type: str = "") -> Awaitable[Answer]:
        """Awaited once."""
        ...


class TransferAsked:
    """The other side wants us to call somebody instead of it: ``accept`` or ``decline``, within ten seconds.

    Nothing is called by itself: where it may lead is for the rules of the line to say.
    """

    def __init__(
        self, to: Named, by: str, answer: Answering, ask: Asking, number: int, done: Callable[[], None]
    ) -> None:
        self.to = to.uri
        self.replaces = Replaces.read(to.uri.headers.get("replaces", ""))
        self.by = by
        self._answer = answer
        self._ask = ask
        self._number = number
        self._done = done
        self.decided = False
        self._timer = asyncio.get_running_loop().call_later(DECIDE_SECONDS, self.decline)

    @property
    def target(self) -> Uri:
        """Whom to call, without the fields that the address asks for."""
        return Uri(self.to.scheme, self.to.name, self.to.host, self.to.port, self.to.parameters)

    def accept(self) -> None:
        """We try it; ``tell`` says how it goes."""
        if not self.decided:
            self._settle()
            self._answer(202)

    def decline(self) -> None:
        """We do not."""
        if not self.decided:
            self._settle()
            self._answer(603)

    async def tell(self, code: int) -> None:
        """Tell the other side how far the new call is; 100 is due as soon as it was accepted (RFC 3515, 2.4.4). A success ends the old one."""
        over = code >= 200
        state = "terminated;reason=noresource" if over else "active;expires=60"
        fields: Fields = (("event", f"refer;id={self._number}"), ("subscription-state", state))
        await self._ask("NOTIFY", fields, f"SIP/2.0 {code} {words(code)}\r\n".encode(), FRAGMENT)
        if 200 <= code < 300:
            self._done()

    def _settle(self) -> None:
        self.decided = True
        self._timer.cancel()

    def close(self) -> None:
        """The call is over; nobody waits for a decision."""
        self.decided = True
        self._timer.cancel()


class Transfers:
    """The transfers of one call."""

    def __init__(self, ask: Asking, done: Callable[[], None]) -> None:
        self._ask = ask
        self._done = done
        self._asked: TransferAsked | None = None
        self._told: asyncio.Future[tuple[int, str]] | None = None

    def asked(self, request: Request, answer: Answering) -> TransferAsked | None:
        """A REFER came; None when it was answered already."""
        named = request.all("refer-to")
        to = Named.read(named[0]) if len(named) == 1 else None
        if to is None:
            answer(400)
            return None
        if self._asked is not None and not self._asked.decided:
            answer(491)
            return None
        number = int(request.one("cseq").split()[0])
        self._asked = TransferAsked(to, request.one("referred-by")[:300], answer, self._ask, number, self._done)
        return self._asked

    def notified(self, request: Request) -> bool:
        """A NOTIFY came; whether it was about a transfer of ours."""
        if not request.one("event").lower().startswith("refer"):
            return False
        found = _STATUS.match(request.body.decode("utf-8", "replace"))
        over = request.one("subscription-state").lower().startswith("terminated")
        if self._told is not None and not self._told.done() and (over or (found and int(found[1]) >= 200)):
            self._told.set_result(
                (int(found[1]), found[2]) if found and int(found[1]) >= 200 else (500, "no outcome was told")
            )
        return True

    async def refer(self, to: str, seconds: float) -> tuple[int, str]:
        """Ask the other side to call somebody; the code and words that came of it."""
        self._told = asyncio.get_running_loop().create_future()
        answer = await self._ask("REFER", (("refer-to", to),))
        if answer.code >= 300:
            return answer.code, answer.words
        try:
            async with asyncio.timeout(seconds):
                return await self._told
        except TimeoutError:
            return 408, "nothing was told of the transfer"

    def joining(self, other: Dialog) -> str:
        """The Refer-To that names the other side of another call and that call as the one to replace."""
        replaces = f"{other.call_id};to-tag={other.theirs.tag};from-tag={other.ours.tag}"
        uri = Uri(
            other.target.scheme, other.target.name, other.target.host, other.target.port, {}, {"Replaces": replaces}
        )
        return f"<{uri}>"

    def close(self) -> None:
        """The call is over: a transfer that was accepted by a BYE has gone through (RFC 5589, 6.1)."""
        if self._told is not None and not self._told.done():
            self._told.set_result((200, "the other side left"))
        if self._asked is not None:
            self._asked.close()
