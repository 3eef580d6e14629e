"""Going through flows: what is told, what is asked, what is never eaten, and that there is always a way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from everyline.ground.spoken import Reserved
from everyline.selfservice import flows
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Choose,
    Condition,
    Done,
    Errand,
    Flow,
    Lookup,
    Option,
    Queue,
    Say,
    Set,
    Subflow,
    Way,
    words,
)
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.trials import Trial
from everyline.selfservice.walking import Began, Came, Said, State, Turn, Within, begin, holds, walk
from tests.selfservice.conftest import outside

pytestmark = pytest.mark.req("V3")
TODAY = date(2026, 1, 15)


def told(turn: Turn) -> list[str]:
    return [one.words["full"] for one in turn.told]


def one(flow: Flow, *more: Flow) -> Mapping[str, Flow]:
    return {each.name: each for each in (flow, *more)}


def walked(shelf: Mapping[str, Flow], state: State, given: object) -> Turn:
    return walk(lambda name, _version: (1, shelf[name]) if name in shelf else None, state, given, {}, TODAY)  # type: ignore[arg-type]  # -- one of the kinds


def test_a_bill_is_looked_up_and_told(water: Flow) -> None:
    trial = Trial.of(water, outside)
    assert told(trial.turns[0]) == ["Welcome to Harbor Water.", "What do you need?"]
    trial.say("my bill")
    turn = trial.say("1234567890")
    assert told(turn) == ["You owe {bill.due} until {bill.until}.", "What do you need?"]
    assert turn.told[0].slots["bill.due"] == Value(Kind.MONEY, "41.50", "USD")
    assert told(trial.say("3")) == ["Good bye."]
    assert trial.ends == "solved"


def test_after_three_tries_a_person_helps(water: Flow) -> None:
    trial = Trial.of(water, outside)
    trial.say("bill")
    assert told(trial.say("12")) == ["You gave 2 digits. It has 10.", "What is your 10-digit account number?"]
    assert told(trial.say("…")) == ["Are you still there?", "What is your 10-digit account number?"]
    assert told(trial.say("hmm")) == ["I connect you with a person."]
    assert trial.ends == "person"


def test_a_circle_is_counted_by_a_branch(water: Flow) -> None:
    trial = Trial.of(water, outside)
    trial.say("bill")
    assert told(trial.say("0000000000")) == ["What is your 10-digit account number?"]
    assert told(trial.say("0000000000")) == ["I connect you with a person."]


def test_in_another_language_all_is_in_it(water: Flow) -> None:
    trial = Trial.of(water, outside, language="es")
    trial.say("Mi factura")
    assert told(trial.say("12")) == [
        "Ha indicado 2 cifras. Tiene 10.",
        "¿Cuál es su número de cuenta de 10 cifras?",
    ]
    assert told(trial.say("quiero hablar con una persona")) == ["Le paso con una persona."]


def test_words_of_the_wire_move_nothing(water: Flow) -> None:
    trial = Trial.of(water, outside)
    before = trial.state
    turn = trial.say("STOP", text_messages=True)
    assert (turn.reserved, turn.state, turn.told) == (Reserved.STOP, before, ())


def test_a_star_says_it_again_and_costs_no_try(water: Flow) -> None:
    trial = Trial.of(water, outside)
    for _n in range(5):
        assert told(trial.say("*")) == ["What do you need?"]
    assert trial.state.tries == 0


ENDLESS = Flow(
    "endless", start="a", person="a", steps=(Say("a", words=words("A"), to="b"), Say("b", words=words("B"), to="a"))
)


def test_an_endless_circle_ends_at_a_person() -> None:
    turn = walked(one(ENDLESS), begin(ENDLESS, 1, "en"), Began())
    assert turn.ends == "person"
    assert len(turn.told) == 1


def test_flows_that_go_through_each_other_end_at_a_person() -> None:
    flow = Flow("a", start="in", steps=(Subflow("in", flow="a", to="in"),))
    assert walked(one(flow), begin(flow, 1, "en"), Began()).ends == "person"


INNER = Flow(
    "inner",
    start="ask",
    steps=(
        Ask("ask", words=words("How old?"), slot=Slot(Kind.DIGITS, "age"), to="end"),
        Done("end", words=words("Thanks.")),
    ),
)
OUTER = Flow(
    "outer",
    start="in",
    person="agent",
    steps=(
        Subflow("in", flow="inner", into="them", to="tell"),
        Say("tell", words=words("You are {them.age}."), to="end"),
        Done("end"),
        Queue("agent", words=words("A person comes.")),
    ),
)


def test_a_flow_within_a_flow_brings_its_slots_back() -> None:
    shelf = one(OUTER, INNER)
    turn = walked(shelf, begin(OUTER, 1, "en"), Began())
    assert (told(turn), turn.state.flow, turn.state.version) == (["How old?"], "inner", 1)
    turn = walked(shelf, turn.state, Said("42"))
    assert told(turn) == ["Thanks.", "You are {them.age}."]
    assert turn.state.slots["them.age"].value == "42"
    assert turn.ends == "solved"


def test_out_of_a_flow_within_a_flow_one_word_leads_to_a_person() -> None:
    shelf = one(OUTER, INNER)
    turn = walked(shelf, begin(OUTER, 1, "en"), Began())
    turn = walked(shelf, turn.state, Said("operator"))
    assert (told(turn), turn.state.flow) == (["A person comes."], "outer")


def test_a_run_is_kept_as_json_and_goes_on(water: Flow) -> None:
    trial = Trial.of(water, outside)
    trial.say("bill")
    kept = TypeAdapter(State).dump_json(trial.state)
    trial.state = TypeAdapter(State).validate_json(kept)
    trial.say("1234567890")
    assert trial.state.slots["account"].value == "1234567890"


def test_a_flow_or_step_that_is_gone_is_said() -> None:
    with pytest.raises(LookupError, match="flow endless, version 1, is not there"):
        walked({}, begin(ENDLESS, 1, "en"), Began())
    with pytest.raises(LookupError, match="flow endless has no step c"):
        walked(one(ENDLESS), replace(begin(ENDLESS, 1, "en"), step="c"), Began())


@pytest.mark.parametrize(
    ("holds_", "value", "have", "expected"),
    [
        ("is", True, True, True),
        ("is", "yes", True, True),
        ("is", "Spanish", "spanish ", True),
        ("is not", "es", "en", True),
        ("is not", "es", None, False),
        ("one of", ("en", "es"), "es", True),
        ("at least", 5, "5", True),
        ("at most", 5, 6, False),
        ("at least", 5, "many", False),
        ("given", "", "x", True),
        ("missing", "", None, True),
        ("missing", "", "x", False),
    ],
)
def test_conditions(holds_: str, value: object, have: object, expected: bool) -> None:
    condition = Condition(about="waiting", holds=holds_, value=value)  # type: ignore[arg-type]  # -- as a file gives them
    assert holds(condition, have) is expected


def test_a_branch_asks_about_the_queue_it_names() -> None:
    flow = Flow(
        "ask",
        start="b",
        steps=(
            Branch(
                "b",
                queue="Tax",
                ways=(Way(when=(Condition(about="open", value=True),), to="open"),),
                otherwise="closed",
            ),
            Done("open", words=words("Open.")),
            Done("closed", words=words("Closed.")),
        ),
    )
    facts = {"open": False, "Tax/open": True}
    turn = walk(lambda _n, _v: (1, flow), begin(flow, 1, "en"), Began(), facts, TODAY)
    assert told(turn) == ["Open."]


def test_what_is_down_leads_to_a_person_when_nothing_else_is_said(water: Flow) -> None:
    flow = replace(
        water, steps=tuple(replace(step, down="") if isinstance(step, Lookup) else step for step in water.steps)
    )
    trial = Trial.of(
        flow, lambda does: Came("down", told="The ledger is away.") if does.step.kind == "lookup" else Came("to")
    )
    trial.say("bill")
    assert told(trial.say("1234567890")) == ["The ledger is away.", "I connect you with a person."]


def test_a_choice_and_a_set_fill_slots() -> None:
    flow = Flow(
        "pet",
        start="which",
        steps=(
            Choose(
                "which",
                words=words("Which?"),
                into="pet",
                options=(Option(name="dog", words=words("A dog"), to="set"),),
            ),
            Set("set", into="again", value="{pet} twice", to="end"),
            Done("end"),
        ),
    )
    turn = walked(one(flow), walked(one(flow), begin(flow, 1, "en"), Began()).state, Said(option="dog"))
    assert turn.state.slots["pet"] == Value(Kind.CHOICE, "dog", words="A dog")
    assert turn.state.slots["again"].value == "dog twice"


ANSWERS = st.one_of(
    st.sampled_from(["1", "2", "3", "bill", "yes", "no", "1234567890", "…", "*", "🙂", "x" * 5000]),
    st.text(max_size=40),
)


@given(st.lists(ANSWERS, max_size=12))
def test_whatever_is_answered_a_person_is_one_word_away(answers: list[str]) -> None:
    from tests.selfservice.conftest import water

    trial = Trial.of(water(), outside)
    for answer in answers:
        if trial.ends:
            return
        trial.say(answer)
        assert trial.turns[-1].asks is not None or trial.ends
    if not trial.ends:
        assert trial.say("0").ends == "person"


def test_kinds_of_steps_are_told_apart() -> None:
    assert set(flows.KINDS) >= {"say", "ask", "choose", "confirm", "lookup", "branch", "errand", "queue", "done"}


def test_what_was_filled_in_where_an_errand_led_to_stays_under_its_own_name() -> None:
    street = Slot(Kind.TEXT, "street")
    inner = Flow(
        "lamp", title=words("Lamp"), start="where", steps=(Ask("where", words=words("Where?"), slot=street, to="end"), Done("end"))
    )  # fmt: skip
    outer = Flow(
        "asked",
        title=words("Asked"),
        start="think",
        steps=(Errand("think", errand="(think)", into="bot", done="more"), Ask("more", words=words("More?"), slot=Slot(Kind.TEXT, "more"))),
    )  # fmt: skip
    shelf = one(outer, inner)
    begun = walked(shelf, begin(outer, 1, "en"), Began())
    before = {"context": Value(Kind.TEXT, "of this turn")}
    within = walked(shelf, begun.state, Within("lamp", kept=before))
    after = walked(shelf, within.state, Said("Elm Street"))
    assert {name: value.value for name, value in after.state.slots.items()} == {
        "bot.context": "of this turn",
        "lamp.street": "Elm Street",
    }
