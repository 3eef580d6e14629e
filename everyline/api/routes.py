"""The API's application: its routers, its errors, its schema (OpenAPI at ``/api/v1/openapi.json``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from everyline import __version__
from everyline.api import cases, customers, events, figures, lines, messages, problems, queues, set_up, talks, teams
from everyline.people.permit import public

DESCRIPTION = """\
Programs act as an agent, within the scopes of their token: `Authorization: Bearer …`. Errors are problem documents
(RFC 9457). Writes that carry an `Idempotency-Key` happen once. Lists are read page by page: hand `after` of one answer
to the next.
"""

_HAND_IN = {
    "post": {
        "tags": ["lines"],
        "summary": "Hand In",
        "description": "Hand in one raw piece, such as a mail (RFC 5322). 202: it is kept; 200: it was there already.",
        "parameters": [{"name": "line_id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "202": {"description": "Kept"},
            "200": {"description": "Kept already"},
            "413": {"description": "Too large"},
            "503": {"description": "Could not be kept now"},
        },
    }
}


def create_api() -> FastAPI:
    """The application mounted at ``/api/v1``."""
    api = FastAPI(
        title="Everyline", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, openapi_url=None
    )
    problems.install(api)
    api.router.routes.extend(_own())

    @api.get("/openapi.json", include_in_schema=False, dependencies=[public()])
    async def schema() -> dict[str, Any]:
        return described(api)

    return api


@cache
def _own() -> Sequence[BaseRoute]:
    """The API's own routes, put together once a process."""
    modules = (lines, customers, cases, messages, talks, queues, set_up, teams, figures, events)
    return [route for module in modules for route in module.router.routes]


def described(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if api.openapi_schema is None:
        found = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": "/api/v1"}],
        )
        found["paths"]["/lines/{line_id}/inbound"] = _HAND_IN
        found.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
        api.openapi_schema = found
    return api.openapi_schema
