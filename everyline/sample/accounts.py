"""What the sample company's ledger knows of its customers, as tables that flows look up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.sample import generator
from everyline.sample.generator import Person
from everyline.selfservice.slots import Kind, Slot, luhn
from everyline.selfservice.sources import actions, files, table
from everyline.selfservice.sources.declared import Field, Input, Source, Table

ACCOUNT = Slot(Kind.ACCOUNT, "account", least=10, most=10, check="luhn")
STATES = {
    "paid": {"en": "Paid", "es": "Pagada"},
    "open": {"en": "Open", "es": "Pendiente"},
    "overdue": {"en": "Overdue", "es": "Vencida"},
}
ACCOUNTS = Source(
    name="accounts",
    settings=Table(),
    inputs=(Input(ACCOUNT),),
    fields=(
        Field(Slot(Kind.NAME, "name")),
        Field(Slot(Kind.MONEY, "balance")),
        Field(Slot(Kind.DATE, "due"), needed=False),
        Field(Slot(Kind.CHOICE, "status", choices=STATES)),
    ),
)
HOLDERS = Source(
    name="account-holders",
    settings=Table(),
    inputs=(
        Input(ACCOUNT, asks={"en": "What is your account number?", "es": "¿Cuál es su número de cuenta?"}),
        Input(Slot(Kind.EMAIL, "mailbox"), given="address"),
    ),
    proof=True,
)


def number(n: int) -> str:
    """The account of the nth customer: ten digits, the last made of the others."""
    first = f"4{n:08d}"
    return next(first + last for last in "0123456789" if luhn(first + last))


async def add(tx: Tx, ground: Ground, customers: Sequence[Person]) -> None:
    """Both tables: what everybody owes, and whose account it is, which shows who somebody is."""
    chance, today = random.Random(generator.SEED), now().date()
    owed, held = [], []
    for n, person in enumerate(customers):
        status = chance.choices(tuple(STATES), (5, 4, 1))[0]
        days = {"paid": 0, "open": chance.randrange(3, 28), "overdue": -chance.randrange(1, 20)}[status]
        balance = f"{chance.randrange(1200, 48000) / 100:.2f}"
        row = {
            "account": number(n),
            "mailbox": person.mailbox,
            "name": person.name,
            "balance": "0" if status == "paid" else balance,
            "due": "" if status == "paid" else (today + timedelta(days=days)).isoformat(),
            "status": status,
        }
        owed.append(files.line(ACCOUNTS, lambda column, cells=row: cells[column.slot.name]))
        held.append(files.line(HOLDERS, lambda column, cells=row: cells[column.slot.name]))
    for source, lines in ((ACCOUNTS, owed), (HOLDERS, held)):
        source_id = await actions.add(tx, ground.vault, None, source)
        await table.replace(tx, ground.key, replace(source, id=source_id), lines)
