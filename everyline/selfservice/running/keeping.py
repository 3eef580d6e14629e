"""A run as its row keeps it: the state as JSON, secrets apart and locked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from everyline.ground import sql
from everyline.ground.database import Row
from everyline.ground.keys import Vault
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.walking import State, Utterance

statements = sql.beside(__file__, "runs.sql")

STATE: TypeAdapter[State] = TypeAdapter(State)
LEVELS = tuple(Level)  # by number


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was read."""

    id: int
    flow: str
    version: int
    state: State
    told: tuple[Utterance, ...]
    turns: int
    outside: bool  # it waits for what is done outside
    held: bool  # by who does that
    facts: Mapping[str, Any]
    who: Who
    holder: bytes | None
    failures: int  # of who did what it waits for, in a row
    interaction_id: int | None
    case_id: int | None
    ends_at: datetime
    ended: bool
    outcome: str

    def key(self) -> str:
        """What is done outside in this turn is done under this name, once."""
        return f"run:{self.id}:{self.turns}"


def run_of(row: Row, vault: Vault) -> Run:
    """The run of a row."""
    state = STATE.validate_json(row.state)
    if row.sealed is not None:
        state = _opened(state, json.loads(vault.open(bytes(row.sealed))))
    origins = tuple(row.origins or ())  # what is empty is not sent, which spares reading it
    who = Who(row.customer_id, LEVELS[row.level], row.point_id, state.language, row.channel, origins)
    told = tuple(Utterance(step, words, state.slots, tuple(offers)) for step, words, offers in row.told)
    return Run(
        row.id,
        row.flow,
        row.version,
        state,
        told,
        row.turns,
        row.waits == "outside",
        row.held,
        row.facts or {},
        who,
        None if row.holder is None else bytes(row.holder),
        row.failures,
        row.interaction_id,
        row.case_id,
        row.ends_at,
        row.ended_at is not None,
        row.outcome,
    )


def written(state: State, vault: Vault) -> tuple[str, bytes | None]:
    """A state as it is kept: its JSON without secrets, and the secrets, locked."""
    if not any(value.kind is Kind.SECRET for slots in _every(state) for value in slots.values()):
        return STATE.dump_json(state).decode(), None
    secret = [
        {name: value.value for name, value in slots.items() if value.kind is Kind.SECRET} for slots in _every(state)
    ]
    bare = replace(
        state,
        slots=_without(state.slots),
        around=tuple(replace(frame, slots=_without(frame.slots)) for frame in state.around),
    )
    return STATE.dump_json(bare).decode(), vault.lock(json.dumps(secret))


def told_of(told: Sequence[Utterance]) -> str:
    """What was told in a turn, as it is kept: words by wording. Slots are put in when it is shown."""
    return json.dumps([[one.step, dict(one.words), one.offers] for one in told])


class Whole(str):
    """JSON already, which stands as it is in what ``as_json`` makes."""

    __slots__ = ()


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON array for one statement."""
    return "[" + ",".join(_object(row) for row in rows) + "]"


def _object(row: Mapping[str, Any]) -> str:
    whole = "".join(f',"{name}":{value}' for name, value in row.items() if isinstance(value, Whole))
    return json.dumps({name: value for name, value in row.items() if not isinstance(value, Whole)})[:-1] + whole + "}"


def _every(state: State) -> Iterator[Mapping[str, Value]]:
    yield state.slots
    for frame in state.around:
        yield frame.slots


def _without(slots: Mapping[str, Value]) -> dict[str, Value]:
    return {name: replace(value, value="") if value.kind is Kind.SECRET else value for name, value in slots.items()}


def _opened(state: State, secret: Sequence[Mapping[str, str]]) -> State:
    def filled(slots: Mapping[str, Value], values: Mapping[str, str]) -> dict[str, Value]:
        return {**slots, **{name: Value(Kind.SECRET, value) for name, value in values.items()}}

    frames = tuple(
        replace(frame, slots=filled(frame.slots, values))
        for frame, values in zip(state.around, secret[1:], strict=True)
    )
    return replace(state, slots=filled(state.slots, secret[0]), around=frames)
