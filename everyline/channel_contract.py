"""What a channel is, on one page.

A channel is one folder under ``everyline/channels``. It declares its facts, reads what came in from its wire and puts
on the wire what dispatch gives it. It knows nothing of customers, cases or queues: everything it may ask of the rest
of the product is the ``Door``.

Errors::

    ChannelError            something on the wire went wrong; ``permanent`` decides retry or bounce
    Unreadable              raw bytes that cannot be made into an inbound piece; ends in quarantine with its reason
    Refused                 the door does not take this raw piece; the sender must be told no
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict
from starlette.routing import BaseRoute


class MediaClass(StrEnum):
    """How a channel's work behaves for an agent (glossary: media class)."""

    CALL = "call"
    CHAT = "chat"
    MAIL = "mail"


class Continues(StrEnum):
    """What makes a further message part of a case that is already there."""

    REFERENCE = "reference"  # only a signed token or a quoted message of ours
    OPEN_CASE = "open case"  # the customer's open case on the same line


@dataclass(frozen=True, slots=True)
class Facts:
    """What differs between channels, declared. Labels are gettext message ids, translated where they are shown."""

    name: str
    label: str
    icon: str
    media_class: MediaClass
    reaches: tuple[str, ...]  # kinds of contact point it can deliver to; empty: it only takes in
    continues: Continues
    address_label: str  # what a line's address is called in the set-up form
    address_help: str
    weight: int  # units of an agent's capacity of 100 that one interaction takes
    offer_seconds: int  # how long an offer stands before it goes to the next agent
    undo_seconds: int  # how long an answer can be taken back before it goes out
    hue: int  # degree on the colour wheel for the small icon ground
    longest_text: int | None = None  # characters; None: no limit worth showing
    files: bool = True
    copies: bool = False  # can others beside its receiver get the same message?
    formatted: bool = False  # does it carry HTML beside the text?
    largest_file: int = 25 * 1024 * 1024  # bytes, all files of one message together
    secure: bool = False
    leads_to: str = ""  # where customers are led who want to use a line: a URL with {address} in it; empty: nowhere yet
    good_for: str = ""  # what customers are told it is good for
    may_start: bool = True  # may we write first?
    acknowledges: bool = True  # is a first message answered at once with the usual answer time?


class LineSettings(BaseModel):
    """What a line of a channel needs. Its fields make the set-up form: ``title``, ``description`` and, in
    ``json_schema_extra``, ``secret`` (kept encrypted, never shown), ``group`` (heading), ``advanced`` (folded), ``long`` (a
    text of several lines), ``choices`` (words for each value of a Literal), ``when`` (another field and the value without
    which this one means nothing), ``sends`` (it says how answers go out, and is asked for apart from the rest)."""

    model_config = ConfigDict(extra="forbid")

    @property
    def fetches(self) -> bool:
        """Does an open line take in by itself what waits elsewhere? Then it is opened only when all else is said."""
        return False


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one person. ``kind`` is one of ``ground.addresses.KINDS`` (mailbox, number, handle, postal);
    ``address`` is in the normal form of its kind, so that two spellings compare equal."""

    kind: str
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A public address of ours, as its channel sees it."""

    id: int
    channel: str
    address: str
    name: str
    language: str
    settings: Any  # the channel's own LineSettings
    signer: Signer


class Signer(Protocol):
    """Signs references to cases, so that nobody can guess one."""

    def sign(self, case_id: int) -> str:
        """A token of letters and digits, safe in the local part of an address and in a message id."""

    def case_of(self, token: str) -> int | None:
        """The case that the token was made for, or None when we did not make it."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What came in from the wire, before anything is made of it.

    ``external_id`` is what makes the same piece delivered twice one piece, unique per line. A channel whose wire
    gives none derives it from the content. ``envelope`` is JSON: what the wire said beside the bytes.
    """

    external_id: str
    body: bytes
    envelope: Mapping[str, Any] = field(default_factory=dict)


class InboundKind(StrEnum):
    MESSAGE = "message"  # a person wrote
    AUTOMATIC = "automatic"  # a machine answered: kept on the case, never answered
    BOUNCE = "bounce"  # something of ours could not be delivered
    RECEIPT = "receipt"  # something of ours arrived
    PROBE = "probe"  # our own test message came back


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a message or goes out with it."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""  # inline pictures are named by it in the HTML (RFC 2392)
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something of ours did not arrive (for mail: RFC 3464)."""

    external_id: str  # of the delivery that failed, as it was on the wire; may be empty
    recipient: str
    permanent: bool
    code: str = ""  # enhanced status code, RFC 3463
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One piece that came in, read. Text is Unicode without NUL; HTML is already cleaned."""

    kind: InboundKind
    sender: Address | None
    external_id: str = ""  # how answers on the wire will refer to it
    subject: str = ""
    text: str = ""  # what is new
    quoted: str = ""  # history that the sender's program added below; folded on the screen, kept
    html: str = ""  # cleaned, without history folded away; empty: there was only text
    language: str = ""  # ISO 639-1, empty: unknown
    sent_at: datetime | None = None
    recipients: tuple[Address, ...] = ()
    reply_to: Address | None = None  # where the sender asks answers to go, when that is another address than theirs
    references: tuple[str, ...] = ()  # external ids that it answers, nearest first
    tokens: tuple[str, ...] = ()  # reply tokens found where only we put them
    files: tuple[File, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # what a form collected, label to value
    failures: tuple[Failure, ...] = ()
    answerable: bool = True  # False: no acknowledgement and no automatic answer, whoever wrote it
    remarks: tuple[str, ...] = ()  # what was wrong with it and how it was read all the same


@dataclass(frozen=True, slots=True)
class Outbound:
    """One delivery as its channel gets it, complete: the channel reads nothing else."""

    id: int
    idempotency_key: str
    to: Address
    sender_name: str
    subject: str
    text: str
    html: str = ""  # the same, formatted; empty: the text says all. The channel makes it harmless before it goes out
    language: str = ""
    files: tuple[File, ...] = ()
    copies: tuple[Address, ...] = ()  # others who get the same and see each other
    external_id: str = ""  # the id this delivery must carry on the wire, the same at every attempt
    references: tuple[str, ...] = ()  # external ids of the thread, oldest first
    token: str = ""  # signed reference to the case; empty: nothing to come back to
    automatic: bool = False  # written by us without an agent: must say so on the wire


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the wire answered when it took a delivery."""

    external_id: str
    answer: str = ""


class Severity(StrEnum):
    """What came of one step of a test."""

    OK = "ok"
    NOTE = "note"  # the line works, and could be better
    FAILED = "failed"  # something does not come in or go out


@dataclass(frozen=True, slots=True)
class Check:
    """One step of testing a line, in the order it was tried."""

    step: str  # translated sentence: what was tried
    severity: Severity = Severity.OK
    detail: str = ""  # what was found, or what the other side said
    milliseconds: int | None = None
    advice: str = ""  # what to do about it, unless it is well

    @property
    def ok(self) -> bool:
        """Nothing is to be done."""
        return self.severity is Severity.OK


class ChannelError(Exception):
    """The wire said no. ``permanent`` means that trying again cannot help: the delivery bounces back to its case.
    ``unknown`` means that the wire fell silent after it had everything: it may have been sent, so it is not sent again
    by itself."""

    def __init__(self, message: str, *, permanent: bool, code: str = "", unknown: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.code = code
        self.unknown = unknown


class Unreadable(Exception):
    """These bytes cannot be read as a piece of this channel; the message says why, in words for an admin."""


class Refused(Exception):
    """The door does not take this piece, and the sender must be told; the message says why."""


class Door(Protocol):
    """All that a channel may ask of the product. One per process."""

    async def accept(self, line: Line, raw: Raw, *, cursor: Mapping[str, Any] | None = None) -> bool:
        """Keep ``raw`` durably; returns only after it is committed. False: it was there already.

        ``cursor`` is committed in the same transaction: what a poller remembers can never run ahead of what is kept.
        """

    async def take_turn(self, line: Line, writer: str, *, most: int, seconds: float) -> float:
        """Count one more piece by a writer, over all processes. 0 when there were fewer than ``most`` in the last
        ``seconds``; else nothing is counted, and these are the seconds until there is room. OSError: not now."""

    async def give_turn_back(self, line: Line, writer: str) -> None:
        """A writer's last turn did not count after all."""

    async def cursor(self, line: Line) -> Mapping[str, Any]:
        """What was remembered with the last accepted piece of this line; empty at first."""

    async def remember(self, line: Line, cursor: Mapping[str, Any]) -> None:
        """Move the cursor without a new piece."""

    async def lines(self, channel: str) -> Sequence[Line]:
        """The open lines of a channel."""

    async def healthy(self, line: Line) -> None:
        """The line's wire works."""

    async def failed(self, line: Line, error: str) -> None:
        """The line's wire does not work, in words for an admin."""

    async def arrived(self, line: Line, external_id: str, *, seconds: float) -> bool:
        """Wait until a raw piece with this id has come in on the line; False when it did not in that time."""

    async def case_number(self, line: Line, external_id: str, *, seconds: float) -> int | None:
        """Wait until an accepted piece has its case; the number that people know it by, None when it has none in that time."""


@runtime_checkable
class Receiver(Protocol):
    """Something long-running that takes in: a listener, a bind, a poller. ``run`` ends only when cancelled."""

    name: str
    exclusive: bool  # True: only one process of the installation may run it at a time

    async def run(self, door: Door) -> None: ...


class Channel(Protocol):
    """The contract. A channel folder's ``__init__`` holds ``channel: Channel = …``."""

    facts: Facts
    settings: type[LineSettings]

    def normal(self, address: str) -> str:
        """The normal form of a line's address; ValueError with a reason for people when it is none."""

    def identify(self, body: bytes) -> str:
        """The external id of raw bytes: the same for the same piece, however often and by whichever way it comes."""

    def parse(self, line: Line, raw: Raw) -> list[Inbound]:
        """Pure: no I/O, no clock. Raises Unreadable."""

    def receivers(self, lines: Sequence[Line]) -> list[Receiver]:
        """What has to run so that these lines take in; all open lines of the channel at once."""

    async def deliver(self, line: Line, outbound: Outbound, on_wire: Callable[[], Awaitable[None]]) -> Receipt:
        """Send. Await ``on_wire`` at the last moment before the wire could take it: from then on a crash leaves it
        unknown whether it was sent, and it is not sent again by itself. Raises ChannelError."""

    def check(self, line: Line, door: Door) -> AsyncIterator[Check]:
        """Test the line step by step, by really sending itself a message where the channel can."""

    def routes(self, door: Door) -> Sequence[BaseRoute]:
        """Public pages and webhooks of the channel, mounted at ``/in/<name>``; empty for most."""
