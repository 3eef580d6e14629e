"""The house's settings of the bot: words that mean distress and what is told then, and the language model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from everyline.ground import events
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.keys import Vault
from everyline.ground.words import _
from everyline.selfservice.bot.models import BotSetting

LONGEST_PHRASE = 80  # characters


@dataclass(frozen=True, slots=True)
class Setting:
    """``distress``: words of the house by language. ``comfort``: what is told first then, by language; empty: our own words.
    ``address`` of a language model is that before ``/chat/completions``; prices are of a million tokens."""

    distress: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comfort: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""
    address: str = ""
    model: str = ""
    key: bytes | None = None
    seconds: float = 8.0
    price_in: Decimal = Decimal(0)
    price_out: Decimal = Decimal(0)
    drafts: int = 60  # for one agent in an hour; 0: none

    @property
    def has_model(self) -> bool:
        """May a language model word answers?"""
        return bool(self.address and self.model)

    def cost(self, tokens: tuple[int, int]) -> Decimal:
        """What so many tokens, read and written, cost."""
        return (tokens[0] * self.price_in + tokens[1] * self.price_out) / Decimal(1_000_000)


async def load(tx: Tx) -> Setting:
    """The settings, as they are kept."""
    row = await tx.first(select(BotSetting.__table__).where(BotSetting.id == 1))
    if row is None:
        return Setting()
    return Setting(
        {language: tuple(words) for language, words in row.distress.items()},
        dict(row.comfort),
        row.phone,
        row.address,
        row.model,
        bytes(row.key) if row.key is not None else None,
        row.seconds,
        row.price_in,
        row.price_out,
        row.drafts,
    )


async def save(
    tx: Tx,
    by: int | None,
    vault: Vault,
    *,
    distress: Mapping[str, tuple[str, ...]],
    comfort: Mapping[str, str],
    phone: str,
    address: str,
    model: str,
    key: str | None,
    seconds: float,
    price_in: Decimal,
    price_out: Decimal,
    drafts: int = 60,
) -> None:
    """Write them. ``key``: None leaves the one there is, empty forgets it. Invalid, by field."""
    errors = {}
    if address and not address.startswith(("http://", "https://")):
        errors["address"] = _("It begins with https://.")
    if address and not model:
        errors["model"] = _("This is needed.")
    if any(len(one) > LONGEST_PHRASE for words in distress.values() for one in words):
        errors["distress"] = _("At most %s characters.") % LONGEST_PHRASE
    if errors:
        raise Invalid(_("Please look at this again."), errors)
    values = {
        "distress": {language: list(words) for language, words in distress.items() if words},
        "comfort": {language: words for language, words in comfort.items() if words},
        "phone": phone,
        "address": address.rstrip("/"),
        "model": model,
        "seconds": seconds,
        "price_in": price_in,
        "price_out": price_out,
        "drafts": drafts,
    }
    if key is not None:
        values["key"] = vault.lock(key) if key else None
    made = upsert(BotSetting).values(id=1, **values)
    await tx.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))
    await events.record(tx, "bot.set", actor_id=by)
