"""A turn in a chat: bubbles, buttons to choose from, and one field. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.articles.wordings import Wording
from everyline.ground.words import speaking
from everyline.selfservice.putting import shown
from everyline.selfservice.renderings.fields import Field, field_of
from everyline.selfservice.renderings.seam import Setting, all_worded, labels, lines, offering
from everyline.selfservice.walking import Turn

KINDS = (Wording.CHAT, Wording.FULL)
NUDGE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A button: what it says, and the option that it means."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """Bubbles (Markdown), then what can be pressed or typed."""

    bubbles: tuple[str, ...]
    replies: tuple[Reply, ...] = ()
    field: Field | None = None

    @property
    def patience(self) -> float | None:
        """Who asks something back is nudged once in a while."""
        return NUDGE_SECONDS if self.replies or self.field is not None else None

    def as_text(self) -> str:
        """Bubbles, then buttons in brackets, then the field."""
        return lines(
            [
                *self.bubbles,
                " ".join(f"[{one.label}]" for one in self.replies),
                self.field.as_text() if self.field else "",
            ]
        )


def render(turn: Turn, setting: Setting) -> ChatTurn:
    """A turn in a chat."""
    with speaking(setting.language):
        replies = tuple(Reply(name, label) for name, label in labels(turn.asks, KINDS)) if turn.asks else ()
        field = (
            field_of(turn.asks.slot) if turn.asks is not None and turn.asks.slot is not None and not replies else None
        )
        offered = offering(turn)
        replies = replies or tuple(Reply("", one) for one in (offered.offers if offered is not None else ()))
        return ChatTurn(tuple(all_worded(turn, setting, KINDS, shown)), replies, field)
