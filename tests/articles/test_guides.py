"""Troubleshooting guides: read, written, and linted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.articles import guides
from everyline.articles.guides import Choice, End, Guide, Step

TAP = """\
What to do when nothing comes from the tap.

## start: Do your neighbors have water?
Ask next door.
- Yes -> valve
- No -> outage

## valve: Open the main valve
It is under the *round lid*.
= solved

## outage: A pipe is broken
= ask us
"""


@pytest.mark.req("W1")
def test_a_guide_is_read_and_written_again() -> None:
    guide = guides.read(TAP)
    assert guide.introduction == "What to do when nothing comes from the tap."
    assert [step.name for step in guide.steps] == ["start", "valve", "outage"]
    assert guide.steps[0].choices == (Choice("Yes", "valve"), Choice("No", "outage"))
    assert guide.steps[1].end is End.SOLVED
    assert guides.read(guides.write(guide)) == guide
    assert guides.faults(guide) == []


@pytest.mark.req("W1")
@pytest.mark.parametrize(
    ("text", "step", "word"),
    [
        ("No steps at all.", "", "step"),
        ("## a: A\n- on -> b\n## b: B\n= solved\n## c: C\n= solved", "c", "No choice leads"),
        ("## a: A\n- on -> nowhere\n- end -> b\n## b: B\n= solved", "a", "nowhere"),
        ("## a: A\n- on -> b\n- out -> c\n## b: B\n## c: C\n= solved", "b", "Nothing follows"),
        ("## a: A\n- on -> b\n## b: B\n- back -> a", "a", "no way to an end"),
        ("## a: A\n- on -> b\n## b: B\n= solved\n## b: B again\n= solved", "b", "Two steps"),
        ("## a: A\n- on -> b\n= solved\n## b: B\n= solved", "a", "both"),
    ],
)
def test_what_would_leave_a_reader_standing_is_found(text: str, step: str, word: str) -> None:
    found = guides.faults(guides.read(text))
    assert any(fault.step == step and word in fault.words for fault in found), found


def test_a_guide_can_be_read_from_paper() -> None:
    text = guides.as_text(guides.read(TAP))
    assert "### 1. Do your neighbors have water?" in text
    assert "- No: go to step 3." in text


NAMES = st.text("abcde", min_size=1, max_size=2)
WORDS = st.text("xyz ?", min_size=1, max_size=12).map(str.strip).filter(bool)
STEPS = st.lists(
    st.builds(
        Step,
        NAMES,
        WORDS,
        WORDS,
        st.lists(st.builds(Choice, WORDS, NAMES), max_size=3).map(tuple),
        st.sampled_from([None, *End]),
    ),
    max_size=5,
).map(tuple)


@given(STEPS, WORDS)
def test_any_guide_survives_being_written(steps: tuple[Step, ...], introduction: str) -> None:
    guide = Guide(introduction, steps)
    assert guides.read(guides.write(guide)) == guide


@given(STEPS)
def test_a_guide_without_faults_always_ends(steps: tuple[Step, ...]) -> None:
    guide = Guide("", steps)
    if guides.faults(guide):
        return
    seen: set[str] = set()
    waiting = [guide.steps[0].name]
    while waiting:
        step = guide.step(waiting.pop())
        assert step is not None
        if step.name not in seen:
            seen.add(step.name)
            assert step.end or step.choices
            waiting += [choice.to for choice in step.choices]
    assert any(guide.step(name).end for name in seen)  # type: ignore[union-attr]  # -- it was just walked
