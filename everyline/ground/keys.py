"""The installation's secret key, and what is made with it: signed references to cases, encrypted passwords of lines."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets

from cryptography.fernet import Fernet, InvalidToken

from everyline.ground.settings import Settings, SettingsError

_TOKEN = re.compile(r"c(\d{1,18})x([a-z2-7]{16})")


def secret_key(settings: Settings) -> bytes:
    """The key from the settings, or the one kept in the data folder, made there at the first start."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.data / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32), "ascii")
        try:
            os.link(fresh, path)  # whoever is first wins, when several processes start at once
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_bytes().strip()
    if len(key) < 32:
        raise SettingsError(f"{path} is damaged: put the key back from a backup, or set EVERYLINE_SECRET_KEY")
    return key


class CaseSigner:
    """References to cases that nobody can guess: ``c<case id>x<80 bits of HMAC-SHA256 in base 32>``."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"everyline case reference", "sha256")

    def sign(self, case_id: int) -> str:
        """The token of a case: lower-case letters and digits only, so that it survives in a mail address."""
        digest = hmac.digest(self._key, str(case_id).encode(), "sha256")[:10]
        return f"c{case_id}x{base64.b32encode(digest).decode().lower()}"

    def case_of(self, token: str) -> int | None:
        """The case that a token was made for; None when it is not one of ours."""
        match = _TOKEN.fullmatch(token.strip().lower())
        if match is None:
            return None
        case_id = int(match[1])
        return case_id if hmac.compare_digest(self.sign(case_id), match[0]) else None


class Vault:
    """Encrypts what must be read again, such as the password of a mailbox (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"everyline vault" + key).digest()))

    def lock(self, text: str) -> bytes:
        """The text, encrypted."""
        return self._fernet.encrypt(text.encode())

    def open(self, locked: bytes) -> str:
        """The text again. SettingsError when it was locked with another key."""
        try:
            return self._fernet.decrypt(locked).decode()
        except InvalidToken:
            raise SettingsError(
                "EVERYLINE_SECRET_KEY is not the key that the passwords of lines were kept with: put the old one back"
            ) from None
