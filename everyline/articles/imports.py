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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select

from everyline.articles import actions, queries, rules
from everyline.articles.foreign import HtmlReader
from everyline.articles.models import Category
from everyline.ground import languages
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, ProductError
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
    line: int = 0  # of its file, from 1; 0: the whole file
    fault: str = ""  # why it is none


@dataclass(frozen=True, slots=True)
class Refused:
    """A piece that could not be taken, and why."""

    source: str
    line: int
    fault: str

    @property
    def where(self) -> str:
        """Its source with its line."""
        return _("%(file)s, line %(line)d") % {"file": self.source, "line": self.line} if self.line else self.source

    def __str__(self) -> str:
        return f"{self.where}: {self.fault}"


@dataclass
class Done:
    """What an import did."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: list[Refused] = field(default_factory=list)


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
    questions (other ways to ask, with ``|`` between them). Rows of one answer become one article; a row that lacks one of
    them is a piece with its fault. Invalid when it is no table."""
    sample = content[:4096]
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, ",;\t")
    except csv.Error:
        dialect = csv.excel
    reader = csv.reader(io.StringIO(content, newline=""), dialect)
    rows, begins = [], 1  # each with the line that it begins on: what stands in quotes may have several
    try:
        for row in reader:
            if any(map(str.strip, row)):
                rows.append((begins, row))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(
            _("Line %(line)d of %(file)s cannot be read.") % {"line": reader.line_num, "file": source}
        ) from error
    if not rows:
        return
    heads = [head.strip().lower() for head in rows[0][1]]
    ask = next((heads.index(name) for name in QUESTION_HEADS if name in heads), None)
    answer = next((heads.index(name) for name in ANSWER_HEADS if name in heads), None)
    if ask is None or answer is None:
        heads, ask, answer = [], 0, 1
    else:
        rows = rows[1:]

    def cell(row: list[str], name: str) -> str:
        return row[heads.index(name)].strip() if name in heads and heads.index(name) < len(row) else ""

    answers: dict[str, Piece] = {}
    for line, row in rows:
        if len(row) <= max(ask, answer) or not row[ask].strip() or not row[answer].strip():
            named = row[ask].strip() if len(row) > ask else ""
            yield Piece(
                source, named[: rules.LONGEST_TITLE], "", line=line, fault=_("it lacks a question or an answer")
            )
            continue
        question, text = row[ask].strip(), row[answer].strip()
        more = tuple(filter(None, map(str.strip, cell(row, "questions").split("|"))))
        known = answers.get(text)
        if known is not None:
            answers[text] = replace(known, questions=(*known.questions, question, *more))
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
            line=line,
        )
    yield from answers.values()


def from_html(content: str, source: str, category: tuple[str, ...] = ()) -> Piece:
    """An HTML page, as other desks export them: the title is its first heading or its title, the text what stands in
    ``article``, ``main`` or ``body``, without navigation and scripts."""
    reader = HtmlReader()
    reader.feed(content)
    reader.close()
    title = " ".join((reader.heading or reader.title).split())
    return Piece(
        source, title or _spoken(PurePosixPath(source).stem), reader.text(), category=category, language=reader.language
    )


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


async def planned(tx: Tx, pieces: Sequence[Piece], language: str = "") -> list[Plan]:
    """What would be done with pieces; nothing is. ``language``: of pieces that do not say theirs."""
    rows = await tx.rows(queries.statements.imported, {"sources": list({piece.source for piece in pieces})})
    ids = {row.source: row.id for row in rows}
    newest = {(row.id, row.language): row for row in rows}
    return [_plan(piece, language, ids.get(piece.source), newest) for piece in pieces]


def _plan(piece: Piece, language: str, article_id: int | None, newest: Mapping[tuple[int, str], Row]) -> Plan:
    spoken = piece.language or language or languages.detect(f"{piece.title}. {piece.text}") or "en"
    if fault := _fault(piece):
        return Plan(piece, spoken, "refused", fault)
    if article_id is None:
        return Plan(piece, spoken, "new")
    plan, there = Plan(piece, spoken, "changed", article_id=article_id), newest.get((article_id, spoken))
    kept = {name: getattr(there, name) for name in plan.content} if there is not None else {}
    return replace(plan, outcome="same") if kept == {**plan.content, "text": piece.text.strip()} else plan


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
    cannot be taken is told, and the others are taken. At the end of all pieces stands ``count_words``."""
    done = Done()
    for piece in pieces:
        (plan,) = await planned(tx, [piece], language)  # one by one: a file may bring the same source twice
        if plan.outcome == "refused":
            done.refused.append(Refused(piece.source, piece.line, plan.fault))
            continue
        if plan.outcome == "same":
            done.same += 1
            continue
        try:
            async with tx.attempt():
                await _taken(tx, by, plan, category_id, publish=publish)
        except ProductError as error:
            details = error.fields.values() if isinstance(error, Invalid) else ()
            done.refused.append(Refused(piece.source, piece.line, " ".join([error.message, *details])))
            continue
        done.added += plan.outcome == "new"
        done.changed += plan.outcome == "changed"
    return done


async def _taken(tx: Tx, by: int | None, plan: Plan, category_id: int | None, *, publish: bool) -> None:
    content, article_id, piece = plan.content, plan.article_id, plan.piece
    if article_id is None:
        place = await _place(tx, by, piece.category, plan.language, category_id)
        article_id = await actions.add(
            tx, by, plan.language, content.pop("title"), category_id=place, tags=piece.tags, source=piece.source,
            audience=piece.audience, **content,
        )  # fmt: skip
    else:
        row = await actions.open_draft(tx, by, article_id, plan.language)
        await actions.write(tx, by, article_id, plan.language, row.revision, **content)
    if publish:
        await actions.publish(tx, by, article_id, plan.language)


async def count_words(tx: Tx) -> None:
    """Count anew in how many articles each word is."""
    for language in await queries.published_languages(tx):
        await tx.execute(
            queries.statements.count_words, {"language": language, "configuration": rules.configuration(language)}
        )


def _fault(piece: Piece) -> str:
    """Why a piece cannot be taken; empty when it can."""
    if piece.fault:
        return piece.fault
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
