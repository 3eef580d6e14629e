"""Charts as coordinates; the template writes them as SVG with its title and description. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000.0, 240.0
LEFT, TOP, BOTTOM = 36.0, 8.0, 216.0
LABELS = 20  # at most so many below the axis
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its name, its parts from the bottom, what was a week before, and its sentence."""

    label: str
    parts: tuple[tuple[str, float], ...]  # kind and height
    before: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Rect:
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    rects: tuple[Rect, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that stands on it, in units of its view box."""

    columns: tuple[Column, ...]
    grid: tuple[tuple[float, str], ...]  # height and its number
    labels: tuple[tuple[float, str], ...]
    before: str  # the path of a week before; empty: none
    busiest: str


def scale(highest: float) -> tuple[float, float]:
    """The top of an axis, round, and the distance of its lines, so that there are three to six."""
    step, power = 1.0, 1.0
    while True:
        for factor in STEPS:
            step = factor * power
            if highest <= step * 5:
                return max(step * -(-highest // step), step), step
        power *= 10


def draw(bars: Sequence[Bar]) -> Chart:
    """Columns of parts, with a dotted line for what was a week before."""
    highest = max([1.0, *(sum(height for _, height in bar.parts) for bar in bars), *(bar.before or 0 for bar in bars)])
    top, step = scale(highest)
    unit = (BOTTOM - TOP) / top
    room = (WIDTH - LEFT) / max(len(bars), 1)
    width = min(room * 0.6, 60.0)
    columns, labels, path = [], [], []
    every = -(-len(bars) // LABELS)
    for n, bar in enumerate(bars):
        middle, y, rects = LEFT + room * (n + 0.5), BOTTOM - 1, []
        for kind, amount in bar.parts:
            height = amount * unit
            if height > 0:
                y -= height
                rects.append(
                    Rect(
                        kind, round(middle - width / 2, 1), round(y, 1), round(width, 1), round(max(height - 1, 0.5), 1)
                    )
                )
        columns.append(Column(tuple(rects), bar.words))
        if n % every == 0:
            labels.append((round(middle, 1), bar.label))
        if bar.before is not None:
            path.append(f"{middle:.1f} {BOTTOM - bar.before * unit:.1f}")
    grid = tuple((round(BOTTOM - n * step * unit, 1), f"{n * step:g}") for n in range(int(top / step) + 1))
    busiest = max(bars, key=lambda bar: sum(height for _, height in bar.parts), default=None)
    return Chart(
        tuple(columns),
        grid,
        tuple(labels),
        "M" + "L".join(path) if len(path) > 1 else "",
        busiest.words if busiest else "",
    )
