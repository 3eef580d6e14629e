"""Verbs of where articles stand, whose they are, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update

from everyline.articles import rules
from everyline.articles.models import Article, ArticleFile, ArticleSynonym, Category, PublishedArticle
from everyline.articles.publishing import check_choice, draw_again, locked, show_again
from everyline.articles.queries import statements
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _
from everyline.people.models import Agent

CAPTIONS = "text/vtt"
_LOCK_TREE = text("select pg_advisory_xact_lock(7340)")  # two moves at once could close a ring


async def describe(tx: Tx, by: int | None, article_id: int, **facts: Any) -> None:
    """Change an article's kind, audience, tags, products or position; readers see it at once."""
    article = await locked(tx, article_id)
    unknown = set(facts) - {"kind", "audience", "tags", "products", "position"}
    if unknown:
        raise TypeError(f"no fact of an article: {', '.join(sorted(unknown))}")
    check_choice(facts.get("kind", article.kind), facts.get("audience", article.audience))
    values = {name: rules.tidy(value) if name in ("tags", "products") else value for name, value in facts.items()}
    changed = {name: value for name, value in values.items() if getattr(article, name) != value}
    if changed:
        await tx.execute(update(Article).where(Article.id == article_id).values(**changed))
        await show_again(tx, article_id)
        await _record(tx, by, article, "article.described", fields=sorted(changed))


async def _record(tx: Tx, by: int | None, article: Row, kind: str, **facts: Any) -> None:
    await events.record(tx, kind, actor_id=by, article_id=article.id, **{"agent_id": article.owner_id, **facts})


async def move(tx: Tx, by: int | None, article_id: int, category_id: int | None) -> None:
    """Put an article into a category, or into none."""
    article = await locked(tx, article_id)
    if category_id is not None:
        await _category(tx, category_id)
    if article.category_id != category_id:
        await tx.execute(update(Article).where(Article.id == article_id).values(category_id=category_id))
        await tx.execute(
            update(PublishedArticle).where(PublishedArticle.article_id == article_id).values(category_id=category_id)
        )
        await _record(tx, by, article, "article.moved", before=article.category_id, category_id=category_id)


async def set_owner(tx: Tx, by: int | None, article_id: int, agent_id: int | None) -> None:
    """Say who answers for an article; None: nobody."""
    article = await locked(tx, article_id)
    if agent_id is not None and await tx.value(select(Agent.id).where(Agent.id == agent_id, Agent.active)) is None:
        raise NotFound(_("There is no such agent."))
    if article.owner_id != agent_id:
        await tx.execute(update(Article).where(Article.id == article_id).values(owner_id=agent_id, reminded_on=None))
        await _record(tx, by, article, "article.given", agent_id=agent_id, before=article.owner_id)


async def set_review(
    tx: Tx, by: int | None, article_id: int, on: date | None, *, every_days: int | None = None
) -> None:
    """Say when the owner looks at it again, and how often from then on."""
    article = await locked(tx, article_id)
    if every_days is not None and not 1 <= every_days <= 3650:
        raise Invalid(_("Choose between a day and ten years."), {"every_days": _("1 to 3650 days.")})
    await tx.execute(
        update(Article).where(Article.id == article_id).values(review_on=on, review_days=every_days, reminded_on=None)
    )
    await _record(tx, by, article, "article.review_set", on=on.isoformat() if on else None, every_days=every_days)


async def remind(tx: Tx, today: date) -> Sequence[Row]:
    """Tell owners of articles whose review falls due, each once; returns the articles with their title and, where the owner may
    still sign in, the owner's name, address and language."""
    rows = await tx.rows(statements.remind, {"today": today})
    await events.record_all(
        tx,
        [
            events.Event(
                "article.review_due",
                now(),
                agent_id=row.owner_id,
                data={"article_id": row.id, "on": row.review_on.isoformat()},
            )
            for row in rows
        ],
    )
    return rows


# --- categories ------------------------------------------------------------------------------------------------------


async def _category(tx: Tx, category_id: int) -> Row:
    row = await tx.first(select(Category.__table__).where(Category.id == category_id))
    if row is None:
        raise NotFound(_("There is no such category."))
    return row


def _texts(given: Mapping[str, str], most: int) -> dict[str, str]:
    return {language: " ".join(str(text).split())[:most] for language, text in given.items() if str(text).strip()}


async def add_category(
    tx: Tx,
    by: int | None,
    names: Mapping[str, str],
    *,
    parent_id: int | None = None,
    remarks: Mapping[str, str] | None = None,
    icon: str = "",
    position: int | None = None,
) -> int:
    """Make a category with its names by language; returns its id."""
    kept = _texts(names, rules.LONGEST_TITLE)
    if not kept:
        raise Invalid(_("A category needs a name."), {"names": _("Write a name.")})
    if parent_id is not None:
        await _category(tx, parent_id)
    await tx.execute(_LOCK_TREE)
    base = rules.slug(kept.get("en") or next(iter(kept.values())), "category")
    taken = set(await tx.column(select(Category.slug).where(Category.slug.startswith(base, autoescape=True))))
    slug = next(one for at in range(1, len(taken) + 2) if (one := base if at == 1 else f"{base}-{at}") not in taken)
    if position is None:
        last = await tx.value(
            select(func.max(Category.position)).where(Category.parent_id.is_not_distinct_from(parent_id))
        )
        position = (last or 0) + 1
    category_id: int = await tx.value(
        insert(Category)
        .values(
            parent_id=parent_id,
            slug=slug,
            names=kept,
            remarks=_texts(remarks or {}, rules.LONGEST_SUMMARY),
            icon=icon[:50],
            position=position,
        )
        .returning(Category.id)
    )
    await events.record(tx, "category.added", actor_id=by, category_id=category_id)
    return category_id


async def change_category(tx: Tx, by: int | None, category_id: int, **facts: Any) -> None:
    """Change a category's names, remarks, icon or position; its slug stays."""
    await _category(tx, category_id)
    unknown = set(facts) - {"names", "remarks", "icon", "position"}
    if unknown:
        raise TypeError(f"no fact of a category: {', '.join(sorted(unknown))}")
    for name, most in (("names", rules.LONGEST_TITLE), ("remarks", rules.LONGEST_SUMMARY)):
        if name in facts:
            facts[name] = _texts(facts[name], most)
    if "names" in facts and not facts["names"]:
        raise Invalid(_("A category needs a name."), {"names": _("Write a name.")})
    if facts:
        await tx.execute(update(Category).where(Category.id == category_id).values(**facts))
        await events.record(tx, "category.changed", actor_id=by, category_id=category_id, fields=sorted(facts))


async def move_category(tx: Tx, by: int | None, category_id: int, parent_id: int | None) -> None:
    """Put a category into another, or at the top. Invalid when it would stand in itself."""
    await tx.execute(_LOCK_TREE)
    row = await _category(tx, category_id)
    if parent_id is not None:
        await _category(tx, parent_id)
    parents = {one.id: one.parent_id for one in await tx.rows(select(Category.id, Category.parent_id))}
    if rules.under_itself(category_id, parent_id, parents):
        fault = _("It would stand in itself.")
        raise Invalid(_("A category cannot be moved into itself or into one that stands in it."), {"parent_id": fault})
    if row.parent_id != parent_id:
        await tx.execute(update(Category).where(Category.id == category_id).values(parent_id=parent_id))
        await events.record(
            tx, "category.moved", actor_id=by, category_id=category_id, before=row.parent_id, parent_id=parent_id
        )


async def remove_category(tx: Tx, by: int | None, category_id: int) -> None:
    """Remove an empty category. Conflict when anything stands in it."""
    await tx.execute(_LOCK_TREE)
    await _category(tx, category_id)
    inside = await tx.value(select(Category.id).where(Category.parent_id == category_id).limit(1))
    inside = inside or await tx.value(select(Article.id).where(Article.category_id == category_id).limit(1))
    if inside is not None:
        raise Conflict(_("The category is not empty: move what stands in it first."))
    await tx.execute(delete(Category).where(Category.id == category_id))
    await events.record(tx, "category.removed", actor_id=by, category_id=category_id)


# --- files -----------------------------------------------------------------------------------------------------------


async def add_file(
    tx: Tx,
    by: int | None,
    article_id: int,
    *,
    file_hash: str,
    name: str,
    content_type: str,
    size: int,
    captions_of: int | None = None,
    language: str = "",
) -> int:
    """Put a kept file with an article; returns its id, by which the text refers to it: ``![words](file:12)``. Captions
    (WebVTT) are a file of the clip that they belong to."""
    await locked(tx, article_id)
    if size > rules.LARGEST_FILE:
        raise Invalid(_("The file is too large."), {"file": _("At most %d MB.") % (rules.LARGEST_FILE // 1024**2)})
    if captions_of is not None:
        clip = await tx.value(
            select(ArticleFile.content_type).where(ArticleFile.id == captions_of, ArticleFile.article_id == article_id)
        )
        if clip is None or not clip.startswith("video/") or content_type != CAPTIONS or not language:
            raise Invalid(
                _("Captions are a WebVTT file in one language, for a video clip of the same article."),
                {"captions_of": _("Choose a video clip.")},
            )
    bare = "".join(one for one in name if one.isprintable()).replace("/", "_").strip()
    file_id: int = await tx.value(
        insert(ArticleFile)
        .values(
            article_id=article_id,
            file_hash=file_hash,
            name=bare[:255] or "file",
            content_type=content_type,
            size=size,
            captions_of=captions_of,
            language=language,
            added_by=by,
        )
        .returning(ArticleFile.id)
    )
    await draw_again(tx, article_id)
    await events.record(tx, "article.file_added", actor_id=by, article_id=article_id, file_id=file_id)
    return file_id


async def remove_file(tx: Tx, by: int | None, article_id: int, file_id: int) -> None:
    """Take a file from an article; past versions that show it show its words instead."""
    done = await tx.execute(
        update(ArticleFile)
        .where(ArticleFile.id == file_id, ArticleFile.article_id == article_id, ArticleFile.removed_at.is_(None))
        .values(removed_at=now())
    )
    if not done:
        raise NotFound(_("There is no such file."))
    await draw_again(tx, article_id)
    await events.record(tx, "article.file_removed", actor_id=by, article_id=article_id, file_id=file_id)


def told_type(content: bytes, name: str, told: str) -> str:
    """What a file is by its first bytes, whatever its sender says: only then is it drawn as a picture or played as a clip."""
    signs = (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"OggS", "video/ogg"),
        (b"WEBVTT", CAPTIONS),
        (b"\xef\xbb\xbfWEBVTT", CAPTIONS),
    )
    for sign, kind in signs:
        if content.startswith(sign):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "image/avif" if content[8:12] in (b"avif", b"avis") else "video/mp4"
    safe = told if told.startswith("application/") and told not in ("application/xhtml+xml", "application/xml") else ""
    return safe if name and safe else "application/octet-stream"


# --- synonyms --------------------------------------------------------------------------------------------------------


async def add_synonym(tx: Tx, by: int | None, language: str, words: Sequence[str]) -> int:
    """Words (or terms of several) that mean the same in this house; returns the id."""
    kept = rules.tidy(words)
    if len(kept) < 2:
        raise Invalid(_("A synonym needs two words."), {"words": _("Write two or more.")})
    synonym_id: int = await tx.value(
        insert(ArticleSynonym).values(language=language, words=kept).returning(ArticleSynonym.id)
    )
    await events.record(tx, "synonym.added", actor_id=by, synonym_id=synonym_id, language=language)
    return synonym_id


async def remove_synonym(tx: Tx, by: int | None, synonym_id: int) -> None:
    """They no longer mean the same."""
    if not await tx.execute(delete(ArticleSynonym).where(ArticleSynonym.id == synonym_id)):
        raise NotFound(_("There is no such synonym."))
    await events.record(tx, "synonym.removed", actor_id=by, synonym_id=synonym_id)
