"""A door and a signer in memory."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from everyline.channel_contract import Address, Inbound, InboundKind, Line, Outbound, Raw
from everyline.channels.email import channel
from everyline.channels.email.settings import EmailSettings


class Signer:
    """Like the product's: letters and digits, made from the case's number and a secret."""

    def __init__(self, secret: bytes = b"of this test") -> None:
        self._secret = secret

    def sign(self, case_id: int) -> str:
        mark = hmac.new(self._secret, str(case_id).encode(), hashlib.sha256).hexdigest()[:16]
        return f"{case_id:x}z{mark}"

    def case_of(self, token: str) -> int | None:
        number, _, _ = token.lower().partition("z")
        try:
            case_id = int(number, 16)
        except ValueError:
            return None
        return case_id if hmac.compare_digest(self.sign(case_id), token.lower()) else None


class MemoryDoor:
    """Keeps what comes in. ``broken`` makes it fail as a database that is away does; ``before`` is awaited before
    anything is kept."""

    def __init__(self, *lines: Line) -> None:
        self.open_lines = list(lines)
        self.kept: dict[tuple[int, str], Raw] = {}
        self.repeats = 0
        self.cursors: dict[int, dict[str, Any]] = {}
        self.errors: list[str] = []
        self.well: list[int] = []
        self.unwell: list[int] = []
        self.broken: Exception | None = None
        self.before: Callable[[Raw], Any] | None = None
        self._changed = asyncio.Condition()

    async def accept(self, line: Line, raw: Raw, *, cursor: Mapping[str, Any] | None = None) -> bool:
        if self.before:
            await self.before(raw)
        if self.broken:
            raise self.broken
        await asyncio.sleep(0)
        key = (line.id, raw.external_id)
        new = key not in self.kept
        self.repeats += not new
        self.kept.setdefault(key, raw)
        if cursor is not None:
            self.cursors[line.id] = dict(cursor)
        await self._tell()
        return new

    async def cursor(self, line: Line) -> Mapping[str, Any]:
        return self.cursors.get(line.id, {})

    async def remember(self, line: Line, cursor: Mapping[str, Any]) -> None:
        self.cursors[line.id] = dict(cursor)
        await self._tell()

    async def lines(self, channel: str) -> Sequence[Line]:
        if self.broken:
            raise self.broken
        return [line for line in self.open_lines if line.channel == channel]

    async def healthy(self, line: Line) -> None:
        self.well.append(line.id)
        await self._tell()

    async def failed(self, line: Line, error: str) -> None:
        self.errors.append(error)
        self.unwell.append(line.id)
        await self._tell()

    async def arrived(self, line: Line, external_id: str, *, seconds: float) -> bool:
        return await self.until(lambda: (line.id, external_id) in self.kept, seconds=seconds)

    async def take_turn(self, line: Line, writer: str, *, most: int, seconds: float) -> float:
        return 0.0

    async def give_turn_back(self, line: Line, writer: str) -> None:
        pass

    async def case_number(self, line: Line, external_id: str, *, seconds: float) -> int | None:
        return None

    async def until(self, true: Callable[[], bool], *, seconds: float = 20) -> bool:
        """Wait until something that was told to the door makes it true."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            return False
        return True

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def raws(self, line: Line) -> list[Raw]:
        """What one line has, in its order."""
        return [raw for (line_id, _), raw in self.kept.items() if line_id == line.id]


def a_line(address: str = "permits@harbor.example", id: int = 1, **settings: Any) -> Line:
    """An email line of Harbor County."""
    return Line(
        id, "email", channel.normal(address), "Harbor County Permits", "en", EmailSettings(**settings), Signer()
    )


def an_answer(to: str = "ann@customer.example", **changes: Any) -> Outbound:
    """An answer to Ann about her case."""
    values: dict[str, Any] = {
        "id": 7,
        "idempotency_key": "answer-7",
        "to": Address("mailbox", to, "Ann Example"),
        "sender_name": "Dana at Harbor County",
        "subject": "Re: My permit",
        "text": "Dear Ann,\n\nyou may.\n",
        "token": Signer().sign(5),
    }
    return Outbound(**{**values, **changes})


def read(raw: bytes, line: Line | None = None, **envelope: Any) -> Inbound:
    """The one piece that a mail is."""
    pieces = channel.parse(line or a_line(), Raw("x", raw, envelope))
    assert len(pieces) == 1
    assert isinstance(pieces[0].kind, InboundKind)
    return pieces[0]
