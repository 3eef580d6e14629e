"""Rules of articles."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.articles import rules
from everyline.articles.rules import Translation

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Why is my water bill so high?", "why-is-my-water-bill-so-high"),
        ("¿Dónde pago la cuenta del año?", "donde-pago-la-cuenta-del-ano"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("../../etc/passwd", "etc-passwd"),
        ("水道料金", "水道料金"),
        ("?!", "article-7"),
        ("word " * 40, "-".join(["word"] * 16)),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert rules.slug(title, "article-7") == slug


@given(st.text(max_size=300))
def test_a_slug_is_always_a_part_of_an_address(title: str) -> None:
    slug = rules.slug(title, "article-7")
    assert 0 < len(slug) <= 80
    assert not set(slug) & set("/?#%&\\\"'<> .\n")


@pytest.mark.parametrize(
    ("moved", "below", "refused"), [(1, 3, True), (1, 1, True), (3, 1, False), (2, None, False), (4, 3, False)]
)
def test_a_category_never_stands_in_itself(moved: int, below: int | None, refused: bool) -> None:
    assert rules.under_itself(moved, below, {1: None, 2: 1, 3: 2, 4: None}) is refused


@pytest.mark.parametrize(
    ("language", "translates", "published", "begun", "status"),
    [
        ("en", None, True, False, Translation.SOURCE),
        ("es", 3, True, True, Translation.CURRENT),
        ("es", 2, True, False, Translation.BEHIND),
        ("es", None, False, True, Translation.BEGUN),
        ("vi", None, False, False, Translation.MISSING),
    ],
)
def test_a_translation_is_behind_when_the_source_has_moved(
    language: str, translates: int | None, published: bool, begun: bool, status: Translation
) -> None:
    assert rules.translation(language, "en", 3, translates, published=published, begun=begun) is status


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_a_difference_holds_both_texts(before: list[str], after: list[str]) -> None:
    lines = rules.difference("\n".join(before), "\n".join(after))
    assert [line.text for line in lines if line.mark != "new"] == before
    assert [line.text for line in lines if line.mark != "gone"] == after


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("The fee is $12.", "You pay $15.", True),
        ("Open from 8 to 5.", "Open from 8 to 5, come in.", False),
        ("Dogs are allowed.", "Dogs are not allowed.", True),
        ("Bring the bill.", "Take the bill along.", False),
    ],
)
def test_what_may_contradict(one: str, other: str, apart: bool) -> None:
    assert rules.contradicts(one, other) is apart


def test_what_is_stale() -> None:
    assert rules.stale(TODAY, None, 9, 1) is None
    assert rules.stale(TODAY, date(2026, 11, 23), 0, 4) is None
    assert rules.stale(TODAY, date(2026, 11, 21), 9, 1) is not None
    assert rules.stale(TODAY, None, 2, 4) is not None


RANKINGS = st.lists(
    st.tuples(
        st.floats(0.1, 2),
        st.lists(st.tuples(st.integers(1, 20), st.floats(0, 1)), unique_by=lambda one: one[0], max_size=10),
    ),
    min_size=1,
    max_size=4,
)


@given(RANKINGS)
def test_who_leads_everywhere_with_all_evidence_leads_the_fused_ranking(
    rankings: list[tuple[float, list[tuple[int, float]]]],
) -> None:
    scores = rules.fused([(weight, [(99, 1.0), *ranking]) for weight, ranking in rankings])
    assert max(scores, key=lambda one: scores[one]) == 99


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_a_rarer_word_says_more(one: int, more: int, of: int) -> None:
    assert rules.rarity(one + more, of + one + more) <= rules.rarity(one, of + one + more)
    assert rules.rarity(one, of) > 0
