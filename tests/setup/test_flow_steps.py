"""Steps of a flow by form: changed, renamed, added, taken out; what a file could not say a form cannot either."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx
import pytest

from everyline.ground.installation import Ground
from everyline.selfservice import queries
from everyline.selfservice.flows import Ask, Branch, Choose, Flow, Say
from tests.setup.test_flows import begun

pytestmark = pytest.mark.req("V3", "W4")
STEPS = "/setup/flows/water/steps"


async def draft(ground: Ground) -> Flow:
    async with ground.database.transaction() as tx:
        row = await queries.get(tx, "water")
        return queries.flow_of((await queries.versions(tx, row.id))[0].form)


class Fields(HTMLParser):
    """The fields of a form as a browser would send them back."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.area, self.choice = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name:
            self.found[name] = given.get("value") or ""
        elif tag == "textarea":
            self.area, self.found[name] = name, ""
        elif tag == "select":
            self.choice = name
        elif tag == "option" and (self.choice not in self.found or "selected" in given):
            self.found[self.choice] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.found[self.area] = self.found[self.area].removeprefix("\n")
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area] += data


def shown(page: httpx.Response) -> dict[str, str]:
    """What stands in the form of a step."""
    fields = Fields()
    fields.feed(page.text.split('flow-step"', 1)[1].split("</form>")[0])
    return fields.found


async def test_every_step_comes_back_as_it_was(admin: httpx.AsyncClient, ground: Ground) -> None:
    await begun(admin)
    before = await draft(ground)
    for step in before.steps:
        page = await admin.get(f"{STEPS}/{step.name}")
        assert page.status_code == 200, step.name
        saved = await admin.post(f"{STEPS}/{step.name}", data=shown(page))
        assert saved.status_code == 303, saved.text
    assert await draft(ground) == before


async def test_a_step_gets_other_words_and_another_name(admin: httpx.AsyncClient, ground: Ground) -> None:
    await begun(admin)
    given = shown(await admin.get(f"{STEPS}/menu")) | {
        "name": "first",
        "words.en.full": "How can we help?",
        "words.en.short": "Help?",
        "option.0.keywords.en": "owe, dues",
    }
    saved = await admin.post(f"{STEPS}/menu", data=given)
    assert saved.headers["location"] == "/setup/flows/water#step-first"
    flow = await draft(ground)
    menu, hello = flow.step("first"), flow.step("hello")
    assert isinstance(menu, Choose)
    assert menu.words["en"] == {"full": "How can we help?", "short": "Help?"}
    assert menu.options[0].keywords == {"en": ("owe", "dues")}
    assert flow.step("menu") is None
    assert isinstance(hello, Say)
    assert hello.to == "first"  # what led to it still does
    late = await admin.post(f"{STEPS}/first", data=given)  # with the revision of before
    assert late.status_code == 409
    assert "Somebody else has changed this draft" in late.text
    assert "How can we help?" in late.text


async def test_steps_are_added_and_taken_out(admin: httpx.AsyncClient, ground: Ground) -> None:
    await begun(admin)
    given = shown(await admin.get(f"{STEPS}/new?kind=ask")) | {
        "name": "since",
        "words.en.full": "Since when?",
        "slot.kind": "date",
        "slot.name": "since",
        "slot.most": "0",
        "to": "bye",
    }
    assert (await admin.post(f"{STEPS}/new", data=given)).status_code == 303
    added = (await draft(ground)).step("since")
    assert isinstance(added, Ask)
    assert (added.slot.kind, added.slot.most, added.to) == ("date", 0, "bye")
    given = shown(await admin.get(f"{STEPS}/new?kind=branch")) | {
        "name": "late",
        "way.0.about": "open",
        "way.0.value": "no",
        "way.0.to": "bye",
        "otherwise": "since",
    }
    assert (await admin.post(f"{STEPS}/new", data=given)).status_code == 303
    branch = (await draft(ground)).step("late")
    assert isinstance(branch, Branch)
    assert branch.ways[0].when[0].value is False
    revision = shown(await admin.get(f"{STEPS}/late"))["revision"]
    gone = await admin.post(f"{STEPS}/late", data={"revision": revision, "remove": "1"})
    assert gone.status_code == 303
    assert (await draft(ground)).step("late") is None


async def test_what_cannot_be_is_said(admin: httpx.AsyncClient, ground: Ground) -> None:
    await begun(admin)
    before = await draft(ground)
    given = shown(await admin.get(f"{STEPS}/menu"))
    for wrong, told in (
        ({"name": "bye"}, "There is a step of this name."),
        ({"name": "Not A Name"}, "step Not A Name"),
        ({"tries": "many"}, "valid integer"),
        ({"tries": "99"}, "less than or equal to 9"),
    ):
        refused = await admin.post(f"{STEPS}/menu", data={**given, **wrong})
        assert refused.status_code == 422, wrong
        assert told in refused.text, wrong
    assert (await admin.get(f"{STEPS}/nothing")).status_code == 404
    assert (await admin.get(f"{STEPS}/new?kind=nothing")).status_code == 404
    assert await draft(ground) == before
