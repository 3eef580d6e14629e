"""Flows as runs need them: read once in a process, because a version that was published never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from everyline.ground.database import Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _
from everyline.selfservice import queries
from everyline.selfservice.flows import Flow
from everyline.selfservice.running import proving, questioning, reaching, talking
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.sources import knowledge
from everyline.selfservice.walking import Shelf, State

MOST_KEPT = 2000  # versions in memory
OWN: Mapping[str, Callable[[], Flow]] = {
    proving.NAME: proving.flow,
    reaching.NAME: reaching.flow,
    talking.NAME: talking.flow,
}


def own(name: str) -> Flow | None:
    """A flow of the product's own."""
    if name.startswith(talking.ERRAND):
        return talking.of_errand(name.removeprefix(talking.ERRAND))
    return OWN[name]() if name in OWN else None


class Library:
    """The versions that this process has met."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Flow] = {}
        self._questions: tuple[tuple[int, int], Flow] | None = None  # that customers are asked now, by their key

    async def open(self, tx: Tx, states: Iterable[State] = ()) -> Shelf:
        """The published flows, and the versions that these states stand in."""
        newest: Mapping[str, int] = {row.name: row.number for row in await tx.rows(statements.published)}
        wanted = set(newest.items())
        for state in states:
            wanted |= {(state.flow, state.version), *((frame.flow, frame.version) for frame in state.around)}
        missing = [one for one in wanted if one not in self._kept and not one[0].startswith("(")]
        if missing:
            if len(self._kept) + len(missing) > MOST_KEPT:
                self._kept.clear()
                missing = [one for one in wanted if not one[0].startswith("(")]
            names = {"names": [name for name, _n in missing], "numbers": [number for _n, number in missing]}
            for row in await tx.rows(statements.forms, names):
                self._kept[row.name, row.number] = queries.flow_of(row.form)

        questions = await self._asked(tx)

        def shelf(name: str, version: int) -> tuple[int, Flow] | None:
            if name == questioning.NAME:
                return None if questions is None else (1, questions)
            if name.startswith("("):
                flow = own(name)
                return None if flow is None else (1, flow)
            number = version or newest.get(name, 0)
            found = self._kept.get((name, number))
            return None if found is None else (number, found)

        return shelf

    async def _asked(self, tx: Tx) -> Flow | None:
        """The dialogue of the questions that the house asks now; who is in the middle of others goes on to a person."""
        found = await knowledge.questions(tx)
        if found is None:
            return None
        if self._questions is None or self._questions[0] != found.key:
            self._questions = (found.key, questioning.flow(found))
        return self._questions[1]


def published(shelf: Shelf, name: str) -> tuple[int, Flow]:
    """The version of a flow that is begun now. NotFound."""
    found = shelf(name, 0)
    if found is None:
        raise NotFound(_("There is no such flow."))
    return found
