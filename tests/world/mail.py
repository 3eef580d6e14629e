"""The mail world: Postfix → rspamd → LMTP → Dovecot, as the mail hosts of customers and of the organisation.

    with MailWorld.start() as world:
        ann = world.mailbox("ann@customer.example")
        world.route("harbor.example", "127.0.0.1", 2525)      # our listener takes that domain's mail
        world.send(ann.address, "permits@harbor.example", "Subject: A question\\n\\nMay I?\\n")
        answer = world.wait_for(ann, lambda mail: "Re:" in str(mail["subject"]))

A domain that is not routed has its mailboxes in Dovecot. Needs the Debian packages postfix, dovecot-imapd,
dovecot-lmtpd, rspamd and swaks, and root, as these programs change to users of their own. A program that is missing is
an error.
"""

from __future__ import annotations

import atexit
import contextlib
import email
import email.policy
import imaplib
import os
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType

from tests.world import mail_config
from tests.world.mail_helpers import Routes, Tokens
from tests.world.processes import Program, WorldError, free_ports, listening, wait_until

LONGEST_IDLE = 1.0  # seconds
_PORTS = ("smtp", "submission", "submissions", "imap", "imaps", "lmtp", "sasl", "milter", "routes", "tokens", "dead")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An account in Dovecot. It signs in to read (IMAP) and to send (submission) with the same name and password."""

    address: str
    password: str


@dataclass(slots=True)
class MailWorld:
    """The running programs. ``ports`` has: smtp (no sign-in, as between hosts), submission (STARTTLS and sign-in),
    submissions (TLS and sign-in), imap (STARTTLS or plain), imaps, lmtp (into Dovecot)."""

    dir: Path
    ports: dict[str, int]
    filtered: bool
    routes: Routes
    tokens: Tokens
    _programs: list[Program] = field(default_factory=list)
    _boxes: dict[str, Mailbox] = field(default_factory=dict)
    _own_dir: bool = False

    @classmethod
    def start(cls, dir: Path | None = None, *, filtered: bool = True) -> MailWorld:
        """Start everything, at once, and wait until it answers. ``dir`` must be reachable for other users;
        ``filtered=False`` leaves rspamd out. Stop it with ``stop`` or by leaving a ``with`` block."""
        if os.geteuid() != 0:
            raise WorldError("the mail programs need root to change to their own users")
        own = dir is None
        dir = Path(tempfile.mkdtemp(prefix="mail")) if dir is None else dir
        dir.mkdir(parents=True, exist_ok=True)
        dir.chmod(0o755)
        ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        world = cls(dir, ports, filtered, Routes(ports["routes"]), Tokens(ports["tokens"]), _own_dir=own)
        atexit.register(world.stop)
        try:
            world._write()
            world._launch()
        except BaseException:
            world.stop()
            raise
        return world

    def __enter__(self) -> MailWorld:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ca_file(self) -> Path:
        """The certificate to trust for the names ``localhost`` and ``127.0.0.1``."""
        return self.dir / "ca.pem"

    def mailbox(self, address: str, password: str = "open sesame") -> Mailbox:
        """The account of an address, made when there is none."""
        address = address.lower()
        if address not in self._boxes:
            # a file each: Dovecot looks at one that it knows only every other second
            (self.dir / "users" / address).write_text(f"{address}:{{PLAIN}}{password}::::::\n")
            self._boxes[address] = Mailbox(address, password)
        return self._boxes[address]

    def route(self, domain: str, host: str, port: int, *, lmtp: bool = False) -> None:
        """From now on mail for the domain goes to this listener."""
        self.routes.table[domain.lower()] = f"lmtp:inet:{host}:{port}" if lmtp else f"smtp:[{host}]:{port}"

    def unroute_all(self) -> None:
        """The mailboxes of all domains are in Dovecot again."""
        self.routes.table.clear()

    def send(
        self, sender: str, recipients: str | list[str], data: str | bytes = "Subject: Hello\n\nHello.\n", *,
        host: str = "127.0.0.1", port: int | None = None, options: tuple[str, ...] = (), check: bool = True,
    ) -> str:  # fmt: skip
        """Send by swaks, to Postfix unless told otherwise; ``data`` is the whole mail, lines ended as they like. What
        was said on the wire; raises WorldError when a host refused and ``check``."""
        to = recipients if isinstance(recipients, str) else ",".join(recipients)
        raw = data.encode() if isinstance(data, str) else data
        with tempfile.NamedTemporaryFile(dir=self.dir, suffix=".eml") as file:
            file.write(raw)
            file.flush()
            command = ["swaks", "--server", f"{host}:{port or self.ports['smtp']}", "--from", sender, "--to", to]
            command += ["--data", f"@{file.name}", "--helo", "customer.example", "--timeout", "20", "--suppress-data"]
            command += ["--no-data-fixup"] if b"\r\n" in raw else []
            command += options
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if check and done.returncode:
            raise WorldError(f"swaks ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def wait_for(
        self, mailbox: Mailbox | str, predicate: Callable[[EmailMessage], bool] = lambda _: True, *, seconds: float = 20
    ) -> EmailMessage:
        """The first mail in the mailbox that the predicate likes, woken by IDLE. Raises WorldError when none came."""
        deadline = time.monotonic() + seconds
        looked_at = 0
        with self.imap(mailbox) as client:
            while True:
                client.select("INBOX", readonly=True)
                found = client.uid("search", f"UID {looked_at + 1}:*")[1][0].split()
                for uid in (int(one) for one in found if int(one) > looked_at):
                    looked_at = uid
                    mail = _read(client, uid)
                    if predicate(mail):
                        return mail
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WorldError(f"no such mail came within {seconds} s; Postfix says:\n{self.log()[-2000:]}")
                _idle(client, left)

    def mails(self, mailbox: Mailbox | str) -> list[EmailMessage]:
        """All that is in the mailbox."""
        with self.imap(mailbox) as client:
            client.select("INBOX", readonly=True)
            return [_read(client, int(uid)) for uid in client.uid("search", "ALL")[1][0].split()]

    @contextlib.contextmanager
    def imap(self, mailbox: Mailbox | str) -> Iterator[imaplib.IMAP4]:
        """An IMAP connection of the standard library, signed in as the mailbox's owner."""
        box = self._boxes[mailbox] if isinstance(mailbox, str) else mailbox
        client = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=20)
        try:
            client.login(box.address, box.password)
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def token(self, mailbox: Mailbox) -> str:
        """An access token for the mailbox (XOAUTH2)."""
        token = f"token-of-{mailbox.address}"
        self.tokens.access[token] = mailbox.address
        return token

    def refresh_token(self, mailbox: Mailbox) -> str:
        """A token that is good for access tokens at ``http://127.0.0.1:{ports["tokens"]}/token``."""
        token = f"refresh-of-{mailbox.address}"
        self.tokens.refresh[token] = mailbox.address
        return token

    def flush(self) -> None:
        """Let Postfix try again now what it could not pass on."""
        subprocess.run(["postqueue", "-c", str(self.dir / "postfix"), "-f"], check=True, capture_output=True)

    def queued(self) -> int:
        """How many mails Postfix still holds."""
        listed = subprocess.run(
            ["postqueue", "-c", str(self.dir / "postfix"), "-j"], check=True, capture_output=True, text=True
        )
        return len(listed.stdout.splitlines())

    def log(self) -> str:
        """What Postfix wrote."""
        path = self.dir / "postfix/postfix.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def stop(self) -> None:
        """End every program by its pid; a folder of our own goes too. Does no harm a second time."""
        atexit.unregister(self.stop)
        self._stop_postfix()
        for program in reversed(self._programs):
            program.stop()
        self._programs.clear()
        self.routes.stop()
        self.tokens.stop()
        if self._own_dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def _stop_postfix(self) -> None:
        """Its master makes itself a process of its own, whose pid stands in a file."""
        file = self.dir / "postfix/queue/pid/master.pid"
        with contextlib.suppress(OSError, ValueError):
            pid = int(file.read_text())
            os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(WorldError):
                wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the end of Postfix", seconds=5)

    def _write(self) -> None:
        _certificate(self.dir)
        values = {
            **self.ports,
            "dir": self.dir,
            "milter": f"inet:127.0.0.1:{self.ports['milter']}" if self.filtered else "",
        }
        for name in ("postfix/queue", "postfix/data", "mail", "filter", "state", "users"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        (self.dir / "postfix/main.cf").write_text(mail_config.POSTFIX_MAIN.format(**values))
        (self.dir / "postfix/master.cf").write_text(mail_config.POSTFIX_MASTER.format(**values))
        (self.dir / "dovecot.conf").write_text(mail_config.DOVECOT.format(**values))
        (self.dir / "oauth.conf").write_text(mail_config.DOVECOT_OAUTH.format(**values))
        shutil.chown(self.dir / "postfix/data", "postfix", "postfix")
        shutil.chown(self.dir / "mail", "mail", "mail")
        filter_dir = self.dir / "filter"
        (filter_dir / "rspamd.conf").write_text(mail_config.RSPAMD.format(**self.ports | {"dir": filter_dir}))
        (filter_dir / "suffixes").write_text(mail_config.SUFFIXES)
        shutil.chown(filter_dir, "_rspamd", "_rspamd")

    def _launch(self) -> None:
        dir = self.dir
        if self.filtered:
            command = ["rspamd", "-f", "-c", str(dir / "filter/rspamd.conf"), "-u", "_rspamd", "-g", "_rspamd"]
            command += [f"--var={name}={dir / 'filter'}" for name in ("DBDIR", "LOGDIR", "RUNDIR")]
            self._programs.append(Program("rspamd", command, dir / "filter.out"))
        self._programs.append(
            Program("dovecot", ["dovecot", "-F", "-c", str(dir / "dovecot.conf")], dir / "dovecot.out")
        )
        self._programs.append(
            Program("postfix", ["postfix", "-c", str(dir / "postfix"), "start-fg"], dir / "postfix.out")
        )
        for name in ("imap", "lmtp", "sasl"):
            self._await(name, dir / "dovecot.log")
        for name in ("smtp", "submission"):
            self._await(name, dir / "postfix.out")
        if self.filtered:
            self._await("milter", dir / "filter/rspamd.log", seconds=60)

    def _await(self, name: str, log: Path, *, seconds: float = 30) -> None:
        def up() -> bool:
            for program in self._programs:
                if not program.running:
                    raise WorldError(
                        f"{program.name} ended\n{program.log.read_text('utf-8', 'replace')}\n{self.log()[-2000:]}"
                    )
            return listening(self.ports[name])

        wait_until(up, name, seconds=seconds, log=log)


def _read(client: imaplib.IMAP4, uid: int) -> EmailMessage:
    parts = client.uid("fetch", str(uid), "(BODY.PEEK[])")[1]
    raw = next(part[1] for part in parts if isinstance(part, tuple))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def _idle(client: imaplib.IMAP4, seconds: float) -> None:
    """Wait until Dovecot tells of a change, at most a short while: what it told beside an earlier answer it does not
    tell again, and what is read already cannot be waited for."""
    client.send(b"idle1 IDLE\r\n")
    client.readline()
    select.select([client.socket()], [], [], min(seconds, LONGEST_IDLE))
    client.send(b"DONE\r\n")
    while not client.readline().startswith(b"idle1 "):
        pass


def _certificate(dir: Path) -> None:
    """A certificate for localhost, signed by itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (dir / "ca.pem").write_bytes(public)
    (dir / "host.pem").touch(mode=0o600)
    (dir / "host.pem").write_bytes(private + public)
    ssl.create_default_context(cafile=str(dir / "ca.pem"))
