"""Ways to browsers that a Janus keeps (version 1, its NoSIP plugin): it finds them, agrees on keys and seals every packet, on as many
processors as it has, and here sound goes in and out as plain RTP.

One WebSocket for all ways of a process (Janus API, https://janus.conf.meetecho.com/docs/rest.html and …/nosip.html). When it breaks,
all ways over it are lost, and the pages offer anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from everyline.media import sdp
from everyline.media.errors import BadDescription, NoPorts, NothingInCommon
from everyline.media.negotiation import Agreement
from everyline.media.sockets import BUFFER
from everyline.webrtc.offers import Offer
from everyline.webrtc.ways import PATIENCE, Heard, is_report

log = logging.getLogger(__name__)

PLUGIN = "janus.plugin.nosip"
ANSWERS_WITHIN = 10.0  # seconds
ALIVE_EVERY = 25.0  # seconds; Janus forgets a session after 60 without a word
_GONE = frozenset(("hangup", "detached"))


class Janus:
    """The connection to a Janus, made when it is first needed, and again when it was lost.

    ``url`` such as ``ws://192.0.2.7:8188``; ``secret`` is its ``api_secret``, where it has one. ``host``: the address of ours that it
    sends sound to; one that means all addresses does.
    """

    def __init__(self, url: str, secret: str = "", host: str = "127.0.0.1") -> None:
        self.host = host
        self._url, self._secret = url, secret
        self._wire: ClientConnection | None = None
        self._session = 0
        self._asked: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._ways: dict[int, JanusWay] = {}
        self._listening: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    def open(self, offer: Offer, heard: Heard) -> JanusWay:
        """A way for an offer."""
        return JanusWay(self, offer, heard)

    async def reach(self) -> None:
        """Be connected. Raises NoPorts when no Janus is there, or it wants another secret."""
        async with self._connecting:
            if self._wire is None:
                await self._connect()

    async def attach(self, way: JanusWay) -> int:
        """A handle of the plugin for a way. Raises NoPorts."""
        await self.reach()
        handle = int((await self.ask({"janus": "attach", "plugin": PLUGIN}))["data"]["id"])
        self._ways[handle] = way
        return handle

    async def detach(self, handle: int) -> None:
        """Give a handle back, with all that Janus keeps for it."""
        if self._ways.pop(handle, None) is not None and self._wire is not None:
            with contextlib.suppress(NoPorts):
                await self.ask({"janus": "detach", "handle_id": handle})

    async def ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask, and wait for what comes of it. Raises NoPorts when Janus cannot or is not there any more."""
        wire = self._wire
        if wire is None:
            raise NoPorts("the connection to Janus is lost")
        number = secrets.token_hex(8)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await self._write(wire, body, number)
                found: Mapping[str, Any] = await answer
        except (TimeoutError, OSError, WebSocketException) as error:
            raise NoPorts("Janus does not answer") from error
        finally:
            del self._asked[number]
        if found["janus"] == "error":
            raise NoPorts(f"Janus said: {found['error'].get('reason', '')}")
        return found

    async def _write(self, wire: ClientConnection, body: Mapping[str, Any], number: str) -> None:
        known = {"session_id": self._session} if self._session else {}
        secret = {"apisecret": self._secret} if self._secret else {}
        await wire.send(json.dumps({**body, **known, **secret, "transaction": number}))

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                self._wire = await connect(self._url, subprotocols=["janus-protocol"], compression=None)  # type: ignore[list-item]  # -- a NewType of str
        except (TimeoutError, OSError, WebSocketException) as error:
            raise NoPorts(f"no Janus answers at {self._url}") from error
        self._listening = asyncio.create_task(self._listen(self._wire), name="janus listens")
        self._session = 0
        try:
            self._session = int((await self.ask({"janus": "create"}))["data"]["id"])
        except BaseException:
            await self.close()
            raise
        self._living = asyncio.create_task(self._stay_alive(self._wire), name="janus stays alive")

    async def _listen(self, wire: ClientConnection) -> None:
        try:
            async for message in wire:
                found = json.loads(message)
                if found.get("janus") == "timeout":  # the whole session: Janus waited in vain for a word of ours
                    break
                self._hear(found)
        except WebSocketException:
            pass
        finally:
            if self._wire is wire:
                log.warning("the connection to Janus is lost")
                self._forget()
                await wire.close()

    def _hear(self, found: Mapping[str, Any]) -> None:
        kind = found.get("janus")
        waiting = self._asked.get(str(found.get("transaction", "")))
        if kind in ("success", "error", "event") and waiting is not None:
            if not waiting.done():
                waiting.set_result(found)
            return
        way = self._ways.get(int(found.get("sender", 0)))
        if way is not None and kind == "webrtcup":
            way.up()
        elif way is not None and kind in _GONE:
            way.gone.set()

    async def _stay_alive(self, wire: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):  # whoever listens sees that it is lost
            while True:
                await asyncio.sleep(ALIVE_EVERY)
                await self._write(wire, {"janus": "keepalive"}, "alive")

    def _forget(self) -> None:
        self._wire, self._session = None, 0
        if self._living is not None:
            self._living.cancel()
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(NoPorts("the connection to Janus is lost"))
        for way in self._ways.values():
            way.gone.set()
        self._ways.clear()

    async def close(self) -> None:
        """End it."""
        wire = self._wire
        self._forget()
        if wire is not None:
            await wire.close()
        await asyncio.gather(*filter(None, (self._listening, self._living)), return_exceptions=True)


class JanusWay:
    """See ``ways.Way``."""

    def __init__(self, janus: Janus, offer: Offer, heard: Heard) -> None:
        self._janus, self._offer, self._heard = janus, offer, heard
        self._handle = 0
        self._sockets: list[socket.socket] = []  # for sound and for reports
        self._up = asyncio.Event()
        self.gone = asyncio.Event()

    async def answer(self, agreed: Agreement, source: int, name: str) -> str:  # noqa: ARG002 -- Janus names what it sends by itself
        """Janus is given the offer, says what it makes of it in plain RTP, and is told where we are."""
        self._handle = await self._janus.attach(self)
        offered = {"type": "offer", "sdp": _with_one_digest(self._offer.body), "trickle": False}
        made = (await self._say({"request": "generate"}, offered))["plugindata"]["data"]["result"]
        plain = sdp.parse(str(made["sdp"]).encode()).first("audio")
        if plain is None:
            raise NothingInCommon("Janus sees no sound in the offer")
        for address in ((plain.address, plain.port), plain.rtcp_address):
            self._sockets.append(self._opened(address))
        (host, port), (_host, rtcp_port) = (
            one.getsockname()[:2] for one in self._sockets
        )  # of all ours the one towards Janus
        streams = tuple(
            replace(
                one,
                port=port,
                protocol=plain.protocol,
                address=host,
                rtcp_port=rtcp_port,
                rtcp_together=False,
                others=(),
            )
            if one.port
            else one
            for one in agreed.ours.streams
        )
        body = sdp.write(replace(agreed.ours, address=host, streams=streams, others=())).decode()
        answer = (await self._say({"request": "process", "type": "answer", "sdp": body})).get("jsep")
        if answer is None:
            raise BadDescription("Janus made no answer")
        return str(answer["sdp"])

    async def _say(self, body: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """A message to the plugin; raises BadDescription when it does not like it."""
        more = {"jsep": offered} if offered else {}
        found = await self._janus.ask({"janus": "message", "handle_id": self._handle, "body": body, **more})
        if "error" in found.get("plugindata", {}).get("data", {}):
            raise BadDescription(str(found["plugindata"]["data"]["error"])[:200])
        return found

    def _opened(self, other: tuple[str, int]) -> socket.socket:
        """A socket that speaks with this address of Janus and nobody else."""
        found = socket.socket(socket.AF_INET6 if ":" in other[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            found.settimeout(0)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            found.bind((self._janus.host, 0))
            found.connect(other)
        except OSError as error:
            found.close()
            raise NoPorts(f"no socket towards Janus at {other[0]}: {error.strerror}") from error
        asyncio.get_running_loop().add_reader(found, self._take, found)
        return found

    def _take(self, opened: socket.socket) -> None:
        while True:
            try:
                data = opened.recv(2048)
            except OSError:  # nothing more for now
                return
            if len(data) > 1:
                self._heard(self, data)

    async def connect(self) -> bool:
        """Janus tells when it has found the browser, and both have keys."""
        told = [asyncio.create_task(one.wait()) for one in (self._up, self.gone)]
        await asyncio.wait(told, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for one in told:
            one.cancel()
        return self._up.is_set() and not self.gone.is_set()

    def up(self) -> None:
        """Told by Janus: sound can flow."""
        self._up.set()

    async def lost(self) -> None:
        """Until Janus says so, or is gone itself."""
        await self.gone.wait()

    def send(self, data: bytes) -> None:
        """As plain RTP, reports beside it."""
        if self._sockets and not self.gone.is_set():
            with contextlib.suppress(OSError):
                self._sockets[is_report(data)].send(data)

    async def close(self) -> None:
        """Janus tells the browser."""
        self.gone.set()
        for one in self._sockets:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        self._sockets.clear()
        await self._janus.detach(self._handle)


def _with_one_digest(offer: str) -> str:
    """Janus takes whatever fingerprint comes last for one by SHA-256."""
    return re.sub(r"a=fingerprint:(?!sha-256 )[^\r\n]*\r?\n", "", offer, flags=re.IGNORECASE)
