"""What a browser loads stays small, and what is served is what was built from these sources."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.structure.tree import ROOT
from tools.assets import script_entries

# The most that each face's script may weigh, compressed, in bytes.
LIMITS = {"desk": 60 * 1024, "widget": 15 * 1024, "portal": 10 * 1024}
LIMIT_OF_OTHERS = 30 * 1024


def too_heavy(build: Path) -> list[str]:
    """The built scripts that weigh more than they may."""
    faults = []
    for path in sorted(build.glob("*.js")):
        weight, limit = len(gzip.compress(path.read_bytes(), 9)), LIMITS.get(path.stem, LIMIT_OF_OTHERS)
        if weight > limit:
            faults.append(f"{path.name}: {weight} bytes compressed, may have {limit}")
    return faults


def test_scripts_are_small() -> None:
    assert too_heavy(ROOT / "everyline/static/build") == []


def test_every_entry_was_built() -> None:
    build = ROOT / "everyline/static/build"
    manifest = json.loads((build / "manifest.json").read_text("utf-8"))
    wanted = {f"{entry.stem}.js" for entry in script_entries(ROOT)}
    assert set(manifest) == wanted, "make build"
    assert {path.name for path in build.glob("*.js")} == wanted, "make build"


@pytest.mark.parametrize("name", ["desk", "widget", "portal", "other"])
def test_sees_a_heavy_script(tmp_path: Path, name: str) -> None:
    limit = LIMITS.get(name, LIMIT_OF_OTHERS)
    noise = b"".join(n.to_bytes(4, "big") for n in _scattered(limit // 4 + 64))
    (tmp_path / f"{name}.js").write_bytes(noise[: limit // 2])
    assert too_heavy(tmp_path) == []
    (tmp_path / f"{name}.js").write_bytes(noise)
    assert len(too_heavy(tmp_path)) == 1


def _scattered(count: int) -> list[int]:
    """Numbers that do not compress."""
    value, numbers = 1, []
    for _ in range(count):
        value = (value * 6364136223846793005 + 1442695040888963407) % 2**64
        numbers.append(value >> 32)
    return numbers
