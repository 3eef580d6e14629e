"""Wordings: what is wrong with one, and one made of the full text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.articles import guides, wordings
from everyline.articles.wordings import Weight, Wording
from everyline.ground.words import speaking

TEXT = """\
You can pay online, by phone or at the counter. A payment counts on the day it comes in.

## Online

Go to [the payment page](https://pay.harbor.example/water) with account 123456789 & your ZIP.

| Way | Fee |
|-----|-----|
| Card | $2.50 |

![The form](file:3)
"""


@pytest.mark.req("A7")
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 70, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("ç" * 134, 2),
        ("ç" * 135, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 0),
    ],
)
def test_text_messages_are_counted_as_networks_count_them(text: str, parts: int) -> None:
    assert wordings.segments(text).parts == parts


@pytest.mark.req("A7")
@pytest.mark.parametrize(
    ("kind", "text", "code", "figure"),
    [
        (Wording.SHORT, "a" * 161, "segments", 2),
        (Wording.SHORT, "Pay by Friday ✓", "alphabet", 1),
        (Wording.SPOKEN, "Go to https://pay.example now.", "address", 1),
        (Wording.SPOKEN, "Click the button.", "seen", 1),
        (Wording.SPOKEN, "Your account is 123456789.", "digits", 1),
        (Wording.SPOKEN, "word " * 200, "long", 80),
        (Wording.SPOKEN, "Ask the DMV about it.", "short form", 1),
        (Wording.CHAT, "Costs 5% & more", "untyped", 2),
        (Wording.CHAT, "x" * 601, "long", 601),
        (Wording.CHAT, "**Pay** now", "signs", 1),
        (Wording.LETTER, "Click here to pay.", "seen", 1),
        (Wording.FULL, "word " * 2000, "long", 545),
    ],
)
def test_what_is_wrong_is_said_with_its_figure(kind: Wording, text: str, code: str, figure: float) -> None:
    found = {one.code: one.figure for one in wordings.lint(kind, text)}
    assert found[code] == figure, found


@pytest.mark.req("A7")
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Klicken Sie auf Weiter.", "Klicken"),
        ("Die Preise: siehe unten.", "siehe unten"),
        ("Haga clic en Pagar.", "Haga clic"),
        ("Los costos, véase abajo.", "véase abajo"),
        ("Cliquez sur Payer.", "Cliquez"),
        ("Nhấp vào đây.", "Nhấp vào"),
    ],
)
def test_what_a_listener_does_not_see_is_found_in_the_languages_of_articles(text: str, seen: str) -> None:
    (found,) = [one for one in wordings.lint(Wording.SPOKEN, text) if one.code == "seen"]
    assert seen in found.words


EVERY_FAULT = (
    f"Click here, see www.pay.example, account 1234567, TTY * ☃ {'word ' * 250}. **Pay**",
    f"Click here {'word ' * 2000}",
)
EVERY_GUIDE_FAULT = (
    "",
    "## a: A\n- x -> b\n- y -> z\n= solved\n\n## b: B\n\n## c: C\n= ask us\n\n## c: C\n= ask us\n\n## d: D\n- x -> d",
)


def findings(language: str) -> dict[tuple[str, int, str], str]:
    """All that lints can say, in a language, by what it is about."""
    with speaking(language):
        said: dict[tuple[str, int, str], str] = {
            (kind, at, found.code): found.words
            for kind in Wording
            for at, text in enumerate(EVERY_FAULT)
            for found in wordings.lint(kind, text)
        }
        for at, text in enumerate(EVERY_GUIDE_FAULT):
            for number, fault in enumerate(guides.faults(guides.read(text))):
                said["guide", at, str(number)] = fault.words
    return said


@pytest.mark.req("A7")
@pytest.mark.parametrize("language", ["de", "es"])
def test_every_finding_is_said_in_the_language_of_its_reader(language: str) -> None:
    english, theirs = findings("en"), findings(language)
    assert english.keys() == theirs.keys()
    assert len({code for _kind, _at, code in english}) > 14
    assert [one for one in english if english[one] == theirs[one]] == []


def test_a_good_wording_has_nothing_wrong() -> None:
    assert wordings.lint(Wording.SHORT, "Pay by Friday at 40 Pier Street. Questions? Call 360-555-0142.") == []
    assert wordings.lint(Wording.SPOKEN, "You can pay at the counter until Friday.") == []
    assert wordings.lint(Wording.CHAT, "You can pay at the counter until Friday.") == []


@pytest.mark.req("A7")
def test_wordings_are_made_of_the_full_text() -> None:
    def made(kind: Wording) -> str:
        return wordings.made(kind, "Pay your water bill", "", TEXT)

    assert made(Wording.FULL) == TEXT
    assert (
        made(Wording.SHORT)
        == "You can pay online, by phone or at the counter. A payment counts on the day it comes in."
    )
    assert "the payment page (https://pay.harbor.example/water)" in made(Wording.LETTER)
    assert "file:3" not in made(Wording.LETTER)
    assert "1 2 3 4 5 6 7 8 9" in made(Wording.SPOKEN)
    assert "https" not in made(Wording.SPOKEN)
    assert made(Wording.CHAT).startswith("You can pay online")


def wrong(kind: Wording, text: str) -> list[str]:
    return [one.code for one in wordings.lint(kind, text) if one.weight is Weight.WRONG]


@given(st.text(max_size=400), st.text(max_size=200), st.text(min_size=1, max_size=3000))
def test_one_that_is_made_is_never_too_long(title: str, summary: str, text: str) -> None:
    short = wordings.made(Wording.SHORT, title, summary, text)
    assert wordings.segments(short).parts <= 1
    assert len(wordings.made(Wording.CHAT, title, summary, text)) <= wordings.CHAT_LONGEST
    assert "long" not in wrong(Wording.SPOKEN, wordings.made(Wording.SPOKEN, title, summary, text))
    assert "address" not in wrong(Wording.SPOKEN, wordings.made(Wording.SPOKEN, title, summary, text))


@given(st.text("ab €^ç😀", max_size=500))
def test_segments_hold_what_there_is(text: str) -> None:
    cut = wordings.segments(text)
    each = 153 if cut.plain else 67
    assert cut.units <= max(160 if cut.plain else 70, cut.parts * each)
    assert cut.parts <= 1 or cut.units > (cut.parts - 1) * (each - 1)


def test_what_a_tty_cannot_show_is_found() -> None:
    assert wordings.untyped("Café “open” – 5 o'clock; 50% & @home") == "%&@"
    assert wordings.typing_seconds("x" * 160) == 26
