"""Imports that a worker does piece by piece."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from conftest import until
from everyline.articles import importing
from everyline.articles.importing import Going
from everyline.articles.tasks import take_in
from everyline.ground.installation import Ground
from everyline.roles.jobs import run_jobs

pytestmark = pytest.mark.req("W2")

HEAD = "question,answer\n"
COUNTS = text("select (select count(*) from article) as drafts, (select count(*) from published_article) as shown")


def table(count: int) -> str:
    return HEAD + "".join(f"How do I file form {n}?,Send form {n} to window {n % 7}.\n" for n in range(count))


async def ask(ground: Ground, by: int, content: str, asked: str = "a press", **how: Any) -> int:
    digest = await ground.files.put(content.encode())
    async with ground.database.transaction() as tx:
        return await importing.ask(
            tx, by, asked, file_hash=digest, name="faq.csv", pieces=content.count("\n") - 1, language="en", **how
        )


async def how_far(ground: Ground, import_id: int) -> Going:
    async with ground.database.transaction() as tx:
        return await importing.get(tx, import_id)


async def counts(ground: Ground) -> tuple[int, int]:
    async with ground.database.transaction() as tx:
        return tuple(await tx.one(COUNTS))


async def test_a_worker_takes_in_at_once_what_was_asked_for(ground: Ground, sign_in: Any) -> None:
    lead = await sign_in("supervisor")
    import_id = await ask(ground, lead.id, table(60) + "What about this one?,\n", publish=True)
    assert await ask(ground, lead.id, table(60), publish=True) == import_id, "a repeated press is the same question"
    jobs = asyncio.create_task(run_jobs(ground))
    try:
        await until(lambda: ended(ground, import_id), seconds=30)
    finally:
        jobs.cancel()
        await asyncio.gather(jobs, return_exceptions=True)
    going = await how_far(ground, import_id)
    assert (going.row.done, going.row.added, going.row.changed, going.row.same, going.row.fault) == (61, 60, 0, 0, "")
    assert [str(one) for one in going.refused] == ["faq.csv, line 62: it lacks a question or an answer"]
    assert await counts(ground) == (60, 60)


async def ended(ground: Ground, import_id: int) -> bool:
    return (await how_far(ground, import_id)).ended


async def test_what_is_ended_on_the_way_goes_on_where_it_was(ground: Ground, sign_in: Any) -> None:
    lead = await sign_in("supervisor")
    import_id = await ask(ground, lead.id, table(400))
    turn = asyncio.create_task(importing.take_turn(ground))

    async def has_begun() -> bool:
        return bool((await how_far(ground, import_id)).row.done)

    await until(has_begun, seconds=20)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    done = (await how_far(ground, import_id)).row.done
    assert 0 < done < 400
    assert (await counts(ground))[0] == done, "what is counted is there, and nothing else"
    await asyncio.gather(take_in(ground), take_in(ground))  # two workers at once
    for _turn in range(10):
        if await ended(ground, import_id):
            break
        await take_in(ground)
    going = await how_far(ground, import_id)
    assert (going.row.done, going.row.added, going.row.fault) == (400, 400, "")
    assert await counts(ground) == (400, 0)


async def test_the_same_file_again_finds_all_as_it_is(ground: Ground, sign_in: Any) -> None:
    lead = await sign_in("supervisor")
    await ask(ground, lead.id, table(30), publish=True)
    await take_in(ground)
    again = await ask(ground, lead.id, table(29) + "How do I file form 29?,By mail.\n", "another press", publish=True)
    await take_in(ground)
    row = (await how_far(ground, again)).row
    assert (row.added, row.changed, row.same) == (0, 1, 29)


async def test_a_file_that_is_gone_and_one_that_fails_each_time_are_told(ground: Ground, sign_in: Any) -> None:
    lead = await sign_in("supervisor")
    gone = await ask(ground, lead.id, HEAD + "Why?,Because.\n")
    digest = await ground.files.put((HEAD + "Why?,Because.\n").encode())
    ground.files.path(digest).unlink()
    await take_in(ground)
    assert (await how_far(ground, gone)).row.fault == "The file is not here any more."
    failing = await ask(ground, lead.id, HEAD + "Who?,We.\n", "another press")
    async with ground.database.transaction() as tx:
        await tx.execute(text("update article_import set tries = :tries"), {"tries": importing.MOST_TRIES})
    await take_in(ground)
    assert (await how_far(ground, failing)).ended
    assert await counts(ground) == (0, 0)


async def test_a_long_file_lets_other_jobs_have_their_turn(
    ground: Ground, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "TURN_SECONDS", 0.3)
    lead = await sign_in("supervisor")
    import_id = await ask(ground, lead.id, table(300), publish=True)
    turns = 0
    while not await ended(ground, import_id):
        await take_in(ground)
        turns += 1
        assert turns < 300
    assert turns > 1, "other jobs had their turn in between"
    assert (await how_far(ground, import_id)).row.added == 300
    assert await counts(ground) == (300, 300)
