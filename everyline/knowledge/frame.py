"""What every page of the knowledge base has: the frame with its side bar, and words for states, kinds and audiences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import Request

from everyline.articles import listing
from everyline.articles.queries import Place
from everyline.articles.rules import Audience, Kind, State, Translation
from everyline.ground.database import Tx
from everyline.ground.moments import clock, zone
from everyline.ground.words import _, mark
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell

HOME = "/knowledge"

DONE = {
    "added": mark("Added."),
    "saved": mark("Saved."),
    "removed": mark("Removed."),
    "moved": mark("Moved."),
    "reviewed": mark("It waits for somebody who may publish it."),
    "returned": mark("It is with its writers again."),
    "published": mark("Readers see it now."),
    "scheduled": mark("It is published at that time."),
    "unscheduled": mark("It is not published by itself any more."),
    "withdrawn": mark("Readers do not see it in this language any more."),
    "archived": mark("It is in the archive. Nothing of it is lost."),
    "back": mark("Readers see it again."),
    "dropped": mark("The draft is given up; it stays among the versions."),
    "restored": mark("The words of that version are a draft now."),
    "translating": mark("The translation is begun, with the words of the original."),
    "uploaded": mark("The file is here. Put it into the text where it belongs."),
    "settled": mark("Settled."),
    "answered": mark("What was asked finds this article from now on."),
    "imported": mark("Taken in."),
}

KINDS = {Kind.ANSWER: mark("Article"), Kind.GUIDE: mark("Guide"), Kind.NEWS: mark("News")}
KIND_SYMBOLS = {Kind.ANSWER: "book", Kind.GUIDE: "transfer", Kind.NEWS: "bell"}
AUDIENCES = {
    Audience.PUBLIC: mark("Everybody"),
    Audience.SIGNED_IN: mark("Signed-in customers"),
    Audience.AGENTS: mark("Agents only"),
}
# word, tone, symbol: a state is told by each of them
STATES = {
    State.DRAFT: (mark("Draft"), "", "pen"),
    State.IN_REVIEW: (mark("In review"), "warn", "eye"),
    State.PUBLISHED: (mark("Published"), "good", "check-circle"),
    State.PAST: (mark("Past"), "", "clock"),
    "scheduled": (mark("Scheduled"), "brand", "calendar"),
    "archived": (mark("Archived"), "", "archive"),
}
TRANSLATIONS = {
    Translation.SOURCE: (mark("original"), "", "star"),
    Translation.CURRENT: (mark("up to date"), "good", "check-circle"),
    Translation.BEHIND: (mark("behind the original"), "warn", "warning"),
    Translation.BEGUN: (mark("begun"), "", "pen"),
    Translation.MISSING: (mark("missing"), "bad", "x-circle"),
}


def state_mark(state: str) -> tuple[str, str, str]:
    """A state's word, tone and symbol."""
    word, tone, symbol = STATES[state]
    return _(word), tone, symbol


def translation_mark(status: str) -> tuple[str, str, str]:
    """The same of how far a translation is."""
    word, tone, symbol = TRANSLATIONS[Translation(status)]
    return _(word), tone, symbol


def options(words: dict[Any, str]) -> list[tuple[str, str]]:
    """Choices of a select."""
    return [(str(key), _(word)) for key, word in words.items()]


def place_options(places: tuple[Place, ...], depth: int = 0) -> list[tuple[int, str]]:
    """Categories as choices of a select; those within others stand further in."""
    found: list[tuple[int, str]] = []
    for place in places:
        found += [(place.id, "\u2003" * depth + place.name), *place_options(place.places, depth + 1)]
    return found


def when(at: datetime, zone_name: str) -> str:
    """A moment for the eye, with its zone: what stands behind a shorter one."""
    local = at.astimezone(zone(zone_name))
    return f"{local:%Y-%m-%d %H:%M} {local:%Z}"


async def frame(tx: Tx, request: Request, me: Me, current: str) -> dict[str, Any]:
    """The context of a page; ``current`` is the key of its place in the side bar."""
    waiting = await listing.how_many_wait(tx)

    def place(key: str, words: str, href: str, symbol: str, shortcut: str = "", count: int = 0) -> dict[str, Any]:
        facts: dict[str, Any] = {"icon": symbol, "current": key == current}
        if shortcut:
            facts["key"] = shortcut
        if count:
            facts["count"] = f"{count}" if count < 100 else "99+"
        return item(words, href, **facts)

    articles = [
        place("all", _("Every article"), HOME, "book", "g h"),
        place("drafts", _("Drafts"), f"{HOME}?state=draft", "pen"),
        place("review", _("In review"), f"{HOME}?state=in+review", "eye", count=waiting.in_review),
        place("mine", _("Mine"), f"{HOME}?owner={me.id}", "person"),
    ]
    better = [
        place("gaps", _("Gaps"), f"{HOME}/gaps", "search", "g q", waiting.gaps),
        place("health", _("Health"), f"{HOME}/health", "health", "g l", waiting.flags),
    ]
    nav = [group(_("Articles"), articles), group(_("Make better"), better)]
    if me.may("article.arrange"):
        house = [
            place("categories", _("Categories"), f"{HOME}/categories", "layers", "g c"),
            place("synonyms", _("Synonyms"), f"{HOME}/synonyms", "merge", "g m"),
            place("import", _("Take in"), f"{HOME}/import", "download", "g t"),
        ]
        nav.append(group(_("Arrange"), house))
    add = {"text": _("New article"), "href": f"{HOME}/new"} if me.may("article.write") else None
    context = await shell(tx, me, face=_("Everyline knowledge"), home=HOME, nav=nav, nav_label=_("Knowledge"), add=add)
    done = request.query_params.get("done", "")
    return {
        **context,
        "may": me.may,
        "done": _(DONE[done]) if done in DONE else "",
        "trouble": "",
        "errors": {},
        "clock": clock,
        "when": when,
        "state_mark": state_mark,
        "translation_mark": translation_mark,
    }
