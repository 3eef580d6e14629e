"""Makes the sample company from a fixed seed: the same people, the same cases, ending at the moment it is loaded."""

from __future__ import annotations

import random
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from everyline.queues.hours import OpeningHours, add_open_time, next_opening
from everyline.sample import topics
from everyline.sample.topics import TOPICS, Topic

SEED = 20260312
CUSTOMERS = 300
CASES = 1500
DAYS = 60
ZONE = "America/Los_Angeles"
WEEK: list[list[tuple[str, str]]] = [[("08:00", "17:00")]] * 5 + [[], []]
OFFICE = OpeningHours(ZONE, WEEK, "US-WA")


@dataclass(frozen=True, slots=True)
class Person:
    """A sample customer."""

    name: str
    kind: str
    mailbox: str
    number: str
    language: str


@dataclass(slots=True)
class Piece:
    """One thing on a sample case: a message of theirs or ours, or a note."""

    at: datetime
    who: str  # customer, agent, note, automatic
    text: str
    fields: dict[str, str] = field(default_factory=dict)  # what a form asked for


@dataclass(slots=True)
class SampleCase:
    """One sample case."""

    customer: int  # index into people
    topic: Topic
    subject: str
    line: int  # index into the lines
    agent: int | None  # index into the agents
    opened_at: datetime
    status: str
    priority: int
    pieces: list[Piece] = field(default_factory=list)
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    resolved_at: datetime | None = None


def people(chance: random.Random) -> list[Person]:
    """The customers: persons of all backgrounds, and a few firms."""
    found: list[Person] = []
    used: set[str] = set()
    while len(found) < CUSTOMERS - len(topics.FIRMS):
        first, last = chance.choice(topics.FIRST_NAMES), chance.choice(topics.LAST_NAMES)
        mailbox = f"{first}.{last}@mail.example".lower()
        if mailbox in used:
            mailbox = f"{first}.{last}{chance.randrange(50, 99)}@post.example".lower()
        if mailbox in used:
            continue
        used.add(mailbox)
        found.append(Person(f"{first} {last}", "person", mailbox, f"+1360555{chance.randrange(100, 200):04d}", ""))
    for firm in topics.FIRMS:
        word = "".join(letter for letter in firm.lower() if letter.isalnum())
        found.append(Person(firm, "firm", f"office@{word}.example", f"+1360555{chance.randrange(200, 300):04d}", "en"))
    return found


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def _words(chance: random.Random, at: datetime) -> dict[str, str]:
    day = at + timedelta(days=chance.randrange(3, 15))
    return {
        "street": chance.choice(topics.STREETS),
        "number": str(chance.randrange(1, 240)),
        "pet": chance.choice(topics.PETS),
        "year": str(at.year),
        "amount": f"${chance.randrange(180, 4200):,}.{chance.randrange(100):02d}",
        "day": f"{day:%A}, {day.day} {day:%B}",
    }


def _arrivals(chance: random.Random, end: datetime) -> list[datetime]:
    """When people wrote: mostly in the daytime of working days, more of them lately, some at night."""
    found: list[datetime] = []
    while len(found) < CASES:
        at = end - timedelta(seconds=chance.betavariate(1.0, 1.15) * DAYS * 86400)
        local_hour = (at.hour - 8) % 24
        weight = 1.0 if 8 <= local_hour < 18 else 0.35 if 6 <= local_hour < 23 else 0.06
        weight *= 0.3 if at.weekday() >= 5 else 1.0
        if chance.random() < weight:
            found.append(at)
    return sorted(found)


def cases(chance: random.Random, customers: list[Person], end: datetime) -> Iterator[SampleCase]:
    """The cases in the order in which they came."""
    lines: dict[str, list[int]] = {}
    for index, line in enumerate(topics.LINES):
        lines.setdefault(line.queue, []).append(index)
    members = {
        queue: [index for index, (_name, queues, _languages) in enumerate(topics.AGENTS) if queue in queues]
        for queue in topics.QUEUES
    }
    speakers = [index for index, person in enumerate(customers) if person.kind == "person"]
    for at in _arrivals(chance, end):
        topic = chance.choice(TOPICS)
        words = _words(chance, at)
        customer = chance.choice(speakers) if chance.random() < 0.9 else chance.randrange(len(customers))
        able = [index for index in members[topic.queue] if topic.language in topics.AGENTS[index][2]] or members[
            topic.queue
        ]
        found = SampleCase(
            customer,
            topic,
            _filled(topic.subject, words),
            lines[topic.queue][at.minute % len(lines[topic.queue])],
            chance.choice(able),
            at,
            "new",
            chance.choices((2, 3, 4), (1, 8, 2))[0],
        )
        fields: dict[str, str] = {}
        if topics.LINES[found.line].channel == "webform":
            fields = _answers(topic, words, at, customers[customer])
            found.subject = fields[topics.FORM_SUBJECT]
        found.pieces.append(Piece(at, "customer", _filled(chance.choice(topic.asks), words), fields))
        found.pieces.append(Piece(at + timedelta(seconds=3), "automatic", ""))
        _go_on(found, chance, words, end)
        yield found


def _answers(topic: Topic, words: dict[str, str], at: datetime, person: Person) -> dict[str, str]:
    """What the form on permits was filled in with; nothing here is drawn by chance, so that all else stays as it is."""
    kind = next((topics.KINDS_OF_WORK[tag] for tag in topic.tags if tag in topics.KINDS_OF_WORK), "Something else")
    fields = {
        "Address of the site": f"{words['number']} {words['street']}",
        topics.FORM_SUBJECT: kind,
        "Start of the work": f"{at + timedelta(days=20 + at.second):%Y-%m-%d}",
    }
    if at.minute % 3:
        fields["Phone"] = person.number
    code = b32encode(f"{at:%d%H%M%S}".encode()).decode()
    fields["Reference of the form"] = f"{code[4:8]}-{code[8:12]}"
    return fields


def _go_on(found: SampleCase, chance: random.Random, words: dict[str, str], end: datetime) -> None:
    """What came after the first message, as far as it has happened by now."""
    patience = timedelta(minutes=chance.lognormvariate(4.3, 0.8))
    accepted = add_open_time(OFFICE, found.opened_at, patience)
    if accepted is None or accepted > end or (end - found.opened_at < timedelta(days=2) and chance.random() < 0.3):
        found.agent = None
        return
    found.accepted_at, found.status = accepted, "open"
    if chance.random() < 0.25:
        found.pieces.append(Piece(accepted + timedelta(minutes=2), "note", chance.choice(topics.NOTES)))
    answered = accepted + timedelta(minutes=chance.uniform(3, 25))
    if answered > end:
        return
    found.answered_at = answered
    found.pieces.append(Piece(answered, "agent", _filled(chance.choice(found.topic.answers), words)))
    last = answered
    if chance.random() < 0.55:
        back = answered + timedelta(hours=chance.lognormvariate(2.0, 1.1))
        if back > end:
            found.status = "waiting for customer"
            return
        found.pieces.append(Piece(back, "customer", _filled(chance.choice(found.topic.more), words)))
        again = add_open_time(OFFICE, back, timedelta(minutes=chance.lognormvariate(4.0, 0.9)))
        if again is None or again > end:
            return
        last = again
        if chance.random() < 0.6:
            found.pieces.append(Piece(again, "agent", _closing(found.topic.language, chance)))
    done = next_opening(OFFICE, last + timedelta(minutes=chance.uniform(1, 90)))
    if done is None or done > end or (end - found.opened_at < timedelta(days=6) and chance.random() < 0.3):
        found.status = chance.choice(("open", "waiting for customer", "waiting for others"))
        return
    found.resolved_at = done
    found.status = "closed" if end - done > timedelta(days=14) else "resolved"


def _closing(language: str, chance: random.Random) -> str:
    return {
        "es": "Con mucho gusto. Si tiene otra pregunta, responda a este correo.",
        "vi": "Rất vui được giúp bạn. Nếu cần gì thêm, xin trả lời thư này.",
        "de": "Sehr gern. Wenn Sie noch etwas wissen möchten, antworten Sie einfach auf diese Mail.",
    }.get(
        language,
        chance.choice(
            (
                "You are welcome. Simply answer this mail if anything else comes up.",
                "Glad to hear it. All the best from our office.",
                "I have noted it. Thank you for your patience.",
            )
        ),
    )
