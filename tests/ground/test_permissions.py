"""Deny by default: every route says who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from everyline.ground.installation import Ground
from everyline.people.permit import Permit, Public
from everyline.people.rules import PERMISSIONS, Role
from everyline.roles.web import create_app


def routes(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Every route with its whole path, those of included routers and mounted applications too."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route.path, route
        elif hasattr(route, "effective_route_contexts"):
            for inner in route.effective_route_contexts():
                yield inner.path, inner
        elif isinstance(route, Mount) and isinstance(route.app, FastAPI):
            for path, inner in routes(route.app):
                yield route.path + path, inner


def declared(dependant: Dependant) -> Iterator[Any]:
    """The guards that a route depends on."""
    if isinstance(dependant.call, Permit | Public):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from declared(inner)


def undeclared(app: FastAPI) -> list[str]:
    return [f"{sorted(route.methods)} {path}" for path, route in routes(app) if not list(declared(route.dependant))]


@pytest.mark.req("P3")
async def test_every_route_declares_who_may_ask(ground: Ground) -> None:
    app = create_app(ground)
    assert len(list(routes(app))) > 60
    assert undeclared(app) == []


@pytest.mark.req("P3")
def test_a_route_without_a_declaration_is_found() -> None:
    app, api = FastAPI(), FastAPI()
    api.get("/open")(lambda: None)
    app.mount("/api", api)
    assert undeclared(app) == ["['GET'] /api/open"]


@pytest.mark.req("P3")
async def test_every_route_refuses_who_is_not_signed_in_and_who_lacks_the_permission(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    agent = await sign_in("agent")
    app = create_app(ground)
    for path, route in routes(app):
        guards = [guard for guard in declared(route.dependant) if isinstance(guard, Permit)]
        if not guards:
            continue
        method = sorted(route.methods)[0]
        url = path.replace("{key}", "mine")
        for name in route.param_convertors:
            url = url.replace("{" + name + "}", "1").replace("{" + name + ":int}", "1")
        nobody = await client.request(method, url)
        assert nobody.status_code in (303, 401), (method, url, nobody.status_code)
        if Role.AGENT not in PERMISSIONS[guards[0].permission]:
            for headers in (agent.cookie, agent.bearer):
                refused = await client.request(method, url, headers=headers)
                assert refused.status_code in (303, 401, 403), (method, url, refused.status_code)
