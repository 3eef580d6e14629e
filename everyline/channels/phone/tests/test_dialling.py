"""Telephones of agents that sign in at an edge, here Debian's Kamailio, and call by themselves."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from everyline.call_contract import CallState, Direction, LegKind, LegState, Reach
from everyline.channels.phone.tests.doubles import CALLER, MUSIC, NUMBER, RealPhone, World, a_line, until, world
from everyline.channels.phone.tests.test_telephones import AGENT_SAYS, CALLER_SAYS, hears
from everyline.ground.errors import Busy, Conflict
from everyline.sip.edge import password
from everyline.sip.guard import Rate
from everyline.sip.incoming import IncomingCall
from tests.sip.baresip import Baresip, baresip
from tests.sip.kamailio import DOMAIN, Running, kamailio
from tests.sip.linphone import Linphone, linphone
from tests.sip.peers import HOUSE, free_udp_port

THIRD, THIRD_SAYS = "+13605550177", 3100.0
WORDS = {user: password(b"k" * 32, user) for user in ("ada", "ben")}


@contextlib.asynccontextmanager
async def at_the_edge(folder: Path, **asked: Any) -> AsyncIterator[tuple[World, Running]]:
    """A house behind an edge; Maya (7) has the telephone ada there, and Ben (8) the telephone ben."""
    port = free_udp_port(HOUSE)
    line = a_line(**asked.pop("line", {}))
    async with (
        kamailio(folder / "edge", f"{HOUSE}:{port}", phones=WORDS) as edge,
        world(folder / "calls", line, port=port, edge=edge.at, domain=DOMAIN, by_way_of=edge.port, **asked) as house,
    ):
        house.door.reaches[7] = Reach(7, "Maya Okafor", f"sip:ada@{DOMAIN}")
        house.door.reaches[8] = Reach(8, "Ben Tran", f"sip:ben@{DOMAIN}")
        yield house, edge


@contextlib.asynccontextmanager
async def signed_in(
    folder: Path, edge: Running, user: str = "ada", *, says: float = AGENT_SAYS
) -> AsyncIterator[Baresip]:
    """One of these telephones."""
    account = f'<sip:{user}@{DOMAIN}>;auth_pass={WORDS[user]};outbound="sip:{edge.at}"'
    async with baresip(folder, user, account=account, says=says) as phone:
        await phone.signs_in()
        yield phone


@contextlib.asynccontextmanager
async def linphone_signed_in(folder: Path, edge: Running) -> AsyncIterator[Linphone]:
    """The same, of another make."""
    async with linphone(folder, "ada", says=AGENT_SAYS, codec="PCMU") as phone:
        await phone.signs_in(f"sip:ada@{DOMAIN}", edge.at, WORDS["ada"])
        yield phone


async def closed(phone: Baresip, count: int) -> str:
    """Why its nth call is over, in the words that it shows."""
    return str((await phone.happens("CALL_CLOSED", count))["param"])


@pytest.mark.req("V1", "V5")
async def test_an_agents_telephone_calls_a_number_by_the_line(tmp_path: Path) -> None:
    async with at_the_edge(tmp_path) as (house, edge), signed_in(tmp_path / "phone", edge) as agent:
        shown: list[str | None] = []

        def rings(call: IncomingCall, phone: RealPhone) -> None:
            shown.append(call.facts.number)
            call.ring()
            call.answer(phone.description)

        house.answers[CALLER] = rings
        await agent.told("dial", f"sip:3605550142@{DOMAIN}")
        called = await house.rings(CALLER)
        called.talk(CALLER_SAYS)
        await agent.happens("CALL_ESTABLISHED")
        await hears(agent, CALLER_SAYS)
        await called.heard_tone(AGENT_SAYS, "the agent")
        assert house.door.dialled == [(7, CALLER)]
        assert shown == [NUMBER]
        [key] = house.door.told
        now = house.door.now(key)
        assert (now.direction, now.state, now.number) == (Direction.OUT, CallState.UP, CALLER)
        assert [(leg.kind, leg.state, leg.agent_id) for leg in now.legs] == [
            (LegKind.CUSTOMER, LegState.IN, None),
            (LegKind.AGENT, LegState.IN, 7),
        ]
        await agent.told("hold")
        await called.heard_tone(MUSIC)
        assert house.door.now(key).legs[0].state is LegState.HELD
        await agent.told("resume")
        await called.heard_tone(AGENT_SAYS, "the agent")
        await agent.told("hangup")
        await until(called.ended.is_set, "they are hung up on")
        await house.settled()
        assert house.door.ended == [key]
        assert house.door.now(key).ended_by == "agent"


@pytest.mark.req("V1", "V5")
async def test_what_a_telephone_may_not_call_is_refused_with_the_reason(tmp_path: Path) -> None:
    async with (
        at_the_edge(tmp_path, calls_by_telephone=600) as (house, edge),
        signed_in(tmp_path / "phone", edge) as agent,
    ):
        house.answers[CALLER] = lambda call, _phone: call.reject(486)
        for count, (dialled, code, words) in enumerate(
            (
                ("9005550100", "403", "Premium-rate numbers are not called."),
                ("911", "403", "Emergency numbers cannot be called from here."),
                ("+442079460018", "403", "Numbers of this country are not called."),
                ("nobody", "404", "This is no telephone number."),
                (CALLER, "486", "Busy Here"),
            ),
            1,
        ):
            await agent.told("dial", f"sip:{dialled}@{DOMAIN}")
            said = await closed(agent, count)
            assert code in said, said
            assert words in said, said
        assert "Premium-rate numbers are not called." in house.door.said
        assert list(house.rung) == [CALLER]
        house.door.may_not += [Conflict("They do not want to be called."), Busy("You have a call in hand already.")]
        for count, code in ((6, "603 They do not want"), (7, "486 You have a call")):
            await agent.told("dial", f"sip:{CALLER}@{DOMAIN}")
            assert code in await closed(agent, count)
        del house.door.reaches[7]
        await agent.told("dial", f"sip:{CALLER}@{DOMAIN}")
        assert "403 Forbidden" in await closed(agent, 8)  # nobody's telephone
        house.door.reaches[7] = Reach(7, "Maya Okafor", f"sip:ada@{DOMAIN}")
        assert house.telephone.house
        house.telephone.house.rates[f"sip:ada@{DOMAIN}"] = Rate(1)
        house.answers[THIRD] = lambda call, _phone: call.ring()  # and nobody answers: who hangs up then meets no answer
        await agent.told("dial", f"sip:{THIRD}@{DOMAIN}")
        await house.rings(THIRD)
        await agent.told("hangup")
        await closed(agent, 9)
        await agent.told("dial", f"sip:{THIRD}@{DOMAIN}")
        assert "480 That is too many calls." in await closed(agent, 10)
        await house.settled()


@contextlib.asynccontextmanager
async def on_the_telephone(house: World) -> AsyncIterator[tuple[RealPhone, str]]:
    """A caller whom Maya is to talk with: the caller and the key of their call."""
    caller = await house.calls()
    caller.talk(CALLER_SAYS)
    key = await house.begun()
    house.door.goes(key, "talking", agent_id=7)
    yield caller, key


@pytest.mark.req("V5")
@pytest.mark.parametrize("colleague", [True, False])
async def test_a_telephone_asks_somebody_and_hands_the_caller_over_to_them(tmp_path: Path, colleague: bool) -> None:
    async with contextlib.AsyncExitStack() as stack:
        house, edge = await stack.enter_async_context(at_the_edge(tmp_path))
        agent = await stack.enter_async_context(linphone_signed_in(tmp_path / "phone", edge))
        other: Baresip | None = None
        third: RealPhone | None = None
        if colleague:
            other = await stack.enter_async_context(signed_in(tmp_path / "other", edge, "ben", says=THIRD_SAYS))
        caller, key = await stack.enter_async_context(on_the_telephone(house))
        await agent.says("Receiving new incoming call")
        await agent.told("answer")
        await caller.heard_tone(AGENT_SAYS, "the agent")
        await agent.told("pause")
        await agent.says("is now paused")
        await agent.told(f"call sip:{'ben' if other else THIRD}@{edge.at}")
        if other:
            await other.happens("CALL_INCOMING")
            await other.told("accept")
        else:
            third = await house.rings(THIRD)
            third.talk(THIRD_SAYS)
        assert other or third
        await hears(agent, THIRD_SAYS)
        await caller.heard_tone(MUSIC, "who waits meanwhile")
        states = {leg.shown: leg.state for leg in house.door.now(key).legs[1:]}
        assert states == {"Maya Okafor": LegState.IN, ("Ben Tran" if other else THIRD): LegState.APART}
        await agent.told("transfer 1 --to-call 2")
        await caller.heard_tone(THIRD_SAYS, "whom the call was handed over to")
        if other:
            await hears(other, CALLER_SAYS)
            await until(lambda: house.door.given == [8], "the talk is Ben's")
        elif third:
            await third.heard_tone(CALLER_SAYS, "the caller")
            assert house.door.given == []
        legs = {leg.shown: leg.state for leg in house.door.now(key).legs[1:]}
        assert legs == {"Maya Okafor": LegState.GONE, ("Ben Tran" if other else THIRD): LegState.IN}
        await until(lambda: len(re.findall("Call . with .* ended", agent.log)) == 2, "both its calls are over")
        assert not caller.ended.is_set()
        if other:
            await other.told("hangup")
        elif third:
            await third.hang_up()
        await until(caller.ended.is_set, "the caller is hung up on")
        await house.settled()


@pytest.mark.req("V5")
async def test_a_telephone_asks_in_vain_goes_back_and_passes_the_caller_on(tmp_path: Path) -> None:
    async with (
        at_the_edge(tmp_path) as (house, edge),
        signed_in(tmp_path / "phone", edge) as agent,
        on_the_telephone(house) as (caller, key),
    ):
        await agent.happens("CALL_INCOMING")
        await agent.told("accept")
        await caller.heard_tone(AGENT_SAYS, "the agent")
        # they ask somebody, and go back
        await agent.told("hold")
        await caller.heard_tone(MUSIC)
        await agent.told("dial", f"sip:{THIRD}@{DOMAIN}")
        third = await house.rings(THIRD)
        third.talk(THIRD_SAYS)
        await third.heard_tone(AGENT_SAYS, "the agent")
        await third.hears_not(CALLER_SAYS)
        await agent.told("hangup")
        await until(third.ended.is_set, "whom they asked is hung up on")
        await agent.told("resume")
        await caller.heard_tone(AGENT_SAYS, "the agent, who is back")
        # at once, to who lets it ring for a while
        ringing: list[tuple[IncomingCall, RealPhone]] = []

        def rings(call: IncomingCall, phone: RealPhone) -> None:
            call.ring()
            ringing.append((call, phone))

        house.answers[THIRD] = rings
        await agent.told("transfer", f"sip:{THIRD}@{DOMAIN}")
        await until(lambda: "SIP/2.0 180 Ringing" in agent.log.rpartition("REFER sip:")[2], "its telephone is told")
        assert "SIP/2.0 100 Trying" in agent.log.rpartition("REFER sip:")[2]
        await until(lambda: house.door.now(key).legs[1].state is LegState.GONE, "the agent has left")
        call, phone = ringing[0]
        call.answer(phone.description)
        phone.talk(THIRD_SAYS)
        await caller.heard_tone(THIRD_SAYS, "whoever answered")
        await until(lambda: "SIP/2.0 200 OK" in agent.log.rpartition("message/sipfrag")[2], "its telephone is told")
        await closed(agent, 2)
        assert not caller.ended.is_set()
        await phone.hang_up()
        await until(caller.ended.is_set, "the caller is hung up on")
        await house.settled()


@pytest.mark.req("V1", "V5")
async def test_help_is_called_at_once_whatever_else_holds(tmp_path: Path) -> None:
    line = {"emergency": True}
    async with at_the_edge(tmp_path, line=line) as (house, edge), signed_in(tmp_path / "phone", edge) as agent:
        assert house.telephone.house
        house.telephone.house.rates[f"sip:ada@{DOMAIN}"] = Rate(0)
        house.door.may_not.append(Busy("You have a call in hand already."))
        calls: list[IncomingCall] = []

        def early(call: IncomingCall, phone: RealPhone) -> None:
            call.ring(phone.description)
            calls.append(call)

        house.answers["911"] = early
        await agent.told("dial", f"sip:911@{DOMAIN}")
        called = await house.rings("911")
        called.talk(THIRD_SAYS)
        await hears(agent, THIRD_SAYS)  # what is heard before anybody answers
        calls[0].answer(called.description)
        await agent.happens("CALL_ESTABLISHED")
        await called.heard_tone(AGENT_SAYS, "the agent")
        assert house.door.dialled == []
        [key] = house.door.told
        assert (house.door.now(key).direction, house.door.now(key).dialled) == (Direction.OUT, "911")
        await called.hang_up()
        await agent.happens("CALL_CLOSED")
        await house.settled()
