"""A call from its first ring to its recording, with every process of the product, real signalling and real sound."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import namedtuple_row

from conftest import until
from everyline.channels.phone.tests.doubles import RealPhone
from everyline.ground.installation import standing
from everyline.ground.settings import Settings
from everyline.intake.processor import REMEMBERED_SECONDS
from everyline.selfservice import actions as flow_actions
from everyline.selfservice import flows
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk
from tests.product import RunningProduct
from tests.selfservice.test_left_messages import BROKEN

FAR = "127.0.0.2"
NUMBER, CALLER = "+18005550199", "+13605550142"
CALLER_TONE, AGENT_TONE = 440.0, 1250.0
pytestmark = [pytest.mark.timeout(240), pytest.mark.enable_socket]


def free_udp() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Town:
    """The house with its product, and the telephone network around it."""

    def __init__(self, product: RunningProduct, port: int, token: str, far: SipExchange) -> None:
        self.product, self.port, self.far = product, port, far
        self.api = httpx.AsyncClient(
            base_url=f"{product.address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        self.phones: list[RealPhone] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.rung: dict[str, RealPhone] = {}

    async def on_call(self, call: IncomingCall) -> None:
        """The house calls somebody: they answer and say their tone."""
        phone = RealPhone()
        self.phones.append(phone)
        phone.speaks_to(call.offer)
        phone.talk(AGENT_TONE)
        call.answer(phone.description)
        self.rung[call.facts.dialled_number or call.facts.dialled] = phone
        await phone.attend(call)

    async def calls(self, caller: str = CALLER) -> RealPhone:
        """Somebody calls the house and says their tone."""
        phone = RealPhone()
        self.phones.append(phone)
        phone.talk(CALLER_TONE)
        made = self.far.call(
            NUMBER, ("house",), caller=Caller(caller, "Ada"), rules=NumberRules(), offer=phone.description
        )
        self.tasks.append(asyncio.create_task(phone.attend(made)))
        await until(lambda: _now(phone.up.is_set() or phone.ended.is_set()))
        assert phone.up.is_set(), phone.events
        return phone

    async def gets_through(self, caller: str = CALLER) -> RealPhone:
        """Somebody calls until the house answers: the process that takes calls may just be starting."""
        for _try in range(5):
            with contextlib.suppress(AssertionError):
                return await self.calls(caller)
        return await self.calls(caller)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What the house's database says."""
        with psycopg.connect(self.product.database_url, row_factory=namedtuple_row) as connection:
            return connection.execute(statement, values).fetchall()

    def do(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.product.database_url, autocommit=True) as connection:
            connection.execute(statement, values)

    async def answered_by(self, flow: str) -> None:
        """The flow answers the line first; with an empty one, people do."""
        self.do("update line set flow = %s where channel = 'phone'", flow)
        await asyncio.sleep(REMEMBERED_SECONDS + 0.2)  # workers know a line as it was a moment ago

    async def agent(self) -> dict[str, Any]:
        """An agent who hears calls on a telephone, has nothing in hand, and is available."""
        self.do("update queue_entry set state = 'left', left_at = now() where state in ('waiting', 'offered')")
        self.do(
            "update assignment set work_ended_at = coalesce(work_ended_at, now()), ended_at = now() where ended_at is null"
        )
        self.do("insert into membership (queue_id, agent_id) select 1, id from agent on conflict do nothing")
        self.do("update queue set hours_id = null")
        number = f"sip:ada@{FAR}:{self.far.port}"
        self.do(
            "insert into reach (agent_id, number) select id, %s from agent on conflict (agent_id) do update set number = excluded.number",
            number,
        )
        found: dict[str, Any] = (await self.api.get("/me")).json()
        await self.api.put(f"/agents/{found['id']}/state", json={"state": "away", "reason": "lunch"})
        await self.api.put(f"/agents/{found['id']}/state", json={"state": "available"})
        return found

    async def offer(self) -> dict[str, Any]:
        """The offer before the agent."""

        async def found() -> dict[str, Any] | None:
            answer = await self.api.get("/me/offer")
            return answer.json() if answer.status_code == 200 and answer.json() else None

        offer = await until(found, seconds=90)
        assert isinstance(offer, dict)
        return offer


async def _now(true: bool) -> bool:
    return true


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[RunningProduct, int, int, str]]:
    port, far = free_udp(), free_udp()
    product = RunningProduct(settings={"phone_host": "127.0.0.1", "phone_port": str(port)})
    product.start()
    try:
        product.cli("admin", "add", "ada@house.example", given="correct horse battery\n")
        token = product.cli("token", "add", "test", "--as", "ada@house.example").split()[-1]
        product.cli(
            "line", "add", "phone", NUMBER, "--name", "Toll-free", "--set", f"host={FAR}", "--set", f"port={far}",
            "--set", "records=always", "--set", "recordings_days=30", "--set", "waits_alone=true",
        )  # fmt: skip
        yield product, port, far, token
    finally:
        product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


@pytest.fixture
async def town(house: tuple[RunningProduct, int, int, str]) -> AsyncIterator[Town]:
    product, port, far_port, token = house
    found: Town
    async with SipExchange(Listening(FAR, far_port), (), lambda call: found.on_call(call)) as far:
        found = Town(product, port, token, far)
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


@pytest.mark.req("V1", "V4", "V5", "V6", "A4")
async def test_a_call_waits_is_offered_answered_recorded_and_wrapped_up(town: Town) -> None:
    me = await town.agent()
    caller = await town.gets_through()
    offer = await town.offer()
    (entry,) = town.rows("select * from queue_entry where state = 'offered'")
    assert (entry.media_class, entry.state) == ("call", "offered")
    (call,) = town.rows("select * from call where ended_at is null")
    assert (call.number, call.state, call.direction, call.interaction_id) == (CALLER, "up", "in", entry.interaction_id)
    accepted = await town.api.post(f"/offers/{offer['id']}/accept")
    assert accepted.status_code == 200, accepted.text

    await until(lambda: _now(bool(town.rung)))
    (agent,) = town.rung.values()
    await caller.heard_tone(AGENT_TONE, "the agent")
    await agent.heard_tone(CALLER_TONE, "the caller")

    (case,) = town.rows('select * from "case" where id = %s', entry.case_id)
    assert (case.status, case.owner_id) == ("open", me["id"])
    assert CALLER[-4:] in case.subject
    await until(lambda: _now(len(town.rows("select 1 from leg where kind = 'agent' and state = 'in'")) == 1))

    heard = len(caller.packets)
    await until(lambda: _now(len(caller.packets) > heard + 75))  # they talk for a while
    await caller.hang_up()
    await until(lambda: _now(bool(town.rows("select 1 from call where key = %s and state = 'ended'", call.key))))
    await until(lambda: _now(bool(town.rows("select 1 from recording where call_key = %s", call.key))))
    (recording,) = town.rows("select * from recording where call_key = %s", call.key)
    assert recording.case_id == case.id
    assert recording.seconds > 0.5
    assert max(recording.peaks) > 100, "somebody is heard in it"
    assert (recording.kept_until - recording.began_at).days in (29, 30), "as long as the line says"
    content = (
        Path(town.product.data) / "files" / recording.file_hash[:2] / recording.file_hash[2:4] / recording.file_hash
    ).read_bytes()
    assert b"RIFF" not in content[:200], "it is sealed"
    worked = "select 1 from assignment where interaction_id = %s and work_ended_at is not null"
    await until(lambda: _now(bool(town.rows(worked, entry.interaction_id))))
    kinds = {row.kind for row in town.rows("select distinct kind from event where case_id = %s", case.id)}
    await town.api.post(f"/cases/{case.id}/resolve", json={})
    assert {"call.moved", "queue_entry.entered", "interaction.accepted", "talk.ended", "recording.kept"} <= kinds, kinds
    assert json.loads(json.dumps(recording.marks)) == []


@pytest.mark.req("V1", "V4", "P2")
async def test_who_was_cut_off_by_a_dying_process_keeps_their_place(town: Town) -> None:
    me = await town.agent()
    await town.api.put(f"/agents/{me['id']}/state", json={"state": "away", "reason": "lunch"})
    before = await town.calls()
    entered = (
        "select e.* from queue_entry e join call c on c.interaction_id = e.interaction_id where c.ended_at is null"
    )
    await until(lambda: _now(bool(town.rows(entered))))
    (first,) = town.rows(entered)
    town.product.kill("media")
    cut_off = "select * from call where ended_by = 'lost' and interaction_id = %s"
    await until(lambda: _now(bool(town.rows(cut_off, first.interaction_id))), seconds=60)
    (lost,) = town.rows(cut_off, first.interaction_id)
    assert "cut off" in lost.reason
    assert town.rows("select 1 from event where kind = 'call.lost' and case_id = %s", first.case_id)

    async def answered() -> bool:
        again = RealPhone()
        town.phones.append(again)
        made = town.far.call(
            NUMBER, ("house",), caller=Caller(CALLER, "Ada"), rules=NumberRules(), offer=again.description
        )
        town.tasks.append(asyncio.create_task(again.attend(made)))
        await until(lambda: _now(again.up.is_set() or again.ended.is_set()))
        return again.up.is_set()

    await until(answered, seconds=60)  # another process has taken its place
    await until(lambda: _now(bool(town.rows(entered))))
    (second,) = town.rows(entered)
    assert second.case_id == first.case_id
    assert second.waiting_since == first.waiting_since, "they wait where they waited"
    assert before.ended.is_set() or before.packets, "the first call is silent or over"


@pytest.mark.req("V4", "P2")
async def test_who_asked_to_be_called_keeps_their_place_when_every_process_is_killed(town: Town) -> None:
    me = await town.agent()
    await town.api.put(f"/agents/{me['id']}/state", json={"state": "away", "reason": "lunch"})
    town.do("update queue_entry set state = 'left', left_at = now() where state in ('waiting', 'offered')")
    caller = await town.gets_through()
    entered = (
        "select e.* from queue_entry e join call c on c.interaction_id = e.interaction_id where c.ended_at is null"
    )
    await until(lambda: _now(bool(town.rows(entered))))
    (first,) = town.rows(entered)

    async def asked() -> bool:
        await caller.press("1")
        return bool(town.rows("select 1 from callback where settled_at is null"))

    await until(asked, seconds=60)
    await until(lambda: _now(caller.ended.is_set()), seconds=60)
    town.product.kill("supervisor")
    town.product.start()
    await town.api.put(f"/agents/{me['id']}/state", json={"state": "available"})
    offer = await town.offer()
    (entry,) = town.rows("select * from queue_entry where state = 'offered'")
    (callback,) = town.rows("select * from callback")
    assert (callback.case_id, callback.number, callback.tries) == (first.case_id, CALLER, 0)
    assert (entry.case_id, entry.media_class, entry.weight) == (first.case_id, "call", 100)
    assert entry.waiting_since == first.waiting_since, "they keep their place"
    accepted = await town.api.post(f"/offers/{offer['id']}/accept")
    assert accepted.status_code == 200, accepted.text


@pytest.mark.req("V1", "V5")
async def test_an_edge_is_set_up_with_the_telephones_of_agents(town: Town, tmp_path: Path) -> None:
    before = town.rows("select agent_id, number from reach")
    number = "sip:ada@phones.example"
    town.do(
        "insert into reach (agent_id, number) select id, %s from agent on conflict (agent_id) do update set number = excluded.number",
        number,
    )
    asked = ("edge", str(tmp_path), "--domain", "phones.example", "--node", "127.0.0.1:5060")
    said = town.product.cli(*asked)
    user, word = said.split()
    assert user == "ada@phones.example"
    assert (tmp_path / "nodes.list").read_text("utf-8") == "1 sip:127.0.0.1:5060;transport=udp\n"
    made = (tmp_path / "kamailio.cfg").read_text("utf-8")
    assert 'case "ada"' in made
    assert word not in made
    assert (tmp_path / "kamailio.cfg").stat().st_mode & 0o007 == 0
    assert town.product.cli(*asked) == said
    for row in before:
        town.do("update reach set number = %s where agent_id = %s", row.number, row.agent_id)


@pytest.mark.req("V4", "V6", "P2")
@pytest.mark.parametrize("dies", ["media", "supervisor"])
async def test_a_message_that_is_being_spoken_outlives_its_process(town: Town, dies: str) -> None:
    me = await town.agent()
    await town.api.put(f"/agents/{me['id']}/state", json={"state": "away", "reason": "lunch"})
    town.do("update queue_entry set state = 'left', left_at = now() where state in ('waiting', 'offered')")
    town.do("""update "case" set status = 'resolved', resolved_at = now() - interval '1 day'""")
    before = town.rows("select id from message where text like 'Voicemail%%'")
    caller = await town.gets_through()
    entered = "select c.key, e.case_id from queue_entry e join call c on c.interaction_id = e.interaction_id where c.ended_at is null"
    await until(lambda: _now(bool(town.rows(entered))))
    (call,) = town.rows(entered)
    folder = Path(town.product.data) / "calls"

    async def speaks() -> bool:
        sealed = list(folder.glob(f"**/*{call.key}-message*.sealed"))
        if not sealed:
            await caller.press("2")
        return any(one.stat().st_size > 2.2 * 16000 for one in sealed)

    await until(speaks, seconds=60)
    assert not list(folder.glob("**/*.wav"))
    town.product.kill(dies)
    if dies == "supervisor":
        town.product.start()
    told = "select m.id, m.case_id, m.interaction_id from message m where m.text like 'Voicemail%%' order by m.id"
    await until(lambda: _now(len(town.rows(told)) > len(before)), seconds=90)
    message = town.rows(told)[-1]
    assert message.case_id == call.case_id
    (kept,) = town.rows("select * from attachment where message_id = %s", message.id)
    assert kept.size > 2 * 16000
    waits = "select media_class from queue_entry where case_id = %s and state in ('waiting', 'offered')"
    await until(lambda: _now([row.media_class for row in town.rows(waits, call.case_id)] == ["mail"]), seconds=30)
    await until(lambda: _now(not list(folder.glob(f"**/*{call.key}*"))))
    await asyncio.sleep(3)  # what settles the call that was cut off has come round by then
    assert [row.media_class for row in town.rows(waits, call.case_id)] == ["mail"], "it still waits"
    assert len(town.rows(told)) == len(before) + 1, "it is there once"


@pytest.mark.req("V3", "V4", "W4")
async def test_a_flow_takes_a_message_by_ear_and_goes_on(town: Town) -> None:
    for queue in ("Repairs", "Street lights"):
        town.do("insert into queue (name) values (%s)", queue)
    async with standing(Settings(data=town.product.data)) as ground, ground.database.transaction() as tx:
        await flow_actions.add(tx, None, flows.written(BROKEN))
        await flow_actions.publish(tx, None, BROKEN.name)
    await town.answered_by(BROKEN.name)
    asked = "select facts -> 'turn' as turn from message where direction = 'out' and facts ? 'turn' order by id desc limit 1"

    async def asks(words: str) -> None:
        try:
            await until(
                lambda: _now(any(words in " ".join(row.turn["prompts"]) for row in town.rows(asked))), seconds=60
            )
        except TimeoutError as error:
            stands = (
                "select interaction_id, key, mode, ended_by from talk",
                "select state, outcome, cause from inbound order by id desc limit 5",
                "select key, state, interaction_id, reason from call",
            )
            raise AssertionError([words, *(town.rows(one) for one in stands)]) from error

    try:
        caller = await town.gets_through("+13605550188")  # who calls for the first time, meets the flow
        await asks("Your meter, please.")
        await caller.press("04211")  # and that this is right
        await asks("Tell us what is broken.")
        (call,) = town.rows("select key, interaction_id from call where ended_at is null")
        folder = Path(town.product.data) / "calls"

        def spoken() -> bool:
            return any(one.stat().st_size > 2.2 * 16000 for one in folder.glob(f"**/*{call.key}-message*.sealed"))

        await until(lambda: _now(spoken()), seconds=60)
        await caller.press("#")
        await asks("Is there more?")
        await caller.press("1")
        await until(lambda: _now(caller.ended.is_set()), seconds=60)
    finally:
        await town.answered_by("")
    (message,) = town.rows(
        "select * from message where interaction_id = %s and text like 'Voicemail%%'", call.interaction_id
    )
    (kept,) = town.rows("select * from attachment where message_id = %s", message.id)
    assert kept.size > 2 * 16000
    (run,) = town.rows("select state, outcome from flow_run where case_id = %s", message.case_id)
    assert (run.state["slots"]["meter"]["value"], run.outcome) == ("0421", "solved")
    waits = "select e.media_class, q.name from queue_entry e join queue q on q.id = e.queue_id where case_id = %s and state = 'waiting'"
    (entry,) = town.rows(waits, message.case_id)
    assert (entry.media_class, entry.name) == ("mail", "Repairs")
    assert not spoken()
