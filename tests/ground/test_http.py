"""The one HTTP client, against a real server on loopback: what it follows, how much it reads, whom it does not speak to."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from everyline.ground import http


class Host:
    """A server that answers each path as it was told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[bytes] = []
        self.port = 0

    def url(self, path: str, name: str = "127.0.0.1") -> str:
        return f"http://{name}:{self.port}{path}"

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.answers[path] = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()

    def says(self, path: str, body: bytes, *headers: str) -> None:
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
        self.answers[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head)
            path = head.split(b" ", 2)[1].decode()
            answer = self.answers.get(path)
            if answer is None:
                await reader.read()  # silent until the other side goes
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def host() -> AsyncIterator[Host]:
    """A server on a free port of loopback."""
    found = Host()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


@pytest.mark.req("P4")
async def test_a_named_host_of_the_own_network_is_asked() -> None:
    async with host() as server:
        server.says("/token", b'{"access_token": "t"}')
        answer = await http.request("POST", server.url("/token"), trusted=True, form={"grant": "refresh & go"})
        assert answer.json() == {"access_token": "t"}
        assert server.asked[0].startswith(b"POST /token HTTP/1.1\r\n")
        assert b"accept-encoding: identity" in server.asked[0].lower()


@pytest.mark.req("P4")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "2130706433"])
async def test_an_inner_address_that_nobody_named_is_not_spoken_to(name: str) -> None:
    async with host() as server:
        server.says("/", b"the house's own")
        with pytest.raises(http.HttpError):
            await http.request("GET", server.url("/", name))
        assert server.asked == []


@pytest.mark.req("P4")
async def test_trust_ends_where_a_redirection_leads_elsewhere() -> None:
    async with host() as server, host() as inner:
        inner.says("/secret", b"the house's own")
        server.redirect("/away", inner.url("/secret"))
        server.redirect("/here", "/end")
        server.says("/end", b"done")
        with pytest.raises(http.Forbidden, match="inner network"):
            await http.request("GET", server.url("/away"), trusted=True, redirects=3)
        assert inner.asked == []
        answer = await http.request("GET", server.url("/here"), trusted=True, redirects=3)
        assert (answer.body, answer.url) == (b"done", server.url("/end"))


@pytest.mark.req("P4")
async def test_redirections_are_followed_only_as_often_as_asked() -> None:
    async with host() as server:
        server.redirect("/round", "/round")
        not_followed = await http.request("GET", server.url("/round"), trusted=True)
        assert not_followed.status == 302
        with pytest.raises(http.HttpError, match="too often"):
            await http.request("GET", server.url("/round"), trusted=True, redirects=2)
        assert len(server.asked) == 1 + 3
        posted = await http.request("POST", server.url("/round"), trusted=True, redirects=2, content=b"once")
        assert posted.status == 302


@pytest.mark.req("P4")
@pytest.mark.parametrize("declared", [True, False])
async def test_an_answer_that_is_too_large_is_cut_off(declared: bool) -> None:
    async with host() as server:
        server.says("/", b"x" * 5000)
        if not declared:
            server.answers["/"] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000
        with pytest.raises(http.HttpError, match="larger than 4096"):
            await http.request("GET", server.url("/"), trusted=True, most_bytes=4096)
        answer = await http.request("GET", server.url("/"), trusted=True, most_bytes=5000)
        assert len(answer.body) == 5000


@pytest.mark.req("P4")
async def test_an_answer_that_unpacks_itself_is_not_taken() -> None:
    async with host() as server:
        server.says("/", gzip.compress(b"0" * 10_000_000), "Content-Encoding: gzip")
        with pytest.raises(http.HttpError, match="packed"):
            await http.request("GET", server.url("/"), trusted=True)


@pytest.mark.req("P4")
async def test_a_silent_host_is_left_in_time() -> None:
    async with host() as server:
        begun = time.monotonic()
        with pytest.raises(http.HttpError, match="no answer within"):
            await http.request("GET", server.url("/silent"), trusted=True, seconds=0.3)
        assert time.monotonic() - begun < 3


@pytest.mark.req("P4")
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/", "http://", "nonsense", "http://a:b@example.org/"]
)
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(http.Forbidden):
        await http.request("GET", url, trusted=True)


@pytest.mark.req("P4")
@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("no address", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert http.is_public(address) is public
