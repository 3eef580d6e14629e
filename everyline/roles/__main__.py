"""``python -m everyline.roles ROLE GATE [LISTENER]``: one process of a role, as the supervisor starts it.

It loads what it needs while the database is being made ready, and begins when the gate opens: a pipe that the database's
address comes through. When nothing does, the product does not start.
"""

from __future__ import annotations

import importlib
import os
import sys

from everyline.ground.settings import use
from everyline.roles import collecting


def main(role: str, gate: int, *descriptors: int) -> None:
    """Run a role until SIGTERM."""
    collecting.pause()  # each role resumes it when all of its own is there
    module = importlib.import_module(f"everyline.roles.{role}")
    with os.fdopen(gate) as pipe:
        url = pipe.read()
    if url:
        use(database_url=url)
        module.run(*descriptors)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
