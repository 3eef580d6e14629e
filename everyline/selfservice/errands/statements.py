"""The errand of a statement: it is asked for here, and made by a worker (``stating``)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert

from everyline.customers import queries as customers
from everyline.ground.errors import Conflict
from everyline.ground.jobs import ask_for
from everyline.ground.words import _, mark
from everyline.selfservice.errands import printing, stating
from everyline.selfservice.errands.contract import Asking, Settled, Unable, asked, declared, text
from everyline.selfservice.errands.models import Statement
from everyline.selfservice.errands.telling import mailboxes
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind

JOB = "everyline.selfservice.tasks.make_statements"
WAYS = {
    "mail": {
        "en": "By email",
        "de": "Per E-Mail",
        "es": "Por correo electrónico",
        "fr": "Par e-mail",
        "vi": "Qua email",
    },
    "download": {"en": "Download", "de": "Herunterladen", "es": "Descargar", "fr": "Télécharger", "vi": "Tải xuống"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    way: str = asked(Kind.CHOICE, mark("How you get it"), choices=WAYS)


async def request_statement(asking: Asking, given: Wanted) -> Settled:
    """By mail it goes to a mailbox that the customer has proved, and to no other; by download it is where the link leads."""
    if not printing.able():
        raise Unable("there is nothing that PDFs could be made with: install the extra statements")
    row = await customers.get(asking.tx, asking.own)
    point = None
    if given.way == "mail":
        able = await mailboxes(asking)
        if not able:
            raise Conflict(_("We know no mailbox of yours that you have proved. Choose to download it."))
        point = next((one for one in able if one.id == asking.point_id), able[0])
    statement_id: int = await asking.tx.value(
        insert(Statement)
        .values(
            customer_id=row.id,
            contact_point_id=point.id if point is not None else None,
            way=given.way,
            language=asking.language or row.language or "en",
            asked_at=asking.at,
            due_at=asking.at,
            expires_at=asking.at + stating.HOLDS,
        )
        .returning(Statement.id)
    )
    await ask_for(asking.tx, JOB)
    facts = {"statement_id": statement_id}
    if point is not None:
        return Settled(_("Your statement is on its way to %s.") % _hidden(point.address), facts=facts)
    link = f"{asking.ground.settings.address}/statement/{stating.token(asking.ground.key, statement_id)}"
    return Settled(_("Your statement is here in a moment, for 24 hours: %s") % link, {"link": text(link)}, facts=facts)


def _hidden(address: str) -> str:
    """A mailbox as who has it knows it, and others do not learn it: ``a…@home.example``."""
    local, _at, domain = address.partition("@")
    return f"{local[:1]}…@{domain}"


REQUEST_STATEMENT = declared(
    request_statement,
    Wanted,
    name="request_statement",
    title=mark("Request of a statement"),
    changes=mark(
        "Nothing. A PDF with open cases, appointments and errands goes to a proved mailbox, or is there for 24 hours."
    ),
    needs=Level.PROVED,
    gives=("link",),
    most_an_hour=5,
)
