"""Adding telephone lines: the steps, and a second line over the trunk of the first."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from everyline.ground.installation import Ground
from everyline.lines import queries
from everyline.lines.models import Line

pytestmark = pytest.mark.req("V2", "V6", "P3")
SECRET = "a-password-that-nobody-sees"
TRUNK = {
    "channel": "phone", "address": "+1 800 555 0199", "name": "Toll-free", "host": "sip.provider.example", "port": "5070", "user": "harbor",
    "password": SECRET, "registers": "1", "realm": "provider.example", "networks": "203.0.113.0/28", "plus": "1", "trusted": "1",
    "country": "US", "ring_seconds": "40",
}  # fmt: skip


async def settings(ground: Ground, line: str) -> Any:
    async with ground.database.transaction() as tx:
        row = await tx.one(select(Line.__table__).where(Line.id == int(line.rpartition("/")[2])))
    return queries.as_channel_sees(row, ground.vault, ground.signer).settings


async def step(admin: httpx.AsyncClient, line: str, name: str, to: str, **given: str) -> None:
    """Keep one step; the next is shown."""
    page = await admin.get(f"{line}/add/{name}")
    assert page.status_code == 200, page.text
    answer = await admin.post(f"{line}/add/{name}", data=given)
    assert answer.headers.get("location") == f"{line}/add/{to}", answer.text


async def first(admin: httpx.AsyncClient, **given: str) -> str:
    answer = await admin.post("/setup/lines", data=TRUNK | given)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("/add/")[0]


def steps_of(page: str) -> list[str]:
    """The names of the steps."""
    listed = re.search(r'<ol class="steps".*?</ol>', page, re.DOTALL)
    assert listed
    return [name.strip() for name in re.findall(r"(?:</svg>|</i>)([^<]+)<", listed[0])]


async def test_a_line_is_added_step_by_step_and_each_keeps_what_others_said(
    admin: httpx.AsyncClient, ground: Ground
) -> None:
    page = (await admin.get("/setup/lines/new?channel=phone")).text
    assert steps_of(page) == ["Channel", "Trunk and number", "What callers hear", "Recording", "Test", "Work"]
    assert page.index('name="host"') < page.index('name="address"'), "the trunk comes first"
    assert "same_as" not in page, "there is no trunk yet"
    assert 'name="greeting"' not in page

    line = await first(admin)
    kept = await settings(ground, line)
    assert (kept.host, kept.password, kept.music, kept.voicemail, kept.ring_seconds) == (
        "sip.provider.example",
        SECRET,
        True,
        True,
        40,
    )
    await step(
        admin, line, "heard", "recording", greeting="Welcome to Harbor.", music="1", tells_wait="1", voicemail="1"
    )
    await step(admin, line, "recording", "test", records="always", announces_recording="1", recordings_days="90")
    kept = await settings(ground, line)
    assert (kept.greeting, kept.music, kept.tells_place, kept.calls_back) == ("Welcome to Harbor.", True, False, False)
    assert (kept.records, kept.recordings_days, kept.host, kept.password, kept.registers) == (
        "always", 90, "sip.provider.example", SECRET, True,
    )  # fmt: skip
    test = (await admin.get(f"{line}/add/test")).text
    assert "and calls ourselves, step by step." in test
    assert SECRET not in test


async def test_a_second_line_goes_over_the_trunk_of_the_first(admin: httpx.AsyncClient, ground: Ground) -> None:
    line = await first(admin)
    page = (await admin.get("/setup/lines/new?channel=phone")).text
    assert "The same as Toll-free: harbor@sip.provider.example:5070" in page
    assert SECRET not in page
    assert 'data-when="same_as="' in page
    number = line.rpartition("/")[2]
    given = {
        "channel": "phone",
        "address": "+1 360 555 0100",
        "country": "US",
        "password": "of another",
        "host": "elsewhere.example",
    }
    answer = await admin.post("/setup/lines", data=given | {"same_as": number})
    assert answer.status_code == 303, answer.text
    before, after = (
        await settings(ground, line),
        await settings(ground, answer.headers["location"].partition("/add/")[0]),
    )
    for name in ("host", "port", "user", "password", "registers", "realm", "networks", "plus", "trusted", "digest"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.ring_seconds == 60, "what is not of the trunk is the line's own"

    other = await admin.post(
        "/setup/lines", data=TRUNK | {"address": "+1 206 555 0101", "user": "other", "same_as": ""}
    )
    assert other.status_code == 303
    page = (await admin.get("/setup/lines/new?channel=phone")).text
    assert len(re.findall(r'name="same_as"', page)) == 3, "two trunks, or another"
    wrong = await admin.post("/setup/lines", data=given | {"address": "+1 360 555 0103", "same_as": "99999"})
    assert wrong.status_code in (404, 422)
    again = await admin.post("/setup/lines", data=given | {"address": "no number", "same_as": number})
    assert again.status_code == 422
    assert re.search(rf'name="same_as"[^>]*value="{number}"[^>]*checked', again.text)


async def test_other_channels_know_nothing_of_trunks(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/setup/lines/new?channel=email")).text
    assert steps_of(page) == ["Channel", "Address", "Sending", "Test", "Work"]
    assert "same_as" not in page
