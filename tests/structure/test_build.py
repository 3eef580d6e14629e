"""The build makes of scripts and catalogues what pages load, and says where one is wrong."""

from __future__ import annotations

import gettext
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.structure.tree import ROOT
from tools.assets import build_assets

CATALOGUE = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Good morning"
msgstr "Guten Morgen"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small product with one page's script and one language."""
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    scripts = tmp_path / "everyline/desk/scripts"
    scripts.mkdir(parents=True)
    (scripts / "greeting.ts").write_text("export const greet = (name: string): string => `Good day, ${name}`;\n")
    (scripts / "desk.ts").write_text('import { greet } from "./greeting";\ndocument.title = greet("Ada");\n')
    words = tmp_path / "everyline/locale/de/LC_MESSAGES"
    words.mkdir(parents=True)
    (words / "everyline.po").write_text(CATALOGUE)
    return tmp_path


def test_builds_one_script_a_folder_and_every_catalogue(checkout: Path) -> None:
    build = checkout / "everyline/static/build"
    build.mkdir(parents=True)
    (build / "gone.js").touch()
    build_assets(checkout)

    assert sorted(path.name for path in build.iterdir()) == ["desk.js", "manifest.json"]
    script = (build / "desk.js").read_bytes()
    assert b"Good day" in script, "what the entry imports is in it"
    assert json.loads((build / "manifest.json").read_text()) == {"desk.js": hashlib.sha256(script).hexdigest()[:12]}
    german = gettext.translation("everyline", checkout / "everyline/locale", ["de"])
    assert german.gettext("Good morning") == "Guten Morgen"


def test_says_which_script_does_not_build(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (checkout / "everyline/desk/scripts/greeting.ts").write_text("export const greet = ;\n")
    with pytest.raises(subprocess.CalledProcessError):
        build_assets(checkout)
    assert "everyline/desk/scripts/greeting.ts:1:21" in capfd.readouterr().err


def test_says_which_line_of_a_catalogue_cannot_be_read(checkout: Path) -> None:
    catalogue = checkout / "everyline/locale/de/LC_MESSAGES/everyline.po"
    catalogue.write_text(f"{CATALOGUE}\nneither id nor text\n")
    with pytest.raises(ValueError, match=r"everyline/locale/de/LC_MESSAGES/everyline\.po:\d+:"):
        build_assets(checkout)
