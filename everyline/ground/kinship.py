"""Who a process belongs to (prctl(2))."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Container

_DEATH_SIGNAL, _ADOPT = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


def die_with_parent(parent: int, sign: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send ``sign`` to this process when its parent is gone."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, sign)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Processes below this one become its children when their own parent ends."""
    ctypes.CDLL(None).prctl(_ADOPT, 1)


def bury_adopted(own: Container[int | None]) -> None:
    """Let go of adopted processes that have ended. ``own`` are those that somebody else asks after."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in own:
            os.waitpid(found.si_pid, 0)
