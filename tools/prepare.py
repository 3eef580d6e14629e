"""Makes this checkout ready to run: ``python3 -m tools.prepare product|development|machine``.

product      .venv with the locked Python packages, the browser packages, the built scripts, the package itself
development  the same, and what checks, tests and benchmarks need besides
machine      the Debian packages of the real mail servers and the browser that the test suite drives, and the back office
             that it asks, in an environment of its own

Each step is remembered in ``.venv/prepared.json`` under a hash of what it was made from, so a second run does nothing
and takes no time. Runs on the machine's own Python, before any package is there: standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.assets import asset_sources

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
NOTES = VENV / "prepared.json"
OLDEST = (3, 11)

SUITE_PACKAGES = (
    "baresip-core",
    "chromium",
    "chromium-headless-shell",
    "coturn",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "espeak-ng",
    "fonts-dejavu-core",
    "gettext",
    "iproute2",
    "janus",
    "kamailio",
    "kamailio-tls-modules",
    "libpango-1.0-0",
    "libpangoft2-1.0-0",
    "linphone-cli",
    "postfix",
    "redis-server",
    "rspamd",
    "sip-tester",
    "swaks",
)
OFFICE = VENV / "tryton"  # an environment, and in ``desk`` the database that its tests copy
START_POLICY = Path("/usr/sbin/policy-rc.d")


def say(text: str) -> None:
    """Tell the person who waits what is being done."""
    sys.stdout.write(f"· {text}\n")
    sys.stdout.flush()


def digest(*paths: Path) -> str:
    """One hash over the names and contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def done_before(step: str, key: str) -> bool:
    """Whether a step was carried out with exactly this input."""
    return json.loads(NOTES.read_text("utf-8")).get(step) == key if NOTES.exists() else False


def remember(step: str, key: str) -> None:
    """Note that a step was carried out with this input."""
    notes = json.loads(NOTES.read_text("utf-8")) if NOTES.exists() else {}
    fresh = NOTES.with_suffix(".new")
    fresh.write_text(json.dumps({**notes, step: key}, indent=1) + "\n", encoding="utf-8")
    fresh.replace(NOTES)


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command in the root of the checkout; end with its exit code when it fails."""
    code = subprocess.run([str(word) for word in command], cwd=ROOT, env=env, check=False).returncode
    if code:
        sys.exit(f"Stopped: {' '.join(str(word) for word in command)} ended with {code}")


def apt_install(packages: Iterable[str], purpose: str) -> None:
    """Install Debian packages, without letting any of them start a service; without the right, say what to do."""
    words = list(packages)
    command = f"apt-get install --no-install-recommends {' '.join(words)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"{purpose} needs Debian packages that are not installed. Run this, then try again:\n  sudo {command}")
    say(f"Installing Debian packages: {' '.join(words)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    held_back = not START_POLICY.exists()
    if held_back:
        START_POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        START_POLICY.chmod(0o755)
    try:
        if "postfix" in words:
            answer = "postfix postfix/main_mailer_type select No configuration\n"
            subprocess.run(["debconf-set-selections"], input=answer, text=True, check=True)
        run("apt-get", "-qq", "-o", "Acquire::Retries=3", "update", env=quiet)
        run("apt-get", "-qq", "-y", "-o", "Acquire::Retries=3", *command.split()[1:], env=quiet)
    finally:
        if held_back:
            START_POLICY.unlink()


def missing_packages(packages: Iterable[str]) -> list[str]:
    """Those of the Debian packages that are not installed; all of them on a machine without dpkg."""
    if shutil.which("dpkg-query") is None:
        return list(packages)
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *packages]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in packages if name not in installed]


def make_venv() -> None:
    """Make ``.venv`` when it is not there."""
    if PYTHON.exists():
        return
    probe = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    if probe.returncode:
        apt_install(["python3-venv"], "Making a virtual environment")
    say("Making .venv")
    run(sys.executable, "-m", "venv", VENV)


def pip_install(*arguments: str | Path, venv: Path = VENV) -> None:
    """Install into an environment with its pip, without bytecode: see ``compile_packages``."""
    pip = (venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet")
    run(*pip, "--no-compile", *arguments)


def compile_packages(venv: Path = VENV) -> None:
    """Write the bytecode of what is installed, by all cores instead of by pip's one."""
    command = [str(venv / "bin/python"), "-m", "compileall", "-qq", "-j", "0", str(venv / "lib")]
    subprocess.run(command, cwd=ROOT, check=False)  # packages hold some files that this version cannot read


def install_python_packages(*, development: bool) -> None:
    """Install the locked packages, each checked against its hash."""
    locks = ROOT / "requirements"
    build = locks / "build.txt"
    wanted = {name: digest(build, locks / f"{name}.txt") for name in ("runtime", "dev")}
    if done_before("python dev", wanted["dev"]) or (
        not development and done_before("python runtime", wanted["runtime"])
    ):
        return
    name = "dev" if development else "runtime"
    say(f"Installing the Python packages of requirements/{name}.txt")
    pip_install("--require-hashes", "-r", build)
    pip_install("--require-hashes", "--no-build-isolation", "-r", locks / f"{name}.txt")
    compile_packages()
    remember(f"python {name}", wanted[name])


def make_node_ready() -> None:
    """See to a Node.js of version 20 or later: the machine's own, else the locked package."""
    probe = "import sys; from tools.node import own_node, wheel_node; sys.exit(not (own_node() or wheel_node()))"
    if subprocess.run([PYTHON, "-c", probe], cwd=ROOT, check=False).returncode:
        say("Installing Node.js as a Python package")
        pip_install("--require-hashes", "-r", ROOT / "requirements/node.txt")


def install_browser_packages(*, development: bool) -> None:
    """Install the locked npm packages: those that are built into pages, for development also the tools."""
    key = digest(ROOT / "package.json", ROOT / "package-lock.json")
    there = (ROOT / "node_modules").exists()
    if there and (done_before("npm dev", key) or (not development and done_before("npm runtime", key))):
        return
    make_node_ready()
    say("Installing the browser packages of package-lock.json")
    run(PYTHON, "-m", "tools.node", "npm", "ci", "--silent", *([] if development else ["--omit=dev"]))
    remember("npm runtime", key)
    remember("npm dev", key if development else "")


def install_everyline() -> None:
    """Install this checkout into ``.venv`` so that the code is used where it stands; builds scripts and words."""
    key = digest(ROOT / "pyproject.toml", ROOT / "tools/build_hook.py")
    if not done_before("everyline", key):
        make_node_ready()
        say("Installing everyline from this checkout")
        pip_install("--no-deps", "--no-build-isolation", "--editable", ROOT)
        remember("everyline", key)
        remember("assets", assets_key())


def assets_key() -> str:
    """A hash over everything that built scripts and words come from."""
    return digest(*asset_sources(ROOT), ROOT / "package-lock.json", ROOT / "tools/assets.py")


def refresh_assets() -> None:
    """Build scripts and words again when one of their sources has changed."""
    key = assets_key()
    if not done_before("assets", key) or not (ROOT / "everyline/static/build/manifest.json").exists():
        make_node_ready()
        say("Building scripts and translations")
        run(PYTHON, "-m", "tools.assets")
        remember("assets", key)


def compile_bytecode() -> None:
    """Write the bytecode of what has changed: each process takes half as long to start with it, and some machines never write it."""
    run(PYTHON, "-m", "compileall", "-q", ROOT / "everyline")


def prepare_back_office() -> None:
    """See to Tryton with its sale module: installed beside the product, with an empty database that is ready to be copied."""
    lock = ROOT / "requirements/tryton.txt"
    key = digest(lock)
    if done_before("back office", key):
        return
    say("Making the back office that the suite asks (Tryton)")
    shutil.rmtree(OFFICE, ignore_errors=True)
    run(PYTHON, "-m", "venv", OFFICE)
    pip_install("--require-hashes", "-r", lock, venv=OFFICE)
    compile_packages(OFFICE)
    (OFFICE / "desk").mkdir()
    (OFFICE / "desk/desk.sqlite").touch()
    (OFFICE / "trytond.conf").write_text(f"[database]\nuri = sqlite://\npath = {OFFICE}/desk\n", encoding="utf-8")
    (OFFICE / "password").write_text("harbor-office-1\n", encoding="utf-8")  # of a server on loopback, for minutes
    words = ("-d", "desk", "-u", "sale", "--activate-dependencies", "--email", "office@harbor.example", "-l", "en")
    with_password = {**os.environ, "TRYTONPASSFILE": str(OFFICE / "password")}
    run(OFFICE / "bin/trytond-admin", "-c", OFFICE / "trytond.conf", *words, env=with_password)
    remember("back office", key)


def prepare(*, development: bool) -> None:
    """All steps in order; each does nothing when it was done before."""
    make_venv()
    install_python_packages(development=development)
    install_browser_packages(development=development)
    install_everyline()
    refresh_assets()
    compile_bytecode()


def main() -> None:
    """Read the one word that says how much is wanted."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"Python 3.11 or later is needed, this is {sys.version.split()[0]}. Name another: make PYTHON=python3.11 …"
        )
    match sys.argv[1:]:
        case ["product"]:
            prepare(development=False)
        case ["development"]:
            prepare(development=True)
        case ["machine"]:
            missing = missing_packages(SUITE_PACKAGES)
            if missing:
                apt_install(missing, "The test suite")
            prepare_back_office()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
