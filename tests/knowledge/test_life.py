"""From draft to reader and back, into other languages, and step by step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.articles import actions, guides, working
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.knowledge import guiding
from everyline.knowledge.comparing import beside
from tests.knowledge.conftest import Begin, typed_in

pytestmark = pytest.mark.req("W2")


async def test_sent_to_review_sent_back_with_words_and_published(
    client: httpx.AsyncClient, sign_in: Any, begin: Begin
) -> None:
    agent, lead = await sign_in("agent", name="Ann Writer"), await sign_in("supervisor")
    article_id = await begin("Meters")
    where = f"/knowledge/articles/{article_id}/en"
    page = await client.get(where, headers=agent.cookie)
    assert 'value="review"' in page.text
    assert 'value="publish"' not in page.text
    form = typed_in(page.text, "editor")
    refused = await client.post(where, data={**form, "text": "Mine.", "then": "publish"}, headers=agent.cookie)
    assert refused.status_code == 403
    assert typed_in(refused.text, "editor")["text"] == "Mine.", "nothing typed is lost"
    sent = await client.post(where, data={**form, "text": "Mine.", "then": "review"}, headers=agent.cookie)
    assert sent.headers["location"].endswith("done=reviewed")
    listed = await client.get("/knowledge?state=in+review", headers=lead.cookie)
    assert "Meters" in listed.text
    assert (await client.post(f"{where}/life", data={"deed": "return"}, headers=agent.cookie)).status_code == 403
    back = {"deed": "return", "words": "Say how long it takes."}
    assert (await client.post(f"{where}/life", data=back, headers=lead.cookie)).status_code == 303
    page = await client.get(where, headers=agent.cookie)
    assert "Say how long it takes." in page.text
    await client.post(f"{where}/life", data={"deed": "review"}, headers=agent.cookie)
    assert "Say how long it takes." not in (await client.get(where, headers=agent.cookie)).text
    assert (await client.post(f"{where}/life", data={"deed": "publish"}, headers=lead.cookie)).status_code == 303
    assert "Mine." in (await client.get("/help/en/articles/meters")).text


async def test_scheduled_on_the_clock_of_who_schedules(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("Meters")
    where = f"/knowledge/articles/{article_id}/en"
    async with ground.database.transaction() as tx:
        await tx.execute(text("update agent set zone = 'America/Chicago'"))
    past = await lead.post(f"{where}/life", data={"deed": "schedule", "at": "2001-01-01T09:00"})
    assert past.status_code == 422
    assert "This time has passed." in past.text
    assert 'value="2001-01-01T09:00"' in past.text
    assert (await lead.post(f"{where}/life", data={"deed": "schedule", "at": "soon"})).status_code == 422
    day = (now() + timedelta(days=400)).year
    assert (await lead.post(f"{where}/life", data={"deed": "schedule", "at": f"{day}-07-01T09:00"})).status_code == 303
    async with ground.database.transaction() as tx:
        at = await tx.value(text("select publish_at from article_version"))
    assert f"{at:%Y-%m-%d %H:%M}" == f"{day}-07-01 14:00", "Chicago is five hours behind UTC in summer"
    page = (await lead.get(where)).text
    assert f"{day}-07-01 09:00 CDT" in page
    assert "Scheduled" in page
    await lead.post(f"{where}/life", data={"deed": "unschedule"})
    assert "CDT" not in (await lead.get(where)).text


async def test_withdrawn_archived_and_brought_back(lead: httpx.AsyncClient, begin: Begin) -> None:
    article_id = await begin("Meters", publish=True)
    where = f"/knowledge/articles/{article_id}/en"
    assert (await lead.post(f"{where}/life", data={"deed": "archive"})).status_code == 303
    assert (await lead.get("/help/en/articles/meters")).status_code == 404
    assert "Archived" in (await lead.get(where)).text
    assert "Meters" in (await lead.get("/knowledge?state=archived")).text
    assert "Meters" not in (await lead.get("/knowledge")).text
    await lead.post(f"{where}/life", data={"deed": "bring-back"})
    assert (await lead.get("/help/en/articles/meters")).status_code == 200
    await lead.post(f"{where}/life", data={"deed": "withdraw"})
    assert (await lead.get("/help/en/articles/meters")).status_code == 404
    again = await lead.post(f"{where}/life", data={"deed": "withdraw"})
    assert again.status_code == 409
    assert "It is not published in this language." in again.text
    assert (await lead.post(f"{where}/life", data={"deed": "explode"})).status_code == 404


async def test_a_translation_stands_beside_its_original(lead: httpx.AsyncClient, begin: Begin) -> None:
    article_id = await begin("Meters", text="Read **them**.", publish=True)
    where = f"/knowledge/articles/{article_id}/es"
    page = (await lead.get(where)).text
    assert "Not begun in this language" in page
    assert (await lead.post(f"{where}/life", data={"deed": "translate"})).status_code == 303
    page = (await lead.get(where)).text
    assert "Original" in page
    assert "<strong>them</strong>" in page
    form = typed_in(page, "editor")
    assert (form["title"], form["text"]) == ("Meters", "Read **them**.")
    done = await lead.post(where, data={**form, "title": "Medidores", "text": "Léalos.", "then": "publish"})
    assert done.status_code == 303
    assert "up to date" in (await lead.get(where)).text
    source = f"/knowledge/articles/{article_id}/en"
    form = typed_in((await lead.get(source)).text, "editor")
    await lead.post(source, data={**form, "text": "Read them twice.", "then": "publish"})
    assert "behind the original" in (await lead.get(where)).text
    assert "Medidores" not in (await lead.get(f"/knowledge/articles/{article_id}")).text
    assert (await lead.get(f"/knowledge/articles/{article_id}/<b>")).status_code == 404
    assert (await lead.get("/knowledge/articles/999/en")).status_code == 404


async def test_versions_are_compared_and_taken_up_again(lead: httpx.AsyncClient, begin: Begin) -> None:
    article_id = await begin("Meters", text="One.\nTwo.", publish=True)
    where = f"/knowledge/articles/{article_id}/en"
    form = typed_in((await lead.get(where)).text, "editor")
    await lead.post(where, data={**form, "title": "Water meters", "text": "One.\nThree.", "then": "publish"})
    page = (await lead.get(f"{where}/versions")).text
    assert "<del>Two.</del>" in page
    assert "<ins>Three.</ins>" in page
    side = (await lead.get(f"{where}/versions?before=1&after=2&look=side")).text
    assert '<td dir="auto"><del>Two.</del></td><td dir="auto"><ins>Three.</ins></td>' in side
    assert (await lead.get(f"{where}/versions?before=1&after=9")).status_code == 404
    about = (await lead.get(f"{where}/about")).text
    assert '<code dir="auto">meters</code>' in about, "the old address"
    assert "leads to the one of now" in about
    assert (await lead.post(f"{where}/versions/1/restore")).status_code == 303
    assert typed_in((await lead.get(where)).text, "editor")["text"] == "One.\nTwo."
    assert (await lead.post(f"{where}/life", data={"deed": "drop"})).status_code == 303
    assert typed_in((await lead.get(where)).text, "editor")["text"] == "One.\nThree."


def test_lines_beside_each_other() -> None:
    from everyline.articles.rules import difference

    pairs = beside(difference("a\nb\nc", "a\nx\ny\nc"))
    assert [(pair.before, pair.after, pair.same) for pair in pairs] == [
        ("a", "a", True), ("b", "x", False), (None, "y", False), ("c", "c", True)
    ]  # fmt: skip


async def test_a_guide_is_written_by_fields(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("No water", text="", kind="guide")
    where = f"/knowledge/articles/{article_id}/en"
    form = typed_in((await lead.get(where)).text, "editor")
    assert form["steps"] == "0"
    added = await lead.post(where, data={**form, "then": "step add"})
    form = typed_in(added.text, "editor")
    assert form["step-0-title"] == "New step"
    form |= {"step-0-title": "Do your neighbors have water?", "step-0-way-0-words": "Yes", "step-0-way-0-to": "+"}
    form |= {"step-0-way-1-words": "No", "then": "save"}
    assert (await lead.post(where, data=form)).status_code == 303
    page = (await lead.get(where)).text
    form = typed_in(page, "editor")
    assert (form["steps"], form["step-1-title"]) == ("2", "Yes")
    assert form["step-0-ways"] == "4", "two, and room for two more"
    assert "leads nowhere yet" in page
    assert "Nothing follows this step: add a choice or an end." in page
    refused = await lead.post(where, data={**form, "then": "publish"})
    assert refused.status_code == 422
    assert "which is no step" in refused.text
    form = typed_in((await lead.get(where)).text, "editor")
    form |= {"step-1-title": "Open the main valve", "step-1-end": "solved", "step-0-way-1-to": form["step-1-name"]}
    done = await lead.post(where, data={**form, "then": "publish"})
    assert done.status_code == 303, done.text
    async with ground.database.transaction() as tx:
        row = (await working.versions(tx, article_id, "en"))[0]
    assert guides.faults(guides.read(row.text)) == []
    first = await lead.get(f"{where}/try")
    assert "Do your neighbors have water?" in first.text
    second = await lead.get(f"{where}/try?way=0")
    assert "Open the main valve" in second.text
    assert "Here it is solved." in second.text
    assert (await lead.get(f"{where}/try?way=7")).status_code == 404
    form = typed_in((await lead.get(where)).text, "editor")
    up = typed_in((await lead.post(where, data={**form, "then": "step up 1"})).text, "editor")
    assert up["step-0-title"] == "Open the main valve"
    gone = typed_in((await lead.post(where, data={**form, "then": "step remove 0"})).text, "editor")
    assert (gone["steps"], gone["step-0-title"]) == ("1", "Open the main valve")


def test_a_guide_is_a_tree_that_ends_where_it_was_told() -> None:
    guide = guides.read("## a: A?\n- on -> b\n- back -> a\n- out -> x\n\n## b: B\n= solved\n")
    found = guiding.tree(guide)
    assert found is not None
    assert [(one.words, one.number, one.seen, one.end) for one in found.branches] == [
        ("on", 2, False, "solved"), ("back", 1, True, ""), ("out", 0, False, "")
    ]  # fmt: skip
    assert guiding.tree(guides.read("words alone")) is None


async def test_wordings_with_what_is_doubtful(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("Meters", text="Call us. We come at once.", summary="We come at once.", publish=True)
    where = f"/knowledge/articles/{article_id}/en"
    page = (await lead.get(f"{where}/wordings")).text
    assert page.count("made from the full text") >= 4
    typed = await lead.post(f"{where}/wordings/short", data={"wording-short": "x" * 200})
    assert "goes out as 2 messages" in typed.text
    assert "<html" not in typed.text
    assert "Nothing to object to." in (await lead.post(f"{where}/wordings/short", data={"wording-short": ""})).text
    assert (await lead.post(f"{where}/wordings/sung", data={})).status_code == 404
    form = typed_in(page, "wordings")
    assert (await lead.post(f"{where}/wordings", data={**form, "wording-chat": "We come."})).status_code == 303
    again = await lead.post(f"{where}/wordings", data={**form, "wording-chat": "We do not come."})
    assert again.status_code == 409
    assert "We come." in again.text
    async with ground.database.transaction() as tx:
        row = await working.open_version(tx, article_id, "en")
        assert row is not None
        assert row.wordings == {"chat": "We come."}
        await actions.publish(tx, None, article_id, "en")


async def test_who_may_not_is_told_so(client: httpx.AsyncClient, sign_in: Any, begin: Begin) -> None:
    agent, article_id = await sign_in("agent"), await begin("Meters", publish=True)
    where = f"/knowledge/articles/{article_id}/en"
    for path, data in [
        (f"{where}/life", {"deed": "archive"}),
        (f"{where}/about", {"kind": "answer", "audience": "public"}),
        ("/knowledge/categories", {"name-en": "Water"}),
        ("/knowledge/synonyms", {"words": "a,b", "language": "en"}),
        ("/knowledge/import", {}),
        ("/knowledge/import/take", {}),
        ("/knowledge/gaps/1/settle", {}),
    ]:
        assert (await client.post(path, data=data, headers=agent.cookie)).status_code == 403, path
    for path in ("/knowledge", where, f"{where}/about", f"{where}/heard", "/knowledge/gaps", "/knowledge/health"):
        assert (await client.get(path, headers=agent.cookie)).status_code == 200, path
        assert (await client.get(path)).status_code == 303, path
    for path in ("/knowledge/categories", "/knowledge/synonyms", "/knowledge/import"):
        assert (await client.get(path, headers=agent.cookie)).status_code == 403, path
