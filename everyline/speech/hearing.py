"""Speech as words, from the side that asks: a process of its own (``recogniser``), started when there is something to hear."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from everyline.ground.settings import Settings
from everyline.speech.errors import CannotHear, NothingHears

LONGEST_ANSWER = 4_000_000  # bytes
LEAST_SECONDS = 120.0  # to load a model
PATIENCE = 5.0  # times as long as the sound
ALL_LANGUAGES = 51_865  # tokens that models of all languages have, and those of English alone have fewer


@dataclass(frozen=True, slots=True)
class Understood:
    """What was said. ``sure``: 0 to 1."""

    words: str = field(repr=False)
    sure: float = 1.0


class Ear:
    """One process, which hears one thing after the other. ``model``: a folder."""

    def __init__(
        self, model: Path, *, command: tuple[str, ...] = (), nice: int | None = None, seconds: float = LEAST_SECONDS
    ) -> None:
        module = (sys.executable, "-m", "everyline.speech.recogniser", str(model))
        self._model, self._seconds = model, seconds
        self._command = command or (module if nice is None else (*module, str(nice)))
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    @classmethod
    def installed(cls, settings: Settings, *, nice: int | None = None, seconds: float = LEAST_SECONDS) -> Ear | None:
        """With the model that this installation has; None without one, or without the extra that reads it."""
        folder = settings.speech_model
        if not folder or not Path(folder).is_dir() or importlib.util.find_spec("faster_whisper") is None:
            return None
        return cls(Path(folder), nice=nice, seconds=seconds)

    def knows(self, language: str) -> bool:
        """Does it hear this language?"""
        return language.split("-")[0] == "en" or _knows_all(self._model)

    async def hear(self, sound: bytes, language: str) -> str:
        """The words of a sound (16 bits, 8 kHz); empty when nothing is said. CannotHear."""
        return (await self._heard(sound, {"language": language})).words

    async def answer(self, sound: bytes, language: str, likely: Sequence[str]) -> Understood:
        """The same of an answer of a few words, for somebody who waits. ``likely``: words that may come. CannotHear."""
        return await self._heard(sound, {"language": language, "likely": list(likely)})

    async def _heard(self, sound: bytes, asked: dict[str, Any]) -> Understood:
        async with self._lock:
            try:
                async with asyncio.timeout(self._seconds + PATIENCE * len(sound) / 16_000):
                    return await self._ask(sound, asked)
            except TimeoutError as error:
                await self._kill()
                raise NothingHears("it took too long") from error
            except (OSError, ValueError, asyncio.IncompleteReadError) as error:
                await self._kill()
                raise NothingHears("the process that hears ended unexpectedly") from error
            except asyncio.CancelledError:  # what it still hears is nobody's answer
                await self._kill()
                raise

    async def _ask(self, sound: bytes, asked: dict[str, Any]) -> Understood:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LONGEST_ANSWER,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({**asked, "bytes": len(sound)}).encode() + b"\n" + sound)
        await process.stdin.drain()
        answer = json.loads(await process.stdout.readuntil(b"\n"))
        if "error" in answer:
            raise CannotHear(str(answer["error"]))
        return Understood(str(answer["words"]), float(answer.get("sure", 1)))

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def end(self) -> None:
        """End the process, if there is one."""
        async with self._lock:
            await self._kill()


@cache
def _knows_all(model: Path) -> bool:
    """Is it a model of all languages? By how many tokens stand in its folder."""
    with contextlib.suppress(OSError, ValueError):
        if (plain := model / "vocabulary.txt").is_file():
            return plain.read_bytes().count(b"\n") >= ALL_LANGUAGES
        return len(json.loads((model / "vocabulary.json").read_bytes())) >= ALL_LANGUAGES
    return False
