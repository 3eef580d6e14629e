"""A flow as it is drawn: boxes in rows by how far they are from the beginning, and the edges between them. Pure.

The drawing is made of the data and never the other way; who cannot see it reads the list, which says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everyline.selfservice.flows import Flow, Lead, leads

BOX = (172, 44)  # width and height, in units of the drawing
GAP = (28, 56)
MARGIN = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A step; ``x`` and ``y`` are its upper left corner."""

    name: str
    kind: str
    x: int
    y: int
    is_start: bool
    is_person: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge: a path (SVG 2, "Path data"), its label where it leaves, and whether it leads back."""

    path: str
    label: str
    x: int
    y: int
    back: bool
    helps: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it, with its size."""

    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    width: int
    height: int


def drawn(flow: Flow) -> Drawing:
    """The drawing of a flow. What nothing leads to stands in the last row."""
    rows = _rows(flow)
    places: dict[str, tuple[int, int]] = {}
    widest = max(len(row) for row in rows)
    for n, row in enumerate(rows):
        indent = (widest - len(row)) * (BOX[0] + GAP[0]) // 2
        for place, name in enumerate(row):
            places[name] = (MARGIN + indent + place * (BOX[0] + GAP[0]), MARGIN + n * (BOX[1] + GAP[1]))
    kinds = {step.name: step.kind for step in flow.steps}
    boxes = tuple(
        Box(name, kinds[name], x, y, name == flow.start, name == flow.person) for name, (x, y) in places.items()
    )
    curves = tuple(curve for step in flow.steps for curve in _curves(leads(step), places))
    width = MARGIN * 2 + widest * (BOX[0] + GAP[0]) - GAP[0]
    return Drawing(boxes, curves, width + 40, MARGIN * 2 + len(rows) * (BOX[1] + GAP[1]) - GAP[1])


def _rows(flow: Flow) -> list[list[str]]:
    """Names by their distance from the beginning; within a row in the order in which they are led to."""
    steps = {step.name: step for step in flow.steps}
    depth = {flow.start: 0} if flow.start in steps else {}
    waiting = list(depth)
    for name in waiting:
        for lead in leads(steps[name]):
            if lead.to in steps and lead.to not in depth:
                depth[lead.to] = depth[name] + 1
                waiting.append(lead.to)
    last = max(depth.values(), default=-1) + 1
    if flow.person in steps:  # people stand below, whoever leads there first
        depth[flow.person] = max(depth.get(flow.person, 0), last - 1)
    order = [*waiting, *(name for name in steps if name not in waiting)]
    rows: list[list[str]] = [[] for _n in range(last + 1)]
    for name in order:
        rows[depth.get(name, last)].append(name)
    return [row for row in rows if row]


def _curves(edges: list[Lead], places: Mapping[str, tuple[int, int]]) -> list[Curve]:
    drawn_ones = [edge for edge in edges if edge.to in places]
    found = []
    for n, edge in enumerate(drawn_ones, 1):
        x, y = places[edge.step]
        to_x, to_y = places[edge.to]
        from_x, from_y = x + BOX[0] * n // (len(drawn_ones) + 1), y + BOX[1]
        back = to_y <= y
        if back:  # round the right side
            side = max(x, to_x) + BOX[0] + GAP[0] // 2 + 6 * n
            path = f"M {x + BOX[0]} {y + BOX[1] // 2} C {side} {y + BOX[1] // 2} {side} {to_y + BOX[1] // 2} {to_x + BOX[0]} {to_y + BOX[1] // 2}"
            found.append(Curve(path, edge.label, x + BOX[0] + 4, y + BOX[1] // 2 - 6, back=True, helps=edge.helps))
        else:
            aim = to_x + BOX[0] // 2
            middle = (from_y + to_y) // 2
            path = f"M {from_x} {from_y} C {from_x} {middle} {aim} {middle} {aim} {to_y}"
            found.append(Curve(path, edge.label, from_x + 4, from_y + 12, back=False, helps=edge.helps))
    return found
