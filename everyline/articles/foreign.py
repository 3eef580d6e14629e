"""Pages of other desks as Markdown. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_LEFT_OUT = frozenset(
    {"script", "style", "nav", "header", "footer", "noscript", "template", "svg", "form", "iframe", "select"}
)
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "main",
        "blockquote",
        "ul",
        "ol",
        "table",
        "tr",
        "pre",
        "figure",
        "dl",
        "dd",
        "dt",
    }
)
_SIGNS = re.compile(r"([\\`*_\[\]<>|])")
_HEADINGS = {"h1": "#", "h2": "##", "h3": "###", "h4": "####", "h5": "####", "h6": "####"}
_VOID = frozenset(
    {"br", "img", "hr", "meta", "link", "input", "source", "wbr", "area", "base", "col", "embed", "track"}
)


class HtmlReader(HTMLParser):
    """HTML to Markdown. What it does not know is text. Once it is fed and closed: ``title``, ``heading``, ``language`` and ``text``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = self.heading = self.language = ""
        self._parts: list[str] = []
        self._open: list[str] = []
        self._lists: list[int] = []  # numbers; 0 for those without
        self._links: list[str] = []
        self._cells = 0
        self._head_row = False
        self._main = 0  # where the parts of article or main begin

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "html":
            self.language = found.get("lang", "")[:2].lower()
        if tag == "br":
            self._parts.append("\\\n" if not self._in("td", "th") else " ")
            return
        if tag in _VOID:
            if tag == "img" and found.get("alt") and not self._left_out:
                self._parts.append(_SIGNS.sub(r"\\\1", found["alt"]))
            return
        self._open.append(tag)
        if self._left_out:
            return
        if tag in ("article", "main") and not self._main:
            self._main = len(self._parts)
        if tag in _HEADINGS:
            self._parts.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag in ("ul", "ol"):
            self._parts.append("\n\n" if not self._lists else "\n")
            self._lists.append(1 if tag == "ol" else 0)
        elif tag == "li":
            number = self._lists[-1] if self._lists else 0
            self._parts.append("\n" + "   " * (len(self._lists) - 1) + (f"{number}. " if number else "- "))
            if number:
                self._lists[-1] += 1
        elif tag == "table":
            self._parts.append("\n\n")
            self._head_row = True
        elif tag == "tr":
            self._cells = 0
            self._parts.append("\n|")
        elif tag in ("td", "th"):
            self._cells += 1
            self._parts.append(" ")
        elif tag in ("b", "strong"):
            self._parts.append("**")
        elif tag in ("i", "em"):
            self._parts.append("*")
        elif tag == "a":
            self._links.append(found.get("href", ""))
            self._parts.append("[")
        elif tag in _BLOCKS and not self._in("td", "th", "li"):
            self._parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open:
            last = self._open.pop()
            if not self._left_out and last not in _LEFT_OUT:
                self._close(last)
            if last == tag:
                break

    def _close(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._parts.append("\n\n")
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._parts.append("\n\n" if not self._lists else "")
        elif tag in ("td", "th"):
            self._parts.append(" |")
        elif tag == "tr" and self._head_row:
            self._head_row = False
            self._parts.append("\n|" + " --- |" * max(self._cells, 1))
        elif tag in ("b", "strong"):
            self._parts.append("**")
        elif tag in ("i", "em"):
            self._parts.append("*")
        elif tag == "a" and self._links:
            url = self._links.pop()
            leads = re.match(r"(?:https?|mailto|tel):[^\s<>()]+$", url, re.IGNORECASE)
            self._parts.append(f"]({url})" if leads else "]")
        elif tag in _BLOCKS and not self._in("td", "th", "li"):
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        elif not self._left_out and not self._in("head"):
            if self._in("h1"):
                self.heading += data
            words = _SIGNS.sub(r"\\\1", re.sub(r"\s+", " ", data))
            self._parts.append(words)

    @property
    def _left_out(self) -> bool:
        return self._in(*_LEFT_OUT)

    def _in(self, *tags: str) -> bool:
        return any(tag in self._open for tag in tags)

    def text(self) -> str:
        """What was read, as Markdown, without the heading that is the title."""
        whole = "".join(self._parts[self._main :])
        if self.heading:
            whole = re.sub(r"\n# [^\n]*\n", "\n", f"\n{whole}", count=1)
        whole = re.sub(r"\[\s*\](?!\()|\*\*\s*\*\*", "", whole)
        lines = [line.rstrip(" ") for line in whole.splitlines()]
        lines = [line if re.match(r" *(?:-|\d+\.) ", line) else line.strip() for line in lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
