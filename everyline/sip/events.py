"""What happens in a call, as the owner of the call is told, and how a call ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from everyline.sip.messages import SDP


class CallState(StrEnum):
    """Where a call stands."""

    TRYING = "trying"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a call ended."""

    HUNG_UP = "hung_up"
    CANCELLED = "cancelled"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    NOT_ACCEPTABLE = "not_acceptable"
    CONGESTED = "congested"
    REDIRECTED = "redirected"
    TRANSFERRED = "transferred"
    REPLACED = "replaced"
    SILENT = "silent"  # nothing more was heard of the other side: no refresh, no acknowledgement
    FAILED = "failed"
    CLOSED = "closed"  # our side was shut down


_REASONS = {
    403: EndReason.FORBIDDEN, 401: EndReason.FORBIDDEN, 407: EndReason.FORBIDDEN, 404: EndReason.NOT_FOUND,
    410: EndReason.NOT_FOUND, 484: EndReason.NOT_FOUND, 604: EndReason.NOT_FOUND, 416: EndReason.NOT_FOUND,
    408: EndReason.UNREACHABLE, 480: EndReason.NO_ANSWER, 486: EndReason.BUSY, 600: EndReason.BUSY,
    487: EndReason.CANCELLED, 488: EndReason.NOT_ACCEPTABLE, 606: EndReason.NOT_ACCEPTABLE, 415: EndReason.NOT_ACCEPTABLE,
    603: EndReason.DECLINED, 607: EndReason.DECLINED, 500: EndReason.FAILED, 502: EndReason.UNREACHABLE,
    503: EndReason.CONGESTED, 504: EndReason.UNREACHABLE,
}  # fmt: skip


def reason_of(code: int) -> EndReason:
    """What a final code that is no success means."""
    return _REASONS.get(code, EndReason.REDIRECTED if 300 <= code < 400 else EndReason.FAILED)


@dataclass(frozen=True)
class Attempt:
    """One trunk that was tried for a call, or passed over (code 0), and what came of it."""

    trunk: str
    code: int
    words: str


@dataclass(frozen=True)
class Ringing:
    """The other side rings, or lets be heard something before it answers (``body``)."""

    code: int
    body: bytes = b""
    body_type: str = SDP


@dataclass(frozen=True)
class Answered:
    """The call stands. ``body`` is what the other side answered or acknowledged with; may be empty."""

    body: bytes = b""
    body_type: str = SDP


@dataclass(frozen=True)
class Offered:
    """The other side wants to change the call (hold, resume, other media): ``Call.accept`` or ``Call.refuse``.

    An empty body asks for an offer of ours; the answer to it comes as Answered.
    """

    body: bytes
    body_type: str = SDP


@dataclass(frozen=True)
class OfferWithdrawn:
    """What was offered last is not wanted any more."""


@dataclass(frozen=True)
class KeyPressed:
    """A key that came by signalling (INFO): one of 0-9, *, #, A-D. ``milliseconds`` it was held."""

    key: str
    milliseconds: int = 0


@dataclass(frozen=True)
class Ended:
    """The last event of a call. ``code`` is SIP's, 0 when none was said."""

    reason: EndReason
    code: int = 0
    words: str = ""
    by_us: bool = False
    attempts: tuple[Attempt, ...] = ()
