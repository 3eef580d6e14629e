"""What was said in a call, message by message, for people to read; no credentials, and never more than so much memory.

The latest calls are kept, of each the first and the last messages. Any thread may write and read.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime

from everyline.ground import clock

MOST_CALLS = 300
FIRST = 24
LAST = 40
LONGEST = 4096
_CALL_ID = re.compile(r"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_SECRET = re.compile(
    r"^((?:proxy-)?authorization[ \t]*:(?:[ \t]*(?:Digest|Basic|Bearer)\b)?).*(?:\r?\n[ \t].*)*$|^(a=(?:crypto|key-mgmt|ice-pwd)).*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Line:
    """One message. ``ours`` went out, the others came in."""

    at: datetime
    ours: bool
    peer: str
    text: str

    @property
    def summary(self) -> str:
        """Its first line."""
        return self.text.partition("\r\n")[0]


@dataclass
class _Kept:
    first: list[Line] = field(default_factory=list)
    last: deque[Line] = field(default_factory=lambda: deque(maxlen=LAST))
    left_out: int = 0


class Traces:
    """The traces of the latest calls."""

    def __init__(self, most_calls: int = MOST_CALLS) -> None:
        self._most = most_calls
        self._calls: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, call_id: str, text: str, peer: tuple[str, int], *, ours: bool) -> None:
        """Keep a message; without a call id it is looked for in the text."""
        if not call_id:
            found = _CALL_ID.search(text)
            if found is None:
                return
            call_id = found[1]
        line = Line(clock.now(), ours, f"{peer[0]}:{peer[1]}", without_secrets(text)[:LONGEST])
        with self._lock:
            kept = self._calls.get(call_id)
            if kept is None:
                kept = self._calls[call_id] = _Kept()
                if len(self._calls) > self._most:
                    self._calls.popitem(last=False)
            if len(kept.first) < FIRST:
                kept.first.append(line)
            else:
                kept.left_out += len(kept.last) == LAST
                kept.last.append(line)

    def of(self, call_id: str) -> tuple[Line, ...]:
        """The messages of a call in their order; empty when it is not known any more."""
        with self._lock:
            kept = self._calls.get(call_id)
            return (*kept.first, *kept.last) if kept else ()

    def left_out(self, call_id: str) -> int:
        """How many messages are missing between the first and the last."""
        with self._lock:
            kept = self._calls.get(call_id)
            return kept.left_out if kept else 0

    def readable(self, call_id: str) -> str:
        """The same as text: when, which way, and the message."""
        with self._lock:
            kept = self._calls.get(call_id)
            if kept is None:
                return ""
            parts = [_put(line) for line in kept.first]
            if kept.left_out:
                parts.append(f"({kept.left_out} messages are left out)\n")
            return "\n".join([*parts, *(_put(line) for line in kept.last)])

    def __len__(self) -> int:
        return len(self._calls)


def without_secrets(text: str) -> str:
    """A message without digests, keys of media and keys that were pressed."""
    if text.startswith("INFO "):
        text = text.partition("\r\n\r\n")[0] + "\r\n"
    return _SECRET.sub(lambda found: f"{found[1] or found[2]} (left out)", text)


def _put(line: Line) -> str:
    arrow = "→" if line.ours else "←"
    return f"{line.at:%H:%M:%S.%f} {arrow} {line.peer}\n" + line.text.replace("\r\n", "\n").rstrip() + "\n"
