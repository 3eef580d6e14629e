"""Surveys: who is asked, once, by a link that works once; who is not; and what came back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.ground.clock import now
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.installation import Ground
from everyline.measure import surveying
from everyline.measure.figures import Asked
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("Q5")
ADDRESS = "https://desk.example"


async def settled(ground: Ground, line: MailLine, kind: str = "satisfaction", **facts: Any) -> int:
    """A case that came by mail and was settled an hour and more ago."""
    await line.receive(mail(**facts))
    async with ground.database.transaction() as tx:
        case_id = int(await tx.value(text('select max(id) from "case"')))
        await surveying.change_setting(tx, 1, line.queue_id, kind)
        await tx.execute(text("update survey_setting set since = now() - interval '1 day'"))
        await tx.execute(
            text("update \"case\" set status = 'resolved', resolved_at = now() - interval '2 hours' where id = :id"),
            {"id": case_id},
        )
    return case_id


async def asked(ground: Ground) -> list[Any]:
    async with ground.database.transaction() as tx:
        await surveying.ask_due(tx, ADDRESS)
        return await tx.rows(text("select address, text, case_id from delivery where kind = 'survey' order by id"))


def token_of(letter: Any) -> str:
    found = re.search(rf"{ADDRESS}/survey/(\S+)", letter.text)
    assert found
    return found[1]


async def test_a_customer_is_asked_once_and_answers_once(ground: Ground, client: httpx.AsyncClient) -> None:
    line = await MailLine.add(ground)
    case_id = await settled(ground, line)
    letters = await asked(ground)
    assert [letter.case_id for letter in letters] == [case_id]
    assert len(await asked(ground)) == 1, "once"
    path = f"/survey/{token_of(letters[0])}"
    page = await client.get(path)
    assert page.status_code == 200
    assert page.text.count('name="score"') == 5
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await client.post(path, data={"score": "9"})).status_code == 422
    assert "Thank you" in (await client.post(path, data={"score": "5", "words": "Quick!"})).text
    assert (await client.post(path, data={"score": "1"})).status_code == 409
    assert "already" in (await client.get(path)).text
    async with ground.database.transaction() as tx:
        wanted = Asked(now() - timedelta(days=1), now() + timedelta(days=1), queue_ids=(line.queue_id,))
        (found,) = await surveying.summary(tx, wanted)
        (said,) = await surveying.answers(tx, wanted)
    assert (found["asked"], found["answers"], found["rate"], found["result"]) == (1, 1, 100, 100)
    assert said.words == "Quick!"


async def test_not_twice_within_the_queues_time(ground: Ground) -> None:
    line = await MailLine.add(ground)
    await settled(ground, line, sender="ada@customer.example", subject="One")
    await asked(ground)
    await settled(ground, line, sender="ada@customer.example", subject="Another matter")
    assert len(await asked(ground)) == 1


@pytest.mark.parametrize("sender", ["noreply@shop.example", "no-reply+1@shop.example", "mailer-daemon@shop.example"])
async def test_nobody_is_asked_where_only_machines_read(ground: Ground, sender: str) -> None:
    line = await MailLine.add(ground)
    await settled(ground, line, sender=sender)
    assert await asked(ground) == []


async def test_who_refuses_is_asked_no_more(ground: Ground, client: httpx.AsyncClient) -> None:
    line = await MailLine.add(ground)
    await settled(ground, line)
    (letter,) = await asked(ground)
    gone = await client.post(f"/survey/{token_of(letter)}", data={"no_more": "1"})
    assert "no such questions" in gone.text
    async with ground.database.transaction() as tx:
        await tx.execute(text("update survey set asked_at = now() - interval '100 days'"))
    await settled(ground, line, subject="Another matter")
    assert len(await asked(ground)) == 1


async def test_a_link_of_nobody_and_one_that_ran_out(ground: Ground, client: httpx.AsyncClient) -> None:
    assert (await client.get("/survey/nothing-of-ours")).status_code == 404
    line = await MailLine.add(ground)
    await settled(ground, line)
    (letter,) = await asked(ground)
    async with ground.database.transaction() as tx:
        await tx.execute(text("update survey set expires_at = now() - interval '1 minute'"))
    assert (await client.get(f"/survey/{token_of(letter)}")).status_code == 404
    assert (await client.post(f"/survey/{token_of(letter)}", data={"score": "5"})).status_code == 404


async def test_a_case_that_was_opened_again_is_not_asked_about(ground: Ground) -> None:
    line = await MailLine.add(ground)
    case_id = await settled(ground, line)
    async with ground.database.transaction() as tx:
        await tx.execute(
            text("update \"case\" set status = 'open', resolved_at = null where id = :id"), {"id": case_id}
        )
    assert await asked(ground) == []


async def test_each_kind_has_its_scale_and_its_figure(ground: Ground) -> None:
    assert surveying.result("satisfaction", good=7, bad=1, answers=10) == 70
    assert surveying.result("recommendation", good=6, bad=3, answers=10) == 30
    assert surveying.result("effort", good=0, bad=0, answers=0) is None
    line = await MailLine.add(ground)
    await settled(ground, line, kind="recommendation")
    (letter,) = await asked(ground)
    async with ground.database.transaction() as tx:
        with pytest.raises(Invalid):
            await surveying.answer(tx, token_of(letter), 11, "")
        await surveying.answer(tx, token_of(letter), 0, "")
        with pytest.raises(Conflict):
            await surveying.answer(tx, token_of(letter), 10, "")
