"""The first page, and the ways to reach us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from everyline.articles.finding import Asked, Hit, find
from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.people.permit import public
from everyline.portal import described, queries, reading
from everyline.portal.hosts import PREFIX
from everyline.portal.reading import queues_now
from everyline.portal.readings import CHANNEL
from everyline.portal.saying import STANDINGS, day_in_words, zone_in_words
from everyline.portal.visiting import Here, PortalRoute, Visit, show_public, visit_of, wanted_language
from everyline.portal.ways import Way, by_kind, quickest, ways

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

SHOWN_CASES = 3
LONGEST_TRY = 45  # characters of a title that is offered there
TRIES = 3  # of what is asked most, below the field for search
MOST_POPULAR = 6
MOST_NEWS = 3
MOST_INSTEAD = 3  # answers shown to who is about to write
LONGEST_ABOUT = 300  # characters of what somebody brings along


@router.get("")
async def front(request: Request) -> Response:
    """The portal begins in the language that the browser likes best."""
    brand_visit = await visit_of(request, "")
    language = wanted_language(request, brand_visit.brand)
    answer = RedirectResponse(f"{brand_visit.base}/{language}", 302)
    answer.headers["vary"] = "Accept-Language, Host"
    return answer


@router.get("/{language}")
async def home(visit: Here) -> Response:
    """Greeting, search, own open cases, answers, ways to reach us."""
    own_cases: Sequence[Row] = ()
    counts, zone = None, await reading.zone_of(visit)
    found = await reading.ways_now(visit)
    if visit.customer is not None:
        async with visit.ground.database.transaction() as tx:
            customer_id = visit.customer.customer_id
            zone = visit.customer.zone or zone
            own_cases = await queries.cases(tx, customer_id, are_open=True, most=SHOWN_CASES)
            counts = await queries.how_many(tx, customer_id)
    answers = await reading.first_page(visit, await reading.reader_of(visit))
    name, url = visit.brand.name, visit.whole()
    return show_public(
        visit,
        "home.html",
        current="home",
        answers=answers,
        popular=answers.most_read[:MOST_POPULAR],
        tries=[entry for entry in answers.most_read if len(entry.title) <= LONGEST_TRY][:TRIES],
        news=answers.news[:MOST_NEWS],
        symbol=reading.symbol,
        described=described.site(name, url, visit.whole("search") + "?q={search_term_string}", visit.language),
        meta=described.graph_meta(
            kind="website",
            title=name,
            about="",
            url=url,
            name=name,
            language=visit.language,
            picture=f"{visit.origin}{visit.base}/icon-512.png",
            more={},
        ),
        ways=found,
        kinds=by_kind(found),
        quickest=quickest(found),
        cases=own_cases,
        counts=counts,
        standings=STANDINGS,
        channels={name: channel.facts for name, channel in all_channels().items()},
        zone=zone,
        day=day_in_words,
        today=now().date(),
    )


@router.get("/{language}/contact")
async def reach(request: Request, visit: Here, about: str = "", answer: str = "") -> Response:
    """Every open line: its hours, how long it takes now, and which is the quickest. ``about``: what was looked for, or the article
    that was read, which is carried along; ``answer``: the article's name."""
    about = " ".join(about.replace("\x00", "").split())[:LONGEST_ABOUT]
    async with visit.ground.database.transaction() as tx:
        found = await ways(tx, queues_now(request), visit.brand)
    if about:
        found = [carrying(way, about) for way in found]
    zones = sorted({way.zone for way in found})
    hits = await may_answer(visit, about, but=answer) if about else []
    return show_public(
        visit,
        "reach.html",
        private=bool(about),
        current="reach",
        about=about,
        back=visit.to(f"articles/{quote(answer[:200], safe='')}") if answer else "",
        hits=hits,
        live=[way for way in found if way.live],
        written=[way for way in found if not way.live],
        quickest=quickest(found),
        zones=[zone_in_words(zone) for zone in zones],
        closures=sorted({way.closure for way in found if way.closure}),
    )


async def may_answer(visit: Visit, about: str, *, but: str) -> list[Hit]:
    """Answers to what somebody is about to ask us; ``but``: the one they come from."""
    asked = Asked(about, await reading.reader_of(visit), CHANNEL, MOST_INSTEAD + 1, visit.brand.languages[0])
    async with visit.ground.database.transaction() as tx:
        hits = await find(tx, asked)
    return [hit for hit in hits if hit.useful and hit.slug != but][:MOST_INSTEAD]


def carrying(way: Way, about: str) -> Way:
    """The way, with what somebody asks about: the subject of a letter, the first words of a form."""
    scheme, _colon, _rest = way.href.partition(":")
    if scheme == "mailto":
        return replace(way, href=f"{way.href}?subject={quote(about)}")
    return replace(way, href=f"{way.href}?about={quote(about)}") if way.href.startswith("/in/") else way
