"""What a channel of calls may ask: the door of the process that moves sound (``call_contract.CallDoor``)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from everyline.call_contract import AgentLeg, CallNow, Deed, Order, Reach, Recorded
from everyline.calls import actions as calls
from everyline.calls import calling, recordings, sealing
from everyline.calls import queries as call_queries
from everyline.cases.models import Case
from everyline.cases.talks import LIVE
from everyline.channel_contract import Address, Line
from everyline.ground.database import DatabaseError, Row, Tx
from everyline.ground.errors import Conflict, ProductError
from everyline.ground.installation import Ground
from everyline.ground.live import Hub
from everyline.ground.words import _, language, speaking
from everyline.intake import self_service, talking
from everyline.intake.door import IntakeDoor
from everyline.lines import queries as line_queries
from everyline.media.errors import MediaError
from everyline.people import queries as people
from everyline.queues import actions as queues
from everyline.selfservice.running.library import Library
from everyline.speech.answers import Answers
from everyline.speech.errors import CannotHear
from everyline.speech.hearing import Understood

if TYPE_CHECKING:
    from everyline.media.engine import Engine
    from everyline.media.recording import Seal
    from everyline.media.sounds import Sound

log = logging.getLogger(__name__)

BEAT_SECONDS = 4.0
LOOK_SECONDS = 5.0  # between two looks for orders, when nobody said that there are any
AGAIN_SECONDS = 0.5


class Voices(Protocol):
    """Says words."""

    async def sound(self, words: str, language: str, otherwise: str) -> Sound:
        """As ``CallDoor.sound``; ``otherwise``: the language where there is no voice for the first."""

    async def music(self, queue: str) -> Sound:
        """As ``CallDoor.music``."""


class Browsers(Protocol):
    """The browsers whose sound is in this process."""

    def get(self, agent_id: int) -> AgentLeg | None:
        """An agent's."""

    async def answer(self, agent_id: int, offer: str) -> str:
        """Take one in: its description answered with ours."""

    def echo(self, agent_id: int, *, on: bool) -> None:
        """Have an agent hear themselves."""

    async def close(self, agent_id: int) -> None:
        """It is not wanted any more."""


class CallDoor(IntakeDoor):
    """The door of one process that moves sound. ``node`` is what the house calls the process."""

    def __init__(
        self,
        ground: Ground,
        hub: Hub,
        surveys: talking.Surveys,
        *,
        node: str,
        engine: Engine,
        voices: Voices,
        browsers: Browsers,
        answers: Answers | None = None,
    ) -> None:
        super().__init__(ground, hub, surveys)
        self.node = node
        self._engine, self._voices, self._browsers, self._answers = engine, voices, browsers, answers
        self._library = Library()
        self._wanted: dict[str, asyncio.Queue[Order]] = {}
        self._told: dict[str, tuple[Line, CallNow]] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._look = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._doing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to commit, to follow and to look for orders."""
        await super().start()
        self._tasks = [
            asyncio.create_task(self._beat(), name="sound beats"),
            asyncio.create_task(self._look_for_orders(), name="call orders"),
        ]

    async def stop(self) -> None:
        """End; what is still to be told is told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._doing, *self._telling.values(), return_exceptions=True)
        async with self._transaction() as tx:
            await calls.leave(tx, self.node)
            await calls.sweep(tx)
        await super().stop()

    @property
    def engine(self) -> Engine:
        return self._engine

    async def sound(self, line: Line, words: str, language: str) -> Sound:
        return await self._voices.sound(words, language or line.language, line.language)

    async def music(self, line: Line, queue: str) -> Sound:  # noqa: ARG002 -- as the contract has it
        return await self._voices.music(queue)

    def hears(self, language: str) -> bool:
        return self._answers is not None and self._answers.knows(language)

    async def hear(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood | None:
        try:
            return await self._answers.hear(sound, language, likely) if self._answers is not None else None
        except CannotHear:  # logged where it is heard
            return None

    def browser(self, agent_id: int) -> AgentLeg | None:
        return self._browsers.get(agent_id)

    async def reach(self, agent_id: int) -> Reach:
        async with self._transaction() as tx:
            found, _node = await call_queries.reach(tx, agent_id)
        return found

    # --- calls of telephones of ours

    async def whose(self, number: str) -> Reach | None:
        async with self._transaction() as tx:
            agent_id = await call_queries.whose(tx, number)
            return None if agent_id is None else (await call_queries.reach(tx, agent_id))[0]

    async def line_of(self, agent_id: int) -> Line:
        async with self._transaction() as tx:
            return self._as_seen(await calling.line_of(tx, agent_id))

    async def dial(self, line: Line, agent_id: int, number: str) -> Order:
        async with self._transaction() as tx:
            me = await people.me(tx, agent_id)
            if me is None:
                raise Conflict(_("You may not sign in any more."))
            begun = await calling.dialled(tx, me, number, line.id)
        return Order(0, begun.key, Deed.PLACE, agent_id, line, begun.values)

    # --- how calls stand

    async def tell(self, line: Line, sender: Address, call: CallNow) -> None:  # noqa: ARG002 -- as the contract has it
        """Only the newest of what is told is written when more was told meanwhile: it says all."""
        self._told[call.key] = (line, call)
        if call.key not in self._telling:
            self._telling[call.key] = asyncio.create_task(self._write(call.key), name=f"tell {call.key}")

    async def _write(self, key: str) -> None:
        while key in self._told:
            line, call = self._told[key]
            try:
                async with self._ground.database.transaction() as tx:
                    await calls.tell(tx, self.node, line.id, call)
            except (DatabaseError, OSError) as error:
                log.warning("call %s waits to be told: %s", key, type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except Exception:
                log.exception("call %s could not be told", key)
            if self._told[key][1] is call:
                del self._told[key]
        self._telling.pop(key, None)

    async def type_secret(self, line: Line, sender: Address, digits: str) -> None:
        async with self._transaction() as tx:
            row = await self._going_on(tx, line, sender)
            await self_service.type_secret(tx, self._ground, self._library, row, digits)

    async def answer_later(self, line: Line, sender: Address) -> None:
        async with self._transaction() as tx:
            row = await self._going_on(tx, line, sender)
            if row.mode != LIVE or row.in_hand:
                raise Conflict(_("Somebody talks with them already."))
            await queues.answer_later(tx, None, row.case_id, row.id, "transferred")

    async def wait_again(self, line: Line, sender: Address) -> None:
        async with self._transaction() as tx:
            row = await self._going_on(tx, line, sender)
            case = (await tx.rows(select(Case.queue_id, Case.owner_id).where(Case.id == row.case_id)))[0]
            if case.queue_id is None or case.owner_id is None:
                raise Conflict(_("Nobody has this talk in hand."))
            await queues.transfer(tx, case.owner_id, row.case_id, case.queue_id)

    async def give(self, line: Line, sender: Address, agent_id: int) -> None:
        async with self._transaction() as tx:
            row = await self._going_on(tx, line, sender)
            owner_id = await tx.value(select(Case.owner_id).where(Case.id == row.case_id))
            await queues.give(tx, owner_id or agent_id, row.case_id, agent_id)

    async def part(self, line: Line, sender: Address, agent_id: int) -> None:
        async with self._transaction() as tx:
            row = await self._going_on(tx, line, sender)
            await queues.hand_over(tx, row.id, agent_id)

    async def _going_on(self, tx: Tx, line: Line, sender: Address) -> Row:
        row = await talking.newest(tx, line.id, sender, lock=True)
        if row is None or row.ended_at is not None:
            raise Conflict(_("This talk has ended."))
        return row

    # --- orders

    async def orders(self, channel: str) -> AsyncIterator[Order]:
        """Orders for calls of a channel, as they come."""
        mine = self._wanted.setdefault(channel, asyncio.Queue())
        while True:
            yield await mine.get()

    async def done(self, order: Order, refused: str = "", answer: str = "") -> None:
        await self._settle(order.id, answer=answer, refused=refused)

    async def _settle(self, order_id: int, *, answer: str = "", refused: str = "") -> None:
        try:
            async with self._ground.database.transaction() as tx:
                await calls.settle(tx, order_id, answer=answer, refused=refused)
        except (DatabaseError, OSError) as error:  # who waits for it is told that nothing came of it
            log.warning("an order's end was not kept: %s", type(error).__name__)

    async def _look_for_orders(self) -> None:
        with self._ground.bus.hearing(self._hear_words_of_orders):
            while True:
                self._look.clear()
                try:
                    async with self._ground.database.transaction() as tx:
                        rows = await calls.take(tx, self.node)
                        for row in rows:
                            await self._hand_out(tx, row)
                except (DatabaseError, OSError) as error:
                    log.warning("orders wait: %s", type(error).__name__)
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look.set)
                await self._look.wait()
                timer.cancel()

    def _hear_words_of_orders(self, words: dict[str, object]) -> None:
        if words.get("kind") == calls.WORD:
            self._look.set()

    async def _hand_out(self, tx: Tx, row: Row) -> None:
        if not row.call_key:
            task = asyncio.create_task(self._for_browser(row), name=f"browser {row.deed}")
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)
            return
        line = await self._line_of(tx, row)
        if line is None or line.channel not in self._wanted:
            await calls.settle(tx, row.id, refused=_("This call has ended."))
            return
        order = Order(row.id, row.call_key, Deed(row.deed), row.agent_id, line, row.values)
        self._wanted[line.channel].put_nowait(order)

    async def _line_of(self, tx: Tx, row: Row) -> Line | None:
        line_id = row.values.get("line")
        if line_id is None:
            standing = await tx.first(call_queries.statements.line_of, {"key": row.call_key})
            line_id = standing.line_id if standing is not None else None
        if line_id is None:
            return None
        return self._as_seen(await line_queries.get(tx, line_id))

    def _as_seen(self, row: Row) -> Line:
        return line_queries.as_channel_sees(row, self._ground.vault, self._ground.signer)

    async def _for_browser(self, row: Row) -> None:
        answer, refused = "", ""
        with speaking(row.language or language()):
            try:
                if row.deed == calls.BROWSER:
                    answer = await self._browsers.answer(row.agent_id, str(row.values["offer"]))
                elif row.deed == calls.ECHO:
                    self._browsers.echo(row.agent_id, on=bool(row.values.get("on")))
                elif row.deed == calls.AWAY:
                    await self._browsers.close(row.agent_id)
            except ProductError as error:
                refused = str(error)
            except MediaError as error:  # a Janus that is gone, among others: the page tries again by itself
                log.warning("%s of the browser of agent %d: %s", row.deed, row.agent_id, error)
                refused = _("There is no way to your browser just now. It is tried again by itself.")
            except Exception:
                log.exception("%s of a browser", row.deed)
                refused = _("This did not work. Please try again.")
        await self._settle(row.id, answer=answer, refused=refused)

    async def _beat(self) -> None:
        while True:
            try:
                async with self._ground.database.transaction() as tx:
                    await calls.beat(tx, self.node, **self._holds())
                    await calls.sweep(tx)
            except (DatabaseError, OSError) as error:
                log.warning("the house was not told that sound is there: %s", type(error).__name__)
            await asyncio.sleep(BEAT_SECONDS)

    def _holds(self) -> dict[str, int]:
        """What would grow if something were forgotten."""
        engine = self._engine
        return {"legs": len(engine.legs), "mixes": len(engine.mixes), "tasks": len(asyncio.all_tasks())}

    # --- recordings

    def seal(self, key: str) -> Seal:
        return sealing.seal(self._ground.key, key)

    def unseal(self, key: str) -> Seal:
        return sealing.unseal(self._ground.key, key)

    async def keep_recording(self, line: Line, sender: Address, recorded: Recorded) -> None:  # noqa: ARG002 -- as the contract has it
        """The row and the file come before the file it was written to goes."""
        await self._until_told(sender.talk)
        await recordings.keep(self._ground, sender.talk, recorded)

    async def _until_told(self, key: str) -> None:
        task = self._telling.get(key)
        if task is not None:
            await asyncio.wait({task})
