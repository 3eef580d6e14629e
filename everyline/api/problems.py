"""The API's errors: problem documents (RFC 9457)."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from everyline.ground.database import DatabaseAway
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.words import _

log = logging.getLogger(__name__)


def problem(status: int, detail: str = "", fields: dict[str, str] | None = None) -> JSONResponse:
    """A problem document; ``errors`` says for each field what is wrong with it."""
    body: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    if fields:
        body["errors"] = [{"field": name, "message": text} for name, text in fields.items()]
    headers = {"www-authenticate": "Bearer"} if status == 401 else {"retry-after": "3"} if status == 503 else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(api: FastAPI) -> None:
    """Answer errors of the API."""
    api.add_exception_handler(ProductError, _product_error)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(RequestValidationError, _unreadable)
    api.add_exception_handler(DatabaseAway, _away)
    api.add_exception_handler(OSError, _away)
    api.add_exception_handler(Exception, _defect)


async def _product_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProductError)
    return problem(error.status, error.message, error.fields if isinstance(error, Invalid) else None)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail))


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(found["loc"][0] == "path" for found in error.errors()):
        return problem(404, _("There is nothing at this address."))
    fields = {
        ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0]): found["msg"]
        for found in error.errors()
    }
    return problem(422, _("Something is missing or wrong; nothing was changed."), fields)


async def _away(request: Request, error: Exception) -> Response:
    log.warning("%s %s: the database or the disk is away: %s", request.method, request.url.path, error)
    return problem(503, _("The database is starting again. Please try again in a few seconds."))


async def _defect(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("%s %s stumbled, reference %s", request.method, request.url.path, reference, exc_info=error)
    return problem(500, _("Something went wrong on our side. Reference: %s") % reference)
