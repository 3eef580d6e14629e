"""What Lighthouse gives a page: performance, accessibility, best practices and SEO, of 100 each.

Lighthouse is only of use here, so it is no tool of the project's own: its packages are locked beside ``lighthouse/package.json`` and
installed when they are asked for first.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tools.node import node_command, node_environment, npm_command

FOLDER = Path(__file__).parent / "lighthouse"
PRESETS = ((), ("--preset=desktop",))  # a phone of the middle class on a slow network, and a desk
TRIES = 3  # the browser does not always record what it did (NO_NAVSTART), and Lighthouse asks to be run again then


def scores(*addresses: str) -> dict[str, float]:
    """The least that any of these pages gets on a phone or at a desk, by what is looked at."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not here; run: make setup-development")
    if not (FOLDER / "node_modules").exists():
        subprocess.run([*npm_command(), "ci", "--silent"], cwd=FOLDER, env=node_environment(), check=True)
    found: dict[str, float] = {}
    for address in addresses:
        for preset in PRESETS:
            for name, score in _of(address, preset, chromium).items():
                found[name] = min(found.get(name, 100.0), score)
    return found


def _of(address: str, preset: tuple[str, ...], chromium: str, tries: int = TRIES) -> dict[str, float]:
    command = [*node_command(), str(FOLDER / "node_modules/lighthouse/cli/index.js"), address, *preset, "--quiet"]
    command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu", "--output=json", "--output-path=stdout"]
    environment = {**node_environment(), "CHROME_PATH": chromium}
    done = subprocess.run(command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, text=True, check=tries == 1)
    if done.returncode:
        return _of(address, preset, chromium, tries - 1)
    categories = json.loads(done.stdout)["categories"]
    return {name.replace("-", "_"): round(one["score"] * 100) for name, one in categories.items()}
