"""What makes the same mail that comes in twice one mail.

A message id alone is not enough: anybody can claim one. So a digest of what the sender wrote stands beside it. What
hosts add on the way (Received, Delivered-To, verdicts) does not count. Nothing is parsed here beyond what is hashed,
for this runs while the sender waits for its answer.
"""

from __future__ import annotations

import re
from hashlib import blake2b

PROBE_FIELD = b"X-Everyline-Probe"

_LONGEST_HEAD = 256 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_WRITTEN = re.compile(
    rb"^(message-id|from|date|subject|x-everyline-probe)[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_BLANKS = re.compile(rb"\s+")
_PROBE = re.compile(rb"[A-Za-z0-9.]{16,200}")


def external_id(raw: bytes) -> str:
    """The id of a mail as it came in, for ``Raw.external_id``."""
    end = _END.search(raw, 0, _LONGEST_HEAD)
    head, start = (raw[: end.start()], end.end()) if end else (raw[:_LONGEST_HEAD], len(raw[:_LONGEST_HEAD]))
    digest = blake2b(digest_size=12)
    message_ids = []
    for name, value in _WRITTEN.findall(head):
        field = name.lower()
        value = _BLANKS.sub(b" ", value).strip()
        if field == b"message-id":
            message_ids.append(value)
        elif field == b"x-everyline-probe" and _PROBE.fullmatch(value):
            return probe_id(value.decode("ascii"))
        digest.update(field + b"\0" + value + b"\0")
    body = raw[start:].rstrip()
    digest.update(body.replace(b"\r\n", b"\n") if b"\r\n" in body else body)
    claimed = message_ids[0].strip(b"<> ").decode("utf-8", "replace")[:200] if len(message_ids) == 1 else ""
    return f"{claimed} {digest.hexdigest()}".strip().replace("\0", "")


def probe_id(probe: str) -> str:
    """The id under which our own test message comes in, whatever hosts on the way do to it."""
    return f"probe {probe}"
