"""The process that speaks, from the side that asks: started when there is something to say, started anew when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping

from everyline.speech.errors import CannotSpeak

_LONGEST_ANSWER = 100_000_000  # bytes


class Mouth:
    """One process, which says one thing after the other."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds  # for one text; who takes longer hangs
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def say(self, request: Mapping[str, str]) -> bytes:
        """The sound of a request (``speech.worker``). CannotSpeak."""
        async with self._lock:
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._ask(request)
            except TimeoutError as error:
                await self._kill()
                raise CannotSpeak(f"the voice took longer than {self._seconds:.0f} s") from error
            except (OSError, asyncio.IncompleteReadError) as error:
                await self._kill()
                raise CannotSpeak("the voice ended unexpectedly") from error
            except asyncio.CancelledError:  # what it still says is nobody's answer
                await self._kill()
                raise

    async def _ask(self, request: Mapping[str, str]) -> bytes:
        process = self._process
        if process is None or process.returncode is not None:
            process = await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(dict(request)).encode() + b"\n")
        await process.stdin.drain()
        head = json.loads(await process.stdout.readuntil(b"\n"))
        if "error" in head:
            raise CannotSpeak(str(head["error"]))
        return await process.stdout.readexactly(min(int(head["bytes"]), _LONGEST_ANSWER))

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "everyline.speech.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return self._process

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
