"""Calls with several of us in them, in real browsers: asked, handed over, given to a queue, joined by an interpreter, listened to, placed.
Each has a voice of its own, so that who hears whom is told by what is heard."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from sqlalchemy import insert, select, text, update

from everyline.calls import contacts
from everyline.channels.phone.tests.doubles import RealPhone, until
from everyline.ground.installation import Ground
from everyline.measure import ledgers
from everyline.people import actions as people
from everyline.people.models import Agent
from everyline.queues.models import Membership, Queue, WrapUpCode
from tests.browser.callers import Network, network
from tests.browser.conftest import PASSWORD, accept_by_key, add_line, faults, go_available, sign_in, with_ground
from tests.browser.sounding import EARS, hears, level_in, phone_hears, speaking
from tests.browser.test_phone import NUMBER, READY
from tests.product import RunningProduct, free_port

pytestmark = [pytest.mark.req("V5", "V6"), pytest.mark.timeout(300)]
ADA, MAYA, OMAR, RUTH, INTERPRETER = 1000.0, 1310.0, 1630.0, 2030.0, 2410.0  # what each says
INTERPRETED = "+13605550144"
FEE = "$1.20 a minute"
WORK = """select a.name, w.*, c.name as code from work w join agent a on a.id = w.agent_id
left join wrap_up_code c on c.id = w.wrap_up_code_id where w.case_id = :id order by w.accepted_at"""
ASKED = """select max(o.offered_at) as offered_at, max(l.ended_at) as left_at from agent a join offer o on o.agent_id = a.id
join leg l on l.agent_id = a.id where a.name = :name and l.ended_at is not null"""
NOTE = "She moved: the new address is on file, the fee is to be waived."


@dataclass
class Office:
    """A product that moves sound, the trunk's network, and the browsers of two agents and of who leads them, with their phones on."""

    product: RunningProduct
    far: Network
    maya: Page
    omar: Page
    ruth: Page


class Reached(Protocol):
    """Whoever is beside the trunk's network."""

    far: Network


async def _arrange(ground: Ground) -> None:
    """Two queues, in which two agents work, an outcome, and an interpreter in the list. Omar is there where a test has him come."""
    async with ground.database.transaction() as tx:
        for name, role in (("Maya", "agent"), ("Omar", "agent"), ("Ruth", "admin")):
            await people.add_agent(
                tx, None, email=f"{name.lower()}@house.example", name=name, password=PASSWORD, role=role
            )
        ids = {row.name: row.id for row in await tx.rows(select(Agent.id, Agent.name))}
        await tx.execute(update(Agent).where(Agent.id == ids["Ruth"]).values(all_queues=True))
        await tx.execute(update(Queue).values(wrap_up_seconds=300))
        permits = await tx.value(insert(Queue).values(name="Permits", wrap_up_seconds=300).returning(Queue.id))
        for queue_id, name in ((1, "Maya"), (1, "Omar"), (permits, "Maya"), (permits, "Omar")):
            await tx.execute(insert(Membership).values(queue_id=queue_id, agent_id=ids[name]))
        await tx.execute(insert(WrapUpCode).values(name="Fee waived"))
        await contacts.add(
            tx, None, name="Lingua", number=INTERPRETED, kind="interpreter", languages=["en", "es"], fee=FEE
        )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    sip_port, far_port = free_port(), free_port()
    ports = {
        "phone_host": "127.0.0.1",
        "phone_port": str(sip_port),
        "media_first_port": "20000",
        "media_last_port": "32000",
    }
    product = RunningProduct(settings=ports)
    product.start()
    try:
        with_ground(product, _arrange)
        add_line(
            product, "phone", NUMBER, "Toll-free", host="127.0.0.2", port=str(far_port), records="always",
            announces_recording="false",
        )  # fmt: skip
        with (
            network(far_port) as far,
            sync_playwright() as playwright,
            speaking(playwright, tmp_path_factory.mktemp("voices"), MAYA, OMAR, RUTH) as browsers,
        ):
            far.do(far.reaches(sip_port))
            pages = []
            for browser, name in zip(browsers, ("maya", "omar", "ruth"), strict=True):
                page = sign_in(browser, product.address, f"{name}@house.example", PASSWORD, permissions=["microphone"])
                page.context.add_init_script(EARS)
                page.goto(f"{product.address}/desk/phone")
                page.get_by_role("switch", name="Answer calls in this browser").check()
                expect(page.locator("[data-phone] .phone-words")).to_have_text(READY)
                pages.append(page)
            yield Office(product, far, *pages)
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def soon(heard: Callable[[], bool], what: str, *, wanted: bool = True) -> None:
    """Wait until something is heard, or is not, as sound takes its time."""
    last = time.monotonic() + 20
    while heard() is not wanted:
        assert time.monotonic() < last, f"never: {what}"


def hear_each_other(office: Reached, who: dict[float, RealPhone | Page], apart: tuple[float, ...] = ()) -> None:
    """These hear each other, and none of them hears who is ``apart``."""

    def does(ear: RealPhone | Page, hertz: float) -> bool:
        return hears(ear, hertz) if isinstance(ear, Page) else office.far.do(_phone_hears(ear, hertz))

    for mine, ear in who.items():
        for other in who:
            if other != mine:
                soon(partial(does, ear, other), f"{mine} hears {other}")
        for other in apart:
            soon(partial(does, ear, other), f"{mine} does not hear {other}", wanted=False)


async def _phone_hears(phone: RealPhone, hertz: float) -> bool:
    return phone_hears(phone, hertz)


def bar(page: Page) -> Locator:
    """The call of an agent."""
    return page.locator(".call")


def wrap_up(page: Page, outcome: str) -> None:
    """Say how a call ended, when it has."""
    expect(bar(page)).to_have_count(0)
    page.locator(".wrap-up").get_by_role("button", name="Outcome").click()
    page.get_by_role("menuitem", name=outcome).click()
    expect(page.locator(".wrap-up")).to_have_count(0)


def case_of(page: Page) -> int:
    """The number of the page's case."""
    found = re.search(r"/desk/cases/(\d+)", page.url)
    assert found, page.url
    return int(found[1])


def figures(office: Office, case_id: int) -> list[Any]:
    """What the figures say of the work at a case, in order: whose it was, how long they talked and held, and how it ended."""

    async def counted(ground: Ground) -> list[Any]:
        await ledgers.catch_up(ground.database)
        async with ground.database.transaction() as tx:
            return list(await tx.rows(text(WORK), {"id": case_id}))

    found: list[Any] = with_ground(office.product, counted)
    return found


def test_a_colleague_is_asked_has_the_call_and_gives_it_to_a_queue(office: Office) -> None:
    far, maya, omar = office.far, office.maya, office.omar
    go_available(maya)
    caller = far.calls("+13605550141")
    caller.talk(ADA)
    accept_by_key(maya)
    case_id = case_of(maya)
    expect(bar(maya)).to_contain_text("Talking")
    hear_each_other(office, {ADA: caller, MAYA: maya})

    # asked first: their browser rings, and nobody hears them before they answer
    maya.keyboard.press("Shift+A")
    maya.locator("#call-people").get_by_text("Omar").click()
    maya.locator("dialog").get_by_role("button", name="Call", exact=True).click()
    expect(bar(omar)).to_contain_text("Your phone rings")
    expect(bar(omar)).to_contain_text("Maya")
    expect(bar(maya)).to_contain_text("On hold")
    assert faults(omar) == []
    hear_each_other(office, {MAYA: maya}, (OMAR, ADA))
    omar.keyboard.press("Shift+A")
    expect(bar(maya)).to_contain_text("You talk apart, the customer is on hold")
    expect(bar(omar)).to_contain_text("You talk apart")
    hear_each_other(office, {MAYA: maya, OMAR: omar}, (ADA,))
    hear_each_other(office, {ADA: caller}, (MAYA, OMAR))
    assert far.do(sound_in(caller)) > 50, "music is heard on hold"

    maya.keyboard.press("Shift+O")
    expect(bar(maya)).to_have_count(0)
    expect(bar(omar)).to_contain_text("Talking")
    expect(bar(omar).locator(".legs li")).to_have_count(2)
    hear_each_other(office, {ADA: caller, OMAR: omar}, (MAYA,))
    assert level_in(maya, ADA) < -90, "who handed over hears nothing"
    wrap_up(maya, "Fee waived")  # her part, while the call goes on

    # the case is theirs, whichever queue it is in, and they are the one who may end it
    bar(omar).locator(".about a").click()
    expect(omar.locator(".timeline")).to_contain_text("given to Omar by Maya")
    assert case_of(omar) == case_id
    expect(bar(omar).get_by_role("button", name="Hang up")).to_be_visible()
    omar.keyboard.press("t")
    omar.get_by_label("Queue", exact=True).select_option(label="Permits")
    omar.get_by_label("Note for those who take it").fill(NOTE)
    omar.locator("dialog").get_by_role("button", name="Transfer").click()
    expect(bar(omar)).to_have_count(0)
    hear_each_other(office, {ADA: caller}, (MAYA, OMAR))
    wrap_up(omar, "Without an outcome")

    accept_by_key(maya)
    assert case_of(maya) == case_id
    expect(maya.locator(".timeline")).to_contain_text(NOTE)
    expect(bar(maya)).to_contain_text("Talking")
    hear_each_other(office, {ADA: caller, MAYA: maya}, (OMAR,))

    # what comes afterwards is said before, the end is by key, and the outcome by a code
    maya.locator(".state-switch").click()
    maya.locator("#states button[value^='next:away']").first.click()
    expect(maya.locator(".state-switch")).to_contain_text("then")
    maya.keyboard.press("Shift+E")
    far.do(until(caller.ended.is_set, "the caller is hung up on"))
    wrap_up(maya, "Fee waived")
    expect(maya.locator(".state-switch")).not_to_contain_text("Available")

    ruth = office.ruth
    ruth.goto(f"{office.product.address}/desk/cases/{case_id}")
    expect(ruth.locator(".timeline .of-call")).to_contain_text("Omar")
    expect(ruth.get_by_role("link", name=re.compile("^Recording,"))).to_be_visible()
    first, second, third = figures(office, case_id)
    assert [(one.name, one.media_class) for one in (first, second, third)] == [
        (n, "call") for n in ("Maya", "Omar", "Maya")
    ]
    assert (first.outcome, second.outcome, third.outcome) == ("given", "transferred", "ended")
    assert (first.code, second.code, third.code) == ("Fee waived", None, "Fee waived")
    assert min(one.wrap_up_ms for one in (first, second, third)) > 0, "each part is handled to its end"
    assert min(one.talk_ms for one in (first, second, third)) > 1000
    assert first.hold_ms > 1000
    assert second.hold_ms == third.hold_ms == 0


def is_rung_no_more(ground: Ground, agent: str) -> Any:
    """When a call was offered to somebody last, and when their part in another ended before."""

    async def looked() -> Any:
        async with ground.database.transaction() as tx:
            return await tx.one(text(ASKED), {"name": agent})

    return looked()


async def _offers_last(ground: Ground) -> None:
    """Nobody lets an offer pass because a machine is slow."""
    async with ground.database.transaction() as tx:
        await tx.execute(text("update offer set expires_at = now() + interval '5 minutes' where ended_at is null"))


def ask_omar(page: Page) -> None:
    """Ask him into the call."""
    page.keyboard.press("Shift+A")
    page.locator("#call-people").get_by_text("Omar").click()
    page.locator("dialog").get_by_role("button", name="Call", exact=True).click()


def test_who_is_asked_is_offered_no_call_and_who_is_offered_one_is_not_asked(office: Office) -> None:
    far, maya, omar = office.far, office.maya, office.omar
    go_available(maya)
    first = far.calls("+13605550145")
    accept_by_key(maya)
    expect(bar(maya)).to_contain_text("Talking")
    ask_omar(maya)
    expect(bar(omar)).to_contain_text("Your phone rings")
    go_available(omar)
    second = far.calls("+13605550146")
    omar.keyboard.press("Shift+A")
    expect(bar(omar)).to_contain_text("You talk apart")
    hear_each_other(office, {MAYA: maya, OMAR: omar})
    omar.keyboard.press("Shift+E")
    expect(bar(omar)).to_have_count(0)

    expect(omar.locator("[data-offer]")).to_be_visible()
    with_ground(office.product, _offers_last)
    told = with_ground(office.product, lambda ground: is_rung_no_more(ground, "Omar"))
    assert told.left_at <= told.offered_at, "while he was asked, and while he talked, he was offered nothing"
    ask_omar(maya)
    expect(maya.locator("body")).to_contain_text("They are being offered a call at this moment.")
    maya.keyboard.press("Escape")

    accept_by_key(omar)
    expect(bar(omar)).to_contain_text("Talking")
    second.talk(ADA)
    hear_each_other(office, {ADA: second, OMAR: omar})
    omar.locator(".state-switch").click()
    omar.locator("#states button[value^='next:away']").first.click()
    expect(omar.locator(".state-switch")).to_contain_text("then")
    for caller, page in ((first, maya), (second, omar)):
        far.do(caller.hang_up())
        wrap_up(page, "Without an outcome")
    expect(omar.locator(".state-switch")).not_to_contain_text("Available")


async def sound_in(phone: RealPhone) -> float:
    """How loud it is, whatever it is."""
    heard = phone.newest(1.0)
    return float(abs(heard.astype(float)).max())


def test_an_interpreter_comes_in_and_who_leads_listens_whispers_and_joins_in(office: Office) -> None:
    far, maya, ruth = office.far, office.maya, office.ruth
    go_available(maya)
    caller = far.calls("+13605550142")
    caller.talk(ADA)
    accept_by_key(maya)
    expect(bar(maya)).to_contain_text("Talking")
    maya.keyboard.press("Shift+A")
    maya.get_by_text("Add at once").click()
    found = maya.locator("#call-people label").filter(has_text="Lingua")
    expect(found).to_contain_text(FEE)
    expect(found).to_contain_text("speaks English")
    found.click()
    maya.locator("dialog").get_by_role("button", name="Call", exact=True).click()
    far.do(until(lambda: INTERPRETED in far.rung, "the interpreter is called"))
    interpreter = far.rung[INTERPRETED]
    interpreter.talk(INTERPRETER)
    expect(bar(maya).locator(".legs li")).to_have_count(3)
    talking: dict[float, RealPhone | Page] = {ADA: caller, MAYA: maya, INTERPRETER: interpreter}
    hear_each_other(office, talking)
    expect(maya.locator(".timeline")).to_contain_text(f"Maya called Lingua to the call (fee: {FEE})")

    # one voice more, heard by nobody, by the agent, by all; and everybody who is heard by it sees that
    ruth.goto(f"{office.product.address}/board/calls")
    row = ruth.locator("#calls-now tbody tr")
    expect(row).to_contain_text("They talk")
    row.get_by_role("button", name="Listen").click()
    expect(bar(ruth)).to_contain_text("You listen. Nobody hears you.")
    expect(bar(maya).locator(".legs")).to_contain_text("Ruth")
    expect(bar(maya).locator(".legs")).to_contain_text("listening")
    hear_each_other(office, talking, (RUTH,))
    for hertz in talking:
        soon(partial(hears, ruth, hertz), f"who listens hears {hertz}")
    row.get_by_role("button", name="Whisper to the agent").click()
    expect(bar(ruth)).to_contain_text("Only the agent hears you.")
    expect(bar(maya).locator(".legs")).to_contain_text("whispering")
    soon(lambda: hears(maya, RUTH), "the agent hears the whisper")
    hear_each_other(office, {ADA: caller, INTERPRETER: interpreter}, (RUTH,))
    row.get_by_role("button", name="Join in").click()
    expect(bar(ruth)).to_contain_text("Everybody hears you.")
    hear_each_other(office, {**talking, RUTH: ruth})
    assert faults(ruth) == []
    bar(ruth).get_by_role("button", name="Leave").click()
    expect(bar(ruth)).to_have_count(0)
    hear_each_other(office, talking, (RUTH,))
    expect(bar(maya).locator(".legs")).not_to_contain_text("Ruth")

    bar(maya).get_by_role("button", name="Let Lingua go").click()
    far.do(until(interpreter.ended.is_set, "the interpreter is let go"))
    hear_each_other(office, {ADA: caller, MAYA: maya})
    case_id = case_of(maya)
    far.do(caller.hang_up())
    wrap_up(maya, "Without an outcome")
    maya.goto(f"{office.product.address}/desk/cases/{case_id}")
    took_part = maya.locator(".timeline .of-call")
    for name in ("Maya", "Lingua", "Ruth"):
        expect(took_part).to_contain_text(name)
    [counted] = figures(office, case_id)
    assert (counted.name, counted.outcome, counted.code) == ("Maya", "ended", None)


def test_a_number_at_a_case_is_called(office: Office) -> None:
    far, maya = office.far, office.maya
    number = "+13605550143"
    go_available(maya)
    caller = far.calls(number)
    caller.talk(ADA)
    accept_by_key(maya)
    case_id = case_of(maya)
    expect(bar(maya)).to_contain_text("Talking")
    far.do(caller.hang_up())
    wrap_up(maya, "Fee waived")
    maya.goto(f"{office.product.address}/desk/cases/{case_id}")
    maya.get_by_role("button", name=re.compile(r"^Call \+1")).click()
    far.do(until(lambda: number in far.rung, "their telephone rings"))
    called = far.rung[number]
    called.talk(ADA)
    expect(bar(maya)).to_contain_text("Talking")
    hear_each_other(office, {ADA: called, MAYA: maya})
    maya.keyboard.press("Shift+E")
    far.do(until(called.ended.is_set, "they are hung up on"))
    wrap_up(maya, "Without an outcome")
    maya.goto(f"{office.product.address}/desk/cases/{case_id}")
    expect(maya.locator(".timeline .of-call").last).to_contain_text("Call to +1")
    came, went = figures(office, case_id)
    assert (came.name, went.name) == ("Maya", "Maya")
    assert went.talk_ms > 0
