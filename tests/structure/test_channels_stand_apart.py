"""A channel is one folder: nothing outside ``channels/`` names one, and every folder there has the same shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.structure.tree import PACKAGE, ROOT, core_texts, own_files, own_texts, parsed, short, table_rows, tokens

CHANNELS = PACKAGE / "channels"

# These words also mean something that is no channel (an agent's email, the HTTP method post, a phone number), so they
# are refused only where the code speaks of channels; the others are refused wherever they stand as a value.
COMMON_WORDS = {"phone", "video", "social", "email", "fax", "post"}
MAY_NAME_CHANNELS = frozenset({"sample"})

HEADINGS = ("Wire", "Limits", "Test bench")
# What a channel may not use: it is handed what it needs through the contract, and has no state of its own.
CLOSED_TO_CHANNELS = {"bus", "database", "events", "jobs", "migrations", "postgres", "sql", "supervisor"}
CLOSED_LIBRARIES = {"alembic", "procrastinate", "psycopg", "psycopg_pool", "sqlalchemy"}


def channel_folders(files: Iterable[Path]) -> list[Path]:
    """The folder of every channel that has a file."""
    inside = [path.relative_to(CHANNELS).parts for path in files if path.is_relative_to(CHANNELS)]
    return sorted({CHANNELS / parts[0] for parts in inside if len(parts) > 1})


def channel_names(glossary: str, folders: list[Path]) -> set[str]:
    """The channels that the glossary lists and those that have a folder."""
    meaning = next(cells[1] for cells in table_rows(glossary) if cells[0] == "**channel**")
    return {*re.split(r",\s*", meaning.split(":")[1].strip()), *(folder.name for folder in folders)}


NAMES = channel_names((ROOT / "docs/glossary.md").read_text("utf-8"), channel_folders(own_files()))


def speaks_of_channels(*expressions: ast.AST | str | None) -> bool:
    """Whether an expression holds an identifier with the word channel in it."""
    for expression in expressions:
        text = ast.unparse(expression) if isinstance(expression, ast.AST) else expression or ""
        if "channel" in [word for name in re.findall(r"[A-Za-z_]\w*", text) for word in tokens(name)]:
            return True
    return False


def _values(node: ast.AST | None) -> Iterator[ast.Constant]:
    """The texts of an expression that stand for a value: itself, or what a display, pattern or default holds."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from _values(element)
    elif isinstance(node, ast.Dict):
        for side in (*node.keys, *node.values):
            yield from _values(side)
    elif isinstance(node, ast.BoolOp | ast.IfExp | ast.MatchValue | ast.MatchOr | ast.Call | ast.Starred):
        for child in ast.iter_child_nodes(node):
            yield from _values(child)


def _about_channels(tree: ast.Module) -> Iterator[ast.Constant]:
    """The texts of a module that stand where it speaks of channels."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others) if speaks_of_channels(left, *others):
                for side in (left, *others):
                    yield from _values(side)
            case ast.Assign(targets=targets, value=value) if speaks_of_channels(*targets):
                yield from _values(value)
            case ast.AnnAssign(target=target, value=value) if speaks_of_channels(target):
                yield from _values(value)
            case ast.keyword(arg=name, value=value) if speaks_of_channels(name):
                yield from _values(value)
            case ast.Subscript(value=owner, slice=key) if speaks_of_channels(owner):
                yield from _values(key)
            case ast.Call(func=called, args=arguments) if speaks_of_channels(called):
                for argument in arguments:
                    yield from _values(argument)
            case ast.Match(subject=subject, cases=cases) if speaks_of_channels(subject):
                for case in cases:
                    yield from _values(case.pattern)
            case ast.arguments(args=parameters, defaults=defaults):
                for parameter, default in zip(parameters[-len(defaults) :] if defaults else (), defaults, strict=True):
                    if speaks_of_channels(parameter.arg):
                        yield from _values(default)


def named_in_python(source: str) -> set[tuple[int, str]]:
    """Line and name of every channel that a module names as a value."""
    tree = parsed(source)
    everywhere = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    found = {(node.lineno, node.value) for node in everywhere if node.value in NAMES - COMMON_WORDS}
    found |= {(node.lineno, node.value) for node in _about_channels(tree) if node.value in NAMES}
    return {(line, str(name)) for line, name in found}


def named_in_text(source: str) -> set[tuple[int, str]]:
    """The same for SQL, templates, scripts and style sheets, where a line is as much as is looked at."""
    rare, every = "|".join(sorted(NAMES - COMMON_WORDS)), "|".join(sorted(NAMES))
    compared = r"(?:={1,3}|!={1,2}|<>|:|\bin\b)"
    patterns = (
        rf"""["'`]({rare})["'`]""",
        rf"""channel[\w.]*["'\]]*\s*{compared}\s*[\[({{]?[^\])}}]*?["'`]({every})["'`]""",
        rf"""["'`]({every})["'`]\s*{compared}\s*[\w.]*channel""",
        rf"\bchannel[-_]({every})\b",
    )
    found: set[tuple[int, str]] = set()
    for number, line in enumerate(source.split("\n"), 1):
        for pattern in patterns:
            found |= {(number, match.group(1)) for match in re.finditer(pattern, line, re.IGNORECASE)}
    return found


def test_nothing_outside_the_channels_names_one() -> None:
    faults = [
        f"{short(path)}:{line}: names the channel {name}; what differs is a fact the channel declares"
        for path, text in core_texts(".py", ".sql", ".html", ".txt", ".ts", ".css", also=MAY_NAME_CHANNELS).items()
        for line, name in sorted(named_in_python(text) if path.suffix == ".py" else named_in_text(text))
    ]
    assert not faults, "\n".join(faults)


def test_no_file_outside_the_channels_is_called_by_one() -> None:
    paths = core_texts(".py", ".sql", ".html", ".txt", ".ts", ".css", also=MAY_NAME_CHANNELS)
    assert not [short(path) for path in paths if path.stem in NAMES]


@pytest.mark.parametrize(
    "source",
    [
        'if kind == "sms": pass',
        'if "webform" in kinds: pass',
        'LIVE = {"tty", "phone"}',
        'if line.channel == "email": pass',
        'if case.channel_name in ("email", "fax"): pass',
        'match line.channel:\n    case "post" | "fax": pass',
        'channel = "email"',
        'channel: str = "phone"',
        'send(channel="email")',
        'channels["email"]',
        'registry.channel_for("email")',
        'def answer(channel="email"): pass',
        'CHANNEL_ICONS = {"email": "envelope"}',
    ],
)
def test_sees_a_channel_named_in_a_module(source: str) -> None:
    assert named_in_python(source)


@pytest.mark.parametrize(
    "source",
    [
        'form["email"]',
        'agent = Agent(email="email")',
        'if kind == "email": pass',
        'router.route(methods=["post"])',
        '@app.post("/cases")\ndef open_case(): pass',
        '"""An sms is one of many."""',
        "if line.channel == other.channel: pass",
    ],
)
def test_lets_a_module_speak_of_other_things(source: str) -> None:
    assert not named_in_python(source)


@pytest.mark.parametrize(
    "source",
    [
        "select 1 from line where channel = 'email'",
        "where channel in ('phone', 'fax')",
        "where kind = 'sms'",
        '{% if line.channel == "email" %}',
        "{% if channel.name in ['post'] %}",
        'if (line.channel === "email") {',
        ".channel-email { color: red }",
    ],
)
def test_sees_a_channel_named_in_text(source: str) -> None:
    assert named_in_text(source)


@pytest.mark.parametrize(
    "source",
    [
        '<input type="email" name="email">',
        '<form method="post">',
        "where contact_point.kind = 'email'",
        "{{ channel.label }}",
        'fetch(address, { method: "post" })',
    ],
)
def test_lets_text_speak_of_other_things(source: str) -> None:
    assert not named_in_text(source)


def shape_faults(folder: Path) -> list[str]:
    """What a channel's folder lacks."""
    faults = [
        f"{name} is missing" for name in ("__init__.py", "settings.py", "README.md") if not (folder / name).is_file()
    ]
    if (folder / "__init__.py").is_file():
        body = parsed((folder / "__init__.py").read_text("utf-8")).body
        targets = [ast.unparse(node.target) for node in body if isinstance(node, ast.AnnAssign)]
        faults += [] if "channel" in targets else ["__init__.py declares no `channel: Channel = …`"]
    if (folder / "README.md").is_file():
        heads = set(re.findall(r"^#+ (.+?)\s*$", (folder / "README.md").read_text("utf-8"), re.MULTILINE))
        faults += [f"README.md has no heading {heading}" for heading in HEADINGS if heading not in heads]
    samples = [p for p in (folder / "samples").glob("*") if p.is_file()]
    faults += [] if samples else ["samples/ holds no captured payload"]
    faults += [f"samples/{p.name} is not called event__variant" for p in samples if "__" not in p.stem]
    faults += [] if list((folder / "tests").glob("test_*.py")) else ["tests/ holds no test"]
    return faults


def test_every_channel_folder_has_the_same_shape() -> None:
    folders = channel_folders(own_files())
    faults = [f"{short(folder)}: {fault}" for folder in folders for fault in shape_faults(folder)]
    assert not faults, "\n".join(faults)


def test_sees_what_a_channel_folder_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "pigeon"
    for part in ("samples", "tests"):
        (folder / part).mkdir(parents=True)
    (folder / "__init__.py").write_text("channel: Channel = Pigeon()\n")
    (folder / "settings.py").touch()
    (folder / "README.md").write_text("# Pigeon\n\n## Wire\n\n## Limits\n\n## Test bench\n")
    (folder / "samples/arrived__tired.txt").touch()
    (folder / "tests/test_pigeon.py").touch()
    assert shape_faults(folder) == []

    (folder / "__init__.py").write_text("channel = Pigeon()\n")
    (folder / "README.md").write_text("# Pigeon\n\n## Wire\n\n## Limits\n")
    (folder / "samples/arrived__tired.txt").rename(folder / "samples/tired.txt")
    (folder / "tests/test_pigeon.py").unlink()
    (folder / "settings.py").unlink()
    assert shape_faults(folder) == [
        "settings.py is missing",
        "__init__.py declares no `channel: Channel = …`",
        "README.md has no heading Test bench",
        "samples/tired.txt is not called event__variant",
        "tests/ holds no test",
    ]


def closed_imports(source: str) -> list[str]:
    """What a channel's module imports though it is closed to channels."""
    found = []
    for node in ast.walk(parsed(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            of_ground = parts[2:3] if parts[:2] == ["everyline", "ground"] else []
            if parts[0] in CLOSED_LIBRARIES or CLOSED_TO_CHANNELS.intersection(of_ground):
                found.append(name)
    return found


def test_channels_leave_the_database_alone() -> None:
    modules = {path: text for path, text in own_texts(".py").items() if path.is_relative_to(CHANNELS)}
    faults = [
        f"{short(path)}: imports {name}; a channel is handed what it needs through the contract"
        for path, text in modules.items()
        if "tests" not in path.parts
        for name in closed_imports(text)
    ]
    assert not faults, "\n".join(faults)


def test_sees_a_closed_import() -> None:
    assert closed_imports("from everyline.ground.database import connect")
    assert closed_imports("from everyline.ground import database")
    assert closed_imports("import sqlalchemy.ext.asyncio")
    assert not closed_imports("from everyline.ground import clock, http\nfrom everyline.ground.words import _")
