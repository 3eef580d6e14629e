"""Telling a customer what was changed, where they read what nobody else does."""

from __future__ import annotations

from everyline.customers import queries as customers
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX
from everyline.ground.database import Row
from everyline.ground.errors import Conflict
from everyline.ground.words import _, speaking
from everyline.people.queries import organisation_name
from everyline.selfservice.errands.contract import Asking


async def mailboxes(asking: Asking) -> list[Row]:
    """The customer's mailboxes that were proved and work, the preferred one first."""
    points = await customers.points(asking.tx, asking.own)
    return [
        point for point in points if point.kind == MAILBOX and point.verified_at is not None and point.bad_since is None
    ]


async def tell_change(asking: Asking, what: str, change: str, *, key: str) -> int:
    """Write to every proved mailbox of the customer that something was changed, so that they hear of it if it was not them.
    ``what`` names it and ``change`` says it, both marked for translation. Returns to how many; none when no line reaches them."""
    row = await customers.get(asking.tx, asking.own)
    told = 0
    with speaking(row.language or asking.language):
        house = await organisation_name(asking.tx)
        subject = _("%(house)s: %(what)s") % {"house": house, "what": _(what)}
        text = "\n\n".join(
            (
                _("Hello,"),
                _(change),
                _("If it was not you, answer this message at once: it can be undone within seven days."),
                house,
            )
        )
        for point in await mailboxes(asking):
            try:
                await dispatch.notify(
                    asking.tx,
                    asking.ground.vault,
                    idempotency_key=f"{key}:{asking.key}:{point.id}",
                    address=point.address,
                    name=row.name,
                    subject=subject,
                    text=text,
                    language=row.language or asking.language,
                )
            except Conflict:
                return told  # no line of ours reaches a mailbox
            told += 1
    return told
