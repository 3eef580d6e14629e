"""Surveys: their results, what is asked where, and the page that the customer's link leads to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from everyline.ground.clock import now
from everyline.ground.errors import Forbidden, NotFound, ProductError
from everyline.ground.pages import page
from everyline.ground.words import _, speaking
from everyline.measure import surveying
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit, public
from everyline.people.queries import organisation_name
from everyline.people.rules import Me
from everyline.reports.asking import asked
from everyline.reports.frame import frame, names, scope
from everyline.reports.page import choices, question_of
from everyline.reports.saying import NONE, number

router = APIRouter()
Reader = Annotated[Me, permit("figure.read")]


@router.get("/reports/surveys")
async def surveys(request: Request, me: Reader, before: int = 0) -> Response:
    """What customers answered, and what they are asked."""
    question, at = question_of(request), now()
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, request, me, "surveys")
        queue_ids = await scope(tx, me)
        wanted = asked(question, me, queue_ids, at)
        named = await names(tx, me, "day")
        context |= await choices(tx, question, me, named, at)
        results = await surveying.summary(tx, wanted)
        spreads = {row["kind"]: await surveying.spread(tx, wanted, row["kind"]) for row in results}
        said = await surveying.answers(tx, wanted, before=before, most=51)
        kept = await surveying.settings(tx)
    return page(
        "reports/surveys.html",
        **context,
        question=question,
        results=results,
        spreads=spreads,
        said=said[:50],
        older=question.href("/reports/surveys", before=said[49].id) if len(said) > 50 else "",
        kinds=surveying.KINDS,
        kept=kept,
        own_queues=[(one, named.queues[one]) for one in queue_ids if one in named.queues],
        number=number,
        dash=NONE,
    )


@router.post("/reports/surveys/{queue_id}")
async def set_up(
    request: Request,
    me: Reader,
    queue_id: int,
    kind: Annotated[str, Form()] = "",
    every_days: Annotated[int, Form(ge=1, le=3650)] = 30,
    share: Annotated[int, Form(ge=1, le=100)] = 100,
    after_minutes: Annotated[int, Form(ge=0, le=10_080)] = 60,
) -> Response:
    """Set what the customers of a queue are asked."""
    if not me.may("queue.write"):
        raise Forbidden(_("You may not do this. Ask an admin if you should."))
    async with ground_of(request).database.transaction() as tx:
        await surveying.change_setting(
            tx, me.id, queue_id, kind, every_days=every_days, share=share, after_minutes=after_minutes
        )
        await audit(tx, me.id, "survey.set_up", "queue", queue_id, address=me.address, survey=kind)
    return RedirectResponse("/reports/surveys?done=saved", 303)


@router.get("/survey/{token}", dependencies=[public()])
async def ask(request: Request, token: str) -> Response:
    """The question."""
    return await _asked(request, token)


async def _asked(request: Request, token: str, *, status: int = 200, trouble: str = "", words: str = "") -> Response:
    async with ground_of(request).database.transaction() as tx:
        organisation = await organisation_name(tx)
        try:
            row = await surveying.by_token(tx, token)
        except NotFound as error:
            return page(
                "reports/thanks.html",
                status=404,
                organisation=organisation,
                text=error.message,
                page_class="embed",
                headers=_PRIVATE,
            )
    with speaking(row.language or "en"):
        if row.answered_at is not None:
            return page(
                "reports/thanks.html",
                organisation=organisation,
                text=_("You have answered already. Thank you."),
                page_class="embed",
                headers=_PRIVATE,
            )
        return page(
            "reports/survey.html",
            status=status,
            headers=_PRIVATE,
            organisation=organisation,
            survey=row,
            kind=surveying.KINDS[row.kind],
            token=token,
            trouble=trouble,
            words=words,
        )


_PRIVATE = {"referrer-policy": "no-referrer", "cache-control": "no-store", "x-robots-tag": "noindex"}


@router.post("/survey/{token}", dependencies=[public()])
async def answer(
    request: Request,
    token: str,
    score: Annotated[str, Form()] = "",
    words: Annotated[str, Form(max_length=4000)] = "",
    no_more: Annotated[str, Form()] = "",
) -> Response:
    """What the customer says, or that they want no more of it."""
    async with ground_of(request).database.transaction() as tx:
        organisation = await organisation_name(tx)
    try:
        async with ground_of(request).database.transaction() as tx:
            row = await surveying.by_token(tx, token)
            if no_more:
                await surveying.refuse(tx, token)
            else:
                await surveying.answer(tx, token, int(score) if score.isdigit() and len(score) < 3 else -1, words)
    except ProductError as error:
        if error.status == 422:
            return await _asked(request, token, status=422, trouble=error.message, words=words)
        return page(
            "reports/thanks.html",
            status=error.status,
            organisation=organisation,
            text=error.message,
            page_class="embed",
            headers=_PRIVATE,
        )
    with speaking(row.language or "en"):
        text = (
            _("We send you no such questions any more.")
            if no_more
            else _("Thank you. The people who helped you read what you said.")
        )
        return page("reports/thanks.html", organisation=organisation, text=text, page_class="embed", headers=_PRIVATE)
