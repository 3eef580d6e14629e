"""Whoever switches a check off says why, on that line."""

from __future__ import annotations

import io
import re
import tokenize

import pytest

from tests.structure.tree import own_texts, short

SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover|fmt:\s*(off|skip))", re.IGNORECASE)
WITH_REASON = re.compile(r"-- \S+ \S+")
SCRIPT_SUPPRESSION = re.compile(r"@ts-(ignore|nocheck|expect-error)")
NEEDS_NONE = re.compile(r"#\s*fmt:\s*(off|skip)")  # changes how a line looks, not what is checked


def silent_suppressions(source: str) -> list[int]:
    """The lines of a module whose suppression gives no reason (``# noqa: S101 -- reason in words``)."""
    if not SUPPRESSION.search(source):
        return []  # reading a module by its tokens is slow
    comments = (t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.COMMENT)
    return [
        comment.start[0]
        for comment in comments
        if SUPPRESSION.search(comment.string)
        and not NEEDS_NONE.fullmatch(comment.string.strip())
        and not WITH_REASON.search(comment.string)
    ]


def silent_in_script(source: str) -> list[int]:
    """The same for a browser script."""
    return [
        number
        for number, line in enumerate(source.split("\n"), 1)
        if SCRIPT_SUPPRESSION.search(line) and not WITH_REASON.search(line)
    ]


def test_every_suppression_says_why() -> None:
    faults = [f"{short(p)}:{n}" for p, text in own_texts(".py").items() for n in silent_suppressions(text)]
    faults += [f"{short(p)}:{n}" for p, text in own_texts(".ts").items() for n in silent_in_script(text)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "line", ["x = 1  # noqa", "x = 1  # noqa: S101", "x = f()  # type: ignore[arg-type]", "x = 1  # noqa: S101 -- why"]
)
def test_sees_a_silent_one(line: str) -> None:
    assert silent_suppressions(f"{line}\n") == [1]


def test_lets_a_reason_stand() -> None:
    assert not silent_suppressions("x = f()  # type: ignore[arg-type] -- the library's types are behind its code\n")
    assert not silent_suppressions('text = "# noqa"\n')


def test_sees_a_silent_one_in_a_script() -> None:
    assert silent_in_script("// @ts-expect-error\nx();") == [1]
    assert not silent_in_script("// @ts-expect-error -- not in the types yet\nx();")
