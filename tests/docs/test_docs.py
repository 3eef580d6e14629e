"""The pages under docs/ say what the code says: settings, commands, links, examples of the API are held against it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from pydantic_settings import BaseSettings
from sqlalchemy import select

import everyline
from everyline import channels, cli
from everyline.cases.models import Case
from everyline.channel_registry import all_channels
from everyline.ground.installation import Ground
from everyline.ground.settings import PREFIX, Settings
from everyline.people.rules import PERMISSIONS
from tests.mail import MailLine, mail
from tests.structure.tree import ROOT, own_texts, short

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| `(EVERYLINE_\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def pages() -> dict[Path, str]:
    """All pages of the repository, those in channel folders too."""
    return own_texts(".md")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language."""
    return [found[2] for found in BLOCK.findall(text) if found[1] == language]


# --- settings --------------------------------------------------------------------------------------------------------


def all_settings() -> Iterator[tuple[str, type[BaseSettings]]]:
    """The classes of settings with their prefixes: the product's, and those of the channels that have some."""
    yield PREFIX, Settings
    for module in pkgutil.iter_modules(channels.__path__):
        folder = Path(channels.__path__[0]) / module.name
        if (folder / "settings.py").exists():
            stated = importlib.import_module(f"{channels.__name__}.{module.name}.settings")
            if hasattr(stated, "InstallSettings"):
                yield stated.InstallSettings.model_config["env_prefix"], stated.InstallSettings


def settings_rows(prefix: str, stated: type[BaseSettings]) -> set[tuple[str, str, str]]:
    """Name, default and meaning of each setting as the page must give them."""
    return {
        (prefix + name.upper(), "empty" if field.default == "" else f"`{field.default}`", field.description or "")
        for name, field in stated.model_fields.items()
    }


@pytest.mark.req("P1")
def test_every_setting_stands_in_the_page_with_its_default_and_no_other() -> None:
    stated = set().union(*(settings_rows(*found) for found in all_settings()))
    assert set(ROW.findall(page("admin/settings.md"))) == stated


def test_every_setting_of_a_line_stands_in_its_channels_page() -> None:
    for name, channel in all_channels().items():
        text = (Path(channels.__path__[0]) / name / "README.md").read_text("utf-8")
        assert {field for field in channel.settings.model_fields if f"`{field}`" not in text} == set(), name


def test_pages_name_only_settings_that_there_are() -> None:
    known = {prefix + name.upper() for prefix, stated in all_settings() for name in stated.model_fields}
    text_of = {short(path): text for path, text in pages().items()}
    named = {(path, name) for path, text in text_of.items() for name in re.findall(r"EVERYLINE_[A-Z_]*[A-Z]\b", text)}
    assert {(path, name) for path, name in named if name not in known} == set()


# --- commands --------------------------------------------------------------------------------------------------------


def commands(command: Any = None, path: tuple[str, ...] = ("everyline",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its whole name."""
    command = command or typer.main.get_command(cli.app)
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
        return
    for name, below in inner.items():
        yield from commands(below, (*path, name))


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their second headings."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.req("P1")
def test_every_command_stands_in_the_page_with_its_help() -> None:
    found = sections(page("admin/commands.md"))
    assert sorted(found) == sorted(name for name, _command in commands())
    for name, command in commands():
        assert " ".join(command.help.split()) in " ".join(found[name].split()), name
        rows = {(cells[0], cells[1]) for cells in re.findall(r"^\| `(\S+)` \| (.+) \|$", found[name], re.MULTILINE)}
        expected = {
            (parameter.name.upper() if parameter.param_type_name == "argument" else parameter.opts[-1], parameter.help)
            for parameter in command.params
        }
        assert {row for row in expected if row[1]} <= rows, name
        assert {row[0] for row in expected} == {row[0] for row in rows}, name


def everyline_lines(text: str) -> Iterator[list[str]]:
    """The arguments of every call of the program in a page's shell blocks, and in its lines of a unit file."""
    for language in ("sh", "ini"):
        for block in blocks(text, language):
            for line in block.replace("\\\n", " ").split("\n"):
                called = re.match(r"\s*(?:ExecStart=)?(?:\S*/)?everyline\s+(.+)", line)
                if called:
                    yield shlex.split(called[1].split(" < ")[0], comments=True)


def parse(arguments: list[str]) -> None:
    """Read arguments as the program does, and run nothing. Raises what the program would say."""
    command: Any = typer.main.get_command(cli.app)
    name = "everyline"
    context = command.make_context(name, list(arguments), resilient_parsing=False)
    while getattr(command, "commands", None):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context, resilient_parsing=False)


@pytest.mark.req("P1")
def test_every_call_of_the_program_in_the_pages_is_understood() -> None:
    calls = [(short(path), call) for path, text in pages().items() for call in everyline_lines(text)]
    assert len(calls) > 8
    for path, call in calls:
        if call[0] == "restore":  # its file must be there
            call = [*call[:1], __file__, *call[2:]]
        try:
            parse(call)
        except Exception as error:
            raise AssertionError(f"{path}: everyline {shlex.join(call)}: {error}") from error


def test_sees_a_call_that_is_not_understood() -> None:
    for wrong in (["serve", "--nonsense"], ["line", "add", "email"], ["dance"]):
        with pytest.raises(Exception, match=r"(?i)no such|missing"):
            parse(wrong)


# --- links and versions ----------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def broken_links(path: Path, text: str) -> list[str]:
    """Links of a page to files and headings that are not there."""
    faults = []
    for link in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        target, _hash, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (path.parent / target).resolve() if target else path
        if not there.exists() or (anchor and anchor not in anchors(there.read_text("utf-8"))):
            faults.append(f"{path.name}: {link}")
    return faults


def test_links_between_pages_lead_somewhere() -> None:
    assert [fault for path, text in pages().items() for fault in broken_links(path, text)] == []


def test_sees_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A head\n")
    text = "[a](there.md#a-head) [b](gone.md) [c](there.md#none) `[d](code.md)`"
    assert broken_links(tmp_path / "one.md", text) == ["one.md: gone.md", "one.md: there.md#none"]


def test_every_page_is_linked_from_the_list_of_pages() -> None:
    listed = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(page("README.md"))}
    listed |= {(ROOT / "docs/decisions" / link).resolve() for link in LINK.findall(page("decisions/README.md"))}
    ours = {path for path in pages() if path.is_relative_to(ROOT / "docs") and path != ROOT / "docs/README.md"}
    assert ours - listed == set()


def test_the_changelog_knows_this_version() -> None:
    assert f"\n## {everyline.__version__}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_scope_stands_in_the_page_with_its_roles() -> None:
    stated = {(name, ", ".join(sorted(roles))) for name, roles in PERMISSIONS.items()}
    assert set(re.findall(r"^\| `([\w.]+)` \| ([a-z, ]+) \|$", page("developers/api.md"), re.MULTILINE)) == stated


def test_targets_of_make_in_the_pages_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for text in pages().values()
        for block in blocks(text, "sh")
        for name in re.findall(r"^\s*make ([a-z-]+)", block, re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= targets


# --- the API ---------------------------------------------------------------------------------------------------------


def compare(expected: Any, found: Any, known: dict[str, Any], where: str = "") -> None:
    """``expected`` is a part of ``found``. "…" stands for anything; "$name" for what it is, and is remembered."""
    if expected == "…":
        return
    if isinstance(expected, str) and re.fullmatch(r"\$\w+", expected):
        assert known.setdefault(expected[1:], found) == found, where
    elif isinstance(expected, dict):
        assert isinstance(found, dict), where
        for name, value in expected.items():
            assert name in found, f"{where}.{name}"
            compare(value, found[name], known, f"{where}.{name}")
    elif isinstance(expected, list):
        assert isinstance(found, list), where
        assert len(found) >= len(expected), where
        for number, value in enumerate(expected):
            compare(value, found[number], known, f"{where}[{number}]")
    else:
        assert found == expected, where


def filled(text: str, known: dict[str, Any]) -> str:
    return re.sub(r"\$([a-z_]+)", lambda match: str(known[match[1]]), text)


async def run_example(client: httpx.AsyncClient, block: str, known: dict[str, Any]) -> None:
    """Send the request of a block, and hold the answer against what follows its status."""
    asked, code, expected = re.split(r"^(\d{3})$", block, maxsplit=1, flags=re.MULTILINE)
    head, _blank, body = filled(asked, known).partition("\n\n")
    first, *fields = head.strip().split("\n")
    method, path = first.split(" ")
    headers = dict(field.split(": ", 1) for field in fields)
    if body.lstrip().startswith("{"):
        headers["Content-Type"] = "application/json"
    answer = await client.request(method, path, headers=headers, content=body.strip().encode() or None)
    assert answer.status_code == int(code), f"{first}: {answer.text}"
    if expected.strip():
        compare(json.loads(expected), answer.json(), known, first)


@pytest.mark.req("P4")
async def test_the_examples_of_the_api_do_what_they_say(
    ground: Ground, client: httpx.AsyncClient, sign_in: Any
) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(name="Dana Whitfield", queues=(line.queue_id,), available=True)
    admin = await sign_in("admin", all_queues=True)
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        case_id = await tx.value(select(Case.id))
    known: dict[str, Any] = {
        "agent": agent.token,
        "admin": admin.token,
        "me": agent.id,
        "line": line.id,
        "case": case_id,
    }
    examples = blocks(page("developers/api.md"), "http")
    assert len(examples) > 10
    for block in examples:
        await run_example(client, block, known)


async def test_sees_an_example_that_is_wrong(client: httpx.AsyncClient, sign_in: Any) -> None:
    known: dict[str, Any] = {"agent": (await sign_in()).token}
    ask = "GET /api/v1/me\nAuthorization: Bearer $agent\n\n"
    await run_example(client, ask + '200\n{"role": "agent"}\n', known)
    for wrong in ("403\n", '200\n{"role": "admin"}\n', '200\n{"colour": "…"}\n'):
        with pytest.raises(AssertionError):
            await run_example(client, ask + wrong, known)
