"""Which voice speaks a language, and where its program is. Nothing is loaded here."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

USUAL = {"en": "en-us", "es": "es-419", "fr": "fr-fr", "pt": "pt-br", "zh": "cmn", "no": "nb"}
_DEBIAN = tuple(Path("/usr/lib").glob("*/espeak-ng-data"))


@dataclass(frozen=True, slots=True)
class Espeak:
    """eSpeak NG: a library that the package ``espeakng-loader`` carries, or else the machine's own program. ``data``: the folder
    with its voices."""

    library: Path | None
    program: Path | None
    data: Path

    @classmethod
    def find(cls) -> Espeak | None:
        """Where it is, None when it is not there."""
        found = importlib.util.find_spec("espeakng_loader")
        if found is not None and found.origin:
            folder = Path(found.origin).parent
            library = folder / "libespeak-ng.so"
            if library.exists():
                return cls(library, None, folder / "espeak-ng-data")
        return cls.installed()

    @classmethod
    def installed(cls) -> Espeak | None:
        """The machine's own program."""
        program = shutil.which("espeak-ng")
        data = next((one for one in (*_DEBIAN, Path("/usr/share/espeak-ng-data")) if one.is_dir()), None)
        return cls(None, Path(program), data) if program and data else None

    def voices(self) -> frozenset[str]:
        """The names of its voices, such as en-us, de, es-419."""
        return _voices(self.data)


@cache
def _voices(data: Path) -> frozenset[str]:
    return frozenset(_names(data / "lang"))


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            yield from (one.lower() for one in re.findall(r"^language\s+(\S+)", text, re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Piper:
    """Piper, which speaks better and slower: a program of its own, and a folder of voices, each a file ``en_US-….onnx`` with its
    ``.onnx.json`` beside it."""

    program: Path
    folder: Path

    def voices(self) -> dict[str, Path]:
        """Its voices by name, such as en_US-joe-medium."""
        found = sorted(self.folder.glob("*.onnx"))
        return {path.stem: path for path in found if path.with_name(f"{path.name}.json").exists()}

    def voice_of(self, language: str) -> str:
        """The first voice of a language, or an empty name."""
        wanted = language.lower().replace("-", "_")
        names = list(self.voices())
        exact = (name for name in names if name.lower().split("-")[0] == wanted)
        return next(exact, next((name for name in names if name.lower().split("_")[0] == wanted.split("_")[0]), ""))


def usual_voice(language: str, voices: frozenset[str]) -> str:
    """The voice of eSpeak NG that a language is spoken by; empty: there is none."""
    wanted = language.lower().replace("_", "-")
    short = wanted.split("-")[0]
    for one in (USUAL.get(wanted, ""), wanted, USUAL.get(short, ""), short):
        if one in voices:
            return one
    return ""
