"""Doing things online: turn by turn without scripts, on another device, signed in, and nobody else's."""

from __future__ import annotations

import re

import httpx
import pytest

from conftest import SignInAs
from everyline.articles import actions as articles
from everyline.selfservice import actions, flows
from everyline.selfservice.bot import Target, teaching, training
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.flows import Ask, Choose, Confirm, Done, Flow, Identify, Option, Queue, words
from everyline.selfservice.running.record import gone_through
from everyline.selfservice.slots import Kind, Slot
from tests.portal.conftest import Company

pytestmark = pytest.mark.req("W3", "W4")

LIGHTS = [
    "a street light is out",
    "the street lamp is broken",
    "it is dark because the light does not work",
    "report a lamp",
    "street lighting defect",
]
PEOPLE = [
    "I want to talk to somebody",
    "connect me with your staff",
    "is anybody there",
    "let me speak to a human being",
    "call a clerk",
]
LIGHT = Flow(
    "light",
    title=words("Report a street light"),
    start="what",
    person="agent",
    steps=(
        Choose(
            "what",
            words=words("What is wrong with it?"),
            options=(
                Option(name="dark", words=words("It is dark"), to="street"),
                Option(name="mine", words=words("It is about my account"), to="who"),
            ),
        ),
        Ask("street", words=words("Which street?"), slot=Slot(Kind.TEXT, "street"), to="pin"),
        Ask("pin", words=words("Your PIN?"), slot=Slot(Kind.SECRET, "pin", least=4, most=4), to="sure"),
        Confirm("sure", words=words("Shall we report {street}?"), yes="end", no="street"),
        Done("end", words=words("Thank you. {street} is reported.")),
        Identify("who", level=2, to="hello", fail="agent"),
        Done("hello", words=words("We know you.")),
        Queue("agent", words=words("A person answers you.")),
    ),
)


async def publish(company: Company, flow: Flow = LIGHT) -> None:
    async with company.ground.database.transaction() as tx:
        await actions.add(tx, None, flows.written(flow))
        await actions.publish(tx, None, flow.name)
        await actions.offer(tx, None, flow.name, on=True)


class Doing:
    """Somebody on their way, in a browser without scripts."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser, self.url, self.text = browser, "", ""

    async def begin(self, flow: str = "light") -> str:
        await self._follow(await self.browser.post(f"/help/en/do/{flow}", data={}))
        return self.text

    async def _follow(self, answer: httpx.Response) -> None:
        assert answer.status_code == 303, answer.text
        self.url = answer.headers["location"]
        await self.look()

    async def look(self) -> str:
        answer = await self.browser.get(self.url)
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        return self.text

    @property
    def turn(self) -> str:
        found = re.search(r'name="turn" value="(\d+)"', self.text)
        assert found, self.text
        return found[1]

    async def say(self, turn: str = "", **data: str) -> str:
        await self._follow(await self.browser.post(self.url, data={"turn": turn or self.turn, **data}))
        return self.text

    async def elsewhere(self) -> tuple[str, str]:
        """The address and the code to go on with."""
        text = (await self.browser.post(self.url + "/elsewhere", data={})).text
        link, code = re.search(r'href="http[^"]*(/go/[\w-]+)"', text), re.search(r"([0-9A-Z]{4}-[0-9A-Z]{4})</p>", text)
        assert link, text
        assert code, text
        return link[1], code[1]


async def test_turn_by_turn_to_its_end(company: Company) -> None:
    await publish(company)
    browser = await company.browser()
    assert "Do it online" in (await browser.get("/help/en")).text
    assert "Report a street light" in (await browser.get("/help/en/do")).text
    assert 'action="/help/en/do/light"' in (await browser.get("/help/en/do/light")).text
    assert await company.value("select count(*) from flow_run") == 0  # looking begins nothing
    doing = Doing(browser)
    assert "What is wrong with it?" in await doing.begin()
    first = doing.turn
    assert "Which street?" in await doing.say(option="dark")
    again = await doing.say(first, option="mine")  # by the button of an old page
    assert "Which street?" in again
    assert "I did not get anything." in await doing.say(said="  ")
    assert "Error:" in doing.text
    await doing.say(said="Elm <b>Street</b>")
    assert 'type="password"' in doing.text
    await doing.say(said="4711")
    assert "Shall we report Elm &lt;b&gt;Street&lt;/b&gt;?" in doing.text
    assert "4711" not in doing.text
    assert "Elm &lt;b&gt;Street&lt;/b&gt; is reported." in await doing.say(option="yes")
    assert "Done" in doing.text
    assert "4711" not in str(await company.rows("select state, told from flow_run"))
    ways = await company.rows("select step from flow_pass order by turn, place")
    assert [row.step for row in ways] == ["what", "street", "pin", "sure", "end"]


async def test_it_is_nobody_elses(company: Company) -> None:
    await publish(company)
    doing = Doing(await company.browser())
    await doing.begin()
    other = await company.browser()
    for answer in (
        await other.get(doing.url),
        await other.post(doing.url, data={"turn": "1", "option": "dark"}),
        await other.post(doing.url + "/elsewhere", data={}),
        await other.get(doing.url + "0" * 20),
    ):
        assert answer.status_code == 404


async def test_it_goes_on_on_another_device_once(company: Company) -> None:
    await publish(company)
    doing = Doing(await company.browser())
    await doing.begin()
    await doing.say(option="dark")
    link, code = await doing.elsewhere()
    phone = await company.browser()
    asked = await phone.get(link)
    assert asked.headers["location"] == f"/help/en{link}"
    for _machine in range(2):  # that only look at links
        assert "Go on here?" in (await phone.get(f"/help/en{link}")).text
    there = Doing(phone)
    await there._follow(await phone.post(f"/help/en{link}", data={}))
    assert "Which street?" in there.text
    assert (await phone.post(f"/help/en{link}", data={})).status_code == 404
    assert (await doing.browser.get(doing.url)).status_code == 404  # it goes on there, not here
    assert "Your PIN?" in await there.say(said="Elm Street")

    _link, code = await there.elsewhere()
    tablet = await company.browser()
    typed = Doing(tablet)
    await typed._follow(await tablet.post("/help/en/do/code", data={"code": f" {code.lower()} "}))
    assert "Your PIN?" in typed.text
    refused = await tablet.post("/help/en/do/code", data={"code": code})
    assert refused.status_code == 404
    assert "used already" in refused.text


async def test_codes_cannot_be_tried_out(company: Company) -> None:
    await publish(company)
    browser = await company.browser()
    found = [(await browser.post("/help/en/do/code", data={"code": f"AAAA-{n:04}"})).status_code for n in range(30)]
    assert found[0] == 404
    assert found[-1] == 429


async def test_who_is_asked_for_a_code_gets_it_and_has_tries_that_end(company: Company) -> None:
    await company.writes("rosa@customer.example")
    await publish(company)
    browser = await company.browser()
    doing = Doing(browser)
    await doing.begin()
    await doing.say(option="mine")
    assert "what is the email address that we know of you?" in doing.text
    await doing.say(said="rosa@customer.example")
    code = await company.code("rosa@customer.example")
    await doing.say(said="000000" if code != "000000" else "111111")
    assert "not the right one" in doing.text
    assert "We know you." in await doing.say(said=code)
    (run,) = await company.rows("select level, customer_id, outcome from flow_run")
    assert (run.level, run.outcome) == (2, "solved")
    assert run.customer_id == await company.value(
        "select customer_id from contact_point where address = 'rosa@customer.example'"
    )


async def test_nobody_learns_from_a_flow_who_is_known(company: Company) -> None:
    await company.writes("rosa@customer.example")
    await publish(company)
    seen = []
    for address in ("rosa@customer.example", "nobody@customer.example"):
        doing = Doing(await company.browser())
        await doing.begin()
        await doing.say(option="mine")
        shown = [await doing.say(said=said) for said in (address, *["123456"] * 3)]
        seen.append([re.sub(r"(/|%2F)\d+|value=\"\d+\"", "", text.replace(address, "ADDRESS")) for text in shown])
    assert seen[0] == seen[1]


async def test_what_began_without_a_name_is_signed_into(company: Company) -> None:
    await company.writes("rosa@customer.example")
    await publish(company)
    browser = await company.browser()
    doing = Doing(browser)
    await doing.begin()
    await doing.say(option="mine")
    link = re.search(r'href="(/help/en/sign-in\?next=[^"]+)"', doing.text)
    assert link
    signed_in = await company.signed_in("rosa@customer.example")
    browser.cookies.update(signed_in.cookies)
    assert "We know you." in await doing.look()
    assert await company.value("select level from flow_run") == 3


async def test_who_wants_a_person_tells_where_to_and_gets_a_case_with_all_of_it(
    company: Company, sign_in: SignInAs
) -> None:
    await publish(company)
    doing = Doing(await company.browser())
    await doing.begin()
    await doing.say(option="dark")
    await doing.say(said="Elm Street")
    assert "Where may we send our answer?" in await doing.say(said="0")
    assert "What is it about?" in await doing.say(said="new@customer.example")
    ended = await doing.say(said="It has been dark for a week.")
    assert "A person takes over" in ended
    (case,) = await company.rows('select number, subject from "case"')
    assert str(case.number) in ended
    assert case.subject == "Report a street light"
    (message,) = await company.rows("select text from message where direction = 'in'")
    assert message.text.startswith("It has been dark for a week.")
    assert "Which street?: Elm Street" in message.text
    assert await company.value("select count(*) from queue_entry where state = 'waiting'") == 1
    assert await company.value("select count(*) from flow_run where case_id is not null") == 1
    assert "A person takes over" in await doing.look()
    assert await company.value('select count(*) from "case"') == 1
    agent = await company.browser()
    agent.cookies.update((await sign_in("agent", queues=(1,), all_queues=True)).cookies)
    case_id = await company.value('select id from "case"')
    assert f"/desk/cases/{case_id}/collected" in (await agent.get(f"/desk/cases/{case_id}")).text
    seen = (await agent.get(f"/desk/cases/{case_id}/collected")).text
    for shown in ("Report a street light", "Which street?", "Elm Street", "identity not shown", "<li>what</li>"):
        assert shown in seen, shown
    stranger = await company.browser()
    assert (await stranger.get(f"/desk/cases/{case_id}/collected")).status_code in (303, 401)


async def test_what_is_needed_is_asked_in_own_words_and_answered_with_its_source(
    company: Company, sign_in: SignInAs
) -> None:
    async with company.ground.database.transaction() as tx:
        text = "Dog licences cost 20 dollars a year. You get one at the town hall, or by mail."
        article_id = await articles.add(tx, None, "en", "Dog licences", text=text)
        await articles.publish(tx, None, article_id, "en")
    await publish(company)
    browser = await company.browser()
    found = await browser.get("/help/en/search", params={"q": "a dark street light"})
    assert 'href="/help/en/do/light"' in found.text  # words lead to what can be done
    doing = Doing(browser)
    await doing._follow(await browser.post("/help/en/ask", data={"q": "What does a dog licence cost?"}))
    assert "20 dollars" in doing.text
    assert "/en/articles/dog-licences" in doing.text
    assert re.search(r'<p dir="auto">Did this help\?</p>.*value="Yes".*value="No"', doing.text)
    assert "Good to hear." in await doing.say(said="Yes")
    assert await company.value("select count(*) from bot_question where helped") == 1
    await doing.say(said="How do I become an astronaut on Mars?")
    assert "A person, please" in doing.text
    await doing.say(said="A person, please")
    assert "Where may we send our answer?" in doing.text
    await doing.say(said="new@customer.example")
    assert "A person takes over" in await doing.say(said="I live on Mars.")
    case_id = await company.value('select id from "case"')
    (message,) = await company.rows("select text from message where direction = 'in'")
    assert "What does a dog licence cost?\nHow do I become an astronaut on Mars?" in message.text
    agent = await sign_in("agent", queues=(1,), all_queues=True)
    browser.cookies.update(agent.cookies)
    beside = (await browser.get(f"/desk/cases/{case_id}/collected")).text
    for shown in (
        "“What does a dog licence cost?” → answered from “Dog licences”, which helped",
        "“How do I become an astronaut on Mars?” → not known",
        f'href="/desk/cases/{case_id}/articles/{article_id}?language=en"',
        "I live on Mars.",
    ):
        assert shown in beside, shown


async def test_what_is_said_leads_into_a_flow_and_what_was_told_is_not_asked_again(company: Company) -> None:
    await publish(company)
    async with company.ground.database.transaction() as tx:
        await teaching.add(tx, None, Intent("lights", Target.FLOW, "light", examples={"en": LIGHTS}))
        await teaching.add(tx, None, Intent("person", Target.PERSON, "", examples={"en": PEOPLE}))
        article_id = await articles.add(tx, None, "en", "Dog licences", text="Dog licences cost 20 dollars a year.")
        await articles.publish(tx, None, article_id, "en")
    browser = await company.browser()
    doing = Doing(browser)
    await doing._follow(await browser.post("/help/en/ask", data={"q": "What does a dog licence cost?"}))
    assert "Did this help?" in doing.text
    await training.learn(company.ground.database)
    await doing.say(said="the street light in my road is broken")
    assert "What is wrong with it?" in doing.text
    await doing.say(option="dark")
    await doing.say(said="Elm Street")
    await doing.say(said="4711")
    assert "is reported." in await doing.say(said="yes")  # that answers the flow
    assert await company.value("select count(*) from bot_question where helped is not null") == 0
    assert 'name="said"' in doing.text  # and the talk goes on
    await doing._follow(await browser.post("/help/en/ask", data={"q": "the street light in my road is broken"}))
    await doing.say(option="dark")
    await doing.say(said="Oak Street")
    await doing.say(said="0")  # from within what the bot led to
    await doing.say(said="new@customer.example")
    await doing.say(said="Thank you.")
    async with company.ground.database.transaction() as tx:
        (run,) = await gone_through(tx, await company.value('select id from "case"'))
    assert ("Which street?", "Oak Street") in run.collected
    assert run.asked.summary == ("“the street light in my road is broken” → begun: light",)


async def test_who_asks_for_a_person_too_often_is_told_so_and_nothing_of_before_is_lost(company: Company) -> None:
    await publish(company)
    browser = await company.browser()
    doing = Doing(browser)
    for n in range(6):
        await doing.begin()
        await doing.say(said="0")
        await doing.say(said=f"n{n}@customer.example")
        await doing.say(said="It is dark.")
    assert "too often from here" in doing.text
    assert "A person takes over" not in doing.text
    assert await company.value('select count(*) from "case"') == 5
