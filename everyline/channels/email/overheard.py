"""What was said on the wires of a test, line by line, with everything left out that would let a reader sign in.

Whole exchanges of sign-in are left out where they are said, answers of the host in their course among them. What a host
repeats of them elsewhere, in a refusal say, is found and left out too: the secrets as they are and as base64 (RFC 4648).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from everyline.channel_contract import Said
from everyline.channels.email.settings import EmailSettings
from everyline.ground.words import _, ngettext

MOST_LINES = 120  # of one step; of a longer talk its beginning and its end are kept
LONGEST_LINE = 300  # characters
HIDDEN = "•••"

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Overheard:
    """Everything that is said in the course of a test, on however many connections."""

    def __init__(self, settings: EmailSettings) -> None:
        self._secrets: set[str] = set()
        self._lines: list[Said] = []
        self._left_out = 0
        for host in (settings.imap, settings.smtp):
            self.hide(host.password, host.user)
        for token in (settings.oauth_access_token, settings.oauth_refresh_token, settings.oauth_client_secret):
            self.hide(token, settings.imap.user, settings.smtp.user)

    def hide(self, secret: str, *users: str) -> None:
        """Leave a secret out wherever it stands: bare, as base64, and within what the usual ways of sign-in make of it."""
        if not secret:
            return
        said = [secret, *(made for user in users for made in _exchanged(user, secret))]
        self._secrets.update(said)
        for one in said:
            coded = base64.b64encode(one.encode()).decode("ascii")
            self._secrets.update((coded, coded.rstrip("=")))

    def connection(self, host: str, port: int) -> Ear:
        """An ear on a new connection."""
        self.note(Said(words=_("A connection to {host} begins.").format(host=f"{host}:{port}")))
        return Ear(self, f"{host}:{port}")

    def note(self, said: Said) -> None:
        """Keep a line, shortened and without secrets."""
        words = said.words
        for secret in sorted(self._secrets, key=len, reverse=True):
            words = words.replace(secret, HIDDEN)
        words = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", words)
        if len(words) > LONGEST_LINE:
            words = words[:LONGEST_LINE] + "…"
        self._lines.append(Said(said.by, words, said.ours))
        if len(self._lines) > MOST_LINES:
            del self._lines[MOST_LINES // 2]
            self._left_out += 1

    def taken(self) -> tuple[Said, ...]:
        """What was said since this was last asked."""
        lines, left_out = self._lines, self._left_out
        self._lines, self._left_out = [], 0
        if left_out:
            words = ngettext("{n} line is left out here.", "{n} lines are left out here.", left_out)
            lines.insert(MOST_LINES // 2, Said(words=words.format(n=left_out)))
        return tuple(lines)


class Ear:
    """One connection, heard in pieces as they go over the wire."""

    def __init__(self, overheard: Overheard, host: str) -> None:
        self._overheard = overheard
        self._host = host
        self._begun = b""

    def hide(self, secret: str, *users: str) -> None:
        """A secret that came up only now, such as a token that was just given out."""
        self._overheard.hide(secret, *users)

    def ours(self, piece: bytes) -> None:
        """A piece of what we say; it is kept when its line has ended."""
        *lines, self._begun = (self._begun + piece).split(b"\r\n")
        self._keep(lines, "Everyline", ours=True)

    def theirs(self, lines: bytes) -> None:
        """Whole lines of what the host says."""
        self._keep(lines.rstrip(b"\r\n").split(b"\n"), self._host, ours=False)

    def _keep(self, lines: Iterable[bytes], by: str, *, ours: bool) -> None:
        for line in lines:
            self._overheard.note(Said(by, line.rstrip(b"\r").decode("utf-8", "replace"), ours))


def _exchanged(user: str, secret: str) -> tuple[str, ...]:
    """What is said of a name and a secret in PLAIN (RFC 4616) and XOAUTH2."""
    return f"\0{user}\0{secret}", f"{user}\0{user}\0{secret}", f"user={user}\x01auth=Bearer {secret}\x01\x01"


def size_words(size: int) -> bytes:
    """What stands for a mail's bytes."""
    return _("(a message of {size} bytes)").format(size=size).encode()
