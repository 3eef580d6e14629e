"""An article's life: from draft to reader and back, and into other languages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions, trails
from everyline.articles import queries as articles
from everyline.articles.rules import Kind
from everyline.ground.errors import Forbidden, Invalid, NotFound, ProductError
from everyline.ground.forms import back, typed, wrong
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.knowledge.article import article_frame, known_language, local_moment, working_on
from everyline.knowledge.editing import editor_page
from everyline.knowledge.frame import HOME
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]

# what a button asks for: what is said afterwards, and the permission it takes
DEEDS = {
    "review": ("reviewed", "article.write"),
    "return": ("returned", "article.publish"),
    "publish": ("published", "article.publish"),
    "schedule": ("scheduled", "article.publish"),
    "unschedule": ("unscheduled", "article.publish"),
    "withdraw": ("withdrawn", "article.publish"),
    "archive": ("archived", "article.publish"),
    "bring-back": ("back", "article.publish"),
    "drop": ("dropped", "article.write"),
    "translate": ("translating", "article.write"),
}


@router.post("/{article_id}/{language}/life")
async def live(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """Do what a button says."""
    known_language(language)
    form = await typed(request)
    deed = form.text("deed")
    if deed not in DEEDS:
        raise NotFound(_("There is nothing at this address."))
    done, permission = DEEDS[deed]
    if not me.may(permission):
        raise Forbidden(_("You may not do this. Ask an admin if you should."))
    at = local_moment(form.text("at"), me.zone)
    try:
        if deed == "schedule" and at is None:
            raise Invalid(_("Choose a day and a time."), {"at": _("Choose one.")})
        async with ground_of(request).database.transaction() as tx:
            match deed:
                case "review":
                    await actions.send_to_review(tx, me.id, article_id, language)
                case "return":
                    await actions.send_back(tx, me.id, article_id, language, form.text("words"))
                case "publish":
                    revision = form.maybe_number("revision", 1, 10**9)
                    await actions.publish(tx, me.id, article_id, language, revision=revision)
                case "schedule" | "unschedule":
                    await actions.schedule(tx, me.id, article_id, language, at if deed == "schedule" else None)
                case "withdraw":
                    await actions.withdraw(tx, me.id, article_id, language)
                case "archive":
                    await actions.archive(tx, me.id, article_id)
                case "bring-back":
                    await actions.bring_back(tx, me.id, article_id)
                case "drop":
                    await actions.drop_draft(tx, me.id, article_id, language)
                case _:
                    await actions.translate(tx, me.id, article_id, language)
    except NotFound:
        raise
    except ProductError as error:
        said = wrong(error)
        return await editor_page(request, me, article_id, language, status=error.status, at=form.text("at"), **said)
    return back(f"{HOME}/articles/{article_id}/{language}", done)


@router.get("/{article_id}/{language}/try")
async def walk(request: Request, me: Reader, article_id: int, language: str, way: str = "") -> Response:
    """Go through a guide as readers will."""
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        if found.article.kind != Kind.GUIDE or found.version is None:
            raise NotFound(_("There is nothing at this address."))
        context = await article_frame(tx, request, me, found, "text")
        html, steps = await articles.preview(tx, article_id, Kind.GUIDE, found.version.text)
    trail = trails.walked(steps, way)
    return page("knowledge/try.html", **context, html=html, trail=trail)
