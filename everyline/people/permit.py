"""Who asks, and whether they may. Every route declares a permission, or that it is open to all; a test finds those that
do not, and a route without one never gets to answer.
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request
from sqlalchemy import text
from starlette.requests import HTTPConnection

from everyline.ground.errors import Forbidden, ProductError
from everyline.ground.installation import Ground
from everyline.ground.words import _, accepted, languages, speak
from everyline.people.passwords import token_hash
from everyline.people.rules import PERMISSIONS, Me, Role

COOKIE = "everyline"

_AGENT = """
    a.id, a.name, a.email, a.role, a.all_queues, a.language, a.zone, a.theme,
    array(select queue_id from membership m where m.agent_id = a.id union select queue_id from queue_scope s where s.agent_id = a.id) as queue_ids,
    (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text || '.9223372036854775807' as position
"""
_BY_COOKIE = text(
    f"select {_AGENT}, null as scopes, s.used_at < now() - interval '1 minute' as stale from sign_in s join agent a on a.id = s.agent_id "  # noqa: S608 -- no input in it
    "where s.token_hash = :hash and s.expires_at > now() and not s.second_factor_pending and a.active"
)
_BY_TOKEN = text(
    f"select {_AGENT}, t.scopes, t.used_at is null or t.used_at < now() - interval '1 minute' as stale from api_token t "  # noqa: S608 -- no input in it
    "join agent a on a.id = t.agent_id where t.token_hash = :hash and t.revoked_at is null and a.active"
)
_USED = {
    "cookie": text("update sign_in set used_at = now() where token_hash = :hash"),
    "token": text("update api_token set used_at = now() where token_hash = :hash"),
}


class NotSignedIn(ProductError):
    """Nobody is signed in here. Pages lead to the sign-in, the API answers 401."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("Please sign in."))


def ground_of(connection: HTTPConnection) -> Ground:
    """The ground of the process that answers."""
    ground: Ground = connection.app.state.ground
    return ground


def _bearer(connection: HTTPConnection) -> str:
    scheme, _space, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def who_asks(connection: HTTPConnection) -> Me | None:
    """The agent behind a request: by cookie on pages, by token on the API; None when there is none."""
    api = connection.scope.get("root_path", "").startswith("/api") or connection.scope["path"].startswith("/api")
    kind, secret = ("token", _bearer(connection)) if api else ("cookie", connection.cookies.get(COOKIE, ""))
    if not secret:
        return None
    hashed = token_hash(secret)
    database = ground_of(connection).database
    row = await database.glance(_BY_TOKEN if kind == "token" else _BY_COOKIE, {"hash": hashed})
    if row is None:
        return None
    if row.stale:
        async with database.transaction() as tx:
            await tx.execute(_USED[kind], {"hash": hashed})
    return _me(row, connection.client.host if connection.client else "")


def _me(row: Any, address: str) -> Me:
    role = Role(row.role)
    scopes = frozenset(row.scopes) if row.scopes is not None else None
    return Me(
        row.id,
        row.name,
        row.email,
        role,
        row.all_queues or role is Role.ADMIN,
        frozenset(row.queue_ids),
        row.language,
        row.zone,
        row.theme,
        scopes,
        address,
        row.position,
    )


class Permit:
    """The dependency behind ``permit``: who asks, when they may."""

    def __init__(self, permission: str) -> None:
        if permission not in PERMISSIONS:
            raise ValueError(f"there is no permission {permission!r}")
        self.permission = permission

    async def __call__(self, request: Request) -> Me:
        me = await who_asks(request)
        if me is None:
            speak_as_wanted(request)
            raise NotSignedIn
        speak(me.language)
        request.state.me = me
        if not me.may(self.permission):
            raise Forbidden(_("You may not do this. Ask an admin if you should."))
        return me


class Public:
    """The dependency behind ``public``: anybody may ask."""

    async def __call__(self, request: Request) -> None:
        speak_as_wanted(request)


def permit(permission: str) -> Any:
    """``me: Annotated[Me, permit("case.read")]``: the route is for agents with this permission."""
    return Depends(Permit(permission))


def public() -> Any:
    """``dependencies=[public()]``: the route is open to all."""
    return Depends(Public())


def speak_as_wanted(request: Request) -> None:
    """Speak the one of our languages that the browser likes best, until the request is answered."""
    speak(next((one for one in accepted(request.headers.get("accept-language", "")) if one in languages()), "en"))
