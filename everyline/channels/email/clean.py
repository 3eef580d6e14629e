"""HTML of mail made harmless, its history folded away, and its text."""

from __future__ import annotations

import html
import re

import nh3

from everyline.channels.email import charsets

LONGEST = 2 * 1024 * 1024  # characters
DEEPEST = 400  # elements; the cleaner's time grows with the square of it

_TAGS = {
    "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption",
    "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure",
    "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main",
    "mark",
    "nav", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong",
    "sub",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_CELL = {"align", "valign", "width", "height", "bgcolor", "colspan", "rowspan"}
_ATTRIBUTES = {
    "*": {"dir", "lang", "style", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "table": {"align", "width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "valign", "bgcolor"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "p": {"align"},
    "div": {"align"},
}
# Nothing that moves an element out of its place, lays it over another or loads something.
_STYLE = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "font-family",
    "font-size", "font-style", "font-variant", "font-weight", "letter-spacing", "line-height", "list-style-type",
    "max-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align",
    "text-decoration", "text-transform", "unicode-bidi", "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip
_GONE_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "noscript",
    "template",
    "object",
    "applet",
    "iframe",
    "svg",
    "math",
    "select",
}
_REMOTE = "everyline-remote:"  # a scheme that nothing loads, should the renaming below ever miss one
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,", re.IGNORECASE)


def _attribute(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        start = value.lstrip()[:12].lower()
        if start.startswith(("http:", "https:")):
            return _REMOTE + value.strip()
        return value if start.startswith("cid:") or _PICTURE.match(value) else None
    if attribute == "href":
        return None if value.lstrip()[:5].lower().startswith(("data:", "cid:")) else value
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_GONE_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    strip_comments=True,
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto", "tel", "cid", "data", _REMOTE[:-1]},
    filter_style_properties=_STYLE,
    url_relative="deny",
)

_HISTORY = re.compile(
    r"""<(?:div|blockquote|table|section|span|p)\b[^<>]{0,400}?\s(?:class=["']?[^"'>]{0,100}?\b(?:gmail_quote|yahoo_quoted|
    moz-cite-prefix|protonmail_quote|zmail_extra|tutanota_quote|WordSection1_history|mail-quote-collapse|
    ms-outlook-mobile-reference-message)\b|type=["']?cite\b|id=["']?(?:x_)?(?:divRplyFwdMsg|appendonsend|
    mail-editor-reference-message-container|OLK_SRC_BODY_SECTION|reply-intro|replySplit|isForwardContent|
    yahoo_quoted)|style=["']?border:\s?none;\s?border-top:\s?solid\s\#(?:E1E1E1|B5C4DF)\s1\.0pt)
    |<hr\b[^<>]{0,200}?id=["']?(?:x_)?stopSpelling""",
    re.IGNORECASE | re.VERBOSE,
)
_FORWARD = re.compile(
    r"Forwarded message|Weitergeleitete Nachricht|Message transféré|Begin forwarded|Mensaje reenviado", re.IGNORECASE
)
_QUOTE_TAG = re.compile(r"<(/?)blockquote\b[^<>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)")
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr",
    "p", "li", "td", "tr", "th", "option", "dd", "dt",
})  # fmt: skip
_FEW = 2000  # tags that cannot be nested deep enough to matter

_BREAK = re.compile(r"<br\b[^<>]*>|</(?:div|tr|table|ul|ol|pre|dt|dd|section|article|header|footer|address)>")
_PARAGRAPH = re.compile(r"</?(?:p|h[1-6]|blockquote|hr)\b[^<>]*>")
_BLOCK = re.compile(r"<(?:div|table|ul|ol|pre|section)\b[^<>]*>")
_ITEM = re.compile(r"<li\b[^<>]*>")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_FEEDS = re.compile(r" ?\n(?: ?\n)+ ?")


def showable(source: str) -> bool:
    """Can this HTML be cleaned in reasonable time?"""
    if len(source) > LONGEST:
        return False
    if source.count("<") < _FEW:
        return True
    depth = 0
    for closing, name in _OPENING.findall(source):
        if name.lower() in _VOID:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > DEEPEST:
            return False
    return True


def clean(source: str) -> str:
    """Harmless HTML: no script, form, frame, sheet of styles or element out of its place; pictures from elsewhere
    keep their address in ``data-src`` only, pictures of the mail itself their ``cid:`` address; links open apart."""
    cleaned = charsets.tidy(_CLEANER.clean(source)).strip()
    return cleaned.replace(f' src="{_REMOTE}', ' data-src="') if _REMOTE in cleaned else cleaned


def fold(source: str, *, forwarded: bool = False) -> tuple[str, str]:
    """The HTML that is new and the HTML of the history below it, both clean."""
    found = None if forwarded else _HISTORY.search(source)
    if found is None:
        return clean(source), ""
    above, below = clean(source[: found.start()]), clean(source[found.start() :])
    if _FORWARD.search(below[:1500]) or not _has_text(above) or _answers_within(below):
        return clean(source), ""
    return above, below


def _has_text(cleaned: str) -> bool:
    return bool(_ANY_TAG.sub("", cleaned).replace("&nbsp;", "").strip()) or "<img" in cleaned


def _answers_within(below: str) -> bool:
    """Is something written between or below the quoted blocks?"""
    depth = 0
    last = None
    for tag in _QUOTE_TAG.finditer(below):
        if last is not None and depth == 0 and _has_text(below[last : tag.start()]):
            return True
        depth = max(0, depth - 1) if tag[1] else depth + 1
        last = tag.end()
    return last is not None and depth == 0 and _has_text(below[last:])


def text(cleaned: str) -> str:
    """The text of HTML that ``clean`` returned: paragraphs, lines and list items on lines of their own."""
    plain = cleaned if "<pre" in cleaned else " ".join(cleaned.split())
    if "<" in plain:
        plain = _PARAGRAPH.sub("\n\n", plain)
        plain = _BREAK.sub("\n", plain)
        plain = _BLOCK.sub("\n", plain)
        plain = _ITEM.sub("\n- ", plain)
        plain = plain.replace("</td>", " ").replace("</th>", " ")
        plain = _ANY_TAG.sub("", plain)
    plain = _FEEDS.sub("\n\n", _BLANKS.sub(" ", html.unescape(plain)))
    return plain.replace("\n ", "\n").replace(" \n", "\n").strip()


def from_text(plain: str) -> str:
    """Text as HTML, for a message that mixes both."""
    return "<p>" + html.escape(plain).replace("\n", "<br>") + "</p>"
