"""What agents write: text with Markdown (CommonMark), and the HTML that it means.

A message has a little of it: bold, italic, links, lists, quotes and code. An article has headings, tables, callouts,
pictures and video clips as well (``article``). In both, HTML in the text is text, a link leads to the web, to a mailbox or
to a telephone, and nothing is ever fetched from anywhere else: what is drawn are files of the product's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST = 50_000  # characters; what is longer than any answer goes out as it is

_RULES = ("emphasis", "link", "autolink", "linkify", "backticks", "escape", "newline", "list", "fence", "blockquote")
_ARTICLE_RULES = (*_RULES, "heading", "lheading", "table", "hr", "image", "strikethrough", "code")
_CALLOUT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)", re.IGNORECASE)
_ANCHOR = "part-"  # before every anchor: a heading never takes the name of something else on its page
_FILE = re.compile(r"file:(\d{1,18})")
_CLIPS = ("video/mp4", "video/webm", "video/ogg")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
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


@dataclass(frozen=True, slots=True)
class Captions:
    """What a clip says, as text beside it (WebVTT)."""

    url: str
    language: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A file of ours that a text refers to as ``![words](file:12)``, or links to as ``[words](file:12)``."""

    url: str
    name: str
    content_type: str
    captions: Sequence[Captions] = ()


Finder = Callable[[int], "Drawn | None"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article, for the list of what it holds."""

    level: int  # 2 to 4
    anchor: str
    words: str


def article(text: str, file: Finder | None = None) -> str:
    """An article as HTML. Its headings begin at the second level, for the first is its title. ``file`` finds files by their
    number; a picture or clip that is none of ours becomes a link."""
    return article_with_headings(text, file)[0]


def headings(text: str) -> list[Heading]:
    """The headings of an article, with the anchors that ``article`` gives them."""
    return _headings(_article_reader().parse(text, {"file": _no_file}))


def article_with_headings(text: str, file: Finder | None = None) -> tuple[str, list[Heading]]:
    """Both, of a text that is read once."""
    reader, env = _article_reader(), {"file": file or _no_file}
    tokens = reader.parse(text, env)
    found = _headings(tokens)
    return str(reader.renderer.render(tokens, reader.options, env)).strip(), found


def _headings(tokens: Sequence[Token]) -> list[Heading]:
    return [
        Heading(int(token.tag[1]), str(token.attrGet("id")), _said(tokens[at + 1]))
        for at, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def plain(text: str) -> str:
    """An article's words alone, a block on a line, for search and for what is read out or typed."""
    lines: list[str] = []
    cells: list[str] = []
    for token in _article_reader().parse(text, {"file": _no_file}):
        if token.type == "inline":
            (cells if token.meta.get("cell") else lines).append(_said(token))
        elif token.type == "tr_close":
            lines.append(", ".join(filter(None, cells)))
            cells = []
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
    return "\n".join(line for line in lines if line)


def _no_file(_number: int) -> Drawn | None:
    return None


def _said(token: Token) -> str:
    """The words of a piece of text."""
    said = []
    for child in token.children or ():
        if child.type in ("text", "code_inline", "text_special", "image"):
            said.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            said.append(" ")
    return " ".join("".join(said).split())


def _web_or_file(url: str) -> bool:
    return _web(url) or _FILE.fullmatch(url.strip()) is not None or re.fullmatch(r"#[\w-]+", url.strip()) is not None


def _may_hold_address(text: str) -> bool:
    """Is a look for bare addresses worth it?"""
    return "://" in text or "@" in text


@lru_cache(maxsize=1)
def _article_reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": False}).enable(list(_ARTICLE_RULES))
    reader.validateLink = _web_or_file  # type: ignore[method-assign]  # -- the documented way to say which links are made
    assert reader.linkify is not None
    reader.linkify.set({"fuzzy_link": False})
    reader.linkify.pretest = _may_hold_address  # its own takes half of the time of a whole article
    reader.core.ruler.push("article", _arrange)
    reader.add_render_rule("link_open", _open_article_link)
    reader.add_render_rule("image", _draw)
    for name in ("th_open", "td_open"):
        reader.add_render_rule(name, _open_cell)
    reader.add_render_rule("table_open", lambda *_: '<div class="table" tabindex="0" role="group"><table>\n')
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    reader.add_render_rule("callout_open", _open_callout)
    reader.add_render_rule("callout_close", lambda *_: "</aside>\n")
    return reader


def _arrange(state: StateCore) -> None:
    """Headings one level down and with anchors, quotes that begin with ``[!NOTE]`` as callouts, a clip on its own as a block."""
    seen: dict[str, int] = {}
    quotes: list[Token] = []
    in_cell = False
    tokens = state.tokens
    for at, token in enumerate(tokens):
        if token.type in ("th_open", "td_open", "th_close", "td_close"):
            in_cell = token.type.endswith("open")
        elif token.type == "inline":
            token.meta["cell"] = in_cell
        elif token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 4)}"
            if token.type == "heading_open":
                token.attrSet("id", _anchor(_said(tokens[at + 1]), seen))
        elif token.type == "blockquote_open":
            quotes.append(token)
            _take_callout(token, tokens[at + 1 : at + 3])
        elif token.type == "blockquote_close":
            opened = quotes.pop()
            token.type = "callout_close" if opened.type == "callout_open" else token.type


def _anchor(words: str, seen: dict[str, int]) -> str:
    """An anchor made of a heading's words; the second of the same words gets a number."""
    kept = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFKC", words).lower()).strip("-_") or "part"
    seen[kept] = seen.get(kept, 0) + 1
    return f"{_ANCHOR}{kept}" if seen[kept] == 1 else f"{_ANCHOR}{kept}-{seen[kept]}"


def _take_callout(quote: Token, inside: Sequence[Token]) -> None:
    if len(inside) < 2 or inside[0].type != "paragraph_open" or not (match := _CALLOUT.match(inside[1].content)):
        return
    quote.type, quote.meta = "callout_open", {"kind": match[1].lower()}
    children = inside[1].children or []
    rest = next((at for at, child in enumerate(children) if child.type in ("softbreak", "hardbreak")), len(children))
    inside[1].children = children[rest + 1 :]


def _open_callout(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    return f'<aside class="callout {tokens[at].meta["kind"]}" role="note">\n'


def _open_cell(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """A cell says by a class where its text stands: a style of its own would be refused by the page's policy."""
    style = str(tokens[at].attrs.pop("style", ""))
    if style:
        tokens[at].attrSet("class", style.partition(":")[2])
    return self.renderToken(tokens, at, options, env)


def _open_article_link(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """A link to a file of ours leads to it; one within the article stays there; every other opens apart."""
    url = str(tokens[at].attrGet("href") or "")
    if url.startswith("#"):
        tokens[at].attrSet("href", f"#{_ANCHOR}{url[1:]}")
        return self.renderToken(tokens, at, options, env)
    if match := _FILE.fullmatch(url):
        found: Drawn | None = env["file"](int(match[1]))
        if found is None:
            return "<a>"
        tokens[at].attrSet("href", found.url)
        tokens[at].attrSet("download", found.name)
        return self.renderToken(tokens, at, options, env)
    return _open_link(self, tokens, at, options, env)


def _draw(_self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, env: EnvType) -> str:
    """A picture or a clip of ours; what lies elsewhere is a link, so that no reader is told to a stranger."""
    token = tokens[at]
    url, words = str(token.attrGet("src") or ""), token.content
    match = _FILE.fullmatch(url)
    found: Drawn | None = env["file"](int(match[1])) if match else None
    if found is None:
        said = escape(words or url)
        return (
            said
            if match
            else f'<a class="clip" href="{escape(url)}" target="_blank" rel="noopener noreferrer">{said}</a>'
        )
    name = escape(words or found.name)
    if found.content_type in _CLIPS:
        tracks = "".join(
            f'<track kind="captions" src="{escape(track.url)}" srclang="{escape(track.language)}">'
            for track in found.captions
        )
        return f'<video controls preload="none" src="{escape(found.url)}" aria-label="{name}">{tracks}</video>'
    if found.content_type in _PICTURES:
        return f'<img src="{escape(found.url)}" alt="{escape(words)}" loading="lazy">'
    return f'<a href="{escape(found.url)}" download="{escape(found.name)}">{name}</a>'
