"""Quarantine: what could not be read is seen safely, and goes on or is discarded."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text

from everyline.ground.installation import Ground
from everyline.intake.models import Inbound
from everyline.lines import actions as lines
from everyline.people.models import Audit
from everyline.people.permit import COOKIE

pytestmark = pytest.mark.req("P2", "P3")

EVIL = b"Subject: <script>alert(1)</script>\r\n\x00\xff\xfe<img src=x onerror=alert(2)>\r\n" + b"x" * 40_000


async def piece(ground: Ground, queue: str = "General", body: bytes = EVIL, cause: str = "<b>broken</b>") -> int:
    async with ground.database.transaction() as tx:
        queue_id = await tx.value(text("select id from queue where name = :name"), {"name": queue})
        if queue_id is None:
            queue_id = await tx.value(text("insert into queue (name) values (:name) returning id"), {"name": queue})
        line_id = await tx.value(text("select id from line where queue_id = :id"), {"id": queue_id})
        if line_id is None:
            line_id = await lines.add(
                tx,
                ground.vault,
                None,
                channel_name="email",
                address=f"q{queue_id}@house.example",
                settings={},
                queue_id=queue_id,
            )
        number = await tx.value(text("select count(*) from inbound"))
        return int(
            await tx.value(
                insert(Inbound)
                .values(
                    line_id=line_id,
                    external_id=f"x{number}",
                    body=body,
                    size=len(body),
                    state="quarantined",
                    cause=cause,
                    envelope={"from": "<a@b>"},
                )
                .returning(Inbound.id)
            )
        )


async def states(ground: Ground) -> dict[int, str]:
    async with ground.database.transaction() as tx:
        return {row.id: row.state for row in await tx.rows(select(Inbound.id, Inbound.state))}


async def test_it_is_listed_with_its_cause_and_counted(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "Nothing in quarantine" in (await admin.get("/setup/quarantine")).text
    await piece(ground)
    page = (await admin.get("/setup/quarantine")).text
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "1 in quarantine" in page
    rows = (await admin.get("/setup/quarantine", headers={"hx-request": "true"})).text
    assert "<html" not in rows
    assert "broken" in rows


async def test_whatever_stands_in_it_is_shown_and_never_run(admin: httpx.AsyncClient, ground: Ground) -> None:
    number = await piece(ground)
    page = (await admin.get(f"/setup/quarantine/{number}")).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert len(page) < 40_000, "only its beginning"
    raw = await admin.get(f"/setup/quarantine/{number}/raw")
    assert raw.content == EVIL
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"].startswith("attachment")
    assert raw.headers["x-content-type-options"] == "nosniff"
    async with ground.database.transaction() as tx:
        assert [row.act for row in await tx.rows(select(Audit.act).order_by(Audit.id))] == [
            "inbound.viewed",
            "inbound.downloaded",
        ]


async def test_large_pieces_come_from_the_file_store(admin: httpx.AsyncClient, ground: Ground) -> None:
    number = await piece(ground)
    digest = await ground.files.put(b"in a file")
    async with ground.database.transaction() as tx:
        await tx.execute(text("update inbound set body = null, file_hash = :hash"), {"hash": digest})
    assert "in a file" in (await admin.get(f"/setup/quarantine/{number}")).text
    assert (await admin.get(f"/setup/quarantine/{number}/raw")).content == b"in a file"


async def test_many_at_once_go_on_or_are_discarded(admin: httpx.AsyncClient, ground: Ground) -> None:
    numbers = [await piece(ground) for _number in range(4)]
    assert (await admin.post("/setup/quarantine/retry", data={"piece": numbers[:2]})).status_code == 303
    assert (await admin.post("/setup/quarantine/discard", data={"piece": numbers[2:3]})).status_code == 303
    assert await states(ground) == dict(zip(numbers, ["new", "new", "discarded", "quarantined"], strict=True))
    for chosen in ([], numbers[:3], ["x", "-1", "9" * 30, ""]):
        assert (await admin.post("/setup/quarantine/retry", data={"piece": chosen})).status_code == 422
    async with ground.database.transaction() as tx:
        assert [row.act for row in await tx.rows(select(Audit.act).order_by(Audit.id))] == [
            "inbound.retried",
            "inbound.discarded",
        ]


async def test_it_is_paged_by_key(admin: httpx.AsyncClient, ground: Ground) -> None:
    numbers = [await piece(ground, cause=f"cause-{number}.") for number in range(52)]
    first = (await admin.get("/setup/quarantine")).text
    assert f"before={numbers[2]}" in first
    assert "cause-1." not in first
    second = (await admin.get(f"/setup/quarantine?before={numbers[2]}")).text
    assert "cause-1." in second
    assert "cause-51." not in second


async def test_supervisors_act_within_their_queues(client: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    own, foreign = await piece(ground, "Mine", cause="own-cause"), await piece(ground, "Other", cause="foreign-cause")
    async with ground.database.transaction() as tx:
        mine = await tx.value(text("select id from queue where name = 'Mine'"))
    leads = await sign_in("supervisor", queues=(mine,))
    client.headers["cookie"] = f"{COOKIE}={leads.cookies[COOKIE]}"
    page = (await client.get("/setup/quarantine")).text
    assert "own-cause" in page
    assert "foreign-cause" not in page
    assert "1 in quarantine" in page
    for address in (f"/setup/quarantine/{foreign}", f"/setup/quarantine/{foreign}/raw"):
        assert (await client.get(address)).status_code == 404
    assert (await client.post("/setup/quarantine/discard", data={"piece": [foreign]})).status_code == 422
    assert (await client.post("/setup/quarantine/discard", data={"piece": [own, foreign]})).status_code == 303
    assert await states(ground) == {own: "discarded", foreign: "quarantined"}
