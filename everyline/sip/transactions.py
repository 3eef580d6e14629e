"""Transactions of SIP as sippy keeps them: retransmission, matching, time-outs, CANCEL and ACK (RFC 3261, 17).

Everything in this module runs in sippy's own thread and nowhere else: it is imported there, so that sippy's clock wakes
the right thread. ``everyline.sip.thread`` starts it and is the only one that knows it.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Callable
from hashlib import md5
from time import monotonic
from typing import Any

from sippy.Core import EventDispatcher
from sippy.SipConf import SipConf
from sippy.SipGenericHF import SipGenericHF
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipResponse import SipResponse
from sippy.SipTransactionManager import SipTMRetransmitO, SipTransactionManager
from sippy.Time.Timeout import Timeout

from everyline.sip.messages import Answer, Reply, Request, clean, shown, words
from everyline.sip.reading import Datagram, Unreadable, read
from everyline.sip.sockets import Hearer, Socket, Ways

log = logging.getLogger(__name__)
loop: Any = EventDispatcher.ED2
SipConf.my_uaname = "Everyline"
SipGenericHF.getCanName = lambda _self, name, _compact=False: shown(
    name
)  # sippy writes Refer-to, which some read by case
SipConf.autoconvert_tel_url = True
TIMERS = ("teA", "teB", "teC", "teD", "teE", "teF", "teG")


def _say(message: str, *_: object, **__: object) -> None:
    log.warning("%s: %s", message.splitlines()[0][:200], sys.exc_info()[1])


EventDispatcher.dump_exception = _say  # sippy prints what it met, with the whole message, on standard output


class Body:
    """A body that sippy passes through without a look: text of one character a byte."""

    def __init__(self, data: bytes, mtype: str) -> None:
        self.content = data.decode("latin-1")
        self.mtype = mtype

    def __str__(self) -> str:
        return self.content

    def localStr(self, _address: object = None) -> str:  # noqa: N802 -- sippy calls it
        """The body."""
        return self.content

    def getCopy(self) -> Body:  # noqa: N802 -- sippy calls it
        """Itself: it never changes."""
        return self


class _Silent:
    """sippy's log of messages, which the trace takes the place of."""

    def write(self, *_: object, **__: object) -> None:
        """Drop it."""


class Manager(SipTransactionManager):  # type: ignore[misc]  # -- sippy has no types
    """sippy's transactions over our socket, reading with our care."""

    def __init__(self, bound: socket.socket, shown_as: tuple[str, int], hearer: Hearer) -> None:
        # as its own constructor does, but for the socket that it would open to see whether there is IPv6
        self.global_config = {"_sip_logger": _Silent()}
        self.tclient: Any = {}
        self.tserver: Any = {}
        self.req_cb = self._asked
        self.l1rcache: Any = {}
        self.l2rcache: Any = {}
        self.req_consumers: Any = {}
        self.init_time = monotonic()
        self.hearer = hearer
        self.only = Socket(bound, shown_as, self, hearer)
        self.l4r = Ways(self.only)
        self.cp_timer = Timeout(self.rCachePurge, 32, -1)

    def handleIncoming(self, data_in: bytes, ra: Any, server: Any, rtime: Any) -> None:  # noqa: N802 -- sippy calls it
        """One datagram: sent again what was answered before, else handed to its transaction."""
        if self.l1rcache is None:
            return
        checksum = md5(data_in, usedforsecurity=False).digest()
        again = self.l1rcache.get(checksum) or self.l2rcache.get(checksum)
        if again is not None:
            if again.data is not None:
                self.transmitData(again.userv, again.data, again.address)
            return
        try:
            datagram = read(data_in)
            self.hearer.traced(datagram.call_id, datagram.head + _text(datagram.body), ra.address, ours=False)
            if datagram.head.startswith("SIP/2.0 "):
                self._answered(datagram, ra, checksum, rtime)
            else:
                self._requested(datagram, ra, server, checksum, rtime)
        except Unreadable as wrong:
            self._wrong(wrong, ra, server, checksum)
        except Exception as fault:  # noqa: BLE001 -- sippy raises of every kind on what it cannot read, and nothing may die of it
            self.hearer.unreadable(ra.address, f"{type(fault).__name__}: {fault}"[:200])
            self.l1rcache[checksum] = SipTMRetransmitO()

    def _answered(self, datagram: Datagram, ra: Any, checksum: bytes, rtime: Any) -> None:
        response = SipResponse(datagram.head)
        response.rtime = rtime
        transaction = self.tclient.get(response.getTId(wCSM=True, wBRN=True))
        if transaction is None:
            self.l1rcache[checksum] = SipTMRetransmitO()
            return
        response.everyline = Answer(
            _fields(response), datagram.body, datagram.body_type, ra.address, response.scode, response.reason
        )
        if response.scode >= 300:
            response.delHFs("contact")  # sippy would send the ACK there, and it belongs to where the INVITE went
        response.setSource(ra)
        self.incomingResponse(response, transaction, checksum)

    def _requested(self, datagram: Datagram, ra: Any, server: Any, checksum: bytes, rtime: Any) -> None:
        request = SipRequest(datagram.head)
        request.rtime = rtime
        names = request.getTIds()
        for name in ("from", "to"):
            request.getHFBody(name)
        via = request.getHFBody("via")
        if via.getAddr()[0] != ra.address[0]:
            via.params["received"] = ra.received
        if "rport" in via.params:
            via.params["rport"] = str(ra.address[1])
        request.everyline = Request(
            _fields(request),
            datagram.body,
            datagram.body_type,
            ra.address,
            request.getMethod(),
            datagram.head.split(" ", 2)[1],
        )
        request.setSource(ra)
        self.incomingRequest(request, checksum, names, server)

    def _wrong(self, wrong: Unreadable, ra: Any, server: Any, checksum: bytes) -> None:
        self.hearer.unreadable(ra.address, str(wrong))
        self.l1rcache[checksum] = SipTMRetransmitO()
        if not wrong.head or wrong.head.startswith(("SIP/2.0 ", "ACK ")):
            return
        with contextlib.suppress(Exception):  # what cannot be answered either is dropped
            request = SipRequest(wrong.head)
            via = request.getHFBody("via")
            via.params["received"] = ra.received
            if "rport" in via.params:
                via.params["rport"] = str(ra.address[1])
            response = request.genResponse(wrong.code, words(wrong.code))
            response.sipver = "SIP/2.0"
            self.transmitMsg(server, response, ra.address, checksum)

    def _asked(self, message: Any, transaction: Any) -> tuple[None, Callable[..., None], Callable[[], None]]:
        transaction.request = message
        self.hearer.asked(message.everyline, transaction)
        hearer = self.hearer
        return None, lambda *_: hearer.taken_back(transaction), lambda: hearer.acknowledged(transaction, None)

    def transmitData(self, userv: Any, data: str, address: Any, cachesum: Any = None, lossemul: int = 0) -> None:  # noqa: N802 -- sippy calls it
        """Send, and tell the trace."""
        super().transmitData(userv, data, address, cachesum, lossemul)
        self.hearer.traced("", data, address, ours=True)

    def answer(self, transaction: Any, reply: Reply) -> None:
        """Answer a request; does nothing when it is over already."""
        if self.tserver is None or transaction.tid is None or self.tserver.get(transaction.tid) is not transaction:
            return
        if transaction.state.__name__ not in ("TRYING", "RINGING"):
            return
        response = transaction.request.genResponse(
            reply.code, clean(reply.words or words(reply.code)), server="Everyline"
        )
        to = response.getHFBody("to")
        if reply.code > 100 and to.getTag() is None:
            to.setTag(reply.tag)
        response.appendHeaders([SipHeader(f"{shown(name)}: {clean(text)}") for name, text in reply.fields])
        if reply.body:
            response.setBody(Body(reply.body, clean(reply.body_type)))
        hearer = self.hearer
        self.sendResponse(
            response, transaction, ack_cb=lambda message: hearer.acknowledged(transaction, message.everyline)
        )

    def ask(
        self, text: str, body: bytes, body_type: str, target: tuple[str, int], heard: Callable[[Answer], None]
    ) -> Any:
        """Send a request, again and again as its transport needs; ``heard`` gets each answer, 408 when none came."""
        request = SipRequest(text)
        for name in ("from", "to", "via", "cseq"):
            request.getHFBody(name)
        request.setTarget((target, "udp"))
        if body:
            request.setBody(Body(body, body_type))

        def answered(message: Any) -> None:
            heard(getattr(message, "everyline", None) or Answer(code=408, words=words(408)))

        return self.newTransaction(request, resp_cb=answered)

    def take_back(self, transaction: Any) -> None:
        """Cancel an INVITE of ours, as soon as somebody has answered at all."""
        if transaction.tid is not None and self.tclient is not None:
            self.cancelTransaction(transaction)

    def end(self) -> None:
        """Drop every transaction and give the port back."""
        for transaction in [*self.tclient.values(), *self.tserver.values()]:
            for name in TIMERS:
                if getattr(transaction, name, None) is not None:
                    getattr(transaction, name).cancel()
        self.shutdown()

    @property
    def standing(self) -> int:
        """How many transactions there are."""
        return len(self.tclient) + len(self.tserver)


def _fields(message: Any) -> tuple[tuple[str, str], ...]:
    return tuple((header.name, str(header.body)) for header in message.headers)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
