"""What customers of the sample company can do by themselves: report an outage, ask for their bill, ask how their case stands."""

from __future__ import annotations

from everyline.ground.database import Tx
from everyline.sample.accounts import ACCOUNT, ACCOUNTS
from everyline.selfservice import actions, flows
from everyline.selfservice.errands.outages import KINDS
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Condition,
    Confirm,
    Done,
    Errand,
    Flow,
    Identify,
    Lookup,
    Queue,
    Way,
    words,
)
from everyline.selfservice.slots import Kind, Slot

PERSON = Queue("agent", words=words("A person takes over.", es="Le atiende una persona."))

OUTAGE = Flow(
    "report-outage",
    title=words("Report an outage", es="Avisar de una avería"),
    start="what",
    person="agent",
    steps=(
        Ask(
            "what",
            words=words("What does not work?", es="¿Qué no funciona?"),
            slot=Slot(
                Kind.CHOICE, "trouble", choices={name: KINDS[name] for name in ("water", "power", "light", "other")}
            ),
            to="where",
        ),
        Ask(
            "where",
            words=words("Where is it? Street and number, please.", es="¿Dónde es? Calle y número, por favor."),
            slot=Slot(Kind.ADDRESS, "place"),
            to="sure",
        ),
        Confirm(
            "sure",
            words=words("{trouble}, {place}: shall we report it?", es="{trouble}, {place}: ¿lo comunicamos?"),
            yes="report",
            no="where",
        ),
        Errand(
            "report",
            errand="report_outage",
            values={"place": "{place}", "trouble": "{trouble}"},
            into="report",
            done="end",
            refused="agent",
            down="agent",
        ),
        Done("end", words=words("Thank you for telling us.", es="Gracias por avisarnos.")),
        PERSON,
    ),
)
BILL = Flow(
    "my-bill",
    title=words("How much is my bill?", es="¿Cuánto debo?"),
    start="account",
    person="agent",
    steps=(
        Ask(
            "account",
            words=words(
                "What is your account number? It stands at the top of your bill.",
                es="¿Cuál es su número de cuenta? Figura en la parte superior de su factura.",
            ),
            slot=ACCOUNT,
            to="get",
        ),
        Lookup(
            "get",
            source=ACCOUNTS.name,
            values={"account": "{account}"},
            into="bill",
            found="due",
            missing="unknown",
            down="agent",
        ),
        Branch(
            "due",
            ways=(Way(when=(Condition(about="slot.bill.balance", holds="at least", value=0.01),), to="owe"),),
            otherwise="nothing",
        ),
        Done(
            "owe",
            words=words("You owe {bill.balance} until {bill.due}.", es="Debe {bill.balance} hasta el {bill.due}."),
        ),
        Done("nothing", words=words("There is nothing to pay.", es="No hay nada que pagar.")),
        Branch(
            "unknown",
            ways=(Way(when=(Condition(about="times.get", holds="at least", value=2),), to="agent"),),
            otherwise="account",
        ),
        PERSON,
    ),
)
CASE = Flow(
    "my-case",
    title=words("How does my case stand?", es="¿Cómo va mi caso?"),
    start="who",
    person="agent",
    steps=(
        Identify("who", level=2, to="status", fail="agent"),
        Errand("status", errand="case_status", values={}, done="end", refused="agent", down="agent"),
        Done("end", words=words("Is there more? Just ask.", es="¿Algo más? Pregunte.")),
        PERSON,
    ),
)


async def add(tx: Tx) -> None:
    """Publish them, and offer them on the website."""
    for flow in (OUTAGE, BILL, CASE):
        await actions.add(tx, None, flows.written(flow))
        await actions.publish(tx, None, flow.name)
        await actions.offer(tx, None, flow.name, on=True)
