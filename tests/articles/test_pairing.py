"""Articles that are much alike are found among all of them."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import text

from everyline.articles import actions, embedding, meanings, pairing, working
from everyline.articles.tasks import compare
from everyline.articles.working import Pair
from everyline.ground.installation import Ground
from tests.articles.conftest import Publish, put

pytestmark = pytest.mark.req("W2")


async def pairs(ground: Ground) -> tuple[Pair, ...]:
    async with ground.database.transaction() as tx:
        found = await working.health(tx, ["en"])
    assert len(found.pairs) == min(found.paired, 100)
    assert found.uncompared == 0
    return found.pairs


def ids(found: tuple[Pair, ...]) -> list[tuple[int, int]]:
    return sorted((pair.article_id, pair.other_id) for pair in found)


async def test_old_articles_are_compared_with_each_other_however_many_came_since(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        one = await put(tx, "How to license your dog", "A license costs $12.")
        two = await put(tx, "How to license a dog", "A license costs $15.")
        await put(tx, "How to license a dog", "Una licencia.", language="es")
        for n in range(240):
            await put(tx, hashlib.sha256(b"%d" % n).hexdigest(), "Words.")
        assert (await working.health(tx, ["en"])).uncompared == 243
    await compare(ground)
    (pair,) = await pairs(ground)
    assert (pair.article_id, pair.other_id, pair.title, pair.contradict) == (one, two, "How to license your dog", True)
    assert 0.6 < pair.likeness < 1


async def test_pairs_follow_what_is_published(ground: Ground, publish: Publish) -> None:
    one = await publish("Ferry times in winter", "The ferry goes at 8.")
    two = await publish("The ferry", "It goes at 8.", summary="When the ferry to the island goes, and what it costs.")
    await compare(ground)
    assert await pairs(ground) == ()
    three = await publish("Boats", "It goes at 8.", summary="When the ferry to the islands goes and what it costs.")
    await compare(ground)
    assert ids(await pairs(ground)) == [(two, three)]
    async with ground.database.transaction() as tx:
        row = await actions.open_draft(tx, None, two, "en")
        await actions.write(tx, None, two, "en", row.revision, title="Ferry times in the winter", summary="Sailings.")
        await actions.publish(tx, None, two, "en")
    await compare(ground)
    assert ids(await pairs(ground)) == [(one, two)]
    async with ground.database.transaction() as tx:
        await actions.archive(tx, None, one)
    assert await pairs(ground) == ()
    async with ground.database.transaction() as tx:
        await actions.bring_back(tx, None, one)
    await compare(ground)
    assert ids(await pairs(ground)) == [(one, two)]


@pytest.mark.skipif(not embedding.installed(), reason="the extra is not installed")
async def test_meaning_is_compared_once_it_is_known(ground: Ground, publish: Publish) -> None:
    one = await publish("How can I pay my water bill?", "Pay at the counter.")
    two = await publish("Ways of paying the bill for water", "Pay online.")
    await publish("Dog license", "It costs $12.")
    async with ground.database.transaction() as tx:
        vectors = await meanings.in_database(tx)
    await compare(ground)
    assert await pairs(ground) == ()
    await meanings.catch_up(ground.database)
    await compare(ground)
    assert ids(await pairs(ground)) == ([(one, two)] if vectors else [])


async def test_many_much_alike_bring_a_few_pairs_each(ground: Ground, publish: Publish) -> None:
    for n in range(40):
        await publish(f"How do I send in form {n}?", "To the counter.")
    await compare(ground)
    async with ground.database.transaction() as tx:
        assert 40 / 2 <= (await working.health(tx, ["en"])).paired <= 40 * pairing.NEAREST
        assert await tx.value(text("select count(*) from article_compared")) == 40
