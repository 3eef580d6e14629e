"""``python -m everyline.roles WIRE SUPERVISOR``: the nursery of all roles, as the supervisor starts it, and from its forks on one
process of a role each.

A role begins when its gate opens: a pipe that the database's address comes through. When nothing does, it ends.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys

from everyline.ground import nursery
from everyline.ground.settings import use
from everyline.roles import collecting


def load(role: str) -> None:
    """Load what a role needs: its module, and what it puts together in ``load``."""
    module = importlib.import_module(f"everyline.roles.{role}")
    if hasattr(module, "load"):
        module.load()


def main(wire: int, supervisor: int) -> None:
    """Tend the nursery; in each process that it forks, run the role until SIGTERM."""
    collecting.pause()  # each role resumes it when all of its own is there
    born = nursery.tend(socket.socket(fileno=wire), supervisor, load)
    if born is None:
        return
    gate, *descriptors = born.descriptors
    with os.fdopen(gate) as pipe:
        url = pipe.read()
    if url:
        use(database_url=url)
        importlib.import_module(f"everyline.roles.{born.role}").run(*descriptors)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
