"""Runs of callers: turns by ear in their talk, and secrets that stand nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from everyline.cases.talks import FLOW
from everyline.channels.phone.conversation import Conversation
from everyline.channels.phone.dialogue import Dialogue
from everyline.channels.phone.effects import Answer, Play
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.intake import self_service
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Ask, Done, Flow, Queue, Say, words
from everyline.selfservice.identity import Who
from everyline.selfservice.running import linking, telling
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import Begins, Move, begin_all, move_all
from everyline.selfservice.running.runner import Runner
from everyline.selfservice.running.talking import SAID
from everyline.selfservice.slots import Kind, Slot, Value
from everyline.selfservice.walking import Said
from everyline.speech.hearing import Ear

pytestmark = pytest.mark.req("V3")

PIN = "739158"  # as nothing else is called

METER = Flow(
    "meter",
    title=words("Meter reading"),
    start="hello",
    person="agent",
    steps=(
        Say("hello", words=words("Welcome to Harbor Water."), to="pin"),
        Ask("pin", words=words("Please type your PIN."), slot=Slot(Kind.SECRET, "pin", least=6, most=6), to="reading"),
        Ask(
            "reading",
            words=words("What does your meter show?"),
            slot=Slot(Kind.DIGITS, "r", least=4, most=6),
            to="street",
        ),
        Ask("street", words=words("Which street?"), slot=Slot(Kind.ADDRESS, "street"), to="end"),
        Done("end", words=words("Thank you, {r} was kept.")),
        Queue("agent", words=words("A person answers you.")),
    ),
)


class Call:
    """A call that the flow answers."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.library = ground, Library()

    async def begin(self, flow: str = METER.name) -> None:
        """The line is answered by the meter's flow, or by another that is there."""
        async with self.ground.database.transaction() as tx:
            if flow == METER.name:
                await actions.add(tx, None, flows.written(METER))
                await actions.publish(tx, None, METER.name)
            queue_id = await tx.value(text("insert into queue (name) values ('Calls') returning id"))
            line_id = await tx.value(
                text(
                    "insert into line (channel, address, name, queue_id) values ('phone', '+18005550100', 'Toll-free', :q) returning id"
                ),
                {"q": queue_id},
            )
            customer_id = await tx.value(text("insert into customer (name) values ('Jane Doe') returning id"))
            self.case_id = await tx.value(
                text('insert into "case" (customer_id, subject, queue_id) values (:c, :s, :q) returning id'),
                {"c": customer_id, "s": "A call", "q": queue_id},
            )
            self.id = await tx.value(
                text(
                    "insert into interaction (case_id, line_id, channel, media_class, started_at) "
                    "values (:case, :line, 'phone', 'call', now()) returning id"
                ),
                {"case": self.case_id, "line": line_id},
            )
            await tx.execute(
                text("insert into talk (interaction_id, mode, key) values (:id, :mode, 'k1')"),
                {"id": self.id, "mode": FLOW},
            )
            who = Who(channel="phone")
            silent = dict.fromkeys((self_service.FIRST, SAID), Value(Kind.TEXT, ""))  # callers begin without a word
            begins = Begins(flow, who, silent, interaction_id=self.id, case_id=self.case_id)
            (stands,) = await begin_all(tx, self.ground.vault, self.library, [begins])
            self.run_id = stands.run.id
            await telling.tell(tx, self.ground, self.library, stands)

    async def talk(self, tx: Tx) -> Row:
        return await tx.one(statements.talk, {"id": self.id})

    async def say(self, words: str) -> None:
        """What was keyed comes as a piece, and moves the run in the open."""
        async with self.ground.database.transaction() as tx:
            move = Move(self.run_id, Said(words), openly=True)
            for stands in await move_all(tx, self.ground.vault, self.library, [move]):
                await telling.tell(tx, self.ground, self.library, stands)

    async def type_secret(self, digits: str) -> None:
        async with self.ground.database.transaction() as tx:
            row = await self.talk(tx)
            await self_service.type_secret(tx, self.ground, self.library, row, digits)

    async def told(self) -> tuple[str, dict[str, Any]]:
        """The newest message: its text, and its turn."""
        async with self.ground.database.transaction() as tx:
            row = await tx.one(
                text("select text, facts from message where interaction_id = :id order by id desc limit 1"),
                {"id": self.id},
            )
            return row.text, row.facts["turn"]


@pytest.fixture
async def call(ground: Ground) -> Call:
    made = Call(ground)
    await made.begin()
    return made


async def everything(ground: Ground) -> dict[str, str]:
    """All that stands in the database, by table and column."""
    found = {}
    async with ground.database.transaction() as tx:
        columns = await tx.rows(
            text(
                "select table_schema as folder, table_name as name, column_name as part, data_type as kind "
                "from information_schema.columns c join information_schema.tables t using (table_schema, table_name) "
                "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') "
                "and data_type in ('text', 'json', 'jsonb', 'bytea', 'character varying', 'ARRAY', 'tsvector')"
            )
        )
        for one in columns:
            column, table = f'"{one.part}"', f'"{one.folder}"."{one.name}"'
            shown = f"encode({column}, 'escape')" if one.kind == "bytea" else f"{column}::text"
            parts = await tx.column(text(f"select {shown} from {table} where {column} is not null"))
            found[f"{one.name}.{one.part}"] = "\n".join(parts)
    return found


async def test_a_caller_hears_the_turn_and_its_keys_come_with_it(call: Call) -> None:
    said, turn = await call.told()
    assert said == "Welcome to Harbor Water.\nPlease type your PIN."
    assert turn["prompts"] == ["Welcome to Harbor Water.", "Please type your PIN."]
    assert (turn["keys"]["least"], turn["keys"]["most"], turn["silent_recording"]) == (6, 6, True)
    assert "/go/" not in said, "what is keyed need not be typed on a page"


async def test_a_secret_that_is_keyed_moves_the_run_and_stands_nowhere(call: Call, ground: Ground) -> None:
    dialogue = Dialogue((await call.told())[1], "en", ahead=PIN)
    (answer,) = dialogue.begin(0)
    assert answer == Answer(PIN, secret=True)
    await call.type_secret(PIN)
    said, turn = await call.told()
    assert said.startswith("What does your meter show?")
    assert turn["reads_back"] is True
    await call.say("0421")
    shown = await everything(ground)
    assert "flow_run.state" in shown
    assert "message.facts" in shown
    assert any("0421" in parts for parts in shown.values()), "what is no secret is found where this looks"
    assert {name: parts for name, parts in shown.items() if PIN in parts} == {}


async def test_a_secret_in_the_open_is_not_taken(call: Call) -> None:
    await call.say(PIN)
    assert (await call.told())[0] == "Welcome to Harbor Water.\nPlease type your PIN."


async def test_only_a_secret_is_keyed_in_secret(call: Call, ground: Ground) -> None:
    await call.type_secret("12")
    assert (await call.told())[0].startswith("That does not have the right length.")
    await call.type_secret(PIN)
    with pytest.raises(Conflict):
        await call.type_secret("0421")
    async with ground.database.transaction() as tx:
        state = await tx.value(text("select state::text from flow_run"))
        await tx.execute(text("update flow_run set ended_at = now()"))
    assert "0421" not in state
    with pytest.raises(Conflict):
        await call.type_secret("0421")


async def test_what_cannot_be_keyed_leads_on_by_a_code_that_works(call: Call, ground: Ground) -> None:
    await call.type_secret(PIN)
    await call.say("0421")
    said, turn = await call.told()
    assert "To tell it to a person, press 0." in said
    code = said.split("type this code: ")[1].split(".")[0].replace(" ", "").replace(",", "")
    assert len(code) == 8
    dialogue = Dialogue(turn, "en")
    (played,) = dialogue.begin(0)
    assert isinstance(played, Play)
    async with ground.database.transaction() as tx:
        assert await linking.type_in(tx, ground.key, code) == call.run_id


async def test_nought_leads_to_people_and_no_mailbox_is_asked_for(call: Call, ground: Ground) -> None:
    await call.say("0")
    await Runner(ground).round()
    async with ground.database.transaction() as tx:
        told = await tx.column(text("select text from message where interaction_id = :id order by id"), {"id": call.id})
        assert await tx.value(text("select count(*) from queue_entry where interaction_id = :id"), {"id": call.id}) == 1
    assert told[-1].splitlines() == ["A person answers you.", "Nobody is here right now."]


async def spoken(call: Call, *, on: bool = True) -> None:
    async with call.ground.database.transaction() as tx:
        settings = json.dumps({"host": "sip.example", "spoken_answers": on})
        await tx.execute(text("update line set settings = cast(:settings as jsonb)"), {"settings": settings})


async def test_callers_may_speak_where_the_line_lets_them_and_their_language_is_heard(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await spoken(call)
    await call.type_secret(PIN)
    assert "Say it" not in (await call.told())[0], "nothing hears"
    monkeypatch.setattr(Ear, "installed", lambda _settings: Ear(tmp_path))
    await call.say("what?")
    await call.say("4711")
    words, turn = await call.told()
    assert (words, turn["listens"]) == ("Which street?", "address")
    heard = Conversation(turn, "en")
    heard.words("12 Harbor Street, Springfield", 1.0)
    (answer,) = (one for one in heard.words("yes", 2.0) if isinstance(one, Answer))
    await call.say(answer.text)
    assert (await call.told())[0] == "Thank you, 4 7 1 1 was kept."


async def test_where_the_line_does_not_let_them_it_is_as_without_an_ear(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await spoken(call, on=False)
    monkeypatch.setattr(Ear, "installed", lambda _settings: Ear(tmp_path))
    await call.type_secret(PIN)
    await call.say("4711")
    words, turn = await call.told()
    assert "This cannot be typed on a telephone." in words
    assert turn["listens"] is None
