"""The one HTTP client: bounded in time and in size, and shy of inner addresses.

An address that an admin named is ``trusted``: it may stand inside the own network, as many hosts that give out tokens
do. Every other address comes from somebody we do not know, and what is fetched for it must never be ours: only hosts
whose every address is a public one are spoken to. The name is looked up once and the connection goes to what was
looked at, so that a name which answers differently the second time changes nothing. Trust ends with the host that was
named: a redirection elsewhere is looked at like a stranger's address.

Errors::

    HttpError      there is no answer: not reached, too slow, too large, redirected too often
    Forbidden      this address is not spoken to
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

SECONDS = 20.0
MOST_BYTES = 4 * 1024 * 1024
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_HOLD_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


class HttpError(Exception):
    """No answer came of it; the message says why, in the words of the wire."""


class Forbidden(HttpError):
    """This address is not spoken to; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status says."""

    url: str  # where it came from, after redirections
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


async def request(
    method: str,
    url: str,
    *,
    trusted: bool = False,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most_bytes: int = MOST_BYTES,
    redirects: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Ask and wait for the whole answer, at most ``seconds`` and ``most_bytes`` long.

    ``trusted``: an admin named this address, so it may be one of the own network. ``redirects``: how many are followed;
    a method other than GET and HEAD is never asked again elsewhere. ``tls``: how certificates are checked, by default
    with those that the machine trusts. Raises HttpError.
    """
    import httpx

    method = method.upper()
    named = _parsed(url)
    target = named
    try:
        async with asyncio.timeout(seconds):
            for step in range(min(redirects, MOST_REDIRECTS) + 1):
                trusts = trusted and _origin(target) == _origin(named)
                # a proxy of the environment would look names up itself: only for what an admin named
                async with httpx.AsyncClient(
                    verify=tls if tls is not None else _usual_tls(), trust_env=trusts, timeout=seconds
                ) as client:
                    answer = await _ask(client, method, target, trusts, form, content, headers, most_bytes)
                goes_to = answer.headers.get("location", "")
                if answer.status not in _REDIRECTS or not goes_to or not redirects or method not in ("GET", "HEAD"):
                    return answer
                target = _parsed(str(target.join(goes_to)))
                if _origin(target) != _origin(named):
                    headers = None  # what was meant for one host is told to no other
                if step == redirects:
                    break
    except TimeoutError as error:
        raise HttpError(f"no answer within {seconds:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise HttpError(str(error) or type(error).__name__) from error
    raise HttpError("redirected too often")


@cache
def _usual_tls() -> ssl.SSLContext:
    """Made once: to read all certificates takes 30 ms, in which the whole process stands still."""
    import httpx

    return httpx.create_ssl_context()


def _parsed(url: str) -> httpx.URL:
    import httpx

    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Forbidden("this is no web address") from error
    if parsed.scheme not in _PORTS or not parsed.host:
        raise Forbidden("only web addresses with http or https are spoken to")
    if parsed.userinfo:
        raise Forbidden("a web address with a password in it is not spoken to")
    return parsed


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]


async def _ask(
    client: httpx.AsyncClient,
    method: str,
    url: httpx.URL,
    trusts: bool,  # noqa: FBT001 -- one caller
    form: Mapping[str, str] | None,
    content: bytes | None,
    headers: Mapping[str, str] | None,
    most_bytes: int,
) -> Answer:
    import httpx

    # nothing is asked to be packed, so that what is counted is what there is
    told = {**(headers or {}), "Accept-Encoding": "identity"}
    places = [url.host] if trusts else await public_addresses(url.host, _origin(url)[2])
    failure: httpx.ConnectError | None = None
    for place in places:
        if trusts:
            asked = client.build_request(method, url, data=form, content=content, headers=told)
        else:
            told["Host"] = url.netloc.decode("ascii")
            asked = client.build_request(
                method,
                url.copy_with(host=place),
                data=form,
                content=content,
                headers=told,
                extensions={"sni_hostname": url.host},  # the certificate is that of the name
            )
        try:
            found = await client.send(asked, stream=True)
        except httpx.ConnectError as error:
            failure = error
            continue
        try:
            return Answer(
                str(url),
                found.status_code,
                {n.lower(): v for n, v in found.headers.items()},
                await _body(found, most_bytes),
            )
        finally:
            await found.aclose()
    assert failure is not None
    raise failure


async def _body(found: httpx.Response, most_bytes: int) -> bytes:
    if found.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HttpError("the answer is packed although nobody asked for that")
    declared = found.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise HttpError(f"the answer is larger than {most_bytes} bytes")
    kept = bytearray()
    async for piece in found.aiter_raw():
        kept += piece
        if len(kept) > most_bytes:
            raise HttpError(f"the answer is larger than {most_bytes} bytes")
    return bytes(kept)


async def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them public. Raises Forbidden when one is not, HttpError when there is none.

    One inner address is enough to say no: a name that has both is made to reach inside.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HttpError(f"{host} is not known") from error
    places = list(dict.fromkeys(str(one[4][0]) for one in found))
    for place in places:
        if not is_public(place):
            raise Forbidden(f"{host} is an address of an inner network")
    return places


def is_public(address: str) -> bool:
    """Is this an address that anybody on the internet could reach? Wrapped ones are looked at from inside (RFC 3056,
    RFC 4291, RFC 6052)."""
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address):
        inner = place.ipv4_mapped or place.sixtofour or (place.teredo[1] if place.teredo else None)
        if inner is None and any(place in network for network in _HOLD_IPV4):
            inner = ipaddress.IPv4Address(int(place) & 0xFFFFFFFF)
        if inner is not None:
            place = inner
    return place.is_global and not place.is_multicast
