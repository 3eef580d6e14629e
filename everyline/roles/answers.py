"""What a request for a page gets when it goes wrong: a page, or a fragment. The API has answers of its own."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from everyline.ground.database import DatabaseAway
from everyline.ground.errors import ProductError
from everyline.ground.pages import page
from everyline.ground.words import _, accepted, speaking
from everyline.people.permit import NotSignedIn

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer errors of pages."""
    app.add_exception_handler(ProductError, _product_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(DatabaseAway, _away)
    app.add_exception_handler(OSError, _away)
    app.add_exception_handler(Exception, _defect)


def _answer(
    request: Request, status: int, title: str, text: str, *, back: str = "/desk", reference: str = ""
) -> Response:
    if request.headers.get("hx-request"):
        return PlainTextResponse(text, status)
    with speaking(next(iter(accepted(request.headers.get("accept-language", ""))), "en")):
        error = {
            "status": status,
            "title": title,
            "text": text,
            "back": back,
            "back_text": _("Back to the desk"),
            "reference": reference,
        }
        return page("error.html", status=status, error=error, organisation="Everyline")


async def _product_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProductError)
    if isinstance(error, NotSignedIn):
        if request.headers.get("hx-request"):
            return PlainTextResponse(error.message, 401)
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)
    titles = {
        404: _("Not found"),
        403: _("Not allowed"),
        409: _("Something changed meanwhile"),
        422: _("Something is missing or wrong"),
    }
    return _answer(request, error.status, titles.get(error.status, _("That did not work")), error.message)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request, 404, _("Not found"), _("There is nothing at this address."))
    return _answer(request, error.status_code, _("That did not work"), str(error.detail))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["loc"][0] == "path":
        return _answer(request, 404, _("Not found"), _("There is nothing at this address."))
    name = ".".join(str(part) for part in first["loc"][1:])
    return _answer(request, 422, _("Something is missing or wrong"), f"{name}: {first['msg']}")


async def _away(request: Request, error: Exception) -> Response:
    log.warning("%s %s: the database or the disk is away: %s", request.method, request.url.path, error)
    answer = _answer(
        request,
        503,
        _("Just a moment"),
        _("The database is starting again. Nothing that was saved is lost. Please try again in a few seconds."),
    )
    answer.headers["retry-after"] = "3"
    return answer


async def _defect(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("%s %s stumbled, reference %s", request.method, request.url.path, reference, exc_info=error)
    return _answer(
        request,
        500,
        _("That did not work"),
        _("Something went wrong on our side, and it was written down. Nothing was sent. Reference: %s") % reference,
        reference=reference,
    )
