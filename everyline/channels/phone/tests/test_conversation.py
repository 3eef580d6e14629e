"""Turns that can be answered by speaking: what is meant by what was said, and that keys mean what they always do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everyline.channels.phone.asked import Asked
from everyline.channels.phone.conversation import Conversation
from everyline.channels.phone.effects import Answer, Effect, GiveUp, Person, Play, StopPlaying
from everyline.channels.phone.tests.test_dialogue import digits
from everyline.channels.phone.tests.test_dialogue import menu as by_keys
from everyline.channels.phone.understanding import Digits, Key, Nothing, Wish, Words, likely, spoken_digits, understood
from everyline.ground.words import speaking

pytestmark = pytest.mark.req("V3")
LABELS = (("Pay my bill.", "bill"), ("Report a water leak.", "leak"), ("No water", "dry"))


def menu(**values: Any) -> dict[str, Any]:
    options = {str(n): name for n, (_label, name) in enumerate(LABELS, 1)}
    return by_keys(keys={"options": options}, speech=[list(one) for one in LABELS], **values)


def words(listens: str, **values: Any) -> dict[str, Any]:
    keys = {"least": 0, "most": 0, "person": "0", "again": "*"}
    return {"prompts": ["Tell us."], "keys": keys, "listens": listens, **values}


class Caller:
    """Somebody who hears all of what is played unless they cut it off."""

    def __init__(self, turn: dict[str, Any], *, language: str = "en", heard: bool = True, ahead: str = "") -> None:
        self.dialogue, self.at = Conversation(turn, language, heard=heard, ahead=ahead), 100.0
        self.effects: list[Effect] = []
        self.took(self.dialogue.begin(self.at))

    def took(self, effects: Iterable[Effect]) -> list[Effect]:
        found = list(effects)
        self.effects += found
        return found

    def listens(self) -> list[Effect]:
        self.at += 6
        return self.took(self.dialogue.prompts_ended(self.at))

    def says(self, text: str, *, sure: bool = True) -> list[Effect]:
        self.at += 1
        found = self.took(self.dialogue.spoke(self.at))
        return found + self.took(self.dialogue.words(text, self.at + 1, sure=sure))

    def makes_noise(self, *, deaf: bool = False) -> list[Effect]:
        self.at += 1
        found = self.took(self.dialogue.spoke(self.at))
        return found + self.took(self.dialogue.unheard(self.at + 1, deaf=deaf))

    def presses(self, keys: str) -> list[Effect]:
        self.at += 1
        return [effect for key in keys for effect in self.took(self.dialogue.key(key, self.at))]

    def waits(self) -> list[Effect]:
        due = self.dialogue.due()
        if due is None:
            return self.listens()
        self.at = max(due, self.at)
        return self.took(self.dialogue.tick(self.at))

    @property
    def said(self) -> list[str]:
        """What was begun to be played last."""
        return list(next(one for one in reversed(self.effects) if isinstance(one, Play)).prompts)


def meant(turn: dict[str, Any], text: str, *, sure: bool = True, language: str = "en", confirming: bool = False) -> Any:
    with speaking(language):
        return understood(Asked.of(turn).as_heard(heard=True), text, sure=sure, confirming=confirming)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Pay my bill.", Key("1")),
        ("pay my bill please", Key("1")),
        ("I want to report a leak", Key("2")),
        ("the water leak", Key("2")),
        ("bill", Key("1")),
        ("Three.", Key("3")),
        ("press two", Key("2")),
        ("number 2", Key("2")),
        ("seven", Nothing()),
        ("water", Nothing()),  # two of them
        ("what is the weather", Nothing()),
        ("Agent!", Wish(person=True)),
        ("I would like to speak to an agent.", Wish(person=True)),
        ("repeat", Wish(person=False)),
    ],
)
def test_options_are_meant_by_their_words_and_keys(text: str, means: Any) -> None:
    assert meant(menu(), text) == means


def test_of_what_was_not_heard_well_only_the_whole_words_count() -> None:
    assert meant(menu(), "Pay my bill", sure=False) == Key("1")
    assert meant(menu(), "two", sure=False) == Key("2")
    assert meant(menu(), "the bill of my water", sure=False) == Nothing()
    assert meant(words("text"), "the water is brown", sure=False) == Nothing()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Yes.", "1"),
        ("yeah, sure", "1"),
        ("no", "2"),
        ("No, that is wrong.", "2"),
        ("that's not right", "2"),
        ("hm", ""),
    ],
)
def test_yes_and_no(text: str, key: str) -> None:
    asked: dict[str, Any] = {"prompts": ["Sure?"], "keys": {"least": 1, "most": 1, "options": {"1": "yes", "2": "no"}}}
    asked["speech"] = [["Yes", "yes"], ["No", "no"]]
    assert meant(asked, text) == (Key(key) if key else Nothing())
    assert meant(digits(4, 4), text, confirming=True) == (Key(key) if key else Nothing())


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("four one two", "en", "412"),
        ("4, 1, 2, 5, 5.", "en", "41255"),
        ("412-555", "en", "412555"),
        ("double five oh for", "en", "5504"),
        ("my number", "en", None),
        ("cuatro uno dos", "es", "412"),
        ("vier, eins, zwo", "de", "412"),
        ("quatre un deux zéro", "fr", "4120"),
        ("bốn một hai", "vi", "412"),
    ],
)
def test_digits_are_heard_one_by_one(text: str, language: str, found: str | None) -> None:
    with speaking(language):
        assert spoken_digits(text) == found


def test_amounts_are_read_as_they_are_keyed() -> None:
    dollars = digits(1, 9, listens="money", unit="USD")
    assert meant(dollars, "$12.50") == Digits("1250")
    assert meant(dollars, "12 dollars and 50 cents") == Digits("1250")
    assert meant(dollars, "1,200 dollars") == Digits("120000")
    assert meant(dollars, "about 12 or 13 or 14") == Nothing()


def test_what_hears_is_told_which_words_may_come() -> None:
    asked = Asked.of(menu()).as_heard(heard=True)
    assert likely(asked)[:4] == ("Pay my bill", "Report a water leak", "No water", "one")
    assert likely(Asked.of(digits(4, 4)).as_heard(heard=True))[:2] == ("zero", "one")
    assert likely(asked, confirming=True) == ("yes", "no")


def test_an_option_is_said_and_what_is_played_is_cut_off() -> None:
    caller = Caller(menu())
    assert caller.says("report a leak") == [StopPlaying(), Answer("2", said=True)]
    assert caller.dialogue.done
    assert Caller(menu()).says("Operator")[-1] == Person()


def test_who_is_not_understood_gets_more_help_the_second_time_and_then_a_person() -> None:
    caller = Caller(menu())
    caller.says("the weather")
    assert caller.said[:2] == ["I did not understand that.", "What do you need?"]
    assert not any("also press" in one for one in caller.said)
    caller.says("the weather")
    assert any("You can also press one of the keys" in one for one in caller.said)
    caller.says("the weather")
    assert caller.said == ["I did not understand that.", "I am putting you through to a person."]
    assert caller.listens() == [Person()]


def test_said_digits_are_read_back_and_agreed_to_by_either_way() -> None:
    caller = Caller(digits(4, 4))
    caller.says("four one two two")
    assert caller.said[0] == "I understood: 4 1 2 2."
    assert caller.says("Yes.")[-1] == Answer("4122", said=True)
    other = Caller(digits(4, 4))
    other.says("four one two two")
    assert other.says("no")[-1] == Play(("Your number, please.",))
    other.says("four one two three")
    assert other.presses("1")[-1] == Answer("4123", said=True)


def test_digits_with_a_pause_in_them_are_one_number_and_keys_may_end_it() -> None:
    caller = Caller(digits(7, 7))
    caller.says("four one two")
    caller.presses("55")
    assert caller.said == ["Your number, please."]
    caller.says("51")
    assert caller.said[0] == "I understood: 4 1 2, 5 5 5 1."


def test_a_name_is_read_back_and_a_story_is_not() -> None:
    caller = Caller(words("name"))
    caller.says("Ada Lovelace.")
    assert caller.said[0] == "I understood: Ada Lovelace."
    assert caller.presses("1")[-1] == Answer("Ada Lovelace", said=True)
    story = Caller(words("text"))
    assert story.says("The water in my street is brown.")[-1] == Answer("The water in my street is brown.", said=True)


def test_noise_that_cut_off_the_prompts_brings_them_back_twice_and_then_cuts_off_nothing() -> None:
    caller = Caller(menu())
    for _time in range(2):
        assert caller.dialogue.interrupts
        assert isinstance(caller.makes_noise()[-1], Play)
    assert not caller.dialogue.interrupts
    caller.listens()
    assert caller.makes_noise() == [], "noise in silence is silence"
    assert caller.dialogue.due() is not None


def test_when_nothing_can_be_heard_keys_are_asked_for() -> None:
    caller = Caller(menu())
    caller.makes_noise(deaf=True)
    assert caller.said[0] == "I cannot listen just now. Please use the keys of your telephone."
    assert caller.presses("2")[-1] == Answer("2")


def test_a_secret_is_never_listened_to_and_without_an_ear_nothing_is() -> None:
    secret = Caller(digits(4, 4, listens="secret"))
    assert not secret.dialogue.hears
    assert secret.says("four one two two") == []
    deaf = Caller(menu(), heard=False)
    assert not deaf.dialogue.hears
    assert deaf.says("pay my bill") == []
    deaf.listens()
    deaf.waits()
    assert deaf.said[0] == "I did not hear a key."


_turns = st.one_of(
    st.builds(menu, tries=st.integers(0, 2), barge_in=st.booleans()),
    st.builds(
        lambda least, more, listens: digits(least, least + more, listens=listens),
        st.integers(1, 9),
        st.integers(0, 4),
        st.sampled_from(["account", "date", "money", "secret"]),
    ),
    st.builds(words, st.sampled_from(["name", "text", "address"])),
)
_said = st.sampled_from(
    ["yes", "no", "four one two", "pay my bill", "agent", "again", "June third", "$12.50", "hm", ""]
)
_happenings = st.lists(
    st.one_of(st.sampled_from([*"0129*#", "ended", "wait", "noise", "deaf"]), st.tuples(_said, st.booleans())),
    max_size=40,
)


@given(_turns, _happenings)
@settings(max_examples=300, deadline=None)
def test_nobody_is_ever_stuck(turn: dict[str, Any], happenings: list[Any]) -> None:
    caller = Caller(turn)
    playing = True
    for one in happenings:
        if isinstance(one, tuple):
            found = caller.says(one[0], sure=one[1])
        elif one == "ended":
            found, playing = caller.listens(), False
        elif one == "wait":
            playing = playing and caller.dialogue.due() is not None
            found = caller.waits()
        elif one in ("noise", "deaf"):
            found = caller.makes_noise(deaf=one == "deaf")
        else:
            found = caller.presses(one)
        for effect in found:
            playing = isinstance(effect, Play) or (playing and not isinstance(effect, StopPlaying))
        assert caller.dialogue.done or playing or caller.dialogue.due() is not None
    over = 0
    while not caller.dialogue.done:
        caller.waits()
        over += 1
        assert over < 30, "silence leads on, and soon"
    assert len([one for one in caller.effects if isinstance(one, Answer | Person | GiveUp)]) == 1


def test_what_is_no_answer_to_a_flow_is_read_by_the_flow() -> None:
    assert meant(words("date"), "June third") == Words("June third")
    assert meant(words("name"), "one") == Words("one")
