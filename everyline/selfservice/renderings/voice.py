"""A turn by ear, as data: prompts, keys and time-outs. The telephone plays them; a trial reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from everyline.articles.wordings import Wording, speaking_seconds
from everyline.ground.words import _, speaking
from everyline.selfservice.putting import said
from everyline.selfservice.renderings.seam import Setting, all_worded, labels, lines
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.walking import Turn

KINDS = (Wording.SPOKEN, Wording.FULL)
FIRST_KEY_SECONDS = 5.0
NEXT_KEY_SECONDS = 3.0
MOST_KEYED = 9  # options that have a key
READ_BACK = frozenset({Kind.DIGITS, Kind.ACCOUNT, Kind.PHONE, Kind.DATE, Kind.MONEY})


@dataclass(frozen=True, slots=True)
class Keys:
    """What can be keyed. ``end`` ends digits of no fixed length; 0 leads to a person and * says it again, always."""

    least: int
    most: int
    end: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  # key to the option that it means
    first_seconds: float = FIRST_KEY_SECONDS
    next_seconds: float = NEXT_KEY_SECONDS
    person: str = "0"
    again: str = "*"


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """Prompts in their order; keys can be pressed while they are played (``barge_in``), and before. ``speech`` are words that
    are listened for; ``silent_recording``: what is keyed or said now is not recorded and not written down."""

    prompts: tuple[str, ...]
    keys: Keys | None = None
    speech: tuple[tuple[str, str], ...] = ()  # words to the option that they mean
    listens: Kind | None = None  # what is listened for when it is no option
    barge_in: bool = True
    reads_back: bool = False
    silent_recording: bool = False

    @property
    def patience(self) -> float | None:
        """Counted from the end of the last prompt."""
        return self.keys.first_seconds if self.keys is not None else None

    @property
    def seconds(self) -> int:
        """How long the prompts take."""
        return sum(speaking_seconds(one) for one in self.prompts)

    def as_text(self) -> str:
        """The prompts, as they are said."""
        return lines(self.prompts)


def render(turn: Turn, setting: Setting) -> VoiceTurn:
    """A turn by ear."""
    prompts = all_worded(turn, setting, KINDS, said)
    asks = turn.asks
    if asks is None:
        return VoiceTurn(tuple(prompts), barge_in=False)
    with speaking(setting.language):
        options = labels(asks, KINDS)
        keyed = {str(n): name for n, (name, _label) in enumerate(options[:MOST_KEYED], 1)}
        for key, (_name, label) in zip(keyed, options, strict=False):
            order = _("Press %(key)s for %(words)s.") if setting.key_first else _("For %(words)s, press %(key)s.")
            prompts.append(order % {"key": key, "words": label.rstrip(".")})
    speech = tuple((label, name) for name, label in options)
    if options:
        return VoiceTurn(tuple(prompts), Keys(1, 1, options=keyed), speech)
    assert asks.slot is not None
    slot = asks.slot
    return VoiceTurn(
        tuple(prompts),
        _keys(slot),
        listens=slot.kind,
        reads_back=slot.kind in READ_BACK,
        silent_recording=slot.secret,
    )


def _keys(slot: Slot) -> Keys:
    """Digits can be keyed, letters cannot: names and addresses are listened for only."""
    if slot.kind in (Kind.DIGITS, Kind.ACCOUNT, Kind.SECRET):
        least, most = slot.least or 1, slot.most or 40
        return Keys(least, most, "" if least == most else "#")
    if slot.kind is Kind.DATE:
        return Keys(8, 8)
    if slot.kind is Kind.PHONE:
        return Keys(7, 15, "#")
    if slot.kind is Kind.MONEY:
        return Keys(1, 9, "#")
    return Keys(0, 0)
