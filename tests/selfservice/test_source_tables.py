"""Tables of our own: files in whatever form they come, rows found by their keys, and what customers know as proof."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from everyline.customers import actions as customers
from everyline.customers.models import ContactPoint, Customer
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.installation import Ground
from everyline.selfservice.identity import Who
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import Down, Found, Missing, actions, files, knowledge, look_up, queries, table
from everyline.selfservice.sources.declared import Field, Input, Secrets, Source, Table
from everyline.selfservice.sources.knowledge import Checked, Verdict
from tests.selfservice.backoffice import ACCOUNT, DUE, UNTIL, Office, added, asked, bill, office

pytestmark = pytest.mark.req("V3", "W4")
OWNER = Field(Slot(Kind.NAME, "owner"), at="Account Owner", needed=False)


def accounts(**facts: Any) -> Source:
    style = {name: facts.pop(name) for name in ("dates", "decimal") if name in facts}
    return Source(
        **{"name": "bill", "settings": Table(**style), "inputs": (ACCOUNT,), "fields": (DUE, UNTIL, OWNER), **facts}
    )


def file(*rows: str, separator: str = ",") -> str:
    heads = ("Account", "due", "UNTIL", "account  owner")
    return "\r\n".join([separator.join(heads), *rows]) + "\r\n"


FORMS = [
    (file("A-1,1.50,2026-02-03,Zoë Müller").encode(), {}, "utf-8", ","),
    (codecs.BOM_UTF8 + file("A-1,1.50,2026-02-03,Zoë Müller").encode(), {}, "utf-8", ","),
    (
        file("A-1;1,50;03.02.2026;Zoë Müller", separator=";").encode("latin-1"),
        {"dates": "dmy", "decimal": ","},
        "cp1252",
        ";",
    ),
    (file("A-1\t1.50\t2/3/2026\tZoë Müller", separator="\t").encode("utf-16"), {"dates": "mdy"}, "utf-16", "\t"),
    (file("A-1|1.50|2026-02-03|Zoë Müller", separator="|").encode("utf-16-be"), {}, "utf-16-be", "|"),
    (file('"A-1","1,001.50","2026-02-03","Zoë\r\nMüller"').encode(), {}, "utf-8", ","),
]


@pytest.mark.parametrize(("content", "facts", "encoding", "separator"), FORMS)
def test_a_file_is_read_in_whatever_form_it_comes(
    content: bytes, facts: dict[str, str], encoding: str, separator: str
) -> None:
    [line], report = files.read(accounts(**facts), content)
    assert (report.encoding, report.separator, report.kept, report.refused) == (encoding, separator, 1, 0)
    assert line.inputs["account"].value == "A1"
    assert line.fields["due"].value in ("1.50", "1001.50")
    assert line.fields["until"].value == "2026-02-03"
    assert line.fields["owner"].value.split() == ["Zoë", "Müller"]


def test_bad_rows_are_said_by_line_and_the_rest_is_kept() -> None:
    rows = [
        "1,1.00,2026-01-01,A",
        "2,x,2026-01-01,A",
        "3,1.00,2026-02-30,A",
        ",1.00,2026-01-01,A",
        "1,9.00,2026-01-01,B",
        "",
        "4,1.00",
        "5,1.00,2026-01-01,A,more",
        "6,1.00,2026-01-01,",
    ]
    lines, report = files.read(accounts(), file(*rows).encode())
    assert [one.inputs["account"].value for one in lines] == ["1", "6"]
    assert report.refused == 6
    assert [line for line, _why in report.faults] == [3, 4, 5, 6, 8, 9]
    assert report.faults[0][1] == "due: This is no amount."
    assert "same key" in report.faults[3][1]


def test_what_is_no_such_table_is_refused_whole() -> None:
    for content in (b"", b"\x00\x01\x02PK", b"account,until\n1,2026-01-01\n", file().replace("due", "dew").encode()):
        with pytest.raises(Invalid, match=r"not in the file: .*due"):
            files.read(accounts(), content)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.text(alphabet='",;\n\r\t a1\x00', max_size=200).map(lambda one: file(one).encode()))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        lines, report = files.read(accounts(), content)
    except Invalid:
        return
    assert len(lines) == report.kept


def test_a_quote_that_is_never_closed_costs_its_row_alone() -> None:
    rows = ["1,1.00,2026-01-01,A", '2,1.00,2026-01-01,"' + "x" * 200_000]
    lines, report = files.read(accounts(), file(*rows).encode())
    assert [one.inputs["account"].value for one in lines] == ["1"]
    assert report.refused >= 1


async def test_100_000_rows_are_found_by_their_keys(ground: Ground) -> None:
    source = await added(ground, accounts())
    rows = (f"{n},{n}.50,2026-02-03,Owner {n}" for n in range(100_000))
    lines, report = await asyncio.to_thread(files.read, source, file(*rows).encode())
    assert report.kept == 100_000
    async with ground.database.transaction() as tx:
        await actions.load(tx, ground.key, None, source.id, lines, report, file="all.csv")
    found = await asked(ground, account="77-123")
    assert isinstance(found, Found)
    assert found.slots["due"].value == "77123.50"
    assert found.slots["owner"].value == "Owner 77123"
    assert await asked(ground, account="100000") == Missing()


async def test_a_file_replaces_what_was_there_or_leaves_it(ground: Ground) -> None:
    source = await added(ground, accounts())

    async def load(content: str) -> None:
        lines, report = files.read(source, content.encode())
        async with ground.database.transaction() as tx:
            await actions.load(tx, ground.key, None, source.id, lines, report, file="a.csv")

    await load(file("1,1.00,2026-01-01,A", "2,2.00,2026-01-01,A"))
    await load(file("2,3.00,2026-01-01,A"))
    assert await asked(ground, account="1") == Missing()
    with pytest.raises(Invalid, match="Nothing was changed"):
        await load(file("1,x,2026-01-01,A"))
    found = await asked(ground, account="2")
    assert isinstance(found, Found)
    assert found.slots["due"].value == "3.00"
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, source.id)
    assert (row.loaded["kept"], row.loaded["file"], row.loaded["encoding"]) == (1, "a.csv", "utf-8")


async def test_rows_are_written_one_by_one_and_secrets_never_kept(ground: Ground) -> None:
    pin = Input(Slot(Kind.SECRET, "pin"))
    source = await added(ground, accounts(inputs=(ACCOUNT, pin)))

    def line(**cells: str) -> files.Line:
        kept = {"account": "7", "pin": "9371", "due": "1.00", "until": "2026-01-01", "owner": "A", **cells}
        return files.line(source, lambda column: kept[column.slot.name])

    async with ground.database.transaction() as tx:
        row_id = await actions.add_row(tx, ground.key, None, source, line())
        with pytest.raises(Conflict):
            await actions.add_row(tx, ground.key, None, source, line(due="2.00"))
        other = await actions.add_row(tx, ground.key, None, source, line(account="8"))
        with pytest.raises(Conflict):
            await actions.write_row(tx, ground.key, None, source, other, line())
        await actions.write_row(tx, ground.key, None, source, row_id, line(due="5.00"))
        await actions.remove_row(tx, None, source, other)
        kept = await tx.rows(text("select cells::text, digest from customer_source_row"))
    assert [("9371" in row.cells, b"9371" in row.digest) for row in kept] == [(False, False)]
    right = {"account": Value(Kind.ACCOUNT, "7"), "pin": Value(Kind.SECRET, "9371")}
    found = await look_up(ground, "bill", right, 5, Who())
    assert isinstance(found, Found)
    assert found.slots["due"].value == "5.00"
    assert await look_up(ground, "bill", {**right, "pin": Value(Kind.SECRET, "9372")}, 5, Who()) == Missing()
    async with ground.database.transaction() as tx:
        kinds = await tx.column(text("select kind from event where kind like 'customer_source.%' order by id"))
    assert [kind.partition(".")[2] for kind in kinds] == [
        "added",
        "row_added",
        "row_added",
        "row_changed",
        "row_removed",
    ]


async def test_a_column_that_became_another_kind_is_down_and_keys_stay(ground: Ground) -> None:
    source = await added(ground, accounts())
    lines, report = files.read(source, file("1,1.00,2026-01-01,A").encode())
    owner = Field(Slot(Kind.EMAIL, "owner"))
    async with ground.database.transaction() as tx:
        await actions.load(tx, ground.key, None, source.id, lines, report, file="a.csv")
        now_ = accounts(id=source.id, revision=1, fields=(owner,))
        await actions.change(tx, ground.vault, None, now_, Secrets())
        moved = accounts(id=source.id, revision=2, inputs=(Input(Slot(Kind.DIGITS, "number")),))
        with pytest.raises(Invalid):
            await actions.change(tx, ground.vault, None, moved, Secrets())
    assert isinstance(await asked(ground, account="1"), Down)


async def test_a_source_has_one_name_and_one_proof(ground: Ground) -> None:
    bound = Input(Slot(Kind.EMAIL, "mail"), given="address")
    await added(ground, accounts(inputs=(ACCOUNT, bound), proof=True))
    with pytest.raises(Conflict):
        await added(ground, accounts())
    with pytest.raises(Conflict, match="serves as proof"):
        await added(ground, accounts(name="other", inputs=(ACCOUNT, bound), proof=True))


# --- proof by what one knows

ZOE = "zoe@mail.example"
MAIL = Input(Slot(Kind.EMAIL, "mail"), given="address")
PIN = Input(Slot(Kind.SECRET, "pin"), asks={"en": "What is your PIN?"})
RIGHT = {"account": Value(Kind.ACCOUNT, "7"), "pin": Value(Kind.SECRET, "9371")}
WRONG = {**RIGHT, "pin": Value(Kind.SECRET, "0000")}


async def person(ground: Ground, address: str) -> int:
    async with ground.database.transaction() as tx:
        one = int(await tx.value(insert(Customer).values(name=address).returning(Customer.id)))
        await tx.execute(insert(ContactPoint).values(customer_id=one, kind="mailbox", address=address))
        return one


async def tried(ground: Ground, address: str, values: dict[str, Value], *come_from: str) -> Verdict:
    return (await knowledge.check(ground, "mailbox", address, values, come_from)).verdict


@pytest.fixture(name="proof")
async def _proof(ground: Ground) -> Source:
    source = await added(ground, accounts(inputs=(ACCOUNT, PIN, MAIL), fields=(), proof=True))
    async with ground.database.transaction() as tx:
        await table.add(
            tx, ground.key, source, files.Line({**RIGHT, "mail": Value(Kind.EMAIL, "zoe@mail.example")}, {})
        )
    return source


async def test_who_knows_is_who_they_say(ground: Ground, proof: Source) -> None:
    zoe = await person(ground, ZOE)
    await person(ground, "max@mail.example")
    async with ground.database.transaction() as tx:
        found = await knowledge.questions(tx)
    assert found is not None
    assert found.address_kind == "mailbox"
    assert [(one.slot.name, dict(one.words)) for one in found.asked] == [
        ("account", {}),
        ("pin", {"en": "What is your PIN?"}),
    ]
    assert await knowledge.check(ground, "mailbox", ZOE, RIGHT) == Checked(Verdict.RIGHT, zoe)
    assert await tried(ground, ZOE, WRONG) is Verdict.WRONG
    assert await tried(ground, "max@mail.example", RIGHT) is Verdict.WRONG, "somebody else's answers show nothing"
    assert await tried(ground, "nobody@mail.example", RIGHT) is Verdict.WRONG
    assert await tried(ground, ZOE, {}) is Verdict.DOWN, "who does not answer is no customer"


async def test_who_is_known_to_the_source_alone_is_nobody(ground: Ground, proof: Source) -> None:
    assert await tried(ground, ZOE, RIGHT) is Verdict.WRONG


async def test_tries_are_counted_whoever_is_there_and_however_many_at_once(ground: Ground, proof: Source) -> None:
    zoe = await person(ground, ZOE)
    for _n in range(12):
        assert await tried(ground, ZOE, RIGHT) is Verdict.RIGHT, "what is right costs nothing"
    for address in (ZOE, "nobody@mail.example"):
        found = await asyncio.gather(*(tried(ground, address, WRONG) for _n in range(9)))
        assert sorted(found) == [Verdict.OVER] * 3 + [Verdict.WRONG] * 6, address
        assert await tried(ground, address, RIGHT) is Verdict.OVER, "too late for today"
    async with ground.database.transaction() as tx:
        counted = "select count(*) from knowledge_try where counted = :key"
        assert await tx.value(text(counted), {"key": f"customer:{zoe}"}) == 6
        assert ZOE not in str(await tx.column(text("select counted from knowledge_try")))
        await tx.execute(text("update knowledge_try set at = at - interval '1 day'"))
    assert await tried(ground, ZOE, RIGHT) is Verdict.RIGHT
    async with ground.database.transaction() as tx:
        await knowledge.forget_old(tx)
        assert await tx.value(text("select count(*) from knowledge_try")) == 0


async def test_who_tries_many_addresses_is_counted_where_they_come_from(ground: Ground, proof: Source) -> None:
    for n in range(6):
        assert await tried(ground, f"n{n}@mail.example", WRONG, "browser:1", "network:1") is Verdict.WRONG
    assert await tried(ground, ZOE, WRONG, "browser:1", "network:1") is Verdict.OVER
    assert await tried(ground, ZOE, WRONG, "browser:2", "network:1") is Verdict.WRONG


async def test_another_address_of_the_same_customer_gets_no_more_tries_and_says_so_to_nobody(
    ground: Ground, proof: Source
) -> None:
    zoe = await person(ground, ZOE)
    twin = await person(ground, "zoe@post.example")
    async with ground.database.transaction() as tx:
        await customers.merge(tx, None, zoe, twin)
    for address in ("zoe@post.example", ZOE):
        verdicts = [await tried(ground, address, WRONG) for _n in range(5)]
        assert verdicts == [Verdict.WRONG] * 5, "an address that nobody has gets the same"
    assert await tried(ground, ZOE, RIGHT) is Verdict.WRONG, "ten of the customer were wrong"
    assert await tried(ground, ZOE, RIGHT) is Verdict.OVER


@pytest.fixture(name="host")
async def _host() -> AsyncIterator[Office]:
    async with office() as found:
        yield found


async def test_nobody_is_blamed_for_a_source_that_is_away(ground: Ground, host: Office) -> None:
    host.says("", {}, status=500)
    inputs = (ACCOUNT, PIN, MAIL)
    body = '{"account": "{account}", "pin": "{pin}", "mail": "{mail}"}'
    source = bill(host, "/proof", method="POST", body=body, inputs=inputs, fields=(), proof=True, most_failures=100)
    await added(ground, source)
    await person(ground, ZOE)
    for _n in range(12):
        assert await tried(ground, ZOE, RIGHT) is Verdict.DOWN
    host.says("", {"ok": True})
    assert await tried(ground, ZOE, RIGHT) is Verdict.RIGHT
    assert b'"mail": "zoe@mail.example"' in host.asked[-1][2]
    assert await tried(ground, "nobody@mail.example", RIGHT) is Verdict.WRONG
    assert b"nobody@mail.example" in host.asked[-1][2], "it is asked in any case, so that time tells nothing"
