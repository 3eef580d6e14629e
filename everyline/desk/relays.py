"""Relays (TURN, RFC 8656) for browsers behind walls that let no sound out: who they are, and a password for one browser.

The password is made of a secret that the relay knows too, so that neither keeps a list (draft-uberti-behave-turn-rest, as coturn has it
with ``use-auth-secret``).
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta

from everyline.ground.settings import Settings

LASTS = timedelta(hours=12)  # a shift: what is open then stays open


def for_browser(settings: Settings, agent_id: int, at: datetime) -> list[dict[str, object]]:
    """What a page's ``RTCPeerConnection`` takes as ``iceServers``; none where there are no relays."""
    urls = [one.strip() for one in settings.turn_urls.split(",") if one.strip()]
    if not urls:
        return []
    name = f"{int((at + LASTS).timestamp())}:{agent_id}"
    proof = hmac.digest(settings.turn_secret.encode(), name.encode(), "sha1")
    return [{"urls": urls, "username": name, "credential": base64.b64encode(proof).decode()}]
