"""Brands: the names under which the organisation shows itself to customers, each with its colour, logo, languages and lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update

from everyline.customers import colours, rules
from everyline.customers.models import Brand
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Database, Row, Tx
from everyline.ground.errors import Conflict, Invalid, NotFound
from everyline.ground.words import _, languages
from everyline.people import queries as people

KEPT_SECONDS = 2.0  # how long brands are taken as they were, in a process that did not change them
LARGEST_LOGO = 256 * 1024  # bytes
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A brand as pages show it. The first one stands for all addresses that are no brand's own."""

    id: int  # 0: none is set up, and the organisation itself is shown
    name: str
    domain: str
    greeting: str
    about: str
    shades: colours.Shades
    logo_hash: str
    logo_type: str
    languages: tuple[str, ...]
    line_ids: frozenset[int]  # empty: every line
    category_ids: frozenset[int]  # empty: every one

    def shows_line(self, line_id: int) -> bool:
        """Is this a line of the brand?"""
        return not self.line_ids or line_id in self.line_ids

    @property
    def initial(self) -> str:
        """What stands in place of a logo."""
        return next((letter for letter in self.name if letter.isalnum()), "·").upper()


@dataclass
class Brands:
    """The brands of an installation as one process knows them."""

    _known: tuple[Shown, ...] = ()
    _read_at: float = field(default=-KEPT_SECONDS)

    async def all(self, database: Database) -> tuple[Shown, ...]:
        """Every brand, in order; never none."""
        if time.monotonic() - self._read_at >= KEPT_SECONDS:
            async with database.transaction() as tx:
                self._known = await shown(tx)
            self._read_at = time.monotonic()
        return self._known

    async def at(self, database: Database, host: str) -> tuple[Shown, bool]:
        """The brand that a host shows, and whether it is the brand's own."""
        known = await self.all(database)
        name = host.lower().rsplit(":", 1)[0] if not host.endswith("]") else host
        own = next((brand for brand in known if brand.domain and brand.domain == name), None)
        return (own, True) if own else (next((brand for brand in known if not brand.domain), known[0]), False)

    def forget(self) -> None:
        """They have changed: read them anew."""
        self._read_at = -KEPT_SECONDS


async def shown(tx: Tx) -> tuple[Shown, ...]:
    """Every brand as pages show it; the organisation itself when there is none."""
    rows = await every(tx)
    if rows:
        return tuple(_shown(row) for row in rows)
    facts = await people.installation(tx)
    spoken = (facts["language"], *(one for one in languages() if one != facts["language"]))
    shades = colours.shades(colours.USUAL_HUE, colours.USUAL_CHROMA)
    name = facts["organisation"] or "Everyline"
    return (Shown(0, name, "", "", "", shades, "", "", spoken, frozenset(), frozenset()),)


def _shown(row: Row) -> Shown:
    spoken = tuple(one for one in row.languages if one in languages()) or languages()
    return Shown(
        row.id,
        row.name,
        row.domain or "",
        row.greeting,
        row.about,
        colours.shades(row.hue, round(row.chroma, 3)),
        row.logo_hash,
        row.logo_type,
        spoken,
        frozenset(row.line_ids),
        frozenset(row.category_ids),
    )


async def every(tx: Tx) -> Sequence[Row]:
    """The brands in use, in their order."""
    return await tx.rows(select(Brand.__table__).where(Brand.retired_at.is_(None)).order_by(Brand.position, Brand.id))


async def get(tx: Tx, brand_id: int) -> Row:
    """One brand in use. NotFound."""
    row = await tx.first(select(Brand.__table__).where(Brand.id == brand_id, Brand.retired_at.is_(None)))
    if row is None:
        raise NotFound(_("There is no such brand."))
    return row


async def add(tx: Tx, by: int | None, name: str, **facts: Any) -> int:
    """Add a brand; returns its id. Facts as ``change`` takes them. The first one stands on the installation's own address; each
    further one needs a domain."""
    values = await _checked(tx, None, {"name": name, **facts})
    last = await tx.value(select(func.max(Brand.position)))
    values["position"] = (last or 0) + 1
    brand_id: int = await tx.value(insert(Brand).values(**values).returning(Brand.id))
    await events.record(tx, "brand.added", actor_id=by, brand_id=brand_id)
    return brand_id


async def change(tx: Tx, by: int | None, brand_id: int, **facts: Any) -> None:
    """Change ``name``, ``domain``, ``greeting``, ``about``, ``colour`` (#rrggbb), ``logo_hash`` (in the file store; empty takes
    it away) with ``logo_type``, ``languages`` (the first is the usual one), ``line_ids`` or ``category_ids``. Invalid, Conflict."""
    row = await get(tx, brand_id)
    values = await _checked(tx, row, facts)
    if values:
        await tx.execute(update(Brand).where(Brand.id == row.id).values(**values))
        await events.record(tx, "brand.changed", actor_id=by, brand_id=row.id, fields=sorted(values))


async def retire(tx: Tx, by: int | None, brand_id: int) -> None:
    """Take a brand out of use; its domain is free again."""
    row = await get(tx, brand_id)
    await tx.execute(update(Brand).where(Brand.id == row.id).values(retired_at=now()))
    await events.record(tx, "brand.retired", actor_id=by, brand_id=row.id)


def picture_type(content: bytes) -> str:
    """The media type of a picture by what it is, not by what it is called. ValueError when it is none that we show, or too large."""
    if len(content) > LARGEST_LOGO:
        raise ValueError(_("This picture is too large: at most %s KB.") % (LARGEST_LOGO // 1024))
    for sign, kind in _PICTURES:
        if content.startswith(sign):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in head:
        return "image/svg+xml"
    raise ValueError(_("This is no picture that can be shown: use SVG, PNG, JPEG or WebP."))


async def _checked(tx: Tx, row: Row | None, facts: dict[str, Any]) -> dict[str, Any]:
    values, errors = dict(facts), {}
    if "name" in values and not str(values["name"]).strip():
        errors["name"] = _("Write a name.")
    if "domain" in values or row is None:
        values["domain"], errors["domain"] = await _domain(tx, row, str(values.get("domain") or ""))
    if "colour" in values:
        try:
            values["hue"], values["chroma"] = (
                colours.read(values["colour"]) if values["colour"] else (colours.USUAL_HUE, colours.USUAL_CHROMA)
            )
        except ValueError:
            errors["colour"] = _("Write a colour such as #0061b8.")
    if unknown := set(values.get("languages", ())) - set(languages()):
        errors["languages"] = _("There are no words for %s yet.") % ", ".join(sorted(unknown))
    if values.get("logo_hash") == "":
        values["logo_type"] = ""
    errors = {name: said for name, said in errors.items() if said}
    if errors:
        raise Invalid(_("Please look at this again."), errors)
    return values


async def _domain(tx: Tx, row: Row | None, typed: str) -> tuple[str | None, str]:
    """The domain to keep, and what is wrong with it."""
    domain = typed.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/.")
    others = [one for one in await every(tx) if row is None or one.id != row.id]
    if not domain:
        if any(one.domain is None for one in others):
            return None, _("Another brand stands on the address of the installation already: this one needs a domain.")
        return None, ""
    if not rules.is_domain(domain):
        return None, _("Write the name of a host, such as help.example.org.")
    if any(one.domain == domain for one in others):
        raise Conflict(_("Another brand has this domain."))
    return domain, ""
