"""All pages of the desk."""

from __future__ import annotations

from fastapi import APIRouter

from everyline.desk import (
    agent_routes,
    article_routes,
    call_routes,
    canned_routes,
    case_routes,
    composer_routes,
    customer_routes,
    deed_routes,
    draft_routes,
    errand_routes,
    file_routes,
    find_routes,
    list_routes,
    live_routes,
    recording_routes,
    softphone_routes,
    talk_routes,
)

router = APIRouter()
for part in (
    list_routes,
    case_routes,
    deed_routes,
    composer_routes,
    draft_routes,
    customer_routes,
    errand_routes,
    file_routes,
    find_routes,
    agent_routes,
    talk_routes,
    article_routes,
    call_routes,
    canned_routes,
    live_routes,
    recording_routes,
    softphone_routes,
):
    router.routes.extend(part.router.routes)
