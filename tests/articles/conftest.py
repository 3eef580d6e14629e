"""A small knowledge base, made by the verbs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from everyline.articles import actions
from everyline.articles.queries import Reader
from everyline.ground.database import Tx
from everyline.ground.installation import Ground

Publish = Callable[..., Awaitable[int]]

PUBLIC = Reader("public", "en")
AGENT = Reader("agents", "en")


async def put(tx: Tx, title: str, text: str = "Some words.", *, language: str = "en", **facts: Any) -> int:
    """An article that readers see."""
    article_id = await actions.add(tx, None, language, title, text=text, **facts)
    await actions.publish(tx, None, article_id, language)
    return article_id


@pytest.fixture
def publish(ground: Ground) -> Publish:
    """``await publish("Title", "Text")``: an article that readers see; returns its id."""

    async def make(title: str, text: str = "Some words.", **facts: Any) -> int:
        async with ground.database.transaction() as tx:
            return await put(tx, title, text, **facts)

    return make
