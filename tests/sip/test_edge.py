"""An edge before the house: calls through it, telephones that sign in at it, several processes behind it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from everyline.sip.edge import Edge, address, files, password
from everyline.sip.events import Answered, Ended
from everyline.sip.exchange import SipExchange
from everyline.sip.numbers import NotAllowed, NumberRules
from everyline.sip.placed import Caller, PlacedCall
from everyline.sip.trunks import Trunk, TrunkState
from tests.sip.baresip import Baresip, baresip
from tests.sip.conftest import House, standing
from tests.sip.kamailio import DOMAIN, Running, certificate, kamailio
from tests.sip.peers import HOUSE, body, free_udp_port, stranger, until

NUMBER = "+12025550155"
WORD, WORD_OF_BEN = password(b"k" * 32, "ada"), password(b"k" * 32, "ben")


@contextlib.asynccontextmanager
async def behind(
    folder: Path, house: House, *trunks: Trunk, secure: Sequence[str] = (), authority: Path | None = None
) -> AsyncIterator[tuple[SipExchange, Running]]:
    """A house behind an edge, which knows of a second process that is not there."""
    port, gone = free_udp_port(HOUSE), free_udp_port(HOUSE)
    nodes = (f"{HOUSE}:{gone}", f"{HOUSE}:{port}")
    async with (
        kamailio(folder, *nodes, phones={"ada": WORD, "ben": WORD_OF_BEN}, secure=secure, authority=authority) as edge,
        standing(house, *trunks, port=port, edge=edge.at, domain=DOMAIN) as exchange,
    ):
        yield exchange, edge


def call_to(exchange: SipExchange, to: str) -> PlacedCall:
    """The house calls somebody."""
    return exchange.call(to, ("north",), caller=Caller("+12025550100"), rules=NumberRules(), offer=body())


async def answered(call: PlacedCall, phone: Baresip) -> None:
    """It is answered, and the other side hangs up."""
    async with asyncio.timeout(20):
        async for event in call.events():
            if isinstance(event, Answered):
                await phone.told("hangup")
            if isinstance(event, Ended):
                assert not event.by_us, event
                return


@pytest.mark.req("V1")
async def test_calls_come_in_and_go_out_by_the_edge(tmp_path: Path) -> None:
    house = House()
    async with baresip(tmp_path / "phone", NUMBER) as phone:
        north = Trunk("north", phone.host, phone.port, trusted=True, ping_seconds=30)
        other = Trunk("other", "127.0.0.77")
        async with behind(tmp_path / "edge", house, other, north) as (exchange, edge):
            await until(lambda: exchange.standing("north").state is TrunkState.UP, 40)
            await phone.told("dial", f"sip:+12025550100@{edge.at}")
            await phone.happens("CALL_ESTABLISHED")
            facts = house.calls[0].facts
            assert (facts.trunk, facts.number, facts.dialled_number) == ("north", NUMBER, "+12025550100")
            await phone.told("hangup")
            await house.settled()
            call = call_to(exchange, NUMBER)
            await phone.happens("CALL_INCOMING")
            await phone.told("accept")
            await answered(call, phone)
            assert {line.peer for line in call.trace()} == {edge.at}


@pytest.mark.req("V1")
async def test_who_is_no_trunk_is_refused_also_by_way_of_the_edge(tmp_path: Path) -> None:
    house = House()
    async with behind(tmp_path / "edge", house, Trunk("north", "127.0.0.77")) as (_, edge):
        async with stranger(edge.port) as one:
            one.send(one.request("INVITE", more="X-Everyline-Source: 127.0.0.77:5060\r\n"))
            await until(lambda: 403 in one.codes, 40)
        assert not house.calls


@pytest.mark.req("V1", "V5")
@pytest.mark.parametrize("way", ["udp", "tls"])
async def test_an_agents_telephone_signs_in_and_is_called(tmp_path: Path, way: str) -> None:
    async with behind(tmp_path / "edge", House(), Trunk("north", "127.0.0.77")) as (exchange, edge):
        port = edge.secure_port if way == "tls" else edge.port
        account = f'<sip:ada@{DOMAIN};transport={way}>;auth_pass={WORD};outbound="sip:{HOUSE}:{port};transport={way}"'
        async with baresip(tmp_path / "phone", "ada", account=account) as phone:
            await phone.signs_in()
            call = call_to(exchange, f"sip:ada@{DOMAIN}")
            await phone.happens("CALL_INCOMING")
            await phone.told("accept")
            await answered(call, phone)
            assert {line.peer for line in call.trace()} == {edge.at}


@pytest.mark.req("V1")
async def test_a_telephone_with_another_password_is_not_let_in(tmp_path: Path) -> None:
    async with behind(tmp_path / "edge", House(), Trunk("north", "127.0.0.77")) as (exchange, edge):
        account = f'<sip:ada@{DOMAIN}>;auth_pass=wrong;outbound="sip:{edge.at}"'
        async with baresip(tmp_path / "phone", "ada", account=account) as phone:
            await phone.happens("REGISTER_FAIL")
        call = call_to(exchange, f"sip:ada@{DOMAIN}")
        last = [event async for event in call.events()][-1]
        assert isinstance(last, Ended)
        assert last.code == 480
        with pytest.raises(NotAllowed):
            call_to(exchange, "sip:ada@elsewhere.example")


@pytest.mark.req("V1", "V5")
@pytest.mark.parametrize("way", ["udp", "tls"])
async def test_a_telephone_that_has_proved_itself_calls_us(tmp_path: Path, way: str) -> None:
    house = House()
    async with behind(tmp_path / "edge", house, Trunk("north", "127.0.0.77")) as (exchange, edge):
        port = edge.secure_port if way == "tls" else edge.port
        account = f'<sip:ada@{DOMAIN};transport={way}>;auth_pass={WORD};outbound="sip:{HOUSE}:{port};transport={way}"'
        async with baresip(tmp_path / "phone", "ada", account=account) as phone:
            await phone.signs_in()
            await phone.told("dial", f"sip:2025550155@{DOMAIN}")
            await phone.happens("CALL_ESTABLISHED")
            [call] = house.calls
            assert (call.facts.telephone, call.facts.dialled_number) == (f"sip:ada@{DOMAIN}", NUMBER)
            assert "proxy-authorization" not in exchange.trace(call.id).lower()
            await call.hang_up()
            await phone.happens("CALL_CLOSED")
            await house.settled()


@pytest.mark.req("V1", "V5")
async def test_a_telephone_calls_in_no_other_name_than_its_own(tmp_path: Path) -> None:
    house = House()
    async with behind(tmp_path / "edge", house, Trunk("north", "127.0.0.77")) as (_, edge):
        for count, said in enumerate(("", f"auth_user=ben;auth_pass={WORD_OF_BEN};"), 1):
            account = f'<sip:ada@{DOMAIN}>;{said}regint=0;outbound="sip:{edge.at}"'
            async with baresip(tmp_path / f"phone-{count}", "ada", account=account) as phone:
                await phone.told("dial", f"sip:2025550155@{DOMAIN}")
                await phone.happens("CALL_CLOSED")
                assert "407" in phone.log
        async with stranger(edge.port) as one:
            one.send(one.request("INVITE", more="X-Everyline-Telephone: +12025550123\r\n"))
            await until(lambda: 403 in one.codes, 40)
        assert not house.calls


@pytest.mark.req("V1")
async def test_the_edge_speaks_tls_and_knows_which_processes_take_calls(tmp_path: Path) -> None:
    house = House()
    request = (
        f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TLS {HOUSE}:9;branch=z9hG4bKone\r\nFrom: <sip:a@b.example>;tag=1\r\n"
        f"To: <sip:{DOMAIN}>\r\nCall-ID: one@b.example\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    async with behind(tmp_path / "edge", house, Trunk("north", "127.0.0.9")) as (exchange, edge):
        assert (await edge.secretly(request)).startswith("SIP/2.0 200")
        exchange.rest(10)
        async with stranger(edge.port) as one:
            one.send(one.request("INVITE"))
            await until(lambda: 503 in one.codes, 40)
        assert not house.calls


@contextlib.asynccontextmanager
async def busy_by_tls(proof: tuple[Path, Path]) -> AsyncIterator[tuple[int, list[str]]]:
    """A trunk that speaks TLS, with this certificate and key, and is always busy: its port, and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.split("\r\n")
                length = next(
                    (int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), 0
                )
                await reader.readexactly(length)
                asked.append(lines[0])
                if lines[0].startswith("INVITE"):
                    kept = [
                        line
                        for line in lines
                        if line.lower().startswith(("via:", "from:", "call-id:", "cseq:", "record-route:"))
                    ]
                    to = next(line for line in lines if line.lower().startswith("to:"))
                    answer = ("SIP/2.0 486 Busy Here", *kept, f"{to};tag=busy", "Content-Length: 0", "", "")
                    writer.write("\r\n".join(answer).encode())
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*proof)
    server = await asyncio.start_server(serve, "127.0.0.78", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


@pytest.mark.req("V1")
@pytest.mark.parametrize(
    ("made_by", "its_own", "heard"),
    [
        ("known", "", True),
        ("unknown", "", False),
        ("provider", "=provider", True),
        ("known", "=provider", False),
    ],
)
async def test_a_trunk_by_tls_hears_of_calls_when_its_certificate_is_proved(
    tmp_path: Path, made_by: str, its_own: str, heard: bool
) -> None:
    for authority in ("known", "unknown", "provider"):
        certificate(tmp_path, authority)
    proof = certificate(tmp_path, "sip.north.example", tmp_path / f"{made_by}.pem")
    async with busy_by_tls(proof) as (port, asked):
        secure = [f"127.0.0.78:{port}" + (f"={tmp_path}/provider.pem" if its_own else "")]
        trunk, known = Trunk("north", "127.0.0.78"), tmp_path / "known.pem"
        async with behind(tmp_path / "edge", House(), trunk, secure=secure, authority=known) as (exchange, _edge):
            last = [event async for event in call_to(exchange, NUMBER).events()][-1]
    assert isinstance(last, Ended)
    assert bool(asked) == heard
    assert (last.code == 486) == heard


def test_an_edge_is_told_nothing_that_it_could_misread() -> None:
    assert address("192.0.2.5:5062") == ("192.0.2.5", 5062)
    assert address("192.0.2.5") == ("192.0.2.5", 5060)
    assert address("") is None
    for wrong in (
        {"domain": 'a";}'},
        {"nodes": ()},
        {"nodes": ("house:5060",)},
        {"nodes": ("192.0.2.7:0",)},
        {"phones": {'a"': "b"}},
        {"certificate": "/a"},
        {"folder": '/a"'},
        {"secure": ("a b",), "certificate": "/a", "key": "/b"},
        {"secure": ("a:0",), "certificate": "/a", "key": "/b"},
        {"secure": ('a=/b"',), "certificate": "/a", "key": "/b"},
        {"secure": ("sip.north.example",)},
        {"authorities": '/a"'},
    ):
        with pytest.raises(ValueError, match=r"."):
            Edge(**{"domain": DOMAIN, "nodes": ("192.0.2.7:5060",), **wrong})  # type: ignore[arg-type]  # -- wrong on purpose
    made = files(Edge(DOMAIN, ("192.0.2.7:5060", "192.0.2.8:5060"), phones={"ada": WORD}))
    assert made["nodes.list"].count("sip:192.0.2.") == 2
    assert WORD not in made["kamailio.cfg"]
    assert "tls.so" not in made["kamailio.cfg"]
