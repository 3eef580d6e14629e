"""Drafts by the language model, while an agent writes: they stand in the editor, and nothing is sent or kept on the case by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from everyline.cases import actions
from everyline.cases import queries as cases
from everyline.cases.rules import Status
from everyline.desk.answering import by_script
from everyline.desk.case_routes import composer_context
from everyline.desk.composer_routes import Copies, Typed, Writer
from everyline.desk.composing import Way, chosen
from everyline.desk.lists import frame
from everyline.desk.queries import statements
from everyline.desk.suggesting import wording_of
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, NotFound
from everyline.ground.installation import Ground
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.people.permit import ground_of
from everyline.people.rules import Me
from everyline.selfservice.bot import Heard, drafting, retrieving, setting
from everyline.selfservice.bot import wording as words_of
from everyline.selfservice.bot.drafting import CUSTOMER, Kind
from everyline.selfservice.bot.setting import Setting
from everyline.selfservice.identity import Level, Who

router = APIRouter()
MESSAGES = 12  # the newest of a case
SOURCES = 3
LONGEST_SOURCE = 1200  # characters
BACK = "back"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be asked, once no transaction is open; ``shown``: articles (id, language, title) that it is made of."""

    ask: Callable[[], Awaitable[str]]
    note: bool = False
    added: bool = False  # below what stands there, not in its place
    shown: tuple[tuple[int, str, str], ...] = ()


@router.post("/desk/cases/{case_id}/drafted/{what}")
async def drafted(
    request: Request,
    me: Writer,
    case_id: int,
    what: str,
    kind: Annotated[str, Form()] = "reply",
    reply: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    copies: Copies = None,
    copies_shown: Annotated[str, Form()] = "",
    replies: Annotated[list[str] | None, Form()] = None,
    before: Annotated[str, Form()] = "",
) -> Response:
    """The composer with a draft in it, or with what was typed and why there is none; ``back`` takes a draft away again."""
    if what not in (*Kind, BACK):
        raise NotFound(_("There is nothing at this address."))
    named = [one for one in copies or [] if one.strip()] if copies_shown else None
    typed = Typed(reply, note, named, tuple(one.strip() for one in replies or () if one.strip()))
    if what == BACK:
        typed = replace(typed, note=before) if kind == "note" else replace(typed, reply=before)
        return await _composer(request, me, case_id, kind, typed, channel)
    ground = ground_of(request)
    try:
        async with ground.database.transaction() as tx:
            kept = await setting.load(tx)
            context = await composer_context(tx, me, request, case_id)
            await drafting.count(tx, kept, me.id, case_id, Kind(what))
            task = await _task(tx, ground, kept, me, context, Kind(what), typed, channel)
        draft = await task.ask()
    except Conflict as refusal:
        refused = {"title": _("There is no draft."), "text": refusal.message}
        return await _composer(request, me, case_id, kind, typed, channel, status=422, refused=refused)
    had = note if task.note else reply
    words = f"{had.rstrip()}\n\n{draft}" if task.added and had.strip() else draft
    typed = replace(typed, note=words) if task.note else replace(typed, reply=words)
    told = {"before": had, "shown": task.shown}
    return await _composer(request, me, case_id, "note" if task.note else "reply", typed, channel, drafted=told)


async def _task(
    tx: Tx, ground: Ground, kept: Setting, me: Me, context: dict[str, Any], what: Kind, typed: Typed, channel: str
) -> Task:
    """What is read before it is asked. Conflict when there is nothing to ask about."""
    if not context["can"]["write"]:
        raise Conflict(_("This case is closed."))
    case: Row = context["case"]
    theirs: str = case.language or context["facts"].customer_language
    if what in (Kind.REPLY, Kind.SUMMARY):
        turns = [
            (CUSTOMER if row.direction == "in" else "agent", row.text)
            for row in await cases.timeline(tx, case.id, most=MESSAGES)
            if row.direction == "in"
            or row.agent_id is not None  # what goes out by itself may repeat what customers wrote
        ]
        if not any(who == CUSTOMER and words.strip() for who, words in turns):
            raise Conflict(_("The customer has written nothing yet."))
        if what is Kind.SUMMARY:
            return Task(
                lambda: drafting.summary(ground, kept, turns, me.language, spoken=theirs), note=True, added=True
            )
        return await _reply(tx, ground, kept, case, turns, theirs)
    if not typed.reply.strip():
        raise Conflict(_("Write something first."))
    if what is Kind.TRANSLATION:
        if not theirs:
            raise Conflict(_("The language of this customer is not known."))
        return Task(lambda: drafting.translation(ground, kept, typed.reply, theirs))
    ways: list[Way] = context["ways"]
    way = next((one for one in ways if one.value == channel), next((one for one in ways if one.chosen), None))
    wanted = wording_of(way.channel.name if way is not None else case.last_channel)
    return Task(lambda: drafting.wording(ground, kept, typed.reply, wanted, theirs or me.language))


async def _reply(tx: Tx, ground: Ground, kept: Setting, case: Row, turns: list[tuple[str, str]], theirs: str) -> Task:
    """Out of articles that customers may read; in the language of the first, so that what it says can be compared."""
    asked = next(words for who, words in reversed(turns) if who == CUSTOMER and words.strip())
    heard = Heard(who=Who(case.customer_id, Level.SIGNED_IN, None, theirs or "en", case.last_channel))
    words = " ".join(f"{asked[:300]} {case.subject}".split())
    found = (await retrieving.find(tx, heard, theirs or "en", words))[:SOURCES]
    if not found:
        raise Conflict(_("No article seems to answer this."))
    language: str = found[0].article.language
    sources = [
        drafting.Source(one.article.title, words_of.source_of(one)["text"][:LONGEST_SOURCE], one.article.summary)
        for one in found
    ]
    return Task(
        lambda: drafting.reply(ground, kept, turns, sources, language),
        added=True,
        shown=tuple((one.article.article_id, one.article.language, one.article.title) for one in found),
    )


async def _composer(
    request: Request, me: Me, case_id: int, kind: str, typed: Typed, channel: str, *, status: int = 200, **more: Any
) -> Response:
    """The composer again, with what stands in it kept."""
    point_id, answer_to = chosen(channel)
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        if case.status != Status.CLOSED:
            if typed.reply.strip():
                await actions.draft(
                    tx,
                    me.id,
                    case_id,
                    "reply",
                    typed.reply,
                    contact_point_id=point_id,
                    answer_to=answer_to,
                    copies=typed.copies,
                )
            if typed.note.strip():
                await actions.draft(tx, me.id, case_id, "note", typed.note)
        context = await composer_context(tx, me, request, case_id)
        if not by_script(request):
            context |= await frame(tx, me, None, await tx.rows(statements.queues))
    context |= {"kind": "note" if kind == "note" else "reply", "typed": typed, **more}
    return page("desk/composer.html" if by_script(request) else "desk/refused.html", status=status, **context)
