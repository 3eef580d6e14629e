"""The pages of the set-up, one module for each place in the side bar."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from everyline.people.permit import permit
from everyline.setup import (
    adding,
    agents,
    appointments,
    bot,
    brands,
    calls,
    canned,
    checks,
    codes,
    contacts,
    errands,
    flow_steps,
    flows,
    hours,
    house,
    line_routes,
    lines,
    music,
    prompts,
    quarantine,
    queues,
    skills,
    source_rows,
    sources,
    teams,
)

router = APIRouter()


@router.get("/setup", dependencies=[permit("line.read")])
async def front() -> Response:
    """The set-up begins with the lines."""
    return RedirectResponse("/setup/lines", 303)


for part in (
    checks,
    adding,
    line_routes,
    lines,
    hours,
    queues,
    music,
    flow_steps,
    flows,
    sources,
    source_rows,
    errands,
    appointments,
    bot,
    prompts,
    contacts,
    calls,
    agents,
    teams,
    skills,
    codes,
    canned,
    house,
    brands,
    quarantine,
):
    router.routes.extend(part.router.routes)
