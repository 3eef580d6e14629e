"""Figures in words and digits for people, and how they moved."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.ground.words import _, language
from everyline.measure.figures import FIGURES, Line
from everyline.measure.rules import service_level

NONE = "–"


def number(value: float, digits: int = 0) -> str:
    """A number with the separators of the language."""
    from babel.numbers import format_decimal

    pattern = "#,##0" if digits == 0 else f"#,##0.{'0' * digits}"
    return str(format_decimal(round(value, digits), format=pattern, locale=language()))


def seconds(value: float) -> str:
    """A length of time: ``25 s``, ``5:48``, ``4 h 05``."""
    whole = round(abs(value))
    sign = "−" if value < 0 and whole else ""
    if whole < 100:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60}:{whole % 60:02}"
    return f"{sign}{number(whole // 3600)} h {whole % 3600 // 60:02}"


def parts(figure: str, value: float | None) -> tuple[str, str]:
    """A value and its unit."""
    if value is None:
        return NONE, ""
    unit = FIGURES[figure].unit
    if unit == "share":
        return number(100 * value, 1), "%"
    if unit == "seconds":
        amount, _space, sign = seconds(value).partition(" ")
        return (amount, sign) if sign == "s" else (seconds(value), "")
    return number(value, 2 if unit == "number" else 0), ""


def said(figure: str, value: float | None) -> str:
    """A value with its unit in one text."""
    amount, unit = parts(figure, value)
    return f"{amount} {unit}".strip()


@dataclass(frozen=True, slots=True)
class Moved:
    """How a figure moved against a week before; ``tone``: better, worse or level."""

    text: str
    tone: str = "level"
    up: bool = True
    words: str = ""


def moved(figure: str, now: float | None, before: float | None) -> Moved | None:
    """How it moved; None when one of the two is not there or nothing can be compared."""
    facts = FIGURES[figure]
    if now is None or before is None or (facts.unit == "count" and not before):
        return None
    change = now - before
    if facts.unit == "share":
        text = _("%s points") % f"{'+' if change >= 0 else '−'}{number(abs(100 * change), 1)}"
        same = abs(change) < 0.0005
    elif facts.unit == "seconds":
        text = f"{'+' if change >= 0 else '−'}{seconds(abs(change))}"
        same = round(change) == 0
    else:
        share = change / before if before else 0
        text = f"{'+' if share >= 0 else '−'}{number(abs(100 * share))} %"
        same = abs(share) < 0.005
    if same:
        return Moved(_("as a week before"), "level")
    if not facts.better:
        return Moved(text, "level", change > 0, _("on a week before"))
    good = (change > 0) == (facts.better > 0)
    return Moved(text, "better" if good else "worse", change > 0, _("better") if good else _("worse"))


def level_tone(share: float | None, promised: float) -> str:
    """How a service level stands beside what was promised: nothing, warn within ten points below it, bad below that."""
    if share is None or share >= promised:
        return ""
    return "warn" if share >= promised - 0.1 else "bad"


def service_level_sum(line: Line) -> tuple[int, int]:
    """The two numbers that a row's service level is made of."""
    found = service_level(line.formula, line.sums.counts(line.formula))
    return found.part, found.whole
