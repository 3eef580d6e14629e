"""The errand of how somebody wants to be reached: by what, and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from everyline.customers import actions, preferences
from everyline.customers import queries as customers
from everyline.ground.addresses import MAILBOX, NUMBER, POSTAL
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.languages import LIKELY
from everyline.ground.moments import language_names
from everyline.ground.spoken import plain
from everyline.ground.words import _, language, mark, speaking
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, text
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind

KINDS = {  # what can be preferred, by the languages that the product speaks
    MAILBOX: {"en": "Email", "de": "E-Mail", "es": "Correo electrónico", "fr": "E-mail", "vi": "Thư điện tử"},
    NUMBER: {"en": "Phone", "de": "Telefon", "es": "Teléfono", "fr": "Téléphone", "vi": "Điện thoại"},
    POSTAL: {"en": "Letter", "de": "Brief", "es": "Carta", "fr": "Courrier", "vi": "Thư"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    by: str | None = asked(Kind.CHOICE, mark("How we reach you"), optional=True, choices=KINDS)
    language: str | None = asked(Kind.TEXT, mark("Language"), optional=True, most=40)


def language_of(said: str) -> str | None:
    """The code (ISO 639-1) of a language by its code, or by its name in the language spoken, in English or in itself."""
    wanted = plain(said)
    for code in LIKELY:
        names = {code}
        for spoken in (language(), "en", code):
            with speaking(spoken):
                names |= {plain(name) for _code, name in language_names([code])}
        if wanted in names:
            return code
    return None


async def set_preferences(asking: Asking, given: Manners) -> Settled:
    """The preferred contact point becomes one of the kind that is asked for: one that was proved before others."""
    tx = asking.tx
    if given.by is None and given.language is None:
        raise Invalid(_("Please say how we are to reach you, or in which language."))
    row = await customers.get(tx, asking.own)
    told, slots, undo = [], {}, {}
    if given.by is not None:
        points = await customers.points(tx, row.id)
        able = [point for point in points if point.kind == given.by and point.bad_since is None]
        if not able:
            raise Conflict(_("We know no such address of yours. Please tell us one first."))
        chosen = min(able, key=lambda point: (not point.preferred, point.verified_at is None, point.id))
        undo["point_id"] = chosen.id
        undo["before"] = next((point.id for point in points if point.preferred), None)
        await actions.prefer_point(tx, None, row.id, chosen.id)
        name = KINDS[given.by].get(language(), KINDS[given.by]["en"])
        slots["by"] = text(name)
        told.append(_("From now on we reach you by this first: %s.") % name)
    if given.language is not None:
        code = language_of(given.language)
        if code is None:
            raise Invalid(_("We do not know this language."), {"language": _("Please say it in another way.")})
        undo["language"], undo["language_before"] = code, row.language
        await _speak(asking, code)
        name = language_names([code])[0][1]
        slots["language"] = text(name)
        told.append(_("We speak with you in this language: %s.") % name)
    return Settled(" ".join(told), slots, undo=undo)


async def _speak(asking: Asking, code: str) -> None:
    row = await customers.get(asking.tx, asking.own)
    await preferences.set_manners(
        asking.tx,
        row.id,
        language=code,
        zone=row.zone,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
    )


async def preferences_again(asking: Asking, kept: Mapping[str, Any]) -> str:
    """As it was before. Conflict when something else was chosen since."""
    row = await customers.get(asking.tx, asking.own)
    points = {point.id: point for point in await customers.points(asking.tx, row.id)}
    preferred = next((point.id for point in points.values() if point.preferred), None)
    changed = ("point_id" in kept and preferred != kept["point_id"]) or (
        "language" in kept and row.language != kept["language"]
    )
    if changed:
        raise Conflict(_("Something else was chosen since: what was before cannot be brought back."))
    if kept.get("before") in points:
        await actions.prefer_point(asking.tx, None, row.id, kept["before"])
    if "language" in kept:
        await _speak(asking, kept["language_before"])
    return _("It is as it was before.")


SET_PREFERENCES = declared(
    set_preferences,
    Manners,
    preferences_again,
    name="set_preferences",
    title=mark("Preferred channel and language"),
    changes=mark("By what the customer is reached first, and in which language."),
    needs=Level.PROVED,
    gives=("by", "language"),
    undo_for=timedelta(days=7),
)
