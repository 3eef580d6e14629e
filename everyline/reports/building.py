"""Reports put together, kept, shared, sent by mail, and handed out as files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import ProductError
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.measure import queries, reporting
from everyline.measure.figures import DIMENSIONS, FIGURES, Asked, Line
from everyline.measure.rules import FORMULAS
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.reports import exporting
from everyline.reports.asking import PERIODS, STEP_NAMES, Question, asked, read
from everyline.reports.frame import Names, frame, names, scope
from everyline.reports.page import question_of, shown

router = APIRouter()
Reader = Annotated[Me, permit("figure.read")]


async def lines_of(tx: Tx, me: Me, question: Question) -> tuple[list[Line], Asked, Names]:
    """The rows of a report as they are handed out, within one's scope."""
    wanted = asked(question, me, await scope(tx, me), now())
    return await queries.lines(tx, wanted, question.formula), wanted, await names(tx, me, wanted.step)


async def _builder(
    request: Request, me: Me, question: Question, *, status: int = 200, trouble: str = "", name: str = ""
) -> Response:
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, request, me, "builder")
        named = await names(tx, me, "30")
        queue_ids = await scope(tx, me)
    groups: dict[str, list[Any]] = {}
    for figure in FIGURES.values():
        groups.setdefault(figure.ledger, []).append((figure.id, _(figure.name), _(figure.words)))
    return page(
        "reports/builder.html",
        status=status,
        **context,
        question=question,
        trouble=trouble,
        name=name,
        dimensions=[(key, _(words)) for key, words in DIMENSIONS.items()],
        periods=[*((key, _(words)) for key, words in PERIODS.items()), ("days", _("From one day to another"))],
        steps=[(key, _(words)) for key, words in STEP_NAMES.items()],
        formulas=[(one.id, f"{one.id}: {_(one.words)}") for one in FORMULAS.values()],
        queues=[(one, named.queues[one]) for one in queue_ids if one in named.queues],
        channels=[(key, _(found.facts.label)) for key, found in all_channels().items()],
        languages=list(named.languages.items()),
        teams=list(named.teams.items()),
        groups=[(_(ledger), figures) for ledger, figures in groups.items()],
    )


@router.get("/reports/builder")
async def builder(request: Request, me: Reader) -> Response:
    """The form that puts a report together."""
    return await _builder(request, me, question_of(request))


@router.post("/reports/kept")
async def keep(request: Request, me: Reader) -> Response:
    """Keep a report under a name."""
    form = await request.form()
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    question = read(given, [str(value) for value in form.getlist("figure")])
    try:
        async with ground_of(request).database.transaction() as tx:
            report_id = await reporting.keep(tx, me, given.get("name", ""), question.parts(), shared="shared" in given)
    except ProductError as error:
        return await _builder(request, me, question, status=422, trouble=error.message, name=given.get("name", ""))
    return RedirectResponse(f"/reports/kept/{report_id}?done=kept", 303)


def kept_question(shape: dict[str, Any]) -> Question:
    """The question of a report that was kept."""
    return read(shape, shape.get("figure", ()))


@router.get("/reports/kept/{report_id}")
async def kept(request: Request, me: Reader, report_id: int) -> Response:
    """A report that was kept; its address holds only its number, its filters are its own."""
    async with ground_of(request).database.transaction() as tx:
        row = await reporting.get(tx, me, report_id)
        mails = await reporting.mails_of(tx, me, report_id)
    more = {
        "kept": row,
        "mails": mails,
        "own": row.agent_id == me.id,
        "rhythms": [(key, _(words)) for key, words in reporting.RHYTHMS.items()],
        "rhythm_names": {key: _(words) for key, words in reporting.RHYTHMS.items()},
    }
    return await shown(request, me, kept_question(row.shape), current=f"kept-{row.id}", title=row.name, **more)


@router.post("/reports/kept/{report_id}/remove")
async def remove(request: Request, me: Reader, report_id: int) -> Response:
    """Throw it away."""
    async with ground_of(request).database.transaction() as tx:
        await reporting.remove(tx, me, report_id)
    return RedirectResponse("/reports?done=removed", 303)


@router.post("/reports/kept/{report_id}/mails")
async def send(
    request: Request, me: Reader, report_id: int, rhythm: Annotated[str, Form()], hour: Annotated[int, Form()] = 7
) -> Response:
    """Have it sent to one's own mailbox."""
    async with ground_of(request).database.transaction() as tx:
        await reporting.send_by_mail(tx, me, report_id, rhythm, hour)
    return RedirectResponse(f"/reports/kept/{report_id}?done=mailed", 303)


@router.post("/reports/kept/{report_id}/mails/{mail_id}/stop")
async def stop(request: Request, me: Reader, report_id: int, mail_id: int) -> Response:
    """Have it sent no more."""
    async with ground_of(request).database.transaction() as tx:
        await reporting.stop_mail(tx, me, mail_id)
    return RedirectResponse(f"/reports/kept/{report_id}?done=stopped", 303)


@router.get("/reports/figures.csv")
async def as_csv(request: Request, me: Reader) -> Response:
    """The rows as comma-separated values."""
    question = question_of(request)
    async with ground_of(request).database.transaction() as tx:
        lines, wanted, named = await lines_of(tx, me, question)
    text = exporting.as_csv(*exporting.table(lines, question.columns, wanted, named))
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="figures.csv"'},
    )


@router.get("/reports/figures.parquet")
async def as_parquet(request: Request, me: Reader) -> Response:
    """The rows as a Parquet file."""
    question = question_of(request)
    async with ground_of(request).database.transaction() as tx:
        lines, wanted, named = await lines_of(tx, me, question)
    content = exporting.as_parquet(*exporting.table(lines, question.columns, wanted, named))
    return Response(
        content,
        media_type="application/vnd.apache.parquet",
        headers={"content-disposition": 'attachment; filename="figures.parquet"'},
    )
