"""Flows as an admin makes them: begun, checked, tried, published, and kept from harm."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from everyline.ground.installation import Ground
from everyline.selfservice import flows, queries
from everyline.selfservice.flows import Flow, Say
from tests.selfservice.conftest import water as sample

pytestmark = pytest.mark.req("V3", "W4")
TRIAL = "/setup/flows/water/trial"


def good() -> Flow:
    """The sample without what this installation does not have."""
    flow = sample()
    kept = tuple(step for step in flow.steps if step.kind not in ("lookup", "branch", "errand") and step.name != "tell")
    led = {"get": "bye", "do": "bye"}
    steps = []
    for step in kept:
        for label in ("to", "yes"):
            if getattr(step, label, "") in led:
                step = replace(step, **{label: led[getattr(step, label)]})  # type: ignore[arg-type]  # -- each has that edge
        steps.append(step)
    return replace(flow, queue="", steps=tuple(steps))


async def begun(admin: httpx.AsyncClient, flow: Flow | None = None) -> None:
    added = await admin.post("/setup/flows", data={"form": flows.written(flow or good())})
    assert added.status_code == 303, added.text


def changed(**facts: str) -> str:
    form = json.loads(flows.written(good()))
    return json.dumps({**form, **facts})


async def test_a_flow_is_begun_checked_and_published(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "No flow yet" in (await admin.get("/setup/flows")).text
    await begun(admin)
    page = (await admin.get("/setup/flows/water")).text
    assert 'href="#step-menu"' in page
    assert "Welcome to Harbor Water." in page
    assert (await admin.post("/setup/flows/water/publish")).status_code == 303
    listed = (await admin.get("/setup/flows")).text
    assert "version 1" in listed
    async with ground.database.transaction() as tx:
        [row] = await queries.every_flow(tx)
    assert (row.name, row.state, queries.flow_of(row.form)) == ("water", "published", good())
    assert (await admin.post("/setup/flows/water/publish")).status_code == 409


async def test_what_is_wrong_is_said_and_keeps_it_back(admin: httpx.AsyncClient) -> None:
    await begun(
        admin, replace(good(), steps=(*good().steps, Say("alone", words=flows.words("Hm.", es="Hm."), to="bye")))
    )
    page = (await admin.get("/setup/flows/water")).text
    assert "L01" in page
    assert "Nothing leads to this step." in page
    refused = await admin.post("/setup/flows/water/publish")
    assert refused.status_code == 422
    assert "nothing was published" in refused.text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("{", "This is not JSON"),
        ('{"form": 9}', "This is a flow of form 9"),
        ('{"form": 1, "name": "x", "start": "y", "steps": [{"kind": "jump"}]}', "Step 1"),
    ],
)
async def test_what_cannot_be_read_is_shown_again_with_the_reason(
    admin: httpx.AsyncClient, form: str, told: str
) -> None:
    refused = await admin.post("/setup/flows", data={"form": form})
    assert refused.status_code == 422
    assert told in refused.text
    assert "jump" in refused.text or "jump" not in form, "what was typed is kept"


async def test_a_name_is_taken_once(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    again = await admin.post("/setup/flows", data={"form": flows.written(good())})
    assert again.status_code == 409
    assert "There is a flow “water” already" in again.text


async def test_a_draft_stands_beside_what_is_published(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    await admin.post("/setup/flows/water/publish")
    saved = await admin.post("/setup/flows/water", data={"form": changed(queue=""), "revision": "0"})
    assert saved.status_code == 303
    page = (await admin.get("/setup/flows/water")).text
    assert "Version 2" in page
    assert "Version 1" in page
    assert "This is version 1, as it was." in (await admin.get("/setup/flows/water?version=1")).text


async def test_two_who_write_one_draft_lose_nothing(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    assert (await admin.post("/setup/flows/water", data={"form": changed(), "revision": "1"})).status_code == 303
    theirs = changed(person="bye")
    second = await admin.post("/setup/flows/water", data={"form": theirs, "revision": "1"})
    assert second.status_code == 409
    assert "Somebody else has changed this draft meanwhile" in second.text
    assert "&#34;person&#34;: &#34;bye&#34;" in second.text, "what was typed stands there"


async def test_a_flow_keeps_its_name(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    refused = await admin.post("/setup/flows/water", data={"form": changed(name="fire"), "revision": "1"})
    assert "Its name is “water” and stays so." in refused.text


async def test_it_is_tried_in_every_rendering(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    first = (await admin.get(TRIAL)).text
    for words in (
        "[My bill] [No water] [Nothing else]",
        "For My bill, press 1.",
        "TYPE A NUMBER GA",
        "Reply with a number.",
        "( ) My bill",
    ):
        assert words in first
    wrong = (await admin.post(TRIAL, data={"move": ["1", "12"]})).text
    assert "You gave 2 digits. It has 10." in wrong
    spanish = (await admin.post(TRIAL, data={"language": "es"})).text
    assert "¿Qué necesita?" in spanish
    over = (await admin.post(TRIAL, data={"move": ["1", "1234567890"]})).text
    assert "the customer has what they came for" in over


async def test_who_tries_says_what_comes_from_outside(admin: httpx.AsyncClient) -> None:
    await begun(admin, sample())
    asked = (await admin.post(TRIAL, data={"move": ["1", "1234567890"]})).text
    assert "Step get is done outside of the flow" in asked
    due = '{"due": {"kind": "money", "value": "41.50", "unit": "USD"}}'
    told = (await admin.post(TRIAL, data={"move": ["1", "1234567890", f"=found {due}"]})).text
    assert "You owe $41.50" in told
    assert "It does not go on from there" in (await admin.post(TRIAL, data={"move": ["1", "1234567890", "=fly"]})).text
    assert (
        "It does not go on from there" in (await admin.post(TRIAL, data={"move": ["1", "1234567890", "=found {"]})).text
    )


async def test_a_trial_is_kept_and_stands_against_publication(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    kept = await admin.post(TRIAL, data={"move": ["1", "1234567890"], "keep": "1", "name": "A bill"})
    assert kept.status_code == 303
    assert "A bill" in (await admin.get("/setup/flows/water")).text
    form = json.loads(flows.written(good()))
    next(step for step in form["steps"] if step["name"] == "who")["to"] = "agent"
    await admin.post("/setup/flows/water", data={"form": json.dumps(form), "revision": "1"})
    page = (await admin.get("/setup/flows/water")).text
    assert "leads elsewhere" in page
    refused = await admin.post("/setup/flows/water/publish")
    assert refused.status_code == 422
    assert "“A bill” leads elsewhere than it did." in refused.text


async def test_a_trial_through_another_flow_is_played_again(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    await admin.post("/setup/flows/water/publish")
    around = Flow(
        "around",
        title=flows.words("Around"),
        start="in",
        person="agent",
        steps=(flows.Subflow("in", flow="water", to="bye"), flows.Done("bye"), flows.Queue("agent")),
    )
    await begun(admin, around)
    kept = await admin.post("/setup/flows/around/trial", data={"move": ["3"], "keep": "1", "name": "Nothing"})
    assert kept.status_code == 303
    page = await admin.get("/setup/flows/around")
    assert page.status_code == 200
    assert "leads elsewhere" not in page.text
    assert (await admin.post("/setup/flows/around/publish")).status_code == 303


async def test_a_flow_is_taken_out_of_use(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    assert (await admin.post("/setup/flows/water/retire")).status_code == 303
    assert (await admin.get("/setup/flows/water")).status_code == 404
    assert (await admin.get(TRIAL)).status_code == 404


async def test_what_customers_say_is_harmless_in_a_trial(admin: httpx.AsyncClient) -> None:
    await begun(admin)
    page = (await admin.post(TRIAL, data={"move": ["<script>alert(1)</script>", "{account}", "x" * 6000]})).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


async def test_the_schema_is_published(admin: httpx.AsyncClient) -> None:
    found = (await admin.get("/setup/flows/schema")).json()
    assert found["$schema"].startswith("https://json-schema.org/")
    assert "Lookup" in found["$defs"]
