"""A flow's step that takes a message: spoken in a call, written elsewhere; people answer it later, and the flow goes on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from everyline.channel_contract import Address, Raw
from everyline.channel_registry import channel
from everyline.channels.phone.piece import Piece
from everyline.channels.webchat import piece as webchat
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.intake import talking, telling
from everyline.intake.door import IntakeDoor
from everyline.lines import actions as lines
from everyline.queues import actions as queues
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Ask, Choose, Done, Flow, Option, Queue, Voicemail, words
from everyline.selfservice.renderings.seam import Setting
from everyline.selfservice.running.runner import Runner
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.trials import RENDERINGS, Trial
from tests.intake.test_calls import CALLER, NUMBER, Switchboard
from tests.intake.test_left_words import WAV, settle, waiting
from tests.selfservice.conftest import outside

pytestmark = pytest.mark.req("V3", "V4")

BROKEN = Flow(
    "broken",
    title=words("Something is broken"),
    start="meter",
    person="agent",
    queue="Street lights",
    steps=(
        Ask("meter", words=words("Your meter, please."), slot=Slot(Kind.DIGITS, "meter", least=4, most=4), to="tell"),
        Voicemail("tell", words=words("Tell us what is broken."), queue="Repairs", seconds=40, to="more"),
        Choose(
            "more",
            words=words("Is there more?"),
            options=(
                Option(name="no", words=words("Nothing else"), to="end"),
                Option(name="talk", words=words("I want to talk"), to="agent"),
            ),
        ),
        Done("end", words=words("We call you back.")),
        Queue("agent", words=words("A person answers you."), queue="Repairs"),
    ),
)


def test_only_a_call_asks_for_a_voice() -> None:
    trial = Trial.of(BROKEN, outside)
    trial.say("0421")
    shown: dict[str, Any] = {name: trial.rendered(name, Setting()) for name in RENDERINGS}
    heard = shown["voice"]
    assert heard.records == 40
    assert heard.prompts == (
        "Tell us what is broken.",
        "Please speak after the tone. When you are done, press the pound key or hang up.",
    )
    assert (heard.keys.least, heard.keys.most, heard.keys.end, heard.keys.person) == (0, 0, "#", "0")
    assert heard.as_json()["records"] == 40
    for name in ("chat", "page", "text", "typed"):
        said = shown[name].as_text()
        assert "TELL US WHAT IS BROKEN" in said.upper(), name
        assert "tone" not in said.casefold(), name
    assert shown["chat"].field is not None
    assert shown["chat"].field == shown["page"].field, "words are typed there"


def test_a_letterless_question_is_still_told_to_a_person_or_typed_elsewhere() -> None:
    asks = Flow(
        "one", start="a", steps=(Ask("a", words=words("Your street?"), slot=Slot(Kind.TEXT, "t"), to="b"), Done("b"))
    )
    heard: Any = Trial.of(asks, outside).rendered("voice")
    assert (heard.records, "To tell it to a person, press 0." in heard.as_text()) == (0, True)


class Line(Switchboard):
    """A line that the flow answers."""

    async def says(self, key: str, count: int, event: str, said: str = "") -> None:
        """The caller keys, or leaves words; the flow does what follows."""
        sound = {"seconds": 7.2, "sound": WAV} if event == "voicemail" else {}
        await self.hand_in(Piece(event=event, key=key, count=count, number=CALLER, text=said, **sound))
        await Runner(self.ground).round()

    async def talk(self, key: str) -> Any:
        """The talk as its caller knows it."""
        async with self.ground.database.transaction() as tx:
            row = await talking.newest(tx, self.line_id, Address("number", CALLER, "", key))
        assert row is not None
        return telling.talk(row, None, None, None)

    async def newest(self) -> Row:
        """What was told last: its text and its turn."""
        async with self.ground.database.transaction() as tx:
            return await tx.one(
                text(
                    "select text, facts -> 'turn' as turn from message where direction = 'out' order by id desc limit 1"
                )
            )

    async def entries(self) -> list[tuple[str, str]]:
        """What waits, and where."""
        async with self.ground.database.transaction() as tx:
            rows = await tx.rows(
                text(
                    "select q.name, e.media_class from queue_entry e join queue q on q.id = e.queue_id where e.state = 'waiting'"
                )
            )
        return [(row.name, row.media_class) for row in rows]

    async def case(self) -> Row:
        """The only case."""
        async with self.ground.database.transaction() as tx:
            return await tx.one(text('select id, status from "case"'))


@pytest.fixture
async def line(ground: Ground) -> Line:
    async with ground.database.transaction() as tx:
        await tx.execute(text("update queue set hours_id = null"))
        for name in ("Repairs", "Street lights"):
            await tx.execute(text("insert into queue (name) values (:name)"), {"name": name})
        await actions.add(tx, None, flows.written(BROKEN))
        await actions.publish(tx, None, BROKEN.name)
        asked = {"host": "127.0.0.2", "waits_alone": True}
        line_id = await lines.add(
            tx, ground.vault, None, channel_name="phone", address=NUMBER, name="Toll-free", settings=asked
        )
        await tx.execute(text("update line set flow = :flow where id = :id"), {"flow": BROKEN.name, "id": line_id})
    return Line(ground, line_id)


async def leaves_a_message(line: Line) -> str:
    """A caller types their meter and leaves words."""
    key = await line.calls()
    await line.says(key, 2, "keyed", "0421")
    assert (await line.newest()).turn["records"] == 40
    await line.says(key, 3, "voicemail")
    return key


async def test_a_message_waits_as_mail_with_what_was_collected_while_the_flow_goes_on(line: Line) -> None:
    key = await leaves_a_message(line)
    assert await line.entries() == [("Repairs", "mail")]
    assert (await line.newest()).text.startswith("Is there more?")
    talk = await line.talk(key)
    assert (talk.phase, talk.in_flow) == ("mail", True)
    async with line.ground.database.transaction() as tx:
        run = await tx.one(text("select state, case_id from flow_run"))
        kept = await tx.column(text("select name from attachment"))
    assert run.state["slots"]["meter"]["value"] == "0421"
    assert run.case_id == (await line.case()).id
    assert kept == [f"voicemail-{key[:8]}.wav"]
    await line.says(key, 4, "keyed", "1")
    assert (await line.newest()).text == "We call you back."
    talk = await line.talk(key)
    assert (talk.phase, talk.in_flow) == ("mail", False)
    await settle(line.ground)
    assert await line.entries() == [("Repairs", "mail")], "that the flow is over settles nothing"
    assert (await line.case()).status == "new"


async def test_who_hangs_up_after_the_message_is_answered_later(line: Line) -> None:
    key = await leaves_a_message(line)
    await line.hangs_up(key)
    await settle(line.ground)
    assert await line.entries() == [("Repairs", "mail")]


async def test_who_wants_a_person_after_the_message_waits_live(line: Line) -> None:
    key = await leaves_a_message(line)
    await line.says(key, 4, "keyed", "2")
    assert await line.entries() == [("Repairs", "call")]
    talk = await line.talk(key)
    assert (talk.phase, talk.in_flow) == ("waiting", False)
    await line.hangs_up(key)
    await settle(line.ground)
    assert await waiting(line) == [("mail", "new")], "their message is not lost with their patience"


async def test_a_call_that_is_cut_off_between_message_and_flow_is_answered_later(line: Line) -> None:
    key = await line.calls()
    await line.says(key, 2, "keyed", "0421")
    await line.hand_in(Piece(event="voicemail", key=key, count=3, number=CALLER, seconds=7.2, sound=WAV))
    async with line.ground.database.transaction() as tx:
        case_id = await tx.value(text('select id from "case"'))
        await queues.end_talk(tx, None, case_id, "gone")
    await Runner(line.ground).round()
    await settle(line.ground)
    assert await waiting(line) == [("mail", "new")]


@pytest.mark.parametrize("settled", [False, True])
async def test_a_message_that_comes_behind_a_call_that_was_cut_off_waits_where_the_step_leads(
    line: Line, settled: bool
) -> None:
    key = await line.calls()
    await line.says(key, 2, "keyed", "0421")
    async with line.ground.database.transaction() as tx:
        case_id = await tx.value(text('select id from "case"'))
        await queues.end_talk(tx, None, case_id, "gone")
    if settled:
        await settle(line.ground)
    await line.hand_in(Piece(event="voicemail", key=key, count=3, number=CALLER, seconds=7.2, sound=WAV))
    await settle(line.ground)
    assert await line.entries() == [("Repairs", "mail")]
    async with line.ground.database.transaction() as tx:
        run = await tx.one(text("select state, case_id from flow_run"))
    assert (run.case_id, run.state["slots"]["meter"]["value"]) == (case_id, "0421"), "agents see what was collected"


async def test_what_is_written_in_a_chat_waits_when_the_flow_is_over(ground: Ground, line: Line) -> None:
    async with ground.database.transaction() as tx:
        line_id = await lines.add(
            tx, ground.vault, None, channel_name="webchat", address="help", name="Chat", settings={"waits_alone": True}
        )
        await tx.execute(text("update line set flow = :flow where id = :id"), {"flow": BROKEN.name, "id": line_id})
    chat = Switchboard(ground, line_id)
    for number, said in enumerate(("hello", "0421", "The lamp at the pier.", "Nothing else")):
        door = IntakeDoor(ground)
        await door.start()
        written = webchat.Utterance(
            visitor="v-0123456789abcdef01234567", client_id=f"said{number:08}", text=said, language="en"
        )
        body = written.as_bytes()
        await door.keep(line_id, Raw(channel("webchat").identify(body), body))
        await door.stop()
        await chat.process()
        await Runner(ground).round()
    assert (await line.newest()).text == "We call you back."
    assert await line.entries() == [("Repairs", "mail")]
    assert (await line.case()).status == "new"
