"""Brands as an admin sets them up, and as customers then see them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from everyline.customers import brands, colours
from everyline.ground.installation import Ground

pytestmark = pytest.mark.req("W1", "P3")

HARBOR = {"name": "Harbor County", "colour": "#0061b8", "languages": ["en", "es"], "usual": "en"}
WATER = {**HARBOR, "name": "Fernhill Water", "domain": "help.fernhill.example", "colour": "#a12456", "usual": "es"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


async def test_a_brand_is_added_changed_and_seen_at_once(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "No brand yet" in (await admin.get("/setup/brands")).text
    assert "Everyline" in (await admin.get("/help/en")).text
    logo = {"logo": ("logo.png", PNG, "image/png")}
    added = await admin.post("/setup/brands", data=HARBOR, files=logo)
    assert added.status_code == 303, added.text
    page = await admin.get("/help/en")
    assert '<span dir="auto">Harbor County</span>' in page.text
    assert (await admin.get("/help/logo")).content == PNG
    assert (await admin.get("/help/de")).status_code == 404, "a language that the brand does not speak"
    where = added.headers["location"].partition("?")[0]
    changed = await admin.post(where, data={**HARBOR, "greeting": "Ahoy!", "no_logo": "1"})
    assert changed.status_code == 303
    page = await admin.get("/help/en")
    assert "Ahoy!" in page.text
    assert (await admin.get("/help/logo")).status_code == 404


async def test_a_brand_of_its_own_domain(admin: httpx.AsyncClient) -> None:
    await admin.post("/setup/brands", data=HARBOR)
    refused = await admin.post("/setup/brands", data={**WATER, "domain": ""})
    assert refused.status_code == 422
    assert "this one needs a domain" in refused.text
    assert (await admin.post("/setup/brands", data=WATER)).status_code == 303
    taken = await admin.post("/setup/brands", data=WATER)
    assert taken.status_code == 409
    there = {"host": "help.fernhill.example"}
    front = await admin.get("/", headers=there)
    assert front.headers["location"] == "/es", "the usual language of the brand"
    page = await admin.get("/en", headers=there)
    assert "Fernhill Water" in page.text
    assert 'rel="canonical" href="http://help.fernhill.example/en"' in page.text
    assert 'href="/en/contact"' in page.text
    assert (await admin.get("/desk", headers=there)).status_code == 404, "nothing of the desk stands there"
    assert (await admin.get("/setup/brands", headers=there)).status_code == 404
    assert (await admin.get("/help/en", headers=there)).status_code == 404
    assert (await admin.get("/en/contact", headers={"host": "elsewhere.example"})).status_code == 404


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "This is needed."),
        ({"domain": "not a host"}, "Write the name of a host"),
        ({"colour": "red; }"}, "Write a colour"),
        ({"languages": []}, "Choose at least one."),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, given: dict[str, Any], said: str
) -> None:
    answer = await admin.post("/setup/brands", data={**HARBOR, "about": "12 Wharf Street", **given})
    assert answer.status_code == 422
    assert said in answer.text
    assert "12 Wharf Street" in answer.text


async def test_a_logo_that_lies_about_its_type_is_refused(admin: httpx.AsyncClient) -> None:
    for content in (b"<html><script>alert(1)</script>", b"MZ\x90", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" + b"0" * 300_000):
        answer = await admin.post("/setup/brands", data=HARBOR, files={"logo": ("logo.png", content, "image/png")})
        assert answer.status_code == 422


async def test_a_picture_with_a_script_runs_nothing(admin: httpx.AsyncClient) -> None:
    evil = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    await admin.post("/setup/brands", data=HARBOR, files={"logo": ("logo.svg", evil, "image/png")})
    answer = await admin.get("/help/logo")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_only_admins(client: httpx.AsyncClient, sign_in: Any) -> None:
    agent = await sign_in("supervisor")
    assert (await client.get("/setup/brands", headers=agent.cookie)).status_code == 403


def test_every_hue_can_be_read() -> None:
    for hue in range(360):
        for chroma in (0.0, 0.06, 0.12, colours.STRONGEST):
            assert colours.shades(hue, chroma).ratio >= colours.ENOUGH, (hue, chroma)


@pytest.mark.parametrize(
    ("red", "green", "blue"), [(0, 97, 184), (226, 0, 122), (255, 204, 0), (0, 170, 68), (9, 9, 9)]
)
def test_a_chosen_colour_keeps_its_hue(red: int, green: int, blue: int) -> None:
    hue, chroma = colours.read(f"#{red:02x}{green:02x}{blue:02x}")
    shown = colours.shades(hue, chroma).hex
    again, _strength = colours.read(shown)
    assert abs((again - hue + 180) % 360 - 180) <= 25 or chroma < 0.02, shown


def test_the_sheet_sets_tokens_only() -> None:
    sheet = colours.shades(*colours.read("#a12456")).sheet
    assert sheet.startswith("@layer tokens { :root { --brand-hue: ")
    assert brands.picture_type(b"<?xml version='1.0'?><svg/>") == "image/svg+xml"
