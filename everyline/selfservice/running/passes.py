"""Figures of steps: how many came to each, how long they stayed, and where they ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from everyline.ground.database import Tx
from everyline.selfservice.running.keeping import statements


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Of one step. ``seconds`` is the median of how long somebody stayed; None where nobody went on yet."""

    reached: int  # times
    runs: int
    left: int  # runs that ended there without what they came for
    handed_over: int
    solved: int
    failed: int  # times that what was to be done there was tried in vain
    seconds: float | None


async def figures(tx: Tx, flow: str, version: int, since: datetime) -> Mapping[str, StepFigures]:
    """By step of a version, of what was come to since then."""
    rows = await tx.rows(statements.figures, {"flow": flow, "version": version, "since": since})
    return {
        row.step: StepFigures(
            row.reached,
            row.runs,
            row.left_there,
            row.handed_over,
            row.solved,
            row.failed,
            None if row.seconds is None else float(row.seconds),
        )
        for row in rows
    }
