"""The seam to sippy: its loop in one thread of its own, and a wire that asyncio speaks over.

sippy is one to a process: its clock and its queue stand in its modules. The thread begins with the first wire and lasts
as long as the process; wires come and go. Nothing of sippy's passes this module but handles that nobody looks into.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any, NewType, Protocol

from everyline.sip.messages import Answer, Reply, Request, written

log = logging.getLogger(__name__)
Handle = NewType("Handle", object)


class Receiver(Protocol):
    """Whoever owns a wire. All but ``admitted``, ``traced`` and ``unreadable`` are called on its event loop."""

    def admitted(self, source: tuple[str, int], size: int) -> bool:
        """Whether a datagram from there is looked at at all. In the socket's thread: quick, and safe in threads."""
        ...

    def traced(self, call_id: str, data: str, peer: tuple[str, int], *, ours: bool) -> None:
        """A message came or went; an empty call id is to be found in it. In sippy's thread."""
        ...

    def unreadable(self, source: tuple[str, int], why: str) -> None:
        """A datagram was no message. In sippy's thread."""
        ...

    def asked(self, request: Request, handle: Handle) -> None:
        """A new request, to be answered by ``Wire.answer`` in any case."""
        ...

    def taken_back(self, handle: Handle) -> None:
        """An INVITE was cancelled or ran out; it has been answered."""
        ...

    def acknowledged(self, handle: Handle, request: Request | None) -> None:
        """The final answer to an INVITE was acknowledged, or (None) never was."""
        ...


@functools.cache
def _transactions() -> Any:
    """sippy's side of the seam, with its thread running."""
    began = threading.Event()
    found: list[Any] = []

    def run() -> None:
        module = importlib.import_module("everyline.sip.transactions")
        module.loop.my_ident = threading.get_ident()
        found.append(module)
        began.set()
        module.loop.loop()

    threading.Thread(target=run, name="sip", daemon=True).start()
    if not began.wait(30):
        raise RuntimeError("sippy did not begin")
    return found[0]


class Wire:
    """One UDP port that speaks SIP. Made and used on one event loop."""

    def __init__(self, receiver: Receiver, *, host: str, port: int, shown_as: str = "") -> None:
        """Raises OSError when the port is taken. ``shown_as`` is the address that others reach it by."""
        self._loop = asyncio.get_running_loop()
        self._receiver = receiver
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        self.port = int(bound.getsockname()[1])
        shown = shown_as or host
        self.host = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
        self._sippy = _transactions()
        self._manager = self._sippy.loop.callFromThreadSync(self._sippy.Manager, bound, (self.host, self.port), self)
        self._open = True

    async def close(self) -> None:
        """Drop what is under way and give the port back."""
        if self._open:
            self._open = False
            await asyncio.to_thread(self._sippy.loop.callFromThreadSync, self._manager.end)

    def send(
        self, request: Request, target: tuple[str, int], heard: Callable[[Answer], None] | None = None
    ) -> Callable[[], None]:
        """Send a request; ``heard`` gets each answer on this event loop. Returns what cancels it (an INVITE)."""
        branch = f"z9hG4bK{secrets.token_hex(10)}"
        text = written(request, f"SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport")
        made: list[Any] = []
        tell = heard or _nobody

        def begin() -> None:
            try:
                made.append(
                    self._manager.ask(text, request.body, request.body_type, target, lambda a: self._on_loop(tell, a))
                )
            except Exception as fault:  # sippy raises of every kind, and whoever asked waits for an answer
                log.warning("a request could not be sent: %s", type(fault).__name__, exc_info=True)
                self._on_loop(tell, Answer(code=500, words="not sent"))

        def cancel() -> None:
            if made:
                self._manager.take_back(made[0])

        self._in_thread(begin)
        return lambda: self._in_thread(cancel)

    def answer(self, handle: Handle, reply: Reply) -> None:
        """Answer a request that came; after its final answer this does nothing."""
        self._in_thread(self._manager.answer, handle, reply)

    async def standing(self) -> int:
        """How many transactions sippy keeps at present."""
        found: int = await asyncio.to_thread(self._sippy.loop.callFromThreadSync, lambda: self._manager.standing)
        return found

    def admitted(self, source: tuple[str, int], size: int) -> bool:
        """In the socket's thread."""
        return self._receiver.admitted(source, size)

    def traced(self, call_id: str, data: str, peer: tuple[str, int], *, ours: bool) -> None:
        """In sippy's thread."""
        self._receiver.traced(call_id, data, peer, ours=ours)

    def unreadable(self, source: tuple[str, int], why: str) -> None:
        """In sippy's thread."""
        self._receiver.unreadable(source, why)

    def asked(self, request: Request, transaction: Any) -> None:
        """From sippy's thread to the event loop."""
        self._on_loop(self._receiver.asked, request, transaction)

    def taken_back(self, transaction: Any) -> None:
        """From sippy's thread to the event loop."""
        self._on_loop(self._receiver.taken_back, transaction)

    def acknowledged(self, transaction: Any, request: Request | None) -> None:
        """From sippy's thread to the event loop."""
        self._on_loop(self._receiver.acknowledged, transaction, request)

    def _in_thread(self, what: Callable[..., object], *arguments: object) -> None:
        if self._open:
            self._sippy.loop.callFromThread(what, *arguments)

    def _on_loop(self, what: Callable[..., object], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)


def _nobody(_answer: Answer) -> None:
    """Nobody waits for it."""
