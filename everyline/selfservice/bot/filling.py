"""What somebody has told already: dates, digits, addresses and numbers in their words, read as the slots that a flow or an errand
would ask for. Nothing is guessed: what fits two slots fills neither, and a secret is always asked for by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from everyline.ground.spoken import plain
from everyline.selfservice.flows import Ask, Flow
from everyline.selfservice.slots import Kind, Slot, Value, Wrong, clean, read

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    "|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
)
_NEAR = (
    "today|tomorrow|day after tomorrow|hoy|pasado mañana|heute|morgen|übermorgen|aujourd'hui|demain|après-demain|hôm nay|ngày mai"
    "|next (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|nächsten \\w+tag"
    "|(?:el|este|próximo) (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)"
)
_FOUND: dict[Kind, re.Pattern[str]] = {
    Kind.EMAIL: re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[a-z]{2,}", re.IGNORECASE),
    Kind.MONEY: re.compile(
        r"[$€£]\s?\d[\d.,]*\d|[$€£]\s?\d|\d[\d.,]*\s?(?:[$€£]|dollars?\b|euros?\b|usd\b|eur\b|dólares\b|dollar\b)",
        re.IGNORECASE,
    ),
    Kind.DATE: re.compile(
        rf"\d{{4}}-\d{{1,2}}-\d{{1,2}}|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b|\b(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?"
        rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:of |de )?(?:{_MONTHS})\b(?:,? (?:de )?\d{{4}})?|\b(?:{_NEAR})\b",
        re.IGNORECASE,
    ),
    Kind.PHONE: re.compile(r"(?<!\w)\+?\(?\d[\d\s().-]{6,17}\d(?!\w)"),
    Kind.ACCOUNT: re.compile(
        r"(?<![\w@.])(?=[A-Z0-9.\-/#]*\d)[A-Z0-9][A-Z0-9\-/]{2,38}[A-Z0-9](?![\w@])", re.IGNORECASE
    ),
    Kind.DIGITS: re.compile(r"(?<![\w.])\d[\d -]*\d(?!\w)|(?<![\w.])\d(?!\w)"),
    Kind.ADDRESS: re.compile(
        r"\b\d{1,6} (?:[\w'.]+ ){1,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|way|place|pl|boulevard|blvd|terrace|circle)\b"
        r"\.?(?:,? (?:apt|unit|#) ?\w+)?(?:, ?[\w .'-]+){0,2}(?:,? \d{5}(?:-\d{4})?)?",
        re.IGNORECASE,
    ),
    Kind.NAME: re.compile(
        r"(?i:my name is|i am called|me llamo|mi nombre es|ich heiße|mein name ist|je m'appelle|tôi tên là)"
        r"\s+([^\W\d_][\w'’-]*(?:\s+(?!(?i:and|y|und|et)\b)[^\W\d_][\w'’-]*){0,3})"
    ),
}
_ORDER = (Kind.EMAIL, Kind.MONEY, Kind.DATE, Kind.ADDRESS, Kind.NAME, Kind.ACCOUNT, Kind.DIGITS, Kind.PHONE)
_CUES: dict[Kind, re.Pattern[str]] = {
    Kind.PHONE: re.compile(r"(?i)(?:phone|call|number is|mobile|cell|tel\w*|llam\w+|móvil|anruf\w*|handy|appel\w*|điện thoại)\W+(?:\w+\W+){0,3}$"),
    Kind.ACCOUNT: re.compile(r"(?i)(?:account|acct|bill|case|reference|permit|cuenta|factura|konto|kunden\w*|rechnung\w*|compte|dossier|#)\W*(?:\w+\W+){0,3}$"),
}  # fmt: skip
_NUMBERS = frozenset({Kind.ACCOUNT, Kind.DIGITS, Kind.PHONE})


def inputs(flow: Flow) -> tuple[Slot, ...]:
    """The slots that a flow takes: those it is given, and those it asks for; each once."""
    asked = (step.slot for step in flow.steps if isinstance(step, Ask))
    return tuple({slot.name: slot for slot in (*asked, *flow.slots)}.values())


def filled(said: str, slots: Iterable[Slot], today: date) -> dict[str, Value]:
    """The slots that were told, in the language spoken now."""
    text = clean(said)
    wanted = [slot for slot in slots if slot.kind is not Kind.SECRET]
    found: dict[str, Value] = {}
    taken: list[tuple[int, int]] = []
    for kind in _ORDER:
        mine = [slot for slot in wanted if slot.kind is kind]
        if len(mine) != 1:
            continue  # two of a kind: which is meant is not known
        value, span = _first(text, mine[0], wanted, taken, today)
        if value is not None and span is not None:
            found[mine[0].name] = value
            taken.append(span)
    for slot in wanted:
        if slot.kind is Kind.CHOICE:
            chosen_ = _chosen(slot, text, today)
            if chosen_ is not None:
                found[slot.name] = chosen_
    return found


def _first(
    text: str, slot: Slot, wanted: Sequence[Slot], taken: Sequence[tuple[int, int]], today: date
) -> tuple[Value | None, tuple[int, int] | None]:
    """The first place that can be read as this slot and as no other one that is wanted."""
    for match in _FOUND[slot.kind].finditer(text):
        group = 1 if match.re.groups else 0
        span = match.span(group)
        if any(begin < span[1] and span[0] < end for begin, end in taken):
            continue
        if slot.kind in _NUMBERS and not _meant(text[: span[0]], match[group], slot, wanted):
            continue
        value = read(slot, match[group], today)
        if not isinstance(value, Wrong):
            return value, span
    return None, None


def _meant(before: str, told: str, slot: Slot, wanted: Sequence[Slot]) -> bool:
    """Is a number this one, and not another that is wanted as well?"""
    others = [one for one in wanted if one.kind in _NUMBERS and one is not slot]
    for one in (slot, *others):
        cue = _CUES.get(one.kind)
        named = plain(one.name) in plain(before[-60:])
        if named or (cue is not None and cue.search(before)):
            return one is slot
    if told.startswith("+"):
        return slot.kind is Kind.PHONE
    exact = slot.least is not None and slot.least == slot.most
    return not others or (exact and slot.kind is not Kind.PHONE)


def _chosen(slot: Slot, text: str, today: date) -> Value | None:
    """A choice whose words stand in what was said; a bare number chooses nothing here."""
    if re.fullmatch(r"\W*\d+\W*", text):
        return None
    value = read(slot, text, today)
    return None if isinstance(value, Wrong) else value
