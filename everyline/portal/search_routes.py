"""Search: the page of what was found, and what is shown while somebody types."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from everyline.articles import actions
from everyline.articles.finding import Asked, Hit, find
from everyline.articles.queries import Reader
from everyline.articles.rules import LONGEST_WORDS, Kind
from everyline.ground.pages import page
from everyline.ground.spoken import plain
from everyline.people.permit import public
from everyline.portal import reading
from everyline.portal.hosts import PREFIX
from everyline.portal.reading import readings_of
from everyline.portal.readings import CHANNEL
from everyline.portal.visiting import Here, PortalRoute, Visit, kept, show
from everyline.selfservice.queries import offered

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

MOST = 20
MOST_SUGGESTED = 6
SHORT = 3  # letters of words that say nothing alone
LEAST = 2  # characters before anything is suggested
SUGGESTED_SECONDS = 30


async def _found(visit: Visit, reader: Reader, words: str, most: int) -> list[Hit]:
    async with visit.ground.database.transaction() as tx:
        return await find(tx, Asked(words, reader, CHANNEL, most, visit.brand.languages[0]))


def _words(given: str) -> str:
    return " ".join(given.replace("\x00", "").split())[:LONGEST_WORDS]


@router.get("/{language}/search")
async def search(request: Request, visit: Here, q: str = "") -> Response:
    """What was found. What was asked and not found is kept, once for each who asks."""
    words, reader = _words(q), await reading.reader_of(visit)
    hits = await _found(visit, reader, words, MOST) if words else []
    useful = [hit for hit in hits if hit.useful]
    doings = await _doings(visit, words) if words and visit.has_doings else []
    readings = readings_of(request)
    if (
        words
        and not useful
        and readings.is_person(request)
        and readings.once.first(request, "sought", visit.language, words.lower())
    ):
        async with visit.ground.database.transaction() as tx:
            await actions.found_nothing(
                tx,
                words,
                visit.language,
                channel=CHANNEL,
                audience=reader.audience,
                customer_id=reader.customer_id,
            )
    return show(
        visit,
        "search.html",
        current="answers",
        words=words,
        useful=useful,
        near=[hit for hit in hits if not hit.useful][: 3 if not useful else 0],
        asking=visit.to("contact", about=words) if words else visit.to("contact"),
        kinds=Kind,
        doings=doings,
    )


async def _doings(visit: Visit, words: str) -> list[tuple[str, str]]:
    """What can be done online about what is searched: titles and names of flows that share a word of weight with it."""
    async with visit.ground.database.transaction() as tx:
        flows = await offered(tx)
    sought = {one for one in plain(words).split() if len(one) > SHORT}
    titles = [(flow.called(visit.language), name) for name, flow in flows]
    return [one for one in titles if sought & {word for word in plain(one[0]).split() if len(word) > SHORT}]


@router.get("/{language}/search/suggest")
async def suggest(request: Request, visit: Here, q: str = "") -> Response:
    """What is shown below the field while somebody types: a few options, and how many in words. Nothing is kept of it."""
    words, reader = _words(q), await reading.reader_of(visit)
    hits = await _found(visit, reader, words, MOST_SUGGESTED) if len(words) >= LEAST else []
    answer = page(
        "portal/suggested.html",
        visit=visit,
        words=words,
        hits=[hit for hit in hits if hit.useful] or hits[:3],
        sure=any(hit.useful for hit in hits),
    )
    return kept(request, answer, private=visit.customer is not None, seconds=SUGGESTED_SECONDS)
