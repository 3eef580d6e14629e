"""What a site has beside its pages: the brand's sheet, logo and icons, the manifest, the worker, the map, what robots may read."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from everyline.articles.queries import Address
from everyline.ground.errors import NotFound
from everyline.ground.pages import STATIC, asset, render
from everyline.ground.words import _
from everyline.people.permit import public
from everyline.portal import reading
from everyline.portal.hosts import PREFIX
from everyline.portal.visiting import Here, PortalRoute, Visit, brand_mark, kept, show_public, visit_of

Group = tuple[dict[str, str], str]  # a page's address in each language, and when it changed
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])
at_root = APIRouter(route_class=PortalRoute, dependencies=[public()])

FOR_EVER = "public, max-age=31536000, immutable"
PAGES = ("", "contact")  # that anybody may read, in each language
MAPPED = 4000  # pages in one map, in each of their languages: a map holds at most 50,000 addresses (sitemaps.org)
SHEETS = ("tokens", "base", "marks", "controls", "surfaces", "portal")


def _look(request: Request, content: str | bytes, kind: str) -> Response:
    """Something that changes with the brand alone: its address carries a mark of it."""
    answer = Response(content, media_type=kind)
    answer.headers["cache-control"] = FOR_EVER if request.url.query else "public, max-age=300"
    answer.headers["vary"] = "Host"
    return answer


@router.get("/brand.css")
async def sheet(request: Request) -> Response:
    """The brand's colours as design tokens."""
    visit = await visit_of(request, "")
    return _look(request, visit.brand.shades.sheet, "text/css")


@router.get("/logo")
async def logo(request: Request) -> Response:
    """The brand's logo as it was given; nothing in it runs."""
    visit = await visit_of(request, "")
    if not visit.brand.logo_hash:
        raise NotFound(_("There is nothing at this address."))
    try:
        content = await visit.ground.files.read(visit.brand.logo_hash)
    except FileNotFoundError as error:
        raise NotFound(_("There is nothing at this address.")) from error
    answer = _look(request, content, visit.brand.logo_type)
    answer.headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


@router.get("/icon-{size}.png")
async def icon(request: Request, size: int) -> Response:
    """The icon of the installed portal, in the brand's colour."""
    visit = await visit_of(request, "")
    if size not in (192, 512):
        raise NotFound(_("There is nothing at this address."))
    return _look(request, await asyncio.to_thread(coloured, size, visit.brand.shades.rgb), "image/png")


@lru_cache(maxsize=64)
def coloured(size: int, ground: tuple[int, int, int]) -> bytes:
    """The icon of a size on a ground. It is kept as a picture of shades from ground to mark, whose palette is written anew
    (PNG, ISO/IEC 15948, section 11.2.2)."""
    found = (STATIC / f"icon-{size}.png").read_bytes()
    at, parts = 8, [found[:8]]
    while at < len(found):
        length, kind = struct.unpack(">I4s", found[at : at + 8])
        data = found[at + 8 : at + 8 + length]
        if kind == b"PLTE":
            last = length // 3 - 1
            data = bytes(round(one + (255 - one) * step / last) for step in range(last + 1) for one in ground)
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
        at += 12 + length
    return b"".join(parts)


@router.get("/{language}/manifest.webmanifest")
async def manifest(request: Request, visit: Here) -> Response:
    """What a phone needs to install the portal (W3C, Web Application Manifest)."""
    mark = brand_mark(visit.brand)
    icons = [
        {
            "src": f"{visit.base}/icon-{size}.png?{mark}",
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    content = {
        "name": visit.brand.name,
        "short_name": visit.brand.name[:30],
        "lang": visit.language,
        "id": visit.base or "/",
        "start_url": visit.home,
        "scope": f"{visit.base}/",
        "display": "standalone",
        "theme_color": visit.brand.shades.hex,
        "background_color": "#ffffff",
        "icons": icons,
    }
    answer = JSONResponse(content, media_type="application/manifest+json")
    return kept(request, answer, seconds=3600)


@router.get("/worker.js")
async def worker(request: Request) -> Response:
    """The service worker: keeps static files and the page that says that there is no connection, and nothing else."""
    visit = await visit_of(request, "")
    files = [asset(f"css/{name}.css") for name in SHEETS] + [asset("icons.svg"), asset("build/portal.js")]
    offline = [f"{visit.base}/{language}/offline" for language in visit.brand.languages]
    mark = brand_mark(visit.brand)
    look = [f"{visit.base}/brand.css?{mark}"] + ([f"{visit.base}/logo?{mark}"] if visit.brand.logo_hash else [])
    text = render("portal/worker.js", kept=[*files, *look, *offline], base=visit.base, languages=visit.brand.languages)
    answer = Response(text, media_type="text/javascript")
    answer.headers["service-worker-allowed"] = visit.base or "/"
    return kept(request, answer, seconds=0)


@router.get("/{language}/offline")
async def offline(visit: Here) -> Response:
    """What is shown when there is no connection."""
    return show_public(Visit(**{**vars(visit), "customer": None}), "offline.html")


@router.get("/sitemap.xml")
async def site_map(request: Request) -> Response:
    """The pages that anybody may read, in every language (sitemaps.org); a list of such maps when there are too many for one."""
    visit = await visit_of(request, "")
    groups = await _groups(visit)
    parts = max(1, -(-len(groups) // MAPPED))
    if parts > 1:
        maps = "".join(
            f"<sitemap><loc>{escape(visit.origin + visit.base)}/sitemap-{number}.xml</loc></sitemap>"
            for number in range(1, parts + 1)
        )
        return _xml(request, f'<sitemapindex xmlns="{_SITEMAPS}">{maps}</sitemapindex>')
    return _xml(request, _mapped(groups))


@router.get("/sitemap-{number}.xml")
async def part_of_map(request: Request, number: int) -> Response:
    """One of several maps."""
    visit = await visit_of(request, "")
    groups = await _groups(visit)
    if not 1 <= number <= -(-len(groups) // MAPPED):
        raise NotFound(_("There is nothing at this address."))
    return _xml(request, _mapped(groups[(number - 1) * MAPPED : number * MAPPED]))


async def _groups(visit: Visit) -> list[Group]:
    """Every page in each language it is in, with the moment it changed; what stands still has none."""
    spoken = visit.brand.languages
    groups: list[Group] = [({one: address(visit, one, path) for one in spoken}, "") for path in PAGES]
    if visit.has_answers:
        groups.append(({one: address(visit, one, "articles") for one in spoken}, ""))
        places: dict[str, dict[str, str]] = {}
        reader = await reading.reader_of(replace(visit, language=spoken[0], customer=None))
        for language in spoken:
            reader = await reading.reader_of(replace(visit, language=language, customer=None))
            for place in reading.every_place((await reading.first_page(visit, reader)).places):
                places.setdefault(place.slug, {})[language] = address(visit, language, f"categories/{place.slug}")
        groups += [(urls, "") for urls in places.values()]
        found: dict[int, dict[str, Address]] = {}
        for entry in await reading.addresses(visit, replace(reader, language=spoken[0])):
            if entry.language in spoken:
                found.setdefault(entry.article_id, {})[entry.language] = entry
        for entries in found.values():
            urls = {one: address(visit, one, f"articles/{entry.slug}") for one, entry in entries.items()}
            changed = max(entry.updated_at for entry in entries.values())
            groups.append((urls, changed.isoformat(timespec="seconds")))
    return groups


def _mapped(groups: Sequence[Group]) -> str:
    entries = []
    for addresses, changed in groups:
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{one}" href="{escape(url)}"/>' for one, url in addresses.items()
        )
        moment = f"<lastmod>{changed}</lastmod>" if changed else ""
        entries += [f"<url><loc>{escape(url)}</loc>{moment}{links}</url>" for url in addresses.values()]
    return f'<urlset xmlns="{_SITEMAPS}" xmlns:xhtml="http://www.w3.org/1999/xhtml">' + "".join(entries) + "</urlset>"


def _xml(request: Request, text: str) -> Response:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return kept(request, Response(f"{head}{text}\n", media_type="application/xml"), seconds=3600)


def address(visit: Visit, language: str, path: str) -> str:
    """The canonical address of a page."""
    return visit.whole(path, language)


@router.get("/robots.txt")
@at_root.get("/robots.txt")
async def robots(request: Request) -> Response:
    """What robots may read: the public pages of the portal, and nothing else of the product."""
    visit = await visit_of(request, "")
    own = [f"{visit.base}/*/{path}" for path in ("cases", "sign-in", "preferences", "stored", "offline", "search")]
    inner = ["/desk", "/board", "/reports", "/setup", "/sign-in", "/api/", "/in/", "/survey/", "/statement/"]
    closed = [] if visit.own_domain else inner
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in [*closed, *own])]
    text = "\n".join([*lines, f"Sitemap: {visit.origin}{visit.base}/sitemap.xml"]) + "\n"
    return kept(request, Response(text, media_type="text/plain"), seconds=3600)
