"""The pages of the portal, one module for each place; last, what is at no address."""

from fastapi import APIRouter
from starlette.responses import Response

from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.people.permit import public
from everyline.portal import (
    article_routes,
    case_routes,
    doing_routes,
    door_routes,
    home_routes,
    preference_routes,
    search_routes,
    site_routes,
    statement_routes,
    stored_routes,
)
from everyline.portal.hosts import PREFIX
from everyline.portal.visiting import PortalRoute

router = APIRouter()
_rest = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])


@_rest.get("/{rest:path}", include_in_schema=False)
async def nothing() -> Response:
    """There is no such page."""
    raise NotFound(_("There is nothing at this address."))


for part in (
    site_routes,
    article_routes,
    search_routes,
    home_routes,
    door_routes,
    doing_routes,
    case_routes,
    preference_routes,
    stored_routes,
    statement_routes,
):
    router.routes.extend(part.router.routes)
router.routes.extend(site_routes.at_root.routes)
router.routes.extend(doing_routes.at_root.routes)
router.routes.extend(_rest.routes)
