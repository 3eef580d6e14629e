"""The bot as an admin teaches it: intents by form, tried, looked at, and set."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select

from everyline.ground.installation import Ground
from everyline.people.models import Audit
from everyline.selfservice.bot import quality, setting, teaching, training
from everyline.selfservice.bot.models import BotModel, BotQuestion
from tests.selfservice.bot_world import furnish, say

pytestmark = pytest.mark.req("W5")
FERRY = {
    "name": "ferry",
    "target": "person",
    "target_name": "",
    "examples_en": "lost ferry ticket\nthe ferry is late\nwhen does the ferry leave\n\nferry refund\na seat on the ferry",
    "examples_es": "el ferry llega tarde",
    "words_en": "The ferry",
}


async def test_an_intent_is_taught_learned_and_tried(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "No intent yet" in (await admin.get("/setup/bot")).text
    await furnish(ground)
    assert (await admin.get("/setup/bot/new")).status_code == 200
    assert (await admin.post("/setup/bot/intents", data=FERRY)).status_code == 303
    await training.learn(ground.database)
    page = (await admin.get("/setup/bot")).text
    assert 'href="/setup/bot/intents/ferry"' in page
    assert "Right when held out" in page
    form = (await admin.get("/setup/bot/intents/ferry")).text
    assert "lost ferry ticket\nthe ferry is late" in form
    assert "el ferry llega tarde" in form
    tried = (await admin.post("/setup/bot/trial", data={"asked": "is the ferry late today?"})).text
    assert "I connect you with a person." in tried
    answered = (await admin.post("/setup/bot/trial", data={"asked": "how much does a dog license cost?"})).text
    assert "$12 a year" in answered
    assert "License your dog" in answered
    async with ground.database.transaction() as tx:
        assert await tx.column(select(BotQuestion.id)) == [], "a trial is not kept"


async def test_what_is_wrong_is_said_and_what_was_typed_stays(admin: httpx.AsyncClient) -> None:
    refused = await admin.post("/setup/bot/intents", data={**FERRY, "name": "No Good", "target": "flow"})
    assert refused.status_code == 422
    assert "Small letters, digits" in refused.text
    assert "Say which one." in refused.text
    assert "lost ferry ticket" in refused.text
    assert (await admin.post("/setup/bot/intents", data=FERRY)).status_code == 303
    again = await admin.post("/setup/bot/intents", data=FERRY)
    assert again.status_code == 409
    changed = await admin.post("/setup/bot/intents/ferry", data={**FERRY, "examples_en": "one ferry"})
    assert changed.status_code == 303
    assert "lost ferry ticket" not in (await admin.get("/setup/bot/intents/ferry")).text
    assert (await admin.post("/setup/bot/intents/nothing", data=FERRY)).status_code == 404
    assert (await admin.post("/setup/bot/intents/ferry/remove")).status_code == 303
    assert (await admin.get("/setup/bot/intents/ferry")).status_code == 404


async def test_what_it_did_not_know_becomes_an_example(admin: httpx.AsyncClient, ground: Ground) -> None:
    await furnish(ground)
    await say(ground, "<b>where</b> is the skating rink")
    page = (await admin.get("/setup/bot")).text
    assert "&lt;b&gt;where" in page
    async with ground.database.transaction() as tx:
        [row] = await quality.unanswered(tx)
    settled = await admin.post(f"/setup/bot/unanswered/{row.id}", data={"intent": "dog-license"})
    assert settled.status_code == 303
    async with ground.database.transaction() as tx:
        assert await quality.unanswered(tx) == []
        assert "<b>where</b> is the skating rink" in (await teaching.get(tx, "dog-license")).examples["en"]
    assert (await admin.post(f"/setup/bot/unanswered/{row.id}", data={})).status_code == 404


async def test_a_model_is_compared_and_taken_back_into_use(admin: httpx.AsyncClient, ground: Ground) -> None:
    await furnish(ground)
    await say(ground, "the ferry was late today")
    await admin.post("/setup/bot/intents", data=FERRY)
    await training.learn(ground.database)
    async with ground.database.transaction() as tx:
        before = await tx.value(select(BotModel.id).where(~BotModel.in_use))
    compared = (await admin.get(f"/setup/bot/models/{before}")).text
    assert "1 question was asked again." in compared
    assert "the ferry was late today" in compared
    assert (await admin.post(f"/setup/bot/models/{before}/use")).status_code == 303
    async with ground.database.transaction() as tx:
        assert await tx.value(select(BotModel.id).where(BotModel.in_use)) == before
    assert (await admin.get("/setup/bot/models/999")).status_code in (200, 404)


async def test_settings_are_kept_and_the_key_is_shown_to_nobody(admin: httpx.AsyncClient, ground: Ground) -> None:
    form = {
        "phone": "988",
        "comfort_en": "We are here.",
        "distress_en": "levee broke\n the dam*",
        "address": "http://127.0.0.1:9/v1/",
        "model": "small",
        "key": "sk-very-secret",
        "seconds": "4.5",
        "price_in": "0.15",
        "price_out": "0.6",
    }
    assert (await admin.post("/setup/bot/setting", data=form)).status_code == 303
    page = (await admin.get("/setup/bot/setting")).text
    assert "sk-very-secret" not in page
    assert "One is kept" in page
    assert "levee broke\nthe dam*" in page
    async with ground.database.transaction() as tx:
        kept = await setting.load(tx)
        assert "sk-very-secret" not in str(await tx.column(select(Audit.detail)))
    assert (kept.address, kept.seconds, kept.phone) == ("http://127.0.0.1:9/v1", 4.5, "988")
    assert kept.key is not None
    assert ground.vault.open(kept.key) == "sk-very-secret"
    assert (await admin.post("/setup/bot/setting", data={**form, "key": ""})).status_code == 303
    async with ground.database.transaction() as tx:
        assert (await setting.load(tx)).key is not None, "an empty field leaves it"
    refused = await admin.post(
        "/setup/bot/setting", data={**form, "address": "ftp://x", "price_in": "-1", "seconds": "x"}
    )
    assert refused.status_code == 422
    assert "A number from" in refused.text
    assert "sk-very-secret" not in refused.text
    assert (await admin.post("/setup/bot/setting", data={**form, "key": "", "no_key": "1"})).status_code == 303
    async with ground.database.transaction() as tx:
        assert (await setting.load(tx)).key is None
