"""The errand of a new case."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.ground.words import _, mark, speaking
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, digits
from everyline.selfservice.errands.opening import Matter, addresses_said, open_case
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    subject: str = asked(Kind.TEXT, mark("What it is about"), most=200)
    text: str = asked(Kind.TEXT, mark("Your message"), most=4000)
    name: str | None = asked(Kind.NAME, mark("Your name"), optional=True)
    email: str | None = asked(Kind.EMAIL, mark("Your email address"), optional=True)
    phone: str | None = asked(Kind.PHONE, mark("Your telephone number"), optional=True)
    queue: str | None = asked(Kind.TEXT, mark("Queue"), optional=True, most=120)


async def new_case(asking: Asking, given: Told) -> Settled:
    """A case with what was told as its first message, waiting in a queue."""
    with speaking(asking.house_language):
        fields = {_("Name"): given.name, _("Email"): given.email, _("Telephone"): given.phone}
    matter = Matter(
        " ".join(given.subject.split()),
        given.text,
        {label: value for label, value in fields.items() if value},
        queue=given.queue or "",
    )
    opened = await open_case(asking, matter, addresses_said(given.name, given.email, given.phone))
    return Settled(
        _("We have it. Your case has the number %s.") % opened.number,
        {"number": digits(opened.number)},
        facts={"opened_case_id": opened.case_id},
    )


NEW_CASE = declared(
    new_case,
    Told,
    name="new_case",
    title=mark("New case"),
    changes=mark(
        "A case is opened and waits in a queue. Who has not shown who they are gives an address to answer to."
    ),
    needs=Level.UNKNOWN,
    gives=("number",),
    most_an_hour=10,
    opens_cases=True,
)
