"""The editor: what is typed is kept, seen as readers will see it, and never lost to another's."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.articles import working
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from tests.knowledge.conftest import EVIL, Begin, typed_in

pytestmark = pytest.mark.req("W2")


async def _open(ground: Ground, article_id: int, language: str = "en") -> Row:
    async with ground.database.transaction() as tx:
        row = await working.open_version(tx, article_id, language)
    assert row is not None
    return row


async def test_written_seen_and_published(lead: httpx.AsyncClient) -> None:
    assert "No article yet" in (await lead.get("/knowledge")).text
    refused = await lead.post(
        "/knowledge/new", data={"title": " ", "kind": "answer", "audience": "public", "language": "en"}
    )
    assert refused.status_code == 422
    assert "This is needed." in refused.text
    begun = await lead.post(
        "/knowledge/new", data={"title": "Broken meter", "kind": "answer", "audience": "public", "language": "en"}
    )
    assert begun.status_code == 303, begun.text
    where = begun.headers["location"].partition("?")[0]
    page = (await lead.get(where)).text
    form = typed_in(page, "editor")
    assert form["title"] == "Broken meter"
    form |= {
        "text": "## What to do\n\nCall **us**.\n\n> [!TIP]\n> At once.",
        "questions": "meter is broken\nmy meter stopped",
    }
    seen = await lead.post(where, data={**form, "then": "preview"})
    assert seen.status_code == 200
    assert "<strong>us</strong>" in seen.text
    assert '<aside class="callout tip"' in seen.text
    assert typed_in(seen.text, "editor")["questions"] == form["questions"], "nothing typed is lost"
    saved = await lead.post(where, data={**form, "then": "save"})
    assert saved.headers["location"] == f"{where}?done=saved"
    published = await lead.post(where, data={**typed_in((await lead.get(where)).text, "editor"), "then": "publish"})
    assert published.headers["location"] == f"{where}?done=published", published.text
    page = (await lead.get("/help/en/articles/broken-meter")).text
    assert "<strong>us</strong>" in page
    again = (await lead.get(f"{where}?done=published")).text
    assert "Readers see it now." in again
    assert "See it in the portal" in again


async def test_what_cannot_be_published_is_said_and_kept(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("Meters", text="")
    where = f"/knowledge/articles/{article_id}/en"
    refused = await lead.post(
        where, data={"revision": "1", "title": "Meters", "summary": "Short.", "text": "", "then": "publish"}
    )
    assert refused.status_code == 422
    assert "Write something." in refused.text
    assert (await _open(ground, article_id)).summary == "Short.", "it is a draft all the same"
    long = await lead.post(where, data={"revision": "2", "title": "x" * 201, "text": "kept", "then": "save"})
    assert long.status_code == 422
    assert "characters are too many" in long.text
    assert typed_in(long.text, "editor")["text"] == "kept"


async def test_the_second_of_two_is_shown_the_difference_and_loses_nothing(
    lead: httpx.AsyncClient, begin: Begin, ground: Ground
) -> None:
    article_id = await begin("Meters", text="One.\nTwo.\nThree.")
    where = f"/knowledge/articles/{article_id}/en"
    mine = typed_in((await lead.get(where)).text, "editor")
    theirs = {**mine, "title": "Water meters", "text": "One.\nTwo by another.\nThree."}
    assert (await lead.post(where, data={**theirs, "then": "save"})).status_code == 303
    both = await lead.post(where, data={**mine, "text": "One.\nTwo of mine.\nThree.", "then": "publish"})
    assert both.status_code == 409
    assert "Lea Lead has saved while you were writing" in both.text
    assert "<del>Two by another.</del>" in both.text
    assert "<ins>Two of mine.</ins>" in both.text
    form = typed_in(both.text, "merge")
    assert form["text"] == "One.\nTwo of mine.\nThree."
    assert form["theirs-text"] == "One.\nTwo by another.\nThree."
    assert (await _open(ground, article_id)).text == theirs["text"], "nothing was written over"
    merged = {**form, "text": "One.\nTwo of both.\nThree.", "take-title": "theirs", "take-text": "mine"}
    assert (await lead.post(f"{where}/merge", data=merged)).status_code == 303
    row = await _open(ground, article_id)
    assert (row.title, row.text) == ("Water meters", "One.\nTwo of both.\nThree.")
    assert (await lead.post(f"{where}/merge", data=merged)).status_code == 303, "the same again says the same"
    other = await lead.post(f"{where}/merge", data={**merged, "text": "Something else."})
    assert other.status_code == 409


async def test_a_draft_that_was_published_meanwhile_is_put_together_too(
    lead: httpx.AsyncClient, begin: Begin, ground: Ground
) -> None:
    article_id = await begin("Meters", text="One.")
    where = f"/knowledge/articles/{article_id}/en"
    mine = typed_in((await lead.get(where)).text, "editor")
    await lead.post(where, data={**mine, "text": "One of theirs.", "then": "publish"})
    assert (await lead.post(f"{where}/keep", data={**mine, "text": "One of mine."})).status_code == 409
    both = await lead.post(where, data={**mine, "text": "One of mine.", "then": "save"})
    assert both.status_code == 409
    assert "<del>One of theirs.</del>" in both.text
    form = typed_in(both.text, "merge")
    assert (await lead.post(f"{where}/merge", data={**form, "text": "One of both."})).status_code == 303
    assert (await _open(ground, article_id)).text == "One of both."
    assert "One of theirs." in (await lead.get("/help/en/articles/meters")).text


async def test_drafts_are_kept_while_one_writes(lead: httpx.AsyncClient, begin: Begin, ground: Ground) -> None:
    article_id = await begin("Meters", publish=True)
    where = f"/knowledge/articles/{article_id}/en"
    form = typed_in((await lead.get(where)).text, "editor")
    assert form["revision"] == "0", "nobody is writing"
    kept = await lead.post(f"{where}/keep", data={**form, "text": "New words."})
    assert kept.status_code == 200, kept.text
    assert kept.json()["said"].startswith("Saved ")
    again = await lead.post(f"{where}/keep", data={**form, "revision": kept.json()["revision"], "text": "Newer words."})
    assert (await _open(ground, article_id)).text == "Newer words."
    late = await lead.post(f"{where}/keep", data={**form, "revision": kept.json()["revision"], "text": "Older words."})
    assert late.status_code == 409
    assert late.json()["overtaken"]
    assert (await _open(ground, article_id)).text == "Newer words."
    begun_elsewhere = await lead.post(where, data={**form, "text": "Of a page that knew of no draft.", "then": "save"})
    assert begun_elsewhere.status_code == 409
    assert "Newer words." in begun_elsewhere.text
    assert again.json()["revision"] == kept.json()["revision"] + 1
    assert "Some words." in (await lead.get("/help/en/articles/meters")).text, "readers see what was published"


async def test_a_fragment_shows_what_is_typed(lead: httpx.AsyncClient, begin: Begin) -> None:
    article_id = await begin("Meters")
    words = " ".join(["word"] * 2000)
    found = await lead.post(
        f"/knowledge/articles/{article_id}/en/preview", data={"title": "T", "text": f"*so* {words}"}
    )
    assert "<em>so</em>" in found.text
    assert "minutes to read: few read so far" in found.text
    assert "<html" not in found.text


async def test_scripts_in_every_field_are_words(lead: httpx.AsyncClient, ground: Ground) -> None:
    begun = await lead.post(
        "/knowledge/new", data={"title": EVIL, "kind": "guide", "audience": "public", "language": "en"}
    )
    where = begun.headers["location"].partition("?")[0]
    steps = {"steps": "1", "step-0-title": EVIL, "step-0-text": EVIL, "step-0-ways": "1"}
    steps |= {"step-0-way-0-words": EVIL, "step-0-way-0-to": "+", "introduction": EVIL, "then": "save"}
    saved = await lead.post(where, data={"title": EVIL, "summary": EVIL, "questions": EVIL, **steps, "revision": "1"})
    assert saved.status_code == 303, saved.text
    file = {"file": (f"{EVIL}.png", b"\x89PNG\r\n\x1a\n000", "image/png")}
    assert (await lead.post(f"{where}/files", files=file)).status_code == 303
    facts = {"kind": "guide", "audience": "public", "tags": EVIL, "products": EVIL, "position": "0"}
    assert (await lead.post(f"{where}/about", data=facts)).status_code == 303
    revision = typed_in((await lead.get(where)).text, "editor")["revision"]
    spoken = await lead.post(f"{where}/wordings", data={"revision": revision, "wording-spoken": EVIL})
    assert spoken.status_code == 303, spoken.text
    await lead.post("/knowledge/categories", data={"name-en": EVIL, "icon": EVIL, "remark-en": EVIL})
    await lead.post("/knowledge/synonyms", data={"words": f"{EVIL},b", "language": "en"})
    article = where.partition("?")[0]
    paths = [article, *(f"{article}/{one}" for one in ("wordings", "versions", "about", "heard", "try"))]
    for path in [
        *paths,
        "/knowledge",
        f"/knowledge?q={EVIL}&tag={EVIL}",
        "/knowledge/categories",
        "/knowledge/synonyms",
    ]:
        page = await lead.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert "<img src=x" not in page.text, path
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select count(*) from article_version where title = :evil"), {"evil": EVIL}) == 1


async def test_files_are_what_they_call_themselves(lead: httpx.AsyncClient, begin: Begin) -> None:
    article_id = await begin("Meters", text="Look:")
    where = f"/knowledge/articles/{article_id}/en"
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 40
    lies: list[tuple[str, bytes, str]] = [
        ("a.png", b"<html><script>alert(1)</script>", "image/png"),
        ("a.mp4", b"MZ\x90\x00", "video/mp4"),
        ("a.txt", b"<svg onload=alert(1)>", "image/svg+xml"),
        ("a.vtt", b"<html>", "text/vtt"),
        ("a.pdf", png, "application/pdf"),
    ]
    for lie in lies:
        refused = await lead.post(f"{where}/files", files={"file": lie})
        assert refused.status_code == 422, lie
        assert "is not what it calls itself" in refused.text
        assert "Save it anew" in refused.text
    assert (await lead.post(f"{where}/files", data={"captions_of": ""})).status_code == 422
    clip = b"\x1aE\xdf\xa3" + b"0" * 400
    for one in [
        ("m.png", png, "image/png"),
        ("m.webm", clip, "video/webm"),
        ("form.pdf", b"%PDF-1.7 x", "application/pdf"),
    ]:
        assert (await lead.post(f"{where}/files", files={"file": one})).status_code == 303, one
    page = (await lead.get(where)).text
    numbers = {
        name: page.partition(f'dir="auto">{name}')[0].rpartition("/articles/files/")[2].partition('"')[0]
        for name in ("m.png", "m.webm")
    }
    captions = {"captions_of": numbers["m.webm"], "captions_language": "en"}
    vtt = ("m.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello", "text/vtt")
    assert (await lead.post(f"{where}/files", data=captions, files={"file": vtt})).status_code == 303
    form = typed_in((await lead.get(where)).text, "editor")
    put = await lead.post(where, data={**form, "then": f"put {numbers['m.webm']}"})
    assert typed_in(put.text, "editor")["text"] == f"Look:\n\n![m](file:{numbers['m.webm']})"
    assert '<track kind="captions"' in put.text
    assert (await lead.post(where, data={**form, "then": "put 999"})).status_code == 404
    file = await lead.get(f"/articles/files/{numbers['m.webm']}", headers={"range": "bytes=0-3"})
    assert (file.status_code, file.content) == (206, clip[:4])
    assert file.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in file.headers["content-security-policy"]
    assert file.headers["cache-control"] == "private, no-cache"
    away = await lead.post(f"{where}/files/{numbers['m.png']}/remove")
    assert away.status_code == 303
    assert (await lead.get(f"/articles/files/{numbers['m.png']}")).status_code == 404


async def test_files_of_drafts_are_for_agents(client: httpx.AsyncClient, sign_in: Any, begin: Begin) -> None:
    article_id = await begin("Meters")
    agent = await sign_in("agent")
    put = await client.post(
        f"/knowledge/articles/{article_id}/en/files",
        files={"file": ("a.bin", b"abc", "text/html")},
        headers=agent.cookie,
    )
    assert put.status_code == 303
    file = await client.get("/articles/files/1", headers=agent.cookie)
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["content-type"].startswith("application/octet-stream")
    assert (await client.get("/articles/files/1")).status_code == 303, "the way to the sign-in"
    assert (await client.get("/help/articles/files/1")).status_code == 404, "the article is not published"
