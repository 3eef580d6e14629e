"""Categories, owners, reviews, files."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text

from everyline.articles import actions, queries
from everyline.articles.models import Category
from everyline.articles.queries import Reader, Shown
from everyline.ground.errors import Conflict, Invalid, NotFound, ProductError
from everyline.ground.installation import Ground
from tests.articles.conftest import PUBLIC, put


@pytest.mark.req("W1")
async def test_categories_stand_in_each_other_with_their_counts(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        water = await actions.add_category(tx, None, {"en": "Water", "es": "Agua"}, icon="drop")
        bills = await actions.add_category(tx, None, {"en": "Bills"}, parent_id=water)
        empty = await actions.add_category(tx, None, {"en": "Empty"})
        article_id = await put(tx, "Pay a bill", category_id=bills)
        await put(tx, "Inner", category_id=water, audience="agents")
        (place,) = (await queries.home(tx, PUBLIC)).places
        assert (place.name, place.articles, place.places[0].name) == ("Water", 1, "Bills")
        assert (await queries.all_places(tx, "es"))[0].name == "Agua"
        found = await queries.category(tx, PUBLIC, "bills")
        assert [one.name for one in found.path] == ["Water"]
        assert [one.article_id for one in found.articles] == [article_id]
        shown = await queries.shown(tx, PUBLIC, "pay-a-bill")
        assert isinstance(shown, Shown)
        assert [one.slug for one in shown.path] == ["water", "bills"]
        with pytest.raises(NotFound):
            await queries.category(tx, PUBLIC, "empty")
        with pytest.raises(Conflict):
            await actions.remove_category(tx, None, water)
        await actions.remove_category(tx, None, empty)
        await actions.move(tx, None, article_id, water)
        assert (await queries.category(tx, PUBLIC, "water")).articles[0].article_id == article_id
        assert (await actions.add_category(tx, None, {"en": "Water"})) != water
        assert await tx.column(select(Category.slug).order_by(Category.id)) == ["water", "bills", "water-2"]


@pytest.mark.req("W2")
async def test_a_category_is_never_moved_under_itself(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        one = await actions.add_category(tx, None, {"en": "One"})
        two = await actions.add_category(tx, None, {"en": "Two"}, parent_id=one)
        three = await actions.add_category(tx, None, {"en": "Three"}, parent_id=two)
        for below in (one, two, three):
            with pytest.raises(Invalid) as fault:
                await actions.move_category(tx, None, one, below)
            assert "parent_id" in fault.value.fields
        await actions.move_category(tx, None, three, None)

    async def move(category_id: int, parent_id: int) -> bool:
        try:
            async with ground.database.transaction() as tx:
                await actions.move_category(tx, None, category_id, parent_id)
        except ProductError:
            return False
        return True

    done = await asyncio.gather(move(three, two), move(one, three))
    assert sorted(done) == [False, True], "two moves at once close no ring"


@pytest.mark.req("W2")
async def test_owners_are_reminded_once(ground: Ground, sign_in: object) -> None:
    owner = await sign_in()  # type: ignore[operator]  # -- a fixture that makes agents
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Fees")
        await actions.set_owner(tx, None, article_id, owner.id)
        await actions.set_review(tx, None, article_id, date(2026, 11, 1), every_days=90)
        with pytest.raises(NotFound):
            await actions.set_owner(tx, None, article_id, 999)
        assert await actions.remind(tx, date(2026, 10, 31)) == []
        assert len(await actions.remind(tx, date(2026, 11, 2))) == 1
        assert await actions.remind(tx, date(2026, 11, 3)) == []
        told = await tx.column(text("select agent_id from event where kind = 'article.review_due'"))
        assert told == [owner.id]
        await actions.open_draft(tx, owner.id, article_id, "en")
        await actions.publish(tx, owner.id, article_id, "en")
        row = await queries.get(tx, article_id)
        assert row.review_on > date(2026, 11, 3), "a new version is a review"


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 20


@pytest.mark.req("W1")
async def test_files_are_drawn_with_their_captions(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "Read your meter")

        async def add(content: bytes, name: str, **more: Any) -> int:
            kind = actions.told_type(content, name, "image/png")
            return await actions.add_file(
                tx,
                None,
                article_id,
                file_hash="0" * 64,
                name=name,
                content_type=kind,
                size=len(content),
                **more,
            )

        picture, clip = await add(PNG, "meter.png"), await add(MP4, "clip.mp4")
        captions = await add(b"WEBVTT\n", "clip.vtt", captions_of=clip, language="es")
        paper = await add(b"%PDF-1.7", 'a"<script>.pdf')
        with pytest.raises(Invalid):
            await add(b"WEBVTT\n", "clip.vtt", captions_of=picture, language="es")
        words = f"![The meter](file:{picture})\n\n![How to read it](file:{clip})\n\n![Gone](file:999)"
        await actions.write(tx, None, article_id, "en", 1, text=words)
        await actions.publish(tx, None, article_id, "en")
        found = await queries.shown(tx, PUBLIC, "read-your-meter")
        assert isinstance(found, Shown)
        assert f'<img src="/articles/files/{picture}" alt="The meter" loading="lazy">' in found.html
        assert f'<track kind="captions" src="/articles/files/{captions}" srclang="es">' in found.html
        assert "<p>Gone</p>" in found.html
        assert [(one.id, one.name) for one in found.files] == [(paper, 'a"<script>.pdf')]
        assert (await queries.shown_file(tx, PUBLIC, paper)).content_type == "application/pdf"
        await actions.describe(tx, None, article_id, audience="agents")
        with pytest.raises(NotFound):
            await queries.shown_file(tx, Reader("signed in", "en"), paper)
        await actions.remove_file(tx, None, article_id, paper)
        with pytest.raises(NotFound):
            await queries.shown_file(tx, Reader("agents", "en"), paper)


@pytest.mark.parametrize(
    ("content", "told", "kind"),
    [
        (PNG, "text/html", "image/png"),
        (MP4, "image/svg+xml", "video/mp4"),
        (b"<svg onload=alert(1)>", "image/svg+xml", "application/octet-stream"),
        (b"<html>", "text/html", "application/octet-stream"),
        (b"<html>", "image/png", "application/octet-stream"),
        (b"<html>", "application/xhtml+xml", "application/octet-stream"),
        (b"PK\x03\x04", "application/zip", "application/zip"),
        (b"RIFF\0\0\0\0WEBP", "", "image/webp"),
    ],
)
def test_a_file_is_what_it_begins_with(content: bytes, told: str, kind: str) -> None:
    assert actions.told_type(content, "name", told) == kind
