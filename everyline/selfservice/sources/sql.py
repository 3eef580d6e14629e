"""Asking a PostgreSQL database: one SELECT, its values as parameters, in a session that cannot write.

What keeps it one SELECT is the server's own grammar: it stands as a subquery, where no other statement can, and goes out
by the extended protocol, which takes one statement (PostgreSQL, "Extended Query"). A role that may do more than read is
refused, and so is a database of ours.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from everyline.ground import http
from everyline.ground.words import _
from everyline.selfservice.slots import LONGEST_ANSWER, Kind, Value
from everyline.selfservice.sources.answers import Answer, Step, Trouble
from everyline.selfservice.sources.declared import Secrets, Source, Sql

MOST_ROWS = 2  # one is an answer, two are one too many
# what stands in quotes, in comments and in casts holds no parameter
_PIECES = re.compile(
    r"""(?P<name>(?<![:\w]):(?P<word>[a-z][a-z0-9_-]*)) | '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/
      | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$ | ::""",
    re.VERBOSE | re.DOTALL,
)
_WHO = """
    select r.rolsuper or r.rolcreaterole or r.rolreplication or r.rolbypassrls or exists (
            select from pg_roles m where m.rolname in ('pg_read_server_files', 'pg_write_server_files',
                'pg_execute_server_program', 'pg_write_all_data', 'pg_signal_backend')
            and pg_has_role(current_user, m.oid, 'member')) as mighty,
        to_regclass('customer_source_row') is not null and to_regclass('contact_point') is not null as ours
    from pg_roles r where r.rolname = current_user
"""


def parameters(select: str) -> set[str]:
    """The parameters that a SELECT names."""
    return {match["word"] for match in _PIECES.finditer(select) if match["word"]}


def faults(settings: Sql, known: Collection[str]) -> dict[str, str]:
    """What is wrong with the settings, by their names. ``known``: the inputs."""
    found: dict[str, str] = {}
    for name in ("host", "database", "role"):
        value: str = getattr(settings, name)
        if not value or not value.isprintable():
            found[name] = _("This is needed.")
    if "," in settings.host:
        found["host"] = _("One host.")
    elif settings.host.startswith("/") and not settings.inner:
        found["host"] = _("A socket stands in the own network: allow that first.")
    if not settings.select.strip():
        found["select"] = _("This is needed.")
    elif "\x00" in settings.select:
        found["select"] = _("There is a sign in it that cannot be read.")
    elif strange := parameters(settings.select) - set(known):
        found["select"] = _("There is no input of this name: %s.") % ", ".join(sorted(strange))
    return found


def statement(source: Source) -> tuple[sql.Composed, list[str]]:
    """What is sent: the SELECT as a subquery, with each field as a text of bounded length; and its parameters in turn."""
    settings = source.settings
    assert isinstance(settings, Sql)
    turn: list[str] = []

    def piece(match: re.Match[str]) -> str:
        if not match["word"]:
            return match[0].replace("%", "%%")
        turn.append(match["word"])
        return "%s"

    given, at = "", 0
    for match in _PIECES.finditer(settings.select):
        given += settings.select[at : match.start()].replace("%", "%%") + piece(match)
        at = match.end()
    given += settings.select[at:].replace("%", "%%")
    columns: list[sql.Composable] = [
        sql.SQL("left({}::text, {}) as {}").format(
            sql.Identifier("found", one.slot.name), sql.Literal(LONGEST_ANSWER + 1), sql.Identifier(one.slot.name)
        )
        for one in source.fields
    ]
    # a line of its own for the bracket: the SELECT may end in a comment
    composed = sql.SQL("select {} from (\n{}\n) as found limit {}").format(
        sql.SQL(", ").join(columns or [sql.SQL("1")]),
        sql.SQL(given.strip().removesuffix(";")),  # an admin's words; a customer's are parameters
        sql.Literal(MOST_ROWS),
    )
    return composed, turn


def _parameter(value: Value) -> Any:
    if value.kind is Kind.MONEY:
        return Decimal(value.value)
    if value.kind is Kind.DATE:
        return date.fromisoformat(value.value)
    if value.kind is Kind.YES_NO:
        return value.value == "yes"
    return value.value


async def _place(settings: Sql) -> dict[str, str]:
    """Where the host stands; the addresses that were looked at are those that are spoken to."""
    if settings.inner:
        return {}
    try:
        places = await http.public_addresses(settings.host, settings.port)
    except http.HttpError as error:
        raise Trouble(Step.REACH, str(error)) from error
    return {"host": ",".join([settings.host] * len(places)), "hostaddr": ",".join(places)}


async def ask(source: Source, secrets: Secrets, values: Mapping[str, Value], seconds: float) -> Answer:
    """Ask once, on a connection of its own. Trouble."""
    settings = source.settings
    assert isinstance(settings, Sql)
    milliseconds = max(int(min(seconds, source.seconds) * 1000), 1)
    facts: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.role,
        "password": secrets.password,
        "sslmode": settings.encryption,
        "passfile": os.devnull,  # nobody else's passwords
        "application_name": "everyline",
        "client_encoding": "utf8",
        "connect_timeout": max(int(seconds) + 1, 2),
        "tcp_user_timeout": max(milliseconds * 2, 2000),
        "options": f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c datestyle=iso"
        f" -c idle_in_transaction_session_timeout={milliseconds * 2}",
        **({"sslrootcert": "system"} if settings.encryption == "verify-full" else {}),
        **await _place(settings),
    }
    try:
        connection = await psycopg.AsyncConnection.connect(**facts, autocommit=True)
    except (psycopg.Error, OSError, UnicodeError) as error:
        raise Trouble(Step.REACH, _reason(error)) from error
    try:
        return await _asked(connection, source, values)
    finally:
        await connection.close()


async def _asked(connection: psycopg.AsyncConnection[Any], source: Source, values: Mapping[str, Value]) -> Answer:
    words, turn = statement(source)
    given = [_parameter(values[name]) for name in turn]
    try:
        row = await (await connection.cursor(row_factory=tuple_row).execute(_WHO)).fetchone()
        if row is None or row[0]:
            raise Trouble(Step.REACH, _("This role may do more than read. Give it one that may read and nothing else."))
        if row[1]:
            raise Trouble(Step.REACH, _("This is a database of Everyline: a source stands elsewhere."))
        cursor = connection.cursor(row_factory=dict_row, binary=False)
        found = await (await cursor.execute(words, given, prepare=True)).fetchall()
    except psycopg.Error as error:
        # 22: a value that does not fit, which says nothing of all others
        counts = (error.sqlstate or "08")[:2] not in ("22", "42")
        raise Trouble(Step.ANSWER, _reason(error), counts=counts) from error
    seen = "\n".join(json.dumps(one, ensure_ascii=False) for one in found)
    if len(found) > 1:
        raise Trouble(Step.FIELDS, _("More than one record fits."), seen=seen, counts=False)
    return Answer(found[0] if found else None, seen)


def _reason(error: BaseException) -> str:
    """What the server said, without the values that it repeats in its details."""
    told = getattr(getattr(error, "diag", None), "message_primary", None)
    return str(told or str(error).strip().split("\n")[0] or type(error).__name__)[:300]
