"""The figures in words and drawings for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from everyline.board.facts import Picture
from everyline.board.figures import STATES, Line, Look
from everyline.board.rules import WATCHED
from everyline.channel_contract import Facts
from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.moments import language_names, span
from everyline.ground.words import _, mark, ngettext
from everyline.measure.rules import FORMULAS

TONES = {
    "waiting": (mark("many wait"), mark("too many wait")),
    "oldest": (mark("waits long"), mark("waits too long")),
    "expected": (mark("long wait ahead"), mark("too long a wait ahead")),
    "level": (mark("just under"), mark("under goal")),
    "free": (mark("few free"), mark("nobody free")),
}
LOOKS = {
    "not answering": mark("let offers pass"),
    "long wrapping_up": mark("long wrap-up"),
    "long busy": mark("busy for long"),
    "long away": mark("away for long"),
}
CHART_WIDE, CHART_HIGH = 1060, 170  # of the drawing's own units


def channel_of(name: str) -> Facts | None:
    """What a channel declares of itself; None when it is not there any more."""
    found = all_channels().get(name)
    return found.facts if found else None


def channel_label(name: str) -> str:
    """A channel's name in words."""
    facts = channel_of(name)
    return _(facts.label) if facts else name or _("unknown")


def name_of(by: str, line: Line) -> str:
    """What a row is called."""
    if line.key == "all":
        return _("All queues")
    if by == "channel":
        return channel_label(line.name)
    if by == "language":
        return language_label(line.name)
    if by == "team":
        return line.name or _("No team")
    return line.name


def formula(line: Line) -> str:
    """How the service level is counted, as it is said on hover."""
    if not line.formulas:
        return ""
    sums = [f"{_(FORMULAS[one].words)} ({one})" for one in line.formulas]
    times = [span(seconds) for seconds in line.seconds]
    within = times[0] if len(times) == 1 else _("each queue's own time")
    return _("%(formula)s; in time: within %(time)s. Goal %(goal)d %%. Counted by what ended.") % {
        "formula": "; ".join(sums),
        "time": within,
        "goal": line.goal,
    }


def why(figure: str, tone: str) -> str:
    """A figure's trouble in words."""
    return _(TONES[figure][tone == "bad"])


def alarm(line: Line) -> str:
    """The words beside the name: the worst figure's, the service level before the others."""
    for figure in ("level", "oldest", "waiting", "expected", "free"):
        if line.tones.get(figure) == line.tone and line.tone:
            return why(figure, line.tone)
    return ""


def turned_bad(by: str, line: Line, figure: str) -> str:
    """What is said when a figure turns bad."""
    return _("%(name)s: %(words)s") % {"name": name_of(by, line), "words": why(figure, "bad")}


def expected(seconds: tuple[int, int] | None) -> str:
    """A wait that is expected, as a range."""
    if seconds is None:
        return ""
    low, high = span(seconds[0]), span(seconds[1])
    return high if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}


def age(since: datetime | None) -> str:
    """How old something is: to the second within the hour, as the browser goes on counting it."""
    if since is None:
        return ""
    seconds = max(0, int((now() - since).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds < 3600 else span(seconds)


def oldest_of(picture: Picture, line: Line) -> str:
    """Where the oldest of all waits, and on which channel."""
    group = line.oldest_group
    if group is None or group.queue_id not in picture.queues:
        return ""
    return _("%(queue)s, %(channel)s") % {
        "queue": picture.queues[group.queue_id].name,
        "channel": channel_label(group.channel),
    }


def spark(trend: Sequence[int]) -> Mapping[str, Any]:
    """The small curve of a row."""
    if not any(trend):
        return {"curve": "", "ground": "", "words": _("none in two hours")}
    top = max(trend)
    points = [
        f"{2 + 96 * place / max(len(trend) - 1, 1):.1f} {22 - 19 * value / top:.1f}"
        for place, value in enumerate(trend)
    ]
    curve = "M" + "L".join(points)
    return {
        "curve": curve,
        "ground": f"M2 24L{curve[1:]}L98 24Z",
        "words": _("from %(first)d to %(last)d, at most %(most)d")
        % {"first": trend[0], "last": trend[-1], "most": top},
    }


def chart(trend: Sequence[int], before: Sequence[int]) -> Mapping[str, Any]:
    """What waited in two hours, today and a day ago, with its axis."""
    top = _ceiling(max([*trend, *before, 1]))
    bottom, head, left = CHART_HIGH - 22, 8, 30

    def at(place: int, value: int) -> str:
        x = left + (CHART_WIDE - 8 - left) * place / max(len(trend) - 1, 1)
        return f"{x:.1f} {bottom - (bottom - head) * value / top:.1f}"

    def curve(series: Sequence[int]) -> str:
        return "M" + "L".join(at(place, value) for place, value in enumerate(series))

    last = at(len(trend) - 1, trend[-1]).split() if trend else ("0", "0")
    return {
        "curve": curve(trend),
        "ground": f"M{left} {bottom}L{curve(trend)[1:]}L{CHART_WIDE - 8} {bottom}Z",
        "before": curve(before) if any(before) else "",
        "last": last,
        "grid": [(round(top * part / 3), f"{bottom - (bottom - head) * part / 3:.1f}") for part in range(4)],
    }


def _ceiling(most: int) -> int:
    """The end of an axis that three even steps lead to."""
    step = 1
    while step * 3 < most:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step * 3


def look(one: Look, picture: Picture) -> dict[str, Any]:
    """An agent to look after."""
    agent = one.agent
    queue = next((picture.queues[work.queue_id].name for work in agent.works if work.queue_id in picture.queues), "")
    return {
        "agent": agent,
        "initials": initials(agent.name),
        "badge": _(LOOKS[one.why]),
        "text": _("for %s") % span((now() - agent.since).total_seconds()),
        "queue": queue,
    }


def initials(name: str) -> str:
    """One or two letters for the avatar."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()


def state_of(agent_state: str) -> int:
    """The place of a state in the order of the board."""
    return STATES.index(agent_state)


def in_hand(n: int) -> str:
    """How much somebody has in hand."""
    return ngettext("%d in hand", "%d in hand", n) % n


def threshold_words(figure: str) -> str:
    """What a threshold is about."""
    return _(WATCHED[figure].words)


def language_label(code: str) -> str:
    """A language's name in words."""
    return language_names([code])[0][1] if code else _("Not known")
