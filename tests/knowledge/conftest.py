"""Those who write articles, with their browsers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import httpx
import pytest

from everyline.articles import actions
from everyline.ground.installation import Ground

Begin = Callable[..., Awaitable[int]]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
async def lead(client: httpx.AsyncClient, sign_in: Any) -> httpx.AsyncClient:
    """The browser of a supervisor who is signed in."""
    client.cookies.update((await sign_in("supervisor", name="Lea Lead")).cookies)
    return client


@pytest.fixture
def begin(ground: Ground) -> Begin:
    """``await begin("Title", text="…", publish=True)``: an article; returns its id."""

    async def make(title: str, *, language: str = "en", publish: bool = False, **facts: Any) -> int:
        async with ground.database.transaction() as tx:
            article_id = await actions.add(tx, None, language, title, **{"text": "Some words.", **facts})
            if publish:
                await actions.publish(tx, None, article_id, language)
        return article_id

    return make


def typed_in(page: str, form: str) -> dict[str, str]:
    """What the fields of a form hold, as a browser would send them; ``form`` is its id."""
    whole = re.search(rf'<form [^>]*id="{form}".*?</form>', page, re.DOTALL)
    assert whole, form
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", whole[0]):
        facts = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in facts and (facts.get("type") not in ("checkbox", "radio", "file") or " checked" in tag):
            found[facts["name"]] = unescape(facts.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', whole[0], re.DOTALL):
        found[name] = unescape(text)
    for name, choices in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', whole[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', choices) or re.search(r'value="([^"]*)"', choices)
        found[name] = unescape(chosen[1]) if chosen else ""
    return found
