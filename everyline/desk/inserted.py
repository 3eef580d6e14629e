"""What was put into an answer by hand of the composer: articles and canned answers, counted when it goes out.

The composer's form says them in ``used``, one a value: ``canned:ID`` and ``article:ID:LANGUAGE:WORDING``, the wording being
``link`` where the article's address was put in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from everyline.articles import actions as articles
from everyline.cases import actions as cases
from everyline.ground.database import Row, Tx
from everyline.ground.errors import ProductError
from everyline.people.rules import Me

MOST = 20  # in one answer


@dataclass(frozen=True, slots=True)
class Used:
    """One thing that was put in. ``kind``: canned or article."""

    kind: str
    id: int
    language: str = ""
    wording: str = ""


def read(values: Iterable[str]) -> list[Used]:
    """What a form says was put in, each once; what makes no sense is left out."""
    found: dict[Used, None] = {}
    for value in values:
        kind, *rest = value.split(":")
        if not rest or not (rest[0].isascii() and rest[0].isdigit() and len(rest[0]) < 18):
            continue
        if kind == "canned" and len(rest) == 1:
            found[Used(kind, int(rest[0]))] = None
        elif kind == "article" and len(rest) == 3 and len(rest[1]) <= 12:
            found[Used(kind, int(rest[0]), rest[1], rest[2])] = None
    return list(found)[:MOST]


async def record(tx: Tx, me: Me, case: Row, message_id: int | None, values: Iterable[str]) -> None:
    """Count what was put into an answer. What is gone meanwhile is no reason to hold the answer back."""
    for one in read(values):
        with contextlib.suppress(ProductError):
            if one.kind == "canned":
                await cases.use_canned_answer(tx, one.id)
            else:
                await articles.used(
                    tx,
                    one.id,
                    case.id,
                    message_id,
                    case.last_channel,
                    one.wording,
                    language=one.language,
                    by=me.id,
                )
