"""A text of an article as HTML, in the form in which it is kept with what is published: reading is a thousand times as
frequent as writing. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from everyline.articles import guides, wordings
from everyline.articles.rules import Kind
from everyline.ground import markdown

FILE_PATH = "/articles/files/"  # where pages serve an article's files: this, and the file's id
_NAMED = re.compile(r"\(file:(\d{1,18})\)")


@cache
def renderer() -> str:
    """What HTML is made by, as 12 hexadecimal digits: other ones make all kept HTML be made anew."""
    parts = [Path(str(one.__file__)).read_bytes() for one in (markdown, guides)]
    parts += [Path(__file__).read_bytes(), version("markdown-it-py").encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of an article; captions are files of a clip."""

    id: int
    name: str
    content_type: str
    size: int
    captions_of: int | None
    language: str
    file_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a guide, rendered."""

    name: str
    title: str
    html: str
    choices: tuple[guides.Choice, ...]
    end: str  # solved, ask us, or empty


@dataclass(frozen=True, slots=True)
class Rendered:
    """All that is made of a text."""

    html: str  # of a guide: what stands before its first step
    headings: tuple[markdown.Heading, ...]
    steps: tuple[Step, ...]
    named: tuple[int, ...]  # the files that the text itself shows or links to
    seconds: int  # to read


def rendered(kind: str, text: str, plain: str, files: Sequence[FileRow]) -> Rendered:
    """A text as readers see it. ``plain``: its words alone."""
    find = _finder(files)
    named = tuple(dict.fromkeys(int(one) for one in _NAMED.findall(text)))
    seconds = wordings.reading_seconds_of(plain)
    if kind != Kind.GUIDE:
        html, headings = markdown.article_with_headings(text, find)
        return Rendered(html, tuple(headings), (), named, seconds)
    guide = guides.read(text)
    steps = tuple(
        Step(step.name, step.title, markdown.article(step.text, find), step.choices, str(step.end or ""))
        for step in guide.steps
    )
    return Rendered(markdown.article(guide.introduction, find), (), steps, named, seconds)


def _finder(files: Sequence[FileRow]) -> markdown.Finder:
    known = {one.id: one for one in files if one.captions_of is None}

    def find(number: int) -> markdown.Drawn | None:
        one = known.get(number)
        if one is None:
            return None
        captions = [
            markdown.Captions(f"{FILE_PATH}{other.id}", other.language)
            for other in files
            if other.captions_of == number
        ]
        return markdown.Drawn(f"{FILE_PATH}{one.id}", one.name, one.content_type, tuple(captions))

    return find


def packed(found: Rendered) -> dict[str, Any]:
    """The same as it is kept in the database (JSON)."""
    return {
        "html": found.html,
        "headings": [[one.level, one.anchor, one.words] for one in found.headings],
        "steps": [
            [one.name, one.title, one.html, [[choice.words, choice.to] for choice in one.choices], one.end]
            for one in found.steps
        ],
        "named": list(found.named),
        "seconds": found.seconds,
    }


def unpacked(kept: Mapping[str, Any]) -> Rendered:
    """What ``packed`` made."""
    return Rendered(
        kept["html"],
        tuple(markdown.Heading(*one) for one in kept["headings"]),
        tuple(
            Step(name, title, html, tuple(guides.Choice(*choice) for choice in choices), end)
            for name, title, html, choices, end in kept["steps"]
        ),
        tuple(kept["named"]),
        kept["seconds"],
    )
