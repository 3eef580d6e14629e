"""One call: who is in it, how it stands, and what its caller hears and presses. Stages of its life stand in files of their own."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from everyline.call_contract import CallNow, CallState, Direction, LegKind, LegState
from everyline.channel_contract import Address, Line, Raw, Talk, TalkMessage
from everyline.channels.phone import piece
from everyline.channels.phone.parties import Party
from everyline.channels.phone.piece import Piece
from everyline.channels.phone.taping import Tape
from everyline.ground import clock
from everyline.ground.words import language, speaking

if TYPE_CHECKING:
    from everyline.channels.phone.house import House
    from everyline.media.legs import Leg
    from everyline.media.sounds import Playing

Words: TypeAlias = str | tuple[str, str]  # in the language spoken now, or with another
log = logging.getLogger(__name__)
MOST_KEYS = 200  # pressed ahead of what asks for them


def new_key() -> str:
    """The key of a call: nobody outside can make one up."""
    return secrets.token_hex(12)


class OneCall:
    """A call, from its first ring until nobody is left in it."""

    def __init__(self, house: House, line: Line, sender: Address, direction: Direction, *, dialled: str = "") -> None:
        self.house, self.line, self.sender, self.direction, self.dialled = house, line, sender, direction, dialled
        self.key = sender.talk
        self.language = line.language
        self.diverted_from = ""
        self.began_at = clock.now()
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.ended_by = self.reason = ""
        self.state = CallState.RINGING
        self.talk: Talk | None = None
        self.begun: asyncio.Task[bool] | None = None  # whether its first piece was kept
        self.turns: deque[TalkMessage] = deque()
        self.newest = 0  # of the messages that were told
        self.last_words = False  # a turn is played that asks nothing
        self.handed_over: int | None = None  # the agent who left the caller with somebody else
        self.moved, self.turned, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.keys: asyncio.Queue[str] = asyncio.Queue(MOST_KEYS)
        self.ahead = ""  # keys that the turn before did not need
        self.long_enough = False  # it leaves a case
        self.goes_on = False  # the talk outlasts the call: they left a message, or are called back
        self.passing: Party | None = None  # whom they are being passed on to, until somebody answers there
        self.held = False  # the caller hears music while others talk
        self.mix = house.engine.mix()
        self.tape = Tape(house.engine, house.door, house.folder, line, sender)
        self.others: dict[str, Party] = {}
        self.customer = Party("customer", LegKind.CUSTOMER, None, self.changed, keyed=self.pressed)
        self.customer.number = sender.address if sender.kind == "number" else ""
        self.customer.shown = sender.name or (piece.shown(self.customer.number) if self.customer.number else "")
        self.scenes: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()  # one order after the other
        self._count = 0
        self._names: dict[LegKind, int] = {}
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- who is in it

    @property
    def leg(self) -> Leg:
        """The caller's leg. LookupError before there is one."""
        if self.customer.leg is None:
            raise LookupError("the caller has no leg")
        return self.customer.leg

    def agent(self, agent_id: int) -> Party | None:
        """An agent's part in it, when they have one."""
        found = [one for one in self.others.values() if one.agent_id == agent_id and one.state is not LegState.GONE]
        return found[0] if found else None

    def name_for(self, kind: LegKind) -> str:
        """A name for another leg."""
        self._names[kind] = self._names.get(kind, 0) + 1
        return f"{kind.value}-{self._names[kind]}"

    def left_by(self, agent_id: int) -> bool:
        """Did this agent leave the caller with somebody else?"""
        return self.handed_over == agent_id

    def present(self) -> list[Party]:
        """Who is in it beside the caller and those who only listen."""
        here = (LegState.IN, LegState.APART, LegState.HELD)
        return [one for one in self.others.values() if one.state in here and one.kind is not LegKind.SUPERVISOR]

    # --- how it stands

    def changed(self) -> None:
        """Something of it is otherwise: tell it soon."""
        self._news.set()

    def now(self) -> CallNow:
        """How it stands."""
        wire, agreed = self.customer.wire, self.customer.leg.agreement if self.customer.leg else None
        return CallNow(
            self.key,
            self.direction,
            self.state,
            self.began_at,
            number=self.customer.number,
            dialled=self.dialled,
            trunk=wire.trunk if wire else "",
            codec=agreed.codec.name if agreed else "",
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
            reason=self.reason,
            legs=tuple(one.now() for one in (self.customer, *self.others.values())),
            keeping=self.tape.keeping,
            talk_id=self.talk.id if self.talk else None,
        )

    async def telling(self) -> None:
        """Tell how it stands whenever that changes, for as long as it lasts."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.house.door.tell(self.line, self.sender, self.now())

    def ends(self, by: str, reason: str = "") -> None:
        """It is over. Only the first time counts."""
        if not self.over.is_set():
            self.ended_by, self.reason = by, reason
            self.over.set()

    # --- what goes on in it

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something for as long as the call lasts."""
        task = self.house.start(work, f"{name} of call {self.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop_all(self) -> None:
        """Cancel all that goes on in it."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self, event: str, text: str = "", *, seconds: float = 0, sound: bytes = b"") -> None:
        """Keep something that the caller did. Raises Refused, OSError."""
        self._count += 1
        first = event in ("begin", "voicemail")
        body = Piece.model_validate(
            {
                "event": event,
                "key": self.key,
                "count": self._count,
                "number": self.customer.number,
                "name": self.sender.name,
                "dialled": self.dialled if first else "",
                "diverted_from": self.diverted_from if first else "",
                "language": self.language,
                "text": text,
                "seconds": seconds,
                "sound": sound,
            }
        ).as_bytes()
        await self.house.door.accept(self.line, Raw(piece.identify(body), body, writer=self.key))

    # --- what the caller hears and presses

    def pressed(self, key: str) -> None:
        """The caller pressed a key; who asks for one finds it."""
        if not self.keys.full():
            self.keys.put_nowait(key)

    def forget_keys(self) -> None:
        """What was pressed before this means nothing any more."""
        self.ahead = ""
        while not self.keys.empty():
            self.keys.get_nowait()

    async def play(self, words: Sequence[Words]) -> Playing | None:
        """Begin to say these; the last of what is played, when there is anything."""
        found: Playing | None = None
        spoken = [(one, language()) if isinstance(one, str) else one for one in words]
        sounds = [await self.house.door.sound(self.line, text, which) for text, which in spoken if text]
        for sound in sounds:
            if not self.leg.closed:
                found = self.leg.play(sound)
        return found

    async def say(self, *words: Words) -> None:
        """Say these to their end. Cut off when whoever says them is."""
        last = await self.play(words)
        try:
            if last is not None:
                await last.ended()
        except asyncio.CancelledError:
            if not self.leg.closed:
                self.leg.stop_prompts()
            raise

    async def ask(self, words: Sequence[Words], *, seconds: float = 5.0) -> str:
        """Say these and wait for a key, which cuts them off; empty: none came so long after their end."""
        last = await self.play(words)
        key = asyncio.ensure_future(self.keys.get())
        try:
            if last is not None:
                ended = asyncio.ensure_future(last.ended())
                await asyncio.wait({key, ended}, return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
            if not key.done():
                await asyncio.wait({key}, timeout=seconds)
            return key.result() if key.done() else ""
        finally:
            key.cancel()
            if not self.leg.closed:
                self.leg.stop_prompts()

    @property
    def queue(self) -> str:
        """Where their case is; empty: nowhere yet."""
        return self.talk.queue if self.talk is not None else ""

    async def music(self) -> None:
        """From now on the caller hears music between words, where the line has some."""
        if self.line.settings.music:
            try:
                sound = await self.house.door.music(self.line, self.queue)
            except OSError as error:
                log.warning("no music for now: %s", error)
                return
            if not self.leg.closed:
                self.leg.music = self.house.music(sound)

    def silence(self) -> None:
        """No music any more."""
        if not self.leg.closed:
            self.leg.music = None

    def for_caller(self) -> Any:
        """Speak the caller's language within the block."""
        return speaking(self.language)
