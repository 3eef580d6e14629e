"""The bot: what it answers, from which article; when it asks back, begins something, or says that it does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from everyline.articles import actions as articles
from everyline.articles.models import GapGroup, PublishedArticle
from everyline.customers.models import Customer
from everyline.ground.installation import Ground
from everyline.selfservice.bot import Outcome, Target
from everyline.selfservice.bot.models import BotQuestion
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.slots import Kind
from tests.selfservice.bot_world import ADDRESS, SOMEBODY, furnish, put, say, signed_in

pytestmark = pytest.mark.req("W5")


@pytest.fixture
async def house(ground: Ground) -> Ground:
    """A house whose bot has learned."""
    await furnish(ground)
    return ground


async def test_it_answers_with_the_passage_and_its_source(house: Ground) -> None:
    reply = await say(house, "How much does a dog license cost?")
    assert reply.outcome is Outcome.ANSWER
    assert "$12 a year" in reply.words
    [source] = reply.sources
    assert (source.title, source.path) == ("License your dog", "/en/articles/license-your-dog")
    assert source.passage == reply.words


async def test_it_goes_on_from_what_was_talked_about(house: Ground) -> None:
    first = await say(house, "How much does a dog license cost?")
    then = await say(house, "and on Saturdays?", after=first)
    assert then.outcome is Outcome.ANSWER
    assert "Saturdays from 9 am to noon" in then.words
    again = await say(house, "and at night?", after=then)
    assert again.outcome is Outcome.UNSURE, "the article does not say it, so it is not made up"
    assert "40 Pier Street" in (await say(house, "where is that?", after=again)).words


async def test_the_page_and_the_product_say_what_is_meant(house: Ground) -> None:
    reply = await say(house, "how much is it?", page="/en/articles/license-your-dog")
    assert "$12" in reply.words
    assert (await say(house, "how much is it?", page="/en/articles/nothing")).outcome is Outcome.UNSURE
    async with house.database.transaction() as tx:
        for name in ("Falcon", "Heron"):
            await put(
                tx,
                f"Set the clock of the {name}",
                "Press the left key for three seconds to set the clock.",
                f"Then turn the wheel of the {name}.",
                products=[name],
            )
    for name in ("Falcon", "Heron"):
        reply = await say(house, "how do I set the clock?", product=name)
        assert reply.outcome is Outcome.ANSWER
        assert reply.sources[0].title.endswith(name)


async def test_a_context_that_was_changed_on_the_way_opens_nothing(house: Ground) -> None:
    async with house.database.transaction() as tx:
        secret = await put(tx, "Waive a late fee", "Agents waive $25 once.", "Say sorry first.", audience="agents")
    first = await say(house, "How much does a dog license cost?")
    for context in ({**first.context, "article_id": secret}, {"form": 1, "choices": "x"}, {"form": 1, "choices": [1]}):
        reply = await say(house, "and how much is it?", after=replace(first, context=context))
        assert "25" not in reply.words


async def test_what_it_does_not_know_it_says_and_keeps_as_a_gap(house: Ground) -> None:
    reply = await say(house, "Who won the football game last night?")
    assert reply.outcome is Outcome.UNSURE
    assert "Shall a person answer?" in reply.words
    yes = await say(house, "yes", after=reply)
    assert yes.outcome is Outcome.PERSON
    no = await say(house, "no", after=reply)
    assert no.outcome is Outcome.SMALL_TALK
    async with house.database.transaction() as tx:
        assert await tx.column(select(GapGroup.words)) == ["Who won the football game last night?"]


async def test_it_begins_a_flow_with_what_was_told(house: Ground) -> None:
    reply = await say(house, "I am moving out on December 24, stop water service for account 1234567890")
    assert (reply.outcome, reply.name) == (Outcome.BEGIN, "stop-water")
    assert reply.slots["account"].value == "1234567890"
    assert reply.slots["day"].value.endswith("-12-24")
    elsewhere = await say(house, "stop water service", flows=frozenset[str]())
    assert elsewhere.outcome is not Outcome.BEGIN, "a flow that cannot be gone through here is not begun"


async def test_it_leads_to_an_errand_and_takes_no_secret(house: Ground) -> None:
    said = "change my mailing address to 12 Pier Street, Harbor 98765, my pin is 4711"
    reply = await say(house, said, errands={"change_address": ADDRESS})
    assert (reply.outcome, reply.name) == (Outcome.ERRAND, "change_address")
    assert reply.slots["address"].value.startswith("12 Pier Street")
    assert Kind.SECRET not in {value.kind for value in reply.slots.values()}
    assert (await say(house, said)).outcome is not Outcome.ERRAND, "there is no such errand here"


CARD = (
    "pay with my card",
    "pay by credit card",
    "use a debit card to pay",
    "pay the bill by card",
    "can I pay by card",
)
CHECK = ("pay with a check", "pay by check", "send a check to pay", "pay the bill by check", "can I pay by check")
CLOSE = (
    Intent("card", Target.SMALL_TALK, "", {"en": "With a card"}, {"en": CARD}),
    Intent("check", Target.SMALL_TALK, "", {"en": "With a check"}, {"en": CHECK}),
    Intent(
        "dog",
        Target.SMALL_TALK,
        "",
        {"en": "A dog"},
        {"en": ("my dog", "the dog barks", "a puppy", "dog tag", "our dogs")},
    ),
    Intent(
        "tree",
        Target.SMALL_TALK,
        "",
        {"en": "A tree"},
        {"en": ("my tree", "cut trees", "an oak", "fell a tree", "old pine")},
    ),
)


async def test_two_that_are_close_are_asked_about(ground: Ground) -> None:
    await furnish(ground, taught=CLOSE)
    reply = await say(ground, "can I pay the bill")
    assert reply.outcome is Outcome.CLARIFY
    assert [one.words for one in sorted(reply.choices, key=lambda one: one.words)] == ["With a card", "With a check"]
    chosen = await say(ground, "with a check", after=reply)
    assert (chosen.outcome, chosen.words) == (Outcome.SMALL_TALK, "With a check")
    by_number = await say(ground, "2", after=reply)
    assert by_number.words == reply.choices[1].words


async def test_only_what_a_reader_may_read_is_told(house: Ground) -> None:
    async with house.database.transaction() as tx:
        await put(
            tx,
            "Refund of a deposit",
            "Your deposit of $80 comes back after a year.",
            "It is credited.",
            audience="signed in",
        )
        await put(
            tx, "Waive a late fee", "Agents waive a late fee of $25 once in two years.", "Note why.", audience="agents"
        )
        customer_id = (await tx.column(insert(Customer).values(name="Ann").returning(Customer.id)))[0]
    asked = "when do I get my deposit of 80 dollars back?"
    assert (await say(house, asked)).outcome is not Outcome.ANSWER
    mine = await say(house, asked, who=signed_in(customer_id))
    assert "$80" in mine.words
    for who in (SOMEBODY.who, signed_in(customer_id)):
        assert "$25" not in (await say(house, "waive a late fee", who=who)).words


async def test_an_intent_does_not_open_an_article_either(house: Ground) -> None:
    async with house.database.transaction() as tx:
        article_id = await tx.value(
            select(PublishedArticle.article_id).where(PublishedArticle.slug == "license-your-dog")
        )
        await articles.describe(tx, None, article_id, audience="agents")
    reply = await say(house, "does my dog need a tag")
    assert reply.outcome is not Outcome.ANSWER
    assert "$12" not in reply.words


async def test_a_brand_tells_of_its_own_articles_alone(house: Ground) -> None:
    async with house.database.transaction() as tx:
        place = await articles.add_category(tx, None, {"en": "Pets"})
    assert (await say(house, "How much does a dog license cost?", category_ids=(place,))).outcome is Outcome.UNSURE


async def test_questions_are_kept_without_secrets(house: Ground) -> None:
    await say(house, "my water bill doubled, my card is 4111 1111 1111 1111 and I am ann@home.example")
    await say(house, "I want to kill myself")
    async with house.database.transaction() as tx:
        rows = await tx.rows(select(BotQuestion.words, BotQuestion.outcome).order_by(BotQuestion.id))
    assert [row.outcome for row in rows] == ["answer", "distress"]
    assert "4111" not in rows[0].words
    assert "ann@" not in rows[0].words
    assert rows[1].words == ""


BAD_INPUT = (
    ("", Outcome.SMALL_TALK),
    ("   \n", Outcome.SMALL_TALK),
    ("🤷🤷🤷", Outcome.SMALL_TALK),
    ("👍", Outcome.SMALL_TALK),
    ("hello", Outcome.SMALL_TALK),
    ("you stupid useless bot", Outcome.UNSURE),
    ("x" * 5000, Outcome.UNSURE),
    ("water " * 830, Outcome.UNSURE),
    ("Jak mogę zapłacić rachunek za wodę w urzędzie miasta?", Outcome.UNSURE),
    ("\x00\u202eagent please", Outcome.PERSON),
    ("{{7*7}} <script>alert(1)</script>", Outcome.UNSURE),
    ("\ud83d my \ud800 thing", Outcome.UNSURE),
    ("'; drop table bot_question; --", Outcome.UNSURE),
)


async def test_bad_input_has_a_sensible_answer(house: Ground) -> None:
    for said, outcome in BAD_INPUT:
        reply = await say(house, said)
        assert reply.outcome is outcome, said[:60]
        assert reply.words


async def test_abuse_beside_a_question_is_no_reason_not_to_answer(house: Ground) -> None:
    reply = await say(house, "why is my fucking water bill so high this month")
    assert reply.outcome is Outcome.ANSWER


async def test_it_answers_in_the_language_of_the_question(house: Ground) -> None:
    async with house.database.transaction() as tx:
        await put(
            tx,
            "Licencia para su perro",
            "Todo perro mayor de seis meses necesita una licencia. Cuesta $12 al año.",
            "Traiga el certificado de rabia.",
            language="es",
        )
    reply = await say(house, "¿cuánto cuesta la licencia para mi perro?")
    assert reply.language == "es"
    assert "$12" in reply.words
    short = await say(house, "perro", after=reply)
    assert short.language == "es", "a word says nothing against the language spoken so far"
    assert (await say(house, "wann kommt die Müllabfuhr nach einem Feiertag?")).language == "de"
    assert (await say(house, "cuando hay recogida?", languages=("en",))).language == "en", (
        "the brand speaks English only"
    )
