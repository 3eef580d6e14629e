"""Who hears whom, as a matrix of gains: a row is an ear, a column a mouth. Hold, mute, whisper and barge are entries of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from everyline.media.legs import Leg

Floats: TypeAlias = NDArray[np.float32]


class Part(Enum):
    """What a leg is in a mix."""

    PARTY = "party"  # hears all parties and is heard by all legs; a supervisor who barges in is one
    MONITOR = "monitor"  # hears all parties and is heard by nobody
    WHISPER = "whisper"  # hears all parties and is heard by one


@dataclass
class _Member:
    part: Part
    whispers_to: Leg | None = None
    held: bool = False
    gains: dict[Leg, float] = field(default_factory=dict)  # how loud others are to this one, where not 1


class Mix:
    """Legs that are in one talk. Made by ``Engine.mix``; a leg is in one mix at most."""

    def __init__(self, changed: Callable[[], None], left: Callable[[Mix], None]) -> None:
        self._members: dict[Leg, _Member] = {}
        self._changed, self._left = changed, left

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All that are in it, in the order in which they came."""
        return tuple(self._members)

    def add(self, leg: Leg) -> None:
        """A party: caller, agent, interpreter."""
        self._put(leg, _Member(Part.PARTY))

    def monitor(self, leg: Leg) -> None:
        """Let a leg listen without being heard."""
        self._put(leg, _Member(Part.MONITOR))

    def whisper(self, leg: Leg, to: Leg) -> None:
        """Let a leg listen and be heard by one party only; recordings of the mix do not hear it either."""
        self._put(leg, _Member(Part.WHISPER, to))

    def barge(self, leg: Leg) -> None:
        """Let a leg that listened or whispered be heard by all."""
        self.add(leg)

    def _put(self, leg: Leg, member: _Member) -> None:
        if leg.mix not in (None, self):
            raise ValueError("the leg is in another mix; remove it there first")
        before = self._members.get(leg)
        if before:
            member.held, member.gains = before.held, before.gains
        self._members[leg] = member
        leg.mix = self
        self._changed()

    def remove(self, leg: Leg) -> None:
        """Take a leg out; nothing happens when it is not in."""
        if self._members.pop(leg, None) is None:
            return
        leg.mix = None
        for member in self._members.values():
            member.gains.pop(leg, None)
            if member.whispers_to is leg:
                member.part, member.whispers_to = Part.MONITOR, None
        self._changed()

    def end(self) -> None:
        """Take all legs out and forget the mix."""
        for leg in self.legs:
            self.remove(leg)
        self._left(self)

    def hold(self, leg: Leg) -> None:
        """Neither hear a leg nor let it hear; give it music by ``leg.music``."""
        self._members[leg].held = True
        self._changed()

    def resume(self, leg: Leg) -> None:
        """Back from hold."""
        self._members[leg].held = False
        self._changed()

    def turn(self, listener: Leg, speaker: Leg, gain: float) -> None:
        """How loud one leg is to another, 1 being as it comes."""
        if gain < 0:
            raise ValueError("a gain is not negative")
        self._members[listener].gains[speaker] = gain
        self._changed()

    def part(self, leg: Leg) -> Part:
        """What a leg is here."""
        return self._members[leg].part

    def gain(self, listener: Leg, speaker: Leg) -> float:
        """The entry of the matrix."""
        ear, mouth = self._members[listener], self._members[speaker]
        if listener is speaker or ear.held or mouth.held or speaker.muted or mouth.part is Part.MONITOR:
            return 0.0
        if mouth.part is Part.WHISPER and mouth.whispers_to is not listener:
            return 0.0
        return ear.gains.get(speaker, 1.0)

    def heard_by(self, speaker: Leg) -> tuple[Leg, ...]:
        """Whom a leg is heard by at this moment: what a supervisor is shown before they speak."""
        return tuple(leg for leg in self._members if self.gain(leg, speaker))

    def recorded(self) -> tuple[Leg, ...]:
        """The legs that a recording of the whole hears: parties that are neither muted nor on hold."""
        return tuple(
            leg for leg, it in self._members.items() if it.part is Part.PARTY and not it.held and not leg.muted
        )

    def edges(self) -> list[tuple[int, int, float]]:
        """The entries that are not zero, as (ear's row, mouth's row, gain)."""
        found = ((ear.row, mouth.row, self.gain(ear, mouth)) for ear in self._members for mouth in self._members)
        return [edge for edge in found if edge[2]]


class Edges:
    """All entries of all matrices, in rounds in which every ear is there once: so a round is one addition of arrays."""

    def __init__(self, edges: list[tuple[int, int, float]]) -> None:
        rounds: list[list[tuple[int, int, float]]] = []
        heard: dict[int, int] = {}
        for edge in edges:
            turn = heard.get(edge[0], 0)
            heard[edge[0]] = turn + 1
            if turn == len(rounds):
                rounds.append([])
            rounds[turn].append(edge)
        self._rounds = [
            (
                np.array([edge[0] for edge in one]),
                np.array([edge[1] for edge in one]),
                None if all(edge[2] == 1 for edge in one) else np.array([[edge[2]] for edge in one], np.float32),
            )
            for one in rounds
        ]

    def apply(self, mouths: Floats, ears: Floats) -> None:
        """Add to each ear what it hears."""
        for number, (to, of, gains) in enumerate(self._rounds):
            sound = mouths[of] if gains is None else mouths[of] * gains
            if number:
                ears[to] += sound
            else:
                ears[to] = sound
