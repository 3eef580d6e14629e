"""What a leg has to tell while it lives. Each is handed once to whoever listens, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from everyline.media.legs import Leg
    from everyline.media.recording import Recording
    from everyline.media.sounds import Playing


@dataclass(frozen=True)
class Digit:
    """A key was pressed; ``by_sound`` when it was heard in the sound and not told as an event."""

    leg: Leg
    key: str
    by_sound: bool = False


@dataclass(frozen=True)
class Stranger:
    """The first packet from an address that is not the leg's; later ones are only counted."""

    leg: Leg
    address: tuple[str, int]


@dataclass(frozen=True)
class OneWay:
    """No sound moves in one direction: ``to_us`` when nothing comes from them, else when they say that nothing reaches them."""

    leg: Leg
    to_us: bool


@dataclass(frozen=True)
class Flowing:
    """Sound moves again in the direction that was told as one-way."""

    leg: Leg
    to_us: bool


@dataclass(frozen=True)
class Silent:
    """Packets come, somebody would hear them, and there has been nothing in them for so many seconds."""

    leg: Leg
    seconds: float


@dataclass(frozen=True)
class PromptEnded:
    """A prompt was played to its end, or ``stopped`` before."""

    leg: Leg
    playing: Playing
    stopped: bool


@dataclass(frozen=True)
class RecordingFailed:
    """A recording ended before its time; the call goes on. ``reason`` is for people who run the machine."""

    recording: Recording
    reason: str


@dataclass(frozen=True)
class Goodbye:
    """The other side's RTCP said that it ends the stream."""

    leg: Leg


Event: TypeAlias = Digit | Stranger | OneWay | Flowing | Silent | PromptEnded | RecordingFailed | Goodbye
