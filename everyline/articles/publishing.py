"""Verbs of an article's text: from a draft to what readers see, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.articles import guides, queries, rendering, rules, working
from everyline.articles.models import Article, ArticleAddress, ArticleVersion, GapGroup, PublishedArticle
from everyline.articles.rules import OPEN, Audience, Kind, Line, State
from everyline.articles.wordings import WRITTEN
from everyline.ground import events, markdown
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _, speaking

statements = queries.statements
CONTENT = ("title", "summary", "text", "questions", "wordings")


class Overtaken(Conflict):
    """Somebody else has written on the same draft since it was read. Nothing of either is lost: ``theirs`` is what stands
    there now, ``revision`` its revision, ``difference`` how one's own text differs from it (``new`` is one's own)."""

    def __init__(self, theirs: Row, difference: Sequence[Line]) -> None:
        super().__init__(
            _("Somebody else has changed this article meanwhile. Look at the difference, then save again.")
        )
        self.theirs = {name: getattr(theirs, name) for name in CONTENT}
        self.revision: int = theirs.revision
        self.by: int | None = theirs.changed_by
        self.difference = tuple(difference)


async def add(
    tx: Tx,
    by: int | None,
    language: str,
    title: str,
    *,
    kind: str = Kind.ANSWER,
    audience: str = Audience.PUBLIC,
    category_id: int | None = None,
    tags: Sequence[str] = (),
    products: Sequence[str] = (),
    owner_id: int | None = None,
    source: str = "",
    **content: Any,
) -> int:
    """Begin an article with a draft in the language it is written in first; returns its id. ``content`` as in ``write``."""
    check_choice(kind, audience)
    values = _checked({"title": title, **content})
    article_id: int = await tx.value(
        insert(Article)
        .values(
            kind=kind,
            audience=audience,
            category_id=category_id,
            language=_language(language),
            tags=rules.tidy(tags),
            products=rules.tidy(products),
            owner_id=owner_id if owner_id is not None else by,
            created_by=by,
            source=source,
        )
        .returning(Article.id)
    )
    await tx.execute(
        insert(ArticleVersion).values(article_id=article_id, language=language, number=1, changed_by=by, **values)
    )
    await events.record(tx, "article.begun", actor_id=by, article_id=article_id, language=language)
    return article_id


def check_choice(kind: str, audience: str) -> None:
    if kind not in list(Kind):
        raise Invalid(_("There is no such kind of article."), {"kind": _("Choose one of the list.")})
    if audience not in list(Audience):
        raise Invalid(_("There is no such audience."), {"audience": _("Choose one of the list.")})


def _language(language: str) -> str:
    if not 2 <= len(language) <= 12 or not language.replace("-", "").isalnum():
        raise Invalid(_("This is no language."), {"language": _("Write a code such as en or es.")})
    return language


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Content as it is kept. Invalid when something is too long or unknown."""
    unknown = set(given) - set(CONTENT)
    if unknown:
        raise TypeError(f"no part of an article: {', '.join(sorted(unknown))}")
    values = dict(given)
    faults = {}
    for name, most in (
        ("title", rules.LONGEST_TITLE),
        ("summary", rules.LONGEST_SUMMARY),
        ("text", rules.LONGEST_TEXT),
    ):
        if name in values:
            kept = str(values[name]).replace("\x00", "").replace("\r\n", "\n")
            values[name] = kept.strip() if name == "text" else " ".join(kept.split())
            if len(values[name]) > most:
                faults[name] = _("%d characters are too many: at most %d.") % (len(values[name]), most)
    if "questions" in values:
        asked = dict.fromkeys(" ".join(str(one).replace("\x00", "").split()) for one in values["questions"])
        values["questions"] = [one[: rules.LONGEST_TITLE] for one in asked if one][: rules.MOST_QUESTIONS]
    if "wordings" in values:
        written = {str(kind): str(text).replace("\x00", "").strip() for kind, text in dict(values["wordings"]).items()}
        odd = set(written) - set(WRITTEN)
        if odd:
            faults["wordings"] = _("There is no wording %s.") % ", ".join(sorted(odd))
        values["wordings"] = {kind: text[: rules.LONGEST_TEXT] for kind, text in written.items() if text}
    if faults:
        raise Invalid(_("Something is too long or unknown; nothing was changed."), faults)
    return values


async def locked(tx: Tx, article_id: int) -> Row:
    """One who writes at a time."""
    row = await tx.first(select(Article.__table__).where(Article.id == article_id).with_for_update())
    if row is None:
        raise NotFound(_("There is no such article."))
    return row


async def _next_number(tx: Tx, article_id: int, language: str) -> int:
    last = await tx.value(
        select(func.max(ArticleVersion.number)).where(
            ArticleVersion.article_id == article_id, ArticleVersion.language == language
        )
    )
    return (last or 0) + 1


async def _published(tx: Tx, article_id: int, language: str) -> Row | None:
    return await tx.first(
        select(ArticleVersion.__table__).where(
            ArticleVersion.article_id == article_id,
            ArticleVersion.language == language,
            ArticleVersion.state == State.PUBLISHED,
        )
    )


async def _begin(tx: Tx, by: int | None, article: Row, language: str, content: Mapping[str, Any]) -> Row:
    source = await _published(tx, article.id, article.language) if language != article.language else None
    return await tx.one(
        insert(ArticleVersion)
        .values(
            article_id=article.id,
            language=_language(language),
            number=await _next_number(tx, article.id, language),
            changed_by=by,
            source_number=source.number if source else None,
            **content,
        )
        .returning(ArticleVersion.__table__)
    )


async def open_draft(tx: Tx, by: int | None, article_id: int, language: str) -> Row:
    """The version to write on: the one that is open, or a new one with the words that are published. A language that has
    none yet begins with those of the language the article was written in: to be translated."""
    article = await locked(tx, article_id)
    found = await working.open_version(tx, article_id, language)
    if found is not None:
        return found
    base = await _published(tx, article_id, language) or await _published(tx, article_id, article.language)
    base = base or await working.open_version(tx, article_id, article.language)
    content = {name: getattr(base, name) for name in CONTENT} if base is not None else {}
    if base is not None and base.language != language:
        content["wordings"] = {}
    row = await _begin(tx, by, article, language, content)
    await events.record(tx, "article.opened", actor_id=by, article_id=article_id, language=language, number=row.number)
    return row


async def translate(tx: Tx, by: int | None, article_id: int, language: str) -> Row:
    """Begin a translation; it stays behind when the source is published anew. Conflict when it is the source."""
    article = await queries.get(tx, article_id)
    if language == article.language:
        raise Conflict(_("The article is written in this language."))
    return await open_draft(tx, by, article_id, language)


async def write(tx: Tx, by: int | None, article_id: int, language: str, revision: int, **content: Any) -> int:
    """Keep what was written on the open version; returns its new revision. ``content``: title, summary, text, questions,
    wordings; what is not named stays. ``revision`` is the one that was read: Overtaken when somebody else was faster."""
    await locked(tx, article_id)
    row = await _opened(tx, article_id, language)
    values = _checked(content)
    if row.revision != revision:
        if all(getattr(row, name) == value for name, value in values.items()):
            return int(row.revision)
        raise Overtaken(row, rules.difference(row.text, str(values.get("text", row.text))))
    await tx.execute(
        update(ArticleVersion)
        .where(ArticleVersion.id == row.id)
        .values(**values, revision=revision + 1, changed_by=by, changed_at=now(), state=State.DRAFT)
    )
    await events.record(tx, "article.written", actor_id=by, article_id=article_id, language=language, number=row.number)
    return revision + 1


async def _opened(tx: Tx, article_id: int, language: str) -> Row:
    row = await working.open_version(tx, article_id, language)
    if row is None:
        raise Conflict(_("Nobody is writing on this article in this language: open a draft first."))
    return row


async def _become(
    tx: Tx, by: int | None, article_id: int, language: str, state: State, kind: str, **values: Any
) -> Row:
    article = await locked(tx, article_id)
    row = await _opened(tx, article_id, language)
    await tx.execute(update(ArticleVersion).where(ArticleVersion.id == row.id).values(state=state, **values))
    await events.record(
        tx, kind, actor_id=by, agent_id=article.owner_id, article_id=article_id, language=language, number=row.number
    )
    return row


async def send_to_review(tx: Tx, by: int | None, article_id: int, language: str) -> None:
    """It is written: somebody who may publish looks at it."""
    await _become(tx, by, article_id, language, State.IN_REVIEW, "article.sent_to_review", remark="")


async def send_back(tx: Tx, by: int | None, article_id: int, language: str, words: str = "") -> None:
    """It is not good enough yet; ``words`` tell its writers why, until it is sent to review again."""
    said = words.replace("\x00", "").strip()[: rules.LONGEST_REMARK]
    await _become(tx, by, article_id, language, State.DRAFT, "article.sent_back", publish_at=None, remark=said)


async def schedule(tx: Tx, by: int | None, article_id: int, language: str, at: datetime | None) -> None:
    """Have the open version published then; None: not any more."""
    if at is not None and at <= now():
        raise Invalid(_("Choose a time in the future."), {"at": _("This time has passed.")})
    row = await _opened(tx, article_id, language)
    if at is not None:
        _check_whole((await queries.get(tx, article_id)).kind, row)
    await _become(tx, by, article_id, language, State(row.state), "article.scheduled", publish_at=at)


async def drop_draft(tx: Tx, by: int | None, article_id: int, language: str) -> None:
    """Give the open version up; it stays among the past ones."""
    await _become(tx, by, article_id, language, State.PAST, "article.dropped", publish_at=None)


def _check_whole(kind: str, row: Row) -> None:
    """Is it all there? Invalid otherwise."""
    faults = {}
    if not row.title:
        faults["title"] = _("Write a title.")
    if not row.text:
        faults["text"] = _("Write something.")
    elif kind == Kind.GUIDE and (wrong := guides.faults(guides.read(row.text))):
        faults["text"] = " ".join(f"{fault.step}: {fault.words}" if fault.step else fault.words for fault in wrong[:5])
    if faults:
        raise Invalid(_("It cannot be published like this."), faults)


async def publish(tx: Tx, by: int | None, article_id: int, language: str, *, revision: int | None = None) -> str:
    """Show readers the open version; returns its slug. ``revision``: the one that was looked at, Overtaken if it has moved."""
    article = await locked(tx, article_id)
    row = await _opened(tx, article_id, language)
    if revision is not None and revision != row.revision:
        raise Overtaken(row, ())
    _check_whole(article.kind, row)
    at = now()
    await tx.execute(
        update(ArticleVersion)
        .where(
            ArticleVersion.article_id == article_id,
            ArticleVersion.language == language,
            ArticleVersion.state == State.PUBLISHED,
        )
        .values(state=State.PAST)
    )
    await tx.execute(
        update(ArticleVersion)
        .where(ArticleVersion.id == row.id)
        .values(state=State.PUBLISHED, publish_at=None, published_at=at, published_by=by)
    )
    review_on = at.date() + timedelta(days=article.review_days) if article.review_days else article.review_on
    await tx.execute(
        update(Article).where(Article.id == article_id).values(archived_at=None, review_on=review_on, reminded_on=None)
    )
    slug = await _show(tx, article, row, at)
    await tx.execute(
        update(GapGroup)
        .where(GapGroup.article_id == article_id, GapGroup.settled_at.is_(None))
        .values(settled_at=at, settled_by=by)
    )
    await events.record(
        tx,
        "article.published",
        actor_id=by,
        agent_id=article.owner_id,
        article_id=article_id,
        language=language,
        number=row.number,
    )
    return slug


async def _show(tx: Tx, article: Row, row: Row, at: datetime) -> str:
    """Put a version before readers."""
    slug = await _address(tx, article.id, row.language, row.title)
    with speaking(row.language):
        text = guides.as_text(guides.read(row.text)) if article.kind == Kind.GUIDE else row.text
    plain = markdown.plain(text)
    drawn = rendering.rendered(article.kind, row.text, plain, await queries.files_of(tx, article.id))
    stemmer = rules.configuration(row.language)
    await tx.execute(
        statements.put_published,
        {
            "article_id": article.id,
            "language": row.language,
            "number": row.number,
            "slug": slug,
            "title": row.title,
            "summary": row.summary,
            "text": row.text,
            "plain": plain,
            "questions": list(row.questions),
            "wordings": json.dumps(row.wordings),
            "source_number": row.source_number,
            "configuration": stemmer,
            "renderer": rendering.renderer(),
            "rendered": json.dumps(rendering.packed(drawn)),
            "at": at,
        },
    )
    words = " ".join([row.title, row.summary, plain, *row.questions])
    await tx.execute(statements.learn_words, {"language": row.language, "configuration": stemmer, "words": words})
    return slug


async def _address(tx: Tx, article_id: int, language: str, title: str) -> str:
    """The slug of a title: the current one while the title means the same, otherwise a free one; the old one stays and
    leads on."""
    wanted = rules.slug(title, f"article-{article_id}")
    mine = {
        row.slug: row.current
        for row in await tx.rows(
            select(ArticleAddress.slug, ArticleAddress.current).where(
                ArticleAddress.article_id == article_id, ArticleAddress.language == language
            )
        )
    }
    for at in range(1, 10_000):
        slug = wanted if at == 1 else f"{wanted}-{at}"
        if mine.get(slug):
            return slug
        if slug in mine or await tx.value(select(ArticleAddress.slug).where(ArticleAddress.slug == slug)) is None:
            await tx.execute(
                update(ArticleAddress)
                .where(ArticleAddress.article_id == article_id, ArticleAddress.language == language)
                .values(current=False)
            )
            taken = await tx.value(
                upsert(ArticleAddress)
                .values(slug=slug, article_id=article_id, language=language)
                .on_conflict_do_update(
                    index_elements=["slug"],
                    set_={"current": True, "since": now()},
                    where=(ArticleAddress.article_id == article_id) & (ArticleAddress.language == language),
                )
                .returning(ArticleAddress.slug)
            )
            if taken is not None:
                return slug
    raise Conflict(_("There are too many articles with this title."))


async def show_again(tx: Tx, article_id: int) -> None:
    """Put every published language before readers anew: what they hang on has changed."""
    article = await queries.get(tx, article_id)
    if article.archived_at is None:
        for one in await working.languages_of(tx, article_id):
            row = await _published(tx, article_id, one.language)
            if row is not None:
                await _show(tx, article, row, row.published_at)


async def draw_again(tx: Tx, article_id: int) -> None:
    """Render what is published of an article anew: its files are other ones."""
    await _draw(tx, await tx.rows(statements.published_of, {"article_id": article_id}))


async def draw_some_again(tx: Tx, most: int) -> int:
    """Render anew what another renderer has rendered; returns how many, at most ``most``."""
    rows = await tx.rows(statements.rendered_before, {"renderer": rendering.renderer(), "most": most})
    await _draw(tx, rows)
    return len(rows)


async def _draw(tx: Tx, rows: Sequence[Row]) -> None:
    values = []
    for row in rows:
        files = await queries.files_of(tx, row.article_id)
        found = json.dumps(rendering.packed(rendering.rendered(row.kind, row.text, row.plain, files)))
        place = {"article_id": row.article_id, "language": row.language}
        values.append({**place, "renderer": rendering.renderer(), "rendered": found})
    await tx.many(statements.keep_rendered, values)


async def add_questions(tx: Tx, article_id: int, language: str, asked: Sequence[str]) -> None:
    """Further ways in which an article is asked for, on what is published and on what is being written."""
    await locked(tx, article_id)
    rows = await tx.rows(
        select(ArticleVersion.__table__).where(
            ArticleVersion.article_id == article_id,
            ArticleVersion.language == language,
            ArticleVersion.state != State.PAST,
        )
    )
    for row in rows:
        questions = _checked({"questions": [*row.questions, *asked]})["questions"]
        await tx.execute(update(ArticleVersion).where(ArticleVersion.id == row.id).values(questions=questions))
    await show_again(tx, article_id)


async def archive(tx: Tx, by: int | None, article_id: int) -> None:
    """Take an article from readers; nothing of it is lost, and its addresses stay its own."""
    article = await locked(tx, article_id)
    if article.archived_at is not None:
        return
    await tx.execute(update(Article).where(Article.id == article_id).values(archived_at=now()))
    await tx.execute(delete(PublishedArticle).where(PublishedArticle.article_id == article_id))
    await tx.execute(
        update(ArticleVersion)
        .where(ArticleVersion.article_id == article_id, ArticleVersion.state.in_(OPEN))
        .values(publish_at=None)
    )
    await events.record(tx, "article.archived", actor_id=by, agent_id=article.owner_id, article_id=article_id)


async def bring_back(tx: Tx, by: int | None, article_id: int) -> None:
    """Show an archived article again, as it was."""
    article = await locked(tx, article_id)
    if article.archived_at is None:
        return
    await tx.execute(update(Article).where(Article.id == article_id).values(archived_at=None))
    await show_again(tx, article_id)
    await events.record(tx, "article.brought_back", actor_id=by, agent_id=article.owner_id, article_id=article_id)


async def withdraw(tx: Tx, by: int | None, article_id: int, language: str) -> None:
    """Take one language from readers."""
    await locked(tx, article_id)
    row = await _published(tx, article_id, language)
    if row is None:
        raise Conflict(_("It is not published in this language."))
    await tx.execute(update(ArticleVersion).where(ArticleVersion.id == row.id).values(state=State.PAST))
    await tx.execute(
        delete(PublishedArticle).where(PublishedArticle.article_id == article_id, PublishedArticle.language == language)
    )
    await events.record(tx, "article.withdrawn", actor_id=by, article_id=article_id, language=language)


async def restore(tx: Tx, by: int | None, article_id: int, language: str, number: int) -> Row:
    """Begin a new draft with the words of an old version; a draft that is open becomes a past version itself."""
    article = await locked(tx, article_id)
    old = await working.version(tx, article_id, language, number)
    current = await working.open_version(tx, article_id, language)
    if current is not None:
        if current.number == number:
            return current
        await tx.execute(
            update(ArticleVersion).where(ArticleVersion.id == current.id).values(state=State.PAST, publish_at=None)
        )
    row = await _begin(tx, by, article, language, {name: getattr(old, name) for name in CONTENT})
    await events.record(
        tx, "article.restored", actor_id=by, article_id=article_id, language=language, number=row.number, of=number
    )
    return row


async def due(tx: Tx) -> list[tuple[int, str, str]]:
    """Article and language of what is to be published by now, and the language in which its writers are told of it."""
    rows = await tx.rows(statements.due, {"at": now()})
    return [(row.article_id, row.language, row.spoken) for row in rows]
