"""A turn by ear, as a message carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_OF_KEYS = ("least", "most", "end", "says", "first_seconds", "next_seconds", "person", "again")


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as it came: ``selfservice.renderings.voice.VoiceTurn`` as JSON. What is missing is left out of the dialogue."""

    prompts: tuple[str, ...]
    question: tuple[str, ...]  # the last of the prompts, which ask
    asks: bool
    least: int = 0
    most: int = 0
    end: str = ""
    options: tuple[str, ...] = ()  # the keys that mean one
    says: Mapping[str, str] = field(default_factory=dict)  # what a key answers, where that is not itself
    first_seconds: float = 5.0
    next_seconds: float = 3.0
    person: str = ""
    again: str = "*"
    listens: str = ""
    unit: str = ""
    tries: int = 0
    barge_in: bool = True
    reads_back: bool = False
    secret: bool = False
    records: int = 0  # seconds
    names: Mapping[str, str] = field(default_factory=dict)  # the options that keys mean
    speech: tuple[tuple[str, str], ...] = ()  # words, and the option that they mean
    heard: bool = False  # is there what hears?

    @property
    def hears(self) -> bool:
        """Can it be answered by speaking? A secret never."""
        return (
            self.heard and self.asks and not self.secret and (bool(self.speech) or self.listens not in ("", "secret"))
        )

    def as_heard(self, *, heard: bool) -> Asked:
        """The same, where there is what hears, or not."""
        return replace(self, heard=heard)

    @classmethod
    def of(cls, turn: Mapping[str, Any]) -> Asked:
        """Read from a message."""
        prompts = tuple(str(one) for one in turn.get("prompts") or () if str(one).strip())
        keys = turn.get("keys")
        own: dict[str, Any] = {} if keys is None else {name: keys[name] for name in _OF_KEYS if name in keys}
        return cls(
            prompts,
            prompts[min(int(turn.get("question") or 0), max(len(prompts) - 1, 0)) :],
            keys is not None,
            options=tuple((keys or {}).get("options") or ()),
            listens=str(turn.get("listens") or ""),
            unit=str(turn.get("unit") or ""),
            tries=int(turn.get("tries") or 0),
            barge_in=bool(turn.get("barge_in", True)),
            reads_back=bool(turn.get("reads_back")),
            secret=bool(turn.get("silent_recording")),
            records=int(turn.get("records") or 0),
            names=dict((keys or {}).get("options") or {}),
            speech=tuple((str(label), str(name)) for label, name in turn.get("speech") or ()),
            **own,
        )
