"""Signing in and out: nothing is told about who is there, tries are slowed down, and rights that change end sign-ins."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update

from everyline.ground.installation import Ground
from everyline.people import actions
from everyline.people.models import AgentState, Audit, SignIn, SignInAttempt
from everyline.people.permit import COOKIE

pytestmark = pytest.mark.req("P3")

PASSWORD = "four-words-and-more"


@pytest.fixture
async def dana(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        return await actions.add_agent(
            tx, None, email="dana@house.example", name="Dana Whitfield", role="admin", password=PASSWORD
        )


async def come_in(
    client: httpx.AsyncClient, email: str = "dana@house.example", password: str = PASSWORD, **more: str
) -> httpx.Response:
    return await client.post("/sign-in", data={"email": email, "password": password, **more})


async def all_rows(ground: Ground, statement: Any) -> Any:
    async with ground.database.transaction() as tx:
        return await tx.rows(statement)


async def test_the_first_run_says_what_to_do(client: httpx.AsyncClient) -> None:
    assert "everyline admin add" in (await client.get("/sign-in")).text


async def test_the_right_password_lets_in(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    assert "everyline admin add" not in (await client.get("/sign-in")).text
    answer = await come_in(client, email=" DANA@house.example", next="/profile")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/profile"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age" not in cookie, "the browser forgets when it is closed"
    assert (await client.get("/profile")).status_code == 200
    (row,) = await all_rows(ground, select(SignIn.__table__))
    assert client.cookies[COOKIE].encode() not in row.token_hash, "only a hash is kept"
    assert row.address


async def test_a_week_when_that_is_wished(client: httpx.AsyncClient, dana: int) -> None:
    assert "Max-Age=604800" in (await come_in(client, keep="1")).headers["set-cookie"]


async def test_the_cookie_is_for_https_alone_where_there_is_https(client: httpx.AsyncClient, dana: int) -> None:
    client.base_url = httpx.URL("https://everyline.test")
    assert "Secure" in (await come_in(client)).headers["set-cookie"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_signing_in_never_leads_elsewhere(client: httpx.AsyncClient, dana: int, elsewhere: str) -> None:
    assert (await come_in(client, next=elsewhere)).headers["location"] == "/desk"
    assert (await client.get("/sign-in", params={"next": elsewhere})).headers["location"] == "/desk"


async def test_nobody_learns_who_is_there(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await actions.add_agent(tx, None, email="gone@house.example", name="Gone", password=PASSWORD)
        await actions.add_agent(tx, None, email="invited@house.example", name="Invited")
        await tx.execute(text("update agent set active = false where email = 'gone@house.example'"))
    answers, seconds = [], []
    for name in ("dana", "nobody", "gone", "invited"):
        begun = time.perf_counter()
        answer = await come_in(
            client, email=f"{name}@house.example", password="wrong-password" if name == "dana" else PASSWORD
        )
        seconds.append(time.perf_counter() - begun)
        answers.append((answer.status_code, answer.text.replace(f"{name}@house.example", "…")))
    assert len(set(answers)) == 1
    assert answers[0][0] == 422
    assert min(seconds) > max(seconds) / 10, "the same sum is done for everybody"


async def test_tries_are_slowed_down_by_name(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    for name in ("dana", "nobody"):
        for _try in range(5):
            assert (await come_in(client, email=f"{name}@house.example", password="wrong-password")).status_code == 422
        answer = await come_in(client, email=f"{name}@house.example", password="wrong-password")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
    assert (await come_in(client)).status_code == 429, "not even the right one is looked at"
    async with ground.database.transaction() as tx:
        await tx.execute(update(SignInAttempt).values(at=SignInAttempt.at - text("interval '1 minute'")))
    assert (await come_in(client)).status_code == 303
    assert (await come_in(client, password="wrong-password")).status_code == 422, "who got in begins anew"


async def test_many_tries_at_once_do_not_outrun_the_count(client: httpx.AsyncClient, dana: int) -> None:
    answers = await asyncio.gather(*(come_in(client, password=f"wrong-password-{n}") for n in range(12)))
    codes = [answer.status_code for answer in answers]
    assert codes.count(422) == 5
    assert codes.count(429) == 7


async def test_tries_are_slowed_down_by_address(client: httpx.AsyncClient, dana: int) -> None:
    codes = [(await come_in(client, email=f"nobody{n}@house.example")).status_code for n in range(31)]
    assert codes == [422] * 30 + [429]


async def test_a_claimed_address_is_believed_from_named_proxies_alone(
    client: httpx.AsyncClient, dana: int, ground: Ground
) -> None:
    for n in range(30):
        spoofed = {"x-forwarded-for": f"10.0.0.{n}", "x-forwarded-proto": "https"}
        await client.post("/sign-in", data={"email": f"n{n}@house.example", "password": "x"}, headers=spoofed)
    answer = await client.post(
        "/sign-in", data={"email": "dana@house.example", "password": PASSWORD}, headers={"x-forwarded-for": "10.1.1.1"}
    )
    assert answer.status_code == 429
    rows = await all_rows(ground, select(SignInAttempt.address).distinct())
    assert [row.address for row in rows] == ["127.0.0.1"]


async def test_headers_of_a_single_sign_on_let_nobody_in(client: httpx.AsyncClient, dana: int) -> None:
    headers = {
        "x-forwarded-user": "dana@house.example",
        "remote-user": "dana@house.example",
        "x-remote-user": "dana@house.example",
    }
    answer = await client.get("/profile", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("token", ["", "x", "0", "null", "../../", "a" * 5000])
async def test_made_up_cookies_let_nobody_in(client: httpx.AsyncClient, dana: int, token: str) -> None:
    answer = await client.get("/profile", headers={"cookie": f"{COOKIE}={token}"})
    assert answer.status_code == 303


async def test_a_cookie_whose_time_is_over_lets_nobody_in(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await come_in(client)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update sign_in set expires_at = now() - interval '1 second'"))
    assert (await client.get("/profile")).status_code == 303


async def test_signing_out_ends_it_on_the_server(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await come_in(client)
    async with ground.database.transaction() as tx:
        await tx.execute(update(AgentState).values(state="available"))
    kept = client.cookies[COOKIE]
    answer = await client.post("/sign-out")
    assert answer.headers["location"].startswith("/sign-in")
    assert (await client.get("/profile", headers={"cookie": f"{COOKIE}={kept}"})).status_code == 303, (
        "the old cookie is worth nothing"
    )
    (row,) = await all_rows(ground, select(AgentState.state))
    assert row.state == "offline"


async def test_signing_out_is_no_link(client: httpx.AsyncClient, dana: int) -> None:
    await come_in(client)
    assert (await client.get("/sign-out")).status_code == 405
    assert (await client.post("/sign-out", headers={"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await client.get("/profile")).status_code == 200


@pytest.mark.parametrize(
    "change", [{"role": "agent"}, {"active": False}, {"all_queues": True}, {"email": "other@house.example"}]
)
async def test_a_change_of_rights_ends_sign_ins(
    client: httpx.AsyncClient, dana: int, ground: Ground, change: dict[str, Any]
) -> None:
    await come_in(client)
    assert (await client.get("/profile")).status_code == 200
    async with ground.database.transaction() as tx:
        await actions.add_agent(tx, None, email="second@house.example", name="Second", role="admin")
        await actions.change_agent(tx, None, dana, **change)
    assert (await client.get("/profile")).status_code == 303


async def test_own_sign_ins_are_listed_and_can_be_ended(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await come_in(client)
    first = client.cookies[COOKIE]
    client.cookies.clear()
    await come_in(client)
    second = client.cookies[COOKIE]
    text_of_page = (await client.get("/profile")).text
    assert first not in text_of_page
    assert second not in text_of_page
    assert (await client.post("/profile/sign-ins/end", data={"which": "others"})).status_code == 303
    assert (await client.get("/profile")).status_code == 200, "this one goes on"
    assert (await client.get("/profile", headers={"cookie": f"{COOKIE}={first}"})).status_code == 303
    mark = (await all_rows(ground, select(SignIn.token_hash)))[0].token_hash.hex()[:16]
    await client.post("/profile/sign-ins/end", data={"which": mark})
    assert (await client.get("/profile")).status_code == 303


async def test_nobody_ends_the_sign_in_of_another(
    client: httpx.AsyncClient, dana: int, ground: Ground, sign_in: Any
) -> None:
    other = await sign_in()
    mark = (await all_rows(ground, select(SignIn.token_hash).where(SignIn.agent_id == other.id)))[0].token_hash.hex()[
        :16
    ]
    await come_in(client)
    assert (await client.post("/profile/sign-ins/end", data={"which": mark})).status_code == 404
    assert (await client.get("/profile", headers={"cookie": f"{COOKIE}={other.cookies[COOKIE]}"})).status_code == 200


async def test_a_new_password_signs_out_elsewhere(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await come_in(client)
    elsewhere = client.cookies[COOKIE]
    client.cookies.clear()
    await come_in(client)
    change = {"now": PASSWORD, "password": "another-long-one", "again": "another-long-one"}
    assert (await client.post("/profile/password", data={**change, "now": "not-this-one"})).status_code == 422
    assert (await client.post("/profile/password", data={**change, "again": "mistyped"})).status_code == 422
    assert (
        await client.post("/profile/password", data={**change, "password": "short", "again": "short"})
    ).status_code == 422
    assert (await client.post("/profile/password", data=change)).status_code == 303
    assert (await client.get("/profile")).status_code == 200
    assert (await client.get("/profile", headers={"cookie": f"{COOKIE}={elsewhere}"})).status_code == 303
    assert [row.act for row in await all_rows(ground, select(Audit.act))] == ["agent.password_changed"]
    client.cookies.clear()
    assert (await come_in(client)).status_code == 422
    assert (await come_in(client, password="another-long-one")).status_code == 303
