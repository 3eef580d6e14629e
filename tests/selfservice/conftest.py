"""A flow with most kinds of steps, and what is outside of it."""

from __future__ import annotations

import pytest

from everyline.selfservice.flows import (
    Ask,
    Branch,
    Choose,
    Condition,
    Confirm,
    Done,
    Errand,
    Flow,
    Lookup,
    Option,
    Queue,
    Say,
    Way,
    words,
)
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.walking import Came, Does


def water() -> Flow:
    """What somebody owes for water, and how they pay it."""
    return Flow(
        "water",
        title=words("Water bill", es="Factura de agua"),
        start="hello",
        person="agent",
        queue="Water",
        steps=(
            Say("hello", words=words("Welcome to Harbor Water.", es="Bienvenido a Harbor Water."), to="menu"),
            Choose(
                "menu",
                words=words("What do you need?", es="¿Qué necesita?"),
                options=(
                    Option(
                        name="bill",
                        words=words("My bill", es="Mi factura"),
                        to="who",
                        keywords={"en": ("balance", "owe")},
                    ),
                    Option(name="outage", words=words("No water", es="No hay agua"), to="report"),
                    Option(name="end", words=words("Nothing else", es="Nada más"), to="bye"),
                ),
            ),
            Ask(
                "who",
                words=words("What is your 10-digit account number?", es="¿Cuál es su número de cuenta de 10 cifras?"),
                slot=Slot(Kind.ACCOUNT, "account", least=10, most=10),
                to="get",
            ),
            Lookup(
                "get",
                source="ledger.balance",
                values={"account": "{account}"},
                into="bill",
                found="tell",
                missing="again",
                down="agent",
            ),
            Branch(
                "again",
                ways=(Way(when=(Condition(about="times.get", holds="at least", value=2),), to="agent"),),
                otherwise="who",
            ),
            Say(
                "tell",
                words=words("You owe {bill.due} until {bill.until}.", es="Debe {bill.due} hasta el {bill.until}."),
                to="menu",
            ),
            Confirm(
                "report",
                words=words("Shall we report that you have no water?", es="¿Informamos de que no tiene agua?"),
                yes="do",
                no="menu",
            ),
            Errand("do", errand="report_outage", into="outage", done="bye", refused="agent", down="agent"),
            Queue(
                "agent", words=words("I connect you with a person.", es="Le paso con una persona."), carry=("account",)
            ),
            Done("bye", words=words("Good bye.", es="Adiós.")),
        ),
    )


BILL = {"due": Value(Kind.MONEY, "41.50", "USD"), "until": Value(Kind.DATE, "2026-02-03")}


def outside(does: Does) -> Came:
    """The ledger knows one account; errands work; people take over."""
    if does.step.kind == "lookup":
        return Came("found", BILL) if does.values["account"].value == "1234567890" else Came("missing")
    return Came("done") if does.step.kind == "errand" else Came("to")


@pytest.fixture(name="water")
def _water() -> Flow:
    return water()
