"""What people write to the sample company, and what it answers. Everything is invented.

A topic's texts may hold {street}, {number}, {pet}, {year}, {amount}, {day}: the generator fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Topic:
    """One matter that comes again and again."""

    queue: str
    subject: str
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    more: tuple[str, ...]  # what the customer adds, or asks back
    code: str  # the wrap-up code
    tags: tuple[str, ...] = ()
    language: str = "en"


QUEUES: dict[str, tuple[int, float]] = {  # name: hue, goal in hours
    "Property tax": (8, 8),
    "Permits": (2, 8),
    "Water": (6, 4),
    "Licenses and pets": (5, 4),
    "Elections": (10, 8),
    "Roads": (1, 16),
}


@dataclass(frozen=True)
class SampleLine:
    """One line of the company."""

    channel: str
    address: str
    name: str
    queue: str
    settings: dict[str, Any] = field(default_factory=dict)
    answers_on: str = ""  # address of the line that answers go out on; empty: this one


PERMIT_QUESTIONS = """\
Address of the site | text | required
Kind of work | choice | required | Fence or wall; Shed or garage; House or extension; Something else
Start of the work | date
"""

FORM_SUBJECT = "Kind of work"
KINDS_OF_WORK = {"fence": "Fence or wall", "electrical": "House or extension"}  # by tag

LINES: tuple[SampleLine, ...] = (
    SampleLine("email", "tax@harbor.example", "Harbor County Property Tax", "Property tax"),
    SampleLine("email", "permits@harbor.example", "Harbor County Permits", "Permits"),
    SampleLine("email", "water@harbor.example", "Harbor County Water", "Water"),
    SampleLine("email", "licenses@harbor.example", "Harbor County Licenses", "Licenses and pets"),
    SampleLine("email", "elections@harbor.example", "Harbor County Elections", "Elections"),
    SampleLine("email", "help@harbor.example", "Harbor County", "Roads"),
    SampleLine(
        "webform",
        "permits",
        "Harbor County Permits form",
        "Permits",
        {
            "title": "Ask about a permit",
            "introduction": "Tell us where and what you want to build. A drawing helps, and a photo does too.",
            "questions": PERMIT_QUESTIONS,
            "subject_question": FORM_SUBJECT,
        },
        "permits@harbor.example",
    ),
)

CODES = (
    "Answered",
    "Changed in our records",
    "Sent to another office",
    "Appointment made",
    "Nothing owed",
    "No answer from customer",
)
AWAY_REASONS = ("break", "training", "back office", "meeting")

AGENTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (  # name, queues, languages
    ("Dana Whitfield", ("Property tax", "Water"), ("en",)),
    ("Tomás Reyes", ("Property tax", "Permits"), ("en", "es")),
    ("Priya Raman", ("Property tax", "Elections"), ("en", "hi")),
    ("Marcus Bell", ("Permits", "Roads"), ("en",)),
    ("Linh Phan", ("Licenses and pets", "Elections"), ("en", "vi")),
    ("Greta Holm", ("Water", "Roads"), ("en", "de")),
    ("Andre Baptiste", ("Water", "Licenses and pets"), ("en", "fr")),
    ("Rosa Ibarra", ("Licenses and pets", "Property tax"), ("en", "es")),
    ("Owen Castle", ("Roads", "Permits"), ("en",)),
    ("Mei Tanaka", ("Elections", "Licenses and pets"), ("en", "ja")),
    ("Samir Haddad", ("Permits", "Water"), ("en", "ar")),
    ("Ruth Okafor", ("Property tax", "Roads"), ("en",)),
)

SKILLS: dict[str, dict[str, int]] = {  # name: level by agent
    "Building law": {"Tomás Reyes": 4, "Samir Haddad": 3, "Marcus Bell": 2, "Owen Castle": 1},
    "Water meters": {"Dana Whitfield": 4, "Greta Holm": 3, "Andre Baptiste": 2},
    "Trainee": {"Owen Castle": 1},
}
WANTS: dict[str, tuple[str, tuple[tuple[int, str], ...]]] = {  # queue: what it asks for, and less of it after seconds
    "Permits": ('"Building law" >= 3 and not Trainee', ((3600, '"Building law" and not Trainee'), (14_400, ""))),
}
TEAMS: dict[str, tuple[bool, tuple[str, ...]]] = {  # name: whether it is a partner, and who belongs to it
    "Harbor County": (
        False,
        tuple(name for name, *_rest in AGENTS if name not in ("Owen Castle", "Mei Tanaka")),
    ),
    "Northline Services": (True, ("Owen Castle", "Mei Tanaka")),
}
SHARES: dict[str, dict[str, int]] = {
    "Roads": {"Harbor County": 85, "Northline Services": 15}
}  # queue: per cent by team

TOPICS: tuple[Topic, ...] = (
    Topic(
        "Property tax",
        "Senior exemption missing from my statement",
        (
            "Hello, the {year} statement for {number} {street} arrived and the senior exemption I have had for years is not on it. "
            "Nothing has changed in my household. Can you tell me what happened?",
            "My mother is 81 and lives at {number} {street}. Her exemption is gone from this year's bill. What do we need to send you?",
        ),
        (
            "Thank you for writing. Exemptions granted before 2020 have to be renewed once. Please fill in form SE-2 and send it back with "
            "a copy of last year's income statement. Please wait for the new statement before you pay.",
        ),
        (
            "I have sent the form today. Will it be settled before the first half is due?",
            "Thank you, that is very clear.",
        ),
        "Changed in our records",
        ("exemption",),
    ),
    Topic(
        "Property tax",
        "How can I pay in two parts?",
        (
            "Good morning, the bill for {number} {street} is {amount}. May I pay it in two parts, and until when?",
            "I would like to pay my property tax in instalments this year. Is that possible without interest?",
        ),
        (
            "Yes. The first half is due on 30 April, the second on 31 October, without interest. You can pay by check at 40 Pier Street, "
            "or on our site with the number of your statement.",
        ),
        ("Thank you! And may I pay the first part in person?", "Perfect, thanks."),
        "Answered",
        ("payment",),
    ),
    Topic(
        "Property tax",
        "Recibí una carta sobre la valoración",
        (
            "Buenos días, recibí una carta que dice que la valoración de mi casa en {number} {street} subió mucho. ¿Cómo puedo apelar?",
        ),
        (
            "Buenos días. Puede apelar dentro de 60 días a partir de la fecha de la carta. Adjunte fotos y tres ventas comparables, por favor. "
            "Si quiere, con gusto le ayudo por teléfono.",
        ),
        ("Muchas gracias. ¿Me puede decir dónde encuentro las ventas comparables?",),
        "Answered",
        ("appeal",),
        "es",
    ),
    Topic(
        "Permits",
        "Do I need a permit for a fence?",
        (
            "Hi, we want to put up a fence of six feet between our yard and the neighbor's at {number} {street}. Do we need a permit?",
            "Is a permit needed to replace an old fence with a new one of the same height?",
        ),
        (
            "A fence up to six feet needs no building permit outside the shoreline zone. {number} {street} is outside of it, so you can begin. "
            "Please call 811 before you dig.",
        ),
        ("Great, thank you for the quick answer.", "And what about a gate to the street?"),
        "Answered",
        ("fence",),
    ),
    Topic(
        "Permits",
        "Electrical permit for {number} {street}",
        (
            "Please find out what is still missing for our electrical permit at {number} {street}. The customer wants to move in on {day}.",
            "We handed in form EL-4 two weeks ago for {number} {street} and have not heard anything. Could you look at it?",
        ),
        (
            "I looked it up: the plan of the panel is missing. As soon as we have it, an inspector can come within two working days.",
            "The application is complete, and the inspection is planned for {day} between 8 and 10 in the morning.",
        ),
        ("The plan is attached now.", "Thank you, somebody will be there."),
        "Appointment made",
        ("electrical",),
    ),
    Topic(
        "Water",
        "My bill is three times as high as usual",
        (
            "My water bill for {number} {street} is {amount} this time. That is three times as much as ever before. Something must be wrong with the meter.",
            "Hello, could somebody check our meter? We were away for a month and the bill is {amount}.",
        ),
        (
            "I am sorry about the surprise. A running toilet is the most common cause: please put a few drops of food color into the tank and see "
            "whether it shows in the bowl. I have asked for the meter to be read again on {day}, free of charge.",
        ),
        (
            "It was the toilet! Is there any way to lower this one bill?",
            "Nobody was here on {day}. Can you send somebody again?",
        ),
        "Nothing owed",
        ("meter", "leak"),
    ),
    Topic(
        "Water",
        "Moving out on {day}",
        (
            "We are moving out of {number} {street} on {day}. Please read the meter and send the last bill to our new address.",
            "How do I end the water service for {number} {street}?",
        ),
        (
            "I have noted your last day. The meter is read that morning, and you need not be there. Please send us your new address so that the last bill finds you.",
        ),
        ("The new address is 9 Orchard Lane, Millbrook.", "Thank you for your help!"),
        "Changed in our records",
        ("moving",),
    ),
    Topic(
        "Licenses and pets",
        "Renewing the license of my dog {pet}",
        (
            "Hello, the license of my dog {pet} runs out this month. Can I renew it by email, and what does it cost?",
            "I got a reminder for {pet}'s license, but {pet} died in spring. Please take us off the list.",
        ),
        (
            "You can renew on our site, or answer this mail with the vaccination card attached. It is 25 dollars, or 12 for an altered dog.",
            "I am very sorry to hear that. I have closed the license, and you will get no more letters about it.",
        ),
        ("Here is the card. Thank you!", "Thank you for your kind words."),
        "Changed in our records",
        ("dog",),
    ),
    Topic(
        "Licenses and pets",
        "Marriage license: what do we need to bring?",
        (
            "We would like to marry on {day} and need a license. My fiancée has a passport from abroad. What do we need to bring, and do we need an appointment?",
            "How long does it take to get a marriage license, and how long is it valid?",
        ),
        (
            "Both of you come together with a passport or another photo identification; no appointment is needed between 8 and 4. "
            "There is a waiting time of three days, and the license is valid for 60 days.",
        ),
        ("Thank you! Do witnesses have to come as well?", "Wonderful, see you then."),
        "Answered",
        ("marriage",),
    ),
    Topic(
        "Licenses and pets",
        "Giấy phép kết hôn",
        (
            "Chào anh chị, em muốn hỏi về giấy phép kết hôn. Em mang theo hộ chiếu được không, và có cần hẹn trước không?",
        ),
        (
            "Chào bạn, bạn có thể mang theo hộ chiếu và không cần hẹn trước. Cả hai người cùng đến từ 8 giờ sáng đến 4 giờ chiều.",
        ),
        ("Cảm ơn rất nhiều!",),
        "Answered",
        ("marriage",),
        "vi",
    ),
    Topic(
        "Elections",
        "I have not received my ballot",
        (
            "The election is in ten days and no ballot has come to {number} {street}. What can I do?",
            "I moved to {number} {street} in summer. Will my ballot come to the new address?",
        ),
        (
            "Ballots went out last week. If yours is not there by {day}, you can print a replacement from our site, or come to 40 Pier Street with your identification.",
            "I have changed your address, and a new ballot is on its way to you.",
        ),
        ("It came today. Thank you.", "Can my wife bring mine along as well?"),
        "Answered",
        ("ballot",),
    ),
    Topic(
        "Elections",
        "Working at the polls",
        (
            "I would like to help at the polls in November. How old does one have to be, and is there a training?",
            "My school asks whether students may work at the polls. Is that possible at 16?",
        ),
        (
            "We are glad about every helper. From 16 on you can work with us; the training takes two hours, and the next one is on {day} at 6 in the evening.",
        ),
        ("Please put me on the list for {day}.", "I will pass it on, thank you."),
        "Appointment made",
        ("volunteers",),
    ),
    Topic(
        "Roads",
        "Pothole on {street}",
        (
            "There is a deep pothole on {street} in front of number {number}, right by the bus stop. Two bicycles have fallen already.",
            "Please repair the hole on {street}. It is full of water and one does not see it at night.",
        ),
        ("Thank you for telling us. A crew will fill it by {day}. Until then we have put up a warning light.",),
        ("It is filled. That was fast!", "It is open again after the rain."),
        "Answered",
        ("pothole",),
    ),
    Topic(
        "Roads",
        "Street light out in front of {number} {street}",
        (
            "The street light in front of {number} {street} has been dark for a week, and children walk to school there.",
            "Two lights on {street} flicker all night. Whom do I tell?",
        ),
        (
            "Thank you. The lights on {street} belong to the power company; I have passed it on, and they promise to come by {day}. Your report there has the number {number}-L.",
        ),
        ("Light is back. Thanks.",),
        "Sent to another office",
        ("light",),
    ),
    Topic(
        "Roads",
        "Straßenreinigung am {street}",
        (
            "Guten Tag, wann wird der {street} wieder gekehrt? Das Laub liegt dort seit Wochen, und der Gehweg ist rutschig.",
        ),
        (
            "Guten Tag, vielen Dank für Ihren Hinweis. Die Kehrmaschine kommt am {day}. Bitte stellen Sie an diesem Tag kein Auto dort ab.",
        ),
        ("Vielen Dank für die schnelle Antwort.",),
        "Answered",
        ("leaves",),
        "de",
    ),
)

NOTES = (
    "Called the crew, they know about it.",
    "Assessor confirms that the papers are fine.",
    "Same question as last month; see the earlier case.",
    "Customer hears badly, better write than call.",
    "Photo is on file.",
    "Checked with the inspector, nothing is missing any more.",
)

FIRST_NAMES = [
    "Marguerite",
    "Harold",
    "Linh",
    "Sam",
    "Devon",
    "Lucille",
    "Rosa",
    "Ingrid",
    "Walter",
    "Amara",
    "Joaquin",
    "Beatrice",
    "Hiroshi",
    "Fatima",
    "Caleb",
    "Nadia",
    "Emmett",
    "Soledad",
    "Viktor",
    "Pauline",
    "Darnell",
    "Yasmin",
    "Otto",
    "Priscilla",
    "Manuel",
    "Greta",
    "Tobias",
    "Noor",
    "Clara",
    "Ezra",
    "Ivonne",
    "Rafael",
    "Saoirse",
    "Leon",
    "Mabel",
    "Kofi",
    "Agnes",
    "Dmitri",
    "Thuy",
    "Wendell",
]
LAST_NAMES = [
    "Olsen",
    "Jennings",
    "Tran",
    "Whitaker",
    "Achebe",
    "Barnett",
    "Delgado",
    "Sorensen",
    "Kowalski",
    "Haines",
    "Medina",
    "Larkin",
    "Nakamura",
    "Rahimi",
    "Brooks",
    "Petrova",
    "Vance",
    "Fuentes",
    "Lindqvist",
    "Monroe",
    "Castillo",
    "Abbott",
    "Fischer",
    "Yoder",
    "Ramirez",
    "Nguyen",
    "Stone",
    "Ferreira",
    "Mbeki",
    "Gallagher",
    "Pruitt",
    "Santos",
    "Weaver",
    "Ahmed",
    "Novak",
    "Quimby",
    "Reyes",
    "Thornton",
    "Ueda",
    "Zimmer",
]
FIRMS = (
    "Okafor Electric LLC",
    "Pier 9 Food Truck",
    "Harbor Fence and Deck",
    "Bluewater Plumbing",
    "Millbrook Builders",
    "Gull Cove Apartments",
    "Two Rivers Solar",
    "Anchor Realty",
    "Cedar Street Dental",
    "Northside Towing",
)
STREETS = (
    "Alder Street",
    "Ridge Avenue",
    "Quay Road",
    "Pier Street",
    "Orchard Lane",
    "Mill Road",
    "Lighthouse Drive",
    "Cannery Row",
    "Juniper Court",
    "Bay View Terrace",
)
PETS = ("Biscuit", "Luna", "Otis", "Maple", "Ziggy", "Pepper", "Scout")
