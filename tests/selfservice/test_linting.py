"""What keeps a flow from being published, each with its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from everyline.articles.wordings import Weight
from everyline.selfservice.flows import (
    Ask,
    Choose,
    Done,
    Flow,
    Option,
    Say,
    Step,
    Subflow,
    words,
)
from everyline.selfservice.linting import Known, lint, publishable
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.trials import Answered, Recorded, failing, played
from everyline.selfservice.walking import Shelf
from tests.selfservice.conftest import BILL

pytestmark = pytest.mark.req("V3")
KNOWN = Known(
    queues=frozenset({"Water"}),
    flows={"other": frozenset({"water"}), "plain": frozenset()},
    errands={"report_outage": frozenset(), "move": frozenset({"address"})},
    sources=frozenset({"ledger.balance"}),
    articles=frozenset(),
)


def changed(flow: Flow, name: str, **facts: Any) -> Flow:
    """With something else at one step."""
    return replace(flow, steps=tuple(replace(step, **facts) if step.name == name else step for step in flow.steps))


def with_steps(flow: Flow, *steps: Step) -> Flow:
    """With further steps, to the first of which the last option of the menu leads."""
    menu = flow.step("menu")
    assert isinstance(menu, Choose)
    options = (*menu.options[:-1], replace(menu.options[-1], to=steps[0].name))
    return replace(
        changed(flow, "menu", options=options), steps=(*changed(flow, "menu", options=options).steps, *steps)
    )


def test_nothing_is_wrong_with_a_good_flow(water: Flow) -> None:
    assert publishable(lint(water, KNOWN))


def menu_of(n: int, to: str = "bye") -> Choose:
    return Choose(
        "menu",
        words=words("Which?", es="¿Cuál?"),
        options=tuple(Option(name=f"o{i}", words=words(f"Word {i}", es=f"Cosa {i}"), to=to) for i in range(n)),
    )


def deep(n: int) -> tuple[Step, ...]:
    return tuple(
        Choose(
            f"m{i}",
            words=words("Which?", es="¿Cuál?"),
            options=(Option(name="a", words=words("On", es="Sigue"), to=f"m{i + 1}" if i + 1 < n else "bye"),),
        )
        for i in range(n)
    )


STOP = Option(name="x", words=words("Stop", es="Alto"), to="bye")
ALIKE = tuple(Option(name=name, words=words("Water", es="Agua"), to="bye") for name in ("a", "b"))
PIN = Ask("pin", words=words("PIN?", es="¿PIN?"), slot=Slot(Kind.SECRET, "pin"), to="more")
TOLD = Say("more", words=words("It is {pin}.", es="Es {pin}."), to="bye")

FAULTS: dict[str, tuple[int, str, Callable[[Flow], Flow]]] = {
    "unreachable": (1, "alone", lambda flow: replace(flow, steps=(*flow.steps, Done("alone")))),
    "no such step": (2, "tell", lambda flow: changed(flow, "tell", to="nowhere")),
    "leads nowhere": (2, "hello", lambda flow: changed(flow, "hello", to="")),
    "begins nowhere": (2, "", lambda flow: replace(flow, start="nowhere")),
    "a name twice": (3, "bye", lambda flow: replace(flow, steps=(*flow.steps, Done("bye")))),
    "no way to a person": (4, "", lambda flow: replace(flow, person="bye")),
    "no person named": (4, "", lambda flow: replace(flow, person="")),
    "a language is missing": (5, "tell", lambda flow: changed(flow, "tell", words=words("You owe {bill.due}."))),
    "no words": (5, "who", lambda flow: changed(flow, "who", words={})),
    "too many segments": (6, "hello", lambda flow: changed(flow, "hello", words=words("Water. " * 60, es="Agua."))),
    "too many options": (9, "menu", lambda flow: with_steps_menu(flow, 10)),
    "too deep": (10, "m3", lambda flow: with_steps(flow, *deep(4))),
    "a reserved word": (12, "menu", lambda flow: changed(flow, "menu", options=(STOP,))),
    "twice the same option": (12, "menu", lambda flow: changed(flow, "menu", options=ALIKE)),
    "down leads nowhere": (13, "get", lambda flow: changed(flow, "get", down="")),
    "a circle": (14, "hello", lambda flow: changed(flow, "hello", to="hello")),
    "a circle that nobody counts": (14, "who", lambda flow: changed(flow, "get", missing="who")),
    "a slot never filled": (
        15,
        "hello",
        lambda flow: changed(flow, "hello", words=words("Hello {name}.", es="Hola {name}.")),
    ),
    "a secret not marked": (16, "who", lambda flow: changed(flow, "who", slot=Slot(Kind.DIGITS, "pin"))),
    "a secret told": (17, "more", lambda flow: with_steps(flow, PIN, TOLD)),
    "no such queue": (18, "agent", lambda flow: changed(flow, "agent", queue="Moon")),
    "no such source": (18, "get", lambda flow: changed(flow, "get", source="moon.phase")),
    "no such errand": (18, "do", lambda flow: changed(flow, "do", errand="fly")),
    "an errand without what it needs": (19, "do", lambda flow: changed(flow, "do", errand="move")),
    "no such flow": (18, "in", lambda flow: with_steps(flow, Subflow("in", flow="moon", to="bye"))),
    "flows in each other": (20, "in", lambda flow: with_steps(flow, Subflow("in", flow="other", to="bye"))),
}


def with_steps_menu(flow: Flow, n: int) -> Flow:
    options = menu_of(n).options
    menu = flow.step("menu")
    assert isinstance(menu, Choose)
    return changed(flow, "menu", options=(*menu.options, *options))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_at_its_step_and_keeps_the_flow_back(water: Flow, fault: str) -> None:
    number, step, spoil = FAULTS[fault]
    found = lint(spoil(water), KNOWN)
    assert (number, step) in {(one.number, one.step) for one in found if one.weight is Weight.WRONG}
    assert not publishable(found)


def test_some_things_are_only_doubtful(water: Flow) -> None:
    long = "Please listen carefully to all of what follows because our options have changed since the last time that you have called us here, and stay with us."
    spoiled = changed(water, "menu", words=words(long, es="¿Qué?"))
    found = lint(changed(spoiled, "hello", words=words("Water. " * 30, es="Agua.")), KNOWN)
    figures = {(one.number, one.step): one.figure for one in found if one.weight is Weight.DOUBTFUL}
    assert figures[11, "menu"] == 11, "seconds until the first option"
    assert figures[8, "hello"] == 34, "seconds on a TTY"
    assert figures[7, "who"] == 2, "signs outside the alphabet of text messages"
    six = with_steps_menu(water, 3)
    assert {one.weight for one in lint(six, KNOWN) if one.number == 9} == {Weight.DOUBTFUL}
    assert publishable(lint(six, KNOWN))


def test_every_number_of_the_list_is_tried() -> None:
    assert {number for number, _step, _spoil in FAULTS.values()} | {7, 8, 11} == set(range(1, 21))


def alone(flow: Flow) -> Shelf:
    """Nothing else is published."""
    return lambda name, _version: (1, flow) if name == flow.name else None


RECORDED = Recorded(
    "A bill",
    answers=("bill", "1234567890", "3"),
    outside={"get": Answered("found", BILL)},
    way=("menu", "who", "get", "menu", "bye"),
    ends="solved",
)


def test_a_trial_is_played_again_and_says_where_it_leads_now(water: Flow) -> None:
    assert played(alone(water), water, RECORDED) == RECORDED
    assert failing(alone(water), water, [RECORDED]) == []
    other = changed(water, "tell", to="bye")
    [(was, now)] = failing(alone(other), other, [RECORDED])
    assert (was.way, now.way, now.ends) == (RECORDED.way, ("menu", "who", "get", "bye"), "solved")


def test_what_is_not_recorded_from_outside_is_down(water: Flow) -> None:
    now = played(alone(water), water, replace(RECORDED, outside={}))
    assert now.way[-1] == "agent"
