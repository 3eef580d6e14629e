"""The pages of the reports: figures, their cases, what is kept, exported and sent, within one's scope."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.measure import ledgers
from everyline.reports import tasks
from tests.mail import MailLine
from tests.measure.world import Day, queue, write

pytestmark = pytest.mark.req("Q4")


async def yesterday(ground: Ground, n: int = 60) -> tuple[int, int]:
    queues = (await queue(ground.database, "Tax"), await queue(ground.database, "Permits"))
    start = now().replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(days=1)
    await write(ground.database, Day(seed=4, queues=queues, start=start, hours=6).generate(n).events)
    await ledgers.catch_up(ground.database)
    return queues


@pytest.mark.parametrize("by", ["interval", "queue", "agent", "channel", "language", "team"])
async def test_a_report_of_each_kind(ground: Ground, client: httpx.AsyncClient, sign_in: Any, by: str) -> None:
    await yesterday(ground)
    lead = await sign_in("supervisor", all_queues=True)
    found = await client.get(f"/reports?by={by}&period=yesterday", headers=lead.cookie)
    assert found.status_code == 200
    assert "Together" in found.text
    assert ('<svg class="chart"' in found.text) == (by != "agent")


async def test_a_figure_opens_to_its_cases(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    await yesterday(ground)
    lead = await sign_in("supervisor", all_queues=True)
    page = (await client.get("/reports?by=queue&period=yesterday", headers=lead.cookie)).text
    links = re.findall(r'<td class="figure"><a class="link" href="([^"]+)">(\d+)</a>', page)
    assert links
    for href, count in links:
        cases = (await client.get(href.replace("&amp;", "&"), headers=lead.cookie)).text
        assert len(re.findall(r'<tr><th scope="row">', cases)) == min(int(count), 50), href


async def test_only_figures_of_ones_own_queues(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    queues = await yesterday(ground)
    lead = await sign_in("supervisor", queues=queues[:1])
    page = (await client.get("/reports?by=queue&period=yesterday", headers=lead.cookie)).text
    assert "Tax" in page
    assert "Permits" not in page
    asked = await client.get(f"/reports/figures.csv?by=queue&period=yesterday&queue={queues[1]}", headers=lead.cookie)
    assert len(asked.text.splitlines()) == 1, "only the head"
    assert (await client.get("/reports", headers=(await sign_in("agent")).cookie)).status_code == 403


async def test_the_file_holds_the_same_figures(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    await yesterday(ground)
    lead = await sign_in("supervisor", all_queues=True)
    found = await client.get(
        "/reports/figures.csv?period=yesterday&figure=offered&figure=service_level", headers=lead.cookie
    )
    rows = list(csv.DictReader(io.StringIO(found.text)))
    async with ground.database.transaction() as tx:
        offered = await tx.value(text("select sum(entered - withdrawn) from cohort_ledger"))
    assert sum(int(row["offered"]) for row in rows) == offered
    assert {row["formula"] for row in rows} == {"SL-off-s"}
    assert all(row["from_utc"].endswith("Z") for row in rows)
    parquet = await client.get("/reports/figures.parquet?period=yesterday", headers=lead.cookie)
    assert parquet.status_code in (200, 409)
    assert parquet.status_code == 200 or "everyline[parquet]" in parquet.text


async def test_a_report_is_kept_shared_and_sent(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    await yesterday(ground)
    await MailLine.add(ground)
    lead, other = await sign_in("supervisor", all_queues=True), await sign_in("supervisor", all_queues=True)
    form = {"name": "Morning", "by": "queue", "period": "yesterday", "figure": ["offered", "asa"], "shared": "1"}
    made = await client.post("/reports/kept", data=form, headers=lead.cookie)
    assert made.status_code == 303
    place = made.headers["location"].partition("?")[0]
    page = (await client.get(place, headers=other.cookie)).text
    assert "Morning" in page
    assert "Average answer" in page
    assert (await client.post(f"{place}/remove", headers=other.cookie)).status_code == 403
    await client.post(f"{place}/mails", data={"rhythm": "daily", "hour": "0"}, headers=lead.cookie)
    await tasks.send_reports(ground)
    await tasks.send_reports(ground)
    async with ground.database.transaction() as tx:
        letters = await tx.rows(
            text("select address, text, subject, files from delivery where idempotency_key like 'report:%'")
        )
    assert [row.address for row in letters] == [lead.email]
    words = ground.vault.open(letters[0].text.encode())
    assert "Tax" in words
    assert "Together" in words
    ((digest, name, kind),) = letters[0].files
    assert re.fullmatch(r"morning-\d{4}-\d\d-\d\d\.csv", name)
    assert kind == "text/csv"
    query = "?by=queue&period=yesterday&figure=offered&figure=asa"
    exported = await client.get(f"/reports/figures.csv{query}", headers=lead.cookie)
    assert (await ground.files.read(digest)).decode() == exported.text
    without_name = await client.post("/reports/kept", data={"name": " "}, headers=lead.cookie)
    assert without_name.status_code == 422


async def test_the_api_gives_figures_within_scope(ground: Ground, client: httpx.AsyncClient, sign_in: Any) -> None:
    queues = await yesterday(ground)
    lead = await sign_in("supervisor", queues=queues[:1])
    begin = (now() - timedelta(days=2)).isoformat()
    found = await client.get(
        "/api/v1/figures",
        params={"begin": begin, "by": ["queue"], "figure": ["offered", "service_level"]},
        headers=lead.bearer,
    )
    assert found.status_code == 200, found.text
    rows = found.json()["rows"]
    assert [row["key"]["queue"] for row in rows] == [queues[0]]
    assert rows[0]["formula"] == "SL-off-s"
    told = (await client.get("/api/v1/figures/definitions", headers=lead.bearer)).json()
    assert {one["id"] for one in told["figures"]} >= {"offered", "service_level", "occupancy"}
    assert len(told["formulas"]) == 11
    cases = await client.get("/api/v1/figures/offered/cases", params={"begin": begin}, headers=lead.bearer)
    assert len(cases.json()) == rows[0]["figures"]["offered"]
    assert (await client.get("/api/v1/figures", headers=(await sign_in("agent")).bearer)).status_code == 403
