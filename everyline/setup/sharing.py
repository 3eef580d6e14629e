"""A new line over the trunk of another: what they have in common is taken over on the server, passwords among it."""

from __future__ import annotations

from typing import Any

from everyline.channel_contract import Channel, Shares
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.forms import Typed
from everyline.ground.installation import Ground
from everyline.ground.words import _
from everyline.lines import queries
from everyline.people.rules import Me

SAME_AS = "same_as"  # the field of the form: the id of a line, or empty


async def _lines(tx: Tx, me: Me, found: Channel) -> list[Row]:
    rows = await queries.with_health(tx)
    return [row for row in rows if row.channel == found.facts.name and me.sees_queue(row.queue_id)]


async def trunks(tx: Tx, me: Me, found: Channel) -> list[tuple[str, str]]:
    """What lines of this channel go over already: the id of one of them, and what it is called."""
    if not isinstance(found, Shares):
        return []
    by_name: dict[str, list[Row]] = {}
    for row in await _lines(tx, me, found):
        if name := found.share(found.settings.model_validate(row.settings)):
            by_name.setdefault(name, []).append(row)
    return [
        (
            str(min(row.id for row in rows)),
            _("The same as %(lines)s: %(trunk)s") % {"lines": ", ".join(row.name for row in rows[:3]), "trunk": name},
        )
        for name, rows in sorted(by_name.items())
    ]


def of_trunk(found: Channel, group: dict[str, Any]) -> bool:
    """Does this group of fields say which trunk it is?"""
    names = [one["name"] for one in (*group["plain"], *group["advanced"])]
    return isinstance(found, Shares) and set(names) <= set(found.shared)


async def taken_over(tx: Tx, ground: Ground, me: Me, found: Channel, form: Typed) -> dict[str, Any]:
    """The settings of the line that was chosen; nothing when none was. NotFound when it is none of this channel that one sees."""
    chosen = form.text(SAME_AS, longest=20)
    if not chosen or not isinstance(found, Shares):
        return {}
    row = next((row for row in await _lines(tx, me, found) if str(row.id) == chosen), None)
    if row is None:
        raise NotFound(_("There is no such line."))
    settings = queries.as_channel_sees(row, ground.vault, ground.signer).settings
    return {name: getattr(settings, name) for name in found.shared}
