"""Writing: drafts, their files, answers and notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from everyline.cases import actions
from everyline.cases import queries as cases
from everyline.cases.rules import Status, stale
from everyline.channel_registry import all_channels
from everyline.desk import inserted, phrases
from everyline.desk.answering import CASE_CHANGED, Back, by_script, done
from everyline.desk.case_routes import composer_context
from everyline.desk.composing import called, chosen
from everyline.desk.lists import frame
from everyline.desk.onlookers import onlookers_of
from everyline.desk.places import Place
from everyline.desk.queries import statements
from everyline.desk.talk_routes import statements as talk_statements
from everyline.dispatch import actions as dispatch
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.files import Files
from everyline.ground.pages import page, toast
from everyline.ground.words import _, ngettext
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter()
Writer = Annotated[Me, permit("case.write")]

MOST_FILES = 20
MOST_REPLIES = 5


@dataclass(frozen=True, slots=True)
class Typed:
    """What stood in the composer, so that it stands there again."""

    reply: str
    note: str
    copies: list[str] | None = None  # None: the form had no place for them
    replies: tuple[str, ...] = ()  # quick ones that the customer of a talk may choose from


Copies = Annotated[list[str] | None, Form()]


def _named(copies: list[str] | None, shown: str) -> list[str] | None:
    """Who was named for a copy; None when the form had no place for that."""
    return [one for one in copies or [] if one.strip()] if shown else None


@router.put("/desk/cases/{case_id}/draft")
async def keep_draft(
    request: Request,
    me: Annotated[Me, permit("own")],
    case_id: int,
    kind: Annotated[str, Form()] = "reply",
    reply: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    copies: Copies = None,
    copies_shown: Annotated[str, Form()] = "",
    revision: Annotated[int, Form()] = 0,
) -> Response:
    """Keep what is being written: the reply and the note, each for itself."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        held = await cases.drafts(tx, me, case_id)
        point_id, answer_to = chosen(channel)
        for name, text in (("reply", reply), ("note", note)):
            if text.strip() or name in held:
                await actions.draft(
                    tx,
                    me.id,
                    case_id,
                    name,
                    text,
                    contact_point_id=point_id if name == "reply" else None,
                    answer_to=answer_to if name == "reply" else None,
                    copies=_named(copies, copies_shown) if name == "reply" else None,
                    revision=revision,
                )
    onlookers_of(request).say(me, case_id, writes=bool((reply if kind == "reply" else note).strip()))
    return Response(status_code=204)


@router.post("/desk/cases/{case_id}/files")
async def attach(
    request: Request,
    me: Writer,
    case_id: int,
    files: Annotated[list[UploadFile] | None, File()] = None,
    kind: Annotated[str, Form()] = "reply",
) -> Response:
    """Put files with the draft."""
    error = ""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await cases.get(tx, me, case_id)
        try:
            await _attach(tx, ground.files, me, case_id, "note" if kind == "note" else "reply", files or [])
        except Invalid as refusal:
            error = refusal.message
        context = await composer_context(tx, me, request, case_id)
    return page("desk/draft-files.html", file_error=error, **context)


async def _attach(tx: Tx, kept: Files, me: Me, case_id: int, kind: str, files: Sequence[UploadFile]) -> None:
    given = [file for file in files if file.filename]
    if not given:
        return
    held = await cases.drafts(tx, me, case_id)
    text = held[kind].text if kind in held else ""
    draft_id = await actions.draft(
        tx, me.id, case_id, kind, text, contact_point_id=held[kind].contact_point_id if kind in held else None
    )
    there = [row for row in await cases.attachments(tx, case_id) if row.draft_id == draft_id]
    largest = min(
        (found.facts.largest_file for found in all_channels().values() if found.facts.files), default=25 * 1024 * 1024
    )
    if sum(row.size for row in there) + sum(file.size or 0 for file in given) > largest:
        raise Invalid(_("Too large: all files of one message together have at most %s.") % phrases.size(largest))
    if len(there) + len(given) > MOST_FILES:
        raise Invalid(_("At most %d files with one message.") % MOST_FILES)
    for file in given:
        content = await file.read()
        digest = await kept.put(content)
        name = (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "").strip() or _("file")
        await actions.attach(
            tx,
            me.id,
            case_id,
            draft_id,
            file_hash=digest,
            name=name,
            content_type=(file.content_type or "application/octet-stream")[:200],
            size=len(content),
        )


@router.post("/desk/cases/{case_id}/files/remove")
async def detach(request: Request, me: Writer, case_id: int, remove: Annotated[int, Form()]) -> Response:
    """Take a file off the draft again."""
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        await actions.detach(tx, me.id, case_id, remove)
        context = await composer_context(tx, me, request, case_id)
    if not by_script(request):
        return done(request, f"/desk/cases/{case_id}")
    return page("desk/draft-files.html", **context)


@router.get("/desk/agents")
async def agents(request: Request, me: Annotated[Me, permit("agent.read")], q: str = "") -> Response:
    """Agents whose name begins so, to be called in a note."""
    folded = q.casefold().strip()
    async with ground_of(request).database.transaction() as tx:
        rows = await tx.rows(statements.agents)
    fitting = [
        row
        for row in rows
        if row.id != me.id and any(part.casefold().startswith(folded) for part in (row.name, *row.name.split()))
    ]
    shown = [
        {"name": row.name, "initials": phrases.initials(row.name), "id": row.id, "state": row.state}
        for row in fitting[:8]
    ]
    return page("desk/agents.html", agents=shown)


@router.post("/desk/cases/{case_id}/answer")
async def answer(
    request: Request,
    me: Writer,
    case_id: int,
    kind: Annotated[str, Form()] = "reply",
    reply: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    revision: Annotated[int, Form()] = 0,
    copies: Copies = None,
    copies_shown: Annotated[str, Form()] = "",
    key: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "",
    replies: Annotated[list[str] | None, Form()] = None,
    used: Annotated[list[str] | None, Form()] = None,
    files: Annotated[list[UploadFile] | None, File()] = None,
    back: Back = "",
) -> Response:
    """Send an answer, or keep a note. Refused while there is news that the writer has not seen; what was typed
    stays."""
    ground = ground_of(request)
    quick = tuple(one.strip() for one in replies or () if one.strip())[:MOST_REPLIES]
    typed = Typed(reply, note, _named(copies, copies_shown), quick)
    what = "note" if kind == "note" else "reply"
    try:
        async with ground.database.transaction() as tx:
            case = await cases.get(tx, me, case_id)
            await _attach(tx, ground.files, me, case_id, what, files or [])
            if what == "note":
                await _note(tx, me, case_id, note)
                said, undo, seconds = _("The note is kept."), "", 0
            else:
                talks = await _talks(tx, me, case)
                # in a talk that is one's own, what the customer says meanwhile is before one's eyes
                seen = None if talks else revision
                message_id = await _send(tx, request, me, case_id, typed, channel, seen, key, then)
                await inserted.record(tx, me, case, message_id, used or ())
                seconds = await _undo_seconds(tx, message_id)
                said = "" if talks and not then else _said(case.number, then)
                undo = f"/desk/cases/{case_id}/messages/{message_id}/take-back" if seconds else ""
            stays = await _still_theirs(tx, me, case_id)
    except (Conflict, Invalid) as refusal:
        return await _refused(request, me, case_id, what, typed, revision, refusal)
    to = f"/desk/cases/{case_id}?{Place.of(back).here}"
    if not by_script(request):
        return done(request, to)
    if not stays:
        return done(request, Place.of(back).href(), said, leave=True)
    async with ground.database.transaction() as tx:
        context = await composer_context(tx, me, request, case_id)
    told = json.loads(toast(said, undo=undo, seconds=seconds)["HX-Trigger"]) if said else {}
    headers = {"HX-Trigger": json.dumps(told | {CASE_CHANGED: ""})}
    return page("desk/composer.html", headers=headers, **context)


@router.post("/desk/cases/{case_id}/preview")
async def preview(
    request: Request,
    me: Writer,
    case_id: int,
    reply: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
) -> Response:
    """The answer as its customer would get it."""
    point_id, answer_to = chosen(channel)
    async with ground_of(request).database.transaction() as tx:
        await cases.get(tx, me, case_id)
        try:
            written = await dispatch.foreseen(
                tx, me.id, case_id, reply.strip(), contact_point_id=point_id, answer_to=answer_to
            )
        except (Conflict, Invalid) as refusal:
            return page("desk/preview.html", refused=refusal.message)
    return page("desk/preview.html", written=written if reply.strip() else None)


async def _talks(tx: Tx, me: Me, case: Row) -> bool:
    """Does the agent talk live with the customer of this case, and nobody else of us?"""
    row = await tx.first(talk_statements.one_live, {"case_id": case.id})
    return row is not None and row.agent_id == me.id


def _said(number: int, then: str) -> str:
    if then.startswith("resolve"):
        return _("Answer sent, %s is resolved.") % number
    if then in ("wait", "others"):
        return _("Answer sent, %s waits.") % number
    return _("Answer sent.")


async def _note(tx: Tx, me: Me, case_id: int, text: str) -> None:
    held = (await cases.drafts(tx, me, case_id)).get("note")
    files = [row.id for row in await cases.attachments(tx, case_id) if held is not None and row.draft_id == held.id]
    mentioned = called(text, await tx.rows(statements.agents)) if "@" in text else []
    await actions.note(tx, me.id, case_id, text.strip(), mentions=mentioned, files=files)
    await actions.drop_draft(tx, me.id, case_id, "note")


async def _send(
    tx: Tx, request: Request, me: Me, case_id: int, typed: Typed, to: str, revision: int | None, key: str, then: str
) -> int:
    point_id, answer_to = chosen(to)
    word, _colon, code = then.partition(":")
    afterwards = {
        "wait": Status.WAITING_FOR_CUSTOMER,
        "others": Status.WAITING_FOR_OTHERS,
        "resolve": Status.RESOLVED,
    }.get(word)
    return await dispatch.answer(
        tx,
        ground_of(request).signer,
        me.id,
        case_id,
        typed.reply.strip(),
        contact_point_id=point_id,
        answer_to=answer_to,
        copies=typed.copies or (),
        replies=typed.replies,
        revision=revision,
        then=afterwards,
        idempotency_key=key,
        wrap_up_code_id=int(code) if code.isdigit() else None,
    )


async def _undo_seconds(tx: Tx, message_id: int) -> int:
    return int(await tx.value(statements.undo_seconds, {"message_id": message_id}) or 0)


async def _still_theirs(tx: Tx, me: Me, case_id: int) -> bool:
    try:
        await cases.get(tx, me, case_id)
    except NotFound:
        return False
    return True


async def _refused(
    request: Request, me: Me, case_id: int, kind: str, typed: Typed, revision: int, refusal: Conflict | Invalid
) -> Response:
    """The composer again with what was typed, and why; it knows of the news now, so that sending once more is meant."""
    async with ground_of(request).database.transaction() as tx:
        case = await cases.get(tx, me, case_id)
        text = typed.note if kind == "note" else typed.reply
        if text.strip() and case.status != Status.CLOSED:
            await actions.draft(tx, me.id, case_id, kind, text, copies=typed.copies if kind == "reply" else None)
        context = await composer_context(tx, me, request, case_id)
        if not by_script(request):
            context |= await frame(tx, me, None, await tx.rows(statements.queues))
    news = stale(revision, case.revision)
    if kind == "reply" and isinstance(refusal, Conflict) and news is not None:
        title = (
            ngettext(
                "There is %d new piece since you began to write.",
                "There are %d new pieces since you began to write.",
                news.news,
            )
            % news.news
        )
        refused: dict[str, Any] = {
            "title": title,
            "text": _("Nothing was sent. Read the news above, then send your answer again."),
        }
    else:
        refused = {
            "title": _("Nothing was sent.") if kind == "reply" else _("The note was not kept."),
            "text": refusal.message,
        }
    context |= {"refused": refused, "kind": kind, "typed": typed}
    if by_script(request):
        return page("desk/composer.html", status=422, headers={"HX-Trigger": CASE_CHANGED}, **context)
    return page("desk/refused.html", status=422, **context)
