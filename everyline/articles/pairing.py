"""Which published articles are much alike: each is compared with all others of its language whenever its words or its meaning
change. So whoever looks at the pairs waits for no comparison, however many articles there are."""

from __future__ import annotations

import time

from everyline.articles import meanings, queries
from everyline.articles.rules import contradicts
from everyline.ground.database import Database, Row, Tx
from everyline.ground.jobs import ask_for

statements = queries.statements

JOB = "everyline.articles.tasks.compare"
AT_ONCE = 100  # articles of one transaction
TURN_SECONDS = 5.0  # then other jobs have their turn
NEAREST = 5  # pairs that one article brings: more of them would say nothing more
ALIKE = 0.6  # trigrams that two titles share, or two summaries, of all that they have
USUAL_LIKENESS = 0.3  # the threshold of the database itself
MUCH_ALIKE = 0.85  # cosine of two heads that mean the same
# signs in which such vectors differ: 68 of 384 are expected (the angle of a cosine of 0.85, of 180 degrees), with a deviation
# of 7.5; so many are beyond five of it
SIGNS = 110


async def catch_up(database: Database) -> None:
    """Compare what was not compared yet, for some seconds; what is left is asked for."""
    until = time.monotonic() + TURN_SECONDS
    found = AT_ONCE
    while found == AT_ONCE:
        async with database.transaction() as tx:
            found = await compare_some(tx) if await tx.value(statements.compare_alone) else 0
            if found == AT_ONCE and time.monotonic() > until:
                await ask_for(tx, JOB)
                return


async def compare_some(tx: Tx) -> int:
    """Compare some articles with all others; returns how many, at most ``AT_ONCE``."""
    rows = await tx.rows(statements.uncompared, {"most": AT_ONCE})
    await tx.rows(statements.look_closely, {"least": ALIKE})
    for language in {row.language for row in rows}:
        await _compare(tx, language, [row.article_id for row in rows if row.language == language])
    await tx.rows(statements.look_closely, {"least": USUAL_LIKENESS})
    await tx.many(statements.compared, [row._asdict() for row in rows])
    return len(rows)


async def _compare(tx: Tx, language: str, article_ids: list[int]) -> None:
    some = {"language": language, "article_ids": article_ids}
    found: list[Row] = list(await tx.rows(statements.alike, {**some, "nearest": NEAREST}))
    if await meanings.in_database(tx):
        near = {"nearest": NEAREST, "least": MUCH_ALIKE, "signs": SIGNS}
        found += await tx.rows(statements.alike_in_meaning, {**some, **near})
    await tx.execute(statements.forget_pairs, some)
    await tx.many(
        statements.put_pair,
        [
            {
                "language": language,
                "article_id": min(row.article_id, row.other_id),
                "other_id": max(row.article_id, row.other_id),
                "likeness": row.likeness,
                "contradict": contradicts(row.plain, row.other_plain),
            }
            for row in found
        ],
    )
