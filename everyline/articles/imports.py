"""Articles brought in from elsewhere: folders of Markdown, HTML exports of other desks, tables of questions and answers.

Each piece has a source by which it is known again: the same import twice changes what has changed, and doubles nothing. What
is read is never trusted: it becomes Markdown, in which HTML is text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select

from everyline.articles import actions, queries, rules, working
from everyline.articles.models import Article, Category
from everyline.ground import languages
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.words import _

LARGEST_PIECE = 4 * 1024 * 1024  # bytes of one file
LARGEST_UPLOAD = 100 * 1024 * 1024  # bytes of an archive's files together
MOST_FILES = 5000  # of an archive
MARKDOWN, PAGES, TABLES = (".md", ".markdown"), (".html", ".htm"), (".csv", ".tsv")
ENDINGS = (*MARKDOWN, *PAGES, *TABLES)
QUESTION_HEADS = ("question", "title", "q", "pregunta", "frage")
ANSWER_HEADS = ("answer", "text", "body", "content", "a", "respuesta", "antwort")
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_SPLIT = re.compile(r"[;,|]")


@dataclass(frozen=True, slots=True)
class Piece:
    """One article as it was found."""

    source: str
    title: str
    text: str
    summary: str = ""
    category: tuple[str, ...] = ()  # names from the top
    language: str = ""
    tags: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    audience: str = rules.Audience.PUBLIC


@dataclass
class Done:
    """What an import did."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: list[str] = field(default_factory=list)  # source and reason


def from_folder(folder: Path) -> Iterator[Piece]:
    """Every ``.md``, ``.html`` and ``.htm`` file below a folder; folders are categories. Links that lead out are not followed."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (*MARKDOWN, *PAGES) or path.is_symlink() or not path.is_file():
            continue
        where = PurePosixPath(path.relative_to(folder).as_posix())
        if path.stat().st_size > LARGEST_PIECE:
            raise Invalid(_("%s is too large.") % where)
        content = path.read_bytes().decode("utf-8", "replace")
        places = tuple(_spoken(part) for part in where.parts[:-1])
        read = from_markdown if path.suffix.lower() in MARKDOWN else from_html
        yield read(content, str(where), places)


def from_file(path: Path) -> Iterator[Piece]:
    """The pieces of one file: a table, a Markdown or an HTML file."""
    if path.stat().st_size > 50 * LARGEST_PIECE:
        raise Invalid(_("%s is too large.") % path.name)
    yield from _read(path.read_bytes(), path.name, ())


def from_upload(content: bytes, name: str) -> Iterator[Piece]:
    """The pieces of a file that was sent: one of those that ``from_file`` reads, or a ZIP archive of them, in which folders are
    categories. Nothing of an archive is written to disk. Invalid when it is none of these, or larger than it may be."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        yield from _read(content, PurePosixPath(name).name, ())
        return
    read, left = 0, LARGEST_UPLOAD
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in sorted(archive.infolist(), key=lambda one: one.filename):
            where = PurePosixPath(entry.filename)
            hidden = any(part.startswith((".", "__")) for part in where.parts)
            if entry.is_dir() or hidden or where.suffix.lower() not in ENDINGS:
                continue
            read += 1
            if read > MOST_FILES or entry.file_size > LARGEST_PIECE or (left := left - entry.file_size) < 0:
                raise Invalid(_("%s is too large.") % name)
            try:
                with archive.open(entry) as file:
                    inside = file.read(LARGEST_PIECE + 1)  # what an archive says of itself need not be so
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
                raise Invalid(_("%s cannot be read.") % where) from error
            if len(inside) > LARGEST_PIECE:
                raise Invalid(_("%s is too large.") % where)
            places = tuple(_spoken(part) for part in where.parts[:-1] if part != "/")
            yield from _read(inside, str(where), places)
    if not read:
        raise Invalid(_("There is nothing in %s that could be taken in.") % name)


def _read(content: bytes, name: str, places: tuple[str, ...]) -> Iterator[Piece]:
    """The pieces of one file by the ending of its name."""
    ending, text = PurePosixPath(name).suffix.lower(), content.decode("utf-8-sig", "replace")
    if ending in TABLES:
        yield from from_table(text, name)
    elif ending in ENDINGS:
        read = from_markdown if ending in MARKDOWN else from_html
        yield read(text, name, places)
    else:
        raise Invalid(_("Its name must end in .md, .html, .csv or .zip."), {"file": _("Choose one of these.")})


def _spoken(name: str) -> str:
    """A file's or folder's name as words."""
    words = re.sub(r"[-_]+", " ", re.sub(r"^\d+[-_. ]+", "", name)).strip()
    return words[:1].upper() + words[1:]


def from_markdown(content: str, source: str, category: tuple[str, ...] = ()) -> Piece:
    """A Markdown file with or without a head of ``key: value`` lines between ``---``: title, description (or summary),
    category, tags, language, audience. Without a title it is the first heading, else the file's name."""
    content = content.replace("\r\n", "\n").lstrip("\ufeff")
    facts: dict[str, str] = {}
    if found := _FRONT.match(content):
        content = content[found.end() :]
        for line in found[1].splitlines():
            key, colon, value = line.partition(":")
            if colon:
                facts[key.strip().lower()] = value.strip().strip("\"'[]")
    title = facts.get("title", "")
    heading = re.match(r"\s*#[ \t]+(.+?)[ \t]*#*\n", f"{content}\n")
    if heading and title in ("", heading[1]):
        title, content = heading[1], f"{content}\n"[heading.end() :]
    return Piece(
        source,
        title or _spoken(PurePosixPath(source).stem),
        content.strip(),
        facts.get("description") or facts.get("summary") or "",
        tuple(filter(None, map(str.strip, facts["category"].split("/")))) if facts.get("category") else category,
        facts.get("language") or facts.get("lang") or "",
        tuple(filter(None, map(str.strip, _SPLIT.split(facts.get("tags", ""))))),
        audience=facts.get("audience") or rules.Audience.PUBLIC,
    )


def from_table(content: str, source: str) -> Iterator[Piece]:
    """A table (CSV) of questions and answers, with or without heads; further columns may be category, tags, language, and
    questions (other ways to ask, with ``|`` between them). Rows of one answer become one article."""
    sample = content[:4096]
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, ",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(io.StringIO(content), dialect) if any(map(str.strip, row))]
    if not rows:
        return
    heads = [head.strip().lower() for head in rows[0]]
    ask = next((heads.index(name) for name in QUESTION_HEADS if name in heads), None)
    answer = next((heads.index(name) for name in ANSWER_HEADS if name in heads), None)
    if ask is None or answer is None:
        heads, ask, answer = [], 0, 1
    else:
        rows = rows[1:]

    def cell(row: list[str], name: str) -> str:
        return row[heads.index(name)].strip() if name in heads and heads.index(name) < len(row) else ""

    answers: dict[str, Piece] = {}
    for number, row in enumerate(rows, 1):
        if len(row) <= max(ask, answer) or not row[ask].strip() or not row[answer].strip():
            raise Invalid(_("Row %(row)d of %(file)s lacks a question or an answer.") % {"row": number, "file": source})
        question, text = row[ask].strip(), row[answer].strip()
        more = tuple(filter(None, map(str.strip, cell(row, "questions").split("|"))))
        known = answers.get(text)
        if known is not None:
            answers[text] = Piece(
                known.source, known.title, text, category=known.category, language=known.language, tags=known.tags,
                questions=(*known.questions, question, *more),
            )  # fmt: skip
            continue
        digest = hashlib.sha256(question.lower().encode()).hexdigest()[:12]
        answers[text] = Piece(
            f"{source}#{digest}",
            question[: rules.LONGEST_TITLE],
            text,
            category=tuple(filter(None, map(str.strip, cell(row, "category").split("/")))),
            language=cell(row, "language"),
            tags=tuple(filter(None, map(str.strip, _SPLIT.split(cell(row, "tags"))))),
            questions=more,
        )
    yield from answers.values()


def from_html(content: str, source: str, category: tuple[str, ...] = ()) -> Piece:
    """An HTML page, as other desks export them: the title is its first heading or its title, the text what stands in
    ``article``, ``main`` or ``body``, without navigation and scripts."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    title = " ".join((reader.heading or reader.title).split())
    return Piece(
        source, title or _spoken(PurePosixPath(source).stem), reader.text(), category=category, language=reader.language
    )


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


class _Reader(HTMLParser):
    """HTML to Markdown. What it does not know is text."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done with a piece: ``new``, ``changed``, ``same``, or ``refused`` with its fault."""

    piece: Piece
    language: str
    outcome: str
    fault: str = ""
    article_id: int | None = None  # that it is already

    @property
    def content(self) -> dict[str, Any]:
        """Its words as verbs take them."""
        piece = self.piece
        return {
            "title": piece.title,
            "summary": piece.summary,
            "text": piece.text,
            "questions": list(piece.questions),
        }


async def planned(tx: Tx, piece: Piece, language: str = "") -> Plan:
    """What would be done with a piece; nothing is. ``language``: of pieces that do not say theirs."""
    spoken = piece.language or language or languages.detect(f"{piece.title}. {piece.text}") or "en"
    fault = _fault(piece)
    if fault:
        return Plan(piece, spoken, "refused", fault)
    article_id = await tx.value(select(Article.id).where(Article.source == piece.source))
    plan = Plan(piece, spoken, "new" if article_id is None else "changed", article_id=article_id)
    if article_id is not None:
        newest = (await working.versions(tx, article_id, spoken))[:1]
        kept = {name: getattr(newest[0], name) for name in plan.content} if newest else {}
        if kept == {**plan.content, "text": piece.text.strip()}:
            return replace(plan, outcome="same")
    return plan


async def take_in(
    tx: Tx,
    by: int | None,
    pieces: Iterable[Piece],
    *,
    language: str = "",
    category_id: int | None = None,
    publish: bool,
) -> Done:
    """Take pieces in: new ones are added, those known by their source become a new draft when they have changed. A piece that
    cannot be taken is told, and the others are taken."""
    done = Done()
    for piece in pieces:
        plan = await planned(tx, piece, language)
        if plan.outcome == "refused":
            done.refused.append(f"{piece.source}: {plan.fault}")
            continue
        if plan.outcome == "same":
            done.same += 1
            continue
        content, article_id = plan.content, plan.article_id
        if article_id is None:
            place = await _place(tx, by, piece.category, plan.language, category_id)
            article_id = await actions.add(
                tx, by, plan.language, content.pop("title"), category_id=place, tags=piece.tags, source=piece.source,
                audience=piece.audience, **content,
            )  # fmt: skip
            done.added += 1
        else:
            row = await actions.open_draft(tx, by, article_id, plan.language)
            await actions.write(tx, by, article_id, plan.language, row.revision, **content)
            done.changed += 1
        if publish:
            await actions.publish(tx, by, article_id, plan.language)
    for spoken in await queries.published_languages(tx):
        await tx.execute(
            queries.statements.count_words, {"language": spoken, "configuration": rules.configuration(spoken)}
        )
    return done


def _fault(piece: Piece) -> str:
    """Why a piece cannot be taken; empty when it can."""
    if not piece.text.strip():
        return _("there is no text in it")
    if len(piece.title) > rules.LONGEST_TITLE:
        return _("its title is too long")
    if len(piece.text) > rules.LONGEST_TEXT:
        return _("it is too long")
    if len(piece.summary) > rules.LONGEST_SUMMARY:
        return _("its summary is too long")
    return "" if piece.audience in list(rules.Audience) else _("there is no such audience")


async def _place(tx: Tx, by: int | None, names: Iterable[str], language: str, top: int | None) -> int | None:
    """The category of these names, made where it is not there yet."""
    parent_id = top
    for name in names:
        category_id = await tx.value(
            select(Category.id).where(
                Category.parent_id.is_not_distinct_from(parent_id), Category.names[language].astext == name
            )
        )
        parent_id = category_id or await actions.add_category(tx, by, {language: name}, parent_id=parent_id)
    return parent_id
