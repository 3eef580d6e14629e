"""The place where calls come in and go out: one port, its trunks, its guard, its calls."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Self

from everyline.ground.words import _
from everyline.sip import edge, refreshing
from everyline.sip.addresses import Named, Uri
from everyline.sip.calls import Call
from everyline.sip.dialog import ALLOWED, SUPPORTED, Dialog
from everyline.sip.digest import Gate, proof
from everyline.sip.events import CallState, Ended, EndReason
from everyline.sip.facts import facts
from everyline.sip.guard import Counts, Guard
from everyline.sip.incoming import IncomingCall, named_call
from everyline.sip.keeping import Keeper
from everyline.sip.messages import SDP, Answer, Fields, Reply, Request
from everyline.sip.numbers import Kind, NotAllowed, NumberRules, permitted
from everyline.sip.placed import Caller, PlacedCall
from everyline.sip.thread import Handle, Wire
from everyline.sip.trace import Line, Traces
from everyline.sip.transfers import Replaces
from everyline.sip.trunks import Trunk, TrunkStanding

log = logging.getLogger(__name__)
UNDERSTOOD = frozenset({"timer", "replaces", "norefersub"})
OnCall = Callable[[IncomingCall], Awaitable[None]]
CLOSE_SECONDS = 3.0
TELEPHONES = "telephones"  # the trunk of those of ours that sign in at the edge
FORMER_SECONDS = 40.0  # longer than any request waits for its answer


@dataclass(frozen=True)
class Listening:
    """Where an exchange listens and what it bears.

    ``shown_as``: the address others reach it by, where that is another (behind NAT). ``strangers_per_minute``: how many
    datagrams of one strange address are answered, all with the same refusal; 0 answers none. ``acknowledged_within``: seconds
    after which a call that was answered and never acknowledged is ended. ``least_refresh`` and
    ``usual_refresh``: seconds between signs of life (RFC 4028). ``digests``: how callers prove who they are. ``edge``: address and port of a server
    by which everything comes and goes, and whose word is taken for who sent it (``everyline.sip.edge``); telephones that sign in there have
    addresses of its ``domain``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    shown_as: str = ""
    most_calls: int = 2000
    strangers_per_minute: float = 0
    traced_calls: int = 300
    acknowledged_within: float = 32
    least_refresh: int = refreshing.LEAST
    usual_refresh: int = refreshing.USUAL
    edge: str = ""
    domain: str = ""
    digests: tuple[str, ...] = ("SHA-256", "MD5")


@dataclass(frozen=True)
class Figures:
    """What an exchange did since it began."""

    calls: int
    guard: Counts
    refused: dict[str, int]


class SipExchange:
    """``async with SipExchange(Listening(…), trunks, on_call) as exchange``. Raises OSError when the port is taken.

    ``on_call`` is run for each call that comes in, as a task of its own; it answers, rejects, or hands the call on.
    """

    def __init__(self, listening: Listening, trunks: Iterable[Trunk], on_call: OnCall) -> None:
        self._listening = listening
        self._on_call = on_call
        self._edge = edge.address(listening.edge)
        self._standing = {trunk.name: TrunkStanding(trunk, self._edge) for trunk in trunks}
        self._former: dict[str, TrunkStanding] = {}
        own = Trunk(TELEPHONES, "", most_calls=listening.most_calls, calls_in_per_minute=6000)
        self._telephones = TrunkStanding(own, self._edge)
        self._guard = Guard(strangers_per_minute=listening.strangers_per_minute)
        self._gate = Gate(listening.digests)
        self._traces = Traces(listening.traced_calls)
        self._refused: Counter[str] = Counter()
        self._calls: set[Call] = set()
        self._dialogs: dict[tuple[str, str], Call] = {}
        self._keys: dict[Call, list[tuple[str, str]]] = {}
        self._begun: dict[tuple[str, str], IncomingCall] = {}
        self._pending: dict[Handle, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._farewells: set[asyncio.Task[None]] = set()
        self._keepers: dict[str, tuple[Keeper, asyncio.Task[None]]] = {}
        self._wire: Wire | None = None
        self._resting = 0  # seconds after which who calls may call again; 0: calls are taken

    async def __aenter__(self) -> Self:
        at = self._listening
        self._wire = Wire(self, host=at.host, port=at.port, shown_as=at.shown_as)
        for standing in self._standing.values():
            self._keep(standing)
        self.learned()
        return self

    def _keep(self, standing: TrunkStanding) -> None:
        with contextlib.suppress(ValueError):  # an address is known at once; a name is looked up
            standing.hosts = (str(ipaddress.ip_address(standing.trunk.host)),)
        keeper = Keeper(standing, self)
        self._keepers[standing.trunk.name] = keeper, self.start(keeper.run())

    async def arrange(self, trunks: Iterable[Trunk]) -> None:
        """These are the trunks from now on. Calls that stand go on, also those of a trunk that is gone."""
        wanted = {trunk.name: trunk for trunk in trunks}
        for name, standing in list(self._standing.items()):
            if wanted.get(name) == standing.trunk:
                continue
            keeper, task = self._keepers.pop(name)
            task.cancel()
            await asyncio.gather(task, keeper.leave(), return_exceptions=True)
            del self._standing[name]
            if any(call.trunk == name for call in self._calls):
                self._former[name] = standing  # its calls are still to be ended over it
        for name, trunk in wanted.items():
            if name not in self._standing:
                self._standing[name] = TrunkStanding(trunk, self._edge)
                self._keep(self._standing[name])
        self.learned()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every call, take registrations back, give the port back."""
        ending = [call.hang_up() for call in list(self._calls)]
        leaving = [keeper.leave() for keeper, _task in self._keepers.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*ending, *leaving, *self._farewells, return_exceptions=True)
        for call in list(self._calls):
            call.finish(Ended(EndReason.CLOSED, by_us=True))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._wire:
            await self._wire.close()

    def rest(self, seconds: int) -> None:
        """Take no new calls from now on: they get 503 and may come again after so long, and who asks whether we are there is told that we
        are not. Calls that stand go on, and so does what keeps trunks up."""
        self._resting = max(seconds, 1)

    # --- what its owner asks -------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.wire.port

    @property
    def wire(self) -> Wire:
        """The wire. Raises LookupError before it is open."""
        if self._wire is None:
            raise LookupError("the exchange is not open")
        return self._wire

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that are not over."""
        return tuple(self._calls)

    @property
    def trunks(self) -> tuple[TrunkStanding, ...]:
        """How the trunks stand."""
        return tuple(self._standing.values())

    def figures(self) -> Figures:
        """What it did so far."""
        return Figures(len(self._calls), self._guard.counts, dict(self._refused))

    def trace(self, call_id: str) -> str:
        """What was said in a call, to be read by people; empty when it is not kept any more."""
        return self._traces.readable(call_id)

    def call(
        self,
        to: str,
        route: tuple[str, ...],
        *,
        caller: Caller,
        rules: NumberRules,
        offer: bytes,
        offer_type: str = SDP,
        ring_seconds: float = 60,
    ) -> PlacedCall:
        """Call a number, or a telephone at a SIP address within the networks of the route's trunks.

        Trunks are tried in the order of ``route``. Raises NotAllowed before anything is sent, ValueError for a trunk that is none.
        """
        unknown = [name for name in route if name not in self._standing]
        if unknown or not route:
            raise ValueError(f"there is no trunk {unknown}")
        by_address = to.lower().startswith(("sip:", "sips:"))
        target = self._telephone(to, route, rules) if by_address else permitted(to, rules).dialled
        made = PlacedCall(self, route, target, caller, (offer, offer_type), ring_seconds)
        self._calls.add(made)
        self.start(made.run())
        return made

    def _telephone(self, to: str, route: tuple[str, ...], rules: NumberRules) -> Uri:
        uri = Uri.read(to)
        if uri is not None and self._edge and uri.name and uri.host in (self._edge[0], self._listening.domain):
            if uri.name.lstrip("+").isdecimal():
                permitted(uri.name, rules)
            return Uri(
                "sip", uri.name, self._listening.domain or uri.host, None if self._listening.domain else uri.port
            )
        if uri is not None:
            with contextlib.suppress(ValueError):
                if any(self._standing[name].fits((uri.host.strip("[]"), uri.address[1])) for name in route):
                    if uri.name.lstrip("+").isdecimal():
                        permitted(uri.name, rules)  # an edge would dial it like any other number
                    return Uri("sip", uri.name, uri.host, uri.port)
        raise NotAllowed(Kind.NONE, _("Nobody is called at this address."))

    # --- what calls and keepers need -----------------------------------------------------------------------------

    def answer(self, handle: Handle, reply: Reply) -> None:
        """Answer a request."""
        self.wire.answer(handle, reply)

    async def ask(
        self,
        request: Request,
        dialog: Dialog,
        trunk: str,
        *,
        target: tuple[str, int] | None = None,
        provisional: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Send a request and wait for its final answer, proving who we are where that is asked."""
        where = target or dialog.next_hop
        answer = await self._once(request, dialog, trunk, where, provisional)
        if answer.code in (401, 407):
            at = self.standing(trunk).trunk
            proved = proof(answer, request, at.username, at.password, at.realm)
            if proved:
                answer = await self._once(dialog.again(request, (proved,)), dialog, trunk, where, provisional)
        return answer

    async def _once(
        self,
        request: Request,
        dialog: Dialog,
        trunk: str,
        where: tuple[str, int],
        provisional: Callable[[Answer], None] | None,
    ) -> Answer:
        final: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def heard(answer: Answer) -> None:
            if answer.code < 200:
                if provisional and not final.done():
                    provisional(answer)
            elif not final.done():
                final.set_result(answer)
            elif request.method == "INVITE" and answer.code < 300 and ";tag=" not in request.one("to"):
                dialog.confirm(answer)  # answered although it was taken back: it has to be ended again
                self.part(self._end(dialog, trunk))

        cancel = self.wire.send(request, where, heard)
        try:
            return await final
        except asyncio.CancelledError:
            if request.method == "INVITE":
                cancel()
            raise

    async def _end(self, dialog: Dialog, trunk: str) -> None:
        await self.ask(dialog.request("BYE"), dialog, trunk)

    @property
    def least_refresh(self) -> int:
        """The least seconds between signs of life that we take part in."""
        return self._listening.least_refresh

    @property
    def usual_refresh(self) -> int:
        """The seconds between signs of life where the other side names none."""
        return self._listening.usual_refresh

    def pending(self, handle: Handle, call: Call) -> float:
        """An INVITE of this call waits for its acknowledgement; returns the seconds that it may take."""
        self._pending[handle] = call
        return self._listening.acknowledged_within

    def enlist(self, call: Call, dialog: Dialog) -> None:
        """Requests of this dialog are the call's from now on."""
        self._dialogs[dialog.key] = call
        self._keys.setdefault(call, []).append(dialog.key)

    def dismiss(self, call: Call) -> None:
        """The call is over: it is looked for no more."""
        self._calls.discard(call)
        for key in self._keys.pop(call, ()):
            self._dialogs.pop(key, None)
        if isinstance(call, IncomingCall):
            self._begun.pop((call.id, call.dialog.theirs.tag), None)
        call.release()
        if call.trunk in self._former:  # the farewell is still to be answered
            asyncio.get_running_loop().call_later(FORMER_SECONDS, self._forget_former, call.trunk)

    def _forget_former(self, name: str) -> None:
        """Nothing more comes of calls over a trunk that is gone."""
        if name in self._former and not any(call.trunk == name for call in self._calls):
            del self._former[name]
            self.learned()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that goes on by itself, until the exchange is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def part(self, farewell: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a farewell: the exchange does not close while one is being said, within reason."""
        task = self.start(farewell)
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("work of the telephone failed", exc_info=fault)

    def trace_of(self, call_id: str) -> tuple[Line, ...]:
        """The messages of a call."""
        return self._traces.of(call_id)

    def left_out_of(self, call_id: str) -> int:
        """How many of its messages are kept no more."""
        return self._traces.left_out(call_id)

    def standing(self, trunk: str) -> TrunkStanding:
        """How a trunk stands. Raises KeyError."""
        if trunk == TELEPHONES:
            return self._telephones
        return self._standing.get(trunk) or self._former[trunk]

    def reachable_at(self, name: str) -> Named:
        """The address at which we are called back."""
        return Named(Uri("sip", name, self.wire.host, self.wire.port))

    def learned(self) -> None:
        """Addresses of a trunk have changed."""
        every = (*self._standing.values(), *self._former.values())
        self._guard.know(one for standing in every for one in standing.senders)

    # --- what comes over the wire --------------------------------------------------------------------------------

    def admitted(self, source: tuple[str, int], size: int) -> bool:
        """Whether a datagram is looked at (in the socket's thread)."""
        return size > 0 and self._guard.admits(source[0], time.monotonic())

    def traced(self, call_id: str, data: str, peer: tuple[str, int], *, ours: bool) -> None:
        """Keep a message in its call's trace (in sippy's thread); what strangers say is not kept."""
        if self._guard.knows(peer[0]):
            self._traces.add(call_id, data, peer, ours=ours)

    def unreadable(self, source: tuple[str, int], why: str) -> None:
        """Count a datagram that was no message (in sippy's thread)."""
        self._guard.unreadable()
        log.info("no message of SIP from %s: %s", source[0], why)

    def acknowledged(self, handle: Handle, request: Request | None) -> None:
        """A final answer was acknowledged, or never was."""
        call = self._pending.pop(handle, None)
        if call:
            call.acknowledged(handle, request)

    def taken_back(self, handle: Handle) -> None:
        """An INVITE was cancelled, or ran out."""
        call = self._pending.pop(handle, None)
        if call:
            call.taken_back(handle)

    def asked(self, request: Request, handle: Handle) -> None:
        """A new request."""
        to = Named.read(request.one("to"))
        call = self._dialogs.get((request.call_id, to.tag)) if to and to.tag else None
        if call is not None and call.dialog.theirs.tag == _tag(request.one("from")):
            if request.method == "INVITE":
                self.pending(handle, call)
                self._say(handle, 100)
            call.asked(request, handle)
            return
        source = edge.source(request, self._edge)
        if source is None and request.method == "OPTIONS":
            self._here(handle)  # the edge itself asks
            return
        standing = self._sender(request, handle, source or ("0.0.0.0", 0))  # noqa: S104 -- an address that is nobody's
        if standing is None:
            return
        if to and to.tag:
            self._refuse(handle, 481, "no such call")
        elif request.method == "INVITE":
            self._invited(request, handle, standing)
        elif request.method == "OPTIONS":
            self._here(handle)
        else:
            codes = {
                "REGISTER": 403,
                "REFER": 403,
                "SUBSCRIBE": 489,
                "BYE": 481,
                "INFO": 481,
                "UPDATE": 481,
                "NOTIFY": 481,
            }
            code = codes.get(request.method, 405 if request.method in ("MESSAGE", "PUBLISH", "PRACK") else 501)
            self._refuse(handle, code, f"method {request.method if code != 501 else 'unknown'}", (("allow", ALLOWED),))

    def _here(self, handle: Handle) -> None:
        """Are we there for calls?"""
        fields = (("allow", ALLOWED), ("supported", SUPPORTED), ("accept", SDP))
        self._say(handle, 503 if self._resting else 200, fields)

    def _sender(self, request: Request, handle: Handle, source: tuple[str, int]) -> TrunkStanding | None:
        """The trunk that a request comes by; None when it was refused, and a stranger learns nothing but that."""
        if edge.telephone(request, self._edge):
            return self._telephones
        open_ones = [one for one in self._standing.values() if not one.trunk.challenge]
        fitting = sorted(open_ones, key=lambda one: one.fits(source), reverse=True)[:1]
        if fitting and fitting[0].fits(source):
            return fitting[0]
        proving = {one.trunk.username: one for one in self._standing.values() if one.trunk.challenge}
        if proving and request.method == "INVITE":
            name = self._gate.opened(request, lambda asked: proving[asked].trunk.password if asked in proving else None)
            if name is not None:
                return proving[name]
            self._refuse(handle, 401, "not proved", self._gate.challenge())
        else:
            self._refuse(handle, 403, "stranger")
        return None

    def _invited(self, request: Request, handle: Handle, standing: TrunkStanding) -> None:
        reachable = self.reachable_at(uri.name if (uri := Uri.read(request.uri)) else "")
        dialog = Dialog.of_request(request, reachable)
        unknown = request.tokens("require") - UNDERSTOOD
        replaced: Call | None = None
        begun = (request.call_id, _tag(request.one("from")))
        if uri is None:
            self._refuse(handle, 416, "unknown address")
        elif dialog is None:
            self._refuse(handle, 400, "incomplete")
        elif unknown:
            self._refuse(handle, 420, "requires what we have not", (("unsupported", ", ".join(sorted(unknown))),))
        elif request.one("max-forwards").strip() == "0":
            self._refuse(handle, 483, "too many hops")
        elif begun in self._begun:
            self._refuse(handle, 482, "the same call by another way")
        elif refreshing.too_small(request, self.least_refresh):
            self._refuse(handle, 422, "refreshes too often", (("min-se", str(self.least_refresh)),))
        elif request.all("replaces") and (replaced := self._replaced(request)) is None:
            self._refuse(handle, 481, "replaces no call")
        elif why := self._why_not(standing, replaced):
            self._refuse(handle, 503, why, (("retry-after", str(self._resting or 10)),))
        else:
            known = facts(
                request,
                trunk=standing.trunk.name,
                trusted=standing.trunk.trusted,
                region=standing.trunk.region,
                telephone=edge.telephone(request, self._edge),
            )
            call = IncomingCall(self, request, handle, dialog, known, replaced)
            call.hold_on(standing)
            self._calls.add(call)
            self._begun[begun] = call
            self.enlist(call, dialog)
            self.pending(handle, call)
            self._say(handle, 100)
            self.start(self._take(call))

    def _why_not(self, standing: TrunkStanding, replaced: Call | None) -> str:
        """Why no call is taken now; empty when one is. One that takes the place of another is no new one."""
        if self._resting and replaced is None:
            return "no new calls"
        if len(self._calls) >= self._listening.most_calls:
            return "all calls are taken"
        return standing.why_not_in()

    async def _take(self, call: IncomingCall) -> None:
        try:
            await self._on_call(call)
        except Exception:
            log.exception("a call could not be taken")
            call.reject(500)
            await call.hang_up()

    def _replaced(self, request: Request) -> Call | None:
        named = named_call(request)
        call = self.named(named) if named else None
        return call if call and named and call.state is CallState.CONNECTED and not named.early_only else None

    def named(self, replaces: Replaces) -> Call | None:
        """The call that is meant by who asks for another to take its place; None when there is none of these tags."""
        call = self._dialogs.get((replaces.call_id, replaces.our_tag))
        return call if call is not None and call.dialog.theirs.tag == replaces.their_tag else None

    def _refuse(self, handle: Handle, code: int, why: str, fields: Fields = ()) -> None:
        self._refused[why] += 1
        self._say(handle, code, fields)

    def _say(self, handle: Handle, code: int, fields: Fields = ()) -> None:
        self.wire.answer(handle, Reply(code, fields=fields))


def _tag(text: str) -> str:
    named = Named.read(text)
    return named.tag if named else ""
