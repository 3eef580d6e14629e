"""Jobs of the knowledge base."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from everyline.articles import actions
from everyline.dispatch import actions as dispatch
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.errors import ProductError
from everyline.ground.installation import Ground
from everyline.ground.jobs import periodic
from everyline.ground.moments import day
from everyline.ground.words import _, ngettext, speaking
from everyline.knowledge.frame import HOME

log = logging.getLogger(__name__)


@periodic("5 6 * * *")
async def remind_owners(ground: Ground) -> None:
    """Tell owners whose articles are to be looked at again: on the desk, and each by one mail. Where no line can send mail, the desk
    has told them."""
    today = now().date()
    async with ground.database.transaction() as tx:
        due = await actions.remind(tx, today)
    owned: dict[int, list[Row]] = {}
    for row in due:
        if row.email:
            owned.setdefault(row.owner_id, []).append(row)
    for owner_id, rows in owned.items():
        owner = rows[0]
        with speaking(owner.owner_language):
            subject, words = letter(rows, ground.settings.public_url)
        try:
            async with ground.database.transaction() as tx:
                await dispatch.notify(
                    tx,
                    ground.vault,
                    idempotency_key=f"review:{owner_id}:{today.isoformat()}",
                    address=owner.email,
                    name=owner.owner_name,
                    subject=subject,
                    text=words,
                    language=owner.owner_language,
                )
        except ProductError as error:
            log.warning("reviews that fall due could not be mailed: %s", error.message)


def letter(rows: Sequence[Row], address: str) -> tuple[str, str]:
    """The subject and the text of a reminder. ``address``: the product's own; empty: no links."""
    count = len(rows)
    subject = ngettext(
        "An article of yours is to be looked at again", "%d articles of yours are to be looked at again", count
    )
    lines = []
    for row in rows:
        where = f"\n  {address}{HOME}/articles/{row.id}" if address else ""
        lines.append("- " + _("%(title)s (due %(day)s)") % {"title": row.title, "day": day(row.review_on)} + where)
    asked = _("Read each again: is it still right? Publishing it anew, or a new date on its page, is a review.")
    if "%d" in subject:
        subject = subject % count
    return subject, "\n".join([asked, "", *lines, ""])
