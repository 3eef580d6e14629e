"""The settings of a new line, looked up by its address: filled in where nothing was typed, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from everyline.ground.installation import Ground
from everyline.lines import queries
from everyline.lines.models import Line
from tests.world.names import Zone, naming

pytestmark = pytest.mark.req("E1", "P3")

WHERE = "/setup/lines/new/propose"
FRESH = {"channel": "email", "address": "Permits@harbor.example", "incoming": "listener", "imap_port": "993"}
FRESH |= {"imap_host": "", "imap_user": "", "imap_encryption": "tls", "backfill": "new", "imap_folder": "INBOX"}
SCRIPT = {"hx-request": "true"}


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    """A domain that names its mail hosts."""
    async with naming() as found:
        found.says("_imap._tcp.harbor.example", "SRV", "0 1 1143 in.pier.example.")
        found.says("_submissions._tcp.harbor.example", "SRV", "0 1 465 out.pier.example.")
        yield found


def value(page: str, name: str) -> str | None:
    """What stands in a field, or which of its choices is chosen."""
    fields = [field for field in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in field]
    chosen = [field for field in fields if 'type="radio"' not in field or " checked" in field]
    found = re.search(r'value="([^"]*)"', chosen[0]) if chosen else None
    return found[1] if found else None


async def test_the_form_comes_back_filled(admin: httpx.AsyncClient, ground: Ground, zone: Zone) -> None:
    fresh = (await admin.get("/setup/lines/new?channel=email")).text
    assert f'formaction="{WHERE}"' in fresh
    answer = await admin.post(WHERE, data={**FRESH, "name": "Permits <office>", "imap_password": "hush hush"})
    assert answer.status_code == 200
    page = answer.text
    assert "harbor.example itself names its mail hosts: in.pier.example, out.pier.example." in page
    filled = {
        name: value(page, name) for name in ("incoming", "imap_host", "imap_port", "imap_encryption", "imap_user")
    }
    assert filled == {
        "incoming": "imap",
        "imap_host": "in.pier.example",
        "imap_port": "1143",
        "imap_encryption": "starttls",
        "imap_user": "permits@harbor.example",
    }
    assert value(page, "address") == "Permits@harbor.example"
    assert value(page, "name") == "Permits &lt;office&gt;"
    assert "hush hush" not in page, "a secret is not sent back"
    assert "Please write it again" in page
    later = {name: value(page, name) or "" for name in ("proposed_for", "smtp_host", "smtp_port", "smtp_encryption")}
    assert later["smtp_host"] == "out.pier.example"

    given = {**FRESH, **{name: words or "" for name, words in filled.items()}, "imap_password": "hush hush"}
    added = await admin.post("/setup/lines", data={**given, **later})
    assert added.status_code == 303
    sending = (await admin.get(added.headers["location"])).text
    assert (value(sending, "smtp_host"), value(sending, "smtp_port")) == ("out.pier.example", "465")
    async with ground.database.transaction() as tx:
        row = await tx.first(select(Line.__table__))
    assert row is not None
    line = queries.as_channel_sees(row, ground.vault, ground.signer)
    assert (line.settings.imap_host, line.settings.smtp.encryption) == ("in.pier.example", "tls")


async def test_what_was_found_by_another_address_is_not_carried(admin: httpx.AsyncClient, zone: Zone) -> None:
    later = {"proposed_for": "old@harbor.example", "smtp_host": "out.pier.example", "smtp_port": "nonsense"}
    added = await admin.post("/setup/lines", data={**FRESH, **later})
    assert added.status_code == 303
    assert value((await admin.get(added.headers["location"])).text, "smtp_host") in ("", None)


async def test_what_was_typed_stays(admin: httpx.AsyncClient, zone: Zone) -> None:
    own = {**FRESH, "imap_host": "mine.harbor.example", "imap_port": "99999"}
    found = (await admin.post(WHERE, data=own, headers=SCRIPT)).json()
    assert found["values"] == {}
    assert found["carried"]["smtp_host"] == "out.pier.example"
    own = {**FRESH, "imap_user": "somebody", "imap_port": "144"}
    found = (await admin.post(WHERE, data=own, headers=SCRIPT)).json()
    assert found["values"] == {"imap_host": "in.pier.example", "imap_encryption": "starttls", "incoming": "imap"}


async def test_what_cannot_be_looked_up_says_so(admin: httpx.AsyncClient, zone: Zone) -> None:
    answer = await admin.post(WHERE, data={**FRESH, "address": "no address", "imap_host": "kept.example"})
    assert answer.status_code == 422
    assert "name@example.org" in answer.text
    assert value(answer.text, "imap_host") == "kept.example"
    said = (await admin.post(WHERE, data={**FRESH, "address": "no address"}, headers=SCRIPT)).json()
    assert "name@example.org" in said["said"]
    nothing = (await admin.post(WHERE, data={**FRESH, "address": "a@nowhere.example"}, headers=SCRIPT)).json()
    assert nothing == {
        "said": "Nothing was found out about nowhere.example. Fill in what your mail provider says.",
        "values": {},
        "carried": {},
    }


async def test_only_channels_that_can_look_up_offer_it(admin: httpx.AsyncClient) -> None:
    assert WHERE not in (await admin.get("/setup/lines/new?channel=webform")).text
    for name in ("webform", "pigeon", ""):
        assert (await admin.post(WHERE, data={"channel": name, "address": "permits"})).status_code == 404
