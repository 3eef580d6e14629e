"""Words that the house has recorded: played wherever exactly these words are said, in place of a voice."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from everyline.calls.models import Prompt
from everyline.ground.database import Row, Tx
from everyline.ground.errors import NotFound
from everyline.ground.words import _


def normal(words: str) -> str:
    """Words without what nobody hears."""
    return " ".join(unicodedata.normalize("NFC", words).split())


def words_hash(words: str) -> bytes:
    """What words are found by."""
    return hashlib.sha256(normal(words).encode("utf-8", "replace")).digest()


async def find(tx: Tx, words: str, language: str) -> str | None:
    """The file with these words in a language (``ground.files``); None when the house has not recorded them."""
    wanted = list(dict.fromkeys((language, language.split("-")[0])))
    rows = await tx.rows(
        select(Prompt.language, Prompt.file_hash).where(
            Prompt.language.in_(wanted), Prompt.words_hash == words_hash(words)
        )
    )
    found = {row.language: row.file_hash for row in rows}
    return next((found[one] for one in wanted if one in found), None)


async def kept(tx: Tx) -> Sequence[Row]:
    """All that was recorded, the newest first."""
    return await tx.rows(select(Prompt.__table__).order_by(Prompt.made_at.desc(), Prompt.id.desc()))


async def get(tx: Tx, prompt_id: int) -> Row:
    """One of them. NotFound."""
    row = await tx.first(select(Prompt.__table__).where(Prompt.id == prompt_id))
    if row is None:
        raise NotFound(_("There is no such recording."))
    return row


async def keep(tx: Tx, by: int, words: str, language: str, *, place: str, file_hash: str, seconds: float) -> int:
    """Words are played from a file from now on; what was recorded for them before is so no more. Returns the prompt's id."""
    values = {"place": place, "file_hash": file_hash, "seconds": seconds, "agent_id": by}
    statement = insert(Prompt).values(language=language, words_hash=words_hash(words), words=normal(words), **values)
    again = statement.on_conflict_do_update(
        index_elements=["language", "words_hash"], set_={**values, "words": normal(words), "made_at": func.now()}
    )
    found: int = await tx.value(again.returning(Prompt.id))
    return found


async def remove(tx: Tx, prompt_id: int) -> Row:
    """The voice says these words again; returns what was. NotFound."""
    row = await get(tx, prompt_id)
    await tx.execute(delete(Prompt).where(Prompt.id == prompt_id))
    return row
