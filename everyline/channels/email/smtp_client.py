"""The SMTP library's client, heard while it talks. Apart from ``smtp.py`` because the library is slow to import."""

from __future__ import annotations

from typing import Any

from aiosmtplib import SMTP, SMTPResponse  # noqa: TID253 -- this module is itself imported only where it is used

from everyline.channels.email.overheard import HIDDEN, Ear

_CONTINUES = 334  # the sign-in goes on (RFC 4954)


class Client(SMTP):
    """Says everything that goes over the wire to an ear as well, when there is one; nothing of a sign-in."""

    ear: Ear | None = None
    _signing_in = False

    async def connect(self, **options: Any) -> SMTPResponse:
        """The greeting."""
        response = await super().connect(**options)
        self.heard(response)
        return response

    async def starttls(self, **options: Any) -> SMTPResponse:
        """Encrypt what follows. The library greets first where that is still to be done."""
        await self._ehlo_or_helo_if_needed()
        self.said(b"STARTTLS")
        response = await super().starttls(**options)
        self.heard(response)
        return response

    async def execute_command(self, *args: bytes, **options: Any) -> SMTPResponse:
        """One command and its answer."""
        if args[:1] == (b"AUTH",):
            self._signing_in = True
            self.said(b" ".join([*args[:2], HIDDEN.encode()]))
        else:
            self.said(HIDDEN.encode() if self._signing_in else b" ".join(args))
        try:
            response = await super().execute_command(*args, **options)
        except BaseException:
            self._signing_in = False
            raise
        if self._signing_in and response.code == _CONTINUES:
            response_words = SMTPResponse(response.code, HIDDEN)
        else:
            self._signing_in = False
            response_words = response
        self.heard(response_words)
        return response

    def said(self, words: bytes) -> None:
        """A line of ours."""
        if self.ear is not None:
            self.ear.ours(words + b"\r\n")

    def heard(self, response: SMTPResponse) -> None:
        """What the host answered: each of its lines with its code."""
        if self.ear is not None:
            *more, last = response.message.split("\n")
            lines = [*(f"{response.code}-{line}" for line in more), f"{response.code} {last}"]
            self.ear.theirs("\n".join(lines).encode("utf-8", "replace"))
