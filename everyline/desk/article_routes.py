"""Articles beside a case: what fits, search, preview, text, link and card for the customer, what is wrong, and new ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from everyline.articles import actions as articles
from everyline.articles import queries as article_queries
from everyline.articles.hearing import LINK
from everyline.articles.queries import Moved, Reader
from everyline.cases import queries as cases
from everyline.channel_contract import Card
from everyline.desk import inserted, redacting, suggesting
from everyline.desk.answering import by_script, done
from everyline.desk.lists import frame
from everyline.desk.queries import statements as desk
from everyline.desk.talk_routes import going_on, statements
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.pages import page
from everyline.ground.words import _, language, speaking
from everyline.intake import talking
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix="/desk/cases/{case_id}")
Sees = Annotated[Me, permit("article.read")]
Writes = Annotated[Me, permit("article.write")]
Answers = Annotated[Me, permit("case.write")]
LONGEST_QUERY = 200  # characters


async def _talks(tx: Tx, case_id: int) -> bool:
    return going_on(list(await talking.of_case(tx, case_id))) is not None


@router.get("/articles")
async def panel(request: Request, me: Sees, case_id: int) -> Response:
    """The panel with what seems to fit."""
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        context: dict[str, Any] = {
            "hits": await suggesting.suggested(tx, me, case),
            "talks": await _talks(tx, case_id),
            "searched": "",
            "gap": False,
        }
    return page("desk/articles.html", base=f"/desk/cases/{case_id}", case_id=case_id, **context)


@router.get("/articles/hits")
async def hits(request: Request, me: Sees, case_id: int, q: str = "", whole: str = "") -> Response:
    """What is found by words, or what seems to fit when none are given. ``whole``: all of it was typed, so that what finds nothing
    is kept for those who write articles."""
    words = q.strip()[:LONGEST_QUERY]
    gap = False
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        found = await (suggesting.found(tx, me, case, words) if words else suggesting.suggested(tx, me, case))
        if whole and words and not any(one.useful for one in found):
            spoken = case.language or language()
            gap = (
                await articles.found_nothing(
                    tx, words, spoken, channel=case.last_channel, audience="agents", case_id=case_id
                )
                is not None
            )
        talks = await _talks(tx, case_id)
    return page(
        "desk/article-hits.html", base=f"/desk/cases/{case_id}", hits=found, talks=talks, searched=words, gap=gap
    )


@router.get("/articles/pick")
async def pick(request: Request, me: Sees, case_id: int, q: str = "") -> Response:
    """Articles to be put in where # was typed; without words, what seems to fit."""
    words = q.strip()[:LONGEST_QUERY]
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        found = await (
            suggesting.found(tx, me, case, words, most=suggesting.PICKED)
            if words
            else suggesting.suggested(tx, me, case)
        )
        talks = await _talks(tx, case_id)
    return page("desk/pick-article.html", hits=[one for one in found if one.given], talks=talks)


@router.get("/articles/{article_id}")
async def preview(request: Request, me: Sees, case_id: int, article_id: int, language: str = "en") -> HTMLResponse:
    """An article as its readers see it."""
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        row = await suggesting.published(tx, article_id, language)
        shown = await article_queries.shown(tx, Reader("agents", language), row.slug)
        if isinstance(shown, Moved):
            shown = await article_queries.shown(tx, Reader("agents", language), shown.slug)
        if isinstance(shown, Moved):
            raise NotFound(_("There is no such article."))
        await articles.viewed(tx, article_id, language, channel="desk")
        text, _kind = await suggesting.words_of(tx, row, case.last_channel)
        context: dict[str, Any] = {"shown": shown, "text": text, "talks": await _talks(tx, case_id)}
    return page(
        "desk/ask/article.html", fragment=True, base=f"/desk/cases/{case_id}", given=row.audience != "agents", **context
    )


@router.get("/articles/{article_id}/text")
async def text(
    request: Request, me: Sees, case_id: int, article_id: int, language: str = "en", how: str = "text"
) -> Response:
    """What is put into an answer: the article in the wording of the case's channel, or its address; and ``used``, what the answer's
    form says of it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        row = await suggesting.for_customer(tx, article_id, language)
        if how == LINK:
            words, kind = f"{row.title}: {suggesting.address_of(ground.settings.portal, row)}", LINK
        else:
            words, kind = await suggesting.words_of(tx, row, case.last_channel)
    return JSONResponse({"text": words, "used": f"article:{article_id}:{row.language}:{kind}"})


@router.post("/articles/{article_id}/card")
async def card(
    request: Request, me: Answers, case_id: int, article_id: int, language: Annotated[str, Form()] = "en"
) -> Response:
    """Push an article into the talk as a card."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        row = await suggesting.for_customer(tx, article_id, language)
        shown = Card("article", row.title, row.summary, suggesting.address_of(ground.settings.portal, row), row.slug)
        message_id = await talking.push_card(tx, ground.signer, me.id, case_id, shown)
        await inserted.record(tx, me, case, message_id, [f"article:{article_id}:{row.language}:{LINK}"])
    return done(request, f"/desk/cases/{case_id}", _("The article is shown to the customer."))


@router.get("/articles/{article_id}/flag")
async def ask_flag(request: Request, me: Writes, case_id: int, article_id: int, language: str = "en") -> HTMLResponse:
    """What is wrong with it?"""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        row = await suggesting.published(tx, article_id, language)
    return _ask_flag(case_id, row, {})


def _ask_flag(case_id: int, row: Row, errors: dict[str, str]) -> HTMLResponse:
    return page(
        "desk/ask/flag.html",
        status=422 if errors else 200,
        fragment=True,
        base=f"/desk/cases/{case_id}",
        article=row,
        errors=errors,
    )


@router.post("/articles/{article_id}/flag")
async def flag(
    request: Request,
    me: Writes,
    case_id: int,
    article_id: int,
    words: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "en",
) -> Response:
    """Say what is wrong with an article: whoever owns it is told."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        row = await suggesting.published(tx, article_id, language)
        try:
            await articles.flag(tx, me.id, article_id, words, language=language, case_id=case_id)
        except Invalid as error:
            return _ask_flag(case_id, row, dict(error.fields))
    return done(request, f"/desk/cases/{case_id}", _("Thank you. Whoever owns the article is told."), changed=())


async def _bare(tx: Tx, me: Me, case_id: int, message_id: int) -> tuple[Row, redacting.Redacted, str]:
    """An answer without its customer, and the language it is taken to be in."""
    await cases.get(tx, me, case_id)
    row = await tx.first(statements.answer, {"case_id": case_id, "message_id": message_id})
    if row is None:
        raise NotFound(_("There is no such answer."))
    spoken = row.language or me.language
    return row, await _redacted(tx, case_id, row.text, spoken), spoken


async def _redacted(tx: Tx, case_id: int, text: str, spoken: str, *, guesses: bool = True) -> redacting.Redacted:
    person = await tx.one(statements.person, {"case_id": case_id})
    with speaking(spoken):
        return redacting.without_person(text, person.name, person.addresses, [str(person.number)], guesses=guesses)


@router.get("/messages/{message_id}/article")
async def ask_article(request: Request, me: Writes, case_id: int, message_id: int) -> HTMLResponse:
    """The answer as an article would begin, to be looked through."""
    async with ground_of(request).database.transaction() as tx:
        row, bare, _spoken = await _bare(tx, me, case_id, message_id)
        title = await _redacted(tx, case_id, row.subject, row.language or me.language)
        around: dict[str, Any] = {} if by_script(request) else await frame(tx, me, None, await tx.rows(desk.queues))
    typed = {"title": title.text, "text": bare.text}
    return _ask_article(request, case_id, message_id, typed, bare.replaced, {}, **around)


def _ask_article(
    request: Request,
    case_id: int,
    message_id: int,
    typed: dict[str, str],
    replaced: int,
    errors: dict[str, str],
    **around: Any,
) -> HTMLResponse:
    return page(
        "desk/ask/make-article.html",
        status=422 if errors else 200,
        fragment=by_script(request),
        **around,
        base=f"/desk/cases/{case_id}",
        message_id=message_id,
        typed=typed,
        replaced=replaced,
        errors=errors,
    )


@router.post("/messages/{message_id}/article")
async def make_article(
    request: Request,
    me: Writes,
    case_id: int,
    message_id: int,
    title: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
) -> Response:
    """Begin an article with an answer; what is known of the customer is taken out once more, whatever was typed."""
    async with ground_of(request).database.transaction() as tx:
        _row, bare, spoken = await _bare(tx, me, case_id, message_id)
        heading = await _redacted(tx, case_id, title, spoken, guesses=False)
        body = await _redacted(tx, case_id, text, spoken, guesses=False) if text.strip() else bare
        if not heading.text:
            errors = {"title": _("Write a title.")}
            around = {} if by_script(request) else await frame(tx, me, None, await tx.rows(desk.queues))
            typed = {"title": title, "text": body.text}
            return _ask_article(request, case_id, message_id, typed, body.replaced, errors, **around)
        article_id = await articles.add(tx, me.id, spoken, heading.text, text=body.text, source=f"case:{case_id}")
    to = f"/knowledge/articles/{article_id}/{spoken}"
    if by_script(request):
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)
