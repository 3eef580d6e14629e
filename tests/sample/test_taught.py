"""What the sample company has taught its bot leads to articles that there are, and is understood."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from everyline.articles.models import PublishedArticle
from everyline.ground.installation import Ground
from everyline.sample import articles, taught
from everyline.selfservice.bot import Outcome, Target, teaching, training
from tests.selfservice.bot_world import say

pytestmark = pytest.mark.req("W5")


async def test_the_sample_bot_answers(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await articles.load(tx, None)
        await taught.load(tx, None)
        slugs = set(await tx.column(select(PublishedArticle.slug)))
        intents = await teaching.every(tx)
    assert {one.target_name for one in intents if one.target is Target.ARTICLE} <= slugs
    await training.learn(ground.database)
    async with ground.database.transaction() as tx:
        [model] = await training.models(tx)
    assert model.figures["accuracy"] >= 0.5
    for asked, told in (
        ("how much is a license for my dog", "$12"),
        ("¿cuánto cuesta la licencia para mi perro?", "$12"),
        ("mein Hund ist weggelaufen, was kann ich tun?", "shelter"),
    ):
        reply = await say(ground, asked)
        assert reply.outcome is Outcome.ANSWER, asked
        assert told in reply.words
    assert (await say(ground, "who won the football game last night")).outcome is Outcome.UNSURE
