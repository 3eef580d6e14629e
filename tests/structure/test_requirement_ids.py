"""What a test says it proves is in the list of requirements."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.structure.tree import ROOT, own_texts, parsed, short, table_rows


def required_ids(document: str) -> set[str]:
    """The ids of the capability tables."""
    return {cells[0] for cells in table_rows(document) if len(cells) == 2}


def claimed_ids(source: str) -> Iterator[tuple[int, str]]:
    """Line and id of every requirement that a test module claims by ``@pytest.mark.req(…)``."""
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.req"):
            for argument in node.args:
                value = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
                yield node.lineno, str(value)


IDS = required_ids((ROOT / "docs/requirements.md").read_text("utf-8"))


def test_every_claimed_requirement_is_in_the_list() -> None:
    modules = {path: text for path, text in own_texts(".py").items() if "tests" in path.parts}
    faults = [
        f"{short(path)}:{line}: {claimed} is no id of docs/requirements.md"
        for path, text in modules.items()
        for line, claimed in claimed_ids(text)
        if claimed not in IDS
    ]
    assert not faults, "\n".join(faults)


def test_the_list_was_read() -> None:
    assert {"A1", "V8", "F5", "W5", "E7", "C4", "Q8", "P5"} <= IDS


def test_sees_a_claim() -> None:
    module = '@pytest.mark.req("E1", "Z9")\ndef test_it(): ...\npytestmark = pytest.mark.req(WHICH)\n'
    assert [claimed for _, claimed in claimed_ids(module)] == ["E1", "Z9", "WHICH"]
