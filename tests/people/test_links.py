"""Links by mail: forgotten passwords and invitations."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from sqlalchemy import select, text

from everyline.dispatch import actions as dispatch
from everyline.dispatch.models import Delivery
from everyline.dispatch.sender import Sender
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.people import actions, sign_ins
from everyline.people.models import OneTimeLink
from everyline.people.sign_ins import INVITATION, PASSWORD_RESET
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import MailWorld

pytestmark = pytest.mark.req("P3")

FRESH = {"password": "a-quite-new-one", "again": "a-quite-new-one"}


@pytest.fixture
async def dana(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        return await actions.add_agent(
            tx, None, email="dana@house.example", name="Dana", role="admin", password="four-words-and-more"
        )


@pytest.fixture
async def line(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        return await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="office@house.example",
            settings={"smtp_host": "127.0.0.1"},
        )


async def letters(ground: Ground) -> list[str]:
    async with ground.database.transaction() as tx:
        return [
            ground.vault.open(row.text.encode())
            for row in await tx.rows(select(Delivery.text).where(Delivery.kind == "notice").order_by(Delivery.id))
        ]


async def make(ground: Ground, agent_id: int, purpose: str = PASSWORD_RESET) -> str:
    async with ground.database.transaction() as tx:
        return await sign_ins.make_link(tx, None, agent_id, purpose)


async def test_the_way_back_in(client: httpx.AsyncClient, dana: int, line: int, ground: Ground) -> None:
    assert (await client.post("/forgot", data={"email": "Dana@house.example"})).status_code == 200
    (letter,) = await letters(ground)
    found = re.search(r"http://127\.0\.0\.1:8080(/password/\S+)", letter)
    assert found
    assert (await client.get(found[1])).status_code == 200
    assert (await client.get(found[1])).status_code == 200, "looking uses nothing up"
    assert (await client.post(found[1], data={**FRESH, "again": "mistyped"})).status_code == 422
    assert (await client.post(found[1], data={"password": "short", "again": "short"})).status_code == 422
    assert (await client.post(found[1], data=FRESH)).status_code == 303
    assert (await client.post(found[1], data=FRESH)).status_code == 404, "it works once"
    answer = await client.post("/sign-in", data={"email": "dana@house.example", "password": FRESH["password"]})
    assert answer.status_code == 303


async def test_a_link_is_never_kept_in_the_clear(
    client: httpx.AsyncClient, dana: int, line: int, ground: Ground
) -> None:
    await client.post("/forgot", data={"email": "dana@house.example"})
    (letter,) = await letters(ground)
    found = re.search(r"/password/(\S+)", letter)
    assert found
    async with ground.database.transaction() as tx:
        for table in ("delivery", "one_time_link", "event", "audit"):
            kept = "".join(str(tuple(row)) for row in await tx.rows(text(f"select t::text from {table} t")))
            assert found[1] not in kept, table


async def test_what_goes_out_is_readable(dana: int, ground: Ground, mail_world: MailWorld) -> None:
    box = mail_world.mailbox("dana@customer.example")
    async with ground.database.transaction() as tx:
        await actions.change_agent(tx, None, dana, email=box.address)
        await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="office@house.example",
            settings={"smtp_host": "127.0.0.1", "smtp_port": mail_world.ports["smtp"], "smtp_encryption": "none"},
        )
        letter = await sign_ins.link_letter(tx, None, dana, PASSWORD_RESET, ground.settings.address)
        await dispatch.notify(tx, ground.vault, **letter)
    sending = asyncio.create_task(Sender(ground).run())
    try:
        came = await asyncio.to_thread(mail_world.wait_for, box, lambda mail: "new password" in str(mail["Subject"]))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    part = came.get_body(("plain",))
    assert part is not None
    assert "http://127.0.0.1:8080/password/" in part.get_content()


async def test_every_address_gets_the_same_answer(
    client: httpx.AsyncClient, dana: int, line: int, ground: Ground
) -> None:
    answers = [
        await client.post("/forgot", data={"email": email})
        for email in ("dana@house.example", "nobody@house.example", "no address")
    ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert len(await letters(ground)) == 1


async def test_nobody_is_flooded_with_links(client: httpx.AsyncClient, dana: int, line: int, ground: Ground) -> None:
    codes = [(await client.post("/forgot", data={"email": "dana@house.example"})).status_code for _try in range(7)]
    assert codes[-1] == 429
    assert len(await letters(ground)) == 5


async def test_without_a_line_an_admin_must_help(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    assert "Ask an admin" in (await client.get("/forgot")).text
    assert (await client.post("/forgot", data={"email": "dana@house.example"})).status_code == 422
    async with ground.database.transaction() as tx:
        assert await tx.rows(select(OneTimeLink.token_hash)) == []


@pytest.mark.parametrize("token", ["x", "%00", "..", " ", "null", "a" * 3000])
async def test_made_up_links_lead_nowhere(client: httpx.AsyncClient, dana: int, token: str) -> None:
    await client.get(f"/password/{token}")
    assert (await client.post(f"/password/{token}", data=FRESH)).status_code in (404, 405)


async def test_an_empty_link_leads_nowhere(client: httpx.AsyncClient, dana: int) -> None:
    assert (await client.post("/password/", data=FRESH)).status_code in (404, 307, 405)
    assert (await client.get("/password/")).status_code in (404, 307)


@pytest.mark.parametrize(("purpose", "lasts"), [(PASSWORD_RESET, "1 hour"), (INVITATION, "7 days")])
async def test_links_run_out(client: httpx.AsyncClient, dana: int, ground: Ground, purpose: str, lasts: str) -> None:
    token = await make(ground, dana, purpose)
    async with ground.database.transaction() as tx:
        await tx.execute(
            text(f"update one_time_link set expires_at = expires_at - interval '{lasts}' + interval '5 seconds'")
        )
    assert (await client.get(f"/password/{token}")).status_code == 200
    async with ground.database.transaction() as tx:
        await tx.execute(text("update one_time_link set expires_at = expires_at - interval '5 seconds'"))
    assert (await client.post(f"/password/{token}", data=FRESH)).status_code == 404


async def test_a_newer_link_takes_the_place_of_the_older(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    first, second = await make(ground, dana), await make(ground, dana)
    assert (await client.get(f"/password/{first}")).status_code == 404
    assert (await client.get(f"/password/{second}")).status_code == 200


async def test_no_link_lets_in_who_is_not_let_in(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    token = await make(ground, dana, INVITATION)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update agent set active = false"))
    assert (await client.post(f"/password/{token}", data=FRESH)).status_code == 404


async def test_the_kept_hash_is_no_link(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await make(ground, dana)
    async with ground.database.transaction() as tx:
        kept = await tx.value(select(OneTimeLink.token_hash))
    assert (await client.get(f"/password/{kept.hex()}")).status_code == 404
