"""What the sample company has taught its bot. Everything is invented."""

from __future__ import annotations

from everyline.articles.rules import slug
from everyline.ground.database import Tx
from everyline.selfservice.bot import Target, teaching
from everyline.selfservice.bot.teaching import Intent

_ABOUT: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "high-water-bill",
        "Why is my water bill so high?",
        {
            "en": """
                my water bill is twice what it was
                why do I owe so much for water
                the water bill doubled
                we used far more water than last month
                I think there is a leak
                my toilet runs all night
                the meter reading cannot be right
                water charges went through the roof
            """,
            "es": """
                mi cuenta de agua subió mucho
                por qué pago tanto por el agua
                creo que hay una fuga
            """,
            "de": """
                meine Wasserrechnung ist viel zu hoch
                wir haben doppelt so viel Wasser verbraucht
            """,
        },
    ),
    (
        "pay-water",
        "Pay your water bill",
        {
            "en": """
                how can I pay for water
                pay my utility bill online
                can I pay by card
                where do I pay in cash
                set up automatic payment
                is there a fee when I pay by phone
                I want to pay my bill
            """,
            "es": """
                quiero pagar mi cuenta de agua
                dónde puedo pagar el agua
                pagar con tarjeta
            """,
            "de": """
                wie kann ich die Wasserrechnung bezahlen
                kann ich mit Karte zahlen
            """,
        },
    ),
    (
        "cannot-pay-water",
        "I cannot pay my water bill on time",
        {
            "en": """
                I cannot afford the water bill
                I need more time to pay
                can I pay in installments
                please do not shut off my water
                I lost my job and cannot pay
                is there help for people with little money
                payment plan for my bill
            """,
            "es": """
                no puedo pagar el agua este mes
                necesito un plan de pagos
                me van a cortar el agua
            """,
            "de": """
                ich kann die Rechnung nicht bezahlen
                kann ich in Raten zahlen
            """,
        },
    ),
    (
        "move-water",
        "Start or stop water service when you move",
        {
            "en": """
                we are moving in next week and need water
                stop the water, we move out
                open a water account for my new house
                close my water account
                transfer service to my new address
                how much is the deposit for water
            """,
            "es": """
                me mudo y necesito abrir el agua
                cerrar el servicio de agua
            """,
        },
    ),
    (
        "dog-license",
        "License your dog",
        {
            "en": """
                I need a license for my dog
                we got a puppy
                register a dog
                renew the dog tag
                my dog lost its tag
                what does a dog license cost
                does my dog need papers
            """,
            "es": """
                licencia para mi perro
                quiero registrar a mi perro
                cuánto cuesta la placa del perro
            """,
            "de": """
                ich möchte meinen Hund anmelden
                was kostet die Hundemarke
            """,
        },
    ),
    (
        "lost-animal",
        "Lost and found animals",
        {
            "en": """
                my dog ran away
                I cannot find my cat
                I found a dog on the street
                a stray cat is in my yard
                is my pet at the shelter
                lost my dog yesterday
            """,
            "es": """
                perdí a mi perro
                encontré un gato
            """,
            "de": """
                mein Hund ist weggelaufen
                ich habe eine Katze gefunden
            """,
        },
    ),
    (
        "garbage-day",
        "Garbage and recycling collection",
        {
            "en": """
                when is my garbage picked up
                my bin was not emptied
                what day is recycling
                is there collection on a holiday
                they forgot my trash
                when do I put out the bins
            """,
            "es": """
                cuándo recogen la basura
                no recogieron mi basura
                qué día es el reciclaje
            """,
            "de": """
                wann kommt die Müllabfuhr
                meine Tonne wurde nicht geleert
            """,
        },
    ),
    (
        "fence-permit",
        "Do I need a permit for a fence?",
        {
            "en": """
                I want to build a fence
                how high may a fence be
                is a permit needed for a fence
                fence between me and my neighbor
                rules for a retaining wall
            """,
            "es": """
                permiso para una cerca
                qué altura puede tener una cerca
            """,
            "de": """
                brauche ich eine Genehmigung für einen Zaun
            """,
        },
    ),
    (
        "certificate",
        "Order a birth, death or marriage certificate",
        {
            "en": """
                I need a copy of my birth certificate
                order a death certificate
                certified copy of my marriage record
                where do I get vital records
                how much is a birth certificate
            """,
            "es": """
                necesito mi acta de nacimiento
                copia del acta de matrimonio
            """,
            "de": """
                ich brauche meine Geburtsurkunde
            """,
        },
    ),
    (
        "pothole",
        "Report a pothole or a broken street light",
        {
            "en": """
                there is a pothole in my street
                a street light is out
                the road is damaged
                report a hole in the road
                the lamp in front of my house does not work
            """,
            "es": """
                hay un bache en mi calle
                la luz de la calle no funciona
            """,
            "de": """
                die Straßenlampe ist kaputt
                ein Loch in der Straße melden
            """,
        },
    ),
)
_OTHERS = (
    Intent(
        "weather",
        Target.SMALL_TALK,
        words={
            "en": "I know about the county's services, not about the weather.",
            "es": "Sé de los servicios del condado, no del tiempo.",
            "de": "Ich weiß etwas über die Ämter des Bezirks, nicht über das Wetter.",
        },
        examples={
            "en": ["what is the weather like", "will it rain tomorrow", "how cold is it outside", "weather forecast"],
            "es": ["qué tiempo hace", "va a llover"],
            "de": ["wie wird das Wetter", "regnet es morgen"],
        },
    ),
)


async def load(tx: Tx, by: int | None) -> None:
    """Teach all of it; a worker learns it soon after."""
    for name, title, examples in _ABOUT:
        by_language = {
            language: [line.strip() for line in lines.strip().splitlines()] for language, lines in examples.items()
        }
        await teaching.add(tx, by, Intent(name, Target.ARTICLE, slug(title), {}, by_language))
    for one in _OTHERS:
        await teaching.add(tx, by, one)
