"""The pages of those who write articles in a browser: by keyboard, on a phone, light and dark, with what is typed kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from everyline.articles import actions
from everyline.ground.installation import Ground
from tests.browser.conftest import known, look, sign_in, with_ground
from tests.product import RunningProduct

pytestmark = [pytest.mark.req("W2", "P5"), pytest.mark.timeout(300)]

GUIDE = "## start: Is it wet?\n- Yes -> end\n- No -> nowhere\n\n## end: Call us\n= ask us\n"


async def _gaps(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        for words in ("rebate for compost bins", "Rebate for compost bins", "tree planting permit"):
            await actions.found_nothing(tx, words, "en", channel="portal")
        guide = await actions.add(tx, None, "en", "Water in the cellar", kind="guide", text=GUIDE)
        await actions.flag(tx, None, guide, "The second answer leads nowhere.")
        return guide


@pytest.fixture(scope="module")
def guide(demo: RunningProduct) -> int:
    """A guide with a fault, flagged; and some gaps."""
    found: int = with_ground(demo, _gaps)
    return found


async def _pipes(ground: Ground) -> int:
    async with ground.database.transaction() as tx:
        article_id = await actions.add(tx, None, "en", "Frozen pipes", text="Warm them slowly.")
        await actions.publish(tx, None, article_id, "en")
        return article_id


@pytest.fixture
def pipes(demo: RunningProduct) -> Iterator[str]:
    """The address of an article that readers see, and that is gone from them afterwards."""
    article_id: int = with_ground(demo, _pipes)
    yield f"{demo.address}/knowledge/articles/{article_id}/en"

    async def archive(ground: Ground) -> None:
        async with ground.database.transaction() as tx:
            await actions.archive(tx, None, article_id)

    with_ground(demo, archive)


@pytest.fixture(scope="module")
def writer(chromium: Browser, demo: RunningProduct, guide: int) -> Iterator[Page]:
    """The admin of the sample company."""
    who = known(demo)["sign_ins"]["admin"]
    page = sign_in(chromium, demo.address, who["email"], who["password"])
    yield page
    page.context.close()


def test_every_page_can_be_read_by_everybody(writer: Page, demo: RunningProduct, guide: int) -> None:
    paths = [
        "",
        "/new",
        "/articles/1/en",
        "/articles/1/es",
        f"/articles/{guide}/en",
        f"/articles/{guide}/en/try",
        "/gaps",
        "/health",
    ]
    paths += [f"/articles/1/en/{one}" for one in ("wordings", "versions", "about", "heard")]
    paths += ["/categories", "/categories/1", "/synonyms", "/import"]
    assert look(writer, f"{demo.address}/knowledge", paths) == []


def test_an_article_is_written_seen_and_published_by_keyboard(writer: Page, demo: RunningProduct) -> None:
    writer.goto(f"{demo.address}/desk")
    writer.keyboard.press("g")
    writer.keyboard.press("y")
    expect(writer.locator("h1")).to_have_text("Articles")
    writer.wait_for_load_state()  # its keys with it
    writer.keyboard.press("c")
    expect(writer.locator("#title")).to_be_focused()
    writer.keyboard.type("Frozen hydrants")
    writer.keyboard.press("Control+Enter")
    expect(writer.locator("h1")).to_have_text("Frozen hydrants")
    writer.locator("#text").focus()
    writer.keyboard.type("Warm them slowly")
    writer.keyboard.press("Control+b")
    writer.keyboard.type("now")
    expect(writer.locator("#preview strong")).to_have_text("now")
    writer.locator("#text").press("End")
    writer.locator("[data-format=table]").focus()
    writer.keyboard.press("Enter")
    expect(writer.locator("#preview table")).to_be_visible()
    expect(writer.locator("[data-kept]")).to_have_text(re.compile(r"Saved \d\d:\d\d"))
    writer.reload()
    expect(writer.locator("#text")).to_have_value(re.compile(r"\*\*now"))
    writer.get_by_role("button", name="Publish").press("Enter")
    expect(writer.locator(".toast")).to_contain_text("Readers see it now.")
    writer.goto(f"{demo.address}/help/en/articles/frozen-hydrants")
    expect(writer.locator("h1")).to_have_text("Frozen hydrants")


def test_two_at_once_in_two_windows(writer: Page, pipes: str) -> None:
    writer.goto(pipes)
    other = writer.context.new_page()
    other.goto(writer.url)
    other.locator("#summary").fill("By the other.")
    other.get_by_role("button", name="Save").first.click()
    expect(other.locator(".toast")).to_contain_text("Saved.")
    other.close()
    writer.locator("#summary").fill("By me.")
    expect(writer.locator("[data-kept]")).to_contain_text("Somebody else has changed this article")
    writer.keyboard.press("Control+Enter")
    expect(writer.get_by_role("alert").first).to_contain_text("Nothing is lost")
    expect(writer.locator("#theirs-summary")).to_have_value("By the other.")
    writer.locator("#summary").fill("By both.")
    writer.keyboard.press("Control+Enter")
    expect(writer.locator("#summary")).to_have_value("By both.")


def test_a_picture_is_put_where_the_cursor_stands(writer: Page, pipes: str) -> None:
    writer.goto(pipes)
    dot = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )
    writer.locator("#file").set_input_files({"name": "pipe.png", "mimeType": "image/png", "buffer": dot})
    writer.get_by_role("button", name="Upload").click()
    expect(writer.locator(".toast")).to_contain_text("The file is here.")
    writer.locator("#text").click()
    writer.get_by_role("button", name="Put pipe.png into the text").click()
    expect(writer.locator("#text")).to_have_value(re.compile(r"!\[pipe\]\(file:\d+\)"))
    shown = writer.locator("#preview img")
    expect(shown).to_have_attribute("src", re.compile(r"/articles/files/\d+"))
    assert shown.evaluate("async (one) => (await fetch(one.src)).ok")


def test_a_wording_is_looked_at_while_it_is_typed(writer: Page, demo: RunningProduct) -> None:
    writer.goto(f"{demo.address}/knowledge/articles/1/en/wordings")
    writer.locator("#wording-short").fill("Too long " * 30)
    expect(writer.locator("#said-short")).to_contain_text("goes out as 2 messages")
    writer.locator("#wording-short").fill("")
    expect(writer.locator("#said-short")).to_contain_text("made from the full text")


def test_a_new_step_of_a_guide_stands_there_at_once(writer: Page, demo: RunningProduct, guide: int) -> None:
    writer.goto(f"{demo.address}/knowledge/articles/{guide}/en")
    expect(writer.locator("#step-0 .findings")).to_contain_text("which is no step")
    expect(writer.locator("#step-2")).to_have_count(0)
    writer.locator("[name=step-0-way-1-to]").select_option("+")
    expect(writer.locator("#step-2-title")).to_have_value("No")
    writer.locator("#step-2-title").fill("All is well")
    writer.locator("[name=step-2-end]").select_option("solved")
    expect(writer.locator(".tree-of")).to_contain_text("3. All is well")
    expect(writer.locator("#preview .findings")).to_have_count(0)
    expect(writer.locator("[data-kept]")).to_have_text(re.compile(r"Saved \d\d:\d\d"))
    writer.get_by_role("link", name="Try it").click()
    writer.get_by_role("link", name="No", exact=True).click()
    expect(writer.locator("#step-title")).to_have_text("All is well")
