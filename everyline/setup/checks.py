"""The test button of a line: the channel's own steps, shown one after the other as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from everyline.channel_contract import Check, Line
from everyline.channel_registry import channel
from everyline.ground.errors import NotFound
from everyline.ground.pages import render
from everyline.ground.words import _, language, speak
from everyline.lines import queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.frame import caller
from everyline.setup.lines import line_page

router = APIRouter(prefix="/setup/lines")


async def _steps(request: Request, line: Line) -> AsyncIterator[Check]:
    try:
        async for step in channel(line.channel).check(line, request.app.state.door):
            yield step
    except Exception as error:  # noqa: BLE001 -- whatever stops a test is what its reader wants to know
        yield Check(
            _("The test itself stumbled"),
            ok=False,
            detail=f"{type(error).__name__}: {error}",
            advice=_("Look into the log of the web role."),
        )


async def _lines_of_html(request: Request, line: Line, spoken: str) -> AsyncIterator[str]:
    """One step, one line of the answer: what reads it takes in whole lines."""
    passed = failed = 0
    speak(spoken)
    async for step in _steps(request, line):
        passed, failed = passed + step.ok, failed + (not step.ok)
        yield " ".join(render("setup/check.html", step=step).split("\n")) + "\n"
    yield " ".join(render("setup/check-sum.html", passed=passed, failed=failed).split("\n")) + "\n"


@router.post("/{line_id}/test")
async def test(request: Request, me: Annotated[Me, permit("line.write")], line_id: int) -> Response:
    """Run the test: as a stream of pieces of HTML for the script, or as the whole page at its end."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, line_id)
        if not me.sees_queue(row.queue_id):
            raise NotFound(_("There is no such line."))
        await audit(tx, me.id, "line.tested", "line", line_id, address=caller(request))
    line = queries.as_channel_sees(row, ground.vault, ground.signer)
    if request.headers.get("hx-request"):
        return StreamingResponse(
            _lines_of_html(request, line, language()), media_type="text/html", headers={"x-accel-buffering": "no"}
        )
    steps = [step async for step in _steps(request, line)]
    return await line_page(request, me, row.channel, row, steps=steps)
