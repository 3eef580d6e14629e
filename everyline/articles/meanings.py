"""Meanings in the database: vectors of pgvector where it has them, else bytes that are compared here, exactly."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from everyline.articles import embedding
from everyline.ground import sql
from everyline.ground.database import Database, Row, Tx

if TYPE_CHECKING:
    from everyline.articles.embedding import Vectors

statements = sql.beside(__file__, "finding.sql")

BATCH = 64  # articles embedded at once
CANDIDATES = 300  # parts of articles whose vectors are compared, of those that agree in most signs
PARTS = 3  # of an article: its title with what it is asked by, and up to two pieces of its text
PIECE = 550  # characters that the model sees of a piece
SAME_GAP = 0.72  # cosine of two questions that mean the same
_kept: OrderedDict[tuple[Any, ...], tuple[Any, list[int], list[tuple[str, int | None]], Vectors]] = OrderedDict()


async def in_database(tx: Tx) -> bool:
    """Whether meanings are vectors of the database."""
    return bool(await tx.value(statements.vector_type) == "vector")


async def of(words: str) -> Vectors | None:
    """What words mean; None without the extra. The model works in a thread, so that nobody waits for it."""
    if not embedding.installed():
        return None
    model = await asyncio.to_thread(embedding.model)
    return None if model is None else await asyncio.to_thread(model.vector, words)


def _written(vector: Vectors, *, as_vector: bool) -> Any:
    return "[" + ",".join(f"{one:.7g}" for one in vector.tolist()) + "]" if as_vector else vector.tobytes()


async def nearest(
    tx: Tx, vector: Vectors, language: str, audiences: Sequence[str], *, within: Sequence[int] | None = None, most: int
) -> list[tuple[int, float]]:
    """The articles that mean most nearly the same, with their likeness (cosine, 0 to 1); each once."""
    if await in_database(tx):
        rows = await tx.rows(
            statements.by_meaning,
            {
                "vector": _written(vector, as_vector=True),
                "language": language,
                "audiences": list(audiences),
                "category_ids": within,
                "model": embedding.NAME,
                "candidates": CANDIDATES,
                "most": most,
            },
        )
        found = [(row.article_id, float(row.likeness)) for row in rows]
    else:
        found = await _compared(tx, vector, language, audiences, within, most)
    best: dict[int, float] = {}
    for article_id, likeness in found:
        best[article_id] = max(likeness, best.get(article_id, 0.0))
    return sorted(best.items(), key=lambda one: -one[1])


async def _compared(
    tx: Tx, vector: Vectors, language: str, audiences: Sequence[str], within: Sequence[int] | None, most: int
) -> list[tuple[int, float]]:
    """Every vector of the language, held in this process until one of them changes."""
    import numpy as np

    stamp = await tx.first(statements.stamp, {"language": language})
    assert stamp is not None
    database = await tx.value(text("select current_database()"))
    held = _kept.get((database, language))
    if held is None or held[0] != (stamp.n, stamp.newest):
        rows = await tx.rows(statements.all_meanings, {"language": language, "model": embedding.NAME})
        table = np.frombuffer(b"".join(bytes(row.vector) for row in rows), np.float32).reshape(-1, embedding.SIZE)
        held = (
            (stamp.n, stamp.newest),
            [row.article_id for row in rows],
            [(row.audience, row.category_id) for row in rows],
            table,
        )
        _kept[database, language] = held
        while len(_kept) > 8:
            _kept.popitem(last=False)
    _stamp, ids, theirs, table = held
    likeness = table @ vector
    found: list[tuple[int, float]] = []
    for at in np.argsort(-likeness):
        if len(found) == most:
            break
        audience, category_id = theirs[at]
        if audience in audiences and (within is None or category_id in within):
            found.append((ids[at], float(likeness[at])))
    return found


def pieces(row: Row) -> list[str]:
    """An article as the model is to see it: its title with what it is asked by and its summary, then its text in pieces."""
    head = " ".join(filter(None, [row.title, *row.questions[:6], row.summary]))[:PIECE]
    found = [head]
    piece = ""
    for line in str(row.plain).split("\n"):
        if piece and len(piece) + len(line) > PIECE:
            found.append(f"{row.title}. {piece}")
            piece = ""
        piece = f"{piece} {line}".strip()
    if piece:
        found.append(f"{row.title}. {piece}")
    return found[:PARTS]


async def catch_up(database: Database, *, seconds: float = math.inf) -> int:
    """Make the meaning of every article that has none yet, or of whose words have changed, for as long as ``seconds``; returns
    of how many. Nothing without the extra."""
    if not embedding.installed():
        return 0
    done, until = 0, time.monotonic() + seconds
    last = {"article_id": 0, "language": ""}
    while True:
        async with database.transaction() as tx:
            rows = await tx.rows(statements.without_meaning, {"model": embedding.NAME, "most": BATCH, **last})
            as_vector = await in_database(tx)
        if not rows or time.monotonic() > until:
            return done
        model = await asyncio.to_thread(embedding.model)  # a hundred megabytes, and only where there is something to do
        assert model is not None
        texts = [pieces(row) for row in rows]
        vectors = await asyncio.to_thread(model.vectors, [piece for one in texts for piece in one])
        at = 0
        async with database.transaction() as tx:
            for row, one in zip(rows, texts, strict=True):
                await _put(tx, row, vectors[at : at + len(one)], as_vector=as_vector)
                at += len(one)
        done += len(rows)
        last = {"article_id": rows[-1].article_id, "language": rows[-1].language}


async def _put(tx: Tx, row: Row, vectors: Vectors, *, as_vector: bool) -> None:
    await tx.execute(statements.forget_meaning, {"article_id": row.article_id, "language": row.language})
    put = statements.put_meaning if as_vector else statements.put_meaning_as_bytes
    await tx.many(
        put,
        [
            {
                "article_id": row.article_id,
                "language": row.language,
                "number": row.number,
                "part": part,
                "model": embedding.NAME,
                "vector": _written(vector, as_vector=as_vector),
            }
            for part, vector in enumerate(vectors)
        ],
    )


async def same_gap(tx: Tx, vector: Vectors, language: str) -> int | None:
    """The open group of gaps that means what a new one means."""
    asked = {"language": language, "model": embedding.NAME}
    if await in_database(tx):
        row = await tx.first(statements.nearest_gap, {**asked, "vector": _written(vector, as_vector=True)})
        return row.id if row is not None and row.likeness >= SAME_GAP else None
    import numpy as np

    rows = await tx.rows(statements.gap_vectors, asked)
    likeness = [(float(np.frombuffer(bytes(row.vector), np.float32) @ vector), row.id) for row in rows]
    best = max(likeness, default=(0.0, 0))
    return best[1] if best[0] >= SAME_GAP else None


async def keep_gap(tx: Tx, group_id: int, vector: Vectors) -> None:
    """Keep what a new group of gaps means."""
    as_vector = await in_database(tx)
    put = statements.put_gap_vector if as_vector else statements.put_gap_vector_as_bytes
    await tx.execute(put, {"id": group_id, "model": embedding.NAME, "vector": _written(vector, as_vector=as_vector)})
