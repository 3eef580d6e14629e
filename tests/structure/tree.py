"""What the structural tests read: the files of this checkout and the tables of its documents."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "everyline"


@cache
def own_files() -> tuple[Path, ...]:
    """Every file that is, or with the next commit could be, part of the repository."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file()))


@cache
def text_of(path: Path) -> str | None:
    """A file's text, or None when it holds none (a picture, a captured payload in another character set)."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def own_texts(*suffixes: str) -> dict[Path, str]:
    """The own text files with one of these endings (all without any), by path."""
    wanted = (path for path in own_files() if not suffixes or path.suffix in suffixes)
    return {path: text for path in wanted if (text := text_of(path)) is not None}


def core_texts(*suffixes: str, also: frozenset[str] = frozenset()) -> dict[Path, str]:
    """The own texts of the product outside ``channels/`` and outside the folders named in ``also``."""
    outside = {"channels", *also}
    return {
        path: text
        for path, text in own_texts(*suffixes).items()
        if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] not in outside
    }


def short(path: Path) -> str:
    """The path as it is written in the repository."""
    return str(path.relative_to(ROOT))


def table_rows(document: str) -> list[list[str]]:
    """The cells of every row of the Markdown tables in a document, without heads and rulers."""
    rows = []
    lines = document.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_head = re.fullmatch(r"\|[-| :]+\|", following)
        if line.startswith("|") and not is_head and not re.fullmatch(r"\|[-| :]+\|", line):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def tokens(name: str) -> list[str]:
    """The words of an identifier, in lower case and singular: ``openCases`` is ``open case``."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return [singular(part.lower()) for part in parts]


def singular(word: str) -> str:
    """A word without its plural ending: cases, entries, inboxes, statuses; ``status`` and ``address`` stay."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(x|ch|sh|ss|us)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def parsed(source: str) -> ast.Module:
    """The syntax tree of a Python module."""
    return ast.parse(source)
