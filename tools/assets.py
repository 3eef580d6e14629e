"""Builds what the product serves but does not keep in the tree: browser scripts and compiled translations.

``everyline/FOLDER/scripts/FOLDER.ts`` becomes ``everyline/static/build/FOLDER.js`` (one minified module each, with
everything it imports), ``everyline/locale/LANGUAGE/LC_MESSAGES/everyline.po`` becomes the ``.mo`` beside it.
``everyline/static/build/manifest.json`` maps each script's name to the first 12 digits of its SHA-256, for addresses
that may be cached for ever.

Run by ``make build`` and by the build hook of the package: one way to build, whoever asks.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from tools.node import node_command, node_environment, npm_command

ROOT = Path(__file__).resolve().parent.parent
ALONE = ("widget",)  # scripts that other sites load by a plain tag: no names of theirs may meet ours


def script_entries(root: Path) -> list[Path]:
    """The scripts that pages load: of each folder's ``scripts/`` the one with the folder's name."""
    return sorted(p for p in root.glob("everyline/*/scripts/*.ts") if p.stem == p.parent.parent.name)


def asset_sources(root: Path) -> list[Path]:
    """Every file whose change asks for a new build."""
    return sorted([*root.glob("everyline/**/*.ts"), *root.glob("everyline/locale/*/LC_MESSAGES/*.po")])


def build_scripts(root: Path) -> None:
    """Bundle every entry with esbuild into ``everyline/static/build`` and write the manifest.

    Raises CalledProcessError when a script does not build; esbuild has then said why on standard error.
    """
    target = root / "everyline/static/build"
    target.mkdir(parents=True, exist_ok=True)
    entries = script_entries(root)
    wanted = {f"{entry.stem}.js" for entry in entries}
    for old in target.iterdir():
        if old.name not in wanted:
            old.unlink()
    if entries:
        esbuild = root / "node_modules/esbuild/bin/esbuild"
        if not esbuild.exists():
            subprocess.run(
                [*npm_command(), "ci", "--omit=dev", "--silent"], cwd=root, env=node_environment(), check=True
            )
        options = ["--bundle", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=warning"]
        for form in ("esm", "iife"):
            named = [
                f"{one.stem}={one.relative_to(root)}" for one in entries if (one.stem in ALONE) == (form == "iife")
            ]
            if named:
                command = [*esbuild_command(esbuild), *named, *options, f"--format={form}", f"--outdir={target}"]
                subprocess.run(command, cwd=root, env=node_environment(), check=True)
    digests = {name: hashlib.sha256((target / name).read_bytes()).hexdigest()[:12] for name in sorted(wanted)}
    (target / "manifest.json").write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


def esbuild_command(esbuild: Path) -> list[str]:
    """How to start esbuild: its launcher is a script, unless its install step has put the program there itself."""
    return [str(esbuild)] if esbuild.read_bytes()[:4] == b"\x7fELF" else [*node_command(), str(esbuild)]


def compile_words(root: Path) -> None:
    """Compile every translation catalogue. Raises ValueError with file and line when one cannot be read."""
    catalogues = sorted(root.glob("everyline/locale/*/LC_MESSAGES/everyline.po"))
    if not catalogues:
        return
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    for source in catalogues:
        with source.open("rb") as stream:
            try:
                catalogue = read_po(stream, locale=source.parent.parent.name, abort_invalid=True)
            except PoFileError as fault:
                raise ValueError(f"{source.relative_to(root)}:{fault.lineno}: {fault}") from fault
        with source.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalogue)


def build_assets(root: Path = ROOT) -> None:
    """Build all of it."""
    build_scripts(root)
    compile_words(root)


if __name__ == "__main__":
    try:
        build_assets()
    except subprocess.CalledProcessError as fault:
        sys.exit(fault.returncode)
