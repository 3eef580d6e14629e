"""Customer sources as an admin makes them: by form, tried on the spot, with files and rows, and secrets that nobody sees again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest
from sqlalchemy import text

from everyline.ground.installation import Ground
from everyline.selfservice.sources import Found, queries
from tests.selfservice.backoffice import Office, asked, office

pytestmark = pytest.mark.req("V3", "W4")
SECRET = "Bearer t0ps3cret"


@pytest.fixture(name="host")
async def _host() -> AsyncIterator[Office]:
    async with office() as found:
        yield found


def http_form(host: Office, **more: str) -> dict[str, str]:
    return {
        "kind": "http", "name": "bill", "method": "GET", "url": host.url("/bills/{account}"), "missing": "404, 410",
        "record": "", "headers": "X-Office: 7", "secret_headers": f"Authorization: {SECRET}", "inner": "1", "seconds": "2.5",
        "input-0-name": "account", "input-0-kind": "account", "input-0-given": "flow", "input-1-name": "",
        "field-0-name": "due", "field-0-kind": "money", "field-0-at": "/balance/due", "field-0-currency": "eur",
        "field-1-name": "status", "field-1-kind": "choice", "field-1-choices": "open: Open\nopen/es: Abierta\npaid: Paid",
        "field-1-optional": "1", "revision": "0", **more,
    }  # fmt: skip


TABLE = {
    "kind": "table", "name": "accounts", "dates": "dmy", "decimal": ",", "revision": "0",
    "input-0-name": "account", "input-0-kind": "account", "input-0-at": "Konto",
    "input-1-name": "pin", "input-1-kind": "secret", "input-1-asks": "en: What is your PIN?\nes: ¿Cuál es su PIN?",
    "input-2-name": "mail", "input-2-kind": "email", "input-2-given": "address",
    "field-0-name": "due", "field-0-kind": "money", "proof": "1",
}  # fmt: skip


async def begun(admin: httpx.AsyncClient, form: dict[str, str]) -> str:
    added = await admin.post("/setup/sources", data=form)
    assert added.status_code == 303, errors(added)
    return added.headers["location"].partition("?")[0]


def errors(page: httpx.Response) -> list[str]:
    return [unescape(one) for one in re.findall(r'class="error"[^>]*>.*?<span>(.*?)</span>', page.text)]


def typed(page: httpx.Response) -> dict[str, str]:
    """What stands in the fields of its form, as a browser would send it."""
    form = page.text.partition('id="source-form"')[2].partition("</form>")[0]
    found = {
        n: unescape(v)
        for n, v in re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form)
        if "checkbox" not in n
    }
    found |= {
        n: unescape(v).removeprefix("\n")
        for n, v in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    }
    for name, body in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body) or re.search(r'value="([^"]*)"', body)
        found[name] = chosen[1] if chosen else ""
    for name in re.findall(r'<input type="checkbox" name="([^"]+)" value="1">', form):
        found.pop(name, None)
    return found


async def test_a_source_is_made_by_form_and_asked(admin: httpx.AsyncClient, ground: Ground, host: Office) -> None:
    assert "No source yet" in (await admin.get("/setup/sources")).text
    for kind in ("http", "sql", "table"):
        assert (await admin.get(f"/setup/sources/new?kind={kind}")).status_code == 200
    place = await begun(admin, http_form(host))
    page = await admin.get(place)
    assert SECRET not in page.text
    assert "Authorization: ••••" in page.text
    host.says("/bills/4711", {"balance": {"due": 41.5}, "status": "open"})
    found = await asked(ground)
    assert isinstance(found, Found)
    assert {n: one.value + one.unit for n, one in found.slots.items()} == {"due": "41.50EUR", "status": "open"}
    assert host.asked[0][1]["authorization"] == SECRET
    listed = (await admin.get("/setup/sources")).text
    assert "well" in listed
    assert "By HTTP" in listed


async def test_what_is_saved_unchanged_stays_the_same_with_its_secrets(
    admin: httpx.AsyncClient, ground: Ground, host: Office
) -> None:
    for number, form in enumerate((http_form(host), TABLE), 1):
        place = await begun(admin, form)
        async with ground.database.transaction() as tx:
            before = queries.source_of(await queries.get(tx, number))
        page = await admin.get(place)
        saved = await admin.post(place, data=typed(page))
        assert saved.status_code == 303, errors(saved)
        async with ground.database.transaction() as tx:
            row = await queries.get(tx, number)
        after = queries.source_of(row)
        assert (after.settings, after.inputs, after.fields, after.proof) == (
            before.settings,
            before.inputs,
            before.fields,
            before.proof,
        )
        if number == 1:
            assert queries.secrets_of_row(row, ground.vault).headers == {"Authorization": SECRET}
        stale = await admin.post(place, data=typed(page))
        assert stale.status_code == 409
        assert "Somebody else has changed this source meanwhile" in stale.text


async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(admin: httpx.AsyncClient, host: Office) -> None:
    wrong = {"url": "https://{account}.example/", "field-0-kind": "cash", "seconds": "soon", "field-0-name": "Due Now"}
    refused = await admin.post("/setup/sources", data=http_form(host, **wrong))
    assert refused.status_code == 422
    assert len(errors(refused)) == 3, "the address is looked at once all else can be read"
    assert SECRET not in refused.text or "secret_headers" in refused.text
    assert "Due Now" in refused.text
    refused = await admin.post("/setup/sources", data=http_form(host, url="https://{account}.example/"))
    assert any("after the host only" in one for one in errors(refused))
    no_proof = await admin.post("/setup/sources", data=http_form(host, proof="1"))
    assert any("To be proof" in one for one in errors(no_proof))
    sql = {
        "kind": "sql",
        "name": "s",
        "host": "/run/x",
        "database": "d",
        "role": "r",
        "select": "select :b",
        "encryption": "require",
    }
    assert len(errors(await admin.post("/setup/sources", data=sql))) == 2


async def test_a_trial_says_how_far_it_came(admin: httpx.AsyncClient, ground: Ground, host: Office) -> None:
    place = await begun(admin, http_form(host))
    host.says("/bills/1", {"balance": {"due": 41.5}, "echo": SECRET})
    found = (await admin.post(f"{place}/try", data={"try-account": "1"})).text
    assert "€41.50" in found
    assert "t0ps3cret" not in found
    assert "••••" in found
    host.says("/bills/2", b"<b>Welcome</b>", kind="text/html")
    down = (await admin.post(f"{place}/try", data={"try-account": "2"})).text
    assert re.search(r"Its answer</span> .{0,200}ended here", down, re.DOTALL)
    assert "text/html where JSON should be" in down
    assert "&lt;b&gt;Welcome" in down
    host.says("/bills/3", {"balance": {"due": "much"}})
    down = (await admin.post(f"{place}/try", data={"try-account": "3"})).text
    assert re.search(r"Reading the fields</span> .{0,200}ended here", down, re.DOTALL)
    host.says("/bills/4", {}, status=404)
    assert "there is none" in (await admin.post(f"{place}/try", data={"try-account": "4"})).text
    assert "there is none" in (await admin.post(f"{place}/try", data={"try-account": ""})).text
    async with ground.database.transaction() as tx:
        kinds = await tx.column(text("select kind from event where kind = 'customer_source.tried'"))
    assert len(kinds) == 5
    last = (await admin.get("/setup/sources")).text
    assert "This is no amount" in last


async def test_a_file_becomes_rows_and_what_was_refused_is_said(admin: httpx.AsyncClient, ground: Ground) -> None:
    place = await begun(admin, TABLE)
    content = "Konto;PIN;Mail;Due;Colour\r\nA-1;9371;zoe@mail.example;1.041,50;red\r\nA-2;1;no mail;2,00;x\r\n".encode(
        "utf-16"
    )
    sent = await admin.post(f"{place}/rows/file", files={"file": ("list.csv", content, "text/csv")})
    assert sent.status_code == 303
    page = (await admin.get(f"{place}/rows")).text
    for words in ("1 row kept", "1 row refused", "Line 3: mail:", "utf-16", "colour", "1041.50", "zoe@mail.example"):
        assert words in page
    assert not re.search(r"(?<![\d.])9371(?!\d)", page)
    tried = await admin.post(
        f"{place}/try", data={"try-account": "a1", "try-pin": "9371", "try-mail": "ZOE@mail.example"}
    )
    assert "$1,041.50" in tried.text
    assert "9371" not in tried.text
    for content, why in ((b"", "not in the file"), (b"Konto;PIN;Mail;Due\n1;2;3;4\n", "Not one row could be read")):
        refused = await admin.post(f"{place}/rows/file", files={"file": ("list.csv", content, "text/csv")})
        assert refused.status_code == 422
        assert why in refused.text
    assert "1041.50" in (await admin.get(f"{place}/rows")).text


async def test_rows_are_written_by_hand(admin: httpx.AsyncClient) -> None:
    place = await begun(admin, TABLE)
    row = {"cell-account": "A-1", "cell-pin": "9371", "cell-mail": "zoe@mail.example", "cell-due": "12.50"}
    assert (await admin.post(f"{place}/rows", data=row)).status_code == 303
    assert (await admin.post(f"{place}/rows", data=row)).status_code == 409
    wrong = await admin.post(
        f"{place}/rows", data={**row, "cell-mail": "nobody", "cell-due": "", "cell-account": "<b>7"}
    )
    assert wrong.status_code == 422
    assert len(errors(wrong)) == 3
    assert "&lt;b&gt;7" in wrong.text
    [row_id] = set(re.findall(rf'{place}/rows/(\d+)"', (await admin.get(f"{place}/rows")).text))
    assert "9371" not in (await admin.get(f"{place}/rows/{row_id}")).text
    assert (await admin.post(f"{place}/rows/{row_id}", data={**row, "cell-due": "13.00"})).status_code == 303
    assert "13.00" in (await admin.get(f"{place}/rows?words=zoe")).text
    assert "13.00" not in (await admin.get(f"{place}/rows?words=zo%25")).text
    assert (await admin.post(f"{place}/rows/{row_id}/remove")).status_code == 303
    assert (await admin.post(f"{place}/rows/{row_id}/remove")).status_code == 404
    assert "No row" in (await admin.get(f"{place}/rows")).text
    await admin.post(f"{place}/rows", data=row)
    assert (await admin.post(f"{place}/rows/clear")).status_code == 303
    assert "No row" in (await admin.get(f"{place}/rows")).text


async def test_a_source_is_switched_off_and_retired(admin: httpx.AsyncClient, ground: Ground, host: Office) -> None:
    place = await begun(admin, http_form(host))
    assert (await admin.post("/setup/sources", data=http_form(host))).status_code == 409
    await admin.post(f"{place}/switch")
    assert "switched off" in (await admin.get("/setup/sources")).text
    assert "switched off" in str(await asked(ground))
    assert (await admin.post(f"{place}/switch", data={"on": "1"})).status_code == 303
    assert (await admin.post(f"{place}/retire")).status_code == 303
    assert (await admin.get(place)).status_code == 404
    assert (await admin.get(f"{place}/rows")).status_code == 404
    assert (await admin.post("/setup/sources", data=http_form(host))).status_code == 303, "its name is free"
