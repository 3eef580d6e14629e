"""Pages as search engines and previews read them: schema.org as JSON-LD, and Open Graph. Pure.

A block of JSON-LD is data: browsers run nothing of it, so the strict policy for scripts has nothing to refuse (HTML standard,
"data block").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from everyline.articles.queries import Entry, Shown

CONTEXT = "https://schema.org"
LONGEST_DESCRIPTION = 300
MOST_ASKED = 30  # questions of one page


def description(text: str) -> str:
    """A description as results of a search show it: one line, not long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_DESCRIPTION else line[: LONGEST_DESCRIPTION - 1].rstrip() + "…"


def site(name: str, url: str, search: str, language: str) -> dict[str, Any]:
    """The first page. ``search``: an address with ``{search_term_string}`` in it."""
    return {
        "@context": CONTEXT,
        "@type": "WebSite",
        "name": name,
        "url": url,
        "inLanguage": language,
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": search},
            "query-input": "required name=search_term_string",
        },
    }


def crumbs(places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The way to a page: names and addresses from the top, itself last."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": at, "name": name, "item": url} for at, (name, url) in enumerate(places, 1)
        ],
    }


def answers(entries: Sequence[tuple[Entry, str]], places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A list of articles, each with its address: as questions with their answers in short."""
    asked = [
        {
            "@type": "Question",
            "name": entry.title,
            "url": url,
            "acceptedAnswer": {"@type": "Answer", "text": entry.summary, "url": url},
        }
        for entry, url in entries[:MOST_ASKED]
        if entry.summary
    ]
    graph: list[dict[str, Any]] = [crumbs(places)]
    if asked:
        graph.append({"@type": "FAQPage", "mainEntity": asked})
    return {"@context": CONTEXT, "@graph": graph}


def article(
    shown: Shown, url: str, places: Sequence[tuple[str, str]], publisher: Mapping[str, str], *, is_news: bool
) -> dict[str, Any]:
    """One article. ``publisher``: name, url and logo."""
    about: dict[str, Any] = {
        "@type": "NewsArticle" if is_news else "Article",
        "headline": shown.title[:110],
        "description": description(shown.summary),
        "inLanguage": shown.language,
        "datePublished": moment(shown.published_at),
        "dateModified": moment(shown.updated_at),
        "mainEntityOfPage": url,
        "author": {"@type": "Organization", "name": publisher["name"], "url": publisher["url"]},
        "publisher": {
            "@type": "Organization",
            "name": publisher["name"],
            "url": publisher["url"],
            "logo": {"@type": "ImageObject", "url": publisher["logo"]},
        },
        "keywords": ", ".join([*shown.tags, *shown.products]),
    }
    graph = [{name: value for name, value in about.items() if value}, crumbs(places)]
    return {"@context": CONTEXT, "@graph": graph}


def moment(at: datetime) -> str:
    """A moment as machines read it, to the second."""
    return at.isoformat(timespec="seconds")


def graph_meta(  # as previews in messengers show a page
    *, kind: str, title: str, about: str, url: str, name: str, language: str, picture: str, more: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The properties of Open Graph (ogp.me)."""
    found = [
        ("og:type", kind),
        ("og:title", title),
        ("og:description", description(about)),
        ("og:url", url),
        ("og:site_name", name),
        ("og:locale", language),
        ("og:image", picture),
        *more.items(),
    ]
    return [(prop, value) for prop, value in found if value]
