"""Sources over HTTP, asked at a real host that answers in every way there is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from conftest import until
from everyline.ground.installation import Ground
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import Down, Found, Missing, look_up, looking, queries
from everyline.selfservice.sources.declared import Field, Input, Secrets
from tests.selfservice.backoffice import NOBODY, Office, added, asked, bill, office

pytestmark = pytest.mark.req("V3", "W4")
GOOD = {"due": 41.5, "until": "2026-02-03"}
FOUND = Found({"due": Value(Kind.MONEY, "41.50", "USD"), "until": Value(Kind.DATE, "2026-02-03")})


@pytest.fixture(name="host")
async def _host() -> AsyncIterator[Office]:
    async with office() as found:
        yield found


async def test_what_is_found_is_of_the_declared_kinds(ground: Ground, host: Office) -> None:
    host.says("/bills/4711", {"data": [{"balance": {"due": "$1,041.50"}, "until": "2026-02-03T00:00:00Z"}]})
    fields = (Field(Slot(Kind.MONEY, "due", currency="EUR"), at="/balance/due"), Field(Slot(Kind.DATE, "until")))
    secrets = Secrets(headers={"Authorization": "Bearer t0ps3cret"})
    await added(ground, bill(host, record="/data", fields=fields, headers={"X-Office": "7"}), secrets)
    found = await asked(ground)
    assert found == Found({"due": Value(Kind.MONEY, "1041.50", "EUR"), "until": Value(Kind.DATE, "2026-02-03")})
    [(line, headers, _body)] = host.asked
    assert line == "GET /bills/4711 HTTP/1.1"
    assert (headers["authorization"], headers["x-office"]) == ("Bearer t0ps3cret", "7")


NONE = [({"data": []}, 200), ({"data": None}, 200), ({"error": "unknown"}, 404), (b"", 404), ({}, 200)]


async def test_there_is_none(ground: Ground, host: Office) -> None:
    await added(ground, bill(host, record="/data/0"))
    for body, status in NONE:
        host.says("/bills/4711", body, status=status)
        assert await asked(ground) == Missing(), body


NONSENSE: list[tuple[object, dict[str, Any], str]] = [
    (GOOD, {"status": 500}, "status 500"),
    (GOOD, {"status": 401}, "status 401"),
    (b"<!doctype html><p>Welcome", {"kind": "text/html"}, "text/html"),
    (b'{"due": 41.5, "unt', {}, "not JSON"),
    (b'{"due": NaN, "until": "2026-02-03"}', {}, "not JSON"),
    ({"due": "a lot", "until": "2026-02-03"}, {}, "due: This is no amount"),
    ({"due": 41.5, "until": "2026-02-30"}, {}, "until: There is no such day"),
    ({"due": 41.5}, {}, "until: there is nothing"),
    ({"due": {"amount": 41.5}, "until": "2026-02-03"}, {}, "due: It is a list or an object"),
    ([GOOD, GOOD], {}, "2 records fit"),
    ("41.50", {}, "due"),
    (GOOD, {"content_encoding": "gzip"}, "packed"),
]


async def test_nonsense_is_down_with_a_reason(ground: Ground, host: Office) -> None:
    await added(ground, bill(host, most_failures=100))
    for body, facts, reason in NONSENSE:
        host.says("/bills/4711", body, **facts)
        found = await asked(ground)
        assert isinstance(found, Down), body
        assert reason in found.reason


async def test_a_host_that_drops_floods_or_is_silent_is_down_in_time(ground: Ground, host: Office) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    host.does("/bills/1", lambda w: w.write(head + b'Content-Length: 90\r\n\r\n{"due": 41'))
    host.does("/bills/2", lambda w: w.write(head + b"Content-Length: 52428800\r\n\r\n" + b"[" * 4096))
    host.does("/bills/3", lambda w: w.write(head + b"\r\n" + b'"' + b"a" * 3_000_000))
    host.does("/bills/4", lambda w: w.write(b"SSH-2.0-OpenSSH\r\n"))
    host.does("/bills/5", lambda w: w.close())
    await added(ground, bill(host, most_failures=100))
    began = time.monotonic()
    for account, reason in (("1", ""), ("2", "larger"), ("3", "larger"), ("4", ""), ("5", ""), ("6", "0.3 seconds")):
        found = await asked(ground, account=account, seconds=0.3 if account == "6" else 5)
        assert isinstance(found, Down), account
        assert reason in found.reason
    assert time.monotonic() - began < 3


async def test_the_time_is_all_the_time_there_is(ground: Ground, host: Office) -> None:
    def drip(writer: asyncio.StreamWriter) -> None:
        async def on() -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.05)

        dripping.append(asyncio.create_task(on()))

    dripping: list[asyncio.Task[None]] = []
    host.does("/bills/4711", drip)
    await added(ground, bill(host, seconds=0.4))
    began = time.monotonic()
    assert isinstance(await asked(ground, seconds=30), Down)
    assert time.monotonic() - began < 1.5
    for one in dripping:
        one.cancel()


async def test_a_slow_host_is_not_overrun(ground: Ground, host: Office) -> None:
    await added(ground, bill(host, most_failures=100))
    asking = [asyncio.create_task(asked(ground, account=str(n))) for n in range(40)]

    async def full() -> bool:
        return len(host.asked) >= looking.AT_ONCE

    await until(full)
    await asyncio.sleep(0.2)  # in which one more would have come
    assert len(host.asked) == looking.AT_ONCE
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    host.says("/bills/4711", GOOD)
    assert await asked(ground) == FOUND, "who let go has made room"


async def test_nothing_of_ours_is_open_while_others_are_asked(ground: Ground, host: Office) -> None:
    await added(ground, bill(host))
    looking = asyncio.create_task(asked(ground, seconds=5))
    await host.silent.wait()
    async with ground.database.transaction() as tx:
        open_ = await tx.value(
            text(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                " and state like 'idle in transaction%'"
            )
        )
    assert open_ == 0
    looking.cancel()


async def test_a_redirection_is_not_followed(ground: Ground, host: Office) -> None:
    async with office() as elsewhere:
        elsewhere.says("/stolen", GOOD)
        host.says("/bills/4711", b"", status=302, Location=elsewhere.url("/stolen"))
        await added(ground, bill(host), Secrets(headers={"X-Key": "t0ps3cret"}))
        found = await asked(ground)
        assert isinstance(found, Down)
        assert "302" in found.reason
        assert elsewhere.asked == []


async def test_the_own_network_is_reached_when_an_admin_allows_it(ground: Ground, host: Office) -> None:
    host.says("/bills/4711", GOOD)
    for n, name in enumerate(("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254")):
        url = f"http://{name}:{host.port}/bills/{{account}}"
        await added(ground, bill(host, url=url, inner=False, name=f"bill{n}"))
        found = await asked(ground, f"bill{n}")
        assert isinstance(found, Down), name
        assert "inner network" in found.reason
    assert host.asked == []


async def test_values_stay_in_their_place(ground: Ground, host: Office) -> None:
    free = Input(Slot(Kind.TEXT, "account"))
    host.says("", {}, status=404)
    await added(ground, bill(host, "/bills/{account}?v=1", inputs=(free,)))
    for evil in ("../admin", "x?y=1", "x#y", "a/b", "x HTTP/1.1\r\nX-Evil: 1", "{account}", "%2e%2e", "x@evil.example"):
        assert await look_up(ground, "bill", {"account": Value(Kind.TEXT, evil)}, 5, NOBODY) == Missing()
        line, headers, _body = host.asked[-1]
        method, path, _version = line.split(" ")
        assert method == "GET"
        assert path.startswith("/bills/")
        assert path.endswith("?v=1")
        assert path.count("/") == 2
        assert path.count("?") == 1
        assert headers["host"].startswith("127.0.0.1")
        assert "x-evil" not in headers
    before = len(host.asked)
    assert await look_up(ground, "bill", {"account": Value(Kind.TEXT, "..")}, 1, NOBODY) == Missing()
    assert await look_up(ground, "bill", {"account": Value(Kind.TEXT, " ")}, 1, NOBODY) == Missing()
    assert isinstance(await look_up(ground, "bill", {}, 1, NOBODY), Down)
    assert len(host.asked) == before


async def test_a_body_is_made_of_values(ground: Ground, host: Office) -> None:
    host.says("/rpc", GOOD)
    inputs = (Input(Slot(Kind.TEXT, "account")), Input(Slot(Kind.SECRET, "pin")))
    body = '{"params": [["code", "=", "{account}"]], "pin": "{pin}"}'
    await added(ground, bill(host, "/rpc", method="POST", body=body, inputs=inputs))
    values = {"account": Value(Kind.TEXT, 'x"}], "admin": true, "y": ["'), "pin": Value(Kind.SECRET, "9371")}
    assert await look_up(ground, "bill", values, 5, NOBODY) == FOUND
    assert host.asked[0][2] == (
        b'{"params": [["code", "=", "x\\"}], \\"admin\\": true, \\"y\\": [\\""]], "pin": "9371"}'
    )


async def test_an_answer_is_kept_for_its_values_alone(ground: Ground, host: Office) -> None:
    host.says("/bills/4711", GOOD)
    host.says("/bills/4712", {**GOOD, "due": 7})
    source = await added(ground, bill(host, keep_seconds=60))
    for _again in range(3):
        assert await asked(ground) == FOUND
        other = await asked(ground, account="4712")
        assert isinstance(other, Found)
        assert other.slots["due"].value == "7.00"
    assert len(host.asked) == 2
    async with ground.database.transaction() as tx:
        from everyline.selfservice.sources import actions

        await actions.change(tx, ground.vault, None, replace(source, seconds=3), Secrets())
    await asked(ground)
    assert len(host.asked) == 3, "a source that was changed is asked anew"


async def test_the_breaker_opens_is_tried_by_one_and_closes(
    ground: Ground, host: Office, caplog: pytest.LogCaptureFixture
) -> None:
    host.says("/bills/4711", {}, status=503)
    host.says("/bills/0", {"due": "x"})
    await added(ground, bill(host, most_failures=3, pause_seconds=1))
    caplog.set_level(logging.WARNING)
    for _turn in range(5):
        await asked(ground, account="0")  # nonsense on one record leaves the others be
    for _turn in range(3):
        assert isinstance(await asked(ground), Down)
    count = len(host.asked)
    left = await asked(ground)
    assert isinstance(left, Down)
    assert "failed 3 times in a row" in left.reason
    assert len(host.asked) == count, "it is left alone"
    assert "4711" not in caplog.text
    await asyncio.sleep(1.05)  # the pause itself is what is tried
    host.says("/bills/4711", GOOD)
    both = await asyncio.gather(*(asked(ground) for _n in range(5)))
    assert FOUND in both
    assert await asked(ground) == FOUND
    async with ground.database.transaction() as tx:
        kinds = await tx.column(text("select kind from event where kind like 'customer_source.%' order by id"))
    assert kinds == ["customer_source.added", "customer_source.failed", "customer_source.recovered"]


async def test_secrets_are_locked_and_stand_in_no_reason(ground: Ground, host: Office) -> None:
    host.says("/bills/4711", {"due": "Bearer t0ps3cret", "until": "9371"})
    source = bill(host, fields=(Field(Slot(Kind.DATE, "until"), at="/due"),))
    await added(ground, source, Secrets(headers={"Authorization": "Bearer t0ps3cret"}))
    async with ground.database.transaction() as tx:
        [row] = await queries.every(tx)
    assert b"t0ps3cret" not in row.secrets
    assert "t0ps3cret" not in str(row.settings)
    assert queries.secrets_of_row(row, ground.vault).headers["Authorization"] == "Bearer t0ps3cret"
    found = await asked(ground)
    assert isinstance(found, Down)
    assert "t0ps" not in found.reason


async def test_what_is_not_there_or_not_on_is_down(ground: Ground, host: Office) -> None:
    assert isinstance(await asked(ground, "nowhere"), Down)
    await added(ground, bill(host, enabled=False))
    assert await asked(ground) == Down("It is switched off.")
    assert host.asked == []
