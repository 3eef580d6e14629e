"""The live board in two browsers: what an agent does is on it without a reload, and what a supervisor does is on the desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from everyline.channel_contract import Raw
from everyline.channel_registry import channel
from everyline.ground.installation import Ground
from everyline.intake.door import IntakeDoor
from everyline.lines import actions as lines
from everyline.queues.models import Queue
from tests.browser.conftest import (
    PASSWORD,
    a_colleague,
    accept_by_key,
    an_admin,
    go_available,
    known,
    look,
    sign_in,
    with_ground,
)
from tests.mail import mail
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("Q3"), pytest.mark.timeout(300)]


async def staff(ground: Ground) -> None:
    """A line, two queues, an agent in the first, a supervisor who sees both."""
    async with ground.database.transaction() as tx:
        other = await tx.value(insert(Queue).values(name="Permits", hue=4).returning(Queue.id))
        await a_colleague(tx, "Dana", 1, other)
        await a_colleague(tx, "Ruth", role="supervisor")
        await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="help@county.example",
            name="County help",
            queue_id=1,
            settings={"smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_encryption": "none"},
        )


async def write_in(ground: Ground) -> None:
    """A customer's mail."""
    door = IntakeDoor(ground)
    await door.start()
    try:
        body = mail("Is the bridge open?", subject="The bridge")
        await door.keep(1, Raw(channel("email").identify(body), body))
    finally:
        await door.stop()


def figure(page: Page, cell: str, value: str) -> None:
    expect(page.locator(f'[id="c-{cell}"] b').first).to_have_text(value)


def test_an_agent_acts_and_the_board_follows_and_back(chromium: Browser, product: RunningProduct) -> None:
    with_ground(product, an_admin)
    with_ground(product, staff)
    ruth = sign_in(chromium, product.address, "ruth@harbor.example", PASSWORD)
    dana = sign_in(chromium, product.address, "dana@harbor.example", PASSWORD)
    ruth.goto(f"{product.address}/board")
    figure(ruth, "sum.waiting", "0")
    ruth.evaluate("window.stays = true")
    figure(ruth, "sum.agents", "0")

    go_available(dana)
    expect(dana.locator(".state-switch")).to_contain_text("Available")
    expect(ruth.locator('[id="c-queue-1.agents"] li').first).to_contain_text("1")

    with_ground(product, write_in)
    figure(ruth, "sum.waiting", "1")
    expect(ruth.locator('[id="c-queue-1.waiting"]')).to_have_class("figure big changed")
    accept_by_key(dana)
    figure(ruth, "sum.waiting", "0")
    figure(ruth, "queue-1.level", "100 %")

    ruth.goto(f"{product.address}/board/agents")
    ruth.get_by_role("link", name="Direct Dana Sample").click()
    ruth.get_by_label("Change the state to").select_option("offline")
    ruth.locator("#direct").get_by_role("button", name="Change").click()
    expect(dana.locator(".state-switch")).to_contain_text("Offline")
    ruth.get_by_role("link", name="Direct Dana Sample").or_(ruth.get_by_text("Nobody here")).first.wait_for()


@pytest.mark.req("Q1")
def test_a_supervisor_moves_what_waits_and_the_desk_follows(chromium: Browser, product: RunningProduct) -> None:
    with_ground(product, an_admin)
    with_ground(product, staff)
    with_ground(product, write_in)
    ruth = sign_in(chromium, product.address, "ruth@harbor.example", PASSWORD)
    dana = sign_in(chromium, product.address, "dana@harbor.example", PASSWORD)
    dana.goto(f"{product.address}/desk/queues/2")
    expect(dana.locator("main")).not_to_contain_text("The bridge")
    ruth.goto(f"{product.address}/board")
    figure(ruth, "queue-1.waiting", "1")
    ruth.locator('[id="c-queue-1.waiting"] a').click()
    ruth.get_by_role("link", name="Direct").first.click()
    ruth.get_by_label("Move to queue").select_option(label="Permits")
    ruth.get_by_role("button", name="Move", exact=True).click()
    expect(ruth.locator("#entries")).to_contain_text("Nothing waits here")
    expect(dana.locator("main")).to_contain_text("The bridge")


def test_accessible(chromium: Browser, demo: RunningProduct) -> None:
    admin = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, admin["email"], admin["password"])
    paths = (
        "/board",
        "/board?by=team&wall=1",
        "/board/entries?by=queue&key=all&figure=waiting",
        "/board/entries?by=queue&key=all&figure=today",
        "/board/agents",
        "/board/thresholds",
    )
    assert look(page, demo.address, paths) == []


def test_by_keyboard_alone(chromium: Browser, demo: RunningProduct) -> None:
    lead = known(demo)["sign_ins"]["supervisor"]
    page = sign_in(chromium, demo.address, lead["email"], lead["password"])
    page.wait_for_load_state("load")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/board")
    page.keyboard.press("2")
    page.wait_for_url("**/board?by=channel")
    page.keyboard.press("m")
    expect(page.locator("[data-board-sound]")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("w")
    expect(page.locator(".board")).to_have_class("board wall")
