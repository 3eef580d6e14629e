"""Deny by default: every page of the set-up, asked for by everybody who may not."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from everyline.people.permit import COOKIE, Permit
from everyline.people.rules import PERMISSIONS, Role
from everyline.setup.routes import router

pytestmark = pytest.mark.req("P3")

READ_BY_SUPERVISORS = {"line.read", "quarantine.read", "quarantine.act"}


def routes() -> list[tuple[str, str, str]]:
    """Method, path with numbers filled in, and permission of every route of the set-up."""
    app = FastAPI()
    app.include_router(router)
    found = []
    for included in app.routes:
        for route in getattr(included, "effective_route_contexts", list)():
            guards = [inner.call.permission for inner in route.dependant.dependencies if isinstance(inner.call, Permit)]
            assert guards, f"{route.path} declares no permission"
            path = route.path.replace("{verb}", "retry" if "quarantine" in route.path else "close")
            found += [(method, re.sub(r"\{\w+\}", "1", path), guards[0]) for method in route.methods]
    return sorted(found)


def test_there_are_routes() -> None:
    assert len(routes()) > 40


@pytest.mark.parametrize("role", [None, Role.AGENT, Role.SUPERVISOR])
async def test_who_may_not_does_not(client: httpx.AsyncClient, sign_in: Any, role: Role | None) -> None:
    headers = {"cookie": f"{COOKIE}={(await sign_in(role)).cookies[COOKIE]}"} if role else {}
    for method, path, permission in routes():
        if role is not None and role in PERMISSIONS[permission]:
            kept = permission == "own" and path.startswith("/setup/canned")  # everybody may keep words of their own
            assert kept or permission in READ_BY_SUPERVISORS, path
            continue
        answer = await client.request(method, path, headers=headers)
        if role is None:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
        else:
            assert answer.status_code == 403, f"{method} {path}"


async def test_the_side_bar_offers_what_one_may_do(client: httpx.AsyncClient, sign_in: Any) -> None:
    for role, words in (
        (Role.SUPERVISOR, {"lines", "quarantine", "canned"}),
        (Role.ADMIN, {"lines", "quarantine", "agents", "tokens", "audit"}),
    ):
        page = await client.get(
            "/setup/lines", headers={"cookie": f"{COOKIE}={(await sign_in(role, all_queues=True)).cookies[COOKIE]}"}
        )
        offered = set(re.findall(r'href="/setup/(\w+)"', page.text)) - {"new"}
        assert words <= offered
        assert role == Role.ADMIN or offered == words


async def test_a_form_of_another_site_is_refused(client: httpx.AsyncClient, sign_in: Any) -> None:
    admin = await sign_in(Role.ADMIN)
    cookie = {"cookie": f"{COOKIE}={admin.cookies[COOKIE]}"}
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        answer = await client.post("/setup/skills", data={"name": "Permits"}, headers={**cookie, **headers})
        assert answer.status_code == 403
