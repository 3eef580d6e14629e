"""Lines in the browser: the form made from a channel's settings, secrets that never come back, the test button."""

from __future__ import annotations

import re
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from everyline.channel_contract import Check, Said, Severity
from everyline.channels.email.records import Key, judged
from everyline.ground.installation import Ground
from everyline.ground.pages import render
from everyline.lines import queries
from everyline.lines.models import Line
from everyline.people.models import Audit
from everyline.people.permit import COOKIE
from everyline.setup.checks import verdict

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


STEPS = ("address", "sending", "work")


async def add(admin: httpx.AsyncClient, given: dict[str, str], **options: Any) -> httpx.Response:
    """Walk through the steps; what the last one that was reached answered."""
    answer = await admin.post("/setup/lines", data=given, **options)
    if answer.status_code != 303:
        return answer
    line = answer.headers["location"].partition("/add/")[0]
    for step in STEPS[1:]:
        answer = await admin.post(f"{line}/add/{step}", data=given, **options)
        if answer.status_code != 303:
            return answer
    await admin.post(line, data=given, **options)  # what only the form of the whole line has
    return answer


async def one(ground: Ground) -> Any:
    async with ground.database.transaction() as tx:
        return await tx.first(select(Line.__table__).order_by(Line.id.desc()))


async def test_a_line_is_added_and_changed(admin: httpx.AsyncClient, ground: Ground) -> None:
    answer = await add(admin, MAILBOX)
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
    await add(admin, MAILBOX)
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
    assert 'id="imap_port-error"' in answer.text
    assert 'value="99300"' in answer.text
    assert SECRET not in answer.text, "a secret is not sent back, not even to who typed it"
    assert "Please write it again" in answer.text
    assert await one(ground) is None
    await admin.post("/setup/lines", data=MAILBOX)
    answer = await admin.post(f"/setup/lines/{(await one(ground)).id}/add/sending", data=wrong)
    assert answer.status_code == 422
    assert 'id="smtp_port-error"' in answer.text
    assert 'value="many"' in answer.text
    assert "Office &lt;of&gt; &#34;Permits&#34;" in answer.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": "no address"}, "name@example.org"),
        ({"address": "a+b@harbor.example"}, "plus sign"),
        ({"imap_host": ""}, "mail host"),
        ({"language": "xx"}, "Choose one of the list"),
        ({"dkim_key": "not a key", "dkim_selector": "s1"}, "PEM"),
    ],
)
async def test_each_mistake_is_named(admin: httpx.AsyncClient, change: dict[str, str], said: str) -> None:
    answer = await add(admin, {**MAILBOX, **change})
    assert answer.status_code == 422
    assert said in answer.text


async def test_an_address_is_taken_once(admin: httpx.AsyncClient, ground: Ground) -> None:
    await add(admin, MAILBOX)
    assert (await add(admin, MAILBOX)).status_code == 422
    row = await one(ground)
    assert (await admin.post(f"/setup/lines/{row.id}/retire")).status_code == 303
    assert (await admin.get(f"/setup/lines/{row.id}")).status_code == 404
    assert (await add(admin, MAILBOX)).status_code == 303


async def test_close_and_open(admin: httpx.AsyncClient, ground: Ground) -> None:
    await add(admin, MAILBOX)
    row = await one(ground)
    for verb, state in (("close", False), ("open", True)):
        assert (await admin.post(f"/setup/lines/{row.id}/{verb}")).status_code == 303
        assert (await one(ground)).open is state
    assert (await admin.post(f"/setup/lines/{row.id}/explode")).status_code in (404, 422)
    async with ground.database.transaction() as tx:
        acts = [found.act for found in await tx.rows(select(Audit.act, Audit.address).order_by(Audit.id))]
    assert acts == ["line.added", "line.changed", "line.opened", "line.changed", "line.closed", "line.opened"]


def no_listener() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_adding_goes_step_by_step_and_can_be_gone_on_with(admin: httpx.AsyncClient, ground: Ground) -> None:
    answer = await admin.post("/setup/lines", data=MAILBOX)
    row = await one(ground)
    steps = f"/setup/lines/{row.id}/add"
    assert answer.headers["location"] == f"{steps}/sending"
    assert not row.open, "nothing is read before all is said"
    assert "Not open yet" in (await admin.get("/setup/lines")).text
    page = (await admin.get(f"{steps}/address")).text
    assert 'value="imap.harbor.example"' in page
    assert SECRET not in page
    assert 'name="smtp_host"' not in page
    answer = await admin.post(f"{steps}/sending", data={**MAILBOX, "imap_host": "not.asked.here"})
    assert answer.headers["location"] == f"{steps}/test"
    line = queries.as_channel_sees(await one(ground), ground.vault, ground.signer)
    assert (line.settings.imap_host, line.settings.imap_password) == ("imap.harbor.example", SECRET)
    assert (line.settings.smtp_host, line.settings.verify) == ("smtp.harbor.example", True)
    assert not (await one(ground)).open
    page = (await admin.get(f"{steps}/test")).text
    assert "smtp.harbor.example" in page
    assert SECRET not in page
    page = (await admin.get(f"{steps}/work")).text
    assert "We have your message (1024)" in page, "the acknowledgement stands there as an example"
    answer = await admin.post(f"{steps}/work", data={"language": "es"})
    assert answer.headers["location"] == f"/setup/lines/{row.id}?done=line"
    row = await one(ground)
    assert (row.open, row.language, row.acknowledges) == (True, "es", False)


async def test_a_line_that_is_written_to_is_open_for_its_test(admin: httpx.AsyncClient, ground: Ground) -> None:
    answer = await admin.post("/setup/lines", data={"channel": "email", "address": "in@harbor.example"})
    row = await one(ground)
    assert not row.open
    await admin.post(answer.headers["location"], data={"smtp_host": "smtp.harbor.example"})
    assert (await one(ground)).open


async def test_a_channel_that_only_takes_in_has_no_step_for_sending(admin: httpx.AsyncClient, ground: Ground) -> None:
    answer = await admin.post("/setup/lines", data={"channel": "webform", "address": "permits"})
    row = await one(ground)
    assert answer.headers["location"] == f"/setup/lines/{row.id}/add/test"
    assert (await admin.get(f"/setup/lines/{row.id}/add/sending")).status_code == 404
    assert (await admin.get(f"/setup/lines/{row.id}/add/test")).status_code == 200
    tested = await admin.post(f"/setup/lines/{row.id}/test?adding=1")
    assert "It works." in tested.text


def test_what_the_steps_of_a_test_say_together() -> None:
    good, note = Check("a"), Check("b", Severity.NOTE, "none", advice="do")
    bad, worse = Check("c", Severity.FAILED, "no"), Check("d", Severity.FAILED)
    assert verdict([good, good]).severity is Severity.OK
    assert (verdict([good, note]).severity, verdict([good, note]).notes) == (Severity.NOTE, 1)
    assert (verdict([note, bad, worse]).severity, verdict([note, bad, worse]).failed) == (Severity.FAILED, bad)
    assert verdict([]).severity is Severity.FAILED


def test_records_that_are_missing_are_recommendations() -> None:
    found = judged("harbor.example", [], [])
    assert [step.severity for step in found] == [Severity.NOTE] * 3
    assert all(step.advice for step in found)
    whole = judged(
        "harbor.example",
        ["v=spf1 mx -all"],
        ["v=DMARC1; p=none"],
        [(Key("every._domainkey.harbor.example", "rsa", "MIIB"), ["v=DKIM1; k=rsa; ", "p=MIIB"])],
    )
    assert [step.severity for step in whole] == [Severity.OK] * 3
    other = judged("harbor.example", [], [], [(Key("every", "rsa", "MIIB"), ["p=OTHER"])])
    assert "p=MIIB" in other[1].advice
    assert other[1].to_copy == (("Name", "every"), ("Value", "v=DKIM1; k=rsa; p=MIIB"))
    shown = render("setup/check.html", step=other[2])
    assert 'data-copy="_dmarc.harbor.example"' in shown
    assert 'data-copy="v=DMARC1; p=none"' in shown


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
    await add(admin, settings)
    row = await one(ground)
    streamed = (
        (await admin.post(f"/setup/lines/{row.id}/test", headers={"hx-request": "true"})).text.strip().split("\n")
    )
    assert [re.findall(r'<li class="([\w ]+)', line)[0] for line in streamed] == ["yes", "no", "sum no"]
    assert "“Connections are encrypted” failed" in streamed[-1]
    assert "What to do:" in streamed[-1]
    assert "advice" in streamed[1]
    for address in (f"/setup/lines/{row.id}/test", f"/setup/lines/{row.id}/test?adding=1"):
        whole = await admin.post(address)
        assert whole.status_code == 200
        assert '<li class="no">' in whole.text
        assert '<li class="sum no">' in whole.text
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
        made = await add(
            client,
            {**MAILBOX, "address": f"{name}@harbor.example", "name": name, "queue_id": queue_id},
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


async def test_what_was_said_on_the_wire_can_be_read(admin: httpx.AsyncClient, ground: Ground) -> None:
    port = no_listener()
    settings = {"channel": "email", "address": "test@harbor.example", "smtp_host": "127.0.0.1", "smtp_port": str(port)}
    await add(admin, {**settings, "smtp_encryption": "none", "timeout_seconds": "5"})
    row = await one(ground)
    streamed = await admin.post(f"/setup/lines/{row.id}/test", headers={"hx-request": "true"})
    for answer in (streamed, await admin.post(f"/setup/lines/{row.id}/test")):
        talk = answer.text[answer.text.index('<li class="talk">') :]
        assert "<details" in talk, "it unfolds without scripts"
        assert "What was said, line by line" in talk
        assert f"A connection to 127.0.0.1:{port} begins." in talk
    said = render(
        "setup/check-sum.html",
        verdict=verdict(
            [Check("Reading", said=(Said("host:143", "* OK <b>hello</b>"), Said("Everyline", "a1 X", True)))]
        ),
    )
    assert '<th scope="row">host:143</th><td><code>* OK &lt;b&gt;hello&lt;/b&gt;</code>' in said
    assert '<tr class="ours"><th scope="row">Everyline</th>' in said
    assert "What was said" not in render("setup/check-sum.html", verdict=verdict([Check("Reading")]))
