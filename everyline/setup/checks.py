"""The test button of a line: the channel's own steps, shown one after the other as they come, and what they say together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from everyline.channel_contract import Check, Line, Said, Severity
from everyline.channel_registry import channel
from everyline.ground.errors import NotFound
from everyline.ground.pages import render
from everyline.ground.words import _, language, speak
from everyline.lines import queries
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.setup.adding import step_page
from everyline.setup.frame import caller
from everyline.setup.lines import line_page, seen

router = APIRouter(prefix="/setup/lines")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the steps of a test say together."""

    severity: Severity
    passed: int
    notes: int
    failed: Check | None  # the first step that failed
    said: tuple[tuple[str, tuple[Said, ...]], ...] = ()  # on the wire, by step


def verdict(steps: Sequence[Check]) -> Verdict:
    """It works, it works and could be better, or it does not. A test without a step failed."""
    failed = next((step for step in steps if step.severity is Severity.FAILED), None)
    notes = sum(step.severity is Severity.NOTE for step in steps)
    worst = Severity.FAILED if failed or not steps else Severity.NOTE if notes else Severity.OK
    said = tuple((step.step, step.said) for step in steps if step.said)
    return Verdict(worst, sum(step.ok for step in steps), notes, failed, said)


async def _steps(request: Request, line: Line) -> AsyncIterator[Check]:
    try:
        async for step in channel(line.channel).check(line, request.app.state.door):
            yield step
    except Exception as error:  # noqa: BLE001 -- whatever stops a test is what its reader wants to know
        yield Check(
            _("The test itself stumbled"),
            Severity.FAILED,
            f"{type(error).__name__}: {error}",
            advice=_("Look into the log of the web role."),
        )


async def _lines_of_html(request: Request, line: Line, spoken: str) -> AsyncIterator[str]:
    """One step, one line of the answer: what reads it takes in whole lines."""
    speak(spoken)
    done: list[Check] = []
    async for step in _steps(request, line):
        done.append(step)
        yield " ".join(render("setup/check.html", step=step).split("\n")) + "\n"
    yield " ".join(render("setup/check-sum.html", verdict=verdict(done)).split("\n")) + "\n"


@router.post("/{line_id}/test")
async def run_test(
    request: Request, me: Annotated[Me, permit("line.write")], line_id: int, adding: str = ""
) -> Response:
    """Run the test: as a stream of pieces of HTML for the script, or as the whole page at its end. ``adding``: the page is
    the step of adding a line."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, line_id)
        if not seen(me, row):
            raise NotFound(_("There is no such line."))
        await audit(tx, me.id, "line.tested", "line", line_id, address=caller(request))
    line = queries.as_channel_sees(row, ground.vault, ground.signer)
    if request.headers.get("hx-request"):
        return StreamingResponse(
            _lines_of_html(request, line, language()), media_type="text/html", headers={"x-accel-buffering": "no"}
        )
    steps = [step async for step in _steps(request, line)]
    if adding:
        return await step_page(request, me, row.channel, row, "test", steps=steps, verdict=verdict(steps))
    return await line_page(request, me, row, steps=steps, verdict=verdict(steps))
