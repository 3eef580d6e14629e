"""A telephone on the page "try it": call the sample company as a customer, and be called."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from everyline.ground.errors import Invalid, NotFound
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.people.permit import public
from everyline.sample import ports
from everyline.sample.asking import ask

router = APIRouter(prefix="/try/telephone", dependencies=[public()])

NUMBERS = (
    ("+13605550142", "(360) 555-0142"),
    ("+12065550117", "(206) 555-0117"),
    ("+525555550187", "+52 55 5555 0187"),
)
WHO = "Robin Sample"
LONGEST = 100_000  # characters of a description


async def _ask(request: Request, **asked: Any) -> Response:
    """The network's answer. It is there in a demonstration only."""
    ground: Ground = request.app.state.ground
    if not ports.known(ground.settings.data):
        raise NotFound(_("There is nothing at this address."))
    try:
        return JSONResponse(await ask(ground.settings.data, **asked))
    except OSError:
        return JSONResponse({"state": "gone", "reason": _("The telephone network is not there yet.")}, 503)


@router.post("")
async def plug_in(request: Request, offer: Annotated[str, Form()], number: Annotated[str, Form()]) -> Response:
    """A telephone with one of the sample customers' numbers: a browser's description, answered with the network's."""
    if number not in {one for one, _shown in NUMBERS} or len(offer) > LONGEST:
        raise Invalid(_("There is no such number."))
    return await _ask(request, do="plug in", offer=offer, number=number)


@router.post("/{name}/{verb}")
async def use(
    request: Request,
    name: int,
    verb: Literal["call", "take", "press", "end", "look"],
    to: Annotated[str, Form()] = "",
    key: Annotated[str, Form()] = "",
) -> Response:
    """Call, answer, press a key, hang up, or look how it stands."""
    return await _ask(request, do=verb, name=name, to=to[:40], key=key, who=WHO)
