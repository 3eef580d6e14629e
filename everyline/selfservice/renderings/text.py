"""A turn as text messages: who speaks first, options by number, counted in segments. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.articles.wordings import Wording, segments
from everyline.ground.words import _, speaking
from everyline.selfservice.putting import shown
from everyline.selfservice.renderings.seam import Setting, all_worded, labels, lines
from everyline.selfservice.walking import Turn

KINDS = (Wording.SHORT, Wording.CHAT, Wording.FULL)
EXPIRES_SECONDS = 24 * 3600.0
MOST_PARTS = 6  # of one message; what is longer is cut at a line into the next


@dataclass(frozen=True, slots=True)
class TextTurn:
    """Messages in their order, and the segments that each takes on the wire (3GPP TS 23.040)."""

    messages: tuple[str, ...]
    parts: tuple[int, ...]
    asks: bool = False

    @property
    def patience(self) -> float | None:
        """An answer may come the next day."""
        return EXPIRES_SECONDS if self.asks else None

    def as_text(self) -> str:
        """Messages, a line of dashes between them."""
        return "\n--\n".join(self.messages)


def render(turn: Turn, setting: Setting) -> TextTurn:
    """A turn as text messages."""
    told = all_worded(turn, setting, KINDS, shown)
    asks = turn.asks
    with speaking(setting.language):
        if asks is not None and asks.slot is not None and asks.slot.secret:
            # what must stay secret is not asked for where it stays readable for years
            told[-1:] = [_("This cannot be taken safely by text message. Please go on here: %s") % setting.link]
        if asks is not None and asks.options:
            told += [f"{n} {label}" for n, (_name, label) in enumerate(labels(asks, KINDS), 1)]
            if len(asks.options) > 1:
                told.append(_("Reply with a number."))
    if told and setting.brand:
        told[0] = f"{setting.brand}: {told[0]}"
    messages = _cut(told)
    return TextTurn(tuple(messages), tuple(segments(one).parts for one in messages), asks is not None)


def _cut(told: list[str]) -> list[str]:
    """As few messages as can be, each no longer than is safe to send."""
    found: list[str] = []
    for text in told:
        joined = lines([found[-1], text]) if found else text
        if found and segments(joined).parts <= MOST_PARTS:
            found[-1] = joined
        else:
            found += _pieces(text)
    return found


def _pieces(text: str) -> list[str]:
    """A text that is too long, cut between words."""
    found: list[str] = []
    while segments(text).parts > MOST_PARTS:
        room = (67 if segments(text).odd else 153) * MOST_PARTS // 2  # a sign may take two units
        at = text.rfind(" ", 0, room)
        at = at if at > 0 else room
        found.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*found, text]
