"""The editor of one article in one language: what is typed is kept, seen as readers will see it, and never lost to another's."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from everyline.articles import actions, guides, queries, wordings, working
from everyline.articles.rules import LONGEST_TEXT, Kind
from everyline.articles.wordings import Wording
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Forbidden, ProductError
from everyline.ground.forms import Typed, back, typed, wrong
from everyline.ground.moments import clock, language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.knowledge import guiding
from everyline.knowledge.article import Working, article_frame, known_language, working_on
from everyline.knowledge.comparing import flat, parts
from everyline.knowledge.files import markdown_of, shown_files
from everyline.knowledge.frame import HOME
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

router = APIRouter(prefix=f"{HOME}/articles")
Reader = Annotated[Me, permit("article.read")]
Writer = Annotated[Me, permit("article.write")]
GONE = -1  # no draft has this revision
WRITTEN_HERE = ("title", "summary", "questions", "text")


@router.get("/{article_id}")
async def article(request: Request, _me: Reader, article_id: int) -> Response:
    """An article is shown in the language it is written in."""
    async with ground_of(request).database.transaction() as tx:
        found = await queries.get(tx, article_id)
    return RedirectResponse(f"{HOME}/articles/{article_id}/{found.language}", 303)


@router.get("/{article_id}/{language}")
async def editor(request: Request, me: Reader, article_id: int, language: str) -> Response:
    """The editor."""
    return await editor_page(request, me, article_id, language)


def content_of(form: Typed, kind: str) -> dict[str, Any]:
    """What was typed. The text of a guide comes as fields of its steps."""
    found: dict[str, Any] = {
        name: form.text(name, longest=2 * LONGEST_TEXT) for name in ("title", "summary") if form.came(name)
    }
    if form.came("questions"):
        found["questions"] = [line for line in form.text("questions").splitlines() if line.strip()]
    if kind == Kind.GUIDE and form.came("steps"):
        guide = guiding.from_form(form)
        found["text"] = guides.write(guide).strip() if guide.steps or guide.introduction else ""
    elif form.came("text"):
        found["text"] = form.text("text", longest=2 * LONGEST_TEXT)
    return found


async def editor_page(
    request: Request,
    me: Me,
    article_id: int,
    language: str,
    *,
    typed_content: dict[str, Any] | None = None,
    revision: int | None = None,
    status: int = 200,
    **more: Any,
) -> Response:
    """The editor with what is kept, or with what was typed over it. Nothing typed is lost when it cannot be kept."""
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        context = await article_frame(tx, request, me, found, "text")
        context |= await _originals(tx, found)
        kept = {name: getattr(found.version, name) for name in WRITTEN_HERE} if found.version is not None else {}
        content = {"title": "", "summary": "", "questions": [], "text": "", **kept, **(typed_content or {})}
        html, steps = await queries.preview(tx, article_id, found.article.kind, content["text"][:LONGEST_TEXT])
        files = await shown_files(tx, article_id)
    is_guide = found.article.kind == Kind.GUIDE
    guide = guides.read(content["text"]) if is_guide else None
    context |= {
        "values": flat(content),
        "revision": found.revision if revision is None else revision,
        "html": html,
        "steps": steps,
        "files": files,
        "guide": guide,
        "faults": guides.faults(guide) if guide is not None and guide.steps else [],
        "tree": guiding.tree(guide) if guide is not None else None,
        "spare": guiding.SPARE,
        "most_ways": guiding.MOST_WAYS,
        "findings": wordings.lint(Wording.FULL, content["text"]),
    }
    return page("knowledge/editor.html", status=status, **{**context, **more})


async def _originals(tx: Tx, found: Working) -> dict[str, Any]:
    """What a translation is made of, beside it."""
    if found.language == found.article.language:
        return {"original": None, "original_html": "", "original_steps": ()}
    source = await working_on(tx, found.article.id, found.article.language)
    if source.version is None:
        return {"original": None, "original_html": "", "original_steps": ()}
    html, steps = await queries.preview(tx, found.article.id, found.article.kind, source.version.text)
    return {"original": source.version, "original_html": html, "original_steps": steps}


async def keep(tx: Tx, me: Me, article_id: int, language: str, revision: int, **content: Any) -> int:
    """Keep what was typed; returns the new revision. ``revision`` 0: nobody was writing when the page was read, so a draft is
    opened. Overtaken when somebody else has written since, or has published or given up what the page was read from."""
    if await working.open_version(tx, article_id, language) is None:
        row = await actions.open_draft(tx, me.id, article_id, language)
        revision = int(row.revision) if revision == 0 else GONE
    return await actions.write(tx, me.id, article_id, language, revision, **content)


@router.post("/{article_id}/{language}")
async def save(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """Keep it, and then what the button says."""
    known_language(language)
    form = await typed(request)
    then, revision = form.text("then") or "save", form.number("revision", 0, 10**9)
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        kind = (await queries.get(tx, article_id)).kind
    content = content_of(form, kind)
    if then.startswith("put "):
        async with ground.database.transaction() as tx:
            content["text"] = f"{content.get('text', '')}\n\n{await markdown_of(tx, article_id, then[4:])}".strip()
        return await editor_page(request, me, article_id, language, typed_content=content, revision=revision)
    if then.startswith("step "):
        guide = guiding.asked_for(guides.read(content.get("text", "")), then[5:])
        content["text"] = guides.write(guide)
        return await editor_page(request, me, article_id, language, typed_content=content, revision=revision)
    if then == "preview":
        return await editor_page(request, me, article_id, language, typed_content=content, revision=revision)
    try:
        if then == "publish" and not me.may("article.publish"):
            raise Forbidden(_("You may not do this. Ask an admin if you should."))
        async with ground.database.transaction() as tx:
            revision = await keep(tx, me, article_id, language, revision, **content)
        async with ground.database.transaction() as tx:
            if then == "publish":
                await actions.publish(tx, me.id, article_id, language, revision=revision)
            elif then == "review":
                await actions.send_to_review(tx, me.id, article_id, language)
    except actions.Overtaken as error:
        return await conflict_page(request, me, article_id, language, content, error)
    except ProductError as error:
        return await editor_page(
            request, me, article_id, language, typed_content=content, revision=revision, status=error.status, **wrong(error)
        )  # fmt: skip
    done = {"publish": "published", "review": "reviewed"}.get(then, "saved")
    return back(f"{HOME}/articles/{article_id}/{language}", done)


@router.post("/{article_id}/{language}/keep")
async def keep_draft(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """What the page keeps by itself while somebody writes; answers with the revision to go on with, and what to say."""
    known_language(language)
    form = await typed(request)
    try:
        async with ground_of(request).database.transaction() as tx:
            kind = (await queries.get(tx, article_id)).kind
            revision = await keep(
                tx, me, article_id, language, form.number("revision", 0, 10**9), **content_of(form, kind)
            )
    except actions.Overtaken as error:
        return JSONResponse({"said": error.message, "overtaken": True}, error.status)
    except ProductError as error:
        said = wrong(error)
        words = " ".join([said["trouble"], *said["errors"].values()])
        return JSONResponse({"said": words, "overtaken": False}, error.status)
    return JSONResponse({"revision": revision, "said": _("Saved %s") % clock(now(), me.zone)})


@router.post("/{article_id}/{language}/preview")
async def preview(request: Request, _me: Reader, article_id: int, language: str) -> Response:
    """What was typed as readers will see it, and what is doubtful about it: a fragment."""
    form = await typed(request)
    async with ground_of(request).database.transaction() as tx:
        kind = (await queries.get(tx, article_id)).kind
        content = content_of(form, kind)
        text = content.get("text", "")[:LONGEST_TEXT]
        html, steps = await queries.preview(tx, article_id, kind, text)
    guide = guides.read(text) if kind == Kind.GUIDE else None
    return page(
        "knowledge/preview.html",
        values=flat({"title": "", "summary": "", **content}),
        html=html,
        steps=steps,
        findings=wordings.lint(Wording.FULL, text),
        tree=guiding.tree(guide) if guide is not None else None,
        faults=guides.faults(guide) if guide is not None and guide.steps else [],
        language=language,
        try_href=f"{HOME}/articles/{article_id}/{language}/try",
    )


async def conflict_page(
    request: Request, me: Me, article_id: int, language: str, content: dict[str, Any], error: actions.Overtaken
) -> Response:
    """Both texts and how they differ; the second chooses, or puts them together."""
    async with ground_of(request).database.transaction() as tx:
        found = await working_on(tx, article_id, language)
        context = await article_frame(tx, request, me, found, "wordings" if "wordings" in content else "text")
    differing = [part for part in parts(error.theirs, content) if not part.same]
    mine = flat(content)
    return page(
        "knowledge/conflict.html",
        status=error.status,
        **context,
        parts=differing,
        same={name: mine[name] for name in mine if name not in {part.name for part in differing}},
        revision=error.revision if found.is_open else 0,
        by=context["names"].get(found.version.changed_by if found.version is not None else error.by, ""),
        languages=language_names,
    )


@router.post("/{article_id}/{language}/merge")
async def merge(request: Request, me: Writer, article_id: int, language: str) -> Response:
    """What was chosen of two texts."""
    known_language(language)
    form = await typed(request)
    named = [*WRITTEN_HERE, *(f"wording-{kind}" for kind in wordings.WRITTEN)]
    chosen = {
        name: form.text(f"theirs-{name}" if form.text(f"take-{name}") == "theirs" else name, longest=2 * LONGEST_TEXT)
        for name in named
        if form.came(name)
    }
    content: dict[str, Any] = {name: chosen[name] for name in ("title", "summary", "text") if name in chosen}
    if "questions" in chosen:
        content["questions"] = [line for line in chosen["questions"].splitlines() if line.strip()]
    written = {name.removeprefix("wording-"): text for name, text in chosen.items() if name.startswith("wording-")}
    if written:
        content["wordings"] = written
    try:
        async with ground_of(request).database.transaction() as tx:
            await keep(tx, me, article_id, language, form.number("revision", 0, 10**9), **content)
    except actions.Overtaken as error:
        return await conflict_page(request, me, article_id, language, content, error)
    where = f"{HOME}/articles/{article_id}/{language}{'/wordings' if written else ''}"
    return back(where, "saved")
