"""What an entry asks of an agent beyond plain needs: ``water >= 3 and (spanish or "sign language" >= 4) and not trainee``.

A name stands for a skill, at level 1 at least unless a level follows. ``and`` binds closer than ``or``, ``not`` closest.
Stored as a tree by skill id, so that renaming a skill breaks nothing::

    {"skill": 3, "least": 3} | {"all": [tree…]} | {"any": [tree…]} | {"not": tree} | {}

``{}`` asks for nothing. ``mask`` evaluates a tree over all agents at once: agents are bits of an integer. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from everyline.ground.words import _

Tree: TypeAlias = Mapping[str, Any]
NOTHING: Tree = {}
DEEPEST = 12
LONGEST = 2000  # characters
_TOKEN = re.compile(r'\s*(?:(>=|\(|\)|\d+)|"([^"]+)"|([^\W\d][\w\'-]*))')
_WORDS = ("and", "or", "not")


class Unreadable(ValueError):
    """The expression cannot be read; the message says where and why."""


def parse(words: str, skills: Mapping[str, int]) -> Tree:
    """The tree of an expression; ``skills`` are ids by name (any case). Unreadable."""
    if not words.strip():
        return NOTHING
    if len(words) > LONGEST:
        raise Unreadable(_("This is too long: at most %s characters.") % LONGEST)
    reader = _Reader(list(_tokens(words)), {name.casefold(): number for name, number in skills.items()})
    found = reader.any_of(0)
    if reader.here < len(reader.tokens):
        raise Unreadable(_("“%s” is not expected here.") % reader.tokens[reader.here][1])
    return found


def _tokens(words: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(words.rstrip())
    while at < end:
        match = _TOKEN.match(words, at)
        if match is None:
            raise Unreadable(_("“%s” cannot be read.") % words[at:].strip()[:20])
        sign, quoted, name = match.groups()
        if sign:
            yield ("number" if sign.isdigit() else sign), sign
        elif quoted:
            yield "name", quoted
        else:
            yield (name.casefold() if name.casefold() in _WORDS else "name"), name
        at = match.end()


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], skills: Mapping[str, int]) -> None:
        self.tokens, self.skills, self.here = tokens, skills, 0

    def _next(self) -> str:
        return self.tokens[self.here][0] if self.here < len(self.tokens) else ""

    def any_of(self, depth: int) -> Tree:
        return self._chain("or", "any", lambda: self._chain("and", "all", lambda: self._one(depth)))

    def _chain(self, word: str, name: str, read: Callable[[], Tree]) -> Tree:
        parts = [read()]
        while self._next() == word:
            self.here += 1
            parts.append(read())
        return parts[0] if len(parts) == 1 else {name: parts}

    def _one(self, depth: int) -> Tree:
        if depth > DEEPEST:
            raise Unreadable(_("There are too many parentheses in each other."))
        kind = self._next()
        if not kind:
            raise Unreadable(_("The expression ends too early."))
        text = self.tokens[self.here][1]
        self.here += 1
        if kind == "not":
            return {"not": self._one(depth + 1)}
        if kind == "(":
            found = self.any_of(depth + 1)
            if self._next() != ")":
                raise Unreadable(_("A parenthesis is not closed."))
            self.here += 1
            return found
        if kind != "name":
            raise Unreadable(_("“%s” is not expected here.") % text)
        if text.casefold() not in self.skills:
            raise Unreadable(_("There is no skill “%s”.") % text)
        return {"skill": self.skills[text.casefold()], "least": self._level()}

    def _level(self) -> int:
        if self._next() != ">=":
            return 1
        self.here += 1
        level = int(self.tokens[self.here][1]) if self._next() == "number" else 0
        self.here += 1
        if not 1 <= level <= 5:
            raise Unreadable(_("A level is a number from 1 to 5."))
        return level


def write(tree: Tree, names: Mapping[int, str]) -> str:
    """The expression as a person writes it; ``names`` are the skills'. A skill that is gone stands as ``?``."""

    def part(one: Tree, inside: str) -> str:
        if "skill" in one:
            name = names.get(one["skill"], "?")
            plain = re.fullmatch(r"[^\W\d][\w'-]*", name) and name.casefold() not in _WORDS
            level = f" >= {one['least']}" if one["least"] > 1 else ""
            return (name if plain else f'"{name}"') + level
        if "not" in one:
            return f"not {part(one['not'], 'not')}"
        name, word = ("all", " and ") if "all" in one else ("any", " or ")
        words = word.join(part(each, name) for each in one[name])
        return f"({words})" if inside and inside != name else words

    return part(tree, "") if tree else ""


def meets(tree: Tree, levels: Mapping[int, int]) -> bool:
    """Whether somebody with these skills (id to level) fits."""
    if not tree:
        return True
    if "skill" in tree:
        return bool(levels.get(tree["skill"], 0) >= tree["least"])
    if "not" in tree:
        return not meets(tree["not"], levels)
    return (
        all(meets(one, levels) for one in tree["all"])
        if "all" in tree
        else any(meets(one, levels) for one in tree["any"])
    )


def mask(tree: Tree, everybody: int, with_skill: Callable[[int, int], int]) -> int:
    """Who fits, as bits. ``everybody``: all bits there are; ``with_skill(skill, least)``: the bits of those who have it."""
    if not tree:
        return everybody
    if "skill" in tree:
        return with_skill(tree["skill"], tree["least"])
    if "not" in tree:
        return everybody & ~mask(tree["not"], everybody, with_skill)
    if "all" in tree:
        found = everybody
        for one in tree["all"]:
            found &= mask(one, everybody, with_skill)
        return found
    found = 0
    for one in tree["any"]:
        found |= mask(one, everybody, with_skill)
    return found


def without(tree: Tree, skill_id: int) -> Tree:
    """The tree when a skill is gone: what asked for it asks for nothing there."""
    if not tree or tree.get("skill") == skill_id:
        return NOTHING
    if "skill" in tree:
        return tree
    if "not" in tree:
        inner = without(tree["not"], skill_id)
        return {"not": inner} if inner else NOTHING
    name = "all" if "all" in tree else "any"
    kept = [one for one in (without(each, skill_id) for each in tree[name]) if one]
    return NOTHING if not kept else kept[0] if len(kept) == 1 else {name: kept}


def skills_in(tree: Tree) -> set[int]:
    """Every skill that the tree names."""
    if not tree:
        return set()
    if "skill" in tree:
        return {tree["skill"]}
    inner = [tree["not"]] if "not" in tree else tree.get("all") or tree["any"]
    return set().union(*(skills_in(one) for one in inner))


def both(*trees: Tree) -> Tree:
    """All of them together."""
    kept = [tree for tree in trees if tree]
    return NOTHING if not kept else kept[0] if len(kept) == 1 else {"all": kept}


def needing(needs: Mapping[int, int]) -> Tree:
    """Plain needs, skill id to least level, as a tree."""
    return both(*({"skill": skill, "least": least} for skill, least in sorted(needs.items())))


def loosenings(tree: Tree) -> Iterator[tuple[Tree, tuple[int, int, int]]]:
    """The tree loosened by one step, nearest first: a level lower by one, or a skill not asked for any more. Beside each
    (skill, level asked, level then; 0: not at all)."""
    asked = sorted({(skill, least) for skill, least in _asked(tree)}, key=lambda one: (-one[1], one[0]))
    for skill, least in asked:
        for lower in range(least - 1, -1, -1):
            yield _lowered(tree, skill, least, lower), (skill, least, lower)


def _asked(tree: Tree) -> Iterator[tuple[int, int]]:
    if "skill" in tree:
        yield tree["skill"], tree["least"]
    for name in ("all", "any"):
        for one in tree.get(name, ()):
            yield from _asked(one)


def _lowered(tree: Tree, skill: int, least: int, lower: int) -> Tree:
    if "skill" in tree:
        if (tree["skill"], tree["least"]) != (skill, least):
            return tree
        return {"skill": skill, "least": lower} if lower else NOTHING
    for name in ("all", "any"):
        if name in tree:
            parts = [_lowered(one, skill, least, lower) for one in tree[name]]
            if name == "any" and not all(parts):
                return NOTHING  # one way in that asks for nothing lets everybody in
            return both(*parts) if name == "all" else {"any": parts}
    return tree
