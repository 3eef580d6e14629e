"""One word per thing: no class, function, table or field of the core is called by a word the glossary refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.structure.tree import ROOT, core_texts, parsed, short, singular, table_rows, tokens

# Refused words that also name something else. They are refused only beside the glossary's own word:
# a `page` of a list may be one, an `article_page` may not.
HOMONYMS = {
    "calendar": "a part of a mail, text/calendar",
    "comment": "of a statement in SQL or a line in a language",
    "did": "the English verb; the number that can be dialled is a line",
    "log line": "a line in a log",
    "media": "a media type, and the process that moves sound",
    "page": "of the web, and of a list",
    "payload": "what a packet of RTP carries",
    "post": "the HTTP method, and the channel of letters",
    "ring": "the sound of an offer, and the ring that empties",
    "schedule": "the verb: a job is scheduled",
    "script": "that a browser runs",
    "signal": "of the operating system",
    "status": "of a case, and of an HTTP answer",
    "transaction": "of the database",
    "transport": "of asyncio",
    "tree": "of files, of HTML, of the parts of a mail",
}
# Words of other trades that hold a refused one: they are taken out before anything is compared.
TERMS = ("call contact", "contact point", "media class", "media type", "user agent", "event loop")
TABLE_CALLS = {"Table", "Column", "mapped_column", "create_table", "add_column", "column"}


def refused_words(glossary: str) -> dict[str, set[str]]:
    """Each refused word, in tokens joined by blanks, with the glossary's words it is no name for."""
    refused: dict[str, set[str]] = {}
    own: set[str] = set()
    for cells in table_rows(glossary):
        if len(cells) != 3:
            continue
        proper = {" ".join(tokens(word)) for word in re.findall(r"\*\*(.+?)\*\*", cells[0])}
        own |= proper
        for part in re.sub(r"\([^)]*\)", "", cells[2]).split(","):
            word = " ".join(singular(piece) for piece in re.findall(r"[a-z]+", part.lower()))
            if word and "pub" not in word.split():
                refused.setdefault(word, set()).update(proper)
    return {word: proper for word, proper in refused.items() if word not in own}


REFUSED = refused_words((ROOT / "docs/glossary.md").read_text("utf-8"))


def refused_in(name: str) -> str | None:
    """The refused word in an identifier, or None."""
    words = f" {' '.join(tokens(name))} "
    for term in TERMS:
        words = words.replace(f" {term} ", " · ")
    for word, proper in REFUSED.items():
        if f" {word} " not in words:
            continue
        if word not in HOMONYMS or any(f" {p} {word} " in words or f" {word} {p} " in words for p in _heads(proper)):
            return word
    return None


def _heads(proper: set[str]) -> set[str]:
    """The words that stand for the thing itself: of ``agent state`` both ``agent state`` and ``agent``."""
    return {*proper, *(word.split()[0] for word in proper)}


def names_in_python(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every class, function, field, table and column that a module defines."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                targets = field.targets if isinstance(field, ast.Assign) else []
                if isinstance(field, ast.AnnAssign):
                    targets = [field.target]
                yield from ((field.lineno, target.id) for target in targets if isinstance(target, ast.Name))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in TABLE_CALLS:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value


def names_in_sql(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every table, column and named statement that SQL text defines or reads."""
    named = r"\b(?:table(?: if not exists)?|into|update|from|join|add column|as(?! identity))\s+([a-z_]\w*)"
    kinds = "(?:big|small)?int|text|time|date|bool|json|uuid|bytea|numeric|real|double|serial|tsvector"
    column = rf"^\s+([a-z_]\w*)\s+(?:{kinds})"
    pattern = re.compile(f"{named}|{column}", re.IGNORECASE)
    for number, line in enumerate(re.sub(r"'[^']*'", "''", source).split("\n"), 1):
        yield from ((number, match.group(1) or match.group(2)) for match in pattern.finditer(line.split("--")[0]))
        yield from ((number, match.group(1)) for match in re.finditer(r"^-- name: (\w+)", line))


def names_in_script(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every class, function and type that a browser script defines."""
    pattern = re.compile(r"\b(?:class|function|interface|type|enum)\s+([A-Za-z_$][\w$]*)")
    for number, line in enumerate(source.split("\n"), 1):
        yield from ((number, match.group(1)) for match in pattern.finditer(line.split("//")[0]))


READERS = {".py": names_in_python, ".sql": names_in_sql, ".ts": names_in_script}


def test_the_core_uses_the_glossarys_words() -> None:
    faults = [
        f"{short(path)}:{line}: {name} says {word}; the glossary's word is {' or '.join(sorted(REFUSED[word]))}"
        for path, text in core_texts(*READERS).items()
        for line, name in READERS[path.suffix](text)
        if (word := refused_in(name))
    ]
    assert not faults, "\n".join(faults)


def test_the_glossary_was_read() -> None:
    assert REFUSED["ticket"] == {"case"}
    assert REFUSED["dead letter"] == {"quarantine"}
    assert REFUSED["operator"] == {"agent"}
    assert "event" not in REFUSED, "a word that the glossary uses itself is not refused"
    assert set(HOMONYMS) <= set(REFUSED), "a homonym that the glossary does not refuse needs no reason"


@pytest.mark.parametrize(
    "name",
    [
        "Ticket", "close_ticket", "closeTickets", "open_conversations", "contact_id", "UserRow", "current_user",
        "Inbox", "session_token", "dead_letters", "work_item", "SlaRule", "end_user", "agent_status", "article_page",
        "flow_script", "line_did", "tenant_id", "operators", "agent_presence", "queue_penalty",
    ],
)  # fmt: skip
def test_refuses(name: str) -> None:
    assert refused_in(name)


@pytest.mark.parametrize(
    "name",
    [
        "case_status", "contact_point", "contact_points", "ContactPoint", "MediaClass", "media_type", "user_agent",
        "page_of_cases", "PostgresServer", "posted_at", "event", "message_id", "did_arrive", "transaction",
        "syntax_tree", "signal_name", "schedule_retry", "agent_state", "HttpStatus", "shelf",
    ],
)  # fmt: skip
def test_lets_through(name: str) -> None:
    assert refused_in(name) is None


def test_finds_every_kind_of_name() -> None:
    module = """
class Ticket:
    operator: int
    tenant = 1
    def close_ticket(self): ...
tickets = Table("conversation", metadata, Column("inbox_id", Integer))
"""
    assert {name for _, name in names_in_python(module)} >= {
        "Ticket", "operator", "tenant", "close_ticket", "conversation", "inbox_id",
    }  # fmt: skip
    statement = """-- name: open_ticket
select t.id as ticket_number, 'from inbox' from ticket t join tenant o on true;
create table conversation (
    id bigint generated always as identity,
    vendor_id bigint not null
);
"""
    found = {name for _, name in names_in_sql(statement)}
    assert found == {"open_ticket", "ticket_number", "ticket", "tenant", "conversation", "id", "vendor_id"}
    assert {name for _, name in names_in_script("export class Ticket {}\nfunction openInbox() {}")} == {
        "Ticket",
        "openInbox",
    }
