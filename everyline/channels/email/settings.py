"""What an email line needs, and what the channel needs of the installation."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from everyline.channel_contract import LineSettings, asked_under
from everyline.ground.words import mark as _

Encryption = Literal["tls", "starttls", "none"]
MIB = 1024 * 1024

_IN = _("Receiving")
_OUT = _("Sending")
_SIGN_IN = _("Sign-in without a password")
_SIGNATURE = _("Signature of the domain (DKIM)")
_CONNECTION = _("Connections")

_WAYS = {"listener": _("The mail host passes it on"), "imap": _("A mailbox is read")}
_ENCRYPTIONS = {"tls": _("TLS"), "starttls": _("STARTTLS"), "none": _("None")}
_BACKFILLS = {"new": _("Only what is new"), "month": _("The last 30 days"), "all": _("Everything")}
_READ = {"incoming": "imap"}


@dataclass(frozen=True, slots=True)
class Host:
    """Where to connect to and as whom."""

    host: str
    port: int
    encryption: Encryption
    user: str
    password: str


class EmailSettings(LineSettings):
    """One mailbox. Ports and limits have the usual values; nothing is asked for that another answer makes idle."""

    incoming: Literal["listener", "imap"] = Field(
        "listener",
        title=_("How mail comes in"),
        description=_("Your mail host passes it on to Everyline (SMTP or LMTP), or Everyline reads a mailbox (IMAP)."),
        json_schema_extra=asked_under(_IN, choices=_WAYS),
    )
    imap_host: str = Field("", title=_("Mail host"), json_schema_extra=asked_under(_IN, when=_READ))
    imap_port: int = Field(993, ge=1, le=65535, title=_("Port"), json_schema_extra=asked_under(_IN, when=_READ))
    imap_encryption: Encryption = Field(
        "tls", title=_("Encryption"), json_schema_extra=asked_under(_IN, choices=_ENCRYPTIONS, when=_READ)
    )
    imap_user: str = Field("", title=_("Sign-in name"), json_schema_extra=asked_under(_IN, when=_READ))
    imap_password: str = Field("", title=_("Password"), json_schema_extra=asked_under(_IN, secret=True, when=_READ))
    imap_folder: str = Field(
        "INBOX", min_length=1, title=_("Folder"), json_schema_extra=asked_under(_IN, advanced=True, when=_READ)
    )
    backfill: Literal["new", "month", "all"] = Field(
        "new",
        title=_("What is there already"),
        description=_("Only what is new, the last 30 days, or everything. Nothing old is acknowledged."),
        json_schema_extra=asked_under(_IN, choices=_BACKFILLS, when=_READ),
    )
    mark_seen: bool = Field(
        False,  # noqa: FBT003 -- a field's default
        title=_("Mark as read what was taken in"),
        json_schema_extra=asked_under(_IN, advanced=True, when=_READ),
    )
    poll_seconds: float = Field(
        60,
        ge=1,
        le=3600,
        title=_("Seconds between looks"),
        description=_("Only for mail hosts that do not tell of new mail by themselves (IDLE)."),
        json_schema_extra=asked_under(_IN, advanced=True, when=_READ),
    )

    smtp_host: str = Field("", title=_("Mail host"), json_schema_extra=asked_under(_OUT, sends=True))
    smtp_port: int = Field(587, ge=1, le=65535, title=_("Port"), json_schema_extra=asked_under(_OUT, sends=True))
    smtp_encryption: Encryption = Field(
        "starttls", title=_("Encryption"), json_schema_extra=asked_under(_OUT, sends=True, choices=_ENCRYPTIONS)
    )
    smtp_user: str = Field(
        "",
        title=_("Sign-in name"),
        description=_("Empty: the same sign-in as for receiving."),
        json_schema_extra=asked_under(_OUT, sends=True),
    )
    smtp_password: str = Field("", title=_("Password"), json_schema_extra=asked_under(_OUT, sends=True, secret=True))
    sender_name: str = Field(
        "",
        max_length=200,
        title=_("Name that customers see"),
        description=_("Shown before the address in every answer. Empty: the name of the line."),
        json_schema_extra=asked_under(_OUT, sends=True),
    )
    plus_addressing: bool = Field(
        True,  # noqa: FBT003 -- a field's default
        title=_("Put the case's reference into the answer address"),
        description=_(
            "Like name+reference@example.org. Switch off when your mail host does not deliver such addresses."
        ),
        json_schema_extra=asked_under(_OUT, sends=True, advanced=True),
    )

    oauth_token_url: str = Field(
        "", title=_("Address that gives out tokens"), json_schema_extra=asked_under(_SIGN_IN, advanced=True)
    )
    oauth_client_id: str = Field("", title=_("Client id"), json_schema_extra=asked_under(_SIGN_IN, advanced=True))
    oauth_client_secret: str = Field(
        "", title=_("Client secret"), json_schema_extra=asked_under(_SIGN_IN, secret=True, advanced=True)
    )
    oauth_refresh_token: str = Field(
        "", title=_("Refresh token"), json_schema_extra=asked_under(_SIGN_IN, secret=True, advanced=True)
    )
    oauth_scope: str = Field("", title=_("Scope"), json_schema_extra=asked_under(_SIGN_IN, advanced=True))
    oauth_access_token: str = Field(
        "",
        title=_("Access token"),
        description=_("A fixed token, instead of an address that gives them out."),
        json_schema_extra=asked_under(_SIGN_IN, secret=True, advanced=True),
    )

    dkim_selector: str = Field(
        "", title=_("Selector"), json_schema_extra=asked_under(_SIGNATURE, sends=True, advanced=True)
    )
    dkim_domain: str = Field(
        "",
        title=_("Domain"),
        description=_("Empty: the domain of the line's address."),
        json_schema_extra=asked_under(_SIGNATURE, sends=True, advanced=True),
    )
    dkim_key: str = Field(
        "",
        title=_("Private key"),
        description=_("An RSA or Ed25519 key in PEM form."),
        json_schema_extra=asked_under(_SIGNATURE, sends=True, secret=True, advanced=True),
    )
    dkim_second_selector: str = Field(
        "",
        title=_("Selector of a second signature"),
        description=_(
            "Hosts that cannot check Ed25519 yet check RSA: with a key of each kind every host finds its own."
        ),
        json_schema_extra=asked_under(_SIGNATURE, sends=True, advanced=True),
    )
    dkim_second_key: str = Field(
        "",
        title=_("Private key of the second signature"),
        description=_("An RSA or Ed25519 key in PEM form."),
        json_schema_extra=asked_under(_SIGNATURE, sends=True, secret=True, advanced=True),
    )

    largest_message: int = Field(
        40 * MIB,
        ge=64 * 1024,
        le=512 * MIB,
        title=_("Largest message in bytes"),
        description=_("Of a larger one in the mailbox only the header is taken in."),
        json_schema_extra=asked_under(_CONNECTION, advanced=True),
    )
    verify: bool = Field(
        True,  # noqa: FBT003 -- a field's default
        title=_("Check the hosts' certificates"),
        json_schema_extra=asked_under(_CONNECTION, advanced=True),
    )
    ca_file: str = Field(
        "",
        title=_("File with certificates to trust"),
        description=_("For a mail host whose certificate your own authority signed."),
        json_schema_extra=asked_under(_CONNECTION, advanced=True),
    )
    timeout_seconds: float = Field(
        60,
        gt=0,
        le=600,
        title=_("Seconds until a host counts as silent"),
        json_schema_extra=asked_under(_CONNECTION, advanced=True),
    )

    @field_validator(
        "imap_host", "smtp_host", "imap_user", "smtp_user", "imap_folder", "sender_name", "oauth_token_url"
    )
    @classmethod
    def _one_line(cls, value: str) -> str:
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise ValueError(_("must be one line without control characters"))
        return value.strip()

    @model_validator(mode="after")
    def _complete(self) -> EmailSettings:
        if self.incoming == "imap" and not (self.imap_host and self.imap_user):
            raise ValueError(_("a mailbox needs its mail host and a sign-in name"))
        if self.incoming == "imap" and not (self.imap_password or self.oauth):
            raise ValueError(_("a mailbox needs a password or a token"))
        if self.oauth_refresh_token and not (
            self.oauth_token_url.startswith(("https://", "http://")) and self.oauth_client_id
        ):
            raise ValueError(_("a refresh token needs the address that gives out tokens and a client id"))
        for selector, key in self._signatures:
            if bool(key) != bool(selector):
                raise ValueError(_("a signature needs both the selector and the private key"))
            if key:
                _check_key(key)
        if self.dkim_second_key and not self.dkim_key:
            raise ValueError(_("a second signature needs a first one"))
        if self.dkim_key and self.dkim_selector == self.dkim_second_selector:
            raise ValueError(_("each signature needs a selector of its own"))
        return self

    @property
    def _signatures(self) -> tuple[tuple[str, str], ...]:
        return (self.dkim_selector, self.dkim_key), (self.dkim_second_selector, self.dkim_second_key)

    @property
    def dkim(self) -> list[tuple[str, str]]:
        """Selector and private key of every signature that is put on a mail."""
        return [(selector, key) for selector, key in self._signatures if key]

    @property
    def fetches(self) -> bool:
        """A mailbox is read from the moment its line is open."""
        return self.incoming == "imap"

    @property
    def oauth(self) -> bool:
        """Signs in with a token instead of a password (XOAUTH2)."""
        return bool(self.oauth_refresh_token or self.oauth_access_token)

    @property
    def imap(self) -> Host:
        """Where mail is read."""
        return Host(self.imap_host, self.imap_port, self.imap_encryption, self.imap_user, self.imap_password)

    @property
    def smtp(self) -> Host:
        """Where mail is sent."""
        user, password = self.smtp_user, self.smtp_password
        if not user and self.incoming == "imap":
            user, password = self.imap_user, self.imap_password
        return Host(self.smtp_host, self.smtp_port, self.smtp_encryption, user, password)

    def tls(self) -> ssl.SSLContext:
        """How certificates of hosts are checked. Raises OSError when ``ca_file`` cannot be read."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _check_key(pem: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- slow import, only for a key
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 -- as above

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError(_("the private key is not in PEM form or has a password")) from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError(_("the private key must be an RSA or Ed25519 key"))  # noqa: TRY004 -- pydantic turns only ValueError into words


class InstallSettings(BaseSettings):
    """Of the whole installation. Nothing listens unless an address is given."""

    model_config = SettingsConfigDict(env_prefix="EVERYLINE_EMAIL_", extra="ignore", frozen=True)

    smtp_listen: str = Field("", description="host:port on which mail is taken in by SMTP. Empty: not at all.")
    lmtp_listen: str = Field("", description="host:port on which mail is taken in by LMTP. Empty: not at all.")
    hostname: str = Field("", description="Name by which the listener greets. Empty: this machine's.")
    tls_certificate: str = Field(
        "", description="File with the listener's certificate chain in PEM form; offers STARTTLS."
    )
    tls_key: str = Field("", description="File with the certificate's private key in PEM form.")
    largest_message: int = Field(
        40 * MIB, ge=64 * 1024, description="Largest message that the listener takes, in bytes."
    )
    connections: int = Field(200, ge=1, description="Most connections to a listener at a time.")
    connections_of_one_host: int = Field(50, ge=1, description="Most connections from one address at a time.")

    @field_validator("smtp_listen", "lmtp_listen")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            listen_address(value)
        return value

    @model_validator(mode="after")
    def _certificate(self) -> InstallSettings:
        for name in ("tls_certificate", "tls_key"):
            path = getattr(self, name)
            if path and not Path(path).is_file():
                raise ValueError(f"{name}: there is no file {path}")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together")
        return self


def listen_address(value: str) -> tuple[str, int]:
    """``127.0.0.1:2525`` or ``[::1]:2525`` in two. Raises ValueError."""
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be an address and a port, such as 127.0.0.1:2525")
    return host.strip("[]"), int(port)
