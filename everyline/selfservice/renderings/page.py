"""A turn on a page: what is told, and a form that works without scripts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.articles.wordings import Wording
from everyline.ground.words import speaking
from everyline.selfservice.putting import shown
from everyline.selfservice.renderings.fields import Field, field_of
from everyline.selfservice.renderings.seam import Setting, all_worded, labels, lines, offering
from everyline.selfservice.walking import Turn

KINDS = (Wording.FULL,)


@dataclass(frozen=True, slots=True)
class PageTurn:
    """``told`` (Markdown), of which the last is the question and names the form's group; ``fault`` is what was wrong with the
    answer before and belongs to the field; ``options`` are radio buttons or buttons."""

    told: tuple[str, ...]
    question: str = ""
    fault: str = ""
    options: tuple[tuple[str, str], ...] = ()
    field: Field | None = None
    offers: tuple[str, ...] = ()  # answers that need not be typed
    offered: str = ""  # the words that they answer, where these come last

    @property
    def patience(self) -> float | None:
        """A page waits."""
        return None

    def as_text(self) -> str:
        """The page from top to bottom."""
        chosen = [f"( ) {label}" for _name, label in self.options]
        return lines(
            [
                *self.told,
                self.fault and f"! {self.fault}",
                self.question,
                *chosen,
                self.offered,
                " ".join(f"[{one}]" for one in self.offers),
                self.field.as_text() if self.field else "",
            ]
        )


def render(turn: Turn, setting: Setting) -> PageTurn:
    """A turn on a page."""
    told = all_worded(turn, setting, KINDS, shown)
    if turn.asks is None:
        return PageTurn(tuple(told))
    with speaking(setting.language):
        asked = [one for one in turn.told if one.step == turn.asks.step]  # the question, and before it what was wrong
        question = told.pop() if told and asked and turn.told[-1] is asked[-1] else ""
        fault = told.pop() if told and question and turn.asks.tries else ""
        options = tuple(labels(turn.asks, KINDS))
        field = field_of(turn.asks.slot) if turn.asks.slot is not None and not options else None
        one = offering(turn)
        offered = told.pop() if told and one is not None and one is turn.told[-1] else ""
    return PageTurn(tuple(told), question, fault, options, field, one.offers if one is not None else (), offered)
