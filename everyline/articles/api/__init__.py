"""The API of articles: what readers see, search, and all that is done with them."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from everyline.articles.api import arranging, hearing, publishing, reading, writing


def create_router(route_class: type[APIRoute]) -> APIRouter:
    """The routes, of the class that the API gives its writes."""
    router = APIRouter(route_class=route_class, tags=["articles"])
    for part in (reading, writing, publishing, arranging, hearing):
        part.add_routes(router)
    return router
