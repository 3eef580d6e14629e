"""Signs of life in calls that stand (RFC 4028)."""

from __future__ import annotations

import pytest

from everyline.sip import refreshing
from everyline.sip.events import EndReason, Offered
from everyline.sip.messages import Answer, Request
from everyline.sip.refreshing import Refresh
from tests.sip.conftest import House, StartSipp, standing


async def test_we_give_signs_of_life_where_the_caller_does_not(sipp: StartSipp) -> None:
    house = House()
    async with standing(house, least_refresh=2, usual_refresh=2) as exchange:
        await (await sipp("refreshed", exchange.port)).done()
        await house.settled()
    assert not [event for event in house.events if isinstance(event, Offered)]
    assert house.ended[0].reason is EndReason.HUNG_UP


@pytest.mark.parametrize("name", ["silent", "gone"])
async def test_who_gives_none_is_gone(sipp: StartSipp, name: str) -> None:
    house = House()
    async with standing(house, least_refresh=2, usual_refresh=2) as exchange:
        await (await sipp(name, exchange.port)).done()
        await house.settled()
    assert house.ended[0].reason is EndReason.SILENT


def test_agrees_by_the_rules() -> None:
    asked = Request((("supported", "timer, 100rel"), ("session-expires", "300;refresher=uac")), method="INVITE")
    refresh, fields = refreshing.answering(asked)
    assert refresh == Refresh(300, ours=False)
    assert fields == (("session-expires", "300;refresher=uac"), ("require", "timer"))
    assert (refresh.refresh_after, refresh.end_after) == (150, 268)
    unknown, fields = refreshing.answering(Request(method="INVITE"), 1800)
    assert unknown == Refresh(1800, ours=True)
    assert fields == (("session-expires", "1800;refresher=uas"),)
    assert refreshing.agreed(Answer((("session-expires", "10;refresher=uac"),))) == Refresh(90, ours=True)
    assert refreshing.agreed(Answer()) is None
    assert refreshing.read("nonsense;x") == (0, "")
