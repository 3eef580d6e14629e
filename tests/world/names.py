"""A DNS server on loopback that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Zone(asyncio.DatagramProtocol):
    """Answers with the records of ``holds``: what is not in it does not exist; a name with ``silent`` in it is not answered."""

    def __init__(self) -> None:
        self.holds: dict[tuple[str, str], list[str]] = {}
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        if "silent" in name:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        found = self.holds.get((name, kind), [])
        if found:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        elif not any(name == one for one, _kind in self.holds):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)

    def says(self, name: str, kind: str, *records: str) -> None:
        self.holds[(name, kind)] = list(records)


@contextlib.asynccontextmanager
async def naming() -> AsyncIterator[Zone]:
    """A DNS server that everything in this process asks."""
    transport, found = await asyncio.get_running_loop().create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    before = dns.asyncresolver.default_resolver
    dns.asyncresolver.default_resolver = resolver  # type: ignore[assignment]  # -- the library says None, for it sets it later
    try:
        yield found
    finally:
        dns.asyncresolver.default_resolver = before
        transport.close()
