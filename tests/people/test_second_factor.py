"""The second factor: everything waits for it, and no code works twice."""

from __future__ import annotations

import re

import httpx
import pyotp
import pytest
from sqlalchemy import select, text

from everyline.ground.installation import Ground
from everyline.people import actions, sign_ins
from everyline.people.models import Agent, RecoveryCode, SignIn
from everyline.people.permit import COOKIE

pytestmark = pytest.mark.req("P3")

PASSWORD = "four-words-and-more"


@pytest.fixture
async def dana(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        return await actions.add_agent(
            tx, None, email="dana@house.example", name="Dana", role="admin", password=PASSWORD
        )


async def come_in(client: httpx.AsyncClient, **more: str) -> httpx.Response:
    return await client.post("/sign-in", data={"email": "dana@house.example", "password": PASSWORD, **more})


async def switch_on(client: httpx.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    """As a person does: read the secret from the page, type the first code."""
    await come_in(client)
    shown = (await client.get("/profile/second-factor")).text
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', shown)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    picture = await client.get("/profile/second-factor/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    answer = await client.post("/profile/second-factor", data={"code": app.now()})
    codes = re.findall(r"<li><code>([a-z2-7-]{19})</code></li>", answer.text)
    assert len(codes) == 10
    return app, codes


async def later(ground: Ground) -> None:
    """As if the last code had been taken a while ago."""
    async with ground.database.transaction() as tx:
        await tx.execute(text("update agent set second_factor_used = second_factor_used - 10"))


async def test_a_wrong_first_code_switches_nothing_on(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await come_in(client)
    await client.get("/profile/second-factor")
    assert (await client.post("/profile/second-factor", data={"code": "000000"})).status_code == 422
    client.cookies.clear()
    assert (await come_in(client)).headers["location"] == "/desk"


async def test_everything_waits_for_the_second_factor(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    app, _codes = await switch_on(client)
    client.cookies.clear()
    answer = await come_in(client, next="/profile")
    assert answer.headers["location"].startswith("/sign-in/second-factor")
    before = client.cookies[COOKIE]
    for address in ("/profile", "/setup/lines", "/setup/agents", "/live?topics=agents"):
        assert (await client.get(address)).status_code in (303, 401), address
    assert (await client.post("/profile/theme", data={"theme": "dark"})).status_code == 303
    await later(ground)
    answer = await client.post("/sign-in/second-factor", data={"code": app.now(), "next": "/profile"})
    assert answer.headers["location"] == "/profile"
    assert client.cookies[COOKIE] != before, "what was held before the second factor is worth nothing after it"
    assert (await client.get("/profile")).status_code == 200
    assert (await client.get("/profile", headers={"cookie": f"{COOKIE}={before}"})).status_code == 303


async def test_a_code_works_once(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    app, _codes = await switch_on(client)
    await later(ground)
    code = app.now()
    for expected in (303, 422):
        client.cookies.clear()
        await come_in(client)
        assert (await client.post("/sign-in/second-factor", data={"code": code})).status_code == expected


async def test_of_two_who_send_the_same_code_at_once_one_comes_in(
    client: httpx.AsyncClient, dana: int, ground: Ground
) -> None:
    import asyncio

    app, _codes = await switch_on(client)
    await later(ground)
    code = app.now()

    async def take() -> bool:
        async with ground.database.transaction() as tx:
            return await sign_ins.takes_code(tx, ground.vault, dana, code)

    assert sorted(await asyncio.gather(take(), take(), take())) == [False, False, True]


async def test_a_code_of_long_ago_does_not_work(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    app, _codes = await switch_on(client)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update agent set second_factor_used = 0"))
    client.cookies.clear()
    await come_in(client)
    from everyline.ground.clock import now

    old = app.generate_otp(int(now().timestamp()) // 30 - 3)
    assert (await client.post("/sign-in/second-factor", data={"code": old})).status_code == 422


async def test_a_recovery_code_works_once(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    _app, codes = await switch_on(client)
    for typed, expected in ((codes[0].upper(), 303), (codes[0], 422), (codes[1].replace("-", " "), 303)):
        client.cookies.clear()
        await come_in(client)
        assert (await client.post("/sign-in/second-factor", data={"code": typed})).status_code == expected
    async with ground.database.transaction() as tx:
        kept = b"".join(row.code_hash for row in await tx.rows(select(RecoveryCode.code_hash)))
        assert await sign_ins.recovery_codes_left(tx, dana) == 8
    assert codes[2].encode() not in kept


async def test_guesses_are_slowed_down(client: httpx.AsyncClient, dana: int) -> None:
    await switch_on(client)
    client.cookies.clear()
    await come_in(client)
    codes = [(await client.post("/sign-in/second-factor", data={"code": f"{n:06}"})).status_code for n in range(7)]
    assert codes[:4] == [422] * 4
    assert codes[-1] == 429


@pytest.mark.parametrize("code", ["", " ", "abc", "١٢٣٤٥٦", "0" * 500])
async def test_what_is_no_code_is_refused(client: httpx.AsyncClient, dana: int, code: str) -> None:
    await switch_on(client)
    client.cookies.clear()
    await come_in(client)
    assert (await client.post("/sign-in/second-factor", data={"code": code})).status_code == 422


async def test_a_pending_sign_in_runs_out(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    app, _codes = await switch_on(client)
    await later(ground)
    client.cookies.clear()
    await come_in(client)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update sign_in set expires_at = now() where second_factor_pending"))
    answer = await client.post("/sign-in/second-factor", data={"code": app.now()})
    assert answer.headers["location"].startswith("/sign-in?")


async def test_switching_off_needs_the_password(client: httpx.AsyncClient, dana: int, ground: Ground) -> None:
    await switch_on(client)
    assert (await client.post("/profile/second-factor/off", data={"now": "wrong-password"})).status_code == 422
    assert (await client.post("/profile/second-factor/codes", data={"now": "wrong-password"})).status_code == 422
    assert (await client.post("/profile/second-factor/off", data={"now": PASSWORD})).status_code == 303
    client.cookies.clear()
    assert (await come_in(client)).headers["location"] == "/desk"
    async with ground.database.transaction() as tx:
        assert await tx.value(select(Agent.second_factor)) is None


async def test_the_secret_is_shown_while_it_is_set_up_and_never_after(
    client: httpx.AsyncClient, dana: int, ground: Ground
) -> None:
    app, _codes = await switch_on(client)
    for address in ("/profile", "/profile/second-factor", "/profile/second-factor/code.svg"):
        answer = await client.get(address)
        assert app.secret not in answer.text.replace(" ", "")
    async with ground.database.transaction() as tx:
        assert app.secret.encode() not in await tx.value(select(Agent.second_factor))
        assert len(await tx.rows(select(SignIn.token_hash))) == 1, "switching it on signed out everybody else"
