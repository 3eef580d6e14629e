"""The pages of the knowledge base."""

from fastapi import APIRouter

from everyline.knowledge import (
    arranging,
    bettering,
    editing,
    facts,
    files,
    importing,
    listing,
    living,
    uploads,
    versions,
    wording_pages,
)

router = APIRouter()

for part in (listing, files, arranging, bettering, importing, uploads, living, versions, facts, wording_pages, editing):
    router.routes.extend(part.router.routes)
