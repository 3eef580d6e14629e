"""The articles of the sample company are what ours should be."""

from __future__ import annotations

import pytest

from benchmarks.questions import QUESTIONS
from everyline.articles import finding, guides, meanings, queries, wordings, working
from everyline.articles.finding import Asked
from everyline.articles.queries import Reader, Shown
from everyline.articles.wordings import WRITTEN, Weight, Wording
from everyline.ground.installation import Ground
from everyline.sample import articles
from tests.articles.conftest import AGENT, PUBLIC

AMONG_THE_FIRST = 3
LEAST_SHARE = 0.85


@pytest.mark.req("W1", "W2", "A7")
async def test_they_are_whole_and_right_in_every_wording(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        ids = await articles.load(tx, None)
        home = await queries.home(tx, PUBLIC)
        assert len(home.places) == 7
        assert [one.title for one in home.news] == ["Water works on Pier Street from 7 to 11 December"]
        spanish = 0
        for one in articles.ARTICLES:
            article_id = ids[one.english.title]
            states = {state.language: state for state in await working.languages_of(tx, article_id)}
            assert {state.translation.value for state in states.values()} <= {"source", "current"}
            spanish += "es" in states
            shown = await queries.shown(tx, AGENT, states["en"].slug)
            assert isinstance(shown, Shown)
            if one.kind == "guide":
                assert guides.faults(guides.read(one.english.text)) == []
            for kind in WRITTEN:
                text = await queries.wording(tx, article_id, kind, "en")
                assert text
                wrong = [found.words for found in wordings.lint(kind, text) if found.weight is Weight.WRONG]
                assert wrong == [], (one.english.title, kind)
            assert wordings.segments(await queries.wording(tx, article_id, Wording.SHORT, "es")).parts == 1
        assert spanish * 2 >= len(articles.ARTICLES)
        assert (await working.health(tx, ["en"])).stale == ()


@pytest.mark.req("W1")
async def test_questions_in_other_words_find_the_right_one(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        ids = await articles.load(tx, None)
    await meanings.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        found = 0
        for words, title in QUESTIONS:
            hits = await finding.find(tx, Asked(words, Reader("public", "en"), most=AMONG_THE_FIRST))
            found += ids[title] in [hit.article_id for hit in hits]
        assert found >= LEAST_SHARE * len(QUESTIONS)
