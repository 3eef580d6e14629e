"""Is it alive, is it ready, and how is it doing: for load balancers and monitoring (Prometheus text format)."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from starlette.responses import PlainTextResponse, Response

from everyline.ground.database import DatabaseError
from everyline.ground.installation import Ground
from everyline.people.permit import public

router = APIRouter(dependencies=[public()])

_FIGURES = text(
    """
    select 'inbound_waiting' as name, count(*)::float as value from inbound where state = 'new'
    union all select 'inbound_oldest_seconds', coalesce(extract(epoch from now() - min(received_at)), 0) from inbound where state = 'new'
    union all select 'inbound_quarantined', count(*) from inbound where state = 'quarantined'
    union all select 'delivery_due', count(*) from delivery where state = 'due'
    union all select 'delivery_unknown', count(*) from delivery where state = 'unknown'
    union all select 'queue_entries_waiting', count(*) from queue_entry where state in ('waiting', 'offered')
    union all select 'agents_available', count(*) from agent_state where state = 'available'
    union all select 'lines_failing', count(*) from line_health where failing_since is not null
    """
)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The process can serve: the database answers, and live streams are read."""
    ground: Ground = request.app.state.ground
    try:
        async with ground.database.transaction() as tx:
            await tx.value(text("select 1"))
    except (DatabaseError, OSError):
        return PlainTextResponse("the database does not answer", 503)
    if not request.app.state.hub.started.is_set():
        return PlainTextResponse("live streams are not read yet", 503)
    return PlainTextResponse("ready")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus; for this machine alone, or with the token of the settings."""
    ground: Ground = request.app.state.ground
    token = ground.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    local = request.client is not None and request.client.host in ("127.0.0.1", "::1")
    if not (hmac.compare_digest(given.encode(), token.encode()) if token else local):
        return PlainTextResponse("not for you", 403)
    registry = CollectorRegistry()
    async with ground.database.transaction() as tx:
        for row in await tx.rows(_FIGURES):
            Gauge(f"everyline_{row.name}", row.name.replace("_", " "), registry=registry).set(row.value)
    Gauge("everyline_live_streams", "open live streams of this process", registry=registry).set(
        len(request.app.state.hub)
    )
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
