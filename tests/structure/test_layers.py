"""The layers that pyproject.toml draws hold, and each contract turns red when it is broken."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.structure.tree import PACKAGE, ROOT, own_files, short

CONFIGURATION = ROOT / "pyproject.toml"
CONTRACTS: list[dict[str, Any]] = tomllib.loads(CONFIGURATION.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
NOUNS = {name.removeprefix("everyline.") for name in CONTRACTS[-1]["containers"]}

# A small product in which every import is right.
MODULES = {
    "cli": "import everyline.roles.web",
    "roles/web": "import everyline.desk.app, everyline.api.app",
    "desk/app": "import everyline.queues.routes",
    "api/app": "import everyline.cases.actions",
    "intake/actions": "import everyline.queues.actions, everyline.channel_registry",
    "queues/routes": "import everyline.queues.actions",
    "queues/actions": "import everyline.queues.rules, everyline.cases.actions",
    "queues/rules": "import everyline.queues.models",
    "queues/models": "import everyline.ground.clock",
    "cases/actions": "import everyline.customers.queries",
    "customers/queries": "import everyline.people.models",
    "people/models": "import everyline.ground.clock",
    "channel_registry": "import everyline.channels.email, everyline.channels.sms",
    "channels/email/tests/test_wire": "import everyline.intake.actions",
    "channels/email/wire": "import everyline.channel_contract, everyline.ground.clock",
    "channels/sms/wire": "import everyline.channel_contract",
    "channel_contract": "",
    "ground/clock": "",
}
RED = {
    "a face imports another": {"desk/app": "import everyline.api.app"},
    "a noun imports one above it": {"cases/actions": "import everyline.queues.actions"},
    "the way out imports the door in": {"dispatch/actions": "import everyline.intake.actions"},
    "the ground imports a noun": {"ground/clock": "import everyline.cases.actions"},
    "a channel imports the core": {"channels/email/wire": "import everyline.cases.actions"},
    "a channel imports the registry": {"channels/email/wire": "import everyline.channel_registry"},
    "a channel imports another": {"channels/email/wire": "import everyline.channels.sms.wire"},
    "the core imports a channel": {"intake/actions": "import everyline.channels.email.wire"},
    "rules import verbs": {"queues/rules": "import everyline.queues.actions"},
    "models import rules": {"queues/models": "import everyline.queues.rules"},
    "a noun has a junk drawer": {"queues/helpers": ""},
    "the product has a junk drawer": {"utils": ""},
}


def lint(folder: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Write a product of these modules and check it against this project's own contracts."""
    for name, source in modules.items():
        path = folder / "everyline" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{source}\n")
    for inner in [folder / "everyline", *(p for p in (folder / "everyline").rglob("*/") if p.is_dir())]:
        (inner / "__init__.py").touch()
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--config", CONFIGURATION, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_right_product_keeps_every_contract(tmp_path: Path) -> None:
    done = lint(tmp_path, MODULES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("fault", RED)
def test_sees_when(tmp_path: Path, fault: str) -> None:
    done = lint(tmp_path, MODULES | RED[fault])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_every_noun_is_under_the_contract() -> None:
    found = {path.parent.name for path in own_files() if path.name == "models.py" and path.parent.parent == PACKAGE}
    assert found <= NOUNS, "name it in the containers of the last contract in pyproject.toml"


def misplaced(paths: list[Path], noun: Path) -> list[Path]:
    """The files of a noun that are neither modules, statements, templates, scripts nor a README."""
    return [
        path
        for path in paths
        if path.is_relative_to(noun)
        and path.suffix not in {".py", ".sql"}
        and path.name != "README.md"
        and path.relative_to(noun).parts[0] not in {"templates", "scripts"}
    ]


def test_nouns_hold_nothing_else() -> None:
    faults = [short(p) for noun in sorted(NOUNS) for p in misplaced(list(own_files()), PACKAGE / noun)]
    assert not faults, "\n".join(faults)


def test_sees_a_misplaced_file() -> None:
    noun = PACKAGE / "cases"
    right = [noun / "models.py", noun / "search.sql", noun / "templates/case.html", noun / "README.md"]
    assert misplaced(right, noun) == []
    assert misplaced([noun / "notes.txt", noun / "data/list.csv"], noun) == [noun / "notes.txt", noun / "data/list.csv"]
