"""What no machine answers is seen in every language that is staffed, and what only sounds like it is not."""

from __future__ import annotations

from datetime import date

import pytest

from everyline.ground.installation import Ground
from everyline.ground.words import speaking
from everyline.selfservice.bot import Outcome, alarms, filling, following, setting, smalltalk
from everyline.selfservice.bot.masking import masked
from everyline.selfservice.slots import Kind, Slot
from tests.selfservice.bot_world import say

pytestmark = pytest.mark.req("W5")

DISTRESS = (
    "I want to kill myself",
    "i dont want to live anymore, what about my bill",
    "THERE IS A SMELL OF GAS IN MY HOUSE!!!",
    "my husband beats me",
    "my father is not breathing",
    "someone with a gun is at the counter",
    "Quiero matarme",
    "huele a gas en la cocina",
    "hay un incendio en la casa de al lado",
    "mi marido me pega",
    "Ich kann nicht mehr, ich will sterben",
    "bei uns riecht es stark: Gasgeruch im Keller",
    "er schlägt mich",
    "Es brennt!",
    "je ne veux plus vivre",
    "il y a une odeur de gaz",
    "mon voisin ne respire plus",
    "Tôi muốn chết",
    "có mùi gas trong nhà",
    "nhà tôi đang cháy nhà",
)
CALM = (
    "kill the weeds in my yard",
    "my bill is killing me",
    "carbon monoxide detector rules",
    "how do I get a death certificate",
    "my dog died",
    "mi perro murió, ¿qué hago con la licencia?",
    "gas line permit",
    "Wann kommt die Feuerwehr zur Brandschau?",
    "may I burn leaves",
    "dead tree on my land",
    "comment payer le gaz",
    "thanh toán tiền nước",
)
PERSON = (
    "agent please",
    "AGENT",
    "I want to talk to a real person",
    "can I speak to someone about my bill",
    "get me a human",
    "this is not helping, let me talk to a manager",
    "quiero hablar con una persona",
    "un agente por favor",
    "Ich möchte mit einem Mitarbeiter sprechen",
    "kann ich bitte mit jemandem reden",
    "je voudrais parler à un conseiller",
    "tôi muốn gặp nhân viên",
)
NO_PERSON = (
    "what does a real estate agent need",
    "can a person vote twice",
    "I need the operator manual",
    "need a person to sign my form",
    "permit for one person",
    "Wie viele Personen passen in den Saal?",
)


def test_distress_is_seen_and_nothing_else() -> None:
    assert [said for said in DISTRESS if not alarms.in_distress(said)] == []
    assert [said for said in (*CALM, *NO_PERSON, *PERSON) if alarms.in_distress(said)] == []


def test_who_wants_a_person_is_heard_and_nobody_else() -> None:
    assert [said for said in PERSON if not alarms.wants_person(said)] == []
    assert [said for said in (*CALM, *NO_PERSON) if alarms.wants_person(said)] == []


def test_a_house_adds_words_of_its_own() -> None:
    assert not alarms.in_distress("the dam is breaking")
    assert alarms.in_distress("Help, the DAM is breaking!", ["dam is break*"])
    assert not alarms.in_distress("madam is breaking even", ["dam is break*"])


async def test_distress_goes_to_a_person_with_the_words_of_the_house(ground: Ground) -> None:
    plain = await say(ground, "I want to die")
    assert plain.outcome is Outcome.DISTRESS
    assert "A person is coming" in plain.words
    facts = {"address": "", "model": "", "key": None, "seconds": 8.0, "price_in": 0, "price_out": 0}
    async with ground.database.transaction() as tx:
        await setting.save(
            tx,
            None,
            ground.vault,
            distress={"en": ("levee broke",)},
            comfort={"en": "We are with you at once.", "es": "Enseguida estamos con usted."},
            phone="988",
            **facts,  # type: ignore[arg-type]  # -- numbers of the right kinds
        )
    told = await say(ground, "the levee broke")
    assert (told.outcome, told.words, told.phone) == (Outcome.DISTRESS, "We are with you at once.", "988")
    spanish = await say(ground, "huele a gas en toda la casa")
    assert spanish.words == "Enseguida estamos con usted."


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Hello!", "hello"),
        ("buenos días", "hello"),
        ("vielen Dank!", "thanks"),
        ("thanks for your help", "thanks"),
        ("that is all", "bye"),
        ("are you a robot?", "who"),
        ("can you help me", "can"),
        ("hello, how much is a dog license", ""),
        ("thanks but the bin is still full", ""),
    ],
)
def test_small_talk_is_only_what_is_nothing_else(said: str, kind: str) -> None:
    assert smalltalk.kind_of(said) == kind
    if kind:
        with speaking("en"):
            assert len(smalltalk.answer(kind)) < 140


def test_words_that_go_on_are_known_by_their_shape() -> None:
    for said in (
        "and on Saturdays?",
        "what about cats",
        "how much is it?",
        "¿y los domingos?",
        "und am Wochenende?",
        "where is that",
    ):
        assert following.goes_on(said), said
    for said in (
        "how much is a dog license in the city",
        "my water bill doubled",
        "I lost my dog and my cat this morning at the park",
    ):
        assert not following.goes_on(said), said


SLOTS = (
    Slot(Kind.ACCOUNT, "account", least=10, most=10),
    Slot(Kind.PHONE, "phone"),
    Slot(Kind.EMAIL, "email"),
    Slot(Kind.DATE, "day"),
    Slot(Kind.SECRET, "pin", least=4, most=4),
    Slot(Kind.CHOICE, "service", choices={"water": {"en": "Water"}, "garbage": {"en": "Garbage"}}),
    Slot(Kind.ADDRESS, "address"),
    Slot(Kind.MONEY, "amount"),
    Slot(Kind.NAME, "name"),
)


def test_what_was_told_fills_slots() -> None:
    said = (
        "I move on December 24, stop water for account 1234567890, call me at +1 202 555 0143 or ann@example.org, my pin is 4711 and "
        "my name is Ann Lee. New place: 12 Pier Street, Harbor, 98765, I paid $41.50"
    )
    found = {name: value.value for name, value in filling.filled(said, SLOTS, date(2026, 11, 23)).items()}
    assert found == {
        "account": "1234567890",
        "phone": "+12025550143",
        "email": "ann@example.org",
        "day": "2026-12-24",
        "service": "water",
        "address": "12 Pier Street\nHarbor\n98765",
        "amount": "41.50",
        "name": "Ann Lee",
    }


def test_what_fits_two_slots_fills_none() -> None:
    two = (Slot(Kind.DATE, "from"), Slot(Kind.DATE, "to"))
    assert filling.filled("on 2026-12-24", two, date(2026, 11, 23)) == {}
    assert (
        filling.filled("it costs 3 things", (Slot(Kind.ACCOUNT, "account", least=10, most=10),), date(2026, 11, 23))
        == {}
    )


def test_secrets_are_masked() -> None:
    said = "card 4111-1111-1111-1111, ann@x.org, my password is hunter22, pin: 4711, account AB12345678, 3 dogs in 2026"
    assert masked(said) == "card •••, ••• my password is ••• pin: ••• account •••, 3 dogs in 2026"
