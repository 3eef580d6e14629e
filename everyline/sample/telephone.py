"""The sample company's telephone lines, toll-free and abroad, with what callers can do there by themselves."""

from __future__ import annotations

from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.lines.conditions import Route, When
from everyline.sample.house import House
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Choose, Done, Flow, Option, Queue, Say, Subflow, words

CHANNEL = "phone"
TOLL_FREE, ABROAD = "+18005550199", "+525555550143"
QUEUE = "Water"

MENU = Flow(
    "by-telephone",
    title=words("By telephone", es="Por teléfono"),
    start="menu",
    person="agent",
    steps=(
        Choose(
            "menu",
            words=words("How can we help you?", es="¿En qué podemos ayudarle?"),
            options=(
                Option(name="bill", words=words("your bill", es="su factura"), to="bill"),
                Option(name="case", words=words("how your case stands", es="el estado de su caso"), to="case"),
                Option(name="hours", words=words("our opening hours", es="nuestro horario"), to="hours"),
                Option(name="person", words=words("somebody of us", es="hablar con una persona"), to="agent"),
            ),
        ),
        Subflow("bill", flow="my-bill", to="more"),
        Subflow("case", flow="my-case", to="more"),
        Say(
            "hours",
            words=words(
                "The office is open Monday to Friday, from eight in the morning to five in the afternoon.",
                es="La oficina abre de lunes a viernes, de ocho de la mañana a cinco de la tarde.",
            ),
            to="more",
        ),
        Choose(
            "more",
            words=words("Is there anything else?", es="¿Algo más?"),
            options=(
                Option(name="menu", words=words("the menu", es="el menú"), to="menu"),
                Option(name="person", words=words("somebody of us", es="hablar con una persona"), to="agent"),
                Option(name="end", words=words("no, thank you", es="no, gracias"), to="end"),
            ),
        ),
        Done("end", words=words("Goodbye.", es="Hasta luego.")),
        Queue("agent", words=words("One moment, please.", es="Un momento, por favor.")),
    ),
)


async def add(tx: Tx, ground: Ground, founded: House, trunk: int) -> None:
    """Add lines and flow. ``trunk``: the port of the network on loopback."""
    await actions.add(tx, None, flows.written(MENU))
    await actions.publish(tx, None, MENU.name)
    shared = {"host": "127.0.0.1", "port": trunk, "records": "always", "countries": "MX CA"}
    toll_free = await lines.add(
        tx,
        ground.vault,
        None,
        channel_name=CHANNEL,
        address=TOLL_FREE,
        name="Harbor County toll-free",
        queue_id=founded.queues[QUEUE],
        settings={**shared, "languages": "es | 2 | Para español, oprima el dos.", "waits_alone": True},
    )
    await lines.change(tx, ground.vault, None, toll_free, flow=MENU.name)
    await lines.add(
        tx,
        ground.vault,
        None,
        channel_name=CHANNEL,
        address=ABROAD,
        name="Condado de Harbor",
        queue_id=founded.queues[QUEUE],
        language="es",
        settings={**shared, "country": "MX", "countries": "US CA", "waits_alone": True},
    )
    from_there = When(prefixes=("+1206",))
    await lines.keep_route(
        tx, None, toll_free, Route(0, "Seattle has its own desk", from_there, founded.queues["Permits"])
    )
