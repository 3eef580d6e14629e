"""Calls at the desk: the bar, what is done about a call, calling somebody, and a call on the timeline of its case."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import select

from everyline.call_contract import CallNow, CallState, Deed, Direction, Heard, Keeping, LegKind, LegNow, LegState
from everyline.calls import actions, contacts
from everyline.calls.models import CallOrder
from everyline.channels.phone.parties import words_for
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.live import topics_of
from everyline.ground.words import read, speaking
from everyline.queues import actions as queues
from everyline.queues.models import QueueEntry
from tests.desk.conftest import Desk

pytestmark = pytest.mark.req("V5", "A4")
KEY = "call-1"
CUSTOMER = LegNow("caller", LegKind.CUSTOMER, LegState.IN, "(360) 555-0142", number="+13605550142")


@dataclass
class Telephone:
    """A call that a process beside would have the sound of, and the orders it gets."""

    desk: Desk
    agent: Any = None
    interaction_id: int = 0
    call: CallNow = field(default_factory=lambda: CallNow(KEY, Direction.IN, CallState.UP, now(), "+13605550142"))
    line_id: int = 0
    refuses: str = ""
    orders: list[Any] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    @property
    def mine(self) -> LegNow:
        return LegNow("me", LegKind.AGENT, LegState.IN, "Maya", self.agent.id)

    async def begin(self) -> None:
        self.agent = await self.desk.agent()
        self.line_id = await self.desk.value(
            "insert into line (channel, address, name, language) values ('phone', '+18005550100', 'Toll-free', 'es') returning id"
        )
        self.interaction_id = await self.desk.value(
            "insert into interaction (case_id, line_id, channel, media_class, started_at) values (:case, :line, 'phone', 'call', now()) returning id",
            case=self.desk.case_id,
            line=self.line_id,
        )
        await self.desk.do(
            "insert into talk (interaction_id, key, said_at, here_at, rules) values (:id, :key, now(), now(), '{}')",
            id=self.interaction_id,
            key=KEY,
        )
        await self.desk.do("delete from queue_entry")
        await self.desk.do(
            "insert into queue_entry (queue_id, interaction_id, case_id, channel, media_class, weight, waiting_since, priority, offer_seconds) "
            "values (:q, :i, :c, 'phone', 'call', 100, now(), 3, 20)",
            q=self.desk.line.queue_id,
            i=self.interaction_id,
            c=self.desk.case_id,
        )
        async with self.desk.ground.database.transaction() as tx:
            await queues.give_entry(tx, self.agent.id, await tx.value(select(QueueEntry.id)), self.agent.id)
        self._task = asyncio.create_task(self._obey())

    async def tell(self, *legs: LegNow, **changes: Any) -> None:
        """How the call stands."""
        self.call = replace(self.call, legs=legs or self.call.legs, **changes)
        async with self.desk.ground.database.transaction() as tx:
            await actions.beat(tx, "node-1")
            await actions.tell(tx, "node-1", self.line_id, self.call)

    async def _obey(self) -> None:
        heard = asyncio.Event()

        def hear(words: dict[str, Any]) -> None:
            if words.get("kind") == actions.WORD:
                heard.set()

        with self.desk.ground.bus.hearing(hear):
            while True:
                await heard.wait()
                heard.clear()
                async with self.desk.ground.database.transaction() as tx:
                    for row in await actions.take(tx, "node-1"):
                        self.orders.append((row.deed, row.values))
                        await actions.settle(tx, row.id, refused=self.refuses, answer="an answer")

    async def bar(self, who: Any = None, query: str = "") -> str:
        return (await self.desk.part(who or self.agent, f"/desk/calls{query}")).text

    async def post(self, path: str, who: Any = None, **form: Any) -> Any:
        return await self.desk.post(who or self.agent, f"/desk/calls/{self.interaction_id}/{path}", **form)

    async def end(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])


@pytest.fixture
async def phone(desk: Desk) -> AsyncIterator[Telephone]:
    found = Telephone(desk)
    await found.begin()
    yield found
    await found.end()


def buttons(html: str) -> list[str]:
    """What can be done, by the ids of buttons."""
    return re.findall(r'id="call-\d+-([\w-]+)"', html)


async def test_the_bar_says_who_calls_and_offers_what_can_be_done(phone: Telephone) -> None:
    assert "data-call=" not in await phone.bar()
    await phone.tell(
        replace(CUSTOMER, quality={"score": 4.2, "loss": 0.011, "jitter_ms": 12}),
        phone.mine,
        answered_at=now(),
        keeping=Keeping.ON,
    )
    shown = await phone.bar()
    for words in ("Jane Doe", "+13605550142", "Toll-free", "Spanish", "Talking", "Recording", "You", "Good sound"):
        assert words in shown, words
    assert "4.2 of 5, 1.1 % lost, jitter 12 ms" in shown
    assert buttons(shown) == ["mute-caller", "mute", "hold", "keypad", "add", "keep", "hang-up"]
    digest = re.search(r'name="shown" value="(\w+)"', shown)
    assert digest
    answer = await phone.desk.part(phone.agent, f"/desk/calls?shown={digest[1]}")
    assert answer.status_code == 204, "nothing has changed"
    other = await phone.desk.agent()
    assert "data-call=" not in await phone.bar(other), "somebody else's call"


@pytest.mark.parametrize(
    ("legs", "state", "offered"),
    [
        ([replace(CUSTOMER, state=LegState.RINGING)], "Your phone rings", ["hang-up"]),
        ([CUSTOMER, "ringing"], "Your phone rings", ["hang-up"]),
        (
            [replace(CUSTOMER, state=LegState.HELD), "me"],
            "On hold",
            ["mute-caller", "mute", "hold", "keypad", "add", "hang-up"],
        ),
        ([CUSTOMER, "muted"], "Talking, you are muted", ["mute-caller", "mute", "hold", "keypad", "add", "hang-up"]),
        (
            [replace(CUSTOMER, state=LegState.HELD), "me", LegNow("g", LegKind.GUEST, LegState.APART, "Interpreter")],
            "You talk apart",
            ["mute-caller", "mute-g", "drop-g", "mute", "keypad", "add", "join", "hand-over", "hang-up"],
        ),
    ],
)
async def test_each_state_has_its_words_and_its_buttons(
    phone: Telephone, legs: list[Any], state: str, offered: list[str]
) -> None:
    own = {
        "me": phone.mine,
        "ringing": replace(phone.mine, state=LegState.RINGING),
        "muted": replace(phone.mine, muted=True),
    }
    await phone.tell(*(own[leg] if isinstance(leg, str) else leg for leg in legs))
    shown = await phone.bar()
    assert state in shown
    assert buttons(shown) == offered


async def test_buttons_are_orders_and_refusals_are_said_in_words(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine)
    for path, form in (
        ("hold", {}),
        ("mute", {"leg": "caller"}),
        ("press", {"keys": "5", "leg": "caller"}),
        ("hand-over", {}),
        ("go-on", {}),
        ("hang-up", {}),
    ):
        answer = await phone.post(path, **form)
        assert answer.status_code == 204, answer.text
        assert "calls-changed" in answer.headers["HX-Trigger"]
    assert phone.orders == [
        ("hold", {}),
        ("mute", {"leg": "caller"}),
        ("press", {"keys": "5", "leg": "caller"}),
        ("hand over", {}),
        ("go on", {}),
        ("hang up", {}),
    ]
    phone.refuses = "Nobody is there to hand over to."
    refused = await phone.post("hand-over")
    assert (refused.status_code, refused.text) == (409, "Nobody is there to hand over to.")
    assert (await phone.post("press", keys="nonsense")).status_code == 422
    assert (await phone.post("listen")).status_code == 404, "that is for supervisors, elsewhere"
    assert (await phone.post("place")).status_code == 404
    other = await phone.desk.agent()
    assert (await phone.post("hold", other)).status_code == 409


async def test_somebody_is_asked_or_added(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine)
    colleague = await phone.desk.agent()
    await phone.desk.do("update agent set name = 'Ulla Tester' where id = :id", id=colleague.id)
    assert (
        "No colleague can hear a call now."
        in (await phone.desk.part(phone.agent, f"/desk/calls/{phone.interaction_id}/ask/add")).text
    )
    await phone.desk.do("insert into reach (agent_id, node, ready) values (:id, 'node-1', true)", id=colleague.id)
    asked = (await phone.desk.part(phone.agent, f"/desk/calls/{phone.interaction_id}/ask/add")).text
    assert "Ulla Tester" in asked
    customer_id = await phone.desk.value(
        "insert into customer (name, language, remarks) values ('Interpreter 100%', 'vi', '4 EUR a minute') returning id"
    )
    await phone.desk.do(
        "insert into contact_point (customer_id, kind, address) values (:id, 'number', '+4930555001')", id=customer_id
    )
    people = f"/desk/calls/{phone.interaction_id}/people"
    found = (await phone.desk.part(phone.agent, f"{people}?q=interp")).text
    assert "+4930555001" in found
    assert "4 EUR a minute" in found
    assert "Ulla" not in found
    assert "+4930555001" in (await phone.desk.part(phone.agent, f"{people}?q=100%25")).text
    assert "Nobody of this name" in (await phone.desk.part(phone.agent, f"{people}?q=%25%25%25")).text
    assert (await phone.post("call", whom=f"agent:{colleague.id}")).status_code == 204
    assert (await phone.post("call", whom="number:+4930555001", how="add")).status_code == 204
    assert (await phone.post("call", number="+1 360 555 0177", how="consult")).status_code == 204
    assert (await phone.post("call", number="+1 360 555 0178", how="transfer")).status_code == 204
    assert phone.orders == [
        ("consult", {"with": colleague.id}),
        ("add", {"number": "+4930555001"}),
        ("consult", {"number": "+13605550177"}),
        ("transfer", {"number": "+13605550178"}),
    ]
    assert (await phone.post("call")).status_code == 422
    assert (await phone.post("call", number="nonsense")).status_code == 422


async def test_the_keypad_reaches_whom_it_is_for(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine)
    one = (await phone.desk.part(phone.agent, f"/desk/calls/{phone.interaction_id}/ask/keypad")).text
    assert 'name="leg" value="caller"' in one
    assert len(re.findall(r'data-dials="', one)) == 12
    await phone.tell(CUSTOMER, phone.mine, LegNow("g", LegKind.GUEST, LegState.IN, "Interpreter"))
    two = (await phone.desk.part(phone.agent, f"/desk/calls/{phone.interaction_id}/ask/keypad")).text
    assert '<option value="g">Interpreter</option>' in two
    other = await phone.desk.agent()
    answer = await phone.desk.part(other, f"/desk/calls/{phone.interaction_id}/ask/keypad")
    assert answer.status_code == 404


async def test_a_supervisor_listens_whispers_and_joins(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine)
    lead = await phone.desk.agent(role="supervisor")
    page = (await phone.desk.get(lead, f"/desk/talks/{phone.desk.case_id}")).text
    assert 'value="listen"' in page
    for deed in ("listen", "whisper", "barge", "leave"):
        answer = await phone.desk.post(lead, f"/desk/talks/{phone.desk.case_id}/oversee", deed=deed)
        assert answer.status_code == 204, answer.text
    assert [deed for deed, _values in phone.orders] == ["listen", "whisper", "barge", "leave"]
    assert (await phone.desk.post(lead, f"/desk/talks/{phone.desk.case_id}/oversee", deed="hang up")).status_code == 404
    assert (
        await phone.desk.post(phone.agent, f"/desk/talks/{phone.desk.case_id}/oversee", deed="listen")
    ).status_code == 403
    ear = LegNow("lead", LegKind.SUPERVISOR, LegState.IN, "Sam", lead.id, heard=Heard.AGENT)
    await phone.tell(CUSTOMER, phone.mine, ear)
    own = await phone.bar(lead)
    assert "Only the agent hears you." in own
    assert buttons(own) == ["listen", "whisper", "barge", "leave"]
    assert "whispering" in await phone.bar(), "whoever is heard by nobody else is shown all the same"
    assert await phone.desk.value("select count(*) from audit where act like 'call.%'") >= 1


async def test_a_call_stands_on_the_timeline_of_its_case(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine, answered_at=now())
    page = f"/desk/cases/{phone.desk.case_id}/timeline"
    assert "goes on" in (await phone.desk.part(phone.agent, page)).text
    await phone.tell(state=CallState.ENDED, ended_at=now(), ended_by="customer")
    shown = (await phone.desk.part(phone.agent, page)).text
    for words in ("Call from +13605550142", "Toll-free", "Maya", "The customer hung up"):
        assert words in shown, words
    assert "goes on" not in shown
    assert "data-call=" not in await phone.bar()


async def test_the_phone_of_a_browser_is_answered_and_let_go(phone: Telephone) -> None:
    desk, agent = phone.desk, phone.agent
    assert "Phone in this browser" in (await desk.get(agent, "/desk/phone")).text
    answer = await desk.post(agent, "/desk/phone", offer="v=0")
    assert (answer.status_code, answer.text) == (200, "an answer")
    assert phone.orders == [("browser", {"offer": "v=0"})]
    assert (await desk.post(agent, "/desk/phone", offer="x" * 20_000)).status_code == 422
    assert (await desk.part(agent, "/desk/phone/elsewhere")).text == ""
    assert (await desk.post(agent, "/desk/phone/echo", on="yes")).status_code == 409, "it is not there"
    await desk.do("insert into reach (agent_id, node, ready) values (:id, 'node-1', true)", id=agent.id)
    assert (await desk.part(agent, "/desk/phone/elsewhere")).text == "yes"
    assert (await desk.post(agent, "/desk/phone/echo", on="yes")).status_code == 204
    assert (await desk.post(agent, "/desk/phone/off")).status_code == 204
    assert phone.orders[1:] == [("echo", {"on": True}), ("away", {})]
    phone.refuses = "Your browser is not connected."
    refused = await desk.post(agent, "/desk/phone", offer="v=0")
    assert (refused.status_code, refused.text) == (409, "Your browser is not connected.")
    async with desk.ground.database.transaction() as tx:
        assert await tx.value(select(CallOrder.id).where(CallOrder.deed == str(Deed.PLACE))) is None


async def test_everybody_in_a_call_hears_that_it_moved(phone: Telephone) -> None:
    colleague = await phone.desk.agent()
    asked = LegNow("colleague", LegKind.AGENT, LegState.RINGING, "Ulla", colleague.id)
    async with phone.desk.ground.database.transaction() as tx:
        position = await events.newest(tx)
    await phone.tell(CUSTOMER, phone.mine, asked)
    async for batch in events.follow(phone.desk.ground.database, phone.desk.ground.bus, position):
        (moved,) = [event for event in batch if event.kind == "call.moved"]
        assert {f"agent:{phone.agent.id}", f"agent:{colleague.id}"} <= topics_of(moved)
        break
    assert "Your phone rings" in await phone.bar(colleague)


@pytest.mark.req("V5")
async def test_interpreters_are_offered_by_the_language_of_the_case_with_their_fee(phone: Telephone) -> None:
    await phone.tell(CUSTOMER, phone.mine)
    async with phone.desk.ground.database.transaction() as tx:
        for name, number, kind, languages, fee in (
            ("Zed Interpreters", "+12065550101", "interpreter", ["es", "vi"], "$0.85 a minute"),
            ("Anh Line", "+12065550102", "interpreter", ["vi"], ""),
            ("County clerk", "+12065550103", "office", [], ""),
        ):
            await contacts.add(tx, None, name=name, number=number, kind=kind, languages=languages, fee=fee)
    base = f"/desk/calls/{phone.interaction_id}"
    await phone.desk.do(
        "update \"case\" set language = '' where id = :id", id=phone.desk.case_id
    )  # then that of the line
    shown = (await phone.desk.part(phone.agent, f"{base}/ask/add")).text
    assert shown.index("Zed Interpreters") < shown.index("County clerk"), "who speaks Spanish stands first"
    assert "Fee: $0.85 a minute" in shown
    assert "speaks Spanish" in shown
    assert "Anh Line" not in shown
    found = (await phone.desk.part(phone.agent, f"{base}/people?q=vietn")).text
    assert found.index("Zed Interpreters") < found.index("Anh Line")
    assert "County clerk" not in found
    await phone.desk.do("update \"case\" set language = 'vi' where id = :id", id=phone.desk.case_id)
    of_case = (await phone.desk.part(phone.agent, f"{base}/ask/add")).text
    assert "speaks Vietnamese" in of_case
    assert "Anh Line" in of_case

    whom = re.search(r'value="(contact:\d+)"><span><b dir="auto">Zed', shown)
    assert whom
    assert (await phone.post("call", whom=whom[1], how="add")).status_code == 204
    assert phone.orders[-1] == ("add", {"number": "+12065550101", "name": "Zed Interpreters"})
    told = (await phone.desk.part(phone.agent, f"/desk/cases/{phone.desk.case_id}/timeline")).text
    assert "called Zed Interpreters to the call (fee: $0.85 a minute)" in told
    assert (await phone.post("call", whom="contact:999")).status_code == 404
    phone.refuses = "No."
    assert (await phone.post("call", whom=whom[1], how="add")).status_code == 409
    assert await phone.desk.value("select count(*) from event where kind = 'call.contact_called'") == 1


async def test_a_colleague_who_is_asked_answers_or_declines(phone: Telephone) -> None:
    colleague = await phone.desk.agent()
    asked = LegNow("agent-2", LegKind.AGENT, LegState.RINGING, "Omar", colleague.id)
    await phone.tell(CUSTOMER, phone.mine, asked)
    theirs, mine = await phone.bar(colleague), await phone.bar()
    assert "data-call-rings" in theirs
    assert "Your phone rings" in theirs
    assert "data-call-rings" not in mine
    assert (await phone.post("answer", colleague)).status_code == 204
    assert (await phone.post("drop", colleague, leg="agent-2")).status_code == 204
    assert phone.orders == [("answer", {}), ("drop", {"leg": "agent-2"})]
    on_the_desk = replace(asked, name="agent-3", number="+13605550190")
    await phone.tell(CUSTOMER, phone.mine, replace(asked, state=LegState.GONE), on_the_desk)
    assert "Your phone rings" in await phone.bar(colleague)
    assert "data-call-rings" not in await phone.bar(colleague), "a telephone on the desk rings by itself"


async def test_what_is_said_at_a_call_is_read_in_ones_own_language(phone: Telephone) -> None:
    silent = replace(CUSTOMER, remark="Nothing is heard from them.")
    gone = LegNow("guest-1", LegKind.GUEST, LegState.RINGING, "Lingua", remark=words_for("", "486 Busy"))
    await phone.tell(silent, phone.mine, gone)
    english = await phone.bar()
    await phone.desk.do("update agent set language = 'de' where id = :id", id=phone.agent.id)
    german = await phone.bar()
    for shown, words in (
        (english, ("Nothing is heard from them.", "The call did not go through: 486 Busy")),
        (german, ("Von dort ist nichts zu hören.", "Der Anruf kam nicht zustande: 486 Busy")),
    ):
        for one in words:
            assert one in shown
    reason = "The telephone was stopped while this call went on."
    await phone.tell(state=CallState.ENDED, ended_at=now(), ended_by="us", reason=reason)
    page = (await phone.desk.get(phone.agent, f"/desk/cases/{phone.desk.case_id}")).text
    with speaking("de"):
        assert read(reason) != reason
        assert read(reason) in page
