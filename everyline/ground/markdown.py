"""What agents write: text with a little Markdown (CommonMark), and the HTML that it means.

Bold, italic, links, lists, quotes and code, nothing else. HTML in the text is text, a link leads to the web, to a
mailbox or to a telephone, and pictures are never fetched from anywhere: none is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST = 50_000  # characters; what is longer than any answer goes out as it is

_RULES = ("emphasis", "link", "autolink", "linkify", "backticks", "escape", "newline", "list", "fence", "blockquote")
_TAG = re.compile(r"<[^<>]*>")
_SCHEME = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
# most answers are plain: nothing that could mean anything is in them, and nothing is loaded for them
_SIGN = re.compile(r"[*_`\[]|https?:|www\.|@|(?m:^ {0,3}(?:[-+>]|\d{1,9}[.)]) )|~~~|(?m:^>)")
_PLAIN = frozenset({"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak", "text_special"})
_LINKED = frozenset({"link_open", "link_close"})


def formatted(text: str) -> str:
    """The HTML that a text means; empty when it means nothing but its words, which then go out as they are."""
    if len(text) > LONGEST or not _SIGN.search(text):
        return ""
    tokens = _reader().parse(text)
    kinds = {token.type for token in tokens} - _PLAIN
    for token in tokens:
        linkified = {child.type for child in token.children or () if child.info == "auto" and child.markup == "linkify"}
        kinds |= {child.type for child in token.children or ()} - _PLAIN - (linkified & _LINKED)
    return html(text) if kinds else ""


def words(text: str) -> str:
    """A text without its signs, for a line that shows where it begins."""
    found = formatted(text)
    return unescape(_TAG.sub("", found)) if found else text


def html(text: str) -> str:
    """A text as HTML, whether anything is formatted in it or not: a paragraph is one, a line is one."""
    return str(_reader().render(text)).strip()


def _web(url: str) -> bool:
    return _SCHEME.match(url.strip()) is not None


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": True}).enable(list(_RULES))
    reader.validateLink = _web  # type: ignore[method-assign]  # -- the documented way to say which links are made
    assert reader.linkify is not None
    reader.linkify.set({"fuzzy_link": False})  # a file's name is no web address
    reader.add_render_rule("link_open", _open_link)
    return reader


def _open_link(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """A link opens apart, and where it leads to is not told where it stood."""
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, at, options, env)
