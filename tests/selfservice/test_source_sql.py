"""Sources in a PostgreSQL database of another house: read and nothing else, whatever a customer or an admin writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text as _text

from conftest import until
from everyline.ground.installation import Ground
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import Down, Found, Missing, look_up
from everyline.selfservice.sources.declared import Field, Input, Secrets
from tests.selfservice.backoffice import NOBODY, Ledger, added, asked, running_ledger

pytestmark = pytest.mark.req("V3", "W4")
BILL = "select due, until from bill where account = :account"


@pytest.fixture(name="ledger", scope="module")
def _ledger() -> Iterator[Ledger]:
    with running_ledger() as found:
        yield found


async def test_a_row_is_found_by_parameters(ground: Ground, ledger: Ledger) -> None:
    await added(ground, ledger.source(BILL), ledger.secrets)
    due, until = Value(Kind.MONEY, "1.50", "USD"), Value(Kind.DATE, "2026-01-02")
    assert await asked(ground, account="1001") == Found({"due": due, "until": until})
    assert await asked(ground, account="9999") == Missing()


async def test_every_kind_of_value_is_a_parameter(ground: Ground, ledger: Ledger) -> None:
    select = "select :m + 1 as m, :d + 1 as d, not :y as y, :t || '%s %(t)s :t' as t"
    slots = [Slot(Kind.MONEY, "m"), Slot(Kind.DATE, "d"), Slot(Kind.YES_NO, "y"), Slot(Kind.TEXT, "t")]
    source = ledger.source(select, inputs=tuple(map(Input, slots)), fields=tuple(map(Field, slots)))
    await added(ground, source, ledger.secrets)
    values = {"m": "1.50", "d": "2026-01-31", "y": "yes", "t": "it's {m} %"}
    found = await look_up(ground, "bill", {n: Value(Kind.TEXT, one) for n, one in values.items()}, 5, NOBODY)
    assert isinstance(found, Found)
    assert {n: one.value for n, one in found.slots.items()} == {
        "m": "2.50",
        "d": "2026-02-01",
        "y": "no",
        "t": "it's {m} %%s %(t)s :t",
    }


EVIL = [
    "'; drop table bill; --",
    "1001' or '1'='1",
    "1001'; select pg_sleep(9); --",
    "x' union select secret, null from treasure --",
    "%s %(x)s :account $1",
    "1001) as found; delete from bill; --",
    "\\'; commit; drop table bill",
]


async def test_what_a_customer_says_is_never_a_statement(ground: Ground, ledger: Ledger) -> None:
    source = ledger.source(BILL, inputs=(Input(Slot(Kind.TEXT, "account")),))
    await added(ground, source, ledger.secrets)
    for evil in EVIL:
        assert await look_up(ground, "bill", {"account": Value(Kind.TEXT, evil)}, 5, NOBODY) == Missing()
    assert ledger.rows("select count(*) from bill") == [(1000,)]


HARM = [
    ("drop table bill", "syntax error"),
    ("select 1 as due; drop table bill", "syntax error"),
    ("select 1 as due) as found; drop table bill; select * from (select 1 as due", "multiple commands"),
    ("insert into scratch values (1) returning n as due", "syntax error"),
    ("with gone as (delete from scratch returning n) select n as due from gone", "top level"),
    ("select n as due from scratch for update", "read-only"),
    ("copy bill to stdout", "syntax error"),
    ("set role postgres", "syntax error"),
    ("select secret as due from treasure", "permission denied"),
    ("select pg_read_file('/etc/passwd') as due", "permission denied"),
    ("select lo_import('/etc/passwd')::text as due", "permission denied"),
    ("select set_config('transaction_read_only', 'off', false) as due", "before any query"),
    ("select nextval('counted') as due", "read-only"),
    ("select 1 as other", "does not exist"),
    ("select 'x' as due", "due: This is no amount"),
    ("select repeat('9', 100000000) as due", "too long"),
    ("select due from bill", "More than one record fits"),
]


async def test_what_an_admin_writes_reads_and_nothing_else(ground: Ground, ledger: Ledger) -> None:
    for n, (select, reason) in enumerate(HARM):
        source = ledger.source(select, name=f"harm{n}", inputs=(), fields=(Field(Slot(Kind.MONEY, "due")),))
        await added(ground, source, ledger.secrets)
        found = await look_up(ground, f"harm{n}", {}, 5, NOBODY)
        assert isinstance(found, Down), select
        assert reason in found.reason, select
    assert ledger.rows("select count(*) from bill") == [(1000,)]
    assert ledger.rows("select count(*) from scratch") == [(0,)]


async def test_a_statement_that_takes_long_is_ended_on_both_sides(ground: Ground, ledger: Ledger) -> None:
    source = ledger.source(
        "select pg_sleep(20)::text as due", inputs=(), fields=(Field(Slot(Kind.TEXT, "due")),), seconds=0.4
    )
    await added(ground, source, ledger.secrets)
    began = time.monotonic()
    assert isinstance(await look_up(ground, "bill", {}, 30, NOBODY), Down)
    assert time.monotonic() - began < 1.5

    async def ended() -> bool:
        running = "select 1 from pg_stat_activity where query like '%pg_sleep(20)%' and state = 'active'"
        return not ledger.rows(f"{running} and pid <> pg_backend_pid()")

    await until(ended, seconds=5)


SHUT: list[tuple[dict[str, Any], Secrets | None, str]] = [
    ({}, Secrets(password="wrong-secret"), "password authentication failed"),
    ({"role": "mighty"}, Secrets(password="mighty-secret"), "may do more than read"),
    ({"port": 1}, Secrets(), "refused"),
    ({"inner": False}, Secrets(), "inner network"),
    ({"database": "elsewhere"}, None, "does not exist"),
    ({"encryption": "require"}, None, "SSL"),
]


async def test_who_does_not_let_us_in_is_down(ground: Ground, ledger: Ledger) -> None:
    for n, (facts, secrets, reason) in enumerate(SHUT):
        await added(ground, ledger.source(BILL, name=f"bill{n}", **facts), secrets or ledger.secrets)
        found = await asked(ground, f"bill{n}", account="1001")
        assert isinstance(found, Down)
        assert reason in found.reason
        assert "secret" not in found.reason


async def test_our_own_database_is_no_source(ground: Ground, ledger: Ledger) -> None:
    own = dict(part.split("=") for part in ground.database.url.partition("?")[2].split("&"))
    name = ground.database.url.rpartition("/" + "test_")[2].partition("?")[0]
    async with ground.database.transaction() as tx:
        await tx.execute(_text("create role small login"))
    try:
        facts = {"host": own["host"], "database": "test_" + name, "role": "small", "port": 5432}
        await added(ground, ledger.source("select 1 as due, 1 as until", inputs=(), **facts))
        found = await look_up(ground, "bill", {}, 5, NOBODY)
        assert isinstance(found, Down)
        assert "a database of Everyline" in found.reason
    finally:
        async with ground.database.transaction() as tx:
            await tx.execute(_text("drop role small"))


async def test_a_server_that_hangs_is_left_in_time(ground: Ground, ledger: Ledger) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # it never says a word
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        await added(ground, ledger.source(BILL, port=server.sockets[0].getsockname()[1]), ledger.secrets)
        began = time.monotonic()
        assert isinstance(await asked(ground, seconds=0.3), Down)
        assert time.monotonic() - began < 1
    finally:
        server.close()
