"""A door in memory, telephones on real sockets, and the house between them: real signalling and real sound on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from everyline.call_contract import AgentLeg, CallNow, Deed, Order, Reach, Recorded
from everyline.channel_contract import (
    Address,
    Line,
    Person,
    Raw,
    Standing,
    Talk,
    TalkMessage,
    TalkNews,
    TalkSoFar,
    Wait,
)
from everyline.channels.phone.call import new_key
from everyline.channels.phone.piece import Piece
from everyline.channels.phone.receiver import Telephone
from everyline.channels.phone.settings import InstallSettings, PhoneSettings
from everyline.ground import clock
from everyline.ground.errors import Conflict
from everyline.media import dtmf, sdp
from everyline.media.codecs import PCMU, Codec
from everyline.media.engine import Engine
from everyline.media.g711 import Samples
from everyline.media.legs import Leg
from everyline.media.pulse import Pulse
from everyline.media.recording import Seal
from everyline.media.sounds import Sound
from everyline.sip.calls import Call
from everyline.sip.events import Answered, Ended, Offered, Ringing
from everyline.sip.exchange import Listening, SipExchange
from everyline.sip.incoming import IncomingCall
from everyline.sip.numbers import NumberRules
from everyline.sip.placed import Caller
from everyline.sip.trunks import Trunk
from everyline.speech.hearing import Understood
from tests.media.tones import level, tone
from tests.media.world import Phone

NUMBER = "+18005550199"
CALLER = "+13605550142"
FAR = "127.0.0.2"
MUSIC = 330.0
MUSIC_OF = {"Permits": 700.0}  # a queue with its own
WORDS = tuple(
    float(500 + 37 * n) for n in range(60)
)  # what words sound like, in the order in which they are first said


class NoSigner:
    """Signs in plain sight."""

    def sign(self, case_id: int) -> str:
        return f"signed{case_id:012d}"

    def case_of(self, token: str) -> int | None:
        return int(token[6:]) if token.startswith("signed") and token[6:].isdecimal() else None

    def __hash__(self) -> int:
        return 1


def a_line(number: str = NUMBER, *, id: int = 1, language: str = "en", **asked: Any) -> Line:
    """A line of the house."""
    return Line(id, "phone", number, "Harbor help", language, PhoneSettings(**{"host": FAR, **asked}), NoSigner())


def a_talk(phase: str = "waiting", **more: Any) -> Talk:
    """A talk as its caller may know it."""
    values: dict[str, Any] = {
        "id": 1, "number": 10042, "subject": "Call", "queue": "Water", "began_at": clock.now(), "ended_at": None, "ended_by": "",
        "place": None, "wait": None, "agent": None, "read_upto": 0, "seen_upto": 0, "mailbox": "", "warned": False,
    }  # fmt: skip
    return Talk(phase=phase, **{**values, **more})


class Ear:
    """Somebody's ear on a talk of the double."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[TalkNews] = asyncio.Queue()
        self.over = False

    async def news(self, seconds: float) -> TalkNews | None:
        try:
            async with asyncio.timeout(seconds):
                return await self.waiting.get()
        except TimeoutError:
            return None

    def close(self) -> None:
        """Nothing to give back."""


@dataclass
class Browser:
    """An agent's browser: a telephone that is always there."""

    leg: Leg
    phone: RealPhone
    ready: bool = True


@dataclass
class DoorDouble:
    """CallDoor, in memory. ``pieces`` by the call's key; a test says how talks go by ``goes``, ``asks`` and ``orders``."""

    engine: Engine
    open_lines: list[Line]
    pieces: list[Piece] = field(default_factory=list)
    told: dict[str, list[CallNow]] = field(default_factory=dict)
    spoken: dict[tuple[str, str], Sound] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    parted: list[int] = field(default_factory=list)
    kept: list[tuple[Recorded, bytes]] = field(default_factory=list)
    done_with: dict[int, str] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)
    reaches: dict[int, Reach] = field(default_factory=dict)
    browsers: dict[int, Browser] = field(default_factory=dict)
    ears: dict[str, Ear] = field(default_factory=dict)
    talks: dict[str, Talk] = field(default_factory=dict)
    begins: Callable[[str], Talk | None] = lambda _key: a_talk()
    refuses: list[Exception] = field(default_factory=list)  # what the next pieces meet
    may_not: list[Exception] = field(default_factory=list)  # what the next calls of telephones meet
    dialled: list[tuple[int, str]] = field(default_factory=list)  # which agents' telephones called whom
    cannot_keep: bool = False
    is_open: bool = True
    health: list[str] = field(default_factory=list)
    # what hears spoken English, and what it was given: seconds, and the words that may come
    answers_heard: Callable[[bytes, Sequence[str]], Awaitable[Understood | None]] | None = None
    heard: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    _orders: asyncio.Queue[Order] = field(default_factory=asyncio.Queue)
    _numbers: int = 0

    # --- what a test says

    def goes(self, key: str, phase: str, **more: Any) -> None:
        """A talk goes on so."""
        self.talks[key] = a_talk(phase, **more)
        self.ear(key).waiting.put_nowait(TalkNews(talk=self.talks[key]))

    def asks(
        self, key: str, *prompts: str, keys: Mapping[str, Any] | None = None, talk: Talk | None = None, **more: Any
    ) -> None:
        """A flow has its turn."""
        turn = {"prompts": list(prompts), "keys": keys, **more}
        self._numbers += 1
        message = TalkMessage(self._numbers, own=False, agent=None, at=clock.now(), text=" ".join(prompts), turn=turn)
        self.ear(key).waiting.put_nowait(TalkNews(messages=((str(self._numbers), message),), talk=talk))

    def order(self, key: str, deed: Deed, agent_id: int = 7, **values: Any) -> int:
        """Somebody wants something of a call."""
        self._numbers += 1
        self._orders.put_nowait(Order(self._numbers, key, deed, agent_id, self.open_lines[0], values))
        return self._numbers

    async def ordered(self, key: str, deed: Deed, agent_id: int = 7, **values: Any) -> str:
        """The same, and what came of it."""
        number = self.order(key, deed, agent_id, **values)
        await until(lambda: number in self.done_with, "the order is answered")
        return self.done_with[number]

    def ear(self, key: str) -> Ear:
        """The ear of a call."""
        return self.ears.setdefault(key, Ear())

    def hertz(self, words: str, language: str = "en") -> float:
        """What words sound like. KeyError when they were never asked for."""
        return WORDS[list(self.spoken).index((words, language))]

    @property
    def events(self) -> list[str]:
        """The events of the pieces."""
        return [piece.event for piece in self.pieces]

    def now(self, key: str) -> CallNow:
        """How a call stood last."""
        return self.told[key][-1]

    # --- the contract

    async def accept(self, line: Line, raw: Raw, *, cursor: Mapping[str, Any] | None = None) -> bool:
        if self.refuses:
            raise self.refuses.pop(0)
        piece = Piece.model_validate_json(raw.body)
        self.pieces.append(piece)
        if piece.event == "begin" and piece.key not in self.talks and (talk := self.begins(piece.key)) is not None:
            self.talks[piece.key] = talk
            self.ear(piece.key).waiting.put_nowait(TalkNews(talk=talk))
        return True

    async def lines(self, channel: str) -> list[Line]:
        return list(self.open_lines)

    async def healthy(self, line: Line) -> None:
        self.health.append("")

    async def failed(self, line: Line, error: str) -> None:
        self.health.append(error)

    async def arrived(self, line: Line, external_id: str, *, seconds: float) -> bool:
        return any(piece.event == "probe" for piece in self.pieces)

    def follow(self, line: Line, sender: Address, language: str, after: str) -> Ear:
        return self.ear(sender.talk)

    async def talk(self, line: Line, sender: Address, language: str, *, before: int = 0, most: int = 50) -> TalkSoFar:
        return TalkSoFar(self.talks.get(sender.talk), (), earlier=False, position="")

    async def seen(self, line: Line, sender: Address, upto: int) -> None:
        """Nobody counts."""

    async def standing(self, line: Line, language: str) -> Standing:
        words = "We are here." if self.is_open else "We are closed until nine."
        return Standing(self.is_open, self.is_open, words, "", "", None, ())

    async def end(self, line: Line, sender: Address) -> Talk:
        if sender.talk not in self.talks or self.talks[sender.talk].phase == "ended":
            raise Conflict("There is no talk.")
        self.ended.append(sender.talk)
        self.talks[sender.talk] = a_talk("ended", ended_by="customer")
        return self.talks[sender.talk]

    async def ask_callback(self, line: Line, sender: Address, number: str) -> Talk:
        self.callbacks.append(number)
        self.goes(sender.talk, "mail")
        return self.talks[sender.talk]

    async def answer_later(self, line: Line, sender: Address) -> None:
        if self.talks[sender.talk].phase != "waiting":
            raise Conflict("They do not wait.")
        self.later.append(sender.talk)
        self.goes(sender.talk, "mail")

    async def wait_again(self, line: Line, sender: Address) -> None:
        if self.talks[sender.talk].phase == "ended":
            raise Conflict("The talk has ended.")
        self.again.append(sender.talk)
        self.goes(sender.talk, "waiting", place=1)

    async def give(self, line: Line, sender: Address, agent_id: int) -> None:
        if self.talks[sender.talk].phase == "ended":
            raise Conflict("The talk has ended.")
        self.given.append(agent_id)
        self.goes(sender.talk, "talking", agent_id=agent_id)

    async def part(self, line: Line, sender: Address, agent_id: int) -> None:
        if self.talks[sender.talk].phase == "ended":
            raise Conflict("The talk has ended.")
        self.parted.append(agent_id)

    async def type_secret(self, line: Line, sender: Address, digits: str) -> None:
        self.secrets.append(digits)

    async def sound(self, line: Line, words: str, language: str) -> Sound:
        self.said.append(words)
        if (words, language) not in self.spoken:
            self.spoken[words, language] = Sound.of(tone(WORDS[len(self.spoken)], 0.4), name=words)
        return self.spoken[words, language]

    def hears(self, language: str) -> bool:
        return self.answers_heard is not None and language == "en"

    async def hear(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood | None:
        assert self.answers_heard is not None
        self.heard.append((len(sound) / 16_000, tuple(likely)))
        return await self.answers_heard(sound, likely)

    async def music(self, line: Line, queue: str) -> Sound:
        hertz = MUSIC_OF.get(queue, MUSIC)
        found: dict[float, Sound] = self.__dict__.setdefault("_music", {})
        if hertz not in found:
            found[hertz] = Sound.of(tone(hertz, 1.0), name="music")
        return found[hertz]

    async def tell(self, line: Line, sender: Address, call: CallNow) -> None:
        self.told.setdefault(call.key, []).append(call)

    async def orders(self, channel: str) -> AsyncIterator[Order]:
        while True:
            yield await self._orders.get()

    async def done(self, order: Order, refused: str = "", answer: str = "") -> None:
        self.answers[order.id] = answer
        self.done_with[order.id] = refused

    async def whose(self, number: str) -> Reach | None:
        return next((one for one in self.reaches.values() if one.number == number), None)

    async def line_of(self, agent_id: int) -> Line:
        return self.open_lines[0]

    async def dial(self, line: Line, agent_id: int, number: str) -> Order:
        if self.may_not:
            raise self.may_not.pop(0)
        self.dialled.append((agent_id, number))
        key = new_key()
        self.goes(key, "talking", agent_id=agent_id)
        return Order(0, key, Deed.PLACE, agent_id, line, {"number": number, "language": line.language})

    async def reach(self, agent_id: int) -> Reach:
        return self.reaches.get(agent_id) or Reach(agent_id, f"Agent {agent_id}")

    def browser(self, agent_id: int) -> AgentLeg | None:
        return self.browsers.get(agent_id)

    def seal(self, key: str) -> Seal:
        return lambda _number, content: bytes(one ^ 0x5A for one in content)

    def unseal(self, key: str) -> Seal:
        return self.seal(key)

    async def keep_recording(self, line: Line, sender: Address, recorded: Recorded) -> None:
        if self.cannot_keep:
            raise OSError("the disk is full")
        self.kept.append((recorded, recorded.path.read_bytes()))


async def until(true: Callable[[], bool], what: str = "it is so", seconds: float = 40) -> None:
    """Wait until it is so; what is waited for happens in other threads and on sockets too."""
    try:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 -- see above
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise AssertionError(f"never: {what}") from error


class RealPhone(Phone):
    """A telephone that lives by the real clock."""

    def __init__(self, host: str = FAR, *, keys: bool = True, codec: Codec = PCMU) -> None:
        super().__init__(codec, host=host, keys=keys)
        self.began = time.monotonic()
        self.call: Call | None = None
        self.events: list[object] = []
        self.ended = asyncio.Event()
        self.up = asyncio.Event()
        self.offered: Callable[[Call, Offered], None] = lambda call, _event: call.accept(self.description)
        self._task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            if self.to[1]:
                self.live(time.monotonic())
                self.listen()

    def speaks_to(self, body: bytes) -> None:
        """Send sound where a description says."""
        sound = sdp.parse(body).streams[0]
        if not self.to[1]:
            self.sent = int((time.monotonic() - self.began) / 0.02)
        self.to = (sound.address, sound.port)

    def talk(self, hertz: float, seconds: float = 600) -> None:
        """Say a tone from now on."""
        self.say(tone(hertz, seconds))

    def newest(self, seconds: float = 0.3) -> Samples:
        """What was heard last."""
        packets = [p for p in self.packets[-round(seconds * 50) :] if p.payload_type == self.codec.payload_type]
        decode = self.codec.make().decode
        return np.concatenate([decode(p.payload) for p in packets]) if packets else np.zeros(160, np.int16)

    def hears(self, hertz: float) -> bool:
        """Does it hear this tone now?"""
        found = self.newest()
        return len(found) > 1200 and level(found, hertz) > 400

    async def heard_tone(self, hertz: float, what: str = "") -> None:
        """Wait until it hears this tone."""
        await until(lambda: self.hears(hertz), f"{what or 'a tone'} of {hertz} Hz is heard")

    async def hears_on(self, hertz: float) -> None:
        """Wait a while in which it goes on to hear this tone."""
        before = len(self.packets)
        await until(lambda: len(self.packets) > before + 40, "sound comes")
        assert self.hears(hertz)

    async def hears_not(self, hertz: float) -> None:
        """Wait until it hears this tone no more."""
        await until(lambda: len(self.newest()) > 1200 and level(self.newest(), hertz) < 60, f"{hertz} Hz is not heard")

    async def press(self, keys: str) -> None:
        """Press keys, as events."""
        stamp = 0
        for packets in dtmf.packets(keys, 160):
            if packets and packets[0].marker:
                stamp = self.sent * 160
            for one in packets:
                self.socket.sendto(self.packet(one.payload, 101, at=stamp, marker=one.marker), self.to)
            await asyncio.sleep(0.02)

    async def attend(self, call: Call) -> None:
        """Go along with a call."""
        self.call = call
        async for event in call.events():
            self.events.append(event)
            if isinstance(event, Answered | Ringing) and event.body:
                self.speaks_to(event.body)
            if isinstance(event, Answered):
                self.up.set()
            if isinstance(event, Offered):
                self.offered(call, event)
            if isinstance(event, Ended):
                self.ended.set()

    async def hang_up(self) -> None:
        """End the call."""
        assert self.call
        await self.call.hang_up()

    def close(self) -> None:
        """Away with it."""
        self._task.cancel()
        super().close()


@dataclass
class World:
    """The house with its door, and the network of a trunk beside it."""

    door: DoorDouble
    telephone: Telephone
    far: SipExchange
    folder: Path
    phones: list[RealPhone] = field(default_factory=list)
    answers: dict[str, Callable[[IncomingCall, RealPhone], None]] = field(default_factory=dict)
    rung: dict[str, RealPhone] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    here: str = "127.0.0.1"
    there: str = FAR
    beyond: Callable[[], contextlib.AbstractContextManager[None]] = (
        contextlib.nullcontext
    )  # what is opened so, is there

    async def calls(self, number: str = NUMBER, *, caller: Caller | None = None, keys: bool = True) -> RealPhone:
        """Somebody calls a number of ours, and is answered."""
        phone = await self.dials(number, caller=caller, keys=keys)
        await until(lambda: phone.up.is_set() or phone.ended.is_set(), "the call is answered")
        assert phone.up.is_set(), phone.events
        return phone

    async def dials(self, number: str = NUMBER, *, caller: Caller | None = None, keys: bool = True) -> RealPhone:
        """Somebody calls a number of ours."""
        phone = self.phone(keys=keys)
        made = self.far.call(
            number, ("house",), caller=caller or Caller(CALLER, "Ada"), rules=NumberRules(), offer=phone.description
        )
        self.tasks.append(asyncio.create_task(phone.attend(made)))
        return phone

    def phone(self, *, keys: bool = True, codec: Codec = PCMU) -> RealPhone:
        """Another telephone."""
        with self.beyond():
            self.phones.append(RealPhone(self.there, keys=keys, codec=codec))
        return self.phones[-1]

    async def rings(self, number: str) -> RealPhone:
        """A telephone that was called by the house."""
        await until(lambda: number in self.rung, f"{number} is called")
        return self.rung[number]

    async def on_call(self, call: IncomingCall) -> None:
        """The house calls somebody of the outer world."""
        phone = self.phone()
        number = call.facts.dialled_number or call.facts.dialled
        self.rung[number] = phone
        phone.speaks_to(call.offer)
        self.answers.get(number, _answers)(call, phone)
        await phone.attend(call)

    def browser(self, agent_id: int, codec: Codec = PCMU) -> RealPhone:
        """An agent's browser opens: here a telephone with a leg of its own."""
        from everyline.media import negotiation

        phone = RealPhone(self.here, codec=codec)
        self.phones.append(phone)
        leg = self.door.engine.open(f"browser {agent_id}")
        agreed = negotiation.answer(sdp.parse(phone.description), leg.place)
        leg.agree(agreed)
        phone.to, phone.sent = (leg.place.address, leg.place.port), int((time.monotonic() - phone.began) / 0.02)
        self.door.browsers[agent_id] = Browser(leg, phone)
        return phone

    async def begun(self, count: int = 1) -> str:
        """Wait for so many calls; the key of the newest."""
        await until(lambda: self.door.events.count("begin") >= count, "a call is handed in")
        return [piece.key for piece in self.door.pieces if piece.event == "begin"][count - 1]

    async def settled(self) -> None:
        """Wait until no call is left, and nothing of one."""
        await until(lambda: self.telephone.house is None or not self.telephone.house.calls, "all calls are over")
        own = {leg for leg in self.door.engine.legs if not leg.name.startswith("browser")}
        assert not own, own
        assert not self.door.engine.mixes
        assert not self.door.engine.recordings


def _answers(call: IncomingCall, phone: RealPhone) -> None:
    call.answer(phone.description)


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    *lines: Line,
    begins: Callable[[str], Talk | None] | None = None,
    here: str = "127.0.0.1",
    there: str = FAR,
    beyond: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    port: int = 0,
    by_way_of: int = 0,
    **asked: Any,
) -> AsyncIterator[World]:
    """A house with these lines, and its end. ``here`` is its address, ``there`` the network's; what is opened ``beyond`` is there. The network
    calls it at its own port, or ``by_way_of`` that of an edge."""
    engine = Engine(here, one_way_after=asked.pop("one_way_after", 5.0))
    install = InstallSettings(host=here, port=port, **asked)
    async with Pulse(engine):
        found: World
        exchange = SipExchange(Listening(there), (), lambda call: found.on_call(call))
        async with contextlib.AsyncExitStack() as stack:
            with beyond():
                far = await stack.enter_async_context(exchange)
            given = [
                replace(line, settings=line.settings.model_copy(update={"port": far.port}))
                for line in lines or (a_line(),)
            ]
            door = DoorDouble(engine, given)
            if begins is not None:
                door.begins = begins
            telephone = Telephone(install, folder)
            found = World(door, telephone, far, folder, here=here, there=there, beyond=beyond)
            running = asyncio.create_task(telephone.run(door))  # type: ignore[arg-type]  # -- a double: what calls ask of it
            await until(lambda: telephone.ready.is_set() or running.done(), "the telephone is there")
            assert telephone.house, running.exception()
            await far.arrange([Trunk("house", here, by_way_of or telephone.house.exchange.port, trusted=True)])
            try:
                yield found
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                with contextlib.suppress(TimeoutError):  # the farewells are on their way
                    async with asyncio.timeout(3):
                        for phone in found.phones:
                            if phone.up.is_set():
                                await phone.ended.wait()
                for task in found.tasks:
                    task.cancel()
                await asyncio.gather(*found.tasks, return_exceptions=True)
                for phone in found.phones:
                    phone.close()
    engine.close()


def files_in(folder: Path, ending: str) -> list[str]:
    """The names of files with an ending."""
    return sorted(path.name for path in folder.glob(f"*{ending}"))


def document(piece: Piece) -> dict[str, Any]:
    """A piece as JSON."""
    found: dict[str, Any] = json.loads(piece.as_bytes())
    return found


def range_of(low: int, high: int) -> Wait:
    """An expected wait."""
    return Wait(low, high, f"{low // 60} to {high // 60} minutes")


def maya() -> Person:
    """An agent as callers know her."""
    return Person("Maya Okafor", "MO", 3)
