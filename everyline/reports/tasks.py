"""Reports that go out by mail, and surveys."""

from __future__ import annotations

import re

from sqlalchemy import text

from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import ProductError
from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.ground.moments import zone
from everyline.ground.words import _, speaking
from everyline.measure import ledgers, queries, reporting, surveying
from everyline.measure.figures import FIGURES
from everyline.people.rules import Me, Role
from everyline.reports import exporting
from everyline.reports.asking import asked, period_words, read
from everyline.reports.frame import names, scope
from everyline.reports.saying import said

MOST_LINES = 200  # of a mail's text; the file that goes with it has them all

_AGENT = text(
    "select id, name, email, role, all_queues, language, zone, theme, array(select queue_id from membership m where m.agent_id = a.id "
    "union select queue_id from queue_scope s where s.agent_id = a.id) as queue_ids from agent a where id = :id and active"
)


@periodic("7 * * * *")
async def send_reports(ground: Ground) -> None:
    """Send the reports that are due."""
    at = now()
    async with ground.database.transaction() as tx:
        due = [
            (row, day)
            for row in await reporting.standing_orders(tx)
            if (day := reporting.due_on(row.rhythm, row.hour, at, zone(row.zone), row.sent_for))
        ]
    if due:
        await ledgers.catch_up(ground.database)
    for row, day in due:
        fault = ""
        try:
            async with ground.database.transaction() as tx:
                await _send(tx, ground, row, str(day))
        except ProductError as error:
            fault = error.message
        async with ground.database.transaction() as tx:
            await reporting.sent(tx, row.id, day, fault)


async def _send(tx: Tx, ground: Ground, row: Row, day: str) -> None:
    found = await tx.one(_AGENT, {"id": row.agent_id})
    me = Me(
        found.id, found.name, found.email, Role(found.role), found.all_queues or found.role == Role.ADMIN, frozenset(found.queue_ids),
        found.language, found.zone,
    )  # fmt: skip
    if not me.may("figure.read"):
        return
    with speaking(me.language):
        subject, words, csv = await letter(tx, me, row, ground.settings.public_url)
    file = await ground.files.put(csv.encode("utf-8")), f"{file_name(row.name, day)}.csv", "text/csv"
    await dispatch.notify(
        tx, ground.vault, idempotency_key=f"report:{row.id}:{day}", address=row.address, name=me.name, subject=subject, text=words,
        language=me.language, files=[file],
    )  # fmt: skip


def file_name(name: str, day: str) -> str:
    """A report's name as every machine can keep it, with its day."""
    return "-".join([*re.findall(r"[a-z0-9]+", name.lower()), day])[:80]


async def letter(tx: Tx, me: Me, row: Row, address: str) -> tuple[str, str, str]:
    """A report as a mail: its subject, its text with a table in plain columns, and all of its lines as CSV."""
    at = now()
    shape = (
        {**row.shape, "period": reporting.LATEST_PERIOD[row.rhythm]} if row.shape.get("period") != "days" else row.shape
    )
    question = read(shape, shape.get("figure", ()))
    wanted = asked(question, me, await scope(tx, me), at)
    named = await names(tx, me, wanted.step)
    lines = await queries.lines(tx, wanted, question.formula)
    whole = await queries.whole(tx, wanted, question.formula)
    head = ["", *(_(FIGURES[name].name) for name in question.columns)]
    rows = [
        [
            " · ".join(named.of(*pair) for pair in zip(wanted.rows, line.key, strict=True)),
            *(said(name, line.value(name)) for name in question.columns),
        ]
        for line in lines[:MOST_LINES]
    ]
    foot = [_("Together"), *(said(name, whole.value(name)) for name in question.columns)]
    widths = [max(len(row[n]) for row in (head, *rows, foot)) for n in range(len(head))]
    table = "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(one, widths, strict=True))
        ).rstrip()
        for one in (head, *rows, foot)
    )
    period = period_words(question, me, at)
    more = (
        _("Every figure opens down to its cases: %s") % f"{address}{question.href(f'/reports/kept/{row.report_id}')}"
        if address
        else ""
    )
    return (
        f"{row.name}: {period}",
        f"{row.name}\n{period} ({me.zone})\n\n{table}\n\n{_('Service level')}: {whole.formula}\n{more}\n",
        exporting.as_csv(*exporting.table(lines, question.columns, wanted, named)),
    )


@periodic("*/10 * * * *")
async def ask_customers(ground: Ground) -> None:
    """Send the surveys that are due; without an address of the product's own there would be no link, so none are sent."""
    address = ground.settings.public_url
    if not address:
        return
    async with ground.database.transaction() as tx:
        await surveying.ask_due(tx, address)
