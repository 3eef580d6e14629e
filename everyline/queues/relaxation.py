"""The nearest expression that somebody meets, when nobody meets the one that was asked for. Pure.

Nearness is what is given up: a level lower by one costs 1, a skill not asked for at all 2 more, and 3 to let somebody in who
was kept out by ``not``. The cheapest expression that anybody meets is the nearest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

from everyline.queues.expressions import NOTHING, Tree, both, loosenings

_DROPPED, _LET_IN = 2, 3
_MOST_TRIED = 600  # what is not found among so many is not near
_WORK = 300_000  # the same for long ones: loosening takes the square of their length


def nearest(tree: Tree, how_many: Callable[[Tree], int]) -> tuple[Tree, int] | None:
    """The expression nearest to this one that somebody meets, and how many do; the tree itself when they do. None when
    nobody meets even an expression that asks for nothing. ``how_many``: who meets an expression."""
    heap: list[tuple[int, int, Tree]] = [(0, 0, tree)]
    seen: set[str] = set()
    number = 0
    parts = len(json.dumps(tree)) // 24 + 1
    most = max(min(_MOST_TRIED, _WORK // parts**2), 2)
    while heap and len(seen) < most:
        cost, _, one = heappop(heap)
        name = json.dumps(one, sort_keys=True)
        if name in seen:
            continue
        seen.add(name)
        found = how_many(one)
        if found:
            return one, found
        for more, looser in _one_step(one):
            number += 1
            heappush(heap, (cost + more, number, looser))
    found = how_many(NOTHING)
    return (NOTHING, found) if found else None


def _one_step(tree: Tree) -> Iterator[tuple[int, Tree]]:
    for looser, (_skill, least, then) in loosenings(tree):
        if then == least - 1:
            yield 1 + (_DROPPED if then == 0 else 0), looser
    for looser in _letting_in(tree):
        yield _LET_IN, looser


def _letting_in(tree: Tree) -> Iterator[Tree]:
    """The tree without one of its ``not``."""
    if "not" in tree:
        yield NOTHING
    for name in ("all", "any"):
        parts = tree.get(name, ())
        for number, part in enumerate(parts):
            for looser in _letting_in(part):
                others = [*parts[:number], looser, *parts[number + 1 :]]
                yield both(*others) if name == "all" else {"any": others} if looser else NOTHING
