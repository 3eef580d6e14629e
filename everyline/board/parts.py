"""The figures as parts of a page: each cell's HTML, which of them changed, and what is said and rung about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from everyline.board import words
from everyline.board.facts import STEP_SECONDS, Picture
from everyline.board.figures import ALL, Board, Line
from everyline.board.rules import limit_of
from everyline.ground.moments import clock
from everyline.ground.pages import environment

CELLS = ("name", "waiting", "oldest", "expected", "level", "today", "trend", "agents")
SUMS = ("level", "waiting", "oldest", "agents")
BLOCKS = ("entered", "looks", "unmet", "chart")


@dataclass(frozen=True, slots=True)
class Said:
    """What turned to trouble just now: sentences for those who listen, and whether it rings."""

    texts: tuple[str, ...]
    rings: bool


def every(board: Board, picture: Picture, zone: str) -> dict[str, str]:
    """Every cell of a board, by its id."""
    found: dict[str, str] = {}
    for line in board.lines:
        found.update(_cells(board, line, picture, zone))
    for name in SUMS:
        found[f"sum.{name}"] = _render("sum", name, shown_line(board, board.total, picture, zone))
    for name in BLOCKS:
        found[f"block.{name}"] = _render("block", name, _block(board, picture, zone))
    return found


def changed(before: Board, board: Board, picture: Picture, zone: str) -> dict[str, str]:
    """The cells of the rows and blocks whose figures are not those of before."""
    found: dict[str, str] = {}
    known = {line.key: line for line in before.lines}
    for line in board.lines:
        if known.get(line.key) != line:
            found.update(_cells(board, line, picture, zone))
    if before.total != board.total:
        for name in SUMS:
            found[f"sum.{name}"] = _render("sum", name, shown_line(board, board.total, picture, zone))
    if (before.entered, before.looks, before.unmet) != (board.entered, board.looks, board.unmet):
        for name in ("entered", "looks", "unmet"):
            found[f"block.{name}"] = _render("block", name, _block(board, picture, zone))
    if (before.total.trend, before.before) != (board.total.trend, board.before):
        found["block.chart"] = _render("block", "chart", _block(board, picture, zone))
    return found


def tones(board: Board) -> dict[str, str]:
    """By row: the worst of its figures."""
    return {line.key: line.tone for line in (board.total, *board.lines)}


def said(before: Board, board: Board, picture: Picture) -> Said:
    """The figures that turned bad since: each is said once, and rings where its threshold says so."""
    known = {line.key: line.tones for line in before.lines}
    texts, rings = [], False
    for line in board.lines:
        for figure, tone in line.tones.items():
            if tone == "bad" and known.get(line.key, {}).get(figure) != "bad":
                texts.append(words.turned_bad(board.by, line, figure))
                rings = rings or limit_of(picture.limits, line.id if board.by == "queue" else 0, figure).rings
    return Said(tuple(texts[:5]), rings)


def _cells(board: Board, line: Line, picture: Picture, zone: str) -> Iterator[tuple[str, str]]:
    shown = shown_line(board, line, picture, zone)
    for name in CELLS:
        yield f"{line.key}.{name}", _render("cell", name, shown)


def _render(kind: str, name: str, shown: dict[str, Any]) -> str:
    module = environment().get_template("board/parts.html").module
    made: Markup = getattr(module, f"{kind}_{name}")(shown)
    return str(made).strip()


def shown_line(board: Board, line: Line, picture: Picture, zone: str) -> dict[str, Any]:
    """A row as its template reads it."""
    query = f"by={board.by}&key={line.key}" if line.key != ALL else "by=queue&key=all"
    now, today = line.now.share, line.today.share
    return {
        "line": line,
        "name": words.name_of(board.by, line),
        "channels": [words.channel_label(name) for name in line.channels],
        "channel": words.channel_of(line.name) if board.by == "channel" else None,
        "query": query,
        "now": None if now is None else _whole(now),
        "today": None if today is None else _whole(today),
        "formula": words.formula(line),
        "why": {figure: words.why(figure, tone) for figure, tone in line.tones.items()},
        "alarm": words.alarm(line),
        "expected": words.expected(line.expected),
        "spark": words.spark(line.trend),
        "oldest_of": words.oldest_of(picture, line),
        "age": words.age(line.oldest),
        "oldest_text": clock(line.oldest, zone) if line.oldest else "",
        "before": board.before[-1] if board.before else 0,
        "known_before": any(board.before),
        "people": sum(line.agents[:4]),
    }


def _block(board: Board, picture: Picture, zone: str) -> dict[str, Any]:
    most = max((n for _name, n in board.entered), default=1)
    end = picture.trend_at
    return {
        "by": board.by,
        "entered": [
            {
                "channel": words.channel_of(name),
                "label": words.channel_label(name),
                "n": n,
                "part": round(100 * n / most),
                "name": name,
            }
            for name, n in board.entered
        ],
        "looks": [words.look(look, picture) for look in board.looks],
        "unmet": [
            {"queue": picture.queues[number].name, "queue_id": number, "n": n, "words": text}
            for number, n, text in board.unmet
            if number in picture.queues
        ],
        "chart": words.chart(board.total.trend, board.before),
        "times": [clock(end - timedelta(seconds=STEP_SECONDS * step), zone) for step in (24, 18, 12, 6)] if end else [],
        "points": [
            (
                clock(end - timedelta(seconds=STEP_SECONDS * (24 - place)), zone),
                board.total.trend[place],
                board.before[place],
            )
            for place in range(0, 25, 6)
        ]
        if end
        else [],
        "trend": board.total.trend,
        "known_before": any(board.before),
        "earlier": board.before,
    }


def _whole(share: float) -> int:
    """A share in per cent. Only all is 100 and only none is 0: 99.6 % is not everybody."""
    per_cent = round(share * 100)
    return min(per_cent, 99) if share < 1 else 100
