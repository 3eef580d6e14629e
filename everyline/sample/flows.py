"""What customers of the sample company can do by themselves: report an outage, ask for their bill, ask how their case
stands, book an appointment and move it."""

from __future__ import annotations

from everyline.ground.database import Tx
from everyline.sample.accounts import ACCOUNT, ACCOUNTS
from everyline.selfservice import actions, flows
from everyline.selfservice.errands.outages import KINDS
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Choose,
    Condition,
    Confirm,
    Done,
    Errand,
    Flow,
    Identify,
    Lookup,
    Option,
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

APPOINTMENT = Flow(
    "book-appointment",
    title=words("Book or move an appointment", es="Reservar o cambiar una cita"),
    start="what",
    person="agent",
    steps=(
        Choose(
            "what",
            words=words("What would you like to do?", es="¿Qué quiere hacer?"),
            options=(
                Option(name="book", words=words("Book an appointment", es="Reservar una cita"), to="kind"),
                Option(name="move", words=words("Move an appointment", es="Cambiar una cita"), to="whose"),
            ),
        ),
        Ask(
            "kind",
            words=words("What is it for?", es="¿Para qué es?"),
            slot=Slot(
                Kind.CHOICE,
                "kind",
                choices={
                    "building": {"en": "Building permit", "es": "Permiso de obras"},
                    "marriage": {"en": "Marriage license", "es": "Licencia de matrimonio"},
                    "water": {"en": "Water meter", "es": "Contador de agua"},
                },
            ),
            to="who",
        ),
        Identify("who", level=2, to="next", fail="agent"),
        Errand(
            "next",
            errand="free_times",
            values={"appointment": "{kind}"},
            into="next",
            done="day",
            refused="agent",
            down="agent",
        ),
        Ask(
            "day",
            words=words("On which day?", es="¿Qué día?"),
            slot=Slot(Kind.DATE, "day", least=0, most=30),
            to="free",
        ),
        Errand(
            "free",
            errand="free_times",
            values={"appointment": "{kind}", "day": "{day}"},
            into="free",
            done="some",
            refused="agent",
            down="agent",
        ),
        Branch(
            "some",
            ways=(
                Way(when=(Condition(about="slot.free.times", holds="at least", value=1),), to="time"),
                Way(when=(Condition(about="times.free", holds="at least", value=5),), to="agent"),
            ),
            otherwise="day",
        ),
        Ask("time", words=words("At what time?", es="¿A qué hora?"), slot=Slot(Kind.TEXT, "time", most=40), to="sure"),
        Confirm(
            "sure",
            words=words("{kind}, {day}, {time}: shall we book it?", es="{kind}, {day}, {time}: ¿lo reservamos?"),
            yes="book",
            no="day",
        ),
        Errand(
            "book",
            errand="book_appointment",
            values={"appointment": "{kind}", "day": "{day}", "time": "{time}"},
            into="booked",
            done="end",
            refused="again",
            down="agent",
        ),
        Branch(
            "again",
            ways=(Way(when=(Condition(about="times.book", holds="at least", value=4),), to="agent"),),
            otherwise="day",
        ),
        Identify("whose", level=2, to="mine", fail="agent"),
        Errand("mine", errand="my_appointments", values={}, into="mine", done="any", refused="agent", down="agent"),
        Branch(
            "any",
            ways=(Way(when=(Condition(about="slot.mine.appointments", holds="at least", value=1),), to="number"),),
            otherwise="end",
        ),
        Ask(
            "number",
            words=words("Which number does the appointment have?", es="¿Qué número tiene la cita?"),
            slot=Slot(Kind.DIGITS, "number", most=10),
            to="new-day",
        ),
        Ask(
            "new-day",
            words=words("To which day shall we move it?", es="¿A qué día la pasamos?"),
            slot=Slot(Kind.DATE, "new-day", least=0, most=30),
            to="new-time",
        ),
        Ask(
            "new-time",
            words=words("At what time?", es="¿A qué hora?"),
            slot=Slot(Kind.TEXT, "new-time", most=40),
            to="move",
        ),
        Errand(
            "move",
            errand="move_appointment",
            values={"number": "{number}", "day": "{new-day}", "time": "{new-time}"},
            into="moved",
            done="end",
            refused="not-then",
            down="agent",
        ),
        Branch(
            "not-then",
            ways=(Way(when=(Condition(about="times.move", holds="at least", value=4),), to="agent"),),
            otherwise="number",
        ),
        Done("end", words=words("Is there more? Just ask.", es="¿Algo más? Pregunte.")),
        PERSON,
    ),
)


async def add(tx: Tx) -> None:
    """Publish them, and offer them on the website."""
    for flow in (OUTAGE, BILL, CASE, APPOINTMENT):
        await actions.add(tx, None, flows.written(flow))
        await actions.publish(tx, None, flow.name)
        await actions.offer(tx, None, flow.name, on=True)
