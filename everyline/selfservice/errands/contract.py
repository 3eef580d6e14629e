"""What an errand is: a typed function with a declared contract.

Its inputs are a frozen dataclass whose fields are made with ``asked``; it is given them read and checked, with who asks, and
works in one transaction. ``carrying`` does all else: who may, once for a key, what is kept, how it is undone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from everyline.ground.database import Tx
from everyline.ground.errors import Forbidden, Invalid
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.selfservice import slots
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind, Slot, Value, Wrong

Slots: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that an errand needs to know. ``words`` are to be translated."""

    slot: Slot
    words: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What an errand needs, does and gives. Its words are to be translated."""

    name: str
    title: str
    changes: str  # what it changes
    inputs: tuple[Input, ...] = ()
    needs: Level = Level.PROVED  # how well it must be shown who asks
    gives: tuple[str, ...] = ()  # the slots that come of it
    undo_for: timedelta | None = None  # how long it can be undone; None: it cannot
    most_an_hour: int = 20  # for one customer
    opens_cases: bool = False  # the house chooses a queue for them, and how many an hour strangers open

    @property
    def required(self) -> frozenset[str]:
        """The names of the inputs that it cannot do without."""
        return frozenset(one.slot.name for one in self.inputs if not one.optional)


@dataclass(frozen=True, slots=True)
class Done:
    """It is done. ``told`` is for the customer, in their language; ``done_id`` is what it is undone by."""

    slots: Slots
    told: str
    done_id: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not done, and why, in words for the customer. ``wants``: it would be, were it shown so well who they are."""

    told: str
    wants: Level | None = None


@dataclass(frozen=True, slots=True)
class Down:
    """It cannot be done now. The reason is for us, not for customers."""

    reason: str


Outcome: TypeAlias = Done | Refused | Down


class Unproved(Forbidden):
    """Who asks has not shown well enough who they are."""

    def __init__(self, wants: Level) -> None:
        super().__init__(_("For this we have to know for certain who you are."))
        self.wants = wants


class Unable(Exception):
    """It cannot be done now, for a reason that the customer can do nothing about."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, as far as it was shown: checked against what is on record, merged customers followed."""

    tx: Tx
    ground: Ground
    level: Level
    customer_id: int | None  # None: nobody we know
    point_id: int | None  # by which it is shown
    language: str
    channel: str
    zone: str
    house_language: str  # in which words for agents are
    at: datetime
    key: str
    queue_id: int | None = None  # that the house chose for the cases of this errand
    origins: tuple[str, ...] = ()  # where they come from

    @property
    def own(self) -> int:
        """The customer. Only for errands that need one."""
        if self.customer_id is None:
            raise Unproved(Level.ADDRESS)
        return self.customer_id


@dataclass(frozen=True, slots=True)
class Settled:
    """What an errand did. ``undo`` is what undoing it takes, None when it cannot be; ``undo_until`` ends that sooner than the
    contract says. ``facts`` stand in its event: ids and small facts."""

    told: str
    slots: Slots = field(default_factory=dict)
    undo: Mapping[str, Any] | None = None
    undo_until: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Errand:
    """A contract and what stands behind it. ``undo`` gives words on what is so again; Conflict when it is too late."""

    contract: Contract
    given: type[Any]
    run: Callable[[Asking, Any], Awaitable[Settled]]
    undo: Callable[[Asking, Mapping[str, Any]], Awaitable[str]] | None = None


def asked(kind: Kind, words: str, *, optional: bool = False, **bounds: Any) -> Any:
    """A field of an errand's inputs. ``bounds`` are those of ``slots.Slot``; what is optional and not given is None."""
    return field(
        default=None if optional else dataclasses.MISSING,
        metadata={"kind": kind, "words": words, "optional": optional, "bounds": bounds},
    )


def inputs_of(given: type[Any]) -> tuple[Input, ...]:
    """The inputs that a dataclass declares."""
    return tuple(
        Input(
            Slot(one.metadata["kind"], one.name, **one.metadata["bounds"]),
            one.metadata["words"],
            one.metadata["optional"],
        )
        for one in dataclasses.fields(given)
    )


def declared(
    run: Callable[[Asking, Any], Awaitable[Settled]],
    given: type[Any],
    undo: Callable[[Asking, Mapping[str, Any]], Awaitable[str]] | None = None,
    **contract: Any,
) -> Errand:
    """An errand with its contract; ``contract`` is what ``Contract`` takes besides its inputs."""
    return Errand(Contract(inputs=inputs_of(given), **contract), given, run, undo)


def read(errand: Errand, values: Slots, today: date) -> Any:
    """The inputs, typed. Invalid, which says of each what is wrong."""
    known = {one.slot.name: one for one in errand.contract.inputs}
    faults = {name: _("This errand takes nothing of this name.") for name in values.keys() - known.keys()}
    found: dict[str, Any] = {}
    for name, one in known.items():
        given = values[name].value if name in values else ""
        if not given.strip():
            if not one.optional:
                faults[name] = _("This is needed.")
            continue
        value = slots.read(one.slot, given, today)
        if isinstance(value, Wrong):
            faults[name] = value.words
        else:
            found[name] = _typed(value)
    if faults:
        told = [f"{_(known[name].words) if name in known else name}: {words}" for name, words in faults.items()]
        raise Invalid("\n".join(told), faults)
    return errand.given(**found)


def _typed(value: Value) -> object:
    if value.kind is Kind.DATE:
        return date.fromisoformat(value.value)
    if value.kind is Kind.YES_NO:
        return value.value == "yes"
    if value.kind is Kind.MONEY:
        return Decimal(value.value)
    return value.value


def text(value: object) -> Value:
    """A slot of plain text."""
    return Value(Kind.TEXT, str(value))


def digits(value: int) -> Value:
    """A slot of a number that customers quote."""
    return Value(Kind.DIGITS, str(value))
