"""What nobody can meet is found, and said with the nearest that somebody does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.queues import abilities, asks, queries, set_up
from everyline.queues.expressions import Tree, meets, parse, write
from everyline.queues.models import QueueEntry
from everyline.queues.relaxation import nearest
from everyline.queues.rules import Step
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("Q1")

NAMES = {"water": 1, "spanish": 2, "sign language": 3, "trainee": 4}
WORDS = {number: name for name, number in NAMES.items()}


def among(*agents: dict[str, int]) -> Callable[[Tree], int]:
    levels = [{NAMES[name]: level for name, level in agent.items()} for agent in agents]
    return lambda tree: sum(meets(tree, one) for one in levels)


@pytest.mark.parametrize(
    ("asked", "agents", "expected"),
    [
        ("water", [{"water": 1}], ("water", 1)),
        ("water >= 3", [{"water": 2}, {"water": 2}, {"water": 1}], ("water >= 2", 2)),
        ("water >= 3 and spanish", [{"water": 2}], ("water >= 2", 1)),
        ("water >= 3 and spanish", [{"water": 5}], ("water >= 3", 1)),
        ("water >= 3 or spanish >= 2", [{"spanish": 1}], ("water >= 3 or spanish", 1)),
        ("water and not trainee", [{"water": 4, "trainee": 1}], ("water", 1)),
        ("water >= 2 and spanish >= 2", [{"water": 1, "spanish": 1}], ("water and spanish", 1)),
        ('"sign language" >= 5', [{}], ("", 1)),
        ("water >= 3 and spanish", [{"water": 1, "spanish": 1}, {"water": 3}], ("water and spanish", 1)),
        (
            'water >= 5 and "sign language" >= 2',
            [{"water": 5, "sign language": 1}, {"water": 3, "sign language": 2}],
            ('water >= 5 and "sign language"', 1),
        ),
    ],
)
def test_the_nearest_gives_up_the_least(asked: str, agents: list[dict[str, int]], expected: tuple[str, int]) -> None:
    found = nearest(parse(asked, NAMES), among(*agents))
    assert found is not None
    assert (write(found[0], WORDS), found[1]) == expected


def test_without_anybody_there_is_no_nearest() -> None:
    assert nearest(parse("water", NAMES), among()) is None


def test_a_long_expression_is_loosened_without_a_long_wait() -> None:
    skills = {f"skill{number}": number for number in range(1, 49)}
    words = " and ".join(f"skill{number} >= {level}" for number in range(1, 49) for level in (5, 4))
    started = time.process_time()
    found = nearest(parse(words, skills), lambda tree: int(tree == {}))
    assert found == ({}, 1), "nothing less was near"
    assert time.process_time() - started < 3


leaves = st.builds(lambda skill, least: {"skill": skill, "least": least}, st.integers(1, 4), st.integers(1, 5))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


@given(
    tree=trees,
    agents=st.lists(st.dictionaries(st.sampled_from(sorted(NAMES)), st.integers(1, 5)), min_size=1, max_size=4),
)
def test_somebody_meets_the_nearest_whatever_was_asked(tree: Tree, agents: list[dict[str, int]]) -> None:
    count = among(*agents)
    found = nearest(tree, count)
    assert found is not None
    assert count(found[0]) == found[1] >= 1
    if count(tree):
        assert found == (tree, count(tree))


async def words_of(ground: Ground) -> list[tuple[int, str, str]]:
    async with ground.database.transaction() as tx:
        return [(one.entry_id, one.asks, one.nearest) for one in await queries.unmet(tx)]


async def arrange(ground: Ground, queue_id: int, wants: str, *steps: tuple[float, str]) -> None:
    async with ground.database.transaction() as tx:
        await set_up.change_queue(
            tx,
            None,
            queue_id,
            wants=await asks.read(tx, wants),
            steps=[Step(after=after, wants=await asks.read(tx, words)) for after, words in steps],
        )


async def test_what_nobody_can_take_is_told_with_what_somebody_could(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        water = await abilities.add_skill(tx, None, "water")
        await abilities.add_skill(tx, None, "sign language")
        entry_id = int(await tx.value(select(QueueEntry.id)))
    assert await words_of(ground) == []
    await arrange(ground, line.queue_id, 'water >= 3 or "sign language"')
    assert await words_of(ground) == [(entry_id, 'water >= 3 or "sign language"', "anybody who takes from this queue")]
    async with ground.database.transaction() as tx:
        await abilities.set_skills(tx, None, agent.id, {water: 2})
    assert await words_of(ground) == [(entry_id, 'water >= 3 or "sign language"', 'water >= 2 or "sign language"')]
    async with ground.database.transaction() as tx:
        (row,) = await queries.unmet(tx)
        entry = await tx.first(select(QueueEntry.__table__))
        assert entry is not None
        assert (row.case_id, row.queue_id, row.waiting_since) == (entry.case_id, entry.queue_id, entry.waiting_since)
        await abilities.set_skills(tx, None, agent.id, {water: 3})
    assert await words_of(ground) == []


async def test_what_a_step_still_helps_is_not_told(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    await sign_in(queues=(line.queue_id,))
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        await abilities.add_skill(tx, None, "water")
    await arrange(ground, line.queue_id, "water", (600, ""))
    assert await words_of(ground) == [], "everybody may take it after ten minutes"
    await arrange(ground, line.queue_id, "", (600, "water"))
    assert await words_of(ground) == [], "everybody may take it for ten minutes"
    async with ground.database.transaction() as tx:
        await tx.execute(update(QueueEntry).values(waiting_since=now() - timedelta(seconds=601)))
    assert [asked for _entry, asked, _nearest in await words_of(ground)] == ["water"]


async def test_an_entry_of_its_own_wishes_and_a_queue_of_nobody(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await line.receive(mail())
    (found,) = await words_of(ground)
    assert found[1:] == ("", "nobody takes from this queue")
    async with ground.database.transaction() as tx:
        water = await abilities.add_skill(tx, None, "water")
        await tx.execute(update(QueueEntry).values(needs={str(water): 2}))
    assert [asked for _entry, asked, _nearest in await words_of(ground)] == ["water >= 2"]


async def test_all_are_counted_and_those_of_some_queues_are_found_behind_many_of_others(ground: Ground) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    await line.receive(*[mail() for _n in range(12)])
    await other.receive(mail(to="tax@county.example"))
    async with ground.database.transaction() as tx:
        nobody = "nobody takes from this queue"
        assert await queries.unmet_counts(tx) == {(line.queue_id, nobody): 12, (other.queue_id, nobody): 1}
        assert {one.queue_id for one in await queries.unmet(tx, most=5)} == {line.queue_id}
        assert {one.queue_id for one in await queries.unmet(tx, {other.queue_id}, most=5)} == {other.queue_id}
