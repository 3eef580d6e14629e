"""HTML is kept with what is published, and made anew when its renderer or its files are other ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select, text

from everyline.articles import actions, queries, rendering
from everyline.articles.models import PublishedArticle
from everyline.articles.queries import Shown
from everyline.articles.tasks import render_anew
from everyline.ground.installation import Ground
from tests.articles.conftest import PUBLIC, Publish

pytestmark = pytest.mark.req("W2")

GUIDE = "First look.\n\n## start: Is it wet?\n- Yes -> end\n\n## end: Call us\n= ask us\n"


async def _shown(ground: Ground, slug: str) -> Shown:
    async with ground.database.transaction() as tx:
        found = await queries.shown(tx, PUBLIC, slug)
    assert isinstance(found, Shown)
    return found


@given(some.text(), some.text(), some.sampled_from(["answer", "guide", "news"]))
def test_what_is_kept_is_what_was_rendered(words: str, more: str, kind: str) -> None:
    text_ = f"{words}\n\n## one: {more}\n- {words} -> two\n\n## two: End\n= solved\n"
    made = rendering.rendered(kind, text_, words, [])
    assert rendering.unpacked(rendering.packed(made)) == made


async def test_pages_read_what_was_rendered_at_publishing(ground: Ground, publish: Publish) -> None:
    await publish("Meters", "## Where\n\nIn the **cellar**.")
    async with ground.database.transaction() as tx:
        row = await tx.one(select(PublishedArticle.renderer, PublishedArticle.rendered))
        assert row.renderer == rendering.renderer()
        assert "<strong>cellar</strong>" in row.rendered["html"]
        kept = {"html": "<p>kept</p>", "headings": [], "steps": [], "named": [], "seconds": 61}
        await tx.execute(
            text("update published_article set rendered = cast(:kept as jsonb)"), {"kept": json.dumps(kept)}
        )
    found = await _shown(ground, "meters")
    assert (found.html, found.minutes) == ("<p>kept</p>", 2)


async def test_another_renderer_renders_anew(ground: Ground, publish: Publish) -> None:
    await publish("Taps", GUIDE, kind="guide")
    before = await _shown(ground, "taps")
    async with ground.database.transaction() as tx:
        await tx.execute(text("update published_article set renderer = 'of before', rendered = '{}'"))
    assert await _shown(ground, "taps") == before, "it is made while nothing is kept"
    await render_anew(ground)
    async with ground.database.transaction() as tx:
        assert await tx.value(select(PublishedArticle.renderer)) == rendering.renderer()
    assert await _shown(ground, "taps") == before
    assert [step.title for step in before.steps] == ["Is it wet?", "Call us"]


async def test_a_file_that_comes_or_goes_is_seen_at_once(ground: Ground, publish: Publish) -> None:
    article_id = await publish("Pictures", "![The meter](file:1)")
    facts: dict[str, Any] = {"file_hash": "0" * 64, "name": "m.png", "content_type": "image/png", "size": 3}
    async with ground.database.transaction() as tx:
        file_id = await actions.add_file(tx, None, article_id, **facts)
    assert file_id == 1
    assert '<img src="/articles/files/1"' in (await _shown(ground, "pictures")).html
    async with ground.database.transaction() as tx:
        await actions.remove_file(tx, None, article_id, file_id)
    assert "<img" not in (await _shown(ground, "pictures")).html
