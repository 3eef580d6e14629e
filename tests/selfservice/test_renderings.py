"""One turn in every rendering."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from everyline.articles.wordings import Wording, segments
from everyline.channels.phone.asked import Asked
from everyline.selfservice.flows import Ask, Done, Flow, Say, words
from everyline.selfservice.renderings import typed, voice
from everyline.selfservice.renderings.chat import Reply
from everyline.selfservice.renderings.fields import field_of
from everyline.selfservice.renderings.seam import Setting
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.trials import RENDERINGS, Trial
from everyline.selfservice.walking import Asks, Offered, State, Turn, Utterance
from tests.selfservice.conftest import outside

pytestmark = pytest.mark.req("V3", "W4")


def at_menu(flow: Flow, *answers: str, language: str = "en") -> Trial:
    trial = Trial.of(flow, outside, language=language)
    for answer in answers:
        trial.say(answer)
    return trial


def asking(slot: Slot, said: str = "Tell us.") -> Trial:
    return Trial.of(Flow("one", start="a", steps=(Ask("a", words=words(said), slot=slot, to="b"), Done("b"))), outside)


def test_a_menu_everywhere(water: Flow) -> None:
    trial = at_menu(water)
    shown = {name: trial.rendered(name, Setting(brand="Harbor")).as_text().splitlines() for name in RENDERINGS}
    begin = ["Welcome to Harbor Water.", "What do you need?"]
    assert shown["chat"] == [*begin, "[My bill] [No water] [Nothing else]"]
    assert shown["page"] == [*begin, "( ) My bill", "( ) No water", "( ) Nothing else"]
    assert shown["voice"] == [
        *begin,
        "For My bill, press 1.",
        "For No water, press 2.",
        "For Nothing else, press 3.",
        "For a person, press 0.",
    ]
    assert shown["text"] == [
        f"Harbor: {begin[0]}",
        begin[1],
        "1 My bill",
        "2 No water",
        "3 Nothing else",
        "Reply with a number.",
    ]
    assert shown["typed"] == [
        "WELCOME TO HARBOR WATER.",
        "WHAT DO YOU NEED?",
        "1 MY BILL",
        "2 NO WATER",
        "3 NOTHING ELSE",
        "TYPE A NUMBER GA",
    ]


def test_the_same_answer_leads_the_same_way_in_every_rendering(water: Flow) -> None:
    """A button, a number by text, a key and a typed word are one answer."""
    ways = set()
    for answer in ("1", "My bill", "balance", "1 GA", "MY BILL GA"):
        trial = Trial.of(water, outside)
        trial.say(answer, typed=answer.endswith("GA"))
        ways.add(trial.state.step)
    assert ways == {"who"}


def test_an_amount_is_written_and_said_as_each_needs(water: Flow) -> None:
    trial = at_menu(water, "bill", "1234567890")
    assert "You owe $41.50 until February 3, 2026." in trial.rendered("chat").as_text()
    assert "You owe 41 US dollars and 50 cents until February 3, 2026." in trial.rendered("voice").as_text()
    assert "YOU OWE $41.50 UNTIL FEBRUARY 3,\n2026." in trial.rendered("typed").as_text()
    assert (
        "Debe 41,50 US$ hasta el 3 de febrero de 2026."
        in at_menu(water, "Mi factura", "1234567890", language="es").rendered("text").as_text()
    )


@pytest.mark.parametrize(("most", "kind"), [(None, "textarea"), (400, "textarea"), (40, "text")])
def test_what_is_short_is_typed_on_one_line(most: int | None, kind: str) -> None:
    assert field_of(Slot(Kind.TEXT, "time", most=most)).kind == kind


def test_what_was_wrong_belongs_to_the_field_of_a_page(water: Flow) -> None:
    page = at_menu(water, "bill", "12").rendered("page")
    assert (page.fault, page.question) == ("You gave 2 digits. It has 10.", "What is your 10-digit account number?")  # type: ignore[attr-defined]  # -- a page's
    assert page.patience is None


def test_buttons_name_what_they_mean(water: Flow) -> None:
    assert at_menu(water).rendered("chat").replies[0] == Reply("bill", "My bill")  # type: ignore[attr-defined]  # -- a chat's


@pytest.mark.parametrize(
    ("slot", "least", "most", "end", "back"),
    [
        (Slot(Kind.ACCOUNT, "a", least=10, most=10), 10, 10, "", True),
        (Slot(Kind.DIGITS, "a", least=4, most=6), 4, 6, "#", True),
        (Slot(Kind.DATE, "a"), 8, 8, "", True),
        (Slot(Kind.PHONE, "a"), 7, 15, "#", True),
        (Slot(Kind.SECRET, "a", least=4, most=4), 4, 4, "", False),
        (Slot(Kind.NAME, "a"), 0, 0, "", False),
    ],
)
def test_keys_by_ear(slot: Slot, least: int, most: int, end: str, back: bool) -> None:
    turn = voice.render(asking(slot).turns[-1], Setting())
    assert turn.keys is not None
    assert (turn.keys.least, turn.keys.most, turn.keys.end, turn.reads_back) == (least, most, end, back)
    assert (turn.keys.person, turn.keys.again, turn.silent_recording) == ("0", "*", slot.secret)


def heard(turn: voice.VoiceTurn) -> Asked:
    """As the telephone gets it."""
    return Asked.of(json.loads(json.dumps(turn.as_json())))


def test_what_the_telephone_plays_is_what_was_rendered(water: Flow) -> None:
    menu = at_menu(water, "nothing of that")
    asked = heard(voice.render(menu.turns[-1], Setting()))
    assert asked.tries == 1
    assert asked.prompts[0] == "I did not understand that."
    assert (asked.options, asked.asks, asked.barge_in, asked.person, asked.again) == (
        ("1", "2", "3"),
        True,
        True,
        "0",
        "*",
    )
    pin = heard(voice.render(asking(Slot(Kind.SECRET, "pin", least=4, most=4)).turns[-1], Setting()))
    assert (pin.secret, pin.reads_back, pin.listens, pin.least, pin.most) == (True, False, "secret", 4, 4)
    owed = heard(voice.render(asking(Slot(Kind.MONEY, "sum", currency="EUR")).turns[-1], Setting()))
    assert (owed.unit, owed.end, owed.reads_back) == ("EUR", "#", True)
    assert heard(voice.render(at_menu(water, "Nothing else").turns[-1], Setting())).asks is False


def test_only_the_question_is_repeated(water: Flow) -> None:
    asked = heard(voice.render(at_menu(water).turns[-1], Setting()))
    assert asked.prompts[0] == "Welcome to Harbor Water."
    assert asked.question[0] == "What do you need?"


@pytest.mark.parametrize(
    ("slot", "how"),
    [
        (Slot(Kind.DATE, "a"), "Type two digits for the month, two for the day, and four for the year."),
        (Slot(Kind.PHONE, "a"), "At the end, press the pound key."),
        (Slot(Kind.DIGITS, "a", least=2, most=6), "At the end, press the pound key."),
        (Slot(Kind.MONEY, "a", currency="VND"), "At the end, press the pound key."),
        (Slot(Kind.DIGITS, "a", least=6, most=6), "Tell us."),
    ],
)
def test_it_is_said_how_an_answer_is_keyed(slot: Slot, how: str) -> None:
    assert voice.render(asking(slot).turns[-1], Setting()).prompts[-1] == how


def test_yes_and_no_have_keys_wherever_they_are_asked_for() -> None:
    trial = asking(Slot(Kind.YES_NO, "a"))
    turn = voice.render(trial.turns[-1], Setting())
    assert turn.prompts == ("Tell us.", "For Yes, press 1.", "For No, press 2.")
    trial.say("2")
    assert trial.state.slots["a"].value == "no"


def test_the_way_to_a_person_is_said_once_and_last() -> None:
    options = [("bill", "My bill"), ("water", "No water"), ("agent", "A person")]
    asks = Asks("a", tuple(Offered(name, {"full": label}) for name, label in options))
    turn = Turn(State("f", 1, "a"), (Utterance("a", {"full": "What?"}),), asks)
    assert voice.render(turn, Setting()).prompts[-1] == "For A person, press 3."
    many = replace(asks, options=tuple(Offered(f"o{n}", {"full": f"Thing {n}"}) for n in range(12)))
    prompts = voice.render(replace(turn, asks=many), Setting()).prompts
    assert prompts[-2:] == ("For Thing 8, press 9.", "For a person, press 0."), "what has no key, a person has"
    two = replace(asks, options=asks.options[:2])
    assert voice.render(replace(turn, asks=two), Setting()).prompts[-1] == "For No water, press 2."
    again = replace(two, tries=1)
    assert voice.render(replace(turn, asks=again), Setting()).prompts[-1] == "For a person, press 0."


@pytest.mark.parametrize("kind", [Kind.NAME, Kind.ADDRESS, Kind.EMAIL, Kind.TEXT])
def test_what_cannot_be_keyed_goes_to_a_person_or_to_the_website(kind: Kind) -> None:
    turn = asking(Slot(kind, "a"), "Where do you live?").turns[-1]
    assert voice.needs_another_way(turn, Setting())
    alone = voice.render(turn, Setting())
    assert alone.prompts == (
        "Where do you live?",
        "This cannot be typed on a telephone. To tell it to a person, press 0.",
    )
    coded = voice.render(turn, Setting(code="4F7K-9QXM"))
    assert (
        coded.prompts[2]
        == "Or go on by yourself: on our website, under “Do it online”, type this code: 4 F 7 K, 9 Q X M."
    )
    understood = voice.render(turn, Setting(listens=True))
    assert (understood.prompts, understood.listens) == (("Where do you live?",), kind)
    assert not voice.needs_another_way(turn, Setting(listens=True))


def test_answers_that_are_offered_have_keys_that_stand_for_their_words() -> None:
    asks = Asks("a", slot=Slot(Kind.TEXT, "a"))
    told = (Utterance("a", {"full": "Did this help?"}, offers=("Yes, thank you", "A person")),)
    asked = heard(voice.render(Turn(State("f", 1, "a"), told, asks), Setting()))
    assert asked.prompts == ("Did this help?", "For Yes, thank you, press 1.", "For A person, press 2.")
    assert asked.says == {"1": "Yes, thank you", "2": "A person"}


def test_where_it_is_listened_to_it_is_said_once_that_one_can_speak(water: Flow) -> None:
    hears = Setting(listens=True)
    first = voice.render(at_menu(water).turns[-1], hears)
    assert "You can also say what you want." in first.prompts
    assert [name for _label, name in first.speech] == list(first.keys.options.values() if first.keys else ())
    assert "You can also say what you want." not in voice.render(at_menu(water, "nope").turns[-1], hears).prompts
    number = voice.render(asking(Slot(Kind.DIGITS, "a", least=2, most=6)).turns[-1], hears)
    assert number.prompts == ("Tell us.", "Say it, or type it on your telephone.", "At the end, press the pound key.")
    pin = voice.render(asking(Slot(Kind.SECRET, "a", least=4, most=4)).turns[-1], hears)
    assert pin.prompts == ("Tell us.",), "a secret is keyed"
    told = (Utterance("a", {"full": "Did this help?"}, offers=("Yes, thank you", "A person")),)
    offered = heard(voice.render(Turn(State("f", 1, "a"), told, Asks("a", slot=Slot(Kind.TEXT, "a"))), hears))
    assert (offered.options, offered.listens) == (("1", "2"), "text"), "what is offered, or anything else"
    assert offered.speech == (("Yes, thank you", "Yes, thank you"), ("A person", "A person"))


def test_a_secret_is_not_asked_for_by_text_message() -> None:
    trial = asking(Slot(Kind.SECRET, "pin"), "Your PIN?")
    text = trial.rendered("text", Setting(link="https://harbor.example/g/x7")).as_text()
    assert text == "This cannot be taken safely by text message. Please go on here: https://harbor.example/g/x7"
    assert "[" in trial.rendered("chat").as_text()


def test_long_words_are_cut_where_they_can_be() -> None:
    flow = Flow("long", start="a", steps=(Say("a", words=words("Water " * 400), to="b"), Done("b")))
    text = Trial.of(flow, outside).rendered("text")
    assert len(text.messages) > 1  # type: ignore[attr-defined]  # -- a text's
    assert all(segments(one).parts <= 6 for one in text.messages)  # type: ignore[attr-defined]  # -- a text's
    assert " ".join(text.messages).split() == ["Water"] * 400  # type: ignore[attr-defined]  # -- a text's


def test_a_tty_gets_what_it_can_show_and_the_turn() -> None:
    flow = Flow("odd", start="a", steps=(Say("a", words=words("Größe & “Zoë” ¿50%? 🙂 a_b @ c"), to="b"), Done("b")))
    turn = typed.render(Trial.of(flow, outside).turns[-1], Setting())
    assert turn.rows == ('GROSSE AND "ZOE" 50 PERCENT? A B', "AT C SK")
    assert all(len(row) <= typed.COLUMNS for row in turn.rows)
    assert turn.seconds == 7
    both = typed.render(Trial.of(flow, outside).turns[-1], Setting(in_turns=False))
    assert both.rows[-1] == "AT C", "who can type at any time needs no sign"


def test_time_to_answer_is_what_each_way_takes(water: Flow) -> None:
    trial = at_menu(water)
    patience = {name: trial.rendered(name).patience for name in RENDERINGS}
    assert patience == {"chat": 120, "text": 86_400, "page": None, "voice": 5, "typed": 30 + 2 * 17}


def test_a_wording_of_its_own_is_taken_where_there_is_one() -> None:
    own = {
        "en": {
            Wording.FULL: "See **the page** below.",
            Wording.SPOKEN: "Please listen.",
            Wording.SHORT: "See page.",
            Wording.CHAT: "See below.",
        }
    }
    flow = Flow("own", start="a", steps=(Say("a", words=own, to="b"), Done("b")))
    said = {name: Trial.of(flow, outside).rendered(name).as_text() for name in RENDERINGS}
    assert said == {
        "chat": "See below.",
        "page": "See **the page** below.",
        "voice": "Please listen.",
        "text": "See page.",
        "typed": "SEE BELOW. SK",
    }
