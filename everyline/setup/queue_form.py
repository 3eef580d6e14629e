"""The form of a queue: what its fields show, and what they say when it comes back."""

from __future__ import annotations

from typing import Any

from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid
from everyline.ground.forms import Typed, read_duration, said_duration
from everyline.ground.words import _, mark
from everyline.measure.rules import DEFAULT_FORMULA, FORMULAS
from everyline.queues import asks
from everyline.queues.expressions import LONGEST as LONGEST_EXPRESSION
from everyline.queues.expressions import NOTHING, write
from everyline.queues.rules import Condition, Step, Strategy
from everyline.queues.set_up import BOUNDS, LONGEST
from everyline.queues.teams import LONGEST_DELAY, MOST_AN_INTERVAL, Part

STRATEGIES = {
    Strategy.LONGEST_IDLE: (mark("Longest idle"), mark("who has had nothing in hand for longest")),
    Strategy.LEAST_OCCUPIED: (mark("Least occupied"), mark("who has the least in hand")),
    Strategy.MOST_SKILLED: (mark("Most skilled"), mark("who knows best what is needed")),
    Strategy.FEWEST_HANDLED: (mark("Fewest handled"), mark("who took the fewest today")),
}
EARLIER_AGENT = {
    "off": (mark("Not asked"), mark("everything goes to whoever is next")),
    "members": (mark("Asked first, if they take from this queue"), mark("who answered before knows the matter")),
    "any": (mark("Asked first, wherever they work now"), mark("also when they do not take from this queue any more")),
}
CONDITIONS = {
    Condition.EXPECTED_WAIT_OVER: mark("the expected wait is over"),
    Condition.SERVICE_LEVEL_UNDER: mark("the service level (%) is under"),
    Condition.READY_UNDER: mark("agents ready are fewer than"),
}
GOAL_UNITS = {"minutes": 60, "hours": 3600}
DURATIONS = ("preferred_seconds", "answer_seconds", "short_seconds", "most_wait_seconds", "rejoin_seconds")
NEW: dict[str, Any] = {  # of a queue that is not there yet
    "name": "",
    "hue": 0,
    "hours_id": "",
    "goal": 4,
    "goal_unit": "hours",
    "wrap_up_seconds": 0,
    "strategy": str(Strategy.LONGEST_IDLE),
    "priority": 0,
    "signature": "",
    "speaks": True,
    "position": 0,
    "wants": "",
    "rings": 1,
    "accepts": False,
    "earlier_agent": "members",
    "preferred_seconds": "4 h",
    "answer_seconds": "",
    "answer_share": 80,
    "formula": DEFAULT_FORMULA,
    "short_seconds": "5 s",
    "most_waiting": "",
    "most_wait_seconds": "",
    "overflow_queue_id": "",
    "rejoin_seconds": "1 min",
}
MOST_ROWS = 11  # steps that a form may hold: one more than a queue, so that too many are said to be so


async def shown(tx: Tx, row: Row | None) -> dict[str, Any]:
    """What the fields show of a queue, or of one that is not there yet; ``steps`` says how many rows of steps there are."""
    if row is None:
        return {**NEW, "steps": 1, "step-0-language": True}
    names = await asks.skill_names(tx)
    unit = "hours" if row.goal_seconds % 3600 == 0 else "minutes"
    values: dict[str, Any] = {
        **{name: getattr(row, name) for name in NEW if hasattr(row, name)},
        **{name: said_duration(getattr(row, name)) for name in DURATIONS},
        "hours_id": row.hours_id or "",
        "overflow_queue_id": row.overflow_queue_id or "",
        "most_waiting": row.most_waiting or "",
        "goal": row.goal_seconds // GOAL_UNITS[unit],
        "goal_unit": unit,
        "wants": write(asks.asked_by(row), names),
        "steps": len(row.steps) + 1,
        f"step-{len(row.steps)}-language": True,
    }
    for number, step in enumerate(map(Step.read, row.steps)):
        values |= {
            f"step-{number}-after": said_duration(step.after),
            f"step-{number}-while": str(step.condition or ""),
            f"step-{number}-value": _value(step),
            f"step-{number}-wants": write(step.wants, names),
            f"step-{number}-language": step.language,
        }
    return values


def _value(step: Step) -> str:
    if step.condition is None:
        return ""
    return said_duration(step.value) if step.condition is Condition.EXPECTED_WAIT_OVER else f"{step.value:g}"


def typed_again(form: Typed) -> dict[str, Any]:
    """What was typed, when something about it was wrong."""
    rows = _rows(form)
    return {
        **form.values,
        "speaks": form.yes("speaks"),
        "accepts": form.yes("accepts"),
        "steps": rows,
        **{f"step-{number}-language": form.yes(f"step-{number}-language") for number in range(rows)},
        **{f"step-{number}-out": form.yes(f"step-{number}-out") for number in range(rows)},
    }


def _rows(form: Typed) -> int:
    return next((number for number in range(MOST_ROWS + 1) if not form.came(f"step-{number}-wants")), MOST_ROWS)


async def facts(tx: Tx, form: Typed) -> dict[str, Any]:
    """What the form says of a queue. Invalid when something is wrong with it: every field that is, at once."""
    unit = form.one_of("goal_unit", GOAL_UNITS, "hours")
    found = {
        "name": form.text("name", longest=100, required=True),
        "hue": form.number("hue", *BOUNDS["hue"]),
        "hours_id": form.id("hours_id"),
        "goal_seconds": form.number("goal", 1, 10_000, 4) * GOAL_UNITS.get(unit, 3600),
        "wrap_up_seconds": form.number("wrap_up_seconds", *BOUNDS["wrap_up_seconds"]),
        "strategy": form.one_of("strategy", [str(key) for key in Strategy], str(Strategy.LONGEST_IDLE)),
        "priority": form.number("priority", *BOUNDS["priority"]),
        "position": form.number("position", 0, 1000),
        "signature": form.text("signature", longest=4000),
        "speaks": form.yes("speaks"),
        "needs": {},  # the expression says them
        "wants": await expression(tx, form, "wants"),
        "steps": await _steps(tx, form),
        "rings": form.number("rings", *BOUNDS["rings"], otherwise=1),
        "accepts": form.yes("accepts"),
        "earlier_agent": form.one_of("earlier_agent", EARLIER_AGENT, "members"),
        "preferred_seconds": form.duration("preferred_seconds", 0, LONGEST, 14_400),
        "answer_seconds": form.duration("answer_seconds", 0, LONGEST),
        "answer_share": form.number("answer_share", *BOUNDS["answer_share"], otherwise=80),
        "formula": form.one_of("formula", FORMULAS, DEFAULT_FORMULA),
        "short_seconds": form.duration("short_seconds", *BOUNDS["short_seconds"], otherwise=0),
        "most_waiting": form.number("most_waiting", *BOUNDS["most_waiting"]),
        "most_wait_seconds": form.duration("most_wait_seconds", 0, LONGEST),
        "overflow_queue_id": form.id("overflow_queue_id"),
        "rejoin_seconds": form.duration("rejoin_seconds", *BOUNDS["rejoin_seconds"], otherwise=0),
    }
    form.done()
    return found


async def expression(tx: Tx, form: Typed, field: str) -> Any:
    """The expression in a field; what is wrong with it is said there."""
    try:
        return await asks.read(tx, form.text(field, longest=LONGEST_EXPRESSION), field)
    except Invalid as error:
        form.errors |= error.fields
        return NOTHING


async def _steps(tx: Tx, form: Typed) -> list[Step]:
    """The steps in the order of their times; one by a condition alone stays behind the one it stood behind."""
    found: list[tuple[float, Step]] = []
    latest = 0.0
    for number in range(_rows(form)):
        said = {name: form.text(f"step-{number}-{name}") for name in ("after", "while", "value", "wants")}
        if form.yes(f"step-{number}-out") or not any(said.values()):
            continue
        after = form.duration(f"step-{number}-after", 1, LONGEST) if said["after"] else None
        condition = None
        if said["while"]:
            name = form.one_of(f"step-{number}-while", [str(one) for one in Condition])
            condition = Condition(name) if name in list(Condition) else None
        if after is None and not said["while"]:
            form.errors[f"step-{number}-after"] = _("Say when it is reached: after a time, or by a condition.")
        value = _read_value(form, f"step-{number}-value", condition)
        wants = await expression(tx, form, f"step-{number}-wants")
        latest = latest if after is None else float(after)
        found.append((latest, Step(after, condition, value, wants, form.yes(f"step-{number}-language"))))
    return [step for _latest, step in sorted(found, key=lambda one: one[0])]


def _read_value(form: Typed, field: str, condition: Condition | None) -> float:
    if condition is None:
        return 0
    if condition is Condition.EXPECTED_WAIT_OVER:
        if not read_duration(form.text(field)):
            form.errors[field] = _("Write a time such as 90 s, 5 min or 4 h.")
            return 1
        return form.duration(field, 1, LONGEST, 1)
    most = 100 if condition is Condition.SERVICE_LEVEL_UNDER else 100_000
    if not form.text(field):
        form.errors[field] = _("A number from {least} to {most}.").format(least=1, most=most)
    return form.number(field, 1, most, 1)


def parts(form: Typed) -> dict[int, Part]:
    """What the form says that teams do. Invalid when something is wrong with it."""
    found = {}
    for name in form.values:
        number = name.removeprefix("team-").removesuffix("-delay")
        if name != f"team-{number}-delay" or not number.isdecimal() or len(number) > 18:
            continue
        found[int(number)] = Part(
            form.duration(name, 0, LONGEST_DELAY),
            form.maybe_number(f"team-{number}-share", 0, 100),
            form.maybe_number(f"team-{number}-floor", 0, MOST_AN_INTERVAL),
            form.maybe_number(f"team-{number}-ceiling", 0, MOST_AN_INTERVAL),
        )
    form.done()
    return found


def shown_parts(found: dict[int, Part]) -> dict[str, Any]:
    """What the fields show of what teams do."""
    values: dict[str, Any] = {}
    for team_id, part in found.items():
        values |= {
            f"team-{team_id}-delay": said_duration(part.delay_seconds),
            f"team-{team_id}-share": "" if part.share is None else part.share,
            f"team-{team_id}-floor": "" if part.floor is None else part.floor,
            f"team-{team_id}-ceiling": "" if part.ceiling is None else part.ceiling,
        }
    return values
