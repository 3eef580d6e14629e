"""Pages that are seen seldom: first run, forgotten password and its link, second factor, recovery codes, the steps of
adding a line, a piece in quarantine. axe-core finds nothing, wide and on a phone, light and dark; all can be reached by
keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from everyline.ground.installation import Ground
from everyline.intake.models import Inbound
from everyline.lines import actions as lines
from everyline.people import actions as people
from everyline.people import sign_ins
from everyline.people.queries import all_agents
from tests.browser.conftest import PASSWORD, an_admin, faults_in_looks, sign_in, with_ground
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("P3", "P5"), pytest.mark.timeout(300)]

CAREFUL = "cara@harbor.example"
UNREACHED = """() => {
  const wanted = [...document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary)")].filter(
    (one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && (one.type !== "radio" || one.checked));
  return wanted.filter((one) => !window.reached.has(one)).map((one) => one.outerHTML.slice(0, 80));
}"""


def look(page: Page, name: str) -> list[str]:
    """What is wrong with a page in any of its looks, and what no key reaches."""
    wrong = [f"{name}, {fault}" for fault in faults_in_looks(page)]
    page.set_viewport_size({"width": 360, "height": 800})
    page.evaluate("window.reached = new Set(), document.body.tabIndex = -1, document.body.focus()")
    within = True
    while within:
        page.keyboard.press("Tab")
        within = page.evaluate("reached.add(document.activeElement), document.activeElement !== document.body")
    return wrong + [f"{name}: no key reaches {one}" for one in page.evaluate(UNREACHED)]


@pytest.fixture
def anyone(chromium: Browser) -> Iterator[Page]:
    """A browser of nobody."""
    page = chromium.new_context(reduced_motion="reduce").new_page()
    yield page
    page.context.close()


async def reset_link(ground: Ground) -> str:
    """A link to set a password."""
    async with ground.database.transaction() as tx:
        (agent,) = await all_agents(tx)
        return await sign_ins.make_link(tx, None, agent.id, sign_ins.PASSWORD_RESET)


async def stock(ground: Ground) -> tuple[int, int]:
    """An email line that is being added, and a piece in quarantine on a form's line."""
    async with ground.database.transaction() as tx:
        mailbox = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name="email",
            address="permits@harbor.example",
            name="Permits",
            open_now=False,
            settings={
                "incoming": "imap",
                "imap_host": "imap.harbor.example",
                "imap_user": "permits@harbor.example",
                "imap_password": "a password",
                "smtp_host": "127.0.0.1",
                "smtp_port": 9,
            },
        )
        cause = "Nobody is named as its sender, so it cannot be told whose case it is."
        values = {"line_id": mailbox, "external_id": "x", "state": "quarantined", "cause": cause, "attempts": 1}
        body = b"Subject: From nobody\r\n\r\n" + b"A line of it. " * 40
        piece = await tx.value(
            insert(Inbound)
            .values(**values, body=body, size=len(body), envelope={"from": "", "uid": 7})
            .returning(Inbound.id)
        )
        return mailbox, piece


def test_pages_before_one_is_signed_in(anyone: Page, product: RunningProduct) -> None:
    anyone.goto(product.address)
    expect(anyone.locator(".command")).to_be_visible()
    wrong = look(anyone, "first run")
    with_ground(product, an_admin)
    anyone.goto(f"{product.address}/sign-in")
    wrong += look(anyone, "sign-in")
    anyone.goto(f"{product.address}/forgot")
    wrong += look(anyone, "forgotten, and no line can send")
    anyone.goto(f"{product.address}/password/{with_ground(product, reset_link)}")
    wrong += look(anyone, "new password")
    anyone.locator("#password").fill("one that is long enough")
    anyone.locator("#again").fill("and another one entirely")
    anyone.keyboard.press("Enter")
    expect(anyone.get_by_text("The two are not the same.")).to_be_visible()
    wrong += look(anyone, "new password, mistyped")
    anyone.goto(f"{product.address}/password/no-such-link")
    wrong += look(anyone, "a link that is over")
    assert wrong == []


async def one_with_a_factor(ground: Ground) -> None:
    """Somebody whose sign-in changes."""
    async with ground.database.transaction() as tx:
        await people.add_agent(tx, None, email=CAREFUL, name="Cara Ful", password=PASSWORD)


def test_the_second_factor(chromium: Browser, office: RunningProduct) -> None:
    with_ground(office, one_with_a_factor)
    page = sign_in(chromium, office.address, CAREFUL, PASSWORD, reduced_motion="reduce")
    page.goto(f"{office.address}/profile/second-factor")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    wrong = look(page, "second factor, set up")
    page.locator("#code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#code-error")).to_be_visible()
    wrong += look(page, "second factor, a wrong code")
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes code").first.inner_text()
    wrong += look(page, "recovery codes")
    page.goto(f"{office.address}/profile")
    wrong += look(page, "profile with a second factor")
    page.context.clear_cookies()
    page.goto(f"{office.address}/sign-in")
    page.locator("input[name=email]").fill(CAREFUL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    wrong += look(page, "second factor, asked for")
    page.locator("#code").fill("not-a-code")
    page.keyboard.press("Enter")
    expect(page.locator("#code-error")).to_be_visible()
    wrong += look(page, "second factor, refused")
    page.locator("#code").fill(recovery)
    page.keyboard.press("Enter")
    page.wait_for_selector(".state-switch")
    page.context.close()
    assert wrong == []


def test_the_steps_of_adding_a_line_and_a_piece_in_quarantine(chromium: Browser, office: RunningProduct) -> None:
    line, piece = with_ground(office, stock)
    page = sign_in(chromium, office.address, "admin@harbor.example", PASSWORD, reduced_motion="reduce")
    page.goto(f"{office.address}/setup/lines/new?channel=email")
    page.get_by_label("A mailbox is read").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    wrong = look(page, "adding, with errors")
    for path in (
        "lines",
        "lines/new",
        "lines/new?channel=webform",
        *(f"lines/{line}/add/{step}" for step in ("address", "sending", "test", "work")),
        "quarantine",
        f"quarantine/{piece}",
    ):
        page.goto(f"{office.address}/setup/{path}")
        wrong += look(page, path)
    page.goto(f"{office.address}/setup/lines/{line}/add/test")
    page.get_by_role("button", name="Test the line").click()
    expect(page.locator("#checks .sum.no")).to_be_visible(timeout=30_000)
    wrong += look(page, "a test that failed")
    page.context.close()
    assert wrong == []
