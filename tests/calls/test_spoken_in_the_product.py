"""A flow that is answered by speaking, with every process of the product, real signalling, real sound, and a model that hears it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from conftest import until
from everyline.channels.phone.tests.doubles import RealPhone
from everyline.ground.database import Database
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Ask, Done, Flow, Queue, words
from everyline.selfservice.slots import Kind, Slot
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.trunks import Trunk
from tests.calls.test_in_the_product import FAR, NUMBER, Town, free_udp
from tests.product import RunningProduct
from tests.speech.voice import model, spoken

pytestmark = [pytest.mark.timeout(300), pytest.mark.enable_socket, pytest.mark.req("V1", "V3")]
PIN = "739158"
NEEDS = {"bill": {"en": "Pay my bill"}, "leak": {"en": "Report a leak"}}
REPORT = Flow(
    "report",
    title=words("Report"),
    start="need",
    person="agent",
    steps=(
        Ask("need", words=words("What do you need?"), slot=Slot(Kind.CHOICE, "need", choices=NEEDS), to="account"),
        Ask("account", words=words("Your account?"), slot=Slot(Kind.ACCOUNT, "account", least=4, most=8), to="pin"),
        Ask("pin", words=words("Please type your PIN."), slot=Slot(Kind.SECRET, "pin", least=6, most=6), to="story"),
        Ask("story", words=words("What happened?"), slot=Slot(Kind.TEXT, "story"), to="end"),
        Done("end", words=words("Thank you.")),
        Queue("agent", words=words("A person answers you.")),
    ),
)
QUIET = 100  # amplitude


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[RunningProduct, int, int]]:
    port, far = free_udp(), free_udp()
    settings = {"phone_host": "127.0.0.1", "phone_port": str(port), "speech_model": str(model())}
    product = RunningProduct(settings=settings)
    product.start()
    try:
        product.cli(
            "line", "add", "phone", NUMBER, "--name", "Toll-free", "--set", f"host={FAR}", "--set", f"port={far}",
            "--set", "spoken_answers=true",
        )  # fmt: skip
        yield product, port, far
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


@pytest.fixture
async def town(house: tuple[RunningProduct, int, int]) -> AsyncIterator[Town]:
    product, port, far_port = house
    found: Town
    async with SipExchange(Listening(FAR, far_port), (), lambda call: found.on_call(call)) as far:
        found = Town(product, port, "", far)
        await far.arrange([Trunk("house", "127.0.0.1", port, trusted=True)])
        try:
            yield found
        finally:
            for task in found.tasks:
                task.cancel()
            await asyncio.gather(*found.tasks, return_exceptions=True)
            for phone in found.phones:
                phone.close()
            await found.api.aclose()


async def answers(town: Town, product: RunningProduct) -> None:
    """The line is answered by the flow."""
    database = Database(product.database_url)
    try:
        async with database.transaction() as tx:
            await actions.add(tx, None, flows.written(REPORT))
            await actions.publish(tx, None, REPORT.name)
    finally:
        await database.close()
    town.do("update line set flow = 'report'")
    town.do("update queue set hours_id = null")


async def asked(town: Town, caller: RealPhone, question: str) -> None:
    """Wait until it is asked, and all of it was heard."""

    async def told() -> bool:
        return bool(town.rows("select 1 from message where text like %s", f"%{question}%"))

    async def quiet() -> bool:
        newest = caller.newest(1.2)
        return len(newest) > 8000 and int(np.abs(newest).max()) < QUIET

    await until(told, seconds=60)
    before = len(caller.packets)
    await until(lambda: _now(len(caller.packets) > before + 70))
    await until(quiet, seconds=60)


async def _now(true: bool) -> bool:
    return true


async def test_a_caller_goes_through_a_flow_by_speaking_and_types_the_secret(
    town: Town, house: tuple[RunningProduct, int, int]
) -> None:
    await answers(town, house[0])
    caller = await town.gets_through()
    caller.voice = caller.voice[: caller.sent * 160]  # says nothing
    await asked(town, caller, "What do you need?")
    caller.say(spoken("report a leak"))
    await asked(town, caller, "Your account?")
    caller.say(spoken("four one two five"))
    before = len(caller.packets)
    await until(lambda: _now(len(caller.packets) > before + 250))  # it is heard and read back
    await asked(town, caller, "Your account?")
    caller.say(spoken("yes"))
    await asked(town, caller, "PIN")
    await caller.press(PIN)
    await asked(town, caller, "What happened?")
    caller.say(spoken("I would like you to send somebody"))
    await until(lambda: _now(bool(town.rows("select 1 from flow_run where ended_at is not null"))), seconds=60)
    run = town.rows("select state::text as state from flow_run order by id")[-1]
    said = [row.text for row in town.rows("select text from message where direction = 'in' order by id")]
    assert '"leak"' in run.state, said
    assert '"4125"' in run.state, said
    assert "i would like" in run.state.casefold(), said  # a small model, which misses a word
    assert not any(PIN in text for text in (run.state, *said))
