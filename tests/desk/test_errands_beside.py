"""What customers got done by themselves stands beside their cases, and agents undo it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from everyline.ground.installation import Ground
from tests.selfservice.errand_house import House

pytestmark = pytest.mark.req("W3")


async def test_agents_see_what_was_done_and_undo_it(client: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    house = await House.open(ground)
    ann, bob = await house.customer(), await house.customer("bob@home.example", "Bob Ray")
    done = await house.done("change_address", ann, address="12 Harbor Street\nBellingham, WA 98225")
    client.cookies.update((await sign_in("agent", queues=(1,))).cookies)
    here = f"/desk/customers/{ann.customer_id}"
    assert f'hx-get="{here}/errands' in (await client.get(f"{here}/pane")).text
    assert "Change of address" in (await client.get(f"{here}/errands")).text
    assert "Change of address" not in (await client.get(f"/desk/customers/{bob.customer_id}/errands")).text
    other = await client.post(f"/desk/customers/{bob.customer_id}/errands/{done.done_id}/undo")
    assert other.status_code == 404
    assert (await client.post(f"{here}/errands/{done.done_id}/undo")).status_code == 303
    assert not await house.points(ann)
    assert (await client.post(f"{here}/errands/{done.done_id}/undo")).status_code == 409
    shown = (await client.get(f"{here}/errands")).text
    assert "undone" in shown
    assert "/undo" not in shown
