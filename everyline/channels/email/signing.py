"""Signing what goes out for its domain (DKIM, RFC 6376 and 8463)."""

from __future__ import annotations

import base64

from everyline.channel_contract import ChannelError, Line
from everyline.ground.words import _

_SIGNED = [
    b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to", b"references",
    b"content-language", b"content-type", b"content-transfer-encoding", b"mime-version", b"auto-submitted",
]  # fmt: skip


def signed(line: Line, mail: bytes) -> bytes:
    """The mail with a signature for each of the line's keys in front, or as it is when there is none. Slow: call it in
    a thread.

    Raises ChannelError when a key does not work.
    """
    settings = line.settings
    if not settings.dkim:
        return mail
    import dkim

    domain = settings.dkim_domain or line.address.rpartition("@")[2]
    names = [name for name in _SIGNED if _holds(mail, name)]
    fields: list[bytes] = []
    for selector, pem in settings.dkim:
        try:
            algorithm, key = _key(pem)
            fields.append(
                dkim.sign(
                    mail,
                    selector.encode("ascii"),
                    domain.encode("idna"),
                    key,
                    canonicalize=(b"relaxed", b"relaxed"),
                    signature_algorithm=algorithm,
                    include_headers=list(names),
                )
            )
        except (dkim.DKIMException, ValueError) as error:
            raise ChannelError(_("The mail could not be signed: {why}").format(why=error), permanent=False) from error
    return b"".join([*fields, mail])


def _key(pem: str) -> tuple[bytes, bytes]:
    """The algorithm that a key is for, and the key as the library takes it: of Ed25519 the bare seed (RFC 8463)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- slow import
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 -- as above

    key = load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, Ed25519PrivateKey):
        return b"ed25519-sha256", base64.b64encode(key.private_bytes_raw())
    return b"rsa-sha256", pem.encode("ascii")


def _holds(mail: bytes, name: bytes) -> bool:
    head = b"\r\n" + mail.partition(b"\r\n\r\n")[0].lower()
    return b"\r\n" + name + b":" in head
