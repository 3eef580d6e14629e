"""The form of flows: written, read, and refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from everyline.selfservice import flows
from everyline.selfservice.flows import Flow, Unreadable

pytestmark = pytest.mark.req("V3")


def form(flow: Flow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(flows.written(flow))
    return found


def test_a_flow_is_written_and_read_again(water: Flow) -> None:
    assert flows.read(flows.written(water)) == water


def test_the_schema_names_every_kind_of_step() -> None:
    kinds = flows.schema()["$defs"]
    assert len(flows.KINDS) == 17
    assert {cls.__name__ for cls in flows.KINDS.values()} <= set(kinds)
    assert kinds["Say"]["additionalProperties"] is False


def test_a_wrong_step_is_named_with_what_is_wrong(water: Flow) -> None:
    given = form(water)
    given["steps"][2]["slot"]["least"] = "ten"
    given["steps"][3]["minutes"] = 4
    given["steps"][4]["kind"] = "fork"
    with pytest.raises(Unreadable) as refused:
        flows.read(json.dumps(given))
    told = str(refused.value).splitlines()
    assert told[0].startswith("step who → slot → least: Input should be a valid integer")
    assert told[1].startswith("step get → minutes: ")
    assert told[2].startswith("step again: Input tag 'fork'")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "This is not JSON"),
        ("[]", "This is a flow of form None; form 1 can be read."),
        ('{"form": 2, "name": "x"}', "This is a flow of form 2; form 1 can be read."),
        ('{"form": 1, "name": "x", "start": "a", "steps": []}', "steps: Tuple should have at least 1 item"),
        (
            '{"form": 1, "name": "Two Words", "start": "a", "steps": [{"kind": "done", "name": "a"}]}',
            "name: String should match",
        ),
        ("[" * 100_000, "This is not JSON"),
        (" " * 1_000_001, "This is too long"),
    ],
)
def test_what_is_no_flow_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(Unreadable, match="^" + told.replace("(", r"\(")):
        flows.read(text)


def test_ten_thousand_steps_are_too_many_to_oversee() -> None:
    steps = [{"kind": "say", "name": f"s{n}", "words": {"en": {"full": "x"}}} for n in range(10_000)]
    with pytest.raises(Unreadable, match="has 10,000 steps; at most 500 can be overseen"):
        flows.read(json.dumps({"form": 1, "name": "long", "start": "s0", "steps": steps}))
