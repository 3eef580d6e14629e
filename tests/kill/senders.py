"""The mail hosts of those who write: they keep a letter until it is taken, and give up only when they are told no for good."""

from __future__ import annotations

import http.client
import random
import smtplib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.mail import mail

LINES = ("help@county.example", "tax@county.example")
LETTERS_OF_ONE = 4  # fewer than are acknowledged to one address, so that every case has its acknowledgement
LARGE = "The plan of the building, line by line.\r\n" * 9000  # more than stands in a row: it goes to the file store


@dataclass(frozen=True)
class Letter:
    """One mail, and the lines that it is for. Its subject is found nowhere else."""

    subject: str
    sender: str
    to: tuple[str, ...]
    raw: bytes
    by: str  # smtp or http: the API takes a piece for one line


def letters(most: int) -> list[Letter]:
    """``most`` of them: every seventh by HTTP, every tenth for both lines, some large, some without a Message-ID."""
    found = []
    for number in range(most):
        subject, sender = f"Matter {number}", f"c{number // LETTERS_OF_ONE}@example.org"
        by = "http" if number % 7 == 3 else "smtp"
        to = LINES if number % 10 == 5 and by == "smtp" else (LINES[number % 2],)
        text = f"What about matter {number}?\r\n" + (LARGE if number % 50 == 49 else "")
        raw = mail(text, subject=subject, sender=sender, to=", ".join(to), message_id=f"<m{number}@example.org>")
        if number % 20 == 11:
            raw = raw.replace(f"Message-ID: <m{number}@example.org>\n".encode(), b"")
        found.append(Letter(subject, sender, to, raw, by))
    return found


@dataclass
class MailHost:
    """Hands letters in from several threads at once. What it was told no for good is in ``refused``."""

    smtp_port: int
    http_port: int
    token: str
    line_ids: dict[str, int]
    taken: list[Letter] = field(default_factory=list)
    refused: list[tuple[Letter, str]] = field(default_factory=list)
    again: int = 0  # attempts that were not the first of their letter
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, found: Sequence[Letter], *, threads: int, seconds: float) -> None:
        """Begin to send, spread over about ``seconds``."""
        for one in range(threads):
            share = found[one::threads]
            pause = seconds / max(len(share), 1)
            self._threads.append(threading.Thread(target=self._send_all, args=(share, pause, random.Random(one))))
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        """Is there anything left to send?"""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, seconds: float) -> None:
        """Until everything was taken or refused."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _send_all(self, share: Sequence[Letter], pause: float, chance: random.Random) -> None:
        for letter in share:
            time.sleep(chance.uniform(0, 2 * pause))
            self._send(letter)

    def _send(self, letter: Letter) -> None:
        for attempt in range(3000):
            self.again += attempt > 0
            try:
                no = self._by_http(letter) if letter.by == "http" else self._by_smtp(letter)
            except (OSError, smtplib.SMTPException, http.client.HTTPException):
                time.sleep(0.1)
                continue
            if no:
                self.refused.append((letter, no))
            else:
                self.taken.append(letter)
            return
        self.refused.append((letter, "it was never taken"))

    def _by_smtp(self, letter: Letter) -> str:
        """Empty when it was taken, else why it never will be. Raises what calls for another attempt."""
        try:
            with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as smtp:
                some = smtp.sendmail(letter.sender, list(letter.to), letter.raw)
        except smtplib.SMTPRecipientsRefused as error:
            some = error.recipients
        except smtplib.SMTPResponseException as error:
            if error.smtp_code < 500:
                raise
            return f"{error.smtp_code} {error.smtp_error!r}"
        final = [f"{code} {answer!r}" for code, answer in some.values() if code >= 500]
        if some and not final:
            raise smtplib.SMTPRecipientsRefused(some)
        return "; ".join(final)

    def _by_http(self, letter: Letter) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=20)
        try:
            connection.request(
                "POST",
                f"/api/v1/lines/{self.line_ids[letter.to[0]]}/inbound",
                letter.raw,
                {"Authorization": f"Bearer {self.token}", "Content-Type": "message/rfc822"},
            )
            answer = connection.getresponse()
            words = answer.read()
        finally:
            connection.close()
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise OSError(answer.status)
        return "" if answer.status in (200, 202) else f"{answer.status} {words!r}"
