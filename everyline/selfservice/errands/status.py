"""The errand of how a case stands. How much is told depends on how well it is shown who asks."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text as statement

from everyline.cases.rules import Status
from everyline.ground.database import Row
from everyline.ground.errors import NotFound
from everyline.ground.moments import day, zone
from everyline.ground.words import _, mark
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, digits, text
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind

STATES = {
    Status.NEW: mark("received"),
    Status.OPEN: mark("being worked on"),
    Status.WAITING_FOR_CUSTOMER: mark("waiting for your answer"),
    Status.WAITING_FOR_OTHERS: mark("waiting for somebody else"),
    Status.RESOLVED: mark("settled"),
    Status.CLOSED: mark("closed"),
}
MOST = 5  # of the newest open ones
LONGEST_ANSWER = 600  # characters of it that are told

# what became part of another case of the same customer is told of as that one
_ONE = statement(
    'select k.id, k.number, k.subject, k.status from "case" c '
    'join "case" k on k.id = case when exists (select from "case" m where m.id = c.merged_into_id and m.customer_id = c.customer_id) '
    "then c.merged_into_id else c.id end where c.number = :number and c.customer_id = :customer_id"
)
_NEWEST = statement(
    'select id, number, subject, status from "case" where customer_id = :customer_id and merged_into_id is null '
    "and status not in ('resolved', 'closed') order by id desc limit :most"
)
_ANSWER = statement(
    "select text, at from shown_message where case_id = :case_id and customer_id = :customer_id and direction = 'out' "
    "and kind = 'message' order by id desc limit 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    number: str | None = asked(Kind.DIGITS, mark("Case number"), optional=True, most=18)


async def case_status(asking: Asking, given: Which) -> Settled:
    """One case of the customer, or the newest open ones. A number that is another's is one that there is not."""
    tx, own = asking.tx, asking.own
    if given.number is not None:
        rows = await tx.rows(_ONE, {"number": int(given.number), "customer_id": own})
        if not rows:
            raise NotFound(_("We have no case %s of yours.") % given.number)
    else:
        rows = await tx.rows(_NEWEST, {"customer_id": own, "most": MOST})
        if not rows:
            return Settled(_("You have no open case."), {"cases": digits(0)})
    told = "\n".join([await _told(asking, row) for row in rows])
    first = rows[0]
    slots = {"cases": digits(len(rows)), "number": digits(first.number), "state": text(_(STATES[first.status]))}
    if asking.level >= Level.PROVED:
        answer = await _answer(asking, first)
        slots |= {"subject": text(first.subject)} | ({"answer": text(answer.text)} if answer is not None else {})
    return Settled(told, slots, facts={"cases": [row.id for row in rows]})


async def _told(asking: Asking, row: Row) -> str:
    state = _(STATES[row.status])
    if asking.level < Level.PROVED:
        return _("Case %(number)s: %(state)s.") % {"number": row.number, "state": state}
    said = _("Case %(number)s, “%(subject)s”: %(state)s.") % {
        "number": row.number,
        "subject": row.subject,
        "state": state,
    }
    answer = await _answer(asking, row)
    if answer is None:
        return said
    when = day(answer.at.astimezone(zone(asking.zone)).date())
    return said + " " + _("Our last answer, of %(day)s: %(answer)s") % {"day": when, "answer": answer.text}


async def _answer(asking: Asking, row: Row) -> Row | None:
    found = await asking.tx.first(_ANSWER, {"case_id": row.id, "customer_id": asking.own})
    if found is None or len(found.text) <= LONGEST_ANSWER:
        return found
    return found._replace(text=found.text[: LONGEST_ANSWER - 1].rstrip() + "…")


CASE_STATUS = declared(
    case_status,
    Which,
    name="case_status",
    title=mark("Case status"),
    changes=mark(
        "Nothing. It tells how cases stand; what they are about and our last answer only to who has proved who they are."
    ),
    needs=Level.ADDRESS,
    gives=("cases", "number", "state", "subject", "answer"),
    most_an_hour=60,
)
