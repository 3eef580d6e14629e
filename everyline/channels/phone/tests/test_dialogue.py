"""Turns by ear, key by key: what is said, what is understood, and that nobody is ever stuck."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everyline.channels.phone.asked import Asked
from everyline.channels.phone.dialogue import MOST_AHEAD, Dialogue
from everyline.channels.phone.effects import Answer, Effect, GiveUp, Person, Play, StopPlaying
from everyline.ground import aloud

pytestmark = pytest.mark.req("V3")


def menu(**values: Any) -> dict[str, Any]:
    keys = {"least": 1, "most": 1, "options": {"1": "bill", "2": "water"}, "person": "0", "again": "*"}
    prompts = ["Welcome.", "What do you need?", "For my bill, press 1.", "For no water, press 2."]
    return {"prompts": prompts, "question": 1, "keys": {**keys, **values.pop("keys", {})}, **values}


def digits(least: int, most: int, *, listens: str = "account", **values: Any) -> dict[str, Any]:
    keys = {"least": least, "most": most, "end": "" if least == most else "#", "person": "0", "again": "*"}
    secret = listens == "secret"
    return {
        "prompts": ["Your number, please."],
        "keys": keys,
        "listens": listens,
        "reads_back": not secret,
        "silent_recording": secret,
        **values,
    }


class Caller:
    """Somebody on the telephone, who hears all of what is played unless they press a key."""

    def __init__(self, turn: dict[str, Any], *, ahead: str = "", language: str = "en") -> None:
        self.dialogue, self.at = Dialogue(turn, language, ahead=ahead), 100.0
        self.effects: list[Effect] = []
        self._heard(self.dialogue.begin(self.at))

    def _heard(self, effects: Iterable[Effect]) -> list[Effect]:
        found = list(effects)
        self.effects += found
        return found

    def press(self, keys: str) -> list[Effect]:
        found: list[Effect] = []
        for key in keys:
            self.at += 0.4
            found += self._heard(self.dialogue.key(key, self.at))
        return found

    def listen(self) -> list[Effect]:
        self.at += 6
        return self._heard(self.dialogue.prompts_ended(self.at))

    def wait(self) -> list[Effect]:
        """Silence until something happens; what is played is heard."""
        due = self.dialogue.due()
        if due is None:
            return self.listen()
        self.at = max(due, self.at)
        return self._heard(self.dialogue.tick(self.at))

    @property
    def said(self) -> list[str]:
        """What was begun to be played last."""
        return list(next(one for one in reversed(self.effects) if isinstance(one, Play)).prompts)

    @property
    def answer(self) -> str:
        (found,) = [one for one in self.effects if isinstance(one, Answer)]
        return found.text


def test_a_key_cuts_the_menu_off_and_answers() -> None:
    caller = Caller(menu())
    assert caller.effects == [
        Play(("Welcome.", "What do you need?", "For my bill, press 1.", "For no water, press 2."))
    ]
    assert caller.press("2") == [StopPlaying(), Answer("2")]
    assert caller.dialogue.done
    assert caller.dialogue.due() is None


def test_who_is_silent_gets_more_help_each_time_and_then_a_person() -> None:
    caller = Caller(menu())
    caller.listen()
    assert caller.dialogue.due() == caller.at + 5
    caller.wait()
    first = caller.said
    assert first == ["I did not hear a key.", "What do you need?", "For my bill, press 1.", "For no water, press 2."]
    caller.listen()
    caller.wait()
    assert len(caller.said) > len(first)
    assert "For a person, press 0." in caller.said
    caller.listen()
    caller.wait()
    assert caller.said == ["I did not hear a key.", "I am putting you through to a person."]
    assert not caller.dialogue.done
    assert caller.listen() == [Person()]


def test_wrong_keys_have_a_ladder_of_their_own_and_where_nobody_is_there_it_ends() -> None:
    caller = Caller(menu(keys={"person": ""}))
    for n in range(2):
        assert caller.press("7")[0] == StopPlaying(), n
        assert caller.said[0] == "That key means nothing here."
    caller.press("7")
    assert caller.said[-1] == "I am sorry that this did not work. Goodbye."
    assert caller.listen() == [GiveUp()]


def test_nought_is_a_person_in_a_menu_and_a_digit_among_digits() -> None:
    assert Caller(menu()).press("0") == [StopPlaying(), Person()]
    caller = Caller(digits(4, 4))
    caller.press("0123")
    caller.press("1")
    assert caller.answer == "0123"
    alone = Caller(digits(4, 4))
    alone.press("0")
    assert alone.wait() == [Person()], "nought and then nothing: who cannot type the number wants somebody"
    assert Caller(digits(4, 6)).press("0#")[-1] == Person()


def test_digits_are_read_back_in_groups_and_can_be_typed_again() -> None:
    caller = Caller(digits(10, 10))
    caller.press("4122345678")
    assert caller.said == [
        "You typed 4 1 2, 2 3 4, 5 6 7 8.",
        "If that is right, press 1. To type it again, press 2.",
    ]
    caller.press("2")
    assert caller.said == ["Your number, please."]
    caller.press("4122345679")
    caller.press("1")
    assert caller.answer == "4122345679"


def test_digits_of_no_fixed_length_end_by_the_pound_key_or_by_silence() -> None:
    for end in ("#", ""):
        caller = Caller(digits(4, 6))
        caller.press("12345" + end)
        if not end:
            caller.wait()
        assert caller.said[0] == "You typed 1 2 3, 4 5."
    whole = Caller(digits(4, 6))
    whole.press("123456")
    assert whole.said[0] == "You typed 1 2 3, 4 5 6.", "no more can come"
    whole.press("#1")
    assert whole.answer == "123456", "the pound key by habit says nothing"


def test_too_few_digits_are_counted_or_kept() -> None:
    caller = Caller(digits(10, 10))
    caller.press("412#")
    assert caller.said == ["You typed 3 digits. It has 10.", "Your number, please."]
    caller.press("412")
    caller.wait()
    assert caller.said == [
        "Your number, please.",
        "So far you typed 4 1 2. Type the rest now, or press the star key to begin anew.",
    ]
    caller.press("2345678")
    caller.press("1")
    assert caller.answer == "4122345678", "who looks for the rest of a number loses nothing"


def test_the_star_key_says_it_again_and_loses_no_digit_that_was_not_told() -> None:
    caller = Caller(digits(10, 10))
    caller.press("412*")
    assert caller.said[-1].startswith("So far you typed 4 1 2.")
    caller.press("2345678")
    assert caller.said[0] == "You typed 4 1 2, 2 3 4, 5 6 7 8."
    caller.press("*")
    assert caller.said[0] == "You typed 4 1 2, 2 3 4, 5 6 7 8."
    anew = Caller(digits(4, 4))
    anew.press("41**1234")
    anew.press("1")
    assert anew.answer == "1234"
    assert Caller(menu()).press("*") == [StopPlaying(), Play(tuple(menu()["prompts"]))]


@pytest.mark.parametrize("typed", ["0316202", "031620261", "20260316000000", "00002200000000"])
def test_a_day_of_too_many_or_too_few_keys_is_none(typed: str) -> None:
    assert aloud.keyed_day(typed) is None


def test_a_day_is_read_back_as_one_and_answered_beyond_doubt() -> None:
    caller = Caller(digits(8, 8, listens="date"))
    caller.press("13452026")
    assert caller.said[0] == "That is no day."
    caller.press("01052026")
    assert caller.said[0] == "You typed January 5, 2026."
    caller.press("1")
    assert caller.answer == "2026-01-05"


def test_an_amount_is_typed_with_its_cents() -> None:
    caller = Caller(digits(1, 9, listens="money", unit="USD"))
    caller.press("4150#")
    assert caller.said[0] == "You typed 41 US dollars and 50 cents."
    caller.press("1")
    assert caller.answer == "41.50"
    whole = Caller(digits(1, 9, listens="money", unit="VND"))
    whole.press("4150#1")
    assert whole.answer == "4150"


def test_what_was_pressed_ahead_goes_through_the_whole_path() -> None:
    path = "1" + "4122345678" + "1" + "2"  # the third is the answer to what is read back
    answers: list[str] = []
    ahead = path
    for turn in (menu(), digits(10, 10), menu()):
        caller = Caller(turn, ahead=ahead)
        assert not any(isinstance(one, Play) for one in caller.effects), "who knows the way hears none of it"
        answers.append(caller.answer)
        ahead = caller.dialogue.ahead
    assert answers == ["1", "4122345678", "2"]
    assert ahead == ""


def test_keys_after_the_answer_are_for_the_next_turn() -> None:
    caller = Caller(menu())
    caller.press("1412")
    assert caller.dialogue.ahead == "412"
    following = Caller(digits(4, 4), ahead="412")
    assert following.effects == []
    assert following.dialogue.due() == following.at + 3
    following.press("2")
    assert following.said[0] == "You typed 4 1 2 2."


def test_what_was_meant_for_something_else_is_not_held_against_anybody() -> None:
    caller = Caller(menu(), ahead="777")
    assert caller.effects == [Play(tuple(menu()["prompts"]))]
    assert caller.dialogue.ahead == ""
    again = Caller(menu(tries=1), ahead="1")
    assert again.effects == [Play(tuple(menu()["prompts"]))], "the same is asked again: it was wrong"
    back = Caller(digits(4, 4), ahead="12345678")
    assert back.said[0] == "You typed 1 2 3 4."
    assert back.dialogue.ahead == ""


def test_a_key_can_stand_for_words() -> None:
    assert Caller(menu(keys={"says": {"1": "My bill"}})).press("1")[-1] == Answer("My bill")


def test_what_follows_a_mistake_typed_ahead_is_dropped_and_repeating_has_an_end() -> None:
    caller = Caller(digits(10, 10), ahead="12#" + "4122345678" + "1")
    assert caller.said == ["You typed 2 digits. It has 10.", "Your number, please."]
    assert not caller.dialogue.done
    assert caller.dialogue.ahead == ""
    stuck = Caller(menu())
    stuck.press("*" * 21)
    assert stuck.said == ["I cannot help you here.", "I am putting you through to a person."]
    assert stuck.listen() == [Person()]


def test_what_only_tells_is_heard_to_its_end_and_keys_wait() -> None:
    caller = Caller({"prompts": ["You owe 41 dollars."], "keys": None, "barge_in": False}, ahead="1")
    assert caller.press("2") == []
    assert caller.listen() == []
    assert caller.dialogue.done
    assert caller.dialogue.ahead == "12"
    assert Caller({"prompts": [], "keys": None}).dialogue.done
    held = Caller(menu(barge_in=False))
    assert held.press("1") == []
    assert held.listen() == [Answer("1")]


def test_a_secret_is_said_by_nobody() -> None:
    caller = Caller(digits(4, 4, listens="secret"))
    assert caller.dialogue.secret
    caller.press("73")
    caller.wait()
    assert caller.said[-1].startswith("So far you typed 2 digits.")
    assert caller.press("91")[-1] == Answer("7391", secret=True)
    assert "7391" not in repr(caller.effects[-1])


def test_it_is_said_in_the_language_of_the_call() -> None:
    caller = Caller(digits(4, 4), language="es")
    caller.press("1234")
    assert caller.said[0] == "Ha marcado 1 2 3 4."


def test_what_a_turn_does_not_say_is_left_out() -> None:
    assert Asked.of({}) == Asked((), (), asks=False)
    assert not Caller({"prompts": ["x"], "keys": {}}).dialogue.done


# --- whatever is keyed

_turns = st.one_of(
    st.builds(
        lambda tries, person: menu(tries=tries, keys={"person": person}), st.integers(0, 2), st.sampled_from(["0", ""])
    ),
    st.builds(
        lambda least, more, listens, barge_in: digits(least, least + more, listens=listens, barge_in=barge_in),
        st.integers(1, 12),
        st.integers(0, 5),
        st.sampled_from(["account", "digits", "phone", "date", "money", "secret"]),
        st.booleans(),
    ),
    st.just({"prompts": ["It cannot be typed."], "keys": {"least": 0, "most": 0, "person": "0", "again": "*"}}),
    st.just({"prompts": ["Goodbye."], "keys": None, "barge_in": False}),
)
_happenings = st.lists(st.sampled_from([*"0123456789*#A", "ended", "wait", "early"]), max_size=60)


@given(_turns, _happenings, st.text("0123456789*#", max_size=80))
@settings(max_examples=300, deadline=None)
def test_nobody_is_ever_stuck(turn: dict[str, Any], happenings: list[str], ahead: str) -> None:
    caller = Caller(turn, ahead=ahead)
    playing = any(isinstance(one, Play) for one in caller.effects)
    for one in happenings:
        if one == "ended":
            found = caller.listen()
            playing = False
        elif one == "wait":
            playing = playing and caller.dialogue.due() is not None
            found = caller.wait()
        elif one == "early":
            found = caller._heard(caller.dialogue.tick(caller.at))
        else:
            found = caller.press(one)
        for effect in found:
            playing = isinstance(effect, Play) or (playing and not isinstance(effect, StopPlaying))
        assert caller.dialogue.done or playing or caller.dialogue.due() is not None
        assert len(caller.dialogue.ahead) <= MOST_AHEAD
    over = 0
    while not caller.dialogue.done:
        caller.wait()
        over += 1
        assert over < 30, "silence leads on, and soon"
    ends = [one for one in caller.effects if isinstance(one, Answer | Person | GiveUp)]
    assert len(ends) == (0 if turn["keys"] is None else 1)


@given(st.text("123456789", min_size=4, max_size=4), _happenings)
@settings(max_examples=200, deadline=None)
def test_a_secret_is_in_nothing_but_its_answer(pin: str, happenings: list[str]) -> None:
    caller = Caller(digits(4, 4, listens="secret"))
    for key in pin[:3]:
        caller.press(key)
    for one in happenings:
        if one == "wait":
            caller.wait()
        elif one == "ended":
            caller.listen()
        elif len(one) == 1:
            caller.press(one)
    shown = [effect for effect in caller.effects if not isinstance(effect, Answer)]
    assert all(effect.secret for effect in caller.effects if isinstance(effect, Answer))
    words = " ".join(prompt for effect in shown if isinstance(effect, Play) for prompt in effect.prompts)
    assert " ".join(pin[:3]) not in words
    assert pin[:3] not in words


@given(st.text("0123456789", min_size=10, max_size=10), st.sets(st.integers(1, 9)))
@settings(max_examples=200, deadline=None)
def test_the_star_key_anywhere_among_digits_changes_none(number: str, stars: set[int]) -> None:
    caller = Caller(digits(10, 10))
    for n, key in enumerate(number):
        caller.press("*" * (n in stars) + key)
    caller.press("1")
    assert caller.answer == number


@given(
    st.lists(st.tuples(st.sampled_from("12"), st.text("0123456789", min_size=6, max_size=6)), min_size=1, max_size=5)
)
@settings(max_examples=100, deadline=None)
def test_any_path_typed_ahead_is_the_path_that_is_gone(path: list[tuple[str, str]]) -> None:
    ahead = "".join(f"{choice}{number}1" for choice, number in path)[:MOST_AHEAD]
    for choice, number in path:
        if len(ahead) < 8:
            break
        first = Caller(menu(), ahead=ahead)
        assert first.answer == choice
        second = Caller(digits(6, 6), ahead=first.dialogue.ahead)
        assert second.answer == number
        ahead = second.dialogue.ahead
