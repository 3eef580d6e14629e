"""Words as sound: asked for as often as they are said, spoken once."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import unicodedata
import weakref
from collections import OrderedDict
from functools import cache
from pathlib import Path

import numpy as np

from everyline.ground.settings import Settings
from everyline.media.g711 import RATE, Samples
from everyline.media.sounds import Sound
from everyline.speech import shelf
from everyline.speech.asking import Mouth
from everyline.speech.errors import CannotSpeak
from everyline.speech.voices import Espeak, Piper, usual_voice

log = logging.getLogger(__name__)

MOST_BYTES = 64_000_000  # of sounds in memory: an hour
LONGEST = 20_000  # characters of one text: some 25 minutes
ESPEAK_SECONDS, PIPER_SECONDS = 30.0, 150.0
PIPER_PATIENCE = 1.5  # a caller waits no longer for the better voice: this time they hear the other
SWEPT_SECONDS = 86_400.0
_PIPER = "piper:"


class Speaker:
    """Voices of one process. ``folder``: where sounds are kept; several processes may share it. ``espeak`` and ``piper``: where
    they are, None: not there."""

    def __init__(
        self,
        folder: Path,
        *,
        espeak: Espeak | None = None,
        piper: Piper | None = None,
        most_bytes: int = MOST_BYTES,
        patience: float = PIPER_PATIENCE,
    ) -> None:
        self._shelf, self._espeak, self._piper = shelf.Shelf(folder), espeak, piper
        self._most_bytes, self._patience = most_bytes, patience
        self._mouth, self._piper_mouth = Mouth(seconds=ESPEAK_SECONDS), Mouth(seconds=PIPER_SECONDS)
        self._sounds: OrderedDict[str, Sound] = OrderedDict()
        self._bytes = 0
        self._alive: weakref.WeakValueDictionary[str, Sound] = weakref.WeakValueDictionary()
        self._making: dict[str, asyncio.Task[Sound]] = {}
        self._swept_at: float | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @classmethod
    def installed(cls, settings: Settings) -> Speaker:
        """With the voices that this installation has."""
        program = shutil.which(settings.piper) if settings.piper else None
        if settings.piper and program is None:
            log.warning("EVERYLINE_PIPER names %s, which is not there: Piper is not used", settings.piper)
        piper = Piper(Path(program), settings.piper_voices) if program else None
        return cls(settings.data / "speech", espeak=Espeak.find(), piper=piper)

    def languages(self) -> frozenset[str]:
        """The languages that have a voice (ISO 639-1 where there is such a code)."""
        names = self._espeak.voices() if self._espeak is not None else frozenset()
        found = {one.split("-")[0] for one in names}
        found |= {short for short, voice in _SHORT.items() if voice in names}
        if self._piper is not None:
            found |= {name.split("_")[0].lower() for name in self._piper.voices()}
        return frozenset(found)

    def voices(self, language: str) -> tuple[str, ...]:
        """The voices that speak a language, the usual one first. Each can be asked for by its name."""
        found = []
        if self._piper is not None:
            short = language.lower().replace("-", "_").split("_")[0]
            found = [f"{_PIPER}{name}" for name in self._piper.voices() if name.lower().split("_")[0] == short]
            usual = self._piper.voice_of(language)
            found.sort(key=lambda one: one != f"{_PIPER}{usual}")
        own = usual_voice(language, self._espeak.voices()) if self._espeak is not None else ""
        return (*found, *([own] if own else []))

    async def sound(self, words: str, language: str, *, voice: str = "") -> Sound:
        """These words, spoken. The same words are the same object as long as anybody holds it. CannotSpeak."""
        sayable = words.encode("utf-8", "replace").decode().replace("\0", " ")
        text = " ".join(unicodedata.normalize("NFC", sayable).split())
        if not text:
            return silence()
        if len(text) > LONGEST:
            raise CannotSpeak(f"a text of more than {LONGEST} characters is spoken by nobody")
        chosen = voice or next(iter(self.voices(language)), "")
        if not chosen:
            raise CannotSpeak(f"there is no voice for {language}")
        key = shelf.key(chosen, text)
        if (known := self._known(key)) is not None:
            return known
        if chosen.startswith(_PIPER):
            return await self._by_piper(text, language, chosen)
        return await self._one(text, chosen)

    def _known(self, key: str) -> Sound | None:
        known = self._sounds.get(key) or self._alive.get(key)
        if known is not None:
            self._remember(key, known)
        return known

    async def _by_piper(self, text: str, language: str, voice: str) -> Sound:
        """In time, or else once by the other voice; the better one is kept for the next who hears it."""
        task = self._task(text, voice)
        own = usual_voice(language, self._espeak.voices()) if self._espeak is not None else ""
        if not own:
            return await asyncio.shield(task)
        done, _waits = await asyncio.wait([task], timeout=self._patience)
        if done and task.exception() is None:
            return task.result()
        if done:
            log.warning("piper: %s", task.exception())
        return await self._one(text, own)

    async def _one(self, text: str, voice: str) -> Sound:
        return await asyncio.shield(self._task(text, voice))

    def _task(self, text: str, voice: str) -> asyncio.Task[Sound]:
        """Who is making it, or has it."""
        key = shelf.key(voice, text)
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, text, voice))
            self._making[key] = task
            task.add_done_callback(lambda done: self._settled(key, done))
        return task

    def _settled(self, key: str, task: asyncio.Task[Sound]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # is told to who asked; where all have gone away nobody misses it

    async def _made(self, key: str, text: str, voice: str) -> Sound:
        known = self._known(key)
        if known is None:
            samples = await asyncio.to_thread(self._shelf.find, key)
            if samples is None:
                samples = np.frombuffer(await self._spoken(text, voice), "<i2")
                await asyncio.to_thread(self._keep, key, samples)
            known = Sound.of(samples, name=text[:60])
            self._remember(key, known)
        self._sweep_sometimes()
        return known

    async def _spoken(self, text: str, voice: str) -> bytes:
        if voice.startswith(_PIPER):
            model = self._piper.voices().get(voice.removeprefix(_PIPER)) if self._piper is not None else None
            if self._piper is None or model is None:
                raise CannotSpeak(f"there is no voice {voice}")
            request = {"words": text, "piper": str(self._piper.program), "model": str(model)}
            return await self._piper_mouth.say(request)
        if self._espeak is None:
            raise CannotSpeak("eSpeak NG is not there: install the package espeakng-loader, or Debian's espeak-ng")
        if voice not in self._espeak.voices():
            raise CannotSpeak(f"there is no voice {voice}")
        request = {"words": text, "voice": voice}
        if self._espeak.library is not None:
            request |= {"library": str(self._espeak.library), "data": str(self._espeak.data)}
        else:
            request |= {"program": str(self._espeak.program)}
        return await self._mouth.say(request)

    def _keep(self, key: str, samples: Samples) -> None:
        try:
            self._shelf.keep(key, samples)
        except OSError as error:  # a full disk is no reason to be silent
            log.warning("what was spoken could not be kept: %s", error)

    def _remember(self, key: str, sound: Sound) -> None:
        self._alive[key] = sound
        if key not in self._sounds:
            self._bytes += sound.samples.nbytes
        self._sounds[key] = sound
        self._sounds.move_to_end(key)
        while self._bytes > self._most_bytes and len(self._sounds) > 1:
            _key, oldest = self._sounds.popitem(last=False)
            self._bytes -= oldest.samples.nbytes

    def _sweep_sometimes(self) -> None:
        at = time.monotonic()
        if self._swept_at is None or at - self._swept_at > SWEPT_SECONDS:
            self._swept_at = at
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        gone = await asyncio.to_thread(self._shelf.sweep)
        if gone:
            log.info("%s sounds that nobody asked for were taken away", gone)

    async def end(self) -> None:
        """Speak no more: processes end."""
        tasks = [*self._making.values(), *([self._sweeping] if self._sweeping is not None else [])]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._mouth.end()
        await self._piper_mouth.end()


_SHORT = {"zh": "cmn", "no": "nb"}


@cache
def tone() -> Sound:
    """What is heard in place of words that cannot be spoken: a short tone of 440 Hz."""
    at = np.arange(RATE * 3 // 10) / RATE
    edge = np.clip(np.minimum(at, at[::-1]) / 0.02, 0, 1)
    return Sound.of((np.sin(2 * np.pi * 440 * at) * edge * 3000).astype(np.int16), name="tone")


@cache
def silence() -> Sound:
    """What no words sound like."""
    return Sound.of(np.zeros(RATE // 10, np.int16), name="silence")
