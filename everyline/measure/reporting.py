"""Reports that are kept, shared and sent."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, or_, select, update

from everyline.ground import events
from everyline.ground.addresses import normal_mailbox
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Forbidden, Invalid, NotFound
from everyline.ground.words import _, mark
from everyline.measure.models import Report, ReportMail
from everyline.people.models import Agent
from everyline.people.rules import Me

RHYTHMS = {"daily": mark("Every day"), "weekly": mark("Every Monday"), "monthly": mark("On the first of the month")}
LATEST_PERIOD = {"daily": "yesterday", "weekly": "last-week", "monthly": "last-month"}


def due_on(rhythm: str, hour: int, at: datetime, zone: ZoneInfo, sent_for: date | None) -> date | None:
    """The day for which a report is to go out now, seen from its reader's clock; None when it is not."""
    local = at.astimezone(zone)
    day = local.date()
    fits = {"daily": True, "weekly": day.weekday() == 0, "monthly": day.day == 1}[rhythm]
    return day if fits and local.hour >= hour and sent_for != day else None


async def keep(tx: Tx, me: Me, name: str, shape: dict[str, Any], *, shared: bool) -> int:
    """Keep a report under a name; returns its id."""
    if not name.strip():
        raise Invalid(_("A report needs a name."), {"name": _("Write a name.")})
    report_id: int = await tx.value(
        insert(Report).values(agent_id=me.id, name=name.strip()[:100], shape=shape, shared=shared).returning(Report.id)
    )
    await events.record(tx, "report.kept", actor_id=me.id, report_id=report_id)
    return report_id


async def get(tx: Tx, me: Me, report_id: int) -> Row:
    """A report of one's own or a shared one. NotFound otherwise."""
    row = await tx.first(
        select(Report.__table__).where(Report.id == report_id, or_(Report.agent_id == me.id, Report.shared))
    )
    if row is None:
        raise NotFound(_("There is no such report."))
    return row


async def remove(tx: Tx, me: Me, report_id: int) -> None:
    """Throw a report of one's own away, with its mails."""
    row = await get(tx, me, report_id)
    if row.agent_id != me.id:
        raise Forbidden(_("This report is somebody else's."))
    await tx.execute(delete(Report).where(Report.id == report_id))
    await events.record(tx, "report.removed", actor_id=me.id, report_id=report_id)


async def mails_of(tx: Tx, me: Me, report_id: int) -> list[Row]:
    """Where one has a report sent."""
    return await tx.rows(
        select(ReportMail.__table__)
        .where(ReportMail.report_id == report_id, ReportMail.agent_id == me.id)
        .order_by(ReportMail.id)
    )


async def send_by_mail(tx: Tx, me: Me, report_id: int, rhythm: str, hour: int) -> int:
    """Have a report sent to one's own mailbox, with what one may see oneself; returns the id of the standing order."""
    await get(tx, me, report_id)
    if rhythm not in RHYTHMS or not 0 <= hour <= 23:
        raise Invalid(_("Choose when it is to go out."), {"rhythm": _("Choose one of the list.")})
    mail_id: int = await tx.value(
        insert(ReportMail)
        .values(report_id=report_id, agent_id=me.id, address=normal_mailbox(me.email), rhythm=rhythm, hour=hour)
        .returning(ReportMail.id)
    )
    return mail_id


async def stop_mail(tx: Tx, me: Me, mail_id: int) -> None:
    """Have it sent no more."""
    await tx.execute(delete(ReportMail).where(ReportMail.id == mail_id, ReportMail.agent_id == me.id))


async def standing_orders(tx: Tx) -> list[Row]:
    """Every report that goes out by mail, of agents who may still sign in."""
    return await tx.rows(
        select(ReportMail.__table__, Report.name, Report.shape, Agent.zone, Agent.language, Agent.email)
        .join(Report, Report.id == ReportMail.report_id)
        .join(Agent, Agent.id == ReportMail.agent_id)
        .where(Agent.active, or_(Report.agent_id == ReportMail.agent_id, Report.shared))
    )


async def sent(tx: Tx, mail_id: int, day: date, fault: str = "") -> None:
    """It went out, or why it did not."""
    await tx.execute(update(ReportMail).where(ReportMail.id == mail_id).values(sent_for=day, fault=fault[:300]))
