"""The errand of a new postal address. The old one stays as a former one, so that it can be gone back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from everyline.customers import actions, preferences
from everyline.customers import queries as customers
from everyline.ground.addresses import POSTAL
from everyline.ground.errors import Conflict
from everyline.ground.words import _, mark
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, text
from everyline.selfservice.errands.telling import tell_change
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind

FORMER = mark("A former address: the customer told us a new one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddress:
    address: str = asked(Kind.ADDRESS, mark("New address"))


def addressed(name: str, address: str) -> str:
    """An address as it stands on a letter, with who it is for on its first line: a household has one address and many people."""
    first = address.partition("\n")[0]
    return address if first.casefold() == name.casefold() else f"{name}\n{address}"


async def change_address(asking: Asking, given: NewAddress) -> Settled:
    """What was the address becomes a former one. All proved mailboxes of the customer are told."""
    tx = asking.tx
    row = await customers.get(tx, asking.own)
    wanted = addressed(row.name, given.address)
    postal = [point for point in await customers.points(tx, row.id) if point.kind == POSTAL]
    current = [point for point in postal if point.bad_since is None]
    shown = ", ".join(given.address.splitlines())
    if [point.address for point in current] == [wanted]:
        return Settled(_("This is the address that we have already: %s") % shown, {"address": text(given.address)})
    try:
        point_id = await actions.add_point(tx, None, row.id, kind=POSTAL, address=wanted)
    except Conflict as error:
        # whose it is, or that it is anybody's, is not told
        raise Conflict(_("We cannot take over this address by ourselves. Please talk with one of us.")) from error
    known = next((point for point in postal if point.id == point_id), None)
    if known is not None and known.bad_since is not None:
        await actions.mark_good(tx, None, row.id, point_id)
    former = [point for point in current if point.id != point_id]
    for point in former:
        await actions.mark_bad(tx, point.id, FORMER)
    preferred = next((point.id for point in former if point.preferred), None)
    if preferred is not None:
        await actions.prefer_point(tx, None, row.id, point_id)
    told = await tell_change(
        asking,
        mark("Your address was changed"),
        mark("A new postal address was stored for you. The one before is kept as a former address."),
        key="address",
    )
    undo = {
        "point_id": point_id,
        "added": known is None,
        "former": [point.id for point in former],
        "preferred": preferred,
    }
    return Settled(
        _("Your new address is stored: %s") % shown,
        {"address": text(given.address)},
        undo=undo,
        facts={"contact_point_id": point_id, "told": told},
    )


async def address_again(asking: Asking, kept: Mapping[str, Any]) -> str:
    """The address before is the customer's again. Conflict when it was changed once more since."""
    tx = asking.tx
    points = {point.id: point for point in await customers.points(tx, asking.own) if point.kind == POSTAL}
    new = points.get(kept["point_id"])
    others = [point for point in points.values() if point.bad_since is None and point.id != kept["point_id"]]
    if new is None or new.bad_since is not None or others:
        raise Conflict(_("The address was changed again since: what was before cannot be brought back."))
    for point_id in kept["former"]:
        if point_id in points:
            await actions.mark_good(tx, None, asking.own, point_id)
    if kept["preferred"] in points:
        await actions.prefer_point(tx, None, asking.own, kept["preferred"])
    await _leave(asking, new.id, added=kept["added"])
    await tell_change(
        asking,
        mark("Your address was changed back"),
        mark("The change of your postal address was undone: the one before is your address again."),
        key="address-undone",
    )
    return _("The address before is stored again.")


async def _leave(asking: Asking, point_id: int, *, added: bool) -> None:
    """The new address goes, or becomes a former one when it was theirs before or something was said over it since."""
    if added:
        try:
            await preferences.remove_point(asking.tx, asking.own, point_id, but=0)
        except Conflict:
            added = False
    if not added:
        await actions.mark_bad(asking.tx, point_id, FORMER)


CHANGE_ADDRESS = declared(
    change_address,
    NewAddress,
    address_again,
    name="change_address",
    title=mark("Change of address"),
    changes=mark("The postal address. The one before is kept as a former one, and the customer's mailboxes are told."),
    needs=Level.PROVED,
    gives=("address",),
    undo_for=timedelta(days=7),
    most_an_hour=5,
)
