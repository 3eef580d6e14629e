"""What the pages of one article have in common: its head, its tabs, the version that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import text

from everyline.articles import queries, rules, working
from everyline.articles.rules import State, Translation
from everyline.articles.working import LanguageState
from everyline.customers import brands
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.moments import language_names, zone
from everyline.ground.words import _, mark
from everyline.knowledge.frame import HOME, KIND_SYMBOLS, KINDS, frame
from everyline.people.rules import Me

TABS = (
    ("text", "", mark("Text")),
    ("wordings", "/wordings", mark("Wordings")),
    ("versions", "/versions", mark("Versions")),
    ("about", "/about", mark("About it")),
    ("heard", "/heard", mark("What came back")),
)
_AGENTS = text("select id, name from agent where active or id = :also order by name")
_NAMES = text("select id, name from agent where id = any(:ids)")


@dataclass(frozen=True, slots=True)
class Working:
    """An article in one language as its writers see it."""

    article: Row
    language: str
    states: tuple[LanguageState, ...]
    version: Row | None  # the open one, else the one readers see, else the newest; none in a language that is not begun
    is_open: bool

    @property
    def state(self) -> str:
        """Where it stands in this language: a key of frame.STATES."""
        if self.article.archived_at is not None:
            return "archived"
        if self.version is None:
            return State.DRAFT
        return "scheduled" if self.is_open and self.version.publish_at is not None else str(self.version.state)

    @property
    def own(self) -> LanguageState:
        """The state of this language."""
        return next(one for one in self.states if one.language == self.language)

    @property
    def revision(self) -> int:
        """The one that is read with the page; 0 while nobody is writing."""
        return int(self.version.revision) if self.version is not None and self.is_open else 0

    @property
    def href(self) -> str:
        """Its page."""
        return f"{HOME}/articles/{self.article.id}/{self.language}"


async def house_languages(tx: Tx) -> list[str]:
    """The languages in which customers of the house may read."""
    return list(dict.fromkeys(one for brand in await brands.shown(tx) for one in brand.languages))


def known_language(language: str) -> str:
    """A language as it stands in an address. NotFound when it is none."""
    if not 2 <= len(language) <= 12 or not language.replace("-", "").isalnum() or not language.isascii():
        raise NotFound(_("There is nothing at this address."))
    return language


async def working_on(tx: Tx, article_id: int, language: str) -> Working:
    """The article. NotFound."""
    article = await queries.get(tx, article_id)
    wanted = [*await house_languages(tx), known_language(language)]
    states = await working.languages_of(tx, article_id, wanted)
    found = await working.open_version(tx, article_id, language)
    is_open = found is not None
    if found is None:
        every = await working.versions(tx, article_id, language)
        found = next((one for one in every if one.state == State.PUBLISHED), next(iter(every), None))
    return Working(article, language, tuple(states), found, is_open)


async def agents(tx: Tx, also: int | None = None) -> list[tuple[int, str]]:
    """Who may own an article, by name."""
    return [(row.id, row.name) for row in await tx.rows(_AGENTS, {"also": also or 0})]


async def names(tx: Tx, ids: set[int | None]) -> dict[int | None, str]:
    """What these agents are called; where it was nobody, it was the product."""
    rows = await tx.rows(_NAMES, {"ids": [one for one in ids if one is not None]})
    return {None: "Everyline", **{row.id: row.name for row in rows}}


async def article_frame(tx: Tx, request: Request, me: Me, found: Working, tab: str) -> dict[str, Any]:
    """The context of ``knowledge/article.html``."""
    shown = await frame(tx, request, me, "")
    article = found.article
    title = found.version.title if found.version is not None and found.version.title else _("Without a title")
    spoken = dict(language_names([one.language for one in found.states]))
    by = await names(tx, {found.version.changed_by if found.version is not None else None, article.owner_id})
    return {
        **shown,
        "found": found,
        "article": article,
        "version": found.version,
        "heading": title,
        "kind": _(KINDS[article.kind]),
        "kind_symbol": KIND_SYMBOLS[article.kind],
        "spoken": spoken,
        "names": by,
        "others": [
            (one, f"{HOME}/articles/{article.id}/{one.language}")
            for one in found.states
            if one.language != found.language
        ],
        "tabs": [{"href": f"{found.href}{path}", "text": _(words), "current": key == tab} for key, path, words in TABS],
        "is_original": found.language == article.language,
        "missing": found.version is None,
        "Translation": Translation,
        "public_href": f"/help/{found.language}/articles/{found.own.slug}" if _seen(found) else "",
    }


def _seen(found: Working) -> bool:
    """Does the portal show it to anybody?"""
    live = found.own.published is not None and found.article.archived_at is None
    return live and found.article.audience != rules.Audience.AGENTS


def local_moment(words: str, zone_name: str) -> datetime | None:
    """A moment that was chosen on an agent's clock (``2026-12-01T09:00``); None when it is none."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    return found.replace(tzinfo=zone(zone_name)) if found.tzinfo is None else found
