"""Who somebody is, shown by what only they know: asked turn by turn, counted over all runs, kept from everybody else."""

from __future__ import annotations

import re

import pytest

from everyline.selfservice.flows import Done, Flow, Identify, Queue, words
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.sources import actions, files, table
from everyline.selfservice.sources.declared import Input, Source, Table
from tests.portal.conftest import Company
from tests.portal.test_doing import Doing, publish

pytestmark = pytest.mark.req("W3", "W4")

ROSA, MAX = "rosa@customer.example", "max@customer.example"
KNOWN = Source(
    name="members",
    settings=Table(),
    inputs=(
        Input(Slot(Kind.EMAIL, "mail"), given="address"),
        Input(Slot(Kind.DATE, "born"), asks={"en": "When were you born?"}),
        Input(Slot(Kind.SECRET, "word"), asks={"en": "What is your word?"}),
    ),
    proof=True,
)
ANSWERS = {ROSA: ("1980-05-12", "harbour"), MAX: ("1971-01-30", "lighthouse")}
MINE = Flow(
    "mine",
    title=words("What is mine"),
    start="who",
    person="agent",
    steps=(
        Identify("who", level=2, by="questions", to="hello", fail="agent"),
        Done("hello", words=words("We know you.")),
        Queue("agent", words=words("A person answers you.")),
    ),
)
PERSON = "Where may we send our answer?"


@pytest.fixture(name="house")
async def _house(company: Company) -> Company:
    async with company.ground.database.transaction() as tx:
        source_id = await actions.add(tx, company.ground.vault, None, KNOWN)
        source = Source(
            name=KNOWN.name, settings=KNOWN.settings, inputs=KNOWN.inputs, proof=True, id=source_id, revision=1
        )
        for address, (born, word) in ANSWERS.items():
            row = {
                "mail": Value(Kind.EMAIL, address),
                "born": Value(Kind.DATE, born),
                "word": Value(Kind.SECRET, word),
            }
            await table.add(tx, company.ground.key, source, files.Line(row, {}))
    for address in ANSWERS:
        await company.writes(address)
    await publish(company, MINE)
    return company


async def asked(house: Company, address: str, doing: Doing | None = None) -> Doing:
    """Somebody who says that they have this address, in a browser of their own or in one that was there before."""
    doing = doing or Doing(await house.browser())
    assert "What is the email address that we know of you?" in await doing.begin("mine")
    assert "When were you born?" in await doing.say(said=address)
    return doing


async def answers(doing: Doing, born: str, word: str) -> str:
    assert 'type="password"' in doing.text
    assert "What is your word?" in await doing.say(said=born)
    assert 'type="password"' in doing.text
    return await doing.say(said=word)


async def test_who_answers_as_only_they_can_is_known_and_nothing_of_it_is_kept(house: Company) -> None:
    doing = await asked(house, "Rosa@Customer.example")
    assert "What is your word?" in await doing.say(said="May 12, 1980")
    kept = await house.rows("select state::text, told::text, sealed from flow_run")
    assert "1980" not in str(kept)
    assert "We know you." in await doing.say(said="harbour")
    (run,) = await house.rows(
        "select level, customer_id, sealed, state::text as state, told::text as told from flow_run"
    )
    assert run.level == 2
    assert run.sealed is None
    assert run.customer_id == await house.value(f"select customer_id from contact_point where address = '{ROSA}'")
    assert "harbour" not in f"{run.state}{run.told}{await house.rows('select event::text from event')}"


async def test_another_ones_answers_show_nothing(house: Company) -> None:
    doing = await asked(house, ROSA)
    assert "Please try once more" in await answers(doing, *ANSWERS[MAX])
    assert await house.value("select level from flow_run") == 0


async def test_a_few_wrong_tries_lead_to_a_person_and_a_new_run_gives_no_more(house: Company) -> None:
    doing = await asked(house, ROSA)
    for _n in range(2):
        assert "Please try once more" in await answers(doing, "1980-05-12", "wrong")
    assert PERSON in await answers(doing, "1980-05-12", "wrong")
    again = await asked(house, ROSA, Doing(doing.browser))
    for _n in range(2):
        await answers(again, "1980-05-12", "wrong")
    assert PERSON in await answers(again, "1980-05-12", "wrong")
    third = await asked(house, ROSA, Doing(doing.browser))
    assert PERSON in await answers(third, *ANSWERS[ROSA])  # what is right does not help any more
    other_browser = await asked(house, ROSA)
    assert PERSON in await answers(other_browser, *ANSWERS[ROSA])
    other_customer = await asked(house, MAX, Doing(doing.browser))
    assert PERSON in await answers(other_customer, *ANSWERS[MAX])  # this browser tried too much
    assert await house.value("select max(level) from flow_run") == 0
    fresh = await asked(house, MAX)
    assert "We know you." in await answers(fresh, *ANSWERS[MAX])


async def test_nobody_learns_from_it_who_is_known(house: Company) -> None:
    seen = []
    for address in (ROSA, "nobody@customer.example"):
        shown: list[str] = []
        for _run in range(3):
            doing = await asked(house, address)
            while PERSON not in doing.text:
                shown += [await answers(doing, "1980-05-13", "wrong")]
        seen.append([re.sub(r"(/|%2F)\d+|value=\"\d+\"", "", text.replace(address, "ADDRESS")) for text in shown])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 7  # three, three, and one that was too many


async def test_they_choose_between_questions_and_a_code(house: Company) -> None:
    await publish(house, Flow("both", title=words("Both"), start="who", person="agent", steps=(
        Identify("who", level=2, to="hello", fail="agent"), *MINE.steps[1:],
    )))  # fmt: skip
    doing = Doing(await house.browser())
    assert "how do you want to show who you are?" in await doing.begin("both")
    await doing.say(option="questions")
    assert "What is the email address that we know of you?" in doing.text
    await doing.say(said=ROSA)
    assert "We know you." in await answers(doing, *ANSWERS[ROSA])
    other = Doing(await house.browser())
    await other.begin("both")
    await other.say(option="code")
    assert "We send a code there." in other.text


async def test_who_signs_in_meanwhile_is_asked_no_more(house: Company) -> None:
    doing = await asked(house, ROSA)
    assert "Sign in" in doing.text
    doing.browser.cookies.update((await house.signed_in(ROSA)).cookies)
    assert "We know you." in await doing.look()
