"""Interpreters and offices that agents can add to a call, as an admin keeps them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from everyline.calls import contacts
from everyline.ground.installation import Ground

pytestmark = pytest.mark.req("V5", "P3")
ZED = {
    "kind": "interpreter",
    "name": "Zed Interpreters",
    "number": "+1 206 555 0101",
    "languages": "es, vi",
    "fee": "$0.85 a minute",
}


async def known(ground: Ground) -> list[Any]:
    async with ground.database.transaction() as tx:
        return list(await contacts.every_one(tx))


async def test_a_contact_is_added_changed_and_removed(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "Nobody yet" in (await admin.get("/setup/contacts")).text
    assert (await admin.post("/setup/contacts", data=ZED)).status_code == 303
    (one,) = await known(ground)
    assert (one.number, one.languages, one.fee) == ("+12065550101", ["es", "vi"], "$0.85 a minute")
    page = (await admin.get("/setup/contacts")).text
    assert "Spanish, Vietnamese" in page
    assert 'value="es vi"' in (await admin.get(f"/setup/contacts/{one.id}")).text
    answer = await admin.post(
        f"/setup/contacts/{one.id}", data=ZED | {"name": "Zed", "kind": "office", "languages": ""}
    )
    assert answer.status_code == 303
    (one,) = await known(ground)
    assert (one.name, one.kind, one.languages) == ("Zed", "office", [])
    assert (await admin.post(f"/setup/contacts/{one.id}", data={"remove": "1"})).status_code == 303
    assert await known(ground) == []
    assert (await admin.get(f"/setup/contacts/{one.id}")).status_code == 404


@pytest.mark.parametrize("wrong", [{"name": ""}, {"number": "soon"}, {"languages": "klingon"}, {"kind": "friend"}])
async def test_what_is_wrong_is_said_and_nothing_is_lost(
    admin: httpx.AsyncClient, ground: Ground, wrong: dict[str, str]
) -> None:
    answer = await admin.post("/setup/contacts", data=ZED | wrong)
    assert answer.status_code == 422
    assert "$0.85 a minute" in answer.text
    assert 'class="error' in answer.text or "aria-invalid" in answer.text
    assert await known(ground) == []


async def test_only_admins_keep_the_list(client: httpx.AsyncClient, sign_in: Any) -> None:
    client.cookies.update((await sign_in("supervisor", all_queues=True)).cookies)
    assert (await client.get("/setup/contacts")).status_code == 403
    assert (await client.post("/setup/contacts", data=ZED)).status_code == 403
