"""Mail hosts found by an address, with a DNS server on loopback that answers as it is told, and hosts that listen or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from everyline.channel_contract import Proposal, Proposes
from everyline.channels.email import channel, lookup
from everyline.channels.email.lookup import Place, Reach
from tests.world.names import Zone, naming
from tests.world.processes import free_ports

pytestmark = pytest.mark.req("E1", "P3")

PERMITS = "permits@harbor.example"
NO_PAGES: tuple[str, ...] = ()


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    """What the domains of these tests say."""
    async with naming() as found:
        yield found


@contextlib.asynccontextmanager
async def listening(greeting: bytes = b"") -> AsyncIterator[int]:
    """A host that takes connections on a free port of loopback, which says the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if greeting:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(greeting)
                await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def page(incoming: str = "imap.%EMAILDOMAIN%", **changes: str) -> bytes:
    """A configuration file as mail programs read it."""
    text = f"""<?xml version="1.0" encoding="UTF-8"?><!-- ours -->
<clientConfig version="1.1"><emailProvider id="harbor.example"><domain>harbor.example</domain>
<incomingServer type="pop3"><hostname>pop.harbor.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>{incoming}</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>plain.harbor.example</hostname><port>25</port><socketType>plain</socketType></outgoingServer>
<outgoingServer type="smtp"><hostname>smtp.harbor.example</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILADDRESS%</username></outgoingServer></emailProvider></clientConfig>"""
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.encode()


def hosts(proposal: Proposal) -> dict[str, str]:
    return {name: value for group in proposal.groups for name, value in group.items()}


def test_the_channel_offers_it() -> None:
    assert isinstance(channel, Proposes)


async def test_what_a_domain_names_in_dns_is_taken(zone: Zone) -> None:
    zone.says(
        "_imaps._tcp.harbor.example",
        "SRV",
        "20 1 993 old.harbor.example.",
        "10 1 9993 a.pier.example.",
        "10 5 993 b.pier.example.",
    )
    zone.says("_submission._tcp.harbor.example", "SRV", "0 1 587 out.pier.example.")
    zone.says("_submissions._tcp.harbor.example", "SRV", "0 0 0 .")
    proposal = await lookup.propose(PERMITS, Reach(pages=("http://localhost:9/never",)))
    assert list(proposal.groups) == [
        {
            "imap_host": "b.pier.example",
            "imap_port": "993",
            "imap_encryption": "tls",
            "incoming": "imap",
            "imap_user": PERMITS,
        },
        {"smtp_host": "out.pier.example", "smtp_port": "587", "smtp_encryption": "starttls"},
    ]
    assert proposal.found == "harbor.example itself names its mail hosts: b.pier.example, out.pier.example."
    assert not [one for one in zone.asked if one.endswith((" A", " AAAA", " MX"))], "nothing more is looked for"


async def test_else_what_its_file_for_mail_programs_says(zone: Zone) -> None:
    body = page()
    async with listening(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
    ) as port:
        url = f"http://localhost:{port}/{{domain}}?emailaddress={{address}}"
        found = hosts(await lookup.propose(PERMITS, Reach(pages=(url,), trusted=True)))
        inner = hosts(await lookup.propose(PERMITS, Reach(pages=(url,))))
    assert found == {
        "imap_host": "imap.harbor.example",
        "imap_port": "993",
        "imap_encryption": "tls",
        "incoming": "imap",
        "imap_user": "permits",
        "smtp_host": "smtp.harbor.example",
        "smtp_port": "587",
        "smtp_encryption": "starttls",
        "smtp_user": PERMITS,
    }
    assert inner == {}, "a host of the own network is not asked for it"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><p>No such page",
        b"\xff\xfe<\x00",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><clientConfig>&a;</clientConfig>',
        page("bad host"),
        page("127.0.0.1"),
        page("imap.harbor.example\n\x1b"),
        page(**{">993<": ">99300<"}),
        page(**{">993<": ">٩٩٣<"}),
        page(SSL="plain"),
        page(**{"%EMAILLOCALPART%": "a&#9;b"}),
    ],
)
def test_a_file_that_makes_no_sense_names_nothing(body: bytes) -> None:
    assert "imap" not in lookup.configured(body, PERMITS)


async def test_else_a_host_of_the_usual_name_that_answers(zone: Zone) -> None:
    zone.says("harbor.example", "MX", "10 mx.pier.example.")
    zone.says("imap.harbor.example", "A", "127.0.0.1")
    zone.says("mail.pier.example", "A", "127.0.0.1")
    zone.says("_submissions._tcp.pier.example", "SRV", "0 1 465 smtp.pier.example.")
    (closed,) = free_ports(1)
    async with listening() as port:
        reach = Reach(NO_PAGES, {"imap": ((closed, "tls"), (port, "starttls")), "smtp": ()}, may=lambda _address: True)
        proposal = await lookup.propose(PERMITS, reach)
    found = hosts(proposal)
    assert (found["imap_host"], found["imap_port"], found["imap_encryption"]) == (
        "imap.harbor.example",
        str(port),
        "starttls",
    )
    assert (found["smtp_host"], found["smtp_encryption"]) == ("smtp.pier.example", "tls")
    assert "compare them" in proposal.found


async def test_nobody_inside_is_spoken_to(zone: Zone) -> None:
    zone.says("imap.harbor.example", "A", "127.0.0.1")
    zone.says("mail.harbor.example", "A", "10.0.0.1", "192.0.2.1")
    zone.says("mail.harbor.example", "AAAA", "::ffff:127.0.0.1")
    async with listening() as port:
        proposal = await lookup.propose(PERMITS, Reach(NO_PAGES, {"imap": ((port, "tls"),), "smtp": ((port, "tls"),)}))
        assert await lookup._answers(Place("imap.harbor.example", port, "tls"), lambda _address: True), "it does listen"
    assert proposal.groups == ()


@pytest.mark.parametrize(
    "records",
    [
        ["0 1 0 imap.harbor.example."],
        ["0 0 993 ."],
        ["0 1 993 127.0.0.1."],
        ["0 1 993 localhost."],
        [r"0 1 993 a\032b\000.harbor.example."],
        [r"0 1 993 a\"\>\<b.harbor.example."],
        [f"{n} 1 993 ." for n in range(300)],
    ],
)
async def test_absurd_records_name_nothing(zone: Zone, records: list[str]) -> None:
    zone.says("_imaps._tcp.harbor.example", "SRV", *records)
    proposal = await lookup.propose(PERMITS, Reach(NO_PAGES, {"imap": (), "smtp": ()}))
    assert proposal.groups == ()
    assert proposal.found == "Nothing was found out about harbor.example. Fill in what your mail provider says."


@pytest.mark.parametrize(
    "address", ["a@localhost", "a@[127.0.0.1]", "a@127.0.0.1", "a@-x-.example", "a@" + "x" * 70 + ".example"]
)
async def test_what_is_no_domain_is_not_asked_for(zone: Zone, address: str) -> None:
    assert (await lookup.propose(address)).groups == ()
    assert zone.asked == []


async def test_a_domain_that_does_not_exist_or_answer_is_left_in_time(zone: Zone) -> None:
    assert (await lookup.propose("a@nowhere.example", Reach(NO_PAGES))).groups == ()
    async with asyncio.timeout(60):  # nobody ever answers
        assert (await lookup.propose("a@silent.example", Reach(NO_PAGES), seconds=0.5)).groups == ()


async def test_what_was_found_before_time_was_up_is_kept(zone: Zone) -> None:
    zone.says("_imaps._tcp.harbor.example", "SRV", "0 1 993 imap.harbor.example.")
    zone.says("harbor.example", "MX", "10 mx.silent.example.")
    proposal = await lookup.propose(PERMITS, Reach(NO_PAGES), seconds=0.7)
    assert hosts(proposal)["imap_host"] == "imap.harbor.example"
    assert "itself names" in proposal.found


@pytest.mark.parametrize(
    ("host", "above"),
    [
        ("mx1.provider.net", "provider.net"),
        ("provider.co.uk", ""),
        ("a.provider.co.uk", "provider.co.uk"),
        ("mx.com", ""),
    ],
)
def test_whose_a_mail_exchanger_is(host: str, above: str) -> None:
    assert lookup._above(host) == above
