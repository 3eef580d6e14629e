"""Writes that came with an ``Idempotency-Key`` happen once: the same write again gets the same answer.

The key is an agent's own, for two days. The same key with another request is refused; while the first is still at work,
a second is told so (the IETF's draft "The Idempotency-Key HTTP Header Field").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from starlette.responses import JSONResponse

from everyline.api.problems import problem
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.people.models import IdempotencyKey
from everyline.people.permit import who_asks
from everyline.people.rules import Me

LONGEST_KEY = 200


class OnceRoute(APIRoute):
    """A route whose writes happen once for each key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            if not key or request.method in ("GET", "HEAD"):
                return await answer(request)
            if len(key) > LONGEST_KEY:
                return problem(422, _("The Idempotency-Key is too long."))
            me = await who_asks(request)
            if me is None:
                return await answer(request)
            return await _once(request, me, key, answer)

        return handler


async def _once(
    request: Request, me: Me, key: str, answer: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    ground: Ground = request.app.state.ground
    asked = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).digest()
    mine = (IdempotencyKey.agent_id == me.id, IdempotencyKey.key == key)
    async with ground.database.transaction() as tx:
        begun = await tx.first(
            upsert(IdempotencyKey)
            .values(agent_id=me.id, key=key, request_hash=asked)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        known = None if begun else await tx.first(select(IdempotencyKey.__table__).where(*mine))
    if known is not None:
        if bytes(known.request_hash) != asked:
            return problem(422, _("This Idempotency-Key was used for another request."))
        if known.code is None:
            return problem(409, _("The first request with this Idempotency-Key is still at work."))
        return JSONResponse(known.answer, known.code, {"idempotent-replayed": "true"})
    try:
        found = await answer(request)
        keep = found.status_code < 500
    except BaseException:
        await _forget(ground, mine)
        raise
    if not keep:
        await _forget(ground, mine)
        return found
    async with ground.database.transaction() as tx:
        body = json.loads(bytes(found.body)) if found.body else None
        await tx.execute(update(IdempotencyKey).where(*mine).values(code=found.status_code, answer=body))
    return found


async def _forget(ground: Ground, mine: tuple[Any, ...]) -> None:
    async with ground.database.transaction() as tx:
        await tx.execute(delete(IdempotencyKey).where(*mine))
