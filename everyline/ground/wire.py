"""From a statement to what the driver sends: SQLAlchemy's expressions are the language, psycopg is the wire.

A statement is compiled once; afterwards only its values are taken out of it. What SQLAlchemy's own engine does around each
call (greenlets, cursors, result metadata) cost three to eight times what the driver itself takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, TextClause, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

_DIALECT: Any = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # -- SQLAlchemy's own
_compiled: LRUCache[Any, Any] = LRUCache(1000)


@dataclass(frozen=True, slots=True)
class Wired:
    """A statement with its values, ready for the driver: for who asks the same again and again."""

    words: str
    values: Mapping[str, Any]


Statement = Executable | Wired


@lru_cache(maxsize=4096)
def _text(words: str) -> str:
    return str(text(words).compile(dialect=_DIALECT))


def wired(statement: Executable, parameters: Mapping[str, Any] | None = None) -> Wired:
    """A statement to keep."""
    return Wired(*wire(statement, parameters))


def wire(statement: Statement, parameters: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any]]:
    """A statement and its values as psycopg takes them."""
    if isinstance(statement, Wired):
        return statement.words, {**statement.values, **parameters} if parameters else statement.values
    if isinstance(statement, TextClause):
        return _text(statement.text), parameters or {}
    given = dict(parameters or {})
    # the cached form of ``compile()``: its public form puts a statement together anew at every call
    compiled, extracted, collected, _hit = statement._compile_w_cache(  # noqa: SLF001 -- as above
        _DIALECT, compiled_cache=_compiled, column_keys=sorted(given)
    )
    assert isinstance(compiled, SQLCompiler)
    values: Mapping[str, Any] = compiled.construct_params(
        given, extracted_parameters=extracted, escape_names=False, _collected_params=collected
    )
    words, processors = compiled.string, compiled._bind_processors  # noqa: SLF001 -- as above
    if compiled.literal_execute_params or compiled.post_compile_params:
        expanded = compiled._process_parameters_for_postcompile(dict(values))  # noqa: SLF001 -- as above
        words, values = expanded.statement, expanded.parameters
        processors = {**processors, **expanded.processors}
    if processors:
        values = {
            name: processors[name](value) if name in processors else value  # type: ignore[operator]  # -- none is of a tuple
            for name, value in values.items()
        }
    escaped = compiled.escaped_bind_names
    return words, {escaped.get(name, name): value for name, value in values.items()} if escaped else values
