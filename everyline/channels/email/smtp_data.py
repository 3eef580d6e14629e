"""The bytes between DATA and the line with a single dot (RFC 5321 section 4.1.1.4 and 4.5.2), read in pieces as large
as they come: line by line costs half of what taking in a mail costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_END = b"\r\n.\r\n"
_PIECE = 1024 * 1024  # more than a reader ever holds, so that nothing stays in it behind what is put back


async def read_mail(reader: asyncio.StreamReader, largest: int, still_alive: Callable[[], None]) -> bytes | None:
    """The mail without its added dots, None when it was larger than ``largest`` bytes; what comes after it stays in
    the reader. Only CRLF ends a line, so nothing can be smuggled in behind a bare line feed.

    Raises ConnectionResetError when the sender hangs up before the end.
    """
    data = bytearray(b"\r\n")  # an end right at the beginning stands on a line of its own too
    too_large = False
    while True:
        piece = await reader.read(_PIECE)
        if not piece:
            raise ConnectionResetError("hung up within a mail")
        still_alive()
        searched = max(0, len(data) - len(_END) + 1)
        data += piece
        end = data.find(_END, searched)
        if end >= 0:
            break
        if len(data) > largest:
            too_large = True
            del data[: -len(_END)]
    rest = bytes(data[end + len(_END) :])
    if rest:
        reader.feed_data(rest)
    if too_large or end > largest:
        return None
    return bytes(data[: end + 2].replace(b"\r\n.", b"\r\n")[2:])
