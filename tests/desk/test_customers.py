"""The customer beside the case."""

from __future__ import annotations

import json

import pytest

from tests.desk.conftest import Desk


@pytest.mark.req("A5", "A6")
async def test_addresses_are_added_preferred_and_marked_good(desk: Desk) -> None:
    agent = await desk.agent()
    customer = (await desk.case()).customer_id
    url = f"/desk/customers/{customer}"
    wrong = await desk.post(agent, f"{url}/points", kind="mailbox", address="nowhere")
    assert wrong.status_code == 422
    assert 'value="nowhere"' in wrong.text
    assert (await desk.post(agent, f"{url}/points", kind="mailbox", address="Home@Example.org")).status_code == 204
    point = await desk.value("select id from contact_point where address = 'home@example.org'")
    await desk.post(agent, f"{url}/points/{point}/prefer")
    assert await desk.value("select preferred from contact_point where id = :id", id=point) is True
    await desk.do("update contact_point set bad_since = now(), bad_reason = '550' where id = :id", id=point)
    assert "Nothing arrives there: 550" in (await desk.part(agent, f"{url}/pane")).text
    await desk.post(agent, f"{url}/points/{point}/good")
    assert await desk.value("select bad_since from contact_point where id = :id", id=point) is None


@pytest.mark.req("A5")
async def test_facts_are_changed_and_the_change_is_written_down(desk: Desk) -> None:
    agent = await desk.agent()
    customer = (await desk.case()).customer_id
    url = f"/desk/customers/{customer}"
    form = {
        "name": "Jane D. Doe",
        "kind": "person",
        "language": "vi",
        "zone": "America/Los_Angeles",
        "remarks": "Large print",
    }
    assert (await desk.post(agent, f"{url}/change", **form)).status_code == 204
    pane = (await desk.part(agent, f"{url}/pane")).text
    for words in ("Jane D. Doe", "Vietnamese", "Large print", "Local time"):
        assert words in pane
    assert await desk.value("select count(*) from audit where act = 'customer.changed'") == 1
    assert (await desk.post(agent, f"{url}/change", **{**form, "zone": "Moon/Base"})).status_code == 422


@pytest.mark.req("A5")
async def test_two_records_are_merged_and_parted(desk: Desk) -> None:
    agent = await desk.agent()
    kept = (await desk.case()).customer_id
    other = await desk.mail("Me again", sender="Jane Doe <jane.doe@work.example>", subject="From work")
    gone = (await desk.case(other)).customer_id
    url = f"/desk/customers/{kept}"
    assert f"/desk/customers/{gone}" in (await desk.part(agent, f"{url}/duplicates")).text
    assert (await desk.post(agent, f"{url}/merge")).status_code == 422
    done = await desk.post(agent, f"{url}/merge", gone=gone)
    assert "From work" in (await desk.part(agent, f"{url}/pane?case={desk.case_id}")).text
    undo = json.loads(done.headers["hx-trigger"])["toast"]["undo"]
    assert (await desk.post(agent, undo)).status_code == 204
    assert (await desk.case(other)).customer_id == gone
    assert (await desk.post(agent, undo)).status_code == 409
