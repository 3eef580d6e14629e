"""Checks every HTML template of the product: ``python -m tools.templates``.

- it parses as Jinja with the i18n extension;
- nothing in it needs a looser content policy: no inline script or style, no ``on…`` or ``style`` attribute, no
  ``javascript:`` address. A ``….mail.html`` goes into a mailbox, where style can only be inline, and may have it;
- every text a person reads goes through gettext: text between tags, attributes that are shown or read out, and texts
  handed to macros stand in ``_()`` or ``{% trans %}``;
- ``|safe`` says why.

What is not for translation, or safe, says so on its line: ``{# not translated: REASON #}``, ``{# safe: REASON #}``. A
template of invented content says it once for all of it: ``{# nothing translated: REASON #}``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

ROOT = Path(__file__).resolve().parent.parent
SHOWN_ATTRIBUTES = {"alt", "aria-description", "aria-label", "aria-placeholder", "placeholder", "title", "content"}
BUTTON_TYPES = {"submit", "button", "reset"}
DATA = {"application/json", "application/ld+json"}  # types of a script that is data: nothing of it runs
NOT_READ = {"code", "kbd", "script", "style"}
NOT_WORDS = re.compile(r"Everyline")
WORD = re.compile(r"[^\W\d_]{2,}")
PROSE = re.compile(r"[A-Z][a-z]+[ .,!?…a-z]|\w+ \w+[.!?…]")
ATTRIBUTE = re.compile(r"""[\w:@-]+=("[^"]*"|'[^']*')""")  # a piece of a tag that a macro or a block puts together
EXPRESSION = "\ue000"  # stands where an expression stood: one character that is no letter
PIECES = re.compile(r"{#.*?#}|{%-?\s*trans\b.*?endtrans\s*-?%}|{%-?\s*raw\b.*?endraw\s*-?%}|{%.*?%}|{{.*?}}", re.DOTALL)
DYNAMIC_TAG = re.compile(r"(</?){{.*?}}")
REASON = re.compile(r"{#-?\s*(nothing translated|not translated|safe):\s*\S.*?#}")
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=True)
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong, and in which line (counted from 1)."""

    line: int
    text: str


def html_only(source: str) -> str:
    """The template without Jinja: expressions become one character, everything else its line ends."""

    def blank(match: re.Match[str]) -> str:
        piece = match.group()
        return (EXPRESSION if piece.startswith("{{") else "") + "\n" * piece.count("\n")

    return PIECES.sub(blank, DYNAMIC_TAG.sub(r"\1any", source))


class _Reader(HTMLParser):
    """Collects the faults of the HTML of one template."""

    def __init__(self, *, mail: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.mail = mail
        self.faults: list[Fault] = []
        self.not_read: list[str] = []

    def fault(self, text: str) -> None:
        self.faults.append(Fault(self.getpos()[0], text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in NOT_READ:
            self.not_read.append(tag)
        if tag == "script" and "src" not in given and given.get("type") not in DATA:
            self.fault("inline script")
        if tag == "style" and not self.mail:
            self.fault("inline style sheet")
        for name, value in given.items():
            if name.startswith(("on", "hx-on")):
                self.fault(f"inline event handler {name}")
            elif name == "style" and not self.mail:
                self.fault("style attribute")
            elif value.strip().lower().startswith("javascript:"):
                self.fault(f"javascript: address in {name}")
            elif _is_shown(tag, name, given) and WORD.search(NOT_WORDS.sub("", value)):
                self.fault(f"text not in _(): {name}={value.replace(EXPRESSION, '…')!r}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.not_read and self.not_read[-1] == tag:
            self.not_read.pop()

    def handle_data(self, data: str) -> None:
        if self.not_read:
            return
        first_line = self.getpos()[0]
        for number, line in enumerate(data.split("\n")):
            if WORD.search(NOT_WORDS.sub("", ATTRIBUTE.sub("", line))):
                self.faults.append(Fault(first_line + number, f"text not in _(): {line.strip()!r}"))


def _is_shown(tag: str, name: str, given: dict[str, str]) -> bool:
    """Whether a person sees or hears this attribute."""
    if name == "content":
        return tag == "meta" and given.get("name") == "description"
    return name in SHOWN_ATTRIBUTES or (tag == "input" and name == "value" and given.get("type") in BUTTON_TYPES)


def _untranslated_constants(node: nodes.Node) -> Iterator[Fault]:
    """Texts for people among an expression's constants: output, and arguments of macros, outside gettext calls."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in GETTEXT:
            continue
        if isinstance(child, nodes.Compare | nodes.Test | nodes.Getitem | nodes.TemplateData):
            continue
        if isinstance(child, nodes.Const) and isinstance(child.value, str) and PROSE.match(child.value):
            yield Fault(child.lineno, f"text not in _(): {child.value!r}")
        yield from _untranslated_constants(child)


def _unsafe_filters(tree: nodes.Template) -> Iterator[Fault]:
    for node in tree.find_all(nodes.Filter):
        if node.name == "safe":
            yield Fault(node.lineno, "|safe without {# safe: REASON #} on its line")


def faults_of(source: str, *, mail: bool = False) -> list[Fault]:
    """Everything that is wrong with one template, by line."""
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as fault:
        return [Fault(fault.lineno, fault.message or "does not parse")]
    reader = _Reader(mail=mail)
    reader.feed(html_only(source))
    reader.close()
    lines = source.split("\n")
    excused = {(number, match.group(1)) for number, line in enumerate(lines, 1) for match in REASON.finditer(line)}

    all_invented = any(kind == "nothing translated" for _, kind in excused)

    def stands(fault: Fault) -> bool:
        if fault.text.startswith("text"):
            return not all_invented and (fault.line, "not translated") not in excused
        return not fault.text.startswith("|safe") or (fault.line, "safe") not in excused

    found = {*reader.faults, *_untranslated_constants(tree), *_unsafe_filters(tree)}
    return sorted(fault for fault in found if stands(fault))


def templates(root: Path) -> list[Path]:
    """Every HTML template of the product; what channels captured from the wire is none."""
    return sorted(p for p in root.glob("everyline/**/*.html") if not {"samples", "tests"} & set(p.parts))


def main() -> int:
    """Print every fault of every template; 1 when there is one."""
    count = 0
    paths = templates(ROOT)
    for path in paths:
        for fault in faults_of(path.read_text("utf-8"), mail=path.name.endswith(".mail.html")):
            sys.stdout.write(f"{path.relative_to(ROOT)}:{fault.line}: {fault.text}\n")
            count += 1
    sys.stdout.write(f"{len(paths)} templates, {count} faults\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
