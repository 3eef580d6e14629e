"""A turn on a TTY: capital letters, short lines, one party at a time. Pure.

Five bits at 45.45 baud carry about six characters a second, and no small letters (TIA-825-A); GA gives the turn, SK ends.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass

from everyline.articles.wordings import Wording, typing_seconds, untyped
from everyline.ground import markdown
from everyline.ground.words import _, speaking
from everyline.selfservice.putting import shown
from everyline.selfservice.renderings.seam import Setting, all_worded, labels
from everyline.selfservice.walking import Turn

KINDS = (Wording.CHAT, Wording.SHORT, Wording.FULL)
COLUMNS = 32
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class TypedTurn:
    """Lines as they go out, GA or SK at their end; ``seconds`` is how long they take to arrive."""

    rows: tuple[str, ...]
    asks: bool = False

    @property
    def seconds(self) -> int:
        """How long it takes to arrive."""
        return typing_seconds("\r\n".join(self.rows))

    @property
    def patience(self) -> float | None:
        """Who types needs at least as long as we do, and reads first."""
        return self.seconds * 2 + PATIENCE_SECONDS if self.asks else None

    def as_text(self) -> str:
        """The lines."""
        return "\n".join(self.rows)


def render(turn: Turn, setting: Setting) -> TypedTurn:
    """A turn on a TTY."""
    told = [markdown.plain(one) for one in all_worded(turn, setting, KINDS, shown)]
    with speaking(setting.language):
        if turn.asks is not None and turn.asks.options:
            told += [f"{n} {label}" for n, (_name, label) in enumerate(labels(turn.asks, KINDS), 1)]
            told.append(_("TYPE A NUMBER"))
    rows = [row for text in told for line in text.splitlines() for row in _rows(typable(line))]
    if rows and setting.in_turns:
        sign = "GA" if turn.asks is not None else "SK" if turn.ends in ("solved", "left") else ""
        if sign and len(rows[-1]) + 1 + len(sign) <= COLUMNS:
            rows[-1] = f"{rows[-1]} {sign}"
        elif sign:
            rows.append(sign)
    return TypedTurn(tuple(rows), turn.asks is not None)


_ALIKE = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "@": " AT ",
        "&": " AND ",
        "%": " PERCENT",
        "*": " ",
        "#": " NO ",
        "_": " ",
    }
)


def typable(text: str) -> str:
    """A text in what a TTY can show."""
    bare = unicodedata.normalize("NFKD", text.translate(_ALIKE)).upper().replace("Đ", "D").replace("ß", "SS")
    plain = "".join(one for one in bare if not unicodedata.combining(one))
    odd = untyped(plain)
    return " ".join("".join(" " if one in odd else one for one in plain).split())


def _rows(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS) or []
