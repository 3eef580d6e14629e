"""Answers as people give them, in five languages, by keys and by hand."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.ground.aloud import groups
from everyline.ground.spoken import Reserved, reserved
from everyline.ground.words import speaking
from everyline.selfservice.putting import filled, said, shown
from everyline.selfservice.slots import Kind, Slot, Value, Wrong, read

pytestmark = pytest.mark.req("V3")
TODAY = date(2026, 1, 15)


def value(slot: Slot, answer: str, language: str = "en") -> str:
    """The value that is understood, or what is told about it after a sign."""
    with speaking(language):
        found = read(slot, answer, TODAY)
    return f"! {found.words}" if isinstance(found, Wrong) else found.value


@pytest.mark.parametrize(
    ("language", "answer", "day"),
    [
        ("en", "March 3, 2026", "2026-03-03"),
        ("en", "3/4/2026", "2026-03-04"),
        ("en", "tomorrow", "2026-01-16"),
        ("en", "03042026", "2026-03-04"),
        ("en", "20260304", "2026-03-04"),
        ("en", "2026-03-04", "2026-03-04"),
        ("es", "3 de marzo de 2026", "2026-03-03"),
        ("es", "3/4/2026", "2026-04-03"),
        ("es", "mañana", "2026-01-16"),
        ("de", "3. März 2026", "2026-03-03"),
        ("de", "morgen", "2026-01-16"),
        ("fr", "3 mars 2026", "2026-03-03"),
        ("vi", "3 tháng 3 2026", "2026-03-03"),
    ],
)
def test_days(language: str, answer: str, day: str) -> None:
    assert value(Slot(Kind.DATE, "day"), answer, language) == day


@pytest.mark.parametrize("answer", ["soon", "🙂", "31/31/2026", "99999999", "2026-02-30", "x" * 3000])
def test_what_is_no_day_is_told_how_to_write_one(answer: str) -> None:
    assert value(Slot(Kind.DATE, "day"), answer).startswith(
        "! I did not understand the date. Please write it like January 15, 2026"
    )


def test_a_day_has_bounds() -> None:
    slot = Slot(Kind.DATE, "day", least=0, most=90)
    assert value(slot, "2026-01-14") == "! That day is too early."
    assert value(slot, "2026-05-01") == "! That day is too late."
    assert value(slot, "2026-01-15") == "2026-01-15"


@pytest.mark.parametrize(
    ("language", "answer", "amount"),
    [
        ("en", "12.5", "12.50"),
        ("en", "$1,234.50", "1234.50"),
        ("en", "12 dollars", "12.00"),
        ("de", "1.234,50 €", "1234.50"),
        ("fr", "1 234,50", "1234.50"),
        ("es", "12,50", "12.50"),
    ],
)
def test_amounts(language: str, answer: str, amount: str) -> None:
    assert value(Slot(Kind.MONEY, "due"), answer, language) == amount


@pytest.mark.parametrize("answer", ["a lot", "NaN", "1e400", "12.345", "--", "infinity", "9" * 60])
def test_what_is_no_amount(answer: str) -> None:
    assert value(Slot(Kind.MONEY, "due"), answer) == "! Please give an amount, such as 12.50."


@pytest.mark.parametrize(
    ("language", "answer", "meant"),
    [
        ("en", "Yes please", "yes"),
        ("en", "nope", "no"),
        ("en", "1", "yes"),
        ("en", "2️⃣", "no"),
        ("es", "sí", "yes"),
        ("es", "SI", "yes"),
        ("de", "Nein!", "no"),
        ("fr", "d'accord", "yes"),
        ("vi", "không", "no"),
        ("vi", "đúng", "yes"),
    ],
)
def test_yes_and_no(language: str, answer: str, meant: str) -> None:
    assert value(Slot(Kind.YES_NO, "sure"), answer, language) == meant


@pytest.mark.parametrize(
    ("slot", "answer", "understood"),
    [
        (Slot(Kind.ACCOUNT, "account", least=10, most=10), "1234-567 890", "1234567890"),
        (Slot(Kind.ACCOUNT, "account", least=10, most=10), "１２３４５６７８９０", "1234567890"),
        (Slot(Kind.ACCOUNT, "account", least=10, most=10), "12", "! You gave 2 digits. It has 10."),
        (Slot(Kind.ACCOUNT, "account"), "hello", "! An account number has digits, and perhaps letters."),
        (Slot(Kind.DIGITS, "meter", least=4, most=6), "1", "! You gave 1 digit. It has 4 to 6."),
        (Slot(Kind.DIGITS, "meter"), "four", "! Please give digits only."),
        (Slot(Kind.DIGITS, "card", check="luhn"), "4111 1111 1111 1111", "4111111111111111"),
        (
            Slot(Kind.DIGITS, "card", check="luhn"),
            "4111 1111 1111 1112",
            "! One of the digits must be wrong: please check them.",
        ),
        (Slot(Kind.PHONE, "number"), "(360) 555-0142", "+13605550142"),
        (Slot(Kind.PHONE, "number"), "+44 20 7946 0018", "+442079460018"),
        (Slot(Kind.PHONE, "number"), "12", "! That is no telephone number. Please give it with its area code."),
        (Slot(Kind.EMAIL, "mailbox"), "Ann@Example.ORG.", "ann@example.org"),
        (Slot(Kind.EMAIL, "mailbox"), "ann at example dot org", "ann@example.org"),
        (Slot(Kind.EMAIL, "mailbox"), "ann", "! An email address looks like name@example.org."),
        (Slot(Kind.NAME, "name"), "  Nguyễn Văn   An ", "Nguyễn Văn An"),
        (Slot(Kind.NAME, "name"), "<script>alert(1)</script>", "! Please give a name."),
        (Slot(Kind.NAME, "name"), "🙂🙂", "! Please give a name."),
        (Slot(Kind.ADDRESS, "home"), "1 Main St, Harbor, WA 98250", "1 Main St\nHarbor\nWA 98250"),
        (Slot(Kind.ADDRESS, "home"), "here", "! Please give the whole address: street, number, place and postal code."),
        (Slot(Kind.TEXT, "what"), "x" * 5000, "! That is too long: at most 4,000 characters."),
        (Slot(Kind.TEXT, "what"), "🙂", "! Please say it in words."),
        (Slot(Kind.TEXT, "what"), " \x00\x07 ", "! I did not get anything."),
        (Slot(Kind.SECRET, "pin", least=4, most=4), "12 34", "1234"),
        (Slot(Kind.SECRET, "pin", least=4, most=4), "12345", "! That does not have the right length."),
    ],
)
def test_answers(slot: Slot, answer: str, understood: str) -> None:
    assert value(slot, answer) == understood


@given(st.sampled_from(Kind), st.text(max_size=200))
def test_no_answer_makes_it_stumble(kind: Kind, answer: str) -> None:
    slot = Slot(kind, "it", choices={"a": {"en": "Apples"}, "b": {"en": "Bread"}})
    with speaking("en"):
        found = read(slot, answer, TODAY)
    assert isinstance(found, Wrong) or (found.value and found.kind is kind)


@pytest.mark.parametrize(
    ("language", "words", "meant"),
    [
        ("en", "0", Reserved.PERSON),
        ("en", "I want to talk to a person please", Reserved.PERSON),
        ("en", "Agent!", Reserved.PERSON),
        ("es", "quiero hablar con una persona", Reserved.PERSON),
        ("de", "Ich möchte mit einem Mitarbeiter sprechen", Reserved.PERSON),
        ("fr", "parler à un conseiller", Reserved.PERSON),
        ("vi", "tôi muốn gặp nhân viên", Reserved.PERSON),
        ("en", "*", Reserved.AGAIN),
        ("de", "Noch einmal", Reserved.AGAIN),
        ("en", "my agent number is 12", None),
        ("en", "stop", None),
        ("en", "10", None),
    ],
)
def test_words_that_are_never_an_answer(language: str, words: str, meant: Reserved | None) -> None:
    with speaking(language):
        assert reserved(words)[0] is meant


def test_words_of_the_wire_are_left_to_it() -> None:
    assert reserved("STOP", text_messages=True)[0] is Reserved.STOP
    assert reserved("help", text_messages=True)[0] is Reserved.HELP
    assert reserved("12345 GA", typed=True) == (None, "12345")
    assert reserved("THANK YOU SK", typed=True) == (Reserved.ENDS, "THANK YOU")
    assert reserved("GA", typed=True)[0] is Reserved.TURN
    assert reserved("GEORGIA GA", typed=False) == (None, "GEORGIA GA")


def test_values_are_shown_and_said_in_the_language() -> None:
    due, until = Value(Kind.MONEY, "1234.50", "USD"), Value(Kind.DATE, "2026-02-03")
    with speaking("de"):
        assert (shown(due), shown(until)) == ("1.234,50 $", "3. Februar 2026")
    with speaking("en"):
        assert said(due) == "1234 US dollars and 50 cents"
        assert said(Value(Kind.ACCOUNT, "1234567890")) == "1 2 3, 4 5 6, 7 8 9 0"
    assert [groups("1" * n) for n in (4, 5, 7)] == [["1111"], ["111", "11"], ["111", "1111"]]


def test_what_a_customer_says_is_no_template_and_no_secret_is_put() -> None:
    slots = {"name": Value(Kind.NAME, "{pin}"), "pin": Value(Kind.SECRET, "1234")}
    assert filled("Hello {name}. {pin}{missing}{0.__class__}", slots, shown) == "Hello {pin}. {0.__class__}"
