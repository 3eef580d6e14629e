"""Lines in the browser: the form made from a channel's settings, secrets that never come back, the test button."""

from __future__ import annotations

import re
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.ground.installation import Ground
from everyline.lines import queries
from everyline.lines.models import Line
from everyline.people.models import Audit
from everyline.people.permit import COOKIE

pytestmark = pytest.mark.req("E1", "P3")

SECRET = "a-password-that-nobody-sees"
MAILBOX = {
    "channel": "email",
    "address": "Permits@Harbor.example",
    "name": "Permits",
    "language": "es",
    "incoming": "imap",
    "imap_host": "imap.harbor.example",
    "imap_port": "993",
    "imap_encryption": "tls",
    "imap_user": "permits",
    "imap_password": SECRET,
    "imap_folder": "INBOX",
    "backfill": "new",
    "poll_seconds": "60",
    "smtp_host": "smtp.harbor.example",
    "smtp_port": "465",
    "smtp_encryption": "tls",
    "plus_addressing": "1",
    "verify": "1",
    "largest_message": "41943040",
    "timeout_seconds": "60",
    "per_minute": "90",
}


async def one(ground: Ground) -> Any:
    async with ground.database.transaction() as tx:
        return await tx.first(select(Line.__table__).order_by(Line.id.desc()))


async def test_a_line_is_added_and_changed(admin: httpx.AsyncClient, ground: Ground) -> None:
    answer = await admin.post("/setup/lines", data=MAILBOX)
    assert answer.status_code == 303
    row = await one(ground)
    assert answer.headers["location"].startswith(f"/setup/lines/{row.id}?")
    assert (row.address, row.name, row.language, row.per_minute, row.open) == (
        "permits@harbor.example",
        "Permits",
        "es",
        90,
        True,
    )
    page = (await admin.get(f"/setup/lines/{row.id}")).text
    assert SECRET not in page
    assert 'value="imap.harbor.example"' in page
    changed = await admin.post(
        f"/setup/lines/{row.id}", data={**MAILBOX, "imap_password": "", "name": "Permits office", "mark_seen": "1"}
    )
    assert changed.status_code == 303
    line = queries.as_channel_sees(await one(ground), ground.vault, ground.signer)
    assert line.name == "Permits office"
    assert line.settings.imap_password == SECRET, "left empty, it stays"
    assert line.settings.mark_seen
    assert line.settings.verify
    await admin.post(
        f"/setup/lines/{row.id}", data={name: value for name, value in MAILBOX.items() if name != "verify"}
    )
    assert not queries.as_channel_sees(await one(ground), ground.vault, ground.signer).settings.verify, (
        "a box that is not checked is off"
    )
    assert "Permits" in (await admin.get("/setup/lines")).text


async def test_secrets_are_kept_locked_and_never_shown(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/lines", data=MAILBOX)
    row = await one(ground)
    assert SECRET not in str(row.settings)
    assert SECRET.encode() not in row.secrets
    for address in (f"/setup/lines/{row.id}", "/setup/lines", "/setup/audit", f"/setup/lines/{row.id}/health"):
        assert SECRET not in (await admin.get(address)).text
    async with ground.database.transaction() as tx:
        trail = "".join(str(found) for found in await tx.rows(select(Audit.__table__)))
        log = str(await tx.rows(text("select * from event")))
    assert SECRET not in trail + log


async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(admin: httpx.AsyncClient, ground: Ground) -> None:
    wrong = {**MAILBOX, "imap_port": "99300", "smtp_port": "many", "sender_name": 'Office <of> "Permits"'}
    answer = await admin.post("/setup/lines", data=wrong)
    assert answer.status_code == 422
    for name in ("imap_port", "smtp_port"):
        assert f'id="{name}-error"' in answer.text
    assert 'value="99300"' in answer.text
    assert 'value="many"' in answer.text
    assert "Office &lt;of&gt; &#34;Permits&#34;" in answer.text
    assert SECRET not in answer.text, "a secret is not sent back, not even to who typed it"
    assert await one(ground) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": "no address"}, "name@example.org"),
        ({"address": "a+b@harbor.example"}, "plus sign"),
        ({"imap_host": ""}, "mail host"),
        ({"language": "xx"}, "Choose one of the list"),
        ({"per_minute": "-1"}, "A number from 1"),
        ({"dkim_key": "not a key", "dkim_selector": "s1"}, "PEM"),
    ],
)
async def test_each_mistake_is_named(admin: httpx.AsyncClient, change: dict[str, str], said: str) -> None:
    answer = await admin.post("/setup/lines", data={**MAILBOX, **change})
    assert answer.status_code == 422
    assert said in answer.text


async def test_an_address_is_taken_once(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/lines", data=MAILBOX)
    assert (await admin.post("/setup/lines", data=MAILBOX)).status_code == 422
    row = await one(ground)
    assert (await admin.post(f"/setup/lines/{row.id}/retire")).status_code == 303
    assert (await admin.get(f"/setup/lines/{row.id}")).status_code == 404
    assert (await admin.post("/setup/lines", data=MAILBOX)).status_code == 303


async def test_close_and_open(admin: httpx.AsyncClient, ground: Ground) -> None:
    await admin.post("/setup/lines", data=MAILBOX)
    row = await one(ground)
    for verb, state in (("close", False), ("open", True)):
        assert (await admin.post(f"/setup/lines/{row.id}/{verb}")).status_code == 303
        assert (await one(ground)).open is state
    assert (await admin.post(f"/setup/lines/{row.id}/explode")).status_code in (404, 422)
    async with ground.database.transaction() as tx:
        acts = [found.act for found in await tx.rows(select(Audit.act, Audit.address).order_by(Audit.id))]
    assert acts == ["line.added", "line.closed", "line.opened"]


def no_listener() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_the_test_says_which_step_failed_and_what_to_do(admin: httpx.AsyncClient, ground: Ground) -> None:
    settings = {
        "channel": "email",
        "address": "test@harbor.example",
        "incoming": "listener",
        "smtp_host": "127.0.0.1",
        "smtp_port": str(no_listener()),
        "smtp_encryption": "none",
        "timeout_seconds": "5",
    }
    await admin.post("/setup/lines", data=settings)
    row = await one(ground)
    streamed = (
        (await admin.post(f"/setup/lines/{row.id}/test", headers={"hx-request": "true"})).text.strip().split("\n")
    )
    assert [re.findall(r'<li class="(\w+)', line)[0] for line in streamed] == ["yes", "no", "sum"]
    assert "advice" in streamed[1]
    whole = await admin.post(f"/setup/lines/{row.id}/test")
    assert whole.status_code == 200
    assert '<li class="no">' in whole.text
    assert "<h1>" in whole.text, "without scripts it is the whole page"


async def test_supervisors_see_the_lines_of_their_queues_and_change_none(
    client: httpx.AsyncClient, ground: Ground, sign_in: Any
) -> None:
    admin = await sign_in("admin")
    async with ground.database.transaction() as tx:
        mine = await tx.value(text("insert into queue (name) values ('Mine') returning id"))
        other = await tx.value(text("insert into queue (name) values ('Other') returning id"))
    cookie = {"cookie": f"{COOKIE}={admin.cookies[COOKIE]}"}
    for queue_id, name in ((mine, "own-line"), (other, "other-line")):
        made = await client.post(
            "/setup/lines",
            data={**MAILBOX, "address": f"{name}@harbor.example", "name": name, "queue_id": queue_id},
            headers=cookie,
        )
        assert made.status_code == 303
    other_id = (await one(ground)).id
    leads = await sign_in("supervisor", queues=(mine,))
    cookie = {"cookie": f"{COOKIE}={leads.cookies[COOKIE]}"}
    page = (await client.get("/setup/lines", headers=cookie)).text
    assert "own-line" in page
    assert "other-line" not in page
    own = (await client.get(f"/setup/lines/{other_id - 1}", headers=cookie)).text
    assert "line-form" not in own
    assert "imap.harbor.example" not in own
    for address in (f"/setup/lines/{other_id}", f"/setup/lines/{other_id}/health"):
        assert (await client.get(address, headers=cookie)).status_code == 404
