"""From a draft to what readers see, with two who write at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from everyline.articles import actions, queries, tasks, working
from everyline.articles.models import ArticleVersion, PublishedArticle
from everyline.articles.queries import Moved, Reader, Shown
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.installation import Ground
from tests.articles.conftest import AGENT, PUBLIC, put


async def kinds(tx: Tx) -> list[str]:
    return await tx.column(text("select kind from event where kind like 'article.%' order by id"))


async def see(tx: Tx, slug: str, reader: Reader = PUBLIC) -> Shown:
    found = await queries.shown(tx, reader, slug)
    assert isinstance(found, Shown)
    return found


@pytest.mark.req("W2")
async def test_a_draft_is_reviewed_and_published(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "Pay a bill", text="Pay *at once*.")
        with pytest.raises(NotFound):
            await queries.shown(tx, AGENT, "pay-a-bill")
        revision = await actions.write(
            tx, None, article_id, "en", 1, summary="How to pay.", questions=["Where do I pay?"]
        )
        assert revision == 2
        await actions.send_to_review(tx, None, article_id, "en")
        await actions.send_back(tx, None, article_id, "en")
        await actions.send_to_review(tx, None, article_id, "en")
        assert await actions.publish(tx, None, article_id, "en") == "pay-a-bill"
        found = await see(tx, "pay-a-bill")
        assert (found.title, found.summary, found.html) == ("Pay a bill", "How to pay.", "<p>Pay <em>at once</em>.</p>")
        assert await kinds(tx) == [
            "article.begun",
            "article.written",
            "article.sent_to_review",
            "article.sent_back",
            "article.sent_to_review",
            "article.published",
        ]


@pytest.mark.req("W2")
async def test_the_second_editor_is_shown_the_difference_and_nothing_is_lost(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "Pay a bill", text="one\ntwo\nthree")

    async def write(words: str) -> int | actions.Overtaken:
        try:
            async with ground.database.transaction() as tx:
                return await actions.write(tx, None, article_id, "en", 1, text=words)
        except actions.Overtaken as error:
            return error

    first, second = await asyncio.gather(write("one\ntwo and a half\nthree"), write("one\ntwo\nfour"))
    late = first if isinstance(first, actions.Overtaken) else second
    assert isinstance(late, actions.Overtaken)
    assert late.status == 409
    assert late.revision == 2
    assert {line.mark for line in late.difference} == {"same", "gone", "new"}
    async with ground.database.transaction() as tx:
        row = await working.open_version(tx, article_id, "en")
        assert row is not None
        assert late.theirs["text"] == row.text
        assert await actions.write(tx, None, article_id, "en", 1, text=row.text) == 2, "the same words are no conflict"
        assert await actions.write(tx, None, article_id, "en", late.revision, text="both") == 3


@pytest.mark.req("W2")
async def test_what_is_not_whole_is_not_published(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        bare = await actions.add(tx, None, "en", "")
        guide = await actions.add(tx, None, "en", "No water", text="## a: A\n- on -> b", kind="guide")
        with pytest.raises(Invalid) as fault:
            await actions.publish(tx, None, bare, "en")
        assert set(fault.value.fields) == {"title", "text"}
        with pytest.raises(Invalid, match="like this") as fault:
            await actions.publish(tx, None, guide, "en")
        assert "b, which is no step" in fault.value.fields["text"]
        with pytest.raises(Invalid):
            await actions.write(tx, None, bare, "en", 1, text="x" * 100_001)
        with pytest.raises(Invalid):
            await actions.write(tx, None, bare, "en", 1, wordings={"sung": "la"})
        with pytest.raises(Conflict):
            await actions.publish(tx, None, await put(tx, "Done"), "en")


@pytest.mark.req("W1")
async def test_an_old_address_leads_to_the_new_one(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Pay a bill")
        other_id = await put(tx, "Pay a bill")
        assert (await see(tx, "pay-a-bill-2")).article_id == other_id
        for title in ("Pay your bill", "Pay any bill"):
            row = await actions.open_draft(tx, None, article_id, "en")
            await actions.write(tx, None, article_id, "en", row.revision, title=title)
            await actions.publish(tx, None, article_id, "en")
        assert await queries.shown(tx, PUBLIC, "pay-a-bill") == Moved("pay-any-bill")
        assert await queries.shown(tx, PUBLIC, "pay-your-bill") == Moved("pay-any-bill")
        row = await actions.open_draft(tx, None, article_id, "en")
        await actions.write(tx, None, article_id, "en", row.revision, title="Pay a bill")
        assert await actions.publish(tx, None, article_id, "en") == "pay-a-bill", "its own old address is free for it"
        assert await queries.shown(tx, PUBLIC, "pay-any-bill") == Moved("pay-a-bill")
        with pytest.raises(NotFound):
            await queries.shown(tx, PUBLIC, "nothing")


@pytest.mark.req("W2")
async def test_versions_are_kept_compared_and_restored(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Fees", "The fee is $12.")
        row = await actions.open_draft(tx, None, article_id, "en")
        assert (row.number, row.text) == (2, "The fee is $12.")
        assert (await actions.open_draft(tx, None, article_id, "en")).id == row.id
        await actions.write(tx, None, article_id, "en", row.revision, text="The fee is $15.")
        await actions.publish(tx, None, article_id, "en")
        await actions.write(
            tx,
            None,
            article_id,
            "en",
            (await actions.open_draft(tx, None, article_id, "en")).revision,
            text="Half done",
        )
        back = await actions.restore(tx, None, article_id, "en", 1)
        assert (back.number, back.text) == (4, "The fee is $12.")
        assert "$15" in (await see(tx, "fees")).html
        await actions.publish(tx, None, article_id, "en")
        assert "$12" in (await see(tx, "fees")).html
        states = {one.number: (one.state, one.text) for one in await working.versions(tx, article_id, "en")}
        assert states[3] == ("past", "Half done"), "what was being written is not lost"
        assert states[2][0] == "past"
        with pytest.raises(NotFound):
            await actions.restore(tx, None, article_id, "en", 9)


@pytest.mark.req("W2")
async def test_a_translation_falls_behind_its_source(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Pay a bill", "Pay at once.", wordings={"short": "Pay."})
        row = await actions.translate(tx, None, article_id, "es")
        assert (row.text, row.wordings) == ("Pay at once.", {})
        with pytest.raises(Conflict):
            await actions.translate(tx, None, article_id, "en")
        await actions.write(tx, None, article_id, "es", 1, title="Pagar la cuenta", text="Pague ya.")

        async def status() -> dict[str, str]:
            found = await working.languages_of(tx, article_id, ["vi"])
            return {one.language: one.translation.value for one in found}

        assert await status() == {"en": "source", "es": "begun", "vi": "missing"}
        await actions.publish(tx, None, article_id, "es")
        assert (await status())["es"] == "current"
        await actions.open_draft(tx, None, article_id, "en")
        await actions.publish(tx, None, article_id, "en")
        assert (await status())["es"] == "behind"
        found = await see(tx, "pagar-la-cuenta")
        assert (found.language, found.own_language) == ("es", False)
        assert found.languages == {"en": "pay-a-bill", "es": "pagar-la-cuenta"}


@pytest.mark.req("W2")
async def test_what_is_scheduled_is_published_by_the_job(ground: Ground, sign_in: Any) -> None:
    writer = await sign_in("agent")
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "News", text="Soon.", kind="news")
        empty_id = await actions.add(tx, writer.id, "en", "Empty", text="Something")
        await tx.execute(text("update agent set language = 'de' where id = :id"), {"id": writer.id})
        with pytest.raises(Invalid):
            await actions.schedule(tx, None, article_id, "en", now() - timedelta(seconds=1))
        for one in (article_id, empty_id):
            await actions.schedule(tx, None, one, "en", now() + timedelta(hours=1))
        await actions.write(tx, None, empty_id, "en", 1, text="")
    await tasks.publish_due(ground)
    async with ground.database.transaction() as tx:
        assert await tx.value(select(PublishedArticle.article_id)) is None
        await tx.execute(text("update article_version set publish_at = now() - interval '1 minute'"))
    await tasks.publish_due(ground)
    async with ground.database.transaction() as tx:
        assert await tx.column(select(PublishedArticle.article_id)) == [article_id]
        assert (await queries.home(tx, PUBLIC)).news[0].title == "News"
        left = await tx.one(select(ArticleVersion.__table__).where(ArticleVersion.article_id == empty_id))
        assert (left.state, left.publish_at) == ("draft", None)
        assert left.remark == "So kann er nicht veröffentlicht werden.\nSchreiben Sie etwas."
    await tasks.publish_due(ground)


@pytest.mark.req("W2")
async def test_archived_articles_keep_everything_for_their_return(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Pay a bill")
        await actions.archive(tx, None, article_id)
        with pytest.raises(NotFound):
            await queries.shown(tx, AGENT, "pay-a-bill")
        assert (await put(tx, "Pay a bill")) != article_id
        assert isinstance(await queries.shown(tx, PUBLIC, "pay-a-bill-2"), Shown), "its address stays its own"
        await actions.bring_back(tx, None, article_id)
        assert (await see(tx, "pay-a-bill")).article_id == article_id
        await actions.withdraw(tx, None, article_id, "en")
        with pytest.raises(NotFound):
            await queries.shown(tx, AGENT, "pay-a-bill")


@pytest.mark.req("W1")
async def test_each_audience_sees_its_own_and_those_before(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await put(tx, "For all")
        await put(tx, "For customers", audience="signed in")
        inner = await put(tx, "For us", audience="agents")
        for audience, seen in (("public", 1), ("signed in", 2), ("agents", 3)):
            reader = Reader(audience, "en")
            assert len((await queries.home(tx, reader)).most_read) == seen
        with pytest.raises(NotFound):
            await queries.shown(tx, Reader("signed in", "en"), "for-us")
        await actions.describe(tx, None, inner, audience="public", tags=["Bills ", "bills", "Water"])
        assert (await see(tx, "for-us")).tags == ("bills", "water")


@pytest.mark.req("W1")
async def test_a_guide_shows_its_steps(ground: Ground) -> None:
    steps = "Look first.\n\n## start: Is it wet?\nTouch <b>it</b>.\n- Yes -> end\n\n## end: Call\n= ask us"
    async with ground.database.transaction() as tx:
        await put(tx, "No water", steps, kind="guide")
        found = await see(tx, "no-water")
        assert found.html == "<p>Look first.</p>"
        assert [(step.name, step.end) for step in found.steps] == [("start", ""), ("end", "ask us")]
        assert found.steps[0].html == "<p>Touch &lt;b&gt;it&lt;/b&gt;.</p>"
        assert found.steps[0].choices[0].to == "end"


@pytest.mark.req("A7")
async def test_every_channel_gets_a_wording(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(
            tx, "Pay", "Pay at [our page](https://pay.example).", wordings={"short": "Pay by Friday."}
        )
        assert await queries.wording(tx, article_id, "short", "en") == "Pay by Friday."
        assert await queries.wording(tx, article_id, "letter", "fr") == "Pay at our page (https://pay.example)."
        assert await queries.wording(tx, article_id, "full", "en") == "Pay at [our page](https://pay.example)."
        with pytest.raises(NotFound):
            await queries.wording(tx, 999, "full", "en")
        with pytest.raises(ValueError, match="sung"):
            await queries.wording(tx, article_id, "sung", "en")
