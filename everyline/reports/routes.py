"""The pages of the reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.ground.clock import now
from everyline.ground.errors import NotFound
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.measure import queries
from everyline.measure.figures import FIGURES
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.reports import building, survey_pages
from everyline.reports.asking import asked
from everyline.reports.frame import frame, names, scope
from everyline.reports.page import question_of, shown
from everyline.reports.saying import seconds

router = APIRouter()
Reader = Annotated[Me, permit("figure.read")]
PAGE = 50


@router.get("/reports")
async def report(request: Request, me: Reader) -> Response:
    """Figures by interval, queue, agent, channel, language or team."""
    return await shown(request, me, question_of(request))


@router.get("/reports/cases")
async def cases(
    request: Request, me: Reader, of: str = "offered", begin: str = "", end: str = "", before: str = ""
) -> Response:
    """The cases behind a figure."""
    question, at = question_of(request), now()
    if not queries.can_open(of):
        raise NotFound(_("There are no cases behind this figure."))
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, request, me, question.by)
        wanted = asked(question, me, await scope(tx, me), at)
        wanted = replace(wanted, begin=_moment(begin) or wanted.begin, end=_moment(end) or wanted.end)
        named = await names(tx, me, wanted.step)
        moment, _dot, number = before.rpartition(".")
        place = _moment(moment)
        rows = await queries.behind(
            tx, wanted, of, before=(place, int(number)) if place and number.isdigit() else None, most=PAGE + 1
        )
    more = {name: value for name, value in (("of", of), ("begin", begin), ("end", end)) if value}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return page(
        "reports/cases.html",
        **context,
        rows=rows[:PAGE],
        figure=FIGURES[of],
        begin=wanted.begin,
        end=wanted.end,
        named=named,
        seconds=seconds,
        back=question.href(),
        older=question.href("/reports/cases", **more, before=f"{last.at.isoformat()}.{last.case_id}") if last else "",
        newer=question.href("/reports/cases", **more) if before else "",
        outcomes=OUTCOMES,
    )


OUTCOMES = {
    "answered": mark("Answered"),
    "abandoned": mark("Abandoned"),
    "flowed out": mark("Flowed out"),
    "called back": mark("Called back"),
    "withdrawn": mark("Withdrawn"),
    "resolved": mark("Resolved"),
    "transferred": mark("Transferred"),
    "missed": mark("Missed"),
    "declined": mark("Declined"),
}


def _moment(words: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(words.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


for part in (building, survey_pages):
    router.routes.extend(part.router.routes)
