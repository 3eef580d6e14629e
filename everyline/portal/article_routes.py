"""Answers to read: by subject, one by one, step by step, and the news."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from everyline.articles import actions, queries, trails
from everyline.articles.queries import Moved
from everyline.articles.rules import Audience, Kind
from everyline.ground.errors import NotFound
from everyline.ground.pages import CONTENT_POLICY
from everyline.ground.serving import file_answer
from everyline.ground.settings import SettingsError
from everyline.ground.words import _
from everyline.people.permit import public
from everyline.portal import described, forms, linked, reading
from everyline.portal.hosts import PREFIX
from everyline.portal.reading import Readable, readings_of
from everyline.portal.readings import CHANNEL
from everyline.portal.saying import day_in_words, size_in_words
from everyline.portal.visiting import Here, PortalRoute, Visit, own_name, show_public
from everyline.portal.ways import by_kind, quickest

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

PAGE = 50  # articles of a category on one page
VOTED_SECONDS = 600.0  # who says twice whether an article helped has said it once
OTHER_WAYS = 3  # beside the quickest

_BEFORE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)-(\d{1,18})")
_VOTE = re.compile(r"feedback (\d{1,18})")


@router.get("/articles/files/{file_id}")
@router.get("/{language}/articles/files/{file_id}")
async def file(request: Request, file_id: str) -> Response:
    """A picture, a clip, captions or a file to take along; of a published article that this reader may read."""
    visit = await reading.visit_without_language(request)
    if not (file_id.isascii() and file_id.isdecimal() and len(file_id) < 19):
        raise NotFound(_("There is nothing at this address."))
    reader = await reading.reader_of(visit)
    async with visit.ground.database.transaction() as tx:
        row = await queries.shown_file(tx, reader, int(file_id))
        private = reader.audience != Audience.PUBLIC
    return file_answer(visit.ground.files, row.file_hash, name=row.name, content_type=row.content_type, private=private)


@router.get("/{language}/articles")
async def every(visit: Here) -> Response:
    """All answers by subject."""
    reader = await reading.reader_of(visit)
    found = await reading.first_page(visit, reader)
    leaves = [
        (place, await reading.category(visit, reader, place.slug))
        for place in found.places[:60]  # what is more than that is found by its category
    ]
    places = [(visit.brand.name, visit.whole()), (_("Answers"), visit.whole("articles"))]
    return show_public(
        visit,
        "articles.html",
        current="answers",
        places=[(place, shown.articles[:5], len(shown.articles)) for place, shown in leaves],
        loose=() if found.places else found.most_read,
        news=found.news,
        symbol=reading.symbol,
        described=described.answers([], places),
        meta=_meta(visit, "website", _("Answers"), "", visit.whole("articles")),
    )


@router.get("/{language}/categories/{slug}")
async def category(visit: Here, slug: str, page: str = "1") -> Response:
    """One category: those in it, and its articles."""
    reader = await reading.reader_of(visit)
    found = await reading.category(visit, reader, slug)
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 0
    pages = max(1, -(-len(found.articles) // PAGE))
    if not 1 <= number <= pages:
        raise NotFound(_("There is nothing at this address."))
    articles = found.articles[(number - 1) * PAGE : number * PAGE]
    path = f"categories/{found.place.slug}"
    above = [(one.name, visit.whole(f"categories/{one.slug}")) for one in (*found.path, found.place)]
    places = [(_("Answers"), visit.whole("articles")), *above]
    addresses = [(entry, visit.whole(f"articles/{entry.slug}")) for entry in articles]
    return show_public(
        visit,
        "category.html",
        current="answers",
        found=found,
        articles=articles,
        number=number,
        pages=pages,
        symbol=reading.symbol,
        indexed=number == 1,
        described=described.answers(addresses, places),
        meta=_meta(visit, "website", found.place.name, found.place.remark, visit.whole(path)),
    )


@router.get("/{language}/news")
async def news(visit: Here, before: str = "") -> Response:
    """The news, the latest first."""
    reader = await reading.reader_of(visit)
    match = _BEFORE.fullmatch(before)
    if before and match is None:
        raise NotFound(_("There is nothing at this address."))
    since = (datetime.fromtimestamp(min(float(match[1]), 4e9), UTC), int(match[2])) if match else None
    entries = await reading.news(visit, reader, since)
    last = entries[-1] if len(entries) == queries.PAGE else None
    return show_public(
        visit,
        "news.html",
        current="answers",
        entries=entries,
        following=f"{last.published_at.timestamp():.6f}-{last.article_id}" if last else "",
        first=since is None,
        indexed=since is None,
        day=day_in_words,
        meta=_meta(visit, "website", _("News"), "", visit.whole("news")),
    )


@router.get("/{language}/articles/{slug}")
async def article(
    request: Request, visit: Here, slug: str, way: str = "", voted: str = "", instead: str = ""
) -> Response:
    """One article; ``instead``: to read before one writes to us. An old name leads to the new one; a name of another language to the one in the language spoken."""
    reader = await reading.reader_of(visit)
    found = await reading.article(visit, reader, slug)
    if isinstance(found, Moved):
        return _led(visit, found.slug, 301, private=visit.customer is not None)
    shown = found.shown
    own = shown.languages.get(visit.language)
    if own is not None and own != shown.slug:
        return _led(visit, own, 302, private=visit.customer is not None)
    trail = trails.walked(found.steps, way)
    readings_of(request).count(
        request, shown.article_id, shown.language, visit.customer.customer_id if visit.customer else None
    )
    ways = await reading.ways_now(visit)
    best = quickest(ways) or next(iter(ways), None)
    about = trails.in_words(shown.title, trail)
    asking = visit.to("contact", about=about, answer=shown.slug)
    page = show_public(
        visit,
        "article.html",
        private=shown.audience != Audience.PUBLIC or bool(voted) or bool(instead),
        current="answers",
        readable=found,
        shown=shown,
        is_news=shown.kind == Kind.NEWS,
        trail=trail,
        voted=voted,
        instead=bool(instead),
        names={one: own_name(one) for one in shown.languages},
        best=best,
        others=[one for one in by_kind(ways) if best is None or one[0].id != best.id][:OTHER_WAYS],
        asking=asking,
        about=about,
        size=size_in_words,
        **_addressed(visit, found),
    )
    if players := linked.framed("".join([found.html, *(step.html for step in found.steps)])):
        page.headers["content-security-policy"] = CONTENT_POLICY + players
    return page


def _led(visit: Visit, slug: str, status: int, *, private: bool) -> Response:
    answer = RedirectResponse(visit.to(f"articles/{slug}"), status)
    answer.headers["cache-control"] = "private, no-cache" if private else "public, max-age=60"
    answer.headers["vary"] = "Cookie, Host"
    return answer


def _addressed(visit: Visit, found: Readable) -> dict[str, Any]:
    """Where the article stands in every language of the brand, and what machines are told of it."""
    shown = found.shown
    spoken = [one for one in visit.brand.languages if one in shown.languages]
    paths = {one: f"articles/{shown.languages[one]}" for one in spoken}
    if shown.language not in paths:  # the brand does not speak it: it stands among pages in another language
        paths = {visit.language: f"articles/{shown.slug}"}
    language = shown.language if shown.language in paths else visit.language
    url = visit.whole(paths[language], language)
    above = [(one.name, visit.whole(f"categories/{one.slug}")) for one in shown.path]
    places = [(_("Answers"), visit.whole("articles")), *above, (shown.title, url)]
    publisher = {
        "name": visit.brand.name,
        "url": visit.whole(),
        "logo": f"{visit.origin}{visit.base}/icon-512.png",
    }
    more = {"article:modified_time": described.moment(shown.updated_at)}
    return {
        "paths": paths,
        "spoken": language,
        "described": described.article(shown, url, places, publisher, is_news=shown.kind == Kind.NEWS),
        "meta": _meta(visit, "article", shown.title, shown.summary, url, more, shown.language),
    }


def _meta(
    visit: Visit,
    kind: str,
    title: str,
    about: str,
    url: str,
    more: Mapping[str, str] | None = None,
    language: str = "",
) -> list[tuple[str, str]]:
    return described.graph_meta(
        kind=kind,
        title=title,
        about=about,
        url=url,
        name=visit.brand.name,
        language=language or visit.language,
        picture=f"{visit.origin}{visit.base}/icon-512.png",
        more=more or {},
    )


@router.post("/{language}/articles/{slug}/feedback")
async def feedback(request: Request, visit: Here, slug: str) -> Response:
    """Whether the article helped; then, in a second form, what was missing."""
    form = await forms.read(request)
    reader = await reading.reader_of(visit)
    found = await reading.article(visit, reader, slug)
    if isinstance(found, Moved):
        raise NotFound(_("There is nothing at this address."))
    shown, token = found.shown, forms.word(form, "voted", 500)
    ground = visit.ground
    helped = forms.word(form, "helped", 5) != "no"
    if token:
        async with ground.database.transaction() as tx:
            await actions.said_more(tx, _opened(visit, token), forms.word(form, "words", 4000))
        return visit.go(f"articles/{shown.slug}", voted="said")
    once = readings_of(request).once
    if not once.first(request, "voted", shown.article_id, shown.language, seconds=VOTED_SECONDS):
        return visit.go(f"articles/{shown.slug}", voted="again")
    async with ground.database.transaction() as tx:
        feedback_id = await actions.feedback(
            tx,
            shown.article_id,
            shown.language,
            helped,
            channel=CHANNEL,
            customer_id=visit.customer.customer_id if visit.customer else None,
        )
        if helped and forms.word(form, "instead", 1):
            await actions.deflected(
                tx,
                shown.article_id,
                shown.language,
                channel=CHANNEL,
                customer_id=visit.customer.customer_id if visit.customer else None,
            )
    fresh = ground.vault.lock(f"feedback {feedback_id}").decode("ascii")
    return visit.go(f"articles/{shown.slug}", voted=f"{'yes' if helped else 'no'}.{fresh}")


def _opened(visit: Visit, token: str) -> int:
    """The vote that a token was given for. NotFound when it is none of ours."""
    try:
        opened = visit.ground.vault.open(token.encode("ascii", "replace"))
    except SettingsError:
        opened = ""
    match = _VOTE.fullmatch(opened)
    if match is None:
        raise NotFound(_("There is nothing at this address."))
    return int(match[1])
