"""Lines and trunks: lines of the same host and user share one; a call finds its line by what was dialled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from everyline.channel_contract import Line
from everyline.sip.addresses import Uri
from everyline.sip.numbers import NumberRules, e164
from everyline.sip.trunks import Trunk

if TYPE_CHECKING:
    from everyline.sip.facts import CallFacts

SHARED = (
    "host", "port", "user", "password", "registers", "digest", "realm", "trusted", "networks", "plus", "translated_addresses",
    "most_calls", "calls_in_a_minute", "calls_out_a_minute",
)  # fmt: skip
PING_SECONDS = 30.0  # between two questions to a trunk that is not registered with


def name_of(line: Line) -> str:
    """The name of a line's trunk; empty: it has none yet."""
    return named(line.settings)


def named(asked: Any) -> str:
    """The same, by the line's settings."""
    return f"{asked.user}@{asked.host}:{asked.port}" if asked.host else ""


def trunks_of(lines: Iterable[Line]) -> tuple[Trunk, ...]:
    """The trunks of all lines. What one line alone says of a trunk holds for it, and of limits the largest."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.settings.host:
            found.setdefault(name_of(line), []).append(line)
    return tuple(_trunk(name, sharing) for name, sharing in found.items())


def _trunk(name: str, sharing: Sequence[Line]) -> Trunk:
    asked = [line.settings for line in sharing]
    first = asked[0]
    registers = any(one.registers for one in asked)
    return Trunk(
        name,
        first.host,
        first.port,
        username=first.user,
        password=next((one.password for one in asked if one.password), ""),
        realm=next((one.realm for one in asked if one.realm), ""),
        register=registers,
        ping_seconds=0 if registers else PING_SECONDS,
        networks=tuple(dict.fromkeys(net for one in asked for net in one.networks.split())),
        challenge=any(one.digest for one in asked),
        trusted=all(one.trusted for one in asked),
        region=first.country,
        plus=first.plus,
        most_calls=max(one.most_calls for one in asked),
        calls_in_per_minute=max(one.calls_in_a_minute for one in asked),
        calls_out_per_minute=max(one.calls_out_a_minute for one in asked),
    )


def rules_of(line: Line) -> NumberRules:
    """What may be called from a line."""
    asked = line.settings
    return NumberRules(
        asked.country,
        frozenset(asked.countries.split()),
        premium=asked.premium,
        shared_cost=asked.premium,
        emergency=asked.emergency,
    )


def route_of(line: Line, lines: Iterable[Line]) -> tuple[str, ...]:
    """The trunks by which a line calls out: its own first, then those of other lines of the same country."""
    others = (name_of(one) for one in lines if one.settings.country == line.settings.country)
    return tuple(dict.fromkeys(name for name in (name_of(line), *others) if name))


def line_of(facts: CallFacts, lines: Sequence[Line]) -> Line | None:
    """The line that was dialled: by what is asked for, then by To, then by who passed it on; None when it is none of ours. A
    trunk that registered asks for its user, so the only line of a trunk takes what names none."""
    own = [line for line in lines if name_of(line) == facts.trunk]
    region = own[0].settings.country if own else "US"
    to = Uri.read(facts.to_uri)
    named = [facts.dialled_number, e164(to.name, region) if to else None, *(one.number for one in facts.diversions)]
    for group in (own, lines):
        by_number = {line.address: line for line in group}
        for number in named:
            if number and number in by_number:
                return by_number[number]
    by_user = facts.dialled in {line.settings.user for line in own} - {""}
    return own[0] if len(own) == 1 and by_user else None
