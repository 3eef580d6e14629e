"""What a visitor finds to read: articles as the brand shows them, read once for all who see the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from typing import Any

from fastapi import Request
from markupsafe import Markup, escape

from everyline.articles import queries
from everyline.articles.queries import Address, CategoryShown, Entry, Home, Moved, Place, Reader, Shown
from everyline.articles.rendering import FILE_PATH, Step
from everyline.articles.rules import Kind
from everyline.ground.errors import NotFound
from everyline.ground.installation import Ground
from everyline.ground.pages import STATIC
from everyline.ground.words import _, mark, speaking
from everyline.people.queries import installation
from everyline.portal import linked
from everyline.portal.readings import Readings
from everyline.portal.saying import day_in_words, whole_moment
from everyline.portal.shelf import Shelf
from everyline.portal.visiting import Visit, visit_of
from everyline.portal.ways import QueuesNow, Way, ways

NOWHERE = (0,)  # the categories of a brand of whose none is left
WAYS_SECONDS = 10.0
LARGEST_CAPTIONS = 256 * 1024  # bytes that are read for what a clip says

_CALLOUTS = {
    "note": mark("Note"),
    "tip": mark("Tip"),
    "important": mark("Important"),
    "warning": mark("Careful"),
    "caution": mark("Danger"),
}
_CALLOUT = re.compile(r'<aside class="callout (\w+)" role="note">')
_TABLE = re.compile(r'<div class="table" tabindex="0" role="group">')
_CLIP = re.compile(r'<p>(<video [^>]*aria-label="([^"]*)"[^>]*>(?:<track [^>]*>)*</video>)</p>')
_TRACK = re.compile(r'<track kind="captions" src="[^"]*?(\d+)" srclang="([^"]*)">')
_CUE = re.compile(r"(?:\d+:)?\d\d:\d\d[.,]\d{3} --> ")
_TAG = re.compile(r"<[^<>]*>")


def shelf_of(request: Request) -> Shelf:
    """What this process remembers."""
    found: Shelf = request.app.state.shelf
    return found


def readings_of(request: Request) -> Readings:
    """The readings that this process counts."""
    found: Readings = request.app.state.readings
    return found


def queues_now(request: Request) -> QueuesNow:
    """What queues can say, as this process remembers it."""
    found: QueuesNow = request.app.state.queues_now
    return found


@dataclass(frozen=True, slots=True)
class Clip:
    """What a video says, in words."""

    title: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readable:
    """An article with its HTML as the portal shows it."""

    shown: Shown
    html: Markup
    contents: tuple[tuple[str, str], ...]  # of a long one: anchor and words of its chief headings
    steps: tuple[Step, ...]
    day: str  # of the last change, of news that of their publishing; in the language of the reader
    moment: str  # the same with all that belongs to it


async def visit_without_language(request: Request) -> Visit:
    """The visit behind an address that is the same in every language: spoken is the brand's usual one."""
    found = await visit_of(request, "")
    return replace(found, language=found.brand.languages[0])


async def reader_of(visit: Visit) -> Reader:
    """Who reads: what is public, and what is for those who are signed in; of the brand's categories."""
    audience = "signed in" if visit.customer is not None else "public"
    customer_id = visit.customer.customer_id if visit.customer is not None else None
    return Reader(audience, visit.language, customer_id, await _categories(visit))


async def _categories(visit: Visit) -> tuple[int, ...]:
    chosen = visit.brand.category_ids
    if not chosen:
        return ()

    async def read() -> tuple[int, ...]:
        async with visit.ground.database.transaction() as tx:
            return await queries.below(tx, chosen) or NOWHERE

    return await shelf_of(visit.request).get(("below", chosen), read)


def _key(reader: Reader, *more: Any) -> tuple[Any, ...]:
    return (reader.audience, reader.language, reader.category_ids, *more)


async def first_page(visit: Visit, reader: Reader) -> Home:
    """Categories, news, and what is read most."""

    async def read() -> Home:
        async with visit.ground.database.transaction() as tx:
            return await queries.home(tx, reader)

    return await shelf_of(visit.request).get(_key(reader, "home"), read)


def every_place(places: Sequence[Place]) -> Iterator[Place]:
    """These categories and all within them."""
    for one in places:
        yield one
        yield from every_place(one.places)


async def category(visit: Visit, reader: Reader, slug: str) -> CategoryShown:
    """One category. NotFound."""

    async def read() -> CategoryShown:
        async with visit.ground.database.transaction() as tx:
            return await queries.category(tx, reader, slug)

    return await shelf_of(visit.request).get(_key(reader, "category", _plain(slug)), read)


async def news(visit: Visit, reader: Reader, before: tuple[datetime, int] | None) -> tuple[Entry, ...]:
    """A page of news."""

    async def read() -> tuple[Entry, ...]:
        async with visit.ground.database.transaction() as tx:
            return await queries.news(tx, reader, before=before)

    return await shelf_of(visit.request).get(_key(reader, "news", before), read)


async def addresses(visit: Visit, reader: Reader) -> list[Address]:
    """Where everything that anybody may read is found."""

    async def read() -> list[Address]:
        async with visit.ground.database.transaction() as tx:
            return await queries.addresses(tx, reader)

    return await shelf_of(visit.request).get(_key(reader, "addresses"), read)


async def article(visit: Visit, reader: Reader, slug: str) -> Readable | Moved:
    """One article, or where it has gone. NotFound, also when it is not for this reader."""

    async def read() -> Readable | Moved:
        async with visit.ground.database.transaction() as tx:
            found = await queries.shown(tx, reader, slug)
            if isinstance(found, Moved):
                return found
            # a customer's own id is in no article: the same is shown to all of an audience
            clips = await _clips(visit.ground, tx, reader, found)
        allowed = linked.hosts(visit.ground.settings.video_hosts)
        return readable(found, visit.base, clips, await zone_of(visit), allowed)

    return await shelf_of(visit.request).get(_key(reader, "article", _plain(slug), visit.base), read)


async def ways_now(visit: Visit) -> list[Way]:
    """The ways to reach us, as they were some seconds ago."""

    async def read() -> list[Way]:
        async with visit.ground.database.transaction() as tx:
            return await ways(tx, queues_now(visit.request), visit.brand)

    key = ("ways", visit.brand.id, visit.brand.line_ids, visit.language)
    return await shelf_of(visit.request).get(key, read, seconds=WAYS_SECONDS)


def _plain(slug: str) -> str:
    if "\x00" in slug or len(slug) > 500:
        raise NotFound(_("There is nothing at this address."))
    return slug


async def _clips(ground: Ground, tx: Any, reader: Reader, found: Shown) -> dict[str, Clip]:
    """What the clips of an article say in its language, by the HTML that shows them."""
    said: dict[str, Clip] = {}
    for text in (found.html, *(step.html for step in found.steps)):
        for clip in _CLIP.finditer(text):
            spoken = next((one[1] for one in _TRACK.finditer(clip[1]) if one[2] == found.language), None)
            words: tuple[str, ...] = ()
            if spoken:
                row = await queries.shown_file(tx, reader, int(spoken))
                if row.size <= LARGEST_CAPTIONS:
                    words = caption_words((await ground.files.read(row.file_hash)).decode("utf-8", "replace"))
            said[clip[0]] = Clip(clip[2], words)
    return said


def caption_words(text: str) -> tuple[str, ...]:
    """What captions say, a line for each cue (W3C, WebVTT)."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.split("\n")
        at = next((number for number, line in enumerate(lines) if _CUE.match(line)), None)
        if at is not None:
            said = unescape(" ".join(_TAG.sub("", line).strip() for line in lines[at + 1 :]).strip())
            if said and (not found or found[-1] != said):
                found.append(said)
    return tuple(found)


async def zone_of(visit: Visit) -> str:
    """The zone of the organisation."""

    async def read() -> str:
        async with visit.ground.database.transaction() as tx:
            return str((await installation(tx))["zone"])

    return await shelf_of(visit.request).get(("zone",), read)


def readable(
    found: Shown, base: str, clips: dict[str, Clip], zone: str, players: Collection[str] = frozenset()
) -> Readable:
    """The article as pages show it. ``players``: hosts whose players may play linked videos."""
    with speaking(found.language):
        lift = not re.search(r"<h2[ >]", found.html) and "<h3" in found.html
        html = linked.faced(furnished(found.html, base, clips, lift=lift), players)
        steps = tuple(
            replace(step, html=linked.faced(furnished(step.html, base, clips), players)) for step in found.steps
        )
    chief = min((one.level for one in found.headings), default=2)
    contents = tuple((one.anchor, one.words) for one in found.headings if one.level == chief)
    at = found.published_at if found.kind == Kind.NEWS else found.updated_at
    return Readable(
        found,
        Markup(html),  # noqa: S704 -- rendered by ground.markdown
        contents if len(contents) > 2 else (),
        steps,
        day_in_words(at, zone),
        whole_moment(at, zone),
    )


def furnished(html: str, base: str, clips: dict[str, Clip], *, lift: bool = False) -> str:
    """The HTML of an article with its files where this portal has them, callouts that say in a word what they are, and clips
    with their title and what they say. ``lift``: its chief headings are of the third level, and no second one is there."""
    for shown, clip in clips.items():
        html = html.replace(shown, _figure(shown, clip))
    html = html.replace(f'"{FILE_PATH}', f'"{base}{FILE_PATH}')
    html = _CALLOUT.sub(_callout, html)
    html = _TABLE.sub(f'<div class="table" tabindex="0" role="group" aria-label="{escape(_("Table"))}">', html)
    if lift:
        html = re.sub(r"<(/?)h3\b", r"<\1h2", html)
        html = re.sub(r"<(/?)h4\b", r"<\1h3", html)
    return html


def _callout(match: re.Match[str]) -> str:
    return f'{match[0]}\n<p class="callout-name">{escape(_(_CALLOUTS.get(match[1], match[1])))}</p>'


def _figure(shown: str, clip: Clip) -> str:
    video = shown.removeprefix("<p>").removesuffix("</p>")
    said = "".join(f"<p>{escape(line)}</p>" for line in clip.words)
    words = _("Read what the video says")
    fold = f'<details class="fold"><summary>{escape(words)}</summary><div>{said}</div></details>' if said else ""
    return f'<figure class="clip-shown">{video}<figcaption>{clip.title}</figcaption>{fold}</figure>'


_SYMBOL = re.compile(r'id="i-([a-z-]+)"')
_SYMBOLS = frozenset(_SYMBOL.findall((STATIC / "icons.svg").read_text("utf-8")))


def symbol(name: str) -> str:
    """The symbol of a category: the one it names, when there is such a one."""
    return name if name in _SYMBOLS else "book"
