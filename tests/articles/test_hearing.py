"""What comes back: views, votes, uses, flags, gaps; and what is not well."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from conftest import until
from everyline.articles import actions, embedding, finding, listing, pairing, working
from everyline.articles.finding import Asked
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.installation import Ground
from tests.articles.conftest import PUBLIC, put

LONG_AGO = date(2000, 1, 1)


async def a_case(tx: Tx) -> int:
    customer_id = await tx.value(text("insert into customer (name) values ('Una') returning id"))
    case_id: int = await tx.value(
        text("insert into \"case\" (customer_id, subject) values (:id, 'Bill') returning id"), {"id": customer_id}
    )
    return case_id


@pytest.mark.req("W2")
async def test_figures_are_counted_by_channel(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Pay a bill")
        case_id = await a_case(tx)
        for _time in range(3):
            await actions.viewed(tx, article_id, "en", channel="portal")
        await actions.viewed(tx, article_id, "fr", channel="portal")
        await actions.feedback(tx, article_id, "en", True, "", "portal")
        await actions.feedback(tx, article_id, "en", False, "The fee is <b>wrong</b>.", "portal")
        await actions.deflected(tx, article_id, "en", channel="portal")
        await actions.used(tx, article_id, case_id, None, "desk", "short", language="en")
        await actions.used(tx, article_id, case_id, None, "desk", actions.LINK)
        rows = {row.channel: row for row in await working.figures(tx, article_id, LONG_AGO)}
        assert (rows["portal"].views, rows["portal"].helped, rows["portal"].not_helped, rows["portal"].deflected) == (
            3,
            1,
            1,
            1,
        )
        assert rows["desk"].used == 2
        assert [row.case_id for row in await working.uses(tx, article_id)] == [case_id, case_id]
        assert (await working.figures_of_all(tx, LONG_AGO))[0].views == 3
        said = await working.feedback(tx, article_id)
        assert {one.words for one in said} == {"", "The fee is <b>wrong</b>."}
        await actions.settle_feedback(tx, None, said[0].id)
        with pytest.raises(Invalid):
            await actions.used(tx, article_id, case_id, None, "desk", "sung")
        with pytest.raises(NotFound):
            await actions.feedback(tx, article_id, "fr", True)


@pytest.mark.req("W2")
async def test_gaps_are_grouped_and_become_articles(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        case_id = await a_case(tx)
        ask = "How do I adopt a goat"
        assert await finding.find(tx, Asked(ask, PUBLIC)) == []
        group = await actions.found_nothing(tx, ask, "en", channel="portal")
        assert await actions.found_nothing(tx, "how do i adopt a goat?", "en", case_id=case_id) == group
        other = await actions.found_nothing(tx, "parking permit for a boat trailer", "en")
        assert other != group
        assert await actions.found_nothing(tx, "adoptar una cabra", "es") not in (group, other)
        assert await actions.found_nothing(tx, " ?! a", "en") is None
        first = (await working.gap_groups(tx, language="en"))[0]
        assert (first.id, first.asked, first.case_ids) == (group, 2, [case_id])
        assert group is not None
        article_id = await actions.write_for_gap(tx, None, group)
        with pytest.raises(Conflict):
            await actions.write_for_gap(tx, None, group)
        draft = await working.open_version(tx, article_id, "en")
        assert draft is not None
        assert (draft.title, draft.questions[0]) == ("How do I adopt a goat", ask)
        await actions.write(tx, None, article_id, "en", 1, text="Come to the shelter.")
        await actions.publish(tx, None, article_id, "en")
        assert group not in [one.id for one in await working.gap_groups(tx)]
        hits = await finding.find(tx, Asked("adopt a goat", PUBLIC))
        assert [hit.article_id for hit in hits] == [article_id]
        assert hits[0].useful


@pytest.mark.req("W2")
async def test_a_gap_may_be_answered_by_what_there_is(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        article_id = await put(tx, "Fees of the harbor", "Berths cost $12.")
        group = await actions.found_nothing(tx, "mooring charges", "en")
        assert group is not None
        await actions.settle_gap(tx, None, group, article_id=article_id)
        hits = await finding.find(tx, Asked("mooring charge", PUBLIC))
        assert [(hit.article_id, hit.useful) for hit in hits] == [(article_id, True)]
        with pytest.raises(NotFound):
            await actions.settle_gap(tx, None, group)


@pytest.mark.req("W2")
async def test_questions_that_mean_the_same_are_one_gap(ground: Ground) -> None:
    assert embedding.installed(), "the suite needs the extra `meaning`"
    async with ground.database.transaction() as tx:
        first = await actions.found_nothing(tx, "Where can I charge my electric car?", "en")
        assert await actions.found_nothing(tx, "electric vehicle charging stations", "en") == first
        assert await actions.found_nothing(tx, "How do I get married at the court house?", "en") != first


@pytest.mark.req("W2")
async def test_those_who_ask_the_same_at_once_are_one_gap(ground: Ground) -> None:
    async def ask() -> int | None:
        async with ground.database.transaction() as tx:
            return await actions.found_nothing(tx, "goat licences", "en")

    waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
    async with ground.database.transaction() as tx:
        first = await actions.found_nothing(tx, "goat licences", "en")
        second = asyncio.create_task(ask())

        async def settled() -> bool:
            async with ground.database.transaction() as other:
                return second.done() or bool(await other.value(waiting))

        await until(settled)
    assert await second == first


@pytest.mark.req("W2")
async def test_what_is_not_well_is_found(ground: Ground, sign_in: object) -> None:
    agent = await sign_in()  # type: ignore[operator]  # -- a fixture that makes agents
    async with ground.database.transaction() as tx:
        old = await put(tx, "Old fees")
        await actions.set_review(tx, None, old, now().date() - timedelta(days=3))
        poor = await put(tx, "Poor answer")
        for helped in (False, False, False, False, True):
            await actions.feedback(tx, poor, "en", helped)
        good = await put(tx, "Ferry times")
        one = await put(tx, "How to license your dog", "A license costs $12.")
        two = await put(tx, "How to license a dog", "A license costs $15.")
        flag = await actions.flag(tx, agent.id, good, "The ferry is gone.")
        with pytest.raises(Invalid):
            await actions.flag(tx, agent.id, good, "  ")
        await pairing.compare_some(tx)
        found = await working.health(tx, ["en", "es"])
        assert {row.article_id for row, _why in found.stale} == {old, poor}
        (pair,) = found.pairs
        assert (pair.article_id, pair.other_id, pair.contradict) == (one, two, True)
        assert {lack.article_id for lack in found.lacking} >= {old, one}
        assert found.lacking[0].languages == ("es",)
        assert found.lacking[0].wordings == ("spoken", "short", "chat", "letter")
        assert [row.id for row in found.flags] == [flag]
        await actions.settle_flag(tx, agent.id, flag)
        assert (await working.health(tx, ["en"])).flags == ()
        assert len(await listing.listed(tx, listing.Filters(words="license"))) == 2
        assert [row.id for row in await listing.listed(tx, listing.Filters(due_by=now().date()))] == [old]
