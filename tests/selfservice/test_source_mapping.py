"""What others answer becomes values of the declared kind, or is refused: JSON pointers, cells, addresses, bodies. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import mapping, sql, web
from everyline.selfservice.sources.breaker import Stand, stand
from everyline.selfservice.sources.declared import Field, Http, Input, Secrets, Source, Sql, Table, fields_of, written
from everyline.selfservice.sources.keeping import Kept
from everyline.selfservice.sources.mapping import Gone, Nonsense, Style
from everyline.selfservice.sources.rules import faults

pytestmark = pytest.mark.req("V3", "W4")
DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", Gone.ABSENT),
        ("/foo/01", Gone.ABSENT),
        ("/foo/-", Gone.ABSENT),
        ("/nowhere", Gone.ABSENT),
        ("/foo/0/x", Gone.ABSENT),
    ],
)  # RFC 6901, section 5
def test_pointers_lead_where_their_standard_says(pointer: str, found: object) -> None:
    assert mapping.pointed(DOCUMENT, pointer) == found


@pytest.mark.parametrize("text", ["foo", "/~", "/~2", "#/foo", "/a~"])
def test_what_is_no_pointer_is_not_followed(text: str) -> None:
    assert not mapping.is_pointer(text)
    with pytest.raises(ValueError, match="pointer"):
        mapping.pointed(DOCUMENT, text)


@given(st.dictionaries(st.text(), st.integers(), min_size=1), st.data())
def test_every_member_has_a_pointer(document: dict[str, int], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    assert mapping.pointed(document, "/" + name.replace("~", "~0").replace("/", "~1")) == document[name]


def test_nothing_there_is_told_from_somewhere_else() -> None:
    assert mapping.pointed({"data": []}, "/data/0") is Gone.EMPTY
    assert mapping.pointed({"data": None}, "/data/0/x") is Gone.EMPTY
    assert mapping.pointed({"error": "no"}, "/data/0") is Gone.ABSENT


@settings(max_examples=300)
@given(JSON, st.sampled_from(list(Kind)))
def test_whatever_comes_is_a_value_nothing_or_nonsense(raw: object, kind: Kind) -> None:
    slot = Slot(kind, "x", choices={"open": {"en": "Open"}})
    try:
        value = mapping.read(slot, raw)
    except Nonsense:
        return
    if value is None:
        return
    assert value.kind is kind
    assert mapping.read(slot, value.value) == value, "what is kept reads as itself"
    if kind is Kind.DATE:
        date.fromisoformat(value.value)
    if kind is Kind.MONEY:
        assert Decimal(value.value).as_tuple().exponent == -2


@settings(max_examples=200)
@given(st.binary(max_size=200) | JSON.map(lambda one: json.dumps(one, default=str).encode()))
def test_any_bytes_are_json_or_nonsense(body: bytes) -> None:
    try:
        found = mapping.loaded(body)
    except Nonsense:
        return
    assert found is None or isinstance(found, dict | list | str | bool | int | Decimal)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe\x00", b"", b"1e9" + b"9" * 5000, b"9" * 5000]
)
def test_hostile_json_is_no_crash(body: bytes) -> None:
    with pytest.raises(Nonsense):
        mapping.read(Slot(Kind.MONEY, "due"), mapping.loaded(body))


@pytest.mark.parametrize(
    ("kind", "raw", "style", "value"),
    [
        (Kind.MONEY, Decimal("41.5"), mapping.PLAIN, "41.50"),
        (Kind.MONEY, 41, mapping.PLAIN, "41.00"),
        (Kind.MONEY, "$1,234.50", mapping.PLAIN, "1234.50"),
        (Kind.MONEY, "1.234,50", Style(decimal=","), "1234.50"),
        (Kind.MONEY, "-0.01 USD", mapping.PLAIN, "-0.01"),
        (Kind.DATE, "2026-02-03", mapping.PLAIN, "2026-02-03"),
        (Kind.DATE, "2026-02-03T10:00:00Z", mapping.PLAIN, "2026-02-03"),
        (Kind.DATE, "03.02.2026", Style(dates="dmy"), "2026-02-03"),
        (Kind.DATE, "2/3/2026", Style(dates="mdy"), "2026-02-03"),
        (Kind.YES_NO, True, mapping.PLAIN, "yes"),
        (Kind.YES_NO, "F", mapping.PLAIN, "no"),
        (Kind.ACCOUNT, 1234567890, mapping.PLAIN, "1234567890"),
        (Kind.TEXT, "{account}", mapping.PLAIN, "{account}"),
        (Kind.CHOICE, "OPEN", mapping.PLAIN, "open"),
        (Kind.PHONE, "360 555 0142", mapping.PLAIN, "+13605550142"),
    ],
)
def test_cells_of_each_kind_are_read(kind: Kind, raw: object, style: Style, value: str) -> None:
    read = mapping.read(Slot(kind, "x", choices={"open": {"en": "Open"}}), raw, style)
    assert read is not None
    assert read.value == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Kind.MONEY, "41.505"),
        (Kind.MONEY, "1e3"),
        (Kind.MONEY, "1.234,50"),
        (Kind.MONEY, "EUR 12.00"),
        (Kind.MONEY, Decimal("1E+999999")),
        (Kind.MONEY, True),
        (Kind.DATE, "2026-02-30"),
        (Kind.DATE, "03.02.2026"),
        (Kind.DATE, 20260203),
        (Kind.DATE, "soon"),
        (Kind.YES_NO, "maybe"),
        (Kind.CHOICE, "shut"),
        (Kind.EMAIL, "nobody"),
        (Kind.TEXT, {"a": 1}),
        (Kind.TEXT, ["a"]),
        (Kind.TEXT, "x" * 5000),
        (Kind.DIGITS, "12a"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(kind: Kind, raw: object) -> None:
    with pytest.raises(Nonsense):
        mapping.read(Slot(kind, "x", choices={"open": {"en": "Open"}}), raw)


def test_an_answer_is_whole_or_none() -> None:
    fields = (
        Field(Slot(Kind.MONEY, "due")),
        Field(Slot(Kind.DATE, "until")),
        Field(Slot(Kind.TEXT, "remark"), needed=False),
    )
    whole = {"due": "1.00", "until": "2026-01-01", "remark": None}
    assert set(mapping.values(fields, lambda one: whole[one.slot.name])) == {"due", "until"}
    for until in ("x", None):
        broken = {**whole, "until": until}
        with pytest.raises(Nonsense, match="until"):
            mapping.values(fields, lambda one, cells=broken: cells[one.slot.name])  # type: ignore[misc]  # -- bound to this turn


# --- addresses and bodies


def _http(**facts: Any) -> Source:
    inputs = tuple(
        Input(Slot(kind, name)) for name, kind in (("a", Kind.TEXT), ("n", Kind.DIGITS), ("pin", Kind.SECRET))
    )
    return Source(name="x", settings=Http(**{"url": "https://back.example/", **facts}), inputs=inputs)


@given(st.text(min_size=1).filter(lambda text: text.strip(".")))
def test_a_value_stays_one_piece_of_the_address(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    found = web.address("https://back.example/v1/{a}/bill?q={a}&lang=en", {"a": Value(Kind.TEXT, text)})
    parts = urlsplit(found)
    assert parts.netloc == "back.example"
    assert [unquote(one) for one in parts.path.split("/")] == ["", "v1", text, "bill"]
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", text), ("lang", "en")]
    assert not parts.fragment


@pytest.mark.parametrize("dots", [".", "..", "..."])
def test_no_value_climbs_out_of_its_folder(dots: str) -> None:
    with pytest.raises(web.Unfit):
        web.address("https://back.example/v1/{a}", {"a": Value(Kind.TEXT, dots)})


@given(st.text())
def test_a_value_stays_one_text_of_the_body(text: str) -> None:
    made = web.body('{"q": ["{a}", {"say": "it is {a}."}], "n": 1}', {"a": Value(Kind.TEXT, text)})
    assert made is not None
    assert json.loads(made) == {"q": [text, {"say": f"it is {text}."}], "n": 1}


def test_bodies_know_numbers_and_yes() -> None:
    values: Mapping[str, Value] = {"n": Value(Kind.DIGITS, "007"), "y": Value(Kind.YES_NO, "yes")}
    assert web.body('["{n}", "{n:number}", "{y}"]', values) == b'["007", 7, true]'
    with pytest.raises(web.Unfit):
        web.body('["{n:number}"]', {"n": Value(Kind.TEXT, "7 or 1")})


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"url": "https://{a}.example/"}, "url"),
        ({"url": "https://back.example@evil.example/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://back.example/{b}"}, "url"),
        ({"url": "https://back.example/{a"}, "url"),
        ({"url": "https://back.example/?pin={pin}"}, "url"),
        ({"body": "{}"}, "body"),
        ({"method": "POST", "body": '{"a": {a}}'}, "body"),
        ({"method": "POST", "body": '{"a": "{b}"}'}, "body"),
        ({"method": "POST", "body": "[" * 800 + "]" * 800}, "body"),
        ({"method": "POST", "body": "[" * 9000}, "body"),
        ({"record": "data"}, "record"),
        ({"missing": (200,)}, "missing"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "headers"),
        ({"headers": {"Host": "elsewhere"}}, "headers"),
    ],
)
def test_what_is_wrong_with_an_http_source_is_said(facts: dict[str, Any], where: str) -> None:
    assert list(faults(_http(**facts), Secrets())) == [where]


def test_what_is_right_is_not_complained_about() -> None:
    right = _http(url="https://back.example/{a}", method="POST", body='{"p": "{pin}"}', headers={"X-Key": "v"})
    assert faults(right, Secrets(headers={"Authorization": "Bearer t"})) == {}
    assert fields_of(written(right)["fields"]) == right.fields


def test_tables_and_proofs_are_checked() -> None:
    table = Source(name="t", settings=Table(), inputs=())
    assert list(faults(table, Secrets())) == ["inputs"]
    knows = Input(Slot(Kind.ACCOUNT, "account"))
    proof = Source(name="t", settings=Table(), inputs=(knows,), proof=True)
    assert list(faults(proof, Secrets())) == ["proof"]
    bound = Source(
        name="t", settings=Table(), inputs=(knows, Input(Slot(Kind.EMAIL, "mail"), given="address")), proof=True
    )
    assert faults(bound, Secrets()) == {}
    assert list(faults(Source(name="t", settings=Table(), inputs=(knows, knows)), Secrets())) == ["inputs"]


# --- SQL


def _sql(select: str) -> Source:
    place = Sql(host="db.example", database="d", role="r", select=select)
    return Source(
        name="s",
        settings=place,
        inputs=(Input(Slot(Kind.ACCOUNT, "account")),),
        fields=(Field(Slot(Kind.MONEY, "due")),),
    )


def test_parameters_stand_where_values_do() -> None:
    select = "select ':no', \":no\", $t$ :no $t$, a::text -- :no\n/* :no */ from b where c = :account or d = :account"
    assert sql.parameters(select) == {"account"}
    words, turn = sql.statement(_sql(select))
    assert turn == ["account", "account"]
    assert words.as_string().count("%s") == 2


def test_a_per_cent_sign_is_no_parameter() -> None:
    words, turn = sql.statement(_sql("select 1 as due where 'a%sb' like 'a%' and 5 % 2 = 1;"))
    assert turn == []
    assert "'a%%sb' like 'a%%' and 5 %% 2 = 1\n)" in words.as_string()


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"host": ""}, "host"),
        ({"host": "/run/postgresql"}, "host"),
        ({"host": "a,b"}, "host"),
        ({"select": "select :b"}, "select"),
        ({"select": " "}, "select"),
    ],
)
def test_what_is_wrong_with_a_database_is_said(facts: dict[str, Any], where: str) -> None:
    place = {"host": "db.example", "database": "d", "role": "r", "select": "select 1", **facts}
    assert list(faults(Source(name="s", settings=Sql(**place), inputs=()), Secrets())) == [where]


# --- kept answers and the breaker


def test_a_kept_answer_serves_no_other_values() -> None:
    source = Source(name="s", settings=Table(), inputs=(), keep_seconds=60, id=1, revision=1)
    kept, one, other = Kept(most=2), {"a": Value(Kind.TEXT, "1")}, {"a": Value(Kind.TEXT, "2")}
    keys = {
        kept.key("h", source, one),
        kept.key("h", source, other),
        kept.key("h", source, {"b": one["a"]}),
        kept.key("g", source, one),
    }
    assert len(keys) == 4
    assert not [key for key in keys if key == b"1" or b"text" in key]
    kept.put(kept.key("h", source, one), source, {"due": Value(Kind.MONEY, "1.00")})
    assert kept.get(kept.key("h", source, one)) == {"due": Value(Kind.MONEY, "1.00")}
    assert kept.get(kept.key("h", source, other)) is None
    kept.put(b"k", source, {"pin": Value(Kind.SECRET, "1")})
    assert kept.get(b"k") is None
    for n in range(5):
        kept.put(b"%d" % n, source, one)
    assert len(kept) == 2


def test_the_breaker_lets_one_try_after_its_pause() -> None:
    at = datetime.fromisoformat("2026-01-01T10:00:00+00:00")
    assert stand(None, None, 30, at) is Stand.CLOSED
    assert stand(at, None, 30, at + timedelta(seconds=29)) is Stand.OPEN
    assert stand(at, None, 30, at + timedelta(seconds=30)) is Stand.HALF_OPEN
    assert stand(at, at + timedelta(seconds=30), 30, at + timedelta(seconds=59)) is Stand.OPEN
    assert stand(at, at + timedelta(seconds=30), 30, at + timedelta(seconds=60)) is Stand.HALF_OPEN
