"""Two processes that move sound behind one edge, Debian's Kamailio with the configuration that the product writes: telephones of agents that call by
themselves, calls that are spread, and what becomes of them when one of the two dies."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import text

from conftest import until
from everyline.ground.installation import standing
from everyline.ground.settings import Settings
from everyline.measure import ledgers
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.trunks import Trunk
from tests.calls.test_in_the_product import AGENT_TONE, CALLER_TONE, FAR, NUMBER, Town, free_udp
from tests.media.tones import level
from tests.product import RunningProduct, free_port
from tests.sip.kamailio import DOMAIN, Running, running
from tests.sip.linphone import Linphone, linphone

CALLED = "+13605550111"
ADA_SAYS = 2300.0
pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]


@dataclass
class Ward:
    """The product, its second process that moves sound, and the folder of the edge before both."""

    product: RunningProduct
    nodes: tuple[int, int]
    edge: Path
    port: int
    far: int
    token: str = ""
    word: str = ""
    second: subprocess.Popen[bytes] | None = None

    def rows(self, statement: str) -> list[Any]:
        """What the house's database says."""
        return Town(self.product, self.port, self.token, None).rows(statement)  # type: ignore[arg-type]  # -- for its database alone

    def begin_second(self) -> None:
        """Have both."""
        if self.second is not None and self.second.poll() is None:
            return
        settings = {**self.product.settings, "phone_port": str(self.nodes[1])}
        beside = RunningProduct(settings=settings, data=self.product.data)
        command = [sys.executable, "-m", "everyline.cli", "serve", "--only", "media", "--data", str(self.product.data)]
        with (self.product.data / "second.log").open("ab") as log:
            self.second = subprocess.Popen(command, env=beside.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 180
        while not self.second_node():
            assert time.monotonic() < deadline, (self.product.data / "second.log").read_text()[-3000:]
            time.sleep(0.1)

    def second_node(self) -> str:
        """What the house calls it; empty: it does not know it yet."""
        assert self.second is not None
        pids = {child.pid for child in psutil.Process(self.second.pid).children(recursive=True)}
        names = [row.name for row in self.rows("select name from sound_node")]
        return next((name for name in names if int(name.split("/")[1]) in pids), "")

    def kill_second(self) -> None:
        """All at once, as a machine falls over."""
        assert self.second is not None
        family = [*psutil.Process(self.second.pid).children(recursive=True), psutil.Process(self.second.pid)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.second.wait()


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    port = free_port()
    made = Ward(RunningProduct(), (free_udp(), free_udp()), tmp_path_factory.mktemp("edge"), port, free_udp())
    product = made.product
    product.settings = {
        "phone_host": "127.0.0.1",
        "phone_port": str(made.nodes[0]),
        "phone_edge": f"127.0.0.1:{port}",
        "phone_domain": DOMAIN,
        "drain_seconds": "0",
    }
    product.start()
    try:
        product.cli("admin", "add", "ada@house.example", given="correct horse battery\n")
        made.token = product.cli("token", "add", "test", "--as", "ada@house.example").split()[-1]
        product.cli(
            "line", "add", "phone", NUMBER, "--name", "Toll-free", "--set", f"host={FAR}", "--set", f"port={made.far}",
            "--set", "waits_alone=true",
        )  # fmt: skip
        with psycopg.connect(product.database_url, autocommit=True) as connection:
            connection.execute("insert into reach (agent_id, number) select id, %s from agent", (f"sip:ada@{DOMAIN}",))
        made.word = product.cli(
            "edge", str(made.edge), "--domain", DOMAIN, "--host", "127.0.0.1", "--port", str(port),
            *(part for node in made.nodes for part in ("--node", f"127.0.0.1:{node}")),
        ).split()[-1]  # fmt: skip
        yield made
    finally:
        if made.second is not None and made.second.poll() is None:
            made.second.terminate()
            made.second.wait(60)
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


@pytest.fixture
async def town(ward: Ward) -> AsyncIterator[tuple[Town, Running]]:
    found: Town
    await asyncio.to_thread(ward.begin_second)
    async with (
        running(ward.edge, ward.port) as edge,
        SipExchange(Listening(FAR, ward.far), (), lambda call: found.on_call(call)) as far,
    ):
        found = Town(ward.product, ward.port, ward.token, far)
        await far.arrange([Trunk("house", "127.0.0.1", ward.port, trusted=True)])
        try:
            yield found, edge
        finally:
            farewells = [phone.call.hang_up() for phone in found.phones if phone.call and not phone.ended.is_set()]
            with contextlib.suppress(TimeoutError):  # some are in calls with nobody
                async with asyncio.timeout(3):
                    await asyncio.gather(*farewells)
            for task in found.tasks:
                task.cancel()
            await asyncio.gather(*found.tasks, return_exceptions=True)
            for phone in found.phones:
                phone.close()
            await found.api.aclose()


async def so(true: Callable[..., object], *values: object) -> None:
    """Wait until it is so."""

    async def found() -> object:
        return true(*values)

    await until(found, seconds=90)


@contextlib.asynccontextmanager
async def adas_telephone(folder: Path, edge: Running, word: str) -> AsyncIterator[Linphone]:
    """The telephone on Ada's desk."""
    async with linphone(folder, "ada", says=ADA_SAYS, codec="PCMU") as phone:
        await phone.signs_in(f"sip:ada@{DOMAIN}", edge.at, word)
        yield phone


async def hears(phone: Linphone, hertz: float) -> None:
    """Wait until it hears this tone."""

    def heard() -> bool:
        found = phone.heard()
        return len(found) > 2400 and level(found, hertz) > 400

    await so(heard)


async def agent(town: Town) -> dict[str, Any]:
    """Ada, available, on the telephone that signs in at the edge."""
    me = await town.agent()
    town.do("update reach set number = %s", f"sip:ada@{DOMAIN}")
    return me


async def worked(town: Town, case_id: int) -> list[Any]:
    """What the figures count as work in a case."""
    async with standing(Settings(data=town.product.data)) as ground:
        await ledgers.catch_up(ground.database)
        async with ground.database.transaction() as tx:
            return list(
                await tx.rows(text("select * from work where case_id = :id order by accepted_at"), {"id": case_id})
            )


@pytest.mark.req("V1", "V5", "A4")
async def test_what_an_agent_dials_is_their_work_at_the_customers_case(
    ward: Ward, town: tuple[Town, Running], tmp_path: Path
) -> None:
    house, edge = town
    me = await agent(house)
    async with adas_telephone(tmp_path / "phone", edge, ward.word) as phone:
        cases = []
        for count in (1, 2):
            await phone.told(f"call sip:3605550111@{edge.at}")
            await so(lambda n: len(house.phones) == n, count)
            await hears(phone, AGENT_TONE)
            await house.phones[-1].heard_tone(ADA_SAYS, "Ada")
            (call,) = house.rows("select * from call where ended_at is null")
            assert (call.direction, call.number, call.dialled) == ("out", CALLED, CALLED)
            (case,) = house.rows(
                'select c.* from "case" c join interaction i on i.case_id = c.id where i.id = %s and i.direction = %s',
                call.interaction_id,
                "out",
            )
            assert (case.owner_id, case.status) == (me["id"], "open")
            cases.append(case.id)
            (shown,) = house.rows(
                "select p.address from contact_point p join interaction i on i.contact_point_id = p.id where i.id = %s",
                call.interaction_id,
            )
            assert shown.address == CALLED
            await phone.told("terminate")
            done = "select 1 from assignment where interaction_id = %s and agent_id = %s and media_class = 'call' and work_ended_at is not null"
            await so(house.rows, done, call.interaction_id, me["id"])
            house.do("update assignment set ended_at = now() where ended_at is null")  # wrapped up
        assert cases[0] == cases[1], "an open case of theirs goes on"
        facts = await worked(house, cases[0])
        assert [(fact.agent_id, fact.media_class) for fact in facts] == [(me["id"], "call")] * 2
        house.do(
            "insert into consent (contact_point_id, purpose, granted) select id, 'service', false from contact_point where address = %s",
            CALLED,
        )
        await phone.told(f"call sip:3605550111@{edge.at}")
        await phone.says("Call 3 with .* early media")  # it hears why not
        await phone.says(r"Call 3 with .* ended \(Call declined\)")
        assert len(house.phones) == 2
        house.do("delete from consent")


@pytest.mark.req("V1", "V5")
async def test_a_telephones_second_call_goes_to_the_process_that_has_its_first(
    ward: Ward, town: tuple[Town, Running], tmp_path: Path
) -> None:
    house, edge = town
    await agent(house)
    async with adas_telephone(tmp_path / "phone", edge, ward.word) as phone:
        caller = await house.gets_through("+13605550122")
        offer = await house.offer()
        assert (await house.api.post(f"/offers/{offer['id']}/accept")).status_code == 200
        await phone.says("Receiving new incoming call")
        await phone.told("answer")
        await caller.heard_tone(ADA_SAYS, "Ada")
        await phone.told("pause")
        await phone.says("is now paused")
        for number in ("+13605550133", "+13605550144"):  # two in a row: by turns one would go elsewhere
            await phone.told(f"call sip:{number}@{edge.at}")
            await so(lambda n: n in house.rung, number)
            await house.rung[number].heard_tone(ADA_SAYS, "Ada")
            if number != "+13605550144":
                await phone.told("terminate")
                await so(lambda n: house.rung[n].ended.is_set(), number)
        (call,) = house.rows("select * from call where ended_at is null")
        await phone.told("transfer 1 --to-call 3")
        await caller.heard_tone(AGENT_TONE, "whom Ada asked")
        await house.rung["+13605550144"].heard_tone(CALLER_TONE, "the caller")
        legs = "select kind, state from leg where call_key = %s and kind <> 'customer' and number <> '+13605550133' order by id"
        parts = [("agent", "gone"), ("guest", "in")]
        await so(lambda: [(row.kind, row.state) for row in house.rows(legs, call.key)] == parts)
        await so(lambda: len(re.findall("Call . with .* ended", phone.log)) == 3)
        await caller.hang_up()
        ended = "select 1 from assignment where interaction_id = %s and work_ended_at is not null"
        await so(house.rows, ended, call.interaction_id)


@pytest.mark.req("V1", "V4", "P2")
async def test_of_two_processes_one_dies_and_takes_only_its_calls_with_it(
    ward: Ward, town: tuple[Town, Running]
) -> None:
    house, _edge = town
    me = await house.agent()
    await house.api.put(f"/agents/{me['id']}/state", json={"state": "away", "reason": "lunch"})
    callers = {number: await house.gets_through(number) for number in (f"+136055501{n}" for n in range(50, 54))}
    waits = "select c.number, c.node, c.key, e.case_id, e.waiting_since from call c join queue_entry e on e.interaction_id = c.interaction_id where c.ended_at is null"
    await so(lambda: len(house.rows(waits)) == 4)
    before = {row.number: row for row in house.rows(waits)}
    spread = Counter(row.node for row in before.values())
    assert sorted(spread.values()) == [2, 2]
    for phone in callers.values():  # what is said within a call comes to where it is, every time
        for _again in range(2):
            assert phone.call is not None
            await phone.call.change(phone.description)
    dying = ward.second_node()
    ward.kill_second()
    for number in ("+13605550160", "+13605550161"):  # by turns one would go where nobody is any more
        await house.calls(number)
    lost = "select number from call where ended_by = 'lost' and node = %s"
    await so(lambda: len(house.rows(lost, dying)) == 2)
    gone = {row.number for row in house.rows(lost, dying)}
    assert gone == {number for number, row in before.items() if row.node == dying}
    for number in set(before) - gone:
        heard = len(callers[number].packets)
        await so(lambda n, before: len(callers[n].packets) > before + 50, number, heard)
        assert not callers[number].ended.is_set()
    for number in sorted(gone):  # whoever was cut off calls again
        await house.calls(number)
    await so(lambda: len(house.rows(waits)) == 6)
    after = {row.number: row for row in house.rows(waits)}
    assert {row.node for row in after.values()} == set(spread) - {dying}
    for number in before:
        assert (after[number].case_id, after[number].waiting_since) == (
            before[number].case_id,
            before[number].waiting_since,
        )
