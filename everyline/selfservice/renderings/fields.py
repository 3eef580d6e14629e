"""The field in which a slot is typed, for whatever draws one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everyline.ground.words import _, mark
from everyline.selfservice.slots import Kind, Slot


@dataclass(frozen=True, slots=True)
class Field:
    """As HTML has it (WHATWG HTML, "Autofill" and "inputmode")."""

    name: str
    kind: str = "text"  # the input's type; textarea for several lines
    inputmode: str = ""
    autocomplete: str = "off"
    hint: str = ""  # translated: what it looks like
    longest: int | None = None  # characters
    secret: bool = False

    def as_text(self) -> str:
        """As a trial shows it."""
        return f"[{self.hint or '…'}]"


_FIELDS: Mapping[Kind, tuple[str, str, str, str]] = {
    Kind.DIGITS: ("text", "numeric", "off", ""),
    Kind.DATE: ("text", "", "off", mark("For example %s")),
    Kind.MONEY: ("text", "decimal", "off", mark("For example 12.50")),
    Kind.NAME: ("text", "", "name", ""),
    Kind.ADDRESS: ("textarea", "", "street-address", mark("Street and number, place, postal code")),
    Kind.EMAIL: ("email", "email", "email", mark("name@example.org")),
    Kind.PHONE: ("tel", "tel", "tel", mark("With its area code")),
    Kind.TEXT: ("textarea", "", "off", ""),
    Kind.ACCOUNT: ("text", "text", "off", ""),
    Kind.SECRET: ("password", "numeric", "off", ""),
    Kind.YES_NO: ("text", "", "off", mark("Yes or no")),
    Kind.CHOICE: ("text", "", "off", ""),
}


ONE_LINE = 80  # characters that need no more


def field_of(slot: Slot) -> Field:
    """The field of a slot, its hint in the language spoken now."""
    kind, mode, complete, hint = _FIELDS[slot.kind]
    shape = slot.of or slot.kind
    if shape is not slot.kind:  # it is hidden like a secret, and looks like what it is
        _kind, mode, _complete, hint = _FIELDS[shape]
    told = _(hint) if hint else ""
    if shape is Kind.DATE:
        told = told % "2026-03-31"
    if shape in (Kind.DIGITS, Kind.ACCOUNT) and slot.most is not None:
        told = _("%d digits") % slot.most if slot.least == slot.most else _("Up to %d digits") % slot.most
    if kind == "textarea" and slot.most is not None and slot.most <= ONE_LINE:
        kind = "text"
    longest = slot.most if slot.kind in (Kind.NAME, Kind.TEXT, Kind.ADDRESS) else None
    return Field(slot.name, kind, mode, complete, told, longest, slot.secret)
