"""The repository speaks of the product alone, and its locks and its decisions are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.structure.tree import ROOT, own_files, own_texts, short

# Put together from pieces, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            r"registry\." + "(npm|yarn)",
            r"(deb|security)\." + r"debian\.org",
        ]
    )
)
PATHS = re.compile(r"(?<![\w.$)}~*-])/" + r"(work|root|farm|home/\w+)/" + r"|(?<![\w.$)}~*-])/" + r"tmp/\w")
HEADINGS = ["Context", "Decision", "Consequences"]


def lines_with(pattern: re.Pattern[str], text: str) -> list[int]:
    """The numbers of the lines in which a pattern is found."""
    return [number for number, line in enumerate(text.split("\n"), 1) if pattern.search(line)]


def test_no_file_names_a_registrys_host() -> None:
    assert not [f"{short(p)}:{n}" for p, text in own_texts().items() for n in lines_with(HOSTS, text)]


def test_no_file_holds_a_machines_path() -> None:
    assert not [f"{short(p)}:{n}" for p, text in own_texts().items() for n in lines_with(PATHS, text)]


def test_sees_a_host_and_a_path() -> None:
    assert lines_with(HOSTS, "index = https://" + "py" + "pi.org/simple")
    assert lines_with(HOSTS, "resolved https://registry." + "npm" + "js.org/x")
    assert lines_with(PATHS, "cd /" + "work/main") == [1]
    assert lines_with(PATHS, "see /" + "tmp/notes")
    assert not lines_with(PATHS, "GET /cases{0} https://desk.example{0} $(ROOT){0} net/root/".format("/" + "work/"))


def unlocked(requirements: str) -> list[str]:
    """The requirements of a lock that are not pinned to one version with hashes, and its options."""
    entries = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", requirements, flags=re.MULTILINE)).strip().split("\n")
    return [entry for entry in entries if entry and not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)]


@pytest.mark.parametrize("name", ["build", "dev", "node", "runtime", "tryton"])
def test_python_locks_hold_versions_and_hashes_and_nothing_else(name: str) -> None:
    assert unlocked((ROOT / f"requirements/{name}.txt").read_text("utf-8")) == []


def test_sees_what_is_not_locked() -> None:
    digest = "0" * 64
    lock = (
        "--find-links shelf\n# a remark\n"
        f"httpx==1.0 \\\n    --hash=sha256:{digest}\n    # via everyline\n"
        "nh3>=2\nuvloop==3\n"
    )
    assert unlocked(lock) == ["--find-links shelf", "nh3>=2", "uvloop==3"]


@pytest.mark.parametrize("folder", ["", "benchmarks/lighthouse"])
def test_locks_of_npm_hold_no_addresses(folder: str) -> None:
    packages = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))["packages"]
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert not [name for name, entry in packages.items() if name and "integrity" not in entry]


def decision_faults(paths: list[Path]) -> list[str]:
    """What is wrong with the decision records among these files (all of ``docs/decisions/``)."""
    faults = []
    records = [path for path in sorted(paths) if path.name != "README.md"]
    for number, path in enumerate(records, 1):
        if not re.fullmatch(r"\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md", path.name):
            faults.append(f"{path.name}: is not called NNNN-title.md")
        elif int(path.name[:4]) != number:
            faults.append(f"{path.name}: the number after the one before is {number:04}")
        heads = re.findall(r"^## (.+?)\s*$", path.read_text("utf-8"), re.MULTILINE)
        if [head for head in heads if head in HEADINGS] != HEADINGS:
            faults.append(f"{path.name}: lacks one of the headings {', '.join(HEADINGS)}, in this order")
    return faults


def test_decisions_have_one_shape() -> None:
    assert decision_faults([p for p in own_files() if p.parent == ROOT / "docs/decisions"]) == []


def test_sees_a_decision_out_of_shape(tmp_path: Path) -> None:
    whole = "# Title\n\n## Context\n\n## Decision\n\n## Consequences\n"
    for name, text in {"0001-one.md": whole, "0003-three.md": whole, "Four.md": "# Four\n\n## Context\n"}.items():
        (tmp_path / name).write_text(text)
    assert decision_faults([tmp_path / "0001-one.md"]) == []
    assert decision_faults(list(tmp_path.iterdir())) == [
        "0003-three.md: the number after the one before is 0002",
        "Four.md: is not called NNNN-title.md",
        "Four.md: lacks one of the headings Context, Decision, Consequences, in this order",
    ]
