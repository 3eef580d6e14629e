"""What the bot learns, how that is tested, and what its figures say of it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text, update

from everyline.articles import embedding
from everyline.articles.models import ArticleFeedback, GapGroup
from everyline.customers.models import Customer
from everyline.ground.clock import now
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.installation import Ground
from everyline.selfservice import tasks
from everyline.selfservice.bot import Outcome, Target, classifier, quality, teaching, training
from everyline.selfservice.bot.classifier import Classifier
from everyline.selfservice.bot.models import BotModel, BotQuestion
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.models import FlowRun
from tests.selfservice.bot_world import TAUGHT, furnish, say

pytestmark = pytest.mark.req("W5")
CAME_AGAIN = text("""
    with point as (
        insert into contact_point (customer_id, kind, address)
        values (:customer_id, 'number', '+1202555' || (1000 + floor(random() * 9000))::int) returning id
    ), opened as (
        insert into "case" (subject, customer_id) values ('x', :customer_id) returning id
    )
    insert into interaction (case_id, contact_point_id, channel, media_class, direction, started_at)
    select opened.id, point.id, 'other', 'deferred', 'in', cast(:at as timestamptz) from point, opened
""")
PAIRS = [(words, one.name) for one in TAUGHT for every_one in one.examples.values() for words in every_one]


def learn(*, meanings: bool) -> tuple[Classifier, classifier.Tested]:
    texts, labels = [words for words, _label in PAIRS], [label for _words, label in PAIRS]
    model = embedding.model()
    assert model is not None, "the suite has the extra"
    return classifier.of(texts, labels, model.vectors if meanings else None)


@pytest.mark.parametrize("meanings", [False, True])
def test_it_learns_with_and_without_meanings(meanings: bool) -> None:
    made, tested = learn(meanings=meanings)
    model = embedding.model()
    assert model is not None
    embed = model.vectors if meanings else None
    assert tested.held_out == len(PAIRS)
    assert tested.accuracy == max(tested.by_kind.values())
    assert tested.accuracy >= (0.9 if meanings else 0.7)
    assert (made.kind == classifier.WORDS) == (set(tested.by_kind) == {classifier.WORDS})
    again = Classifier.unpacked(made.packed())
    known, strange = again.guess(["register my puppy, we got a dog", "who won the football game"], embed)
    assert (known.guesses[0].label, known.known) == ("dog-license", True)
    assert not strange.known


def test_the_same_examples_teach_the_same_in_every_process() -> None:
    texts = [words for words, _label in PAIRS]
    seeds = ("1", "2")
    script = "import sys; from everyline.selfservice.bot.features import Vocabulary; print(list(Vocabulary.of(sys.argv[1:]).places))"
    found = {
        subprocess.run(
            [sys.executable, "-c", script, *texts],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in seeds
    }
    assert len(found) == 1


def test_what_was_packed_by_another_version_is_not_read() -> None:
    made, _tested = learn(meanings=False)
    with pytest.raises(ValueError, match="form 9"):
        Classifier.unpacked(_altered(made.packed()))


def _altered(packed: bytes) -> bytes:
    """The same with another form in its head."""
    import io
    import json

    import numpy as np

    with np.load(io.BytesIO(packed)) as file:
        kept = dict(file)
    head = json.loads(kept["head"].tobytes())
    head["form"] = 9
    kept["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, **kept)
    return out.getvalue()


async def test_every_change_is_learned_once(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        for one in TAUGHT:
            await teaching.add(tx, None, one)
    await tasks.learn(ground)
    await tasks.learn(ground)
    async with ground.database.transaction() as tx:
        [first] = await training.models(tx)
        assert first.figures["intents"] == len(TAUGHT)
        assert first.figures["held_out"] == len(PAIRS)
        await teaching.add_example(tx, None, "dog-license", "en", "  my  kennel  needs papers ")
        await teaching.add_example(tx, None, "dog-license", "en", "My kennel needs papers")
        assert "my kennel needs papers" in (await teaching.get(tx, "dog-license")).examples["en"]
    await tasks.learn(ground)
    async with ground.database.transaction() as tx:
        second, was = await training.models(tx)
        assert (second.in_use, was.in_use) == (True, False)
        assert second.figures["examples"] == len(PAIRS) + 1
        await training.use(tx, None, was.id)
        assert (await training.in_use(tx) or (0,))[0] == was.id
        with pytest.raises(NotFound):
            await training.use(tx, None, 9999)


async def test_what_is_taught_is_checked(ground: Ground) -> None:
    good = TAUGHT[0]
    async with ground.database.transaction() as tx:
        await teaching.add(tx, None, good)
        with pytest.raises(Conflict):
            await teaching.add(tx, None, good)
        for wrong, field in (
            (Intent("Bad Name", Target.PERSON), "name"),
            (Intent("x", Target.ARTICLE), "target_name"),
            (Intent("x", Target.SMALL_TALK), "words"),
            (Intent("x", Target.PERSON, "", {}, {"xx": ["a"]}), "examples"),
            (Intent("x", Target.PERSON, "", {}, {"en": ["a" * 500]}), "examples"),
        ):
            with pytest.raises(Invalid) as caught:
                await teaching.add(tx, None, wrong)
            assert field in caught.value.fields
        await teaching.remove(tx, None, good.name)
        with pytest.raises(NotFound):
            await teaching.get(tx, good.name)


async def test_past_questions_are_asked_again_of_a_new_model(ground: Ground) -> None:
    await furnish(ground)
    for words in ("my ferry ticket is lost", "how do I license my dog", "the ferry was late today"):
        await say(ground, words)
    ferry = Intent(
        "ferry",
        Target.PERSON,
        examples={
            "en": [
                "lost ferry ticket",
                "the ferry is late",
                "when does the ferry leave",
                "ferry refund",
                "a seat on the ferry",
            ]
        },
    )
    async with ground.database.transaction() as tx:
        await teaching.add(tx, None, ferry)
    new = await training.learn(ground.database)
    async with ground.database.transaction() as tx:
        before = await tx.value(select(BotModel.id).where(~BotModel.in_use))
        found = await quality.replay(tx, before, new or 0)
    assert found.questions == 3
    assert {(one.words, one.before, one.after) for one in found.differences} == {
        ("my ferry ticket is lost", "", "ferry"),
        ("the ferry was late today", "", "ferry"),
    }


async def test_what_was_not_known_is_listed_and_settled(ground: Ground) -> None:
    for words in ("where is the skating rink", "Where is the skating rink", "who runs the ferry"):
        assert (await say(ground, words)).outcome is Outcome.UNSURE
    async with ground.database.transaction() as tx:
        rows = await quality.unanswered(tx)
        assert [(row.said, row.asked) for row in rows] == [("where is the skating rink", 2), ("who runs the ferry", 1)]
        assert set(await tx.column(select(GapGroup.asked))) == {1, 2}, "each is a gap of the articles"
        await quality.settle(tx, rows[0].id)
        assert len(await quality.unanswered(tx)) == 1
        with pytest.raises(NotFound):
            await quality.settle(tx, rows[0].id)


async def test_a_verdict_is_one_about_the_article(ground: Ground) -> None:
    await furnish(ground)
    reply = await say(ground, "how do I license my dog")
    assert reply.question_id is not None
    async with ground.database.transaction() as tx:
        with pytest.raises(NotFound):
            await quality.verdict(tx, reply.question_id, "another talk", helped=True)
        await quality.verdict(tx, reply.question_id, "talk-1", helped=False)
        assert await tx.column(select(ArticleFeedback.helped)) == [False]
        found = await quality.figures(tx)
    assert (found.helped, found.not_helped) == (0, 1)


async def test_yes_and_no_after_an_answer_say_whether_it_helped(ground: Ground) -> None:
    await furnish(ground)
    first = await say(ground, "how do I license my dog")
    assert (await say(ground, "yes", after=first, talk="another talk")).question_id is not None, (
        "it is a question there"
    )
    good = await say(ground, "Yes", after=first)
    assert (good.outcome, good.question_id) == (Outcome.SMALL_TALK, None)
    assert (await say(ground, "no", after=good)).question_id is not None, "it was asked once"
    second = await say(ground, "my water bill doubled", talk="b1")
    more = await say(ground, "no, for a cat", after=second, talk="b1")
    assert more.question_id is not None, "who says more is heard out"
    bad = await say(ground, "No.", after=second, talk="b1")
    assert (bad.outcome, bad.question_id) == (Outcome.UNSURE, None)
    async with ground.database.transaction() as tx:
        found = await quality.figures(tx)
        listed = [row for row in await quality.unanswered(tx) if row.not_helped]
        assert (found.helped, found.not_helped, found.unhelped) == (1, 1, 1)
        assert [row.words for row in listed] == ["my water bill doubled"]
        await quality.settle(tx, listed[0].id)
        assert not [row for row in await quality.unanswered(tx) if row.not_helped]
    assert (await say(ground, "yes", after=bad, talk="b1")).outcome is Outcome.PERSON


async def test_containment_has_its_honest_counterpart(ground: Ground) -> None:
    await furnish(ground)
    async with ground.database.transaction() as tx:
        ids = await tx.column(insert(Customer).values([{"name": "Ann"}, {"name": "Bob"}]).returning(Customer.id))
    ann, bob = (Who(one, Level.ADDRESS, None, "en", "widget") for one in ids)
    await say(ground, "how do I license my dog", who=ann, talk="a1")
    await say(ground, "my water bill doubled", who=bob, talk="b1")
    await say(ground, "my water bill doubled", talk="c1")
    await say(ground, "agent please", talk="c1")
    await say(ground, "hello", talk="d1")
    await say(ground, "how do I license my dog", who=ann, talk="a2")
    async with ground.database.transaction() as tx:
        ago = {"a1": 12, "b1": 12, "a2": 9}
        for talk, days in ago.items():
            moved = update(BotQuestion).where(BotQuestion.talk == talk).values(at=now() - timedelta(days=days))
            await tx.execute(moved)
        found = await quality.figures(tx)
    assert (found.talks, found.contained) == (4, 3), "a greeting alone is no talk that was contained"
    assert (found.known, found.back) == (3, 1), "Ann came again after three days"
    assert found.containment == 0.75
    assert found.came_back == pytest.approx(1 / 3)
    assert found.cost_per_answer == Decimal(0)


async def test_who_gets_to_a_person_by_a_word_of_the_flow_is_not_contained(ground: Ground) -> None:
    await furnish(ground)
    async with ground.database.transaction() as tx:
        facts = {"flow": "(bot)", "version": 1, "state": {}, "ends_at": now()}
        rows = [{**facts, "outcome": "person"}, {**facts, "outcome": "left"}]
        ids = await tx.column(insert(FlowRun).values(rows).returning(FlowRun.id))
    for run_id in ids:
        await say(ground, "how do I license my dog", talk=f"run {run_id}")
    async with ground.database.transaction() as tx:
        found = await quality.figures(tx)
    assert (found.talks, found.contained) == (2, 1)


async def test_who_comes_again_by_another_channel_is_counted(ground: Ground) -> None:
    await furnish(ground)
    async with ground.database.transaction() as tx:
        customer_id = await tx.value(insert(Customer).values(name="Ann").returning(Customer.id))
    who = Who(customer_id, Level.ADDRESS, None, "en", "widget")
    await say(ground, "how do I license my dog", who=who, talk="a1")
    async with ground.database.transaction() as tx:
        ago = now() - timedelta(days=12)
        await tx.execute(update(BotQuestion).values(at=ago))
        assert (await quality.figures(tx)).back == 0
        await tx.execute(CAME_AGAIN, {"customer_id": customer_id, "at": ago + timedelta(days=8)})
        assert (await quality.figures(tx)).back == 0, "eight days are more than seven"
        await tx.execute(CAME_AGAIN, {"customer_id": customer_id, "at": ago + timedelta(days=6)})
        found = await quality.figures(tx)
    assert (found.contained, found.known, found.back) == (1, 1, 1)


async def test_old_questions_are_forgotten(ground: Ground) -> None:
    for talk in ("new", "old"):
        await say(ground, "hello", talk=talk)
    async with ground.database.transaction() as tx:
        old = update(BotQuestion).where(BotQuestion.talk == "old").values(at=now() - timedelta(days=500))
        await tx.execute(old)
    await tasks.forget(ground)
    async with ground.database.transaction() as tx:
        assert await tx.column(select(BotQuestion.talk)) == ["new"]


async def test_a_trial_is_not_kept(ground: Ground) -> None:
    await say(ground, "where is the skating rink", trial=True)
    async with ground.database.transaction() as tx:
        assert await tx.column(select(BotQuestion.id)) == []
        assert await tx.column(select(GapGroup.id)) == []
