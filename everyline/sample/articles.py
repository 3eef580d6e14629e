"""What the sample company has written for its customers. Everything is invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from everyline.articles import actions
from everyline.ground.database import Tx

PORTAL = "portal"  # where it was read


@dataclass(frozen=True)
class Words:
    """An article in one language."""

    title: str
    summary: str
    text: str


@dataclass(frozen=True)
class SampleArticle:
    """An article in English and perhaps in Spanish."""

    category: str
    english: Words
    spanish: Words | None = None
    questions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    wordings: Mapping[str, str] = field(default_factory=dict)
    kind: str = "answer"
    audience: str = "public"


# name in English, in Spanish, icon, the one it stands in
CATEGORIES: tuple[tuple[str, str, str, str], ...] = (
    ("Water and sewer", "Agua y alcantarillado", "drop", ""),
    ("Water bills", "Cuentas del agua", "receipt", "Water and sewer"),
    ("Property tax", "Impuesto a la propiedad", "home", ""),
    ("Permits", "Permisos", "permit", ""),
    ("Licenses and pets", "Licencias y mascotas", "paw", ""),
    ("Elections", "Elecciones", "ballot", ""),
    ("Roads and garbage", "Calles y basura", "road", ""),
    ("Records and certificates", "Registros y certificados", "archive", ""),
)

SYNONYMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("en", ("garbage", "trash", "rubbish", "refuse")),
    ("en", ("bin", "can", "cart")),
    ("en", ("bill", "invoice", "statement")),
    ("en", ("license", "registration")),
    ("en", ("ballot", "voting paper")),
    ("es", ("basura", "residuos")),
)

ARTICLES: tuple[SampleArticle, ...] = (
    SampleArticle(
        "Water bills",
        Words(
            "Why is my water bill so high?",
            "Most high bills come from a leak that nobody sees, and most of those are a toilet. You can find out in 15 minutes.",
            "## Look at the meter\n\nClose every tap and look at the meter under the round lid near the street. If its red triangle still turns, water is "
            "leaking.\n\n## Get half of it back\n\nRepair the leak within 30 days and send us the receipt: we take **half of the extra water** off your "
            "bill, once in three years.\n\n> [!TIP]\n> Put a few drops of food coloring into the tank of the toilet. If the bowl is colored after ten "
            "minutes, the flapper leaks.\n\n## Nothing leaks?\n\nAsk us to test the meter. If it is wrong, you pay nothing for the test.",
        ),
        Words(
            "¿Por qué es tan alta mi cuenta de agua?",
            "Casi siempre es una fuga que nadie ve, y casi siempre está en el inodoro. Usted la encuentra en 15 minutos.",
            "## Mire el medidor\n\nCierre todas las llaves y mire el medidor bajo la tapa redonda cerca de la calle. Si el triángulo rojo todavía gira, hay "
            "una fuga.\n\n## Recupere la mitad\n\nRepare la fuga dentro de 30 días y mándenos el recibo: le descontamos **la mitad del agua de más**, una "
            "vez cada tres años.\n\n## ¿No hay fuga?\n\nPídanos una prueba del medidor. Si el medidor falla, la prueba no cuesta nada.",
        ),
        ("My water bill doubled", "How do I find a water leak?"),
        ("bill", "leak"),
        {
            "short": "High water bill? Close all taps. If the red triangle on the meter still turns, you have a leak. Fix it in 30 days and send the receipt.",
            "spoken": "Most high bills come from a leak, usually in a toilet. Close every tap and look at the meter. If the red triangle still turns, water is "
            "leaking. Repair it within thirty days and send us the receipt, and we take half of the extra water off your bill.",
        },
    ),
    SampleArticle(
        "Water bills",
        Words(
            "Pay your water bill",
            "Online, by phone, by mail or at the counter. A payment counts on the day it comes in.",
            "| Way | Fee | Counts |\n|:----|----:|:-------|\n| Bank account, online | $0 | the same day |\n| Card, online or by phone | $2.50 | the same day |\n"
            "| Check by mail | $0 | when it is here |\n| Cash at 40 Pier Street | $0 | at once |\n\nHave the account number at hand: it stands on the top "
            "right of every bill. To have it paid by itself, choose *automatic payment* when you pay online.",
        ),
        Words(
            "Pagar la cuenta del agua",
            "En línea, por teléfono, por correo o en la ventanilla. El pago cuenta el día que llega.",
            "| Forma | Costo | Cuenta |\n|:----|----:|:-------|\n| Cuenta bancaria, en línea | $0 | el mismo día |\n| Tarjeta, en línea o por teléfono | $2.50 "
            "| el mismo día |\n| Cheque por correo | $0 | cuando llega |\n| Efectivo en 40 Pier Street | $0 | enseguida |\n\nTenga a mano el número de cuenta: "
            "está arriba a la derecha en cada cuenta.",
        ),
        ("Where can I pay for water?",),
        ("bill", "payment"),
    ),
    SampleArticle(
        "Water bills",
        Words(
            "I cannot pay my water bill on time",
            "Call before the due date: we spread the bill over up to six months, and nobody is shut off while a plan is kept.",
            "Tell us before the due date. We can\n\n- spread one bill over up to **six months** without interest,\n- move the due date by 14 days once a year,\n"
            "- put you in touch with the *Helping Harbor* fund, which pays up to $300 a year for households of low income.\n\nNobody's water is shut off "
            "while a payment plan is kept, and never on a Friday or in freezing weather.",
        ),
        Words(
            "No puedo pagar el agua a tiempo",
            "Llame antes del vencimiento: repartimos la cuenta en hasta seis meses, y no cortamos el agua mientras usted cumple el plan.",
            "Díganos antes del vencimiento. Podemos\n\n- repartir una cuenta en hasta **seis meses** sin intereses,\n- mover la fecha 14 días una vez al año,\n- "
            "ponerlo en contacto con el fondo *Helping Harbor*, que paga hasta $300 al año a hogares de bajos ingresos.",
        ),
        ("Payment plan for water", "My water will be shut off"),
        ("bill", "payment", "shutoff"),
    ),
    SampleArticle(
        "Water and sewer",
        Words(
            "Start or stop water service when you move",
            "Tell us two working days before you move in or out. The meter is read on that day.",
            "Give us the address, the day, and where the last bill is to be sent. We read the meter on that day; you pay for what was used until then. To "
            "start service we need a photo identification and the lease or deed. A deposit of $80 is given back after a year of payments on time.",
        ),
        Words(
            "Abrir o cerrar el servicio de agua al mudarse",
            "Avísenos dos días hábiles antes de mudarse. Ese día leemos el medidor.",
            "Denos la dirección, el día y adónde mandar la última cuenta. Leemos el medidor ese día. Para abrir el servicio necesitamos una identificación con "
            "foto y el contrato o la escritura. El depósito de $80 se devuelve después de un año de pagos a tiempo.",
        ),
        (),
        ("move",),
    ),
    SampleArticle(
        "Water and sewer",
        Words(
            "Find out why there is no water",
            "A few questions lead you to the reason, and to who can help.",
            "Answer what you see. You need no tools.\n\n## start: Do your neighbors have water?\nAsk next door, or look whether lawns are being watered.\n- Yes, they "
            "have -> inside\n- No, nobody has -> outage\n- I cannot tell -> inside\n\n## inside: Is every tap in the house dry?\nTry a cold tap in the kitchen and one in "
            "the bath.\n- Yes, all of them -> valve\n- Only the hot ones -> heater\n- Only one -> tap\n\n## valve: Open the main valve\nIt is where the pipe comes into the "
            "house: turn the handle so that it stands along the pipe. In frost, warm the pipe with a hair dryer, never with a flame.\n- Water runs now -> done\n- Still "
            "nothing -> ask\n\n## heater: Look at the water heater\nThe valve on its cold pipe may be closed. Open it, then wait a minute.\n- Hot water runs -> done\n- Still "
            "nothing -> plumber\n\n## tap: Clean the strainer of the tap\nUnscrew the small sieve at its end and rinse it.\n- It runs -> done\n- Still nothing -> plumber\n\n"
            "## plumber: A plumber can help\nWhat is behind your meter is yours. We cannot repair it.\n= solved\n\n## outage: A pipe in the street is broken\nCrews "
            "are told of every outage within minutes.\n- I want to report it -> ask\n- I will wait -> done\n\n## done: It runs again\nLet the tap run until the water is clear.\n= solved\n\n"
            "## ask: We look into it\n= ask us",
        ),
        None,
        ("No water comes from the tap", "Water outage"),
        ("outage",),
        {},
        "guide",
    ),
    SampleArticle(
        "Property tax",
        Words(
            "Senior and disability exemption from property tax",
            "Owners of 61 or older, and owners with a disability, whose household earns less than $67,000 pay much less. Renew it every three years.",
            "You may have the exemption when you\n\n1. are 61 or older, or retired because of a disability,\n2. own the home and live in it at least nine months a year,\n"
            "3. had a household income below **$67,000** last year.\n\nFill in form **SE-2** and add a copy of last year's income statement. Exemptions granted before "
            "2020 have to be renewed once; after that every three years. If the exemption is missing from your statement, send the form and wait for the new statement "
            "before you pay.",
        ),
        Words(
            "Exención del impuesto para mayores y personas con discapacidad",
            "Dueños de 61 años o más, o con discapacidad, con ingresos menores de $67,000 pagan mucho menos. Se renueva cada tres años.",
            "Usted puede tener la exención si\n\n1. tiene 61 años o más, o está jubilado por discapacidad,\n2. es dueño de la casa y vive en ella al menos nueve meses "
            "al año,\n3. su hogar ganó menos de **$67,000** el año pasado.\n\nLlene el formulario **SE-2** y agregue una copia de la declaración de ingresos del año pasado.",
        ),
        ("My exemption is gone from the statement",),
        ("exemption",),
    ),
    SampleArticle(
        "Property tax",
        Words(
            "Pay property tax in two halves",
            "The first half is due on 30 April, the second on 31 October, without interest.",
            "Whoever owes more than $50 may pay in two parts: half by **30 April**, half by **31 October**. There is no interest and nothing to apply for: just pay "
            "half. When the first half is late, the whole year is due at once, with one percent interest a month.\n\nPay by check at 40 Pier Street, or online with the number of "
            "your statement.",
        ),
        Words(
            "Pagar el impuesto a la propiedad en dos partes",
            "La primera mitad vence el 30 de abril, la segunda el 31 de octubre, sin intereses.",
            "Quien debe más de $50 puede pagar en dos partes: la mitad antes del **30 de abril** y la otra antes del **31 de octubre**. No hay intereses ni solicitud. "
            "Si la primera mitad llega tarde, vence todo el año, con uno por ciento de interés al mes.",
        ),
        ("Instalments for property tax",),
        ("payment",),
    ),
    SampleArticle(
        "Property tax",
        Words(
            "Appeal the assessed value of your home",
            "You have 60 days from the date on the letter. Add photos and three comparable sales.",
            "When the value in your letter is higher than what the house would sell for, appeal to the Board of Equalization within **60 days** of the date on the letter. "
            "Send the petition with\n\n- photos of what lowers the value,\n- three sales of comparable homes from the year before,\n- an appraisal, if you have one.\n\nThe hearing takes "
            "about 20 minutes, by phone if you like. Pay the tax meanwhile: what was too much is paid back with interest.",
        ),
        Words(
            "Apelar la valoración de su casa",
            "Tiene 60 días desde la fecha de la carta. Adjunte fotos y tres ventas comparables.",
            "Si el valor de la carta es más alto que el precio de venta de la casa, apele dentro de **60 días**. Mande la petición con fotos, tres ventas comparables del año "
            "anterior y, si tiene, un avalúo. La audiencia dura unos 20 minutos.",
        ),
        (),
        ("appeal",),
    ),
    SampleArticle(
        "Property tax",
        Words(
            "Change the mailing address for tax statements",
            "The statement goes to the address in our records, also after a sale. Change it online or with form AD-1.",
            "Tell us the number of the parcel (it stands on every statement), the old address and the new one. Only owners can change it. The change holds for tax "
            "statements and value notices; water bills and voter registration have addresses of their own.",
        ),
        None,
        (),
        ("move", "address"),
    ),
    SampleArticle(
        "Permits",
        Words(
            "Do I need a permit for a fence?",
            "Not up to six feet and outside the shoreline zone. Call 811 before you dig.",
            "A fence up to **six feet** needs no building permit outside the shoreline zone. Higher ones, and every retaining wall above four feet, need one ($95). At a "
            "corner, nothing above three feet may stand within 20 feet of the crossing, so that drivers see each other.\n\n> [!WARNING]\n> Call 811 two days before you dig: "
            "gas and power lines are marked for nothing.",
        ),
        Words(
            "¿Necesito un permiso para una cerca?",
            "No, hasta seis pies y fuera de la zona costera. Llame al 811 antes de cavar.",
            "Una cerca de hasta **seis pies** no necesita permiso fuera de la zona costera. Las más altas y los muros de contención de más de cuatro pies sí ($95).\n\n> [!WARNING]\n"
            "> Llame al 811 dos días antes de cavar.",
        ),
        (),
        ("fence",),
    ),
    SampleArticle(
        "Permits",
        Words(
            "Electrical permits and inspections",
            "Form EL-4 with a plan of the panel. An inspector comes within two working days.",
            "Every new circuit, panel or charger needs a permit; changing a switch or a lamp does not. Hand in form **EL-4** with a plan of the panel. Owners may do the work "
            "in the home they live in; everybody else needs a licensed electrician. When the work is ready and still open to see, ask for the inspection: an inspector comes "
            "within two working days, between 8 and 10 or between 1 and 3.",
        ),
        None,
        ("Permit for an electric car charger at home",),
        ("electrical", "inspection"),
    ),
    SampleArticle(
        "Permits",
        Words(
            "Sheds, garages and decks: what may be built without a permit",
            "Up to 200 square feet and one floor, five feet from the line, not for living in.",
            "A shed needs no permit when it is at most **200 square feet**, of one floor, at least five feet from the neighbor's line and nobody lives in it. A deck needs none up to "
            "30 inches above the ground. A garage, a carport and everything with water or power need one. Send a sketch, and we say within three days what applies.",
        ),
        Words(
            "Cobertizos, garajes y terrazas sin permiso",
            "Hasta 200 pies cuadrados y un piso, a cinco pies del lindero, no para vivir.",
            "Un cobertizo no necesita permiso si tiene como máximo **200 pies cuadrados**, un piso y está a cinco pies del lindero. Una terraza no lo necesita hasta 30 pulgadas sobre el "
            "suelo. Un garaje y todo lo que tenga agua o luz sí lo necesita.",
        ),
        (),
        ("building",),
    ),
    SampleArticle(
        "Permits",
        Words(
            "Cut down a tree on your land",
            "Free on most lots. Near water, on a slope, or a trunk above 24 inches: ask first.",
            "Trees on a lot of a home may be cut without asking, except within 200 feet of the shore or a stream, on slopes steeper than 40 percent, and trunks thicker than **24 inches**. For these "
            "the review costs $60 and takes ten days. A tree on the line belongs to both neighbors. Trees in the strip along the street are ours: tell us about them.",
        ),
        None,
        (),
        ("tree",),
    ),
    SampleArticle(
        "Licenses and pets",
        Words(
            "License your dog",
            "Every dog older than six months, $12 a year if spayed or neutered, $35 if not. Bring the rabies certificate.",
            "You need a rabies certificate and, for the lower fee, proof that the dog is spayed or neutered. Apply online, by mail or at the shelter. The tag comes within a week; "
            "a lost tag is replaced for $3. Service dogs are free. Who moves here has 30 days.",
        ),
        Words(
            "Licencia para su perro",
            "Todo perro mayor de seis meses: $12 al año si está esterilizado, $35 si no. Traiga el certificado de rabia.",
            "Necesita un certificado de vacuna contra la rabia y, para el precio menor, prueba de esterilización. Solicítela en línea, por correo o en el refugio. La placa llega en una "
            "semana. Los perros de servicio no pagan.",
        ),
        (),
        ("dog",),
    ),
    SampleArticle(
        "Licenses and pets",
        Words(
            "Lost and found animals",
            "Call the shelter at once and look at the photos of found animals, which are new every hour.",
            "The shelter keeps animals that were found for **five days**, eight if they wear a tag. Look at the photos on our page, which are new every hour, and come by: descriptions "
            "mislead. To take yours home bring a photo of it and pay $25, and $10 for every night after the first. If you have found an animal, keep it safe and tell us where.",
        ),
        Words(
            "Animales perdidos y encontrados",
            "Llame enseguida al refugio y mire las fotos de animales encontrados, que se renuevan cada hora.",
            "El refugio guarda los animales **cinco días**, ocho si llevan placa. Mire las fotos y venga: las descripciones engañan. Para llevar el suyo traiga una foto y pague $25.",
        ),
        (),
        ("shelter",),
    ),
    SampleArticle(
        "Licenses and pets",
        Words(
            "A neighbor's dog barks all the time",
            "Talk first, then keep a log for five days. Two households must complain.",
            "Most owners do not know how loud it is when they are away: tell them. If it goes on, write down day, time and minutes for **five days** and send us the log. When two "
            "households complain, an officer visits; after a warning the fine is $75, then $150.",
        ),
        None,
        (),
        ("dog", "noise"),
    ),
    SampleArticle(
        "Elections",
        Words(
            "Register to vote or change your address",
            "Online until eight days before an election, in person until 8 pm on election day.",
            "You may vote when you are a citizen, 18 on election day, and live in the county. Register online or by mail until **eight days before**; in person at the election office until "
            "8 pm on the day itself. Who moved within the county changes the address the same way; the ballot goes to the new one.",
        ),
        Words(
            "Inscribirse para votar o cambiar de dirección",
            "En línea hasta ocho días antes de la elección; en persona hasta las 8 de la noche del mismo día.",
            "Puede votar si es ciudadano, tiene 18 años el día de la elección y vive en el condado. Inscríbase en línea o por correo hasta **ocho días antes**, o en persona hasta las 8 de la noche "
            "del día de la elección.",
        ),
        (),
        ("registration",),
    ),
    SampleArticle(
        "Elections",
        Words(
            "My ballot has not come, or is damaged",
            "Ballots go out 18 days before the election. Ask for a new one from the seventh day on.",
            "Ballots are mailed 18 days before an election. If yours is not there a week later, or is damaged, ask for a new one online, by phone or at the office; the old one then no "
            "longer counts. You can print a replacement at home until 8 pm on election day. Follow your ballot online: it shows when it was received and counted.",
        ),
        Words(
            "Mi boleta no llegó o está dañada",
            "Las boletas salen 18 días antes. Pida otra desde el séptimo día.",
            "Las boletas se mandan 18 días antes de la elección. Si la suya no llegó en una semana, o está dañada, pida otra en línea, por teléfono o en la oficina; la anterior ya no cuenta.",
        ),
        (),
        ("ballot",),
    ),
    SampleArticle(
        "Elections",
        Words(
            "Where are the ballot drop boxes?",
            "Twelve boxes, open day and night until 8 pm on election day. No stamp is needed.",
            "There are twelve boxes, among them 40 Pier Street, the library of Northline, the ferry landing and the fire station of Cedar Hill. They are open day and night, watched by "
            "camera, and close at **8 pm sharp** on election day. No stamp is needed, by mail neither; it must be postmarked by election day.",
        ),
        None,
        (),
        ("ballot",),
    ),
    SampleArticle(
        "Roads and garbage",
        Words(
            "Garbage and recycling collection",
            "Garbage every week, recycling every other week. Put the bins at the curb by 7 am.",
            "Your day stands on the sticker under the lid. Have bins at the curb by **7 am**, three feet apart, handles to the house. After a holiday everything comes a day later. If a bin was not "
            "emptied, leave it there and tell us by the next noon: the truck comes back within two days. If it held what may not be in it, a note says so.",
        ),
        Words(
            "Recolección de basura y reciclaje",
            "Basura cada semana, reciclaje cada dos. Ponga los botes en la acera antes de las 7.",
            "Su día está en la etiqueta bajo la tapa. Ponga los botes antes de las **7 de la mañana**, a tres pies de distancia. Después de un feriado todo pasa un día más tarde. Si no vaciaron "
            "un bote, déjelo y avísenos antes del mediodía siguiente.",
        ),
        ("My bin was not emptied",),
        ("garbage",),
    ),
    SampleArticle(
        "Roads and garbage",
        Words(
            "Get rid of paint, batteries, mattresses and other bulky or dangerous waste",
            "Free at the transfer station on Saturdays; two pickups of furniture a year at your home.",
            "Paint, oil, batteries, lamps and chemicals: bring up to 25 gallons a day to the transfer station, Saturdays from 9 to 4, for nothing. Mattresses, sofas and refrigerators: two "
            "pickups a year are free, up to three pieces each; book a week ahead. Never put batteries into the bin: they burn in the truck.",
        ),
        None,
        (),
        ("garbage",),
    ),
    SampleArticle(
        "Roads and garbage",
        Words(
            "Report a pothole or a broken street light",
            "Tell us the nearest house number. Potholes on main roads are filled in three working days.",
            "Tell us the nearest house number or crossing, and if it is dangerous. Potholes are filled within **three working days** on main roads, ten on others. For a lamp give us the number on its "
            "pole; the power company changes it within two weeks. If your car was damaged, send form CL-1 with photos within 60 days. State highways are not ours: we hand it on.",
        ),
        Words(
            "Avisar de un bache o una lámpara rota",
            "Díganos el número de la casa más cercana. Los baches en calles principales se tapan en tres días hábiles.",
            "Díganos el número de la casa más cercana y si es peligroso. Los baches se tapan en **tres días hábiles** en calles principales, diez en las demás. Para una lámpara, denos el número del poste.",
        ),
        (),
        ("pothole", "light"),
    ),
    SampleArticle(
        "Roads and garbage",
        Words(
            "Snow and ice: which roads are plowed first",
            "Main roads and bus lines first, then hills, then the rest. Sidewalks are the owner's.",
            "Plows clear main roads, bus lines and the way to the hospital first, then hills, then side streets, seldom cul-de-sacs. Clear the sidewalk along your land within 24 hours; the "
            "neighbors' help line finds volunteers for those who cannot. Do not push snow into the street. Sand for yourself is free at 40 Pier Street.",
        ),
        None,
        (),
        ("snow",),
    ),
    SampleArticle(
        "Records and certificates",
        Words(
            "Order a birth, death or marriage certificate",
            "$25 each. At the counter while you wait, by mail in a week. Bring photo identification.",
            "We have certificates of what happened in the county. Each costs **$25**. At the counter you get it while you wait; ordered online it comes by mail in about a week. Birth and death "
            "certificates are given to family and those who act for them: show photo identification and say how you are related.",
        ),
        Words(
            "Pedir un acta de nacimiento, defunción o matrimonio",
            "$25 cada una. En la ventanilla al momento, por correo en una semana. Traiga identificación con foto.",
            "Tenemos actas de lo que pasó en el condado. Cada una cuesta **$25**. En la ventanilla la recibe al momento; pedida en línea llega en una semana. Muestre identificación con foto y diga su parentesco.",
        ),
        (),
        ("certificate",),
    ),
    SampleArticle(
        "Records and certificates",
        Words(
            "Get a marriage license",
            "Both come to the counter with photo identification and $72. Wait three days, then marry within sixty.",
            "Both of you come to 40 Pier Street with photo identification; no appointment before 3 pm. The license costs **$72**, in cash or by card. It holds from the third day to the "
            "sixtieth. You need two witnesses and somebody who may marry you. The signed license comes back to us within 30 days.",
        ),
        None,
        (),
        ("marriage",),
    ),
    SampleArticle(
        "Records and certificates",
        Words(
            "Waive a late fee",
            "For agents: one fee a year may be waived without asking.",
            "You may waive **one** late fee of a household each year when the account was paid on time for twelve months before. Write the reason as a note on the case. Anything above $150 goes to "
            "the supervisor.",
        ),
        None,
        (),
        ("payment",),
        {},
        "answer",
        "agents",
    ),
    SampleArticle(
        "",
        Words(
            "Water works on Pier Street from 7 to 11 December",
            "Between Second and Fifth, water is off on Tuesday from 9 am to 3 pm.",
            "We replace the pipe of 1961 between Second and Fifth Avenue. Water is off on **Tuesday, 8 December, from 9 am to 3 pm** in the houses along it; each gets a card. Buses of line 4 "
            "stop on Harbor Avenue that week.",
        ),
        Words(
            "Obras de agua en Pier Street del 7 al 11 de diciembre",
            "Entre Second y Fifth no habrá agua el martes de 9 a 3.",
            "Cambiamos la tubería de 1961 entre Second y Fifth Avenue. No habrá agua el **martes 8 de diciembre de 9 a 3** en las casas de ese tramo.",
        ),
        (),
        (),
        {},
        "news",
    ),
)

# what was asked on the portal and not found
GAPS = (
    "mooring fee for my boat",
    "boat mooring charges at the harbor",
    "how much is a berth in the marina",
    "rent the community hall",
    "can I book the community hall for a wedding",
    "beekeeping rules",
)


async def _write(tx: Tx, owner_id: int | None, one: SampleArticle, category_id: int | None) -> int:
    article_id = await actions.add(
        tx,
        owner_id,
        "en",
        one.english.title,
        summary=one.english.summary,
        text=one.english.text,
        questions=one.questions,
        wordings=one.wordings,
        kind=one.kind,
        audience=one.audience,
        tags=one.tags,
        category_id=category_id,
    )
    await actions.set_review(tx, owner_id, article_id, None, every_days=180)
    await actions.publish(tx, owner_id, article_id, "en")
    if one.spanish is not None:
        row = await actions.translate(tx, owner_id, article_id, "es")
        await actions.write(
            tx,
            owner_id,
            article_id,
            "es",
            row.revision,
            title=one.spanish.title,
            summary=one.spanish.summary,
            text=one.spanish.text,
            questions=[],
        )
        await actions.publish(tx, owner_id, article_id, "es")
    return article_id


async def load(tx: Tx, owner_id: int | None) -> dict[str, int]:
    """Write and publish everything; returns the articles' ids by their English titles."""
    places: dict[str, int] = {}
    for english, spanish, icon, parent in CATEGORIES:
        places[english] = await actions.add_category(
            tx, owner_id, {"en": english, "es": spanish}, parent_id=places.get(parent), icon=icon
        )
    for language, words in SYNONYMS:
        await actions.add_synonym(tx, owner_id, language, words)
    written = await tx.together(*(_write(tx, owner_id, one, places.get(one.category)) for one in ARTICLES))
    ids = {one.english.title: article_id for one, article_id in zip(ARTICLES, written, strict=True)}
    for asked in GAPS:
        await actions.found_nothing(tx, asked, "en", channel=PORTAL)
    public = [(at, ids[one.english.title]) for at, one in enumerate(ARTICLES) if one.audience == "public"]
    await actions.all_viewed(tx, {(one, "en", None): 1 + (at * 7) % 5 for at, one in public}, channel=PORTAL)
    for at, article_id in public:
        await actions.feedback(tx, article_id, "en", helped=at % 4 != 3, channel=PORTAL)
    await actions.feedback(
        tx,
        ids["Pay property tax in two halves"],
        "en",
        helped=False,
        words="Where do I see what I have paid already?",
        channel=PORTAL,
    )
    return ids
