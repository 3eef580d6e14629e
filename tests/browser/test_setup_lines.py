"""Lines in the browser, on real mail hosts: added step by step, tested with a wrong password and the right one, open for
real mail; and the quarantine for what cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import PASSWORD, an_admin, empty_product, faults_in_looks, sign_in, with_ground
from tests.product import RunningProduct
from tests.world.fixtures import mail_world as mail_world
from tests.world.mail import Mailbox, MailWorld

pytestmark = [pytest.mark.req("E1", "P2", "P3"), pytest.mark.timeout(300)]

PASSED = "#checks > li.yes:not(.sum)"


@pytest.fixture(scope="module")
def product() -> Iterator[RunningProduct]:
    """A product with an admin and nothing else; each test has a line of its own."""
    with empty_product() as found:
        with_ground(found, an_admin)
        yield found


@pytest.fixture
def admin(chromium: Browser, product: RunningProduct) -> Iterator[Page]:
    """The admin's browser."""
    page = sign_in(chromium, product.address, "admin@harbor.example", PASSWORD)
    yield page
    page.context.close()


def begin_email(page: Page, product: RunningProduct, address: str, name: str) -> None:
    """The first two steps, as far as the address."""
    page.goto(f"{product.address}/setup/lines")
    page.get_by_role("link", name="Add a line").first.click()
    page.get_by_role("link", name=re.compile("^Email")).click()
    expect(page.locator(".steps [aria-current]")).to_have_text("2Address")
    page.locator("#address").fill(address)
    page.locator("#name").fill(name)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and go on").click()


def trust(page: Page, world: MailWorld) -> None:
    """The authority of the mail hosts' certificates."""
    page.get_by_text("Connections", exact=True).click()
    page.get_by_label("File with certificates to trust").fill(str(world.ca_file))


def say_how_it_sends(page: Page, world: MailWorld, box: Mailbox | None = None) -> None:
    page.locator("#smtp_host").fill("localhost")
    page.locator("#smtp_port").fill(str(world.ports["submission"]))
    if box is not None:
        page.locator("#smtp_user").fill(box.address)
        page.locator("#smtp_password").fill(box.password)
    go_on(page)
    expect(page.locator(".steps [aria-current]")).to_have_text("4Test")


def run_test(page: Page) -> None:
    page.get_by_role("button", name="Test the line").click()
    expect(page.locator("#checks .sum")).to_be_visible(timeout=45_000)


def read_the_wires(page: Page, password: str, folder: Path) -> None:
    """What was said in the course of the test, by key and in each look."""
    page.get_by_text("What was said, line by line").locator("..").focus()
    page.keyboard.press("Enter")
    wires = page.get_by_role("region", name="What was said, line by line")
    expect(wires.get_by_role("rowheader", name="Signed in to read", exact=True)).to_be_visible()
    expect(wires).to_contain_text("EXAMINE")
    expect(wires).to_contain_text("STARTTLS")
    assert password not in page.content()
    wires.scroll_into_view_if_needed()
    assert faults_in_looks(page, f"{folder}/wires-{{}}.png") == []


def test_a_mailbox_is_added_with_a_wrong_password_first(
    admin: Page, product: RunningProduct, mail_world: MailWorld, tmp_path: Path
) -> None:
    box, ann = mail_world.mailbox("permits@harbor.example"), mail_world.mailbox("rita@customer.example")
    begin_email(admin, product, box.address, "Permits")
    admin.get_by_label("A mailbox is read").check()
    admin.locator("#imap_host").fill("localhost")
    admin.locator("#imap_port").fill("99999")
    admin.locator("#imap_user").fill(box.address)
    admin.locator("#imap_password").fill("not the right one")
    trust(admin, mail_world)
    go_on(admin)
    expect(admin.locator(".error-summary")).to_be_focused()
    expect(admin.locator("#imap_user")).to_have_value(box.address)
    expect(admin.locator("#imap_port")).to_have_value("99999")
    expect(admin.locator("#name")).to_have_value("Permits")
    expect(admin.get_by_text("Please write it again: it is never sent back.")).to_be_visible()
    admin.locator("#imap_port").fill(str(mail_world.ports["imaps"]))
    admin.locator("#imap_password").fill("not the right one")
    go_on(admin)
    say_how_it_sends(admin, mail_world)

    run_test(admin)
    expect(admin.locator(PASSED)).to_have_text(
        [re.compile("Mail hosts found"), re.compile("Connections are encrypted")]
    )
    failed = admin.locator("#checks > li.no:not(.sum)")
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("Signed in to read")
    expect(failed.locator(".advice")).to_contain_text("password under Receiving")
    verdict = admin.locator("#checks .sum")
    expect(verdict).to_contain_text("It does not work: “Signed in to read” failed.")
    expect(verdict).to_contain_text("What to do: Write the sign-in name and the password under Receiving anew.")

    admin.get_by_role("link", name="Address").click()
    expect(admin.locator("#imap_port")).to_have_value(str(mail_world.ports["imaps"]))
    expect(admin.locator("#imap_password")).to_have_value("")
    admin.locator("#imap_password").fill(box.password)
    go_on(admin)
    go_on(admin)  # how it sends is as it was
    admin.get_by_role("button", name="Test the line").click()
    # each step is shown when it is done, and not only at the end
    expect(admin.locator("#checks:has(> .yes):has(> .waits)")).to_be_visible()
    expect(admin.locator("#checks .sum")).to_contain_text("It works.", timeout=45_000)
    expect(admin.locator(PASSED)).to_have_count(7)
    expect(admin.locator("#checks > li.no")).to_have_count(0)
    read_the_wires(admin, box.password, tmp_path)
    admin.get_by_role("link", name="Go on").click()
    expect(admin.locator(".example")).to_contain_text("We have your message")
    admin.get_by_label("Queue").select_option(label="General")
    admin.get_by_role("button", name="Open the line").click()
    expect(admin.locator(".toast")).to_contain_text("The line is open")

    mail_world.send(
        ann.address,
        box.address,
        "From: Rita <rita@customer.example>\nSubject: A fence\nMessage-ID: <f1@customer.example>\n\nMay I build one?\n",
    )
    mail_world.wait_for(ann, lambda mail: "A fence" in str(mail["Subject"]))
    admin.goto(f"{product.address}/desk/views/all")
    expect(admin.get_by_text("A fence").first).to_be_visible()
    admin.goto(f"{product.address}/setup/lines")
    row = admin.get_by_role("row", name=re.compile("Permits"))
    expect(row).to_contain_text("Works")
    expect(row.locator("td[data-label='Last in']")).not_to_contain_text("never")
    expect(row.locator("td[data-label='Last out']")).not_to_contain_text("never")


def test_a_line_that_is_written_to_and_what_cannot_be_read(
    admin: Page, product: RunningProduct, mail_world: MailWorld
) -> None:
    host, port = product.settings["email_smtp_listen"].split(":")
    mail_world.route("pier.example", host, int(port))
    box, ann = mail_world.mailbox("relay@harbor.example"), mail_world.mailbox("rita@customer.example")
    begin_email(admin, product, "help@pier.example", "Help")
    trust(admin, mail_world)
    go_on(admin)
    say_how_it_sends(admin, mail_world, box)
    expect(admin.get_by_text("The line waits for what is sent to it.")).to_be_visible()
    run_test(admin)
    expect(admin.locator("#checks .sum")).to_contain_text("It works.")
    expect(admin.locator("#checks .sum")).to_contain_text("Every step went well.")
    expect(admin.locator(PASSED)).to_have_count(5)
    admin.get_by_role("link", name="Go on").click()
    admin.get_by_role("button", name="Open the line").press("Enter")  # the last step as it stands
    expect(admin.locator(".toast")).to_contain_text("The line is open")
    mail_world.send(
        ann.address, "help@pier.example", "From: Rita <rita@customer.example>\nSubject: The pier\n\nIs it open?\n"
    )
    mail_world.wait_for(ann, lambda mail: "The pier" in str(mail["Subject"]))
    admin.goto(f"{product.address}/desk/views/all")
    expect(admin.get_by_text("The pier").first).to_be_visible()

    admin.goto(f"{product.address}/setup/quarantine")
    expect(admin.get_by_text("Nothing in quarantine")).to_be_visible()
    mail_world.send(
        "<>", "help@pier.example", "Subject: From nobody\nX-Odd: <b>bold</b>\n\nWho am I?\n", port=int(port)
    )
    cause = admin.get_by_role("link", name=re.compile("Nobody is named as its sender"))
    expect(cause).to_be_visible(timeout=20_000)  # by itself
    cause.click()
    expect(admin.locator("pre.raw")).to_contain_text("X-Odd: <b>bold</b>")
    admin.get_by_role("button", name="Process again").click()
    expect(admin.locator(".toast")).to_contain_text("It is processed again.")
    row = admin.get_by_role("row", name=re.compile("Nobody is named"))
    expect(row.locator("td[data-label='Tries']")).to_have_text("1")  # tried anew, and back with its cause
    row.get_by_role("checkbox").check()
    admin.get_by_role("button", name="Discard the chosen").click()
    expect(admin.get_by_text("Nothing in quarantine")).to_be_visible()


def test_it_works_without_scripts_and_by_keyboard(
    chromium: Browser, admin: Page, product: RunningProduct, mail_world: MailWorld
) -> None:
    cookies = admin.context.cookies()
    plain = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    plain.add_cookies(cookies)  # type: ignore[arg-type]  # -- the same shape with more in it
    page = plain.new_page()
    box = mail_world.mailbox("plain@harbor.example")
    page.goto(f"{product.address}/setup/lines/new?channel=email")
    expect(page.locator("#address")).to_be_focused()
    page.keyboard.type(box.address)
    page.keyboard.press("Enter")
    expect(page.locator(".steps [aria-current]")).to_have_text("3Sending")
    page.locator("#smtp_host").fill("localhost")
    page.locator("#smtp_port").fill("1")
    page.keyboard.press("Enter")
    expect(page.locator(".steps [aria-current]")).to_have_text("4Test")
    page.get_by_role("button", name="Test the line").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#checks .sum")).to_contain_text("“Connections are encrypted” failed")
    expect(page.locator(".steps [aria-current]")).to_have_text("4Test")
    page.get_by_role("link", name="Go on").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Open the line").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(box.address)
    plain.close()


def test_what_is_found_out_by_the_address_is_filled_in(admin: Page, product: RunningProduct, tmp_path: Path) -> None:
    """No domain of this test is known to DNS, so the server's answers about it come from here."""
    asked: list[str] = []
    values = {"incoming": "imap", "imap_host": "in.pier.example", "imap_port": "143", "imap_encryption": "starttls"}
    hosts = {"in.pier.example": values, "other.pier.example": {**values, "imap_host": "other.pier.example"}}

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        name = "other.pier.example" if "other" in asked[-1] else "in.pier.example"
        carried = {"proposed_for": "found@harbor.example", "smtp_host": "out.pier.example"}
        route.fulfill(json={"said": f"Found {name}.", "values": hosts[name], "carried": carried})

    admin.route("**/setup/lines/new/propose", answer)
    begin_email(admin, product, "found@harbor.example", "Found")
    admin.locator("#imap_password").evaluate("field => { field.value = 'hush hush' }")
    expect(admin.get_by_text("Found in.pier.example.")).to_be_visible()
    expect(admin.get_by_label("A mailbox is read")).to_be_checked()
    expect(admin.locator("#imap_host")).to_be_visible()
    expect(admin.locator("#imap_host")).to_have_value("in.pier.example")
    expect(admin.locator("#imap_port")).to_have_value("143")
    expect(admin.locator("#name")).to_have_value("Found")
    admin.locator("#imap_port").fill("1143")
    admin.locator("#address").fill("other@harbor.example")
    admin.get_by_role("button", name="Look up the settings").press("Enter")
    expect(admin.locator("#imap_host")).to_have_value("other.pier.example")  # what was filled in before is nobody's own
    expect(admin.locator("#imap_port")).to_have_value("1143")  # what was typed is
    expect(admin.locator("#imap_password")).to_have_value("hush hush")
    assert "hush" not in json.dumps(asked)
    assert "smtp_host" not in asked[-1]
    assert faults_in_looks(admin, f"{tmp_path}/found-{{}}.png") == []
    admin.locator("#address").fill("found@harbor.example")
    admin.locator("#imap_user").fill("found")
    go_on(admin)
    expect(admin.locator("#smtp_host")).to_have_value("out.pier.example")
    admin.unroute("**/setup/lines/new/propose")
    admin.goto(f"{product.address}/setup/lines/new?channel=email")
    admin.locator("#address").fill("somebody@nowhere.invalid")
    admin.keyboard.press("Tab")
    expect(admin.get_by_text("Nothing was found out about nowhere.invalid.")).to_be_visible()
