"""What a channel of calls may ask beside what every channel may: sound that both sides hear while it lasts.

A call is a talk with sound (docs/decisions/0013). It begins with a piece that the door accepts, is followed as every talk
is, and ends as every talk does: who waits, who answers, where it is handed to is read from its ``Talk``. What is only true of
a call stands here: legs, orders of agents, what is heard, recordings. A channel of calls runs its receivers in the process that
moves sound; their door is a ``CallDoor``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import BaseModel

from everyline.channel_contract import Address, Line, TalkDoor
from everyline.speech.hearing import Understood

if TYPE_CHECKING:  # numpy is loaded by the process that moves sound alone
    from everyline.media.engine import Engine
    from everyline.media.legs import Leg
    from everyline.media.recording import Seal
    from everyline.media.sounds import Sound


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class CallState(StrEnum):
    """Where a call stands on its wire; whether it waits in a queue its talk says."""

    RINGING = "ringing"  # nobody has answered it: we have not, or, when we call, they have not
    UP = "up"  # both sides can hear each other, or a voice or music of ours
    ENDED = "ended"


class LegKind(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    GUEST = "guest"  # somebody who is neither: an interpreter, another office
    SUPERVISOR = "supervisor"


class LegState(StrEnum):
    RINGING = "ringing"
    IN = "in"  # hears and is heard
    HELD = "held"  # hears music, is not heard
    APART = "apart"  # talks with the agent while the customer is on hold
    GONE = "gone"


class Heard(StrEnum):
    """By whom a leg is heard."""

    ALL = "all"
    NOBODY = "nobody"  # who listens, or is muted by the rules of the house
    AGENT = "agent"  # who whispers


@dataclass(frozen=True, slots=True)
class LegNow:
    """One party of a call as it stands."""

    name: str  # the channel's own, unique within the call
    kind: LegKind
    state: LegState
    shown: str = ""  # what agents call it: a number, a name
    agent_id: int | None = None
    number: str = ""  # normal form, of who was called
    muted: bool = False
    heard: Heard = Heard.ALL
    quality: Mapping[str, float] = field(default_factory=dict)  # score (1 to 5, ITU-T G.107), loss, jitter_ms, delay_ms
    remark: str = ""  # ``words.later``: one-way sound, silence …; everybody reads it in their own language


class Keeping(StrEnum):
    """Whether what is said is recorded now."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class CallNow:
    """A call as it stands, told whenever that changes. ``key`` is what ``Address.talk`` of its sender is."""

    key: str
    direction: Direction
    state: CallState
    began_at: datetime
    number: str = ""  # of the other side, normal form; empty: withheld
    dialled: str = ""
    trunk: str = ""
    codec: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""  # customer, agent, us, trunk, lost
    reason: str = ""  # ``words.later``, for agents, when it did not end as calls do
    legs: tuple[LegNow, ...] = ()
    keeping: Keeping = Keeping.OFF
    answered_by: str = ""  # of calls that we make: person, machine, unsure, or listening while that is being found out; empty: nobody listens for it
    talk_id: int | None = None  # ``Talk.id``, once there is one


class Deed(StrEnum):
    """What an agent or a supervisor can want of a call. Each is answered with nothing, or with why not."""

    ANSWER = "answer"  # who was asked takes it where their browser rings; ``DROP`` of their own leg declines
    PLACE = "place"  # call ``number`` from the order's line for ``agent_id``; the talk is there already
    HOLD = "hold"  # the customer hears music
    RESUME = "resume"
    MUTE = "mute"  # ``leg``; without it one's own
    UNMUTE = "unmute"
    PRESS = "press"  # ``keys`` towards the customer, or towards ``leg``
    CONSULT = "consult"  # call ``number``, or the agent ``with``, apart; the customer is put on hold
    ADD = "add"  # the same, without apart: a third who hears and is heard at once (interpreter)
    JOIN = "join"  # all who are apart or on hold come together
    HAND_OVER = "hand over"  # attended transfer: who asks leaves, who was consulted stays with the customer, and has the talk where they are ours
    TRANSFER = "transfer"  # who asks leaves at once; ``number`` rings, and the customer waits again where they did when nobody answers
    DROP = "drop"  # ``leg`` leaves
    HANG_UP = "hang up"  # the whole call ends
    PAUSE = "pause"  # the recording
    GO_ON = "go on"  # the recording
    LISTEN = "listen"  # a supervisor hears all and is heard by nobody
    WHISPER = "whisper"  # and is heard by the agent
    BARGE = "barge"  # and is heard by all
    LEAVE = "leave"
    TRACE = "trace"  # what was said on the wires of a call, answered as ``Traced``; of one that is over, as long as it is kept


@dataclass(frozen=True, slots=True)
class Order:
    """A deed that somebody wants now."""

    id: int
    key: str  # of the call
    deed: Deed
    agent_id: int  # who wants it
    line: Line  # of the call
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where an agent hears calls: in the browser, or on a telephone that is called."""

    agent_id: int
    name: str
    number: str = ""  # normal form, or a sip: address; empty: the browser
    language: str = ""  # which they read


class TracedMessage(BaseModel):
    """One message on a wire, without what proves anything and without keys that were pressed."""

    at: datetime
    ours: bool  # it went out
    peer: str  # host and port of the other side
    text: str
    left_out: int = 0  # messages before it that are not kept


class TracedWire(BaseModel):
    """What was said with one party's telephone."""

    name: str  # of its leg
    shown: str
    trunk: str
    messages: tuple[TracedMessage, ...] = ()


class Traced(BaseModel):
    """Every wire of a call, the customer's first. Browsers have none."""

    wires: tuple[TracedWire, ...] = ()


class AgentLeg(Protocol):
    """An agent's browser, heard and hearing all day; calls come and go on it. It is there while the page is open, comes back within
    seconds when the page is loaded anew, and belongs to nobody else."""

    @property
    def leg(self) -> Leg:
        """Its leg of the engine of this process. Never close it."""

    @property
    def ready(self) -> bool:
        """Does sound flow both ways now?"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that is whole. ``marks``: from and to in seconds, and why; a ``to`` of None: to the end."""

    path: Path  # taken away once it is kept
    seconds: float
    began_at: datetime
    marks: tuple[tuple[float, float | None, str], ...] = ()
    failure: str = ""  # why it ends before the call does
    keep_days: int = 0  # then it is deleted; 0: never


class CallDoor(TalkDoor, Protocol):
    """What is asked by line and sender means the call that ``sender.talk`` names."""

    @property
    def engine(self) -> Engine:
        """The engine of this process, which is pulsing."""

    async def sound(self, line: Line, words: str, language: str) -> Sound:
        """These words, spoken: by whom the house has recorded for them, else by the voice of the language. Made ahead where it
        can be; a new one takes some hundred milliseconds. Wordings of the same words are the same object. Never raises for a
        language without a voice: the line's is taken, and what cannot be spoken at all is a tone."""

    async def music(self, line: Line, queue: str) -> Sound:
        """What who waits on the line hears: the music of the queue (``Talk.queue``; empty: none yet) where that has its own."""

    def hears(self, language: str) -> bool:
        """Are answers in this language understood when they are spoken? Asked before the first, so that what hears them is ready."""

    async def hear(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood | None:
        """The words of an answer (16 bits, 8 kHz), of which some are ``likely``. None: it cannot be heard now, or not soon enough. Never
        raises; what was said stands in no log."""

    async def tell(self, line: Line, sender: Address, call: CallNow) -> None:
        """Write down how a call stands. Kept in the order told; never raises, tries again by itself while the database is away."""

    async def type_secret(self, line: Line, sender: Address, digits: str) -> None:
        """What was keyed as the answer to a turn with ``silent_recording``: stands in no piece, no talk and no log."""

    async def answer_later(self, line: Line, sender: Address) -> None:
        """Who waits has left their words: they wait here no longer, and are answered as mail is. Conflict when they do not wait."""

    async def wait_again(self, line: Line, sender: Address) -> None:
        """Whoever had the talk passed it on in vain: it waits in its queue again, where it waited before. Conflict when it has ended."""

    async def give(self, line: Line, sender: Address, agent_id: int) -> None:
        """Whoever had the talk handed it over to a colleague: it is theirs with its case. Conflict when it has ended."""

    async def part(self, line: Line, sender: Address, agent_id: int) -> None:
        """An agent left the talk to somebody who is none of us, or to whom they let be called: their part is over, and they wrap it up. Nothing
        happens when it is not in their hands. Conflict when it has ended."""

    def orders(self, channel: str) -> AsyncIterator[Order]:
        """What is wanted of calls of this channel in this process, each once. Answer each by ``done``."""

    async def done(self, order: Order, refused: str = "", answer: str = "") -> None:
        """An order was carried out, with what came of it, or why not, in words for who wanted it."""

    async def reach(self, agent_id: int) -> Reach:
        """Where an agent hears calls."""

    async def whose(self, number: str) -> Reach | None:
        """Who hears calls at a telephone (a sip: address); None when that is nobody's own."""

    async def line_of(self, agent_id: int) -> Line:
        """The line by which an agent calls on their own. Conflict when none can call."""

    async def dial(self, line: Line, agent_id: int, number: str) -> Order:
        """An agent has called a number on their telephone: the talk is there, with the customer's case, and is theirs. Returns what is to be done
        (``Deed.PLACE``), which nobody waits for. Busy when they have another call in hand; Conflict, with why, when they may not call there now."""

    def browser(self, agent_id: int) -> AgentLeg | None:
        """Their browser, when it is there."""

    def seal(self, key: str) -> Seal:
        """What recordings of a call are sealed with (``Engine.record``)."""

    def unseal(self, key: str) -> Seal:
        """What opens them again (``media.recording.unsealed``). It raises ValueError for what is not what was sealed."""

    async def keep_recording(self, line: Line, sender: Address, recorded: Recorded) -> None:
        """Keep a sealed recording at the call's case. OSError: not now, its file stays where it is and is tried again at the
        next start."""


@runtime_checkable
class Drains(Protocol):
    """What a receiver of calls may offer besides: to come to its end without cutting calls that can still come to theirs."""

    async def drain(self, seconds: float) -> None:
        """Take no new calls, and return when none goes on; those that do after so long are ended properly."""


@runtime_checkable
class Speaks(Protocol):
    """What a channel of calls may offer besides: the words that it says by itself, so that the house can record them."""

    def says(self, line: Line) -> Iterable[tuple[str, Mapping[str, str]]]:
        """For each language of the line its words by a name that stays, without those that something is filled into."""
