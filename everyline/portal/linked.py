"""Videos of other sites that an article links to. Where the installation allows their player, the link has a button beside it that
begins the player in its place; until somebody presses it, nothing is loaded from there."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit

from everyline.ground.words import _

_LINKED = re.compile(r'<p>(<a class="clip" href="([^"]*)"[^>]*>.*?</a>)</p>')
_PLAYER = re.compile(r'data-player="https://([^"/?#]+)')
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?")
_YOUTUBE = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "www.youtube-nocookie.com"})
_YOUTUBE_PLAYERS = ("www.youtube-nocookie.com", "www.youtube.com")  # the first that is allowed is taken
_YOUTUBE_ID = re.compile(r"[\w-]{6,20}")
_VIMEO_PLAYER = "player.vimeo.com"
_VIMEO_ID = re.compile(r"/(\d{4,15})/?")


@lru_cache(maxsize=8)
def hosts(written: str) -> frozenset[str]:
    """The hosts of players that are allowed, out of a list with commas; what is no host is none."""
    return frozenset(one for part in written.split(",") if _HOST.fullmatch(one := part.strip().lower()))


def player(url: str, allowed: Collection[str]) -> str:
    """The address of the player that shows a linked video; empty where none is allowed."""
    try:
        parts = urlsplit(url)
        host, asked = parts.netloc.lower(), parse_qs(parts.query)
    except ValueError:
        return ""
    if parts.scheme != "https":
        return ""
    first, _slash, rest = parts.path.strip("/").partition("/")
    if host == "youtu.be" or host in _YOUTUBE:
        number = (
            first
            if host == "youtu.be"
            else rest
            if first in ("shorts", "live", "embed")
            else (asked.get("v") or [""])[0]
        )
        own = next((one for one in _YOUTUBE_PLAYERS if one in allowed), "")
        return f"https://{own}/embed/{number}" if own and _YOUTUBE_ID.fullmatch(number) else ""
    if host in ("vimeo.com", "www.vimeo.com"):
        found = _VIMEO_ID.fullmatch(parts.path)
        return f"https://{_VIMEO_PLAYER}/video/{found[1]}" if found and _VIMEO_PLAYER in allowed else ""
    return url if host in allowed else ""


def faced(html: str, allowed: Collection[str]) -> str:
    """The HTML of an article with what can be played in its place; all else stays the link that it is."""
    return _LINKED.sub(lambda match: _face(match, allowed), html) if allowed else html


def _face(match: re.Match[str], allowed: Collection[str]) -> str:
    link, url = match[1], unescape(match[2])
    playing = player(url, allowed)
    if not playing:
        return match[0]
    told = _("From %s. Nothing is loaded from there before you press; captions can be switched on in its player.")
    play = _("Play")
    return (
        f'<figure class="clip-linked" data-player="{escape(playing)}" data-play="{escape(play)}">{link}'
        f"<figcaption>{escape(told % urlsplit(url).netloc)}</figcaption></figure>"
    )


def framed(html: str) -> str:
    """What a page's policy allows besides, for the players in it; empty where none is."""
    found = sorted(set(_PLAYER.findall(html)))
    return "; frame-src " + " ".join(f"https://{host}" for host in found) if found else ""
