"""Reads of the portal. Each takes the customer, and finds nothing that is another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from everyline.ground import sql
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _

statements = sql.beside(__file__, "portal.sql")

PAGE = 30


async def cases(
    tx: Tx, customer_id: int, *, are_open: bool | None = None, before: int | None = None, most: int = PAGE
) -> Sequence[Row]:
    """A customer's cases, newest first: the open ones, the settled ones, or (None) all."""
    values = {"customer_id": customer_id, "open": are_open, "before": before, "most": most}
    return await tx.rows(statements.cases, values)


async def how_many(tx: Tx, customer_id: int) -> Row:
    """How many cases are ``open`` and ``settled``."""
    return await tx.one(statements.how_many, {"customer_id": customer_id})


async def case(tx: Tx, customer_id: int, number: int) -> Row:
    """One case of the customer. NotFound when there is none, or it is another's."""
    row = await tx.first(statements.case, {"customer_id": customer_id, "number": number})
    if row is None:
        raise NotFound(_("There is no such case of yours."))
    return row


async def messages(tx: Tx, customer_id: int, case_id: int) -> Sequence[Row]:
    """What the customer may read of a case, oldest first."""
    return await tx.rows(statements.messages, {"customer_id": customer_id, "case_id": case_id})


async def files(tx: Tx, customer_id: int, case_id: int) -> Mapping[int, Sequence[Row]]:
    """The files of those messages, by message."""
    found: dict[int, list[Row]] = {}
    for row in await tx.rows(statements.files, {"customer_id": customer_id, "case_id": case_id}):
        found.setdefault(row.message_id, []).append(row)
    return found


async def file(tx: Tx, customer_id: int, number: int, file_id: int) -> Row:
    """One file of a case of the customer. NotFound."""
    row = await tx.first(statements.file, {"customer_id": customer_id, "number": number, "id": file_id})
    if row is None:
        raise NotFound(_("There is no such file."))
    return row


async def linked(tx: Tx, customer_id: int, case_id: int) -> Sequence[Row]:
    """The customer's own cases that belong together with one."""
    return await tx.rows(statements.linked, {"customer_id": customer_id, "case_id": case_id})


async def stored(tx: Tx, customer_id: int) -> Row:
    """How much there is of a customer: ``cases``, ``messages``, ``files``, ``bytes``, ``surveys``, ``opinions`` of answers,
    ``searches`` that found nothing."""
    return await tx.one(statements.stored, {"customer_id": customer_id})


async def said(tx: Tx, customer_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a customer said when they were asked (``surveys``), of answers (``answers_judged``), and what they looked for and
    did not find (``searches``); what they got done by themselves (``errands``), and their ``appointments``."""
    asked = {
        "surveys": statements.surveys,
        "answers_judged": statements.opinions,
        "searches": statements.searches,
        "errands": statements.errands,
        "appointments": statements.appointments,
    }
    return {
        name: [row._asdict() for row in await tx.rows(statement, {"customer_id": customer_id})]
        for name, statement in asked.items()
    }
