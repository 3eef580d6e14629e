"""How the desk answers a request: a page, a part of one, or, after a deed, what was done and where to go."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from everyline.ground.pages import page, toast

CASE_CHANGED = "case-changed"  # events on the page's body that make its parts read themselves again
CUSTOMER_CHANGED = "customer-changed"
COMPOSER_BACK = "composer-back"

Back = Annotated[str, Form()]


def by_script(request: Request) -> bool:
    """Does a part of a page ask, rather than the browser for a whole one?"""
    return request.headers.get("hx-request") == "true"


def wants(request: Request, target: str) -> bool:
    """Does the element of this id ask?"""
    return by_script(request) and request.headers.get("hx-target") == target


def done(
    request: Request,
    to: str,
    said: str = "",
    *,
    undo: str = "",
    seconds: int = 0,
    changed: tuple[str, ...] = (CASE_CHANGED,),
    leave: bool = False,
) -> Response:
    """A deed is done: a toast, and the parts that show it read themselves again; without scripts the page at ``to``.

    ``leave``: what was looked at is not theirs any more, so the page goes to ``to`` in any case.
    """
    if not by_script(request):
        return RedirectResponse(to, 303)
    headers = json.loads(toast(said, undo=undo, seconds=seconds)["HX-Trigger"]) if said else {}
    headers |= dict.fromkeys(changed, "")
    answer = Response(status_code=204, headers={"HX-Trigger": json.dumps(headers)})
    if leave:
        answer.headers["HX-Redirect"] = to
    return answer


def ask(request: Request, template: str, context: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """A question: inside the dialog, or as a page of its own."""
    return page(f"desk/ask/{template}.html", status=status, fragment=by_script(request), **context)
