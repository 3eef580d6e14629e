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

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
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
    pulled: bool = False  # the other side fetches what is for it: an answer has gone out once it is written
    writes: bool = True  # can something be written to who is reached by it?
    sounds: bool = False  # its receivers run in the process that moves sound, and their door is a ``CallDoor``


@dataclass(frozen=True, slots=True)
class TalkRules:
    """What a line says of its talks, which have a beginning and an end: live text, or a call. Times in seconds."""

    warn_after: int = 300  # the customer has said nothing since our last words; 0: never
    end_after: int = 180  # since the warning
    gone_after: int = 90  # who has not looked for so long is gone
    rejoin: int = 300  # who comes back so soon after the end gets the same agent, and their place in the queue
    most_waiting: int = 0  # when so many wait already, what comes is answered later; 0: any number
    waits_alone: bool = False  # do talks wait while no agent is there?


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

    @property
    def hears(self) -> bool:
        """May who calls on the line answer a flow by speaking?"""
        return False

    @property
    def talks(self) -> TalkRules:
        """How talks on the line are warned, end, and go on; means nothing for media class mail."""
        return TalkRules()


def asked_under(
    group: str,
    *,
    secret: bool = False,
    long: bool = False,
    advanced: bool = False,
    sends: bool = False,
    step: str = "",
    choices: dict[str, str] | None = None,
    when: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The ``json_schema_extra`` of a field of ``LineSettings``: under which heading it is asked, and how. ``step``: not on the first
    step of adding a line, but on one of its own ("sending" is that of ``sends``): "heard", "recording"."""
    return {
        "group": group,
        "secret": secret,
        "long": long,
        "advanced": advanced,
        "step": "sending" if sends else step,
        "choices": choices or {},
        "when": when or {},
    }


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one person. ``kind`` is one of ``ground.addresses.KINDS`` (mailbox, number, handle, postal, visitor);
    ``address`` is in the normal form of its kind, so that two spellings compare equal. ``talk``: which of their talks, where one
    address may have several at a time, such as a switchboard's number; unique for the line."""

    kind: str
    address: str
    name: str = ""
    talk: str = ""


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

    def __hash__(self) -> int: ...  # what is made of it can be remembered


@dataclass(frozen=True, slots=True)
class Raw:
    """What came in from the wire, before anything is made of it.

    ``external_id`` is what makes the same piece delivered twice one piece, unique per line. A channel whose wire
    gives none derives it from the content. ``envelope`` is JSON: what the wire said beside the bytes. ``writer``, where the
    wire knows whose piece it is and what they say has an order, keeps that order: theirs are settled one after the other,
    also when a process dies between them.
    """

    external_id: str
    body: bytes
    envelope: Mapping[str, Any] = field(default_factory=dict)
    writer: str = ""


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


class Verification(StrEnum):
    """What shows that a sender is who they say they are."""

    NONE = "none"  # nothing
    SITE = "site"  # the organisation's own site signed it
    CODE = "code"  # they told a code that went to their address


@dataclass(frozen=True, slots=True)
class Page:
    """A page that somebody looks at while they talk to us."""

    url: str
    title: str = ""


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
    client_id: str = ""  # what the sender's own program calls it
    begins: bool = False  # a new matter, unless a talk is going on
    verification: Verification = Verification.NONE
    proven: Address | None = None  # another address that the sender was shown to own: whose it is, they are
    claimed: Address | None = None  # one that they only say is theirs: answers may go there, nothing is shown for it
    page: Page | None = None  # where they were when they wrote
    dialled: str = ""  # which of our addresses they asked for first, where it led them to this line
    left: bool = False  # words for somebody to answer later: whoever said them may be gone, and is not to be waited for


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
class Said:
    """One line of what was said on a wire in the course of a test. Never a password, a token, or a whole message."""

    by: str = ""  # a host, or we; empty: a remark of ours on what happened
    words: str = ""
    ours: bool = False  # we said it


@dataclass(frozen=True, slots=True)
class Check:
    """One step of testing a line, in the order it was tried."""

    step: str  # translated sentence: what was tried
    severity: Severity = Severity.OK
    detail: str = ""  # what was found, or what the other side said
    milliseconds: int | None = None
    advice: str = ""  # what to do about it, unless it is well
    to_copy: tuple[
        tuple[str, str], ...
    ] = ()  # what the advice has one put elsewhere: a name and its text, such as a DNS record
    said: tuple[Said, ...] = ()  # on the wire in its course, in order; a channel keeps it short

    @property
    def ok(self) -> bool:
        """Nothing is to be done."""
        return self.severity is Severity.OK


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings that fit an address, found out and not asked for."""

    found: str  # translated: what was found and where
    groups: tuple[Mapping[str, str], ...] = ()  # names and values; each is taken when its first field is still empty


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


@dataclass(frozen=True, slots=True)
class Wait:
    """How long something will take, as a range in seconds, and in words."""

    low: int
    high: int
    words: str


@dataclass(frozen=True, slots=True)
class Person:
    """One of us, as customers may see them. ``hue`` is 0 to 11."""

    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a line now. All words are in the language that was asked for."""

    open: bool
    staffed: bool  # would somebody answer live? Else what comes now is answered later, by mail
    words: str  # that we are here and until when, or closed and until when
    closed_words: str  # of an emergency closure
    usual: str  # how long the first answer usually takes at this hour; empty: too little is known
    wait: Wait | None  # of who comes now
    team: tuple[Person, ...]  # some who are there


@dataclass(frozen=True, slots=True)
class Card:
    """Something to look at that was pushed into a talk: an article or a page."""

    kind: str  # article, page
    title: str
    extract: str = ""
    url: str = ""
    slug: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class TalkFile:
    """A file of a message, without its content."""

    id: int
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class TalkMessage:
    """One message of a talk, as its customer may see it."""

    id: int
    own: bool  # the customer wrote it
    agent: Person | None  # who wrote it, when an agent did
    at: datetime
    text: str
    html: str = ""  # what the text means beyond its words; ours, and harmless
    client_id: str = ""
    files: tuple[TalkFile, ...] = ()
    card: Card | None = None
    replies: tuple[str, ...] = ()  # quick replies to choose from
    hint: str | None = None  # a turn of a dialogue: what an answer to it looks like, or empty
    turn: Mapping[str, Any] | None = (
        None  # a turn of a dialogue by ear: ``selfservice.renderings.voice.VoiceTurn`` as JSON
    )


@dataclass(frozen=True, slots=True)
class SurveyQuestion:
    """What may be asked when a talk has ended."""

    token: str
    kind: str
    question: str
    low: int
    high: int
    low_words: str
    high_words: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as its customer may see it."""

    id: int
    phase: str  # waiting, talking, mail (answered later), ended
    number: int  # of the case
    subject: str
    queue: str
    began_at: datetime
    ended_at: datetime | None
    ended_by: str  # customer, agent, idle, gone
    place: int | None  # in the queue, 1: next
    wait: Wait | None
    agent: Person | None
    read_upto: int  # the customer's newest message that we have read
    seen_upto: int  # our newest message that the customer has seen
    mailbox: str  # where answers go when the customer does not look; empty: nowhere
    warned: bool
    survey: SurveyQuestion | None = None
    in_flow: bool = False  # a flow answers, and no person yet
    agent_id: int | None = None  # ``agent`` by the number that only we know


@dataclass(frozen=True, slots=True)
class TalkSoFar:
    """A customer's newest talk on a line and its newest messages, oldest first. ``position`` is where news begin."""

    talk: Talk | None
    messages: tuple[TalkMessage, ...]
    earlier: bool  # there are older ones
    position: str


@dataclass(frozen=True, slots=True)
class TalkNews:
    """What is new in a talk, in the order in which it is to be told."""

    messages: tuple[tuple[str, TalkMessage], ...] = ()  # each with the position behind it
    talk: Talk | None = None  # as it is now; None: it has not changed
    typing: tuple[tuple[Person, bool], ...] = ()
    read_upto: int = 0  # 0: not changed
    lost: bool = False  # too much was missed: everything is to be read again


class Following(Protocol):
    """Somebody's ear on a talk."""

    async def news(self, seconds: float) -> TalkNews | None:
        """What is new, waiting up to ``seconds`` for it; None when nothing was. Nothing is left out, nothing told twice."""

    @property
    def over(self) -> bool:
        """The process ends: follow again elsewhere."""

    def close(self) -> None:
        """Listen no more."""


@dataclass(frozen=True, slots=True)
class ArticleHit:
    """An article that fits words. ``title`` and ``extract`` are HTML with ``<mark>`` and nothing else."""

    slug: str
    title: str
    extract: str


@dataclass(frozen=True, slots=True)
class ArticleText:
    """An article in the wording of a channel."""

    slug: str
    title: str
    html: str
    url: str


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


class TalkDoor(Door, Protocol):
    """The same for channels on which people talk, with a beginning and an end. Whatever a channel asks of a talk it
    asks by line and sender: nobody's talk is ever reached by a number that a stranger could make up."""

    async def once(self, line: Line, key: str, *, seconds: float) -> bool:
        """True for the first who names this key on the line within so many seconds, over all processes."""

    async def standing(self, line: Line, language: str) -> Standing:
        """How it stands with the line now."""

    async def talk(self, line: Line, sender: Address, language: str, *, before: int = 0, most: int = 50) -> TalkSoFar:
        """The sender's newest talk on the line, with its newest messages, or those before one."""

    def follow(self, line: Line, sender: Address, language: str, after: str) -> Following:
        """Listen to the sender's talks on the line, from a position on; an empty one is the beginning. ValueError: it is none."""

    async def typing(self, line: Line, sender: Address, *, on: bool) -> None:
        """The sender writes, or no longer. Kept nowhere, and may be lost."""

    async def seen(self, line: Line, sender: Address, upto: int) -> None:
        """The sender has our messages up to this one before their eyes."""

    async def looks_at(self, line: Line, sender: Address, page: Page) -> None:
        """The page that the sender looks at now; kept while a talk goes on, the newest fifty."""

    async def claim(self, line: Line, sender: Address, mailbox: str, *, instead: bool) -> Talk:
        """Where answers may go when the sender does not look. ``instead``: rather than wait here, they want to be answered
        by mail. Conflict when there is no talk that goes on."""

    async def ask_callback(self, line: Line, sender: Address, number: str) -> Talk:
        """Rather than wait here, they want to be called at a number; they keep their place. Conflict when there is no talk that
        waits, Invalid when nobody can be called there."""

    async def end(self, line: Line, sender: Address) -> Talk:
        """The sender ends the talk. Conflict when there is none."""

    async def elsewhere(self, line: Line, sender: Address) -> None:
        """Tell in the talk, which a flow answers, how it goes on in a browser elsewhere. Conflict when no flow answers."""

    async def transcript(self, line: Line, sender: Address, mailbox: str) -> None:
        """Send the whole talk there when it ends, or now when it has; empty: to the mailbox that is known. Invalid when none is."""

    async def answer_survey(self, line: Line, sender: Address, token: str, score: int, words: str) -> None:
        """What the sender says of the talk, once. NotFound, Conflict, Invalid."""

    async def file(self, line: Line, sender: Address, file_id: int) -> File:
        """A file of the sender's talks. NotFound."""

    async def send_code(self, line: Line, sender: Address, mailbox: str, language: str) -> float:
        """Mail a code that shows that a mailbox is the sender's; 0, or the seconds until another may be sent."""

    async def check_code(self, line: Line, sender: Address, mailbox: str, code: str) -> bool:
        """Is this the code? Each can be told once, and few may be tried."""

    async def find_articles(self, line: Line, words: str, language: str, *, whole: bool) -> Sequence[ArticleHit]:
        """Articles that anybody may read, best first; empty where there are none. ``whole``: they have typed all that they
        ask, so that nothing found is kept as something to write about."""

    async def article(self, line: Line, slug: str, language: str) -> ArticleText:
        """One of them. NotFound."""

    async def article_voted(
        self, line: Line, sender: Address, slug: str, language: str, *, helped: bool, instead: bool
    ) -> bool:
        """The sender says whether an article helped; counted once for each sender and article, returns whether now. ``instead``:
        it was read before anything was asked of us, so that one that helped spared a talk. NotFound."""


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

    def routes(self, door: TalkDoor) -> Sequence[BaseRoute]:
        """Public pages and webhooks of the channel, mounted at ``/in/<name>``; empty for most."""


@runtime_checkable
class Shares(Protocol):
    """What a channel offers besides, when several lines go over one and the same thing at the provider's: a trunk."""

    shared: tuple[str, ...]  # the settings that say which it is, secrets among them

    def share(self, settings: LineSettings) -> str:
        """What it is called; empty: it has none. Lines of the same name share it."""


@runtime_checkable
class Examines(Protocol):
    """What a channel offers besides, when the machine itself has to be fit for it."""

    def examine(self, lines: Sequence[Line], product: Any, *, running: bool) -> Iterable[Check]:
        """What ``everyline doctor`` says of the channel's open lines. ``product``: the installation's settings; ``running``: its receivers run. It may look names up, and
        sends nothing."""


@runtime_checkable
class Proposes(Protocol):
    """What a channel offers besides, when it can find out the settings of a line by its address."""

    async def propose(self, address: str) -> Proposal:
        """What fits an address in normal form, within some seconds; nothing is raised and nobody signs in anywhere."""
