"""What the product imports it also asks for, by name: nothing is there only because another package brought it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions

from tests.structure.tree import PACKAGE, ROOT, own_texts, parsed, short

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Comes with what asks for it as its own face to the outside.
BROUGHT_ALONG = {"starlette": "the ground that FastAPI stands on, used for routes and answers on hot paths"}
# Parts of the product that are loaded only where an extra is installed, and that extra.
OF_AN_EXTRA = dict.fromkeys(("media", "sip", "speech", "webrtc"), "phone")


def normal(name: str) -> str:
    """A package's name as the registry compares it, without extras and versions."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name)[0]).lower()


def imported_packages(source: str) -> set[str]:
    """The first part of every module that a module imports and that is neither ours nor Python's own."""
    names: set[str] = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"everyline", "tests", "tools"}


@cache
def _providers() -> Mapping[str, list[str]]:
    return packages_distributions()


def undeclared(imported: Iterable[str], declared: Iterable[str]) -> set[str]:
    """Those imported packages that no declared requirement provides."""
    providers = _providers()
    asked = {normal(name) for name in declared} | set(BROUGHT_ALONG)
    return {name for name in imported if not asked.intersection(normal(p) for p in providers.get(name, []))}


def asked_for_by(part: str) -> list[str]:
    """What the project asks for when this part of the product is loaded."""
    extra = OF_AN_EXTRA.get(part)
    return [*PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] if extra else ())]


def test_the_product_asks_for_what_it_imports() -> None:
    modules = {
        path: text
        for path, text in own_texts(".py").items()
        if path.is_relative_to(PACKAGE) and "tests" not in path.relative_to(PACKAGE).parts
    }
    faults = [
        f"{short(path)}: imports {name}, which is no dependency of the project in pyproject.toml"
        for path, text in modules.items()
        for name in sorted(undeclared(imported_packages(text), asked_for_by(path.relative_to(PACKAGE).parts[0])))
    ]
    assert not faults, "\n".join(faults)


def test_sees_an_import_that_nobody_asked_for() -> None:
    imported = imported_packages("import json\nimport pytest\nfrom sqlalchemy.ext import asyncio\nimport everyline.cli")
    assert imported == {"pytest", "sqlalchemy"}
    assert undeclared(imported, ["sqlalchemy[asyncio]>=2"]) == {"pytest"}
    assert undeclared({"nowhere_to_be_found"}, []) == {"nowhere_to_be_found"}
    assert undeclared({"sippy"}, asked_for_by("sip")) == set()
    assert undeclared({"sippy"}, asked_for_by("desk")) == {"sippy"}
