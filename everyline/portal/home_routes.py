"""The first page, and the ways to reach us."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.people.permit import public
from everyline.people.queries import installation
from everyline.portal import queries
from everyline.portal.hosts import PREFIX
from everyline.portal.saying import STANDINGS, day_in_words, zone_in_words
from everyline.portal.visiting import Here, PortalRoute, show_public, visit_of, wanted_language
from everyline.portal.ways import QueuesNow, Way, quickest, ways

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

SHOWN_CASES = 3


def queues_now(request: Request) -> QueuesNow:
    """What queues can say, as this process remembers it."""
    found: QueuesNow = request.app.state.queues_now
    return found


@router.get("")
async def front(request: Request) -> Response:
    """The portal begins in the language that the browser likes best."""
    brand_visit = await visit_of(request, "")
    language = wanted_language(request, brand_visit.brand)
    answer = RedirectResponse(f"{brand_visit.base}/{language}", 302)
    answer.headers["vary"] = "Accept-Language, Host"
    return answer


@router.get("/{language}")
async def home(request: Request, visit: Here) -> Response:
    """Greeting, ways to reach us, own open cases."""
    own_cases: Sequence[Row] = ()
    counts, zone = None, "UTC"
    async with visit.ground.database.transaction() as tx:
        found = await ways(tx, queues_now(request), visit.brand)
        if visit.customer is not None:
            customer_id = visit.customer.customer_id
            zone = visit.customer.zone or str((await installation(tx))["zone"])
            own_cases = await queries.cases(tx, customer_id, are_open=True, most=SHOWN_CASES)
            counts = await queries.how_many(tx, customer_id)
    return show_public(
        visit,
        "home.html",
        current="home",
        ways=found,
        kinds=_by_kind(found),
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
async def reach(request: Request, visit: Here) -> Response:
    """Every open line: its hours, how long it takes now, and which is the quickest."""
    async with visit.ground.database.transaction() as tx:
        found = await ways(tx, queues_now(request), visit.brand)
    zones = sorted({way.zone for way in found})
    return show_public(
        visit,
        "reach.html",
        current="reach",
        live=[way for way in found if way.live],
        written=[way for way in found if not way.live],
        quickest=quickest(found),
        zones=[zone_in_words(zone) for zone in zones],
        closures=sorted({way.closure for way in found if way.closure}),
    )


def _by_kind(found: list[Way]) -> list[tuple[Way, int]]:
    """Of each kind of line the quickest, with how many there are."""
    kinds: dict[str, list[Way]] = {}
    for way in found:
        kinds.setdefault(way.facts.name, []).append(way)
    return [(quickest(same) or same[0], len(same)) for same in kinds.values()]
