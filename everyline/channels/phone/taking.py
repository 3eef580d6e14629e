"""One exchange for all lines of a process, and what goes on beside its calls."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from everyline.channels.phone import leftovers, orders, trunks
from everyline.channels.phone.arriving import arrive
from everyline.channels.phone.house import House
from everyline.ground.settings import settings as product
from everyline.ground.words import _, speaking
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.trunks import TrunkState

if TYPE_CHECKING:
    from everyline.call_contract import CallDoor
    from everyline.channel_contract import Line
    from everyline.channels.phone.receiver import Telephone
    from everyline.sip.trunks import TrunkStanding

log = logging.getLogger(__name__)
LINES_SECONDS = 2.0  # how long the open lines are believed


async def take(telephone: Telephone, door: CallDoor) -> None:
    """Take calls until it is cancelled."""
    install = telephone.install
    folder = telephone.folder or product().data / "calls" / f"{install.host}-{install.port}".replace(":", "_")
    house = House(door, folder)
    house.calls_by_telephone = install.calls_by_telephone
    house.lines = await door.lines("phone")
    at = Listening(
        install.host,
        install.port,
        install.shown_as,
        most_calls=install.most_calls,
        edge=install.edge,
        domain=install.domain,
    )
    try:
        async with SipExchange(at, trunks.trunks_of(house.lines), lambda call: arrive(house, call)) as exchange:
            house.exchange = exchange
            beside = [
                house.start(leftovers.keep(door, folder, house.lines), "recordings left over"),
                house.start(orders.carry_out(house), "orders of calls"),
            ]
            telephone.house = house
            telephone.ready.set()
            try:
                await _keep_lines(house)
            finally:
                telephone.ready.clear()
                for task in beside:
                    task.cancel()
    finally:
        telephone.house = None
        await house.end()


async def _keep_lines(house: House) -> None:
    """Lines and their trunks as they are now; calls that stand are not touched."""
    told: dict[int, str] = {}
    while True:
        await _tell(house, told)
        await asyncio.sleep(LINES_SECONDS)
        try:
            found = await house.door.lines("phone")
        except OSError as error:
            log.warning("the lines cannot be read for now: %s", error)
            continue
        if trunks.trunks_of(found) != trunks.trunks_of(house.lines):
            await house.exchange.arrange(trunks.trunks_of(found))
        house.lines = found


async def _tell(house: House, told: dict[int, str]) -> None:
    """How the lines' trunks stand, when that has changed."""
    standing = {one.trunk.name: one for one in house.exchange.trunks}
    for line in house.lines:
        words = _trouble(line, standing.get(trunks.name_of(line)))
        if words is None or told.get(line.id) == words:
            continue
        try:
            await (house.door.failed(line, words) if words else house.door.healthy(line))
        except OSError:
            continue
        told[line.id] = words


def _trouble(line: Line, standing: TrunkStanding | None) -> str | None:
    """What is wrong with a line's trunk, in words for an admin; empty when nothing is, None when it is not known yet."""
    with speaking(line.language):
        if standing is None:
            return _("The line has no trunk: say the host of your provider or telephone system.")
        match standing.state:
            case TrunkState.UP:
                return ""
            case TrunkState.REFUSED:
                return _("The trunk does not let us in: %s") % standing.last_error
            case TrunkState.UNREACHABLE:
                return _("The trunk does not answer: %s") % standing.last_error
            case _:
                return None
