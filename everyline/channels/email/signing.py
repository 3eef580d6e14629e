"""Signing what goes out for its domain (DKIM, RFC 6376)."""

from __future__ import annotations

from everyline.channel_contract import ChannelError, Line
from everyline.ground.words import _

_SIGNED = [
    b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
    b"content-language", b"content-type", b"content-transfer-encoding", b"mime-version", b"auto-submitted",
]  # fmt: skip


def signed(line: Line, mail: bytes) -> bytes:
    """The mail with its signature in front, or as it is when the line has no key. Slow: call it in a thread.

    Raises ChannelError when the key does not work.
    """
    settings = line.settings
    if not settings.dkim_key:
        return mail
    import dkim

    domain = settings.dkim_domain or line.address.rpartition("@")[2]
    try:
        field: bytes = dkim.sign(
            mail,
            settings.dkim_selector.encode("ascii"),
            domain.encode("idna"),
            settings.dkim_key.encode("ascii"),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name for name in _SIGNED if _holds(mail, name)],
        )
    except (dkim.DKIMException, UnicodeError) as error:
        raise ChannelError(_("The mail could not be signed: {why}").format(why=error), permanent=False) from error
    return field + mail


def _holds(mail: bytes, name: bytes) -> bool:
    head = b"\r\n" + mail.partition(b"\r\n\r\n")[0].lower()
    return b"\r\n" + name + b":" in head
