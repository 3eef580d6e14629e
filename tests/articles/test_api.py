"""The API of articles, as a program uses it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


async def asked(client: httpx.AsyncClient, who: Any, method: str, path: str, code: int = 200, **more: Any) -> Any:
    """Ask, and be sure of the answer's code."""
    answer = await client.request(method, f"/api/v1{path}", headers=who.bearer, **more)
    assert answer.status_code == code, answer.text
    return answer.json() if answer.content else None


@pytest.mark.req("W2", "P4")
async def test_an_article_from_draft_to_reader(client: httpx.AsyncClient, sign_in: Any) -> None:
    agent, lead = await sign_in(), await sign_in("supervisor")

    async def by(who: Any, method: str, path: str, code: int = 200, **more: Any) -> Any:
        return await asked(client, who, method, path, code, **more)

    place = (await by(lead, "POST", "/article-categories", 201, json={"names": {"en": "Pets"}}))["id"]
    made = await by(agent, "POST", "/articles", 201, json={"title": "Dogs", "text": "one", "category_id": place})
    path = f"/articles/{made['id']}"
    draft = await by(agent, "POST", f"{path}/drafts/en", 201)
    assert (draft["number"], draft["revision"]) == (1, 1)
    assert await by(agent, "PUT", f"{path}/drafts/en", json={"revision": 1, "text": "two"}) == {"revision": 2}
    late = await by(lead, "PUT", f"{path}/drafts/en", 409, json={"revision": 1, "text": "three"})
    assert (late["revision"], late["theirs"]["text"]) == (2, "two")
    assert late["difference"] == [{"mark": "gone", "text": "two"}, {"mark": "new", "text": "three"}]
    await by(agent, "POST", f"{path}/drafts/en/review", 204)
    await by(agent, "POST", f"{path}/drafts/en/publish", 403)
    await by(lead, "POST", f"{path}/drafts/en/publish?revision=1", 409)
    assert await by(lead, "POST", f"{path}/drafts/en/publish?revision=2") == {"slug": "dogs"}
    shown = await by(agent, "GET", "/articles/shown/dogs?audience=public")
    assert (shown["html"], shown["path"]) == ("<p>two</p>", ["pets"])
    await by(agent, "POST", f"{path}/drafts/es", 201)
    whole = await by(agent, "GET", path)
    assert {one["language"]: one["translation"] for one in whole["languages"]} == {"en": "source", "es": "begun"}
    await by(agent, "POST", f"{path}/drafts/en", 201)
    await by(
        agent, "PUT", f"{path}/drafts/en", json={"revision": 1, "text": "two\nand a half", "wordings": {"short": "2½"}}
    )
    await by(lead, "PUT", f"{path}/drafts/en/schedule", 422, json={"at": "2001-01-01T00:00:00Z"})
    await by(lead, "PUT", f"{path}/drafts/en/schedule", 422, json={"at": "2101-01-01T00:00:00"})
    await by(lead, "PUT", f"{path}/drafts/en/schedule", 204, json={"at": "2101-01-01T00:00:00Z"})
    assert len((await by(agent, "GET", "/articles?state=scheduled"))["items"]) == 1
    await by(lead, "POST", f"{path}/drafts/en/send-back", 204)
    lines = await by(agent, "GET", f"{path}/difference?language=en&before=1&after=2")
    assert lines == [{"mark": "same", "text": "two"}, {"mark": "new", "text": "and a half"}]
    assert (await by(agent, "POST", f"{path}/versions/en/1/restore", 201))["number"] == 3
    assert [one["number"] for one in await by(agent, "GET", f"{path}/versions?language=en")] == [3, 2, 1]
    await by(agent, "DELETE", f"{path}/drafts/en", 204)
    await by(lead, "POST", f"{path}/archive", 204)
    await by(agent, "GET", "/articles/shown/dogs", 404)
    await by(lead, "POST", f"{path}/bring-back", 204)
    await by(lead, "POST", f"{path}/languages/en/withdraw", 204)


@pytest.mark.req("W2", "P4")
async def test_what_belongs_to_articles(client: httpx.AsyncClient, sign_in: Any) -> None:
    agent, lead = await sign_in(), await sign_in("supervisor")

    async def by(who: Any, method: str, path: str, code: int = 200, **more: Any) -> Any:
        return await asked(client, who, method, path, code, **more)

    one = (await by(lead, "POST", "/article-categories", 201, json={"names": {"en": "One"}}))["id"]
    two = (await by(lead, "POST", "/article-categories", 201, json={"names": {"en": "Two"}, "parent_id": one}))["id"]
    fault = await by(lead, "POST", f"/article-categories/{one}/move", 422, json={"parent_id": two})
    assert fault["errors"][0]["field"] == "parent_id"
    await by(lead, "PATCH", f"/article-categories/{two}", 204, json={"names": {"en": "Too"}})
    assert (await by(agent, "GET", "/article-categories"))[0]["places"][0]["name"] == "Too"
    await by(lead, "DELETE", f"/article-categories/{two}", 204)
    await by(agent, "POST", "/articles", 422, json={"title": "Dogs", "text": "Bark.", "publish": True})
    made = await by(lead, "POST", "/articles", 201, json={"title": "Dogs", "text": "Bark.", "publish": True})
    path = f"/articles/{made['id']}"
    changed = await by(
        lead, "PATCH", path, json={"category_id": one, "owner_id": agent.id, "review_days": 30, "tags": ["a"]}
    )
    assert (changed["category_id"], changed["owner_id"], changed["review_days"]) == (one, agent.id, 30)
    upload = {"file": ('<b>"x".png', b"<html><script>alert(1)</script>", "image/png")}
    file = (await by(agent, "POST", f"{path}/files", 201, files=upload))["id"]
    answer = await client.get(f"/api/v1/articles/files/{file}", headers=agent.bearer)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (answer.headers["content-disposition"], answer.headers["x-content-type-options"]) == (
        "attachment",
        "nosniff",
    )
    await by(agent, "DELETE", f"{path}/files/{file}", 204)
    hits = await by(agent, "GET", "/articles/find?q=dog&language=en&audience=public")
    assert hits[0]["title"] == "<mark>Dogs</mark>"
    assert (await by(agent, "GET", f"{path}/wordings/short"))["text"] == "Bark."
    found = await by(agent, "POST", "/articles/lint", json={"kind": "short", "text": "a" * 161})
    assert (found[0]["code"], found[0]["figure"]) == ("segments", 2)
    assert await by(agent, "POST", "/articles/guide-faults", json={"kind": "full", "text": "none"})
    await by(agent, "POST", f"{path}/views?channel=portal", 204)
    await by(agent, "POST", f"{path}/feedback", 201, json={"language": "en", "helped": False, "words": "no"})
    assert (await by(agent, "GET", f"{path}/feedback"))[0]["words"] == "no"
    assert {row["channel"]: row["views"] for row in await by(agent, "GET", f"{path}/figures")} == {"": 0, "portal": 1}
    flag = (await by(agent, "POST", f"{path}/flags", 201, json={"words": "wrong"}))["id"]
    await by(agent, "POST", f"{path}/uses", 404, json={"case_id": 99})
    health = await by(agent, "GET", "/articles-health?languages=en,es")
    assert (health["lacking"][0]["languages"], health["flags"][0]["id"]) == (["es"], flag)
    await by(agent, "POST", f"/article-flags/{flag}/settle", 204)
    gap = (await by(agent, "POST", "/gaps", 201, json={"words": "adopt a goat"}))["id"]
    await by(agent, "POST", "/gaps", 422, json={"words": "?"})
    assert (await by(agent, "GET", "/gaps"))[0]["asks"] == ["adopt a goat"]
    await by(agent, "POST", f"/gaps/{gap}/article", 201)
    other = (await by(agent, "POST", "/gaps", 201, json={"words": "whose hound is this"}))["id"]
    await by(lead, "POST", f"/gaps/{other}/settle", 204, json={"article_id": made["id"]})
    synonym = (await by(lead, "POST", "/article-synonyms", 201, json={"words": ["dog", "mutt"]}))["id"]
    assert (await by(agent, "GET", "/article-synonyms"))[0]["words"] == ["dog", "mutt"]
    await by(lead, "DELETE", f"/article-synonyms/{synonym}", 204)
    table = {"name": "faq.csv", "content": "question,answer\nWhere?,Here.\n", "language": "en", "publish": True}
    assert await by(lead, "POST", "/articles/import", json=table) == {
        "added": 1,
        "changed": 0,
        "same": 0,
        "refused": [],
    }
    assert (await by(lead, "POST", "/articles/import", json=table))["same"] == 1
    await by(lead, "POST", "/articles/import", 422, json={**table, "name": "faq.exe"})
    await by(agent, "POST", "/articles/import", 403, json=table)
