"""Access tokens for signing in without a password (RFC 6749 section 6, XOAUTH2)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from everyline.channel_contract import ChannelError
from everyline.channels.email.settings import EmailSettings
from everyline.ground import http
from everyline.ground.words import _

_LARGEST_ANSWER = 256 * 1024  # bytes; a token is some kilobytes
_EARLIER = 120.0  # seconds before its end at which a token is renewed


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: float  # time.monotonic


_tokens: dict[tuple[str, str, str], _Token] = {}  # for this process; any token in it can be asked for again


async def access_token(settings: EmailSettings) -> str:
    """A token that is valid now. Raises ChannelError."""
    if settings.oauth_access_token:
        return settings.oauth_access_token
    key = (settings.oauth_token_url, settings.oauth_client_id, settings.oauth_refresh_token)
    known = _tokens.get(key)
    if known and known.until > time.monotonic():
        return known.value
    token = await _asked_for(settings)
    _tokens[key] = token
    return token.value


def forget(settings: EmailSettings) -> None:
    """The host refused the token: ask for another next time."""
    _tokens.pop((settings.oauth_token_url, settings.oauth_client_id, settings.oauth_refresh_token), None)


async def _asked_for(settings: EmailSettings) -> _Token:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": settings.oauth_refresh_token,
        "client_id": settings.oauth_client_id,
        "client_secret": settings.oauth_client_secret,
        "scope": settings.oauth_scope,
    }
    try:
        answer = await http.request(
            "POST",
            settings.oauth_token_url,
            trusted=True,  # an admin named the host, which may stand in the own network
            form={name: value for name, value in form.items() if value},
            seconds=settings.timeout_seconds,
            most_bytes=_LARGEST_ANSWER,
            tls=settings.tls(),
        )
        found = answer.json() if answer.body else {}
    except (http.HttpError, ValueError, OSError) as error:
        raise ChannelError(
            _("The host that gives out tokens did not answer: {why}").format(why=error), permanent=False
        ) from error
    value = found.get("access_token") if isinstance(found, dict) else None
    if answer.status != 200 or not isinstance(value, str):
        why = found.get("error_description") or found.get("error") if isinstance(found, dict) else ""
        raise ChannelError(
            _("The host that gives out tokens refused: {why}").format(why=why or answer.status), permanent=False
        )
    lasts = found.get("expires_in")
    seconds = float(lasts) if isinstance(lasts, int | float) else 300.0
    return _Token(value, time.monotonic() + max(0.0, seconds - _EARLIER))
