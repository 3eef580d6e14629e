"""Letters about appointments: what was booked, moved or cancelled, with a file for calendars, and a reminder some time before.
Written by a worker: the row of the appointment says what is to be told, so that nothing is lost with a process, and the keys
of the letters have each go out once."""

from __future__ import annotations

import hashlib
import hmac
import logging

from sqlalchemy import text, update

from everyline.customers import queries as customers
from everyline.dispatch import actions as dispatch
from everyline.ground import events
from everyline.ground.addresses import MAILBOX
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import ProductError
from everyline.ground.installation import Ground
from everyline.ground.words import _, mark, speaking
from everyline.people.queries import installation
from everyline.selfservice.errands import invitations
from everyline.selfservice.errands.appointing import BOOKED, CANCELLED, MOVED
from everyline.selfservice.errands.invitations import Invitation
from everyline.selfservice.errands.models import Appointment
from everyline.selfservice.errands.times import said

log = logging.getLogger(__name__)

AT_ONCE = 100  # letters of one round
SUBJECTS = {
    BOOKED: mark("Your appointment: %(what)s, %(when)s"),
    MOVED: mark("Your appointment was moved: %(what)s, %(when)s"),
    CANCELLED: mark("Your appointment was cancelled: %(what)s, %(when)s"),
}
WORDS = {
    BOOKED: mark("your appointment for %(what)s is on %(when)s. It has the number %(number)s."),
    MOVED: mark("your appointment for %(what)s is on %(when)s now. It has the number %(number)s."),
    CANCELLED: mark("your appointment for %(what)s on %(when)s, number %(number)s, does not take place."),
}
REMINDER = mark("this is a reminder: your appointment for %(what)s is on %(when)s. It has the number %(number)s.")
ENCLOSED = mark("The file that goes with this puts it into your calendar.")

# one that failed comes after the others; the day after it is too late to tell
_TO_TELL = text(
    "select a.id from appointment a where a.tell <> '' and a.ends_at > cast(:at as timestamptz) - interval '1 day' "
    "order by a.changed_at, a.id limit :most"
)
_TO_REMIND = text(
    "select a.id from appointment a join appointment_kind k on k.id = a.kind_id where a.state = 'booked' and a.reminded_at is null "
    "and k.remind_minutes > 0 and a.starts_at > :at and a.starts_at <= cast(:at as timestamptz) + make_interval(mins => k.remind_minutes) "
    "and a.changed_at <= a.starts_at - make_interval(mins => k.remind_minutes) order by a.starts_at, a.id limit :most"
)
_ONE = text(
    "select a.*, k.name as kind_name, h.zone from appointment a join appointment_kind k on k.id = a.kind_id "
    "join hours h on h.id = k.hours_id where a.id = :id for update of a skip locked"
)
_UNWANTED = text("select 1 from consent where contact_point_id = :id and purpose = 'service' and not granted")


async def write_due(ground: Ground) -> int:
    """Write what is to be told, and remind of what comes; returns how many letters went out."""
    values = {"at": now(), "most": AT_ONCE}
    async with ground.database.transaction(reading=True) as tx:
        told = await tx.column(_TO_TELL, values)
        coming = await tx.column(_TO_REMIND, values)
    written = 0
    for appointment_id, reminds in [*((one, False) for one in told), *((one, True) for one in coming)]:
        try:
            async with ground.database.transaction() as tx:
                written += await _write(tx, ground, appointment_id, reminds=reminds)
        except ProductError as error:
            log.warning("nothing could be written about appointment %s: %s", appointment_id, error.message)
    return written


async def _write(tx: Tx, ground: Ground, appointment_id: int, *, reminds: bool) -> bool:
    """One letter; False when nobody is to be told. Conflict, and so another time, when no line reaches a mailbox."""
    row = await tx.first(_ONE, {"id": appointment_id})
    if row is None or (reminds and (row.state != BOOKED or row.reminded_at is not None)) or not (reminds or row.tell):
        return False  # another worker was faster, or it was changed meanwhile
    done = {"reminded_at": now()} if reminds else {"tell": ""}
    await tx.execute(update(Appointment).where(Appointment.id == row.id).values(**done))
    customer = await customers.get(tx, row.customer_id)
    point = await _point(tx, customer.id, row.contact_point_id)
    if point is None or (reminds and await tx.value(_UNWANTED, {"id": point.id})):
        return False
    await _send(tx, ground, row, customer, point, reminds=reminds)
    kind = "appointment.reminded" if reminds else "appointment.told"
    await events.record(tx, kind, customer_id=customer.id, appointment_id=row.id, contact_point_id=point.id)
    return True


async def _point(tx: Tx, customer_id: int, point_id: int | None) -> Row | None:
    """The mailbox by which they booked, while it is theirs and works, else a proved one, else one that we answer to; the preferred
    one first."""
    points = [one for one in await customers.points(tx, customer_id) if one.kind == MAILBOX and one.bad_since is None]
    best = sorted(points, key=lambda one: (one.id != point_id, one.verified_at is None))
    return best[0] if best else None


async def _send(tx: Tx, ground: Ground, row: Row, customer: Row, point: Row, *, reminds: bool) -> None:
    house = await installation(tx)
    name = str(house["organisation"])
    line = await dispatch.answer_line(tx, None, MAILBOX)
    language = customer.language or str(house["language"])
    with speaking(language):
        facts = {"what": row.kind_name, "when": said(row.starts_at, row.zone), "number": row.id}
        told = _(REMINDER if reminds else WORDS[row.tell]) % facts
        subject = _(SUBJECTS[BOOKED if reminds else row.tell]) % facts
        invitation = Invitation(
            uid=_uid(ground.key, row.id),
            revision=row.revision,
            starts=row.starts_at,
            ends=row.ends_at,
            summary=f"{row.kind_name}, {name}",
            description=_("Number %s") % row.id,
            host=(name, line.address),
            guest=(customer.name, point.address),
            cancelled=row.state == CANCELLED,
        )
        content = [_("Hello,"), told, *([] if reminds else [_(ENCLOSED)]), name]
    files = []
    if not reminds:
        digest = await ground.files.put(invitations.written(invitation))
        files = [(digest, invitations.FILE_NAME, invitations.MEDIA_TYPE)]
    key = f"appointment:{row.id}:{row.revision}" + (":reminder" if reminds else "")
    await dispatch.notify(
        tx,
        ground.vault,
        idempotency_key=key,
        address=point.address,
        name=customer.name,
        subject=subject,
        text="\n\n".join(content) + "\n",
        language=language,
        files=files,
    )


def _uid(key: bytes, appointment_id: int) -> str:
    """The name of an appointment in every calendar: the same as long as it is, and no other installation's."""
    digest = hmac.digest(key, f"appointment {appointment_id}".encode(), hashlib.sha256).hex()[:24]
    return f"appointment-{appointment_id}-{digest}@everyline"


async def booked_by(tx: Tx, appointment_id: int, point_id: int | None) -> None:
    """By which contact point somebody booked: what is written about it goes there, if it is a mailbox."""
    kind = await tx.value(text("select kind from contact_point where id = :id"), {"id": point_id})
    if kind == MAILBOX:
        await tx.execute(update(Appointment).where(Appointment.id == appointment_id).values(contact_point_id=point_id))
