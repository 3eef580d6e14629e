"""Search that finds."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from everyline.articles import actions, embedding, finding, meanings
from everyline.articles.finding import Asked, Hit, marked
from everyline.articles.queries import Reader
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from tests.articles.conftest import AGENT, PUBLIC, put

SPANISH = Reader("public", "es")


async def fill(tx: Tx) -> dict[str, int]:
    """A small county."""
    return {
        "bill": await put(
            tx, "Why is my water bill so high?", "Most high bills come from a leaking toilet.", summary="Find the leak."
        ),
        "pay": await put(
            tx, "Pay your water bill", "Pay online, by phone or at the counter. Bring the account number."
        ),
        "dog": await put(tx, "License your dog", "Every dog older than six months needs a license and a rabies shot."),
        "trash": await put(tx, "Garbage collection", "Bins are emptied on Tuesdays. Put yours at the curb by 7 am."),
        "move": await put(tx, "Change your mailing address", "Tell us where you live now, and we change every bill."),
        "form": await put(tx, "Tax relief for seniors", "Fill in form SE-2 and wait."),
        "inner": await put(
            tx, "Waive a late fee", "Managers may waive one fee a year, 2 with form EL-4.", audience="agents"
        ),
        "agua": await put(
            tx, "Pagar la cuenta del agua", "Pague en línea o por teléfono antes del día quince.", language="es"
        ),
    }


async def names(tx: Tx, known: dict[str, int], words: str, reader: Reader = PUBLIC, **more: object) -> list[str]:
    by_id = {number: name for name, number in known.items()}
    return [by_id[hit.article_id] for hit in await finding.find(tx, Asked(words, reader, **more))]  # type: ignore[arg-type]  # -- a test's own


FIRST = {
    "water bill": ("bill", "pay"),
    "WATER BILLS!": ("bill", "pay"),
    "how can i pay my water bill": ("pay",),
    "licens": ("dog",),
    "lisence my dogg": ("dog",),
    "garbige colection": ("trash",),
    "rabies": ("dog",),
    "leak": ("bill",),
    "mailing adress": ("move",),
    "form SE-2": ("form",),
}


@pytest.mark.req("W1")
async def test_words_stems_beginnings_and_typing_errors(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        known = await fill(tx)
        found = {words: (await names(tx, known, words))[0] for words in FIRST}
        assert {words: first for words, first in found.items() if first not in FIRST[words]} == {}


@pytest.mark.req("W1")
async def test_accents_do_not_matter_and_languages_stay_apart(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        known = await fill(tx)
        assert await names(tx, known, "pago por telefono", SPANISH) == ["agua"]
        (hit,) = await finding.find(tx, Asked("telefono", SPANISH))
        assert "<mark>teléfono</mark>" in hit.extract
        assert await names(tx, known, "license", SPANISH) == []
        assert (await names(tx, known, "license a dog", SPANISH, otherwise="en"))[0] == "dog"


@pytest.mark.req("W2")
async def test_synonyms_of_the_house(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        known = await fill(tx)
        synonym_id = await actions.add_synonym(tx, None, "en", ["garbage", "rubbish", "refuse service"])
        for words in ("rubbish", "refuse service"):
            assert (await names(tx, known, words))[0] == "trash"
        await actions.remove_synonym(tx, None, synonym_id)


@pytest.mark.req("W1")
async def test_nobody_finds_what_is_not_theirs(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        known = await fill(tx)
    await meanings.catch_up(ground.database)
    async with ground.database.transaction() as tx:
        assert "inner" not in await names(tx, known, "waive a late fee")
        assert "inner" not in await names(tx, known, "waive a late fee", Reader("signed in", "en"))
        assert (await names(tx, known, "waive a late fee", AGENT))[0] == "inner"


@pytest.mark.req("W1")
@pytest.mark.parametrize("vectors", [True, False], ids=["in the database", "outside it"])
async def test_meaning_finds_what_shares_no_word(ground: Ground, vectors: bool) -> None:
    assert embedding.installed(), "the suite needs the extra `meaning`"
    async with ground.database.transaction() as tx:
        if not vectors:
            await tx.execute(text("alter table article_meaning drop column vector cascade"))
            await tx.execute(text("alter table article_meaning add vector bytea not null"))
        known = await fill(tx)
        assert "move" not in await names(tx, known, "I relocated to another house")
    assert await meanings.catch_up(ground.database) == len(known)
    assert await meanings.catch_up(ground.database) == 0
    async with ground.database.transaction() as tx:
        assert await meanings.in_database(tx) is vectors
        assert (await names(tx, known, "I relocated to another house"))[0] == "move"
        assert (await names(tx, known, "register my puppy"))[0] == "dog"
        await actions.archive(tx, None, known["dog"])
        assert "dog" not in await names(tx, known, "register my puppy")


@pytest.mark.req("W2")
async def test_a_search_without_a_useful_hit_says_so(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await fill(tx)
    await meanings.catch_up(ground.database)
    async with ground.database.transaction() as tx:

        async def useful(words: str) -> bool:
            return any(hit.useful for hit in await finding.find(tx, Asked(words, PUBLIC)))

        assert await useful("pay water")
        assert await useful("dog license")
        assert not await useful("best recipe for pancakes")
        assert not await useful("when does the museum open on holidays")


ANYTHING = (
    *("", "   ", "?!", "'", "\\", "a:*", "((", "x & | !", "<-> <2>", "%_%", "\x00", "the of a", "💧", "';--", "水"),
    *("\ue000x\ue001", "it's my dog's", "e" * 5000, "b " * 400),
)


@pytest.mark.req("W1")
async def test_any_words_may_be_asked(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await fill(tx)
        for words in ANYTHING:
            for language in ("en", "es", "vi", "zz"):
                found = await finding.find(tx, Asked(words, Reader("public", language)))
                assert all(hit.title for hit in found), words


@pytest.mark.req("W1")
async def test_what_is_shown_is_marked_and_safe(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await put(tx, "Pay <script>alert(1)</script> bills", 'See <b onclick=x>bills</b> & \ue000more\ue001 "here".')
        hits: list[Hit] = await finding.find(tx, Asked("bills", PUBLIC))
        assert hits[0].title == "Pay &lt;script&gt;alert(1)&lt;/script&gt; <mark>bills</mark>"
        assert "<b" not in hits[0].extract
        assert "<mark>bills</mark>" in hits[0].extract


def test_marks_are_always_closed() -> None:
    assert marked("a \ue000b\ue001 c\ue000 <d>") == "a <mark>b</mark> c &lt;d&gt;"
