"""Words as sound: spoken by the real voices, once for all who ask, and again when what was kept is broken."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from everyline.media.resampling import at_rate
from everyline.media.sounds import Sound
from everyline.selfservice.putting import said
from everyline.selfservice.slots import Kind, Value
from everyline.speech import shaping, shelf
from everyline.speech.asking import Mouth
from everyline.speech.errors import CannotSpeak
from everyline.speech.espeak import Library
from everyline.speech.shelf import Shelf
from everyline.speech.speaker import Speaker, silence, tone
from everyline.speech.voices import Espeak, Piper
from tests.media.tones import level
from tests.media.tones import tone as pure

pytestmark = pytest.mark.req("V3")


def built_in() -> Espeak:
    found = Espeak.find()
    assert found is not None, "the extra phone brings it"
    assert found.library is not None
    return found


@pytest.fixture
async def speaker(tmp_path: Path) -> AsyncIterator[Speaker]:
    made = Speaker(tmp_path, espeak=built_in())
    yield made
    await made.end()


def only_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.wav")
    return found


@contextlib.contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The words of every run of a voice."""
    runs: list[str] = []
    say = Mouth.say

    async def counting(self: Mouth, request: Mapping[str, str]) -> bytes:
        runs.append(request["words"])
        return await say(self, request)

    with monkeypatch.context() as patch:
        patch.setattr(Mouth, "say", counting)
        yield runs


async def test_words_are_heard_in_the_languages_of_the_product(speaker: Speaker) -> None:
    words = {
        "en": "For my bill, press 1.",
        "es": "Para mi factura, pulse 1.",
        "de": "Für meine Rechnung drücken Sie die 1.",
        "fr": "Pour ma facture, appuyez sur 1.",
        "vi": "Để xem hóa đơn, bấm phím 1.",
    }
    assert set(words) | {"zh", "ar", "ru"} <= speaker.languages()
    for language, text in words.items():
        sound = await speaker.sound(text, language)
        assert 1 < sound.seconds < 6, language
        assert shaping.active_level(sound.samples) == pytest.approx(shaping.LEVEL, rel=0.15)
        assert np.abs(sound.samples.astype(int)).max() < 32768 * 0.75, "nothing is overloaded"
    assert speaker.voices("en") == ("en-us",)
    assert (await speaker.sound("hello", "en")).samples.tolist() != (
        await speaker.sound("hello", "en", voice="en-gb")
    ).samples.tolist()


async def test_the_same_words_are_one_sound_made_in_one_run(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as runs:
        several = await asyncio.gather(*(speaker.sound("Please hold the  line.", "en") for _n in range(20)))
        assert runs == ["Please hold the line."]
        assert all(one is several[0] for one in several)
        assert await speaker.sound("Please hold\nthe line.", "en") is several[0], "blanks are not heard"
        assert await speaker.sound("Please hold the line.", "en-gb") is not several[0]
        assert len(runs) == 2


async def test_what_was_spoken_once_is_kept_over_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Speaker(tmp_path, espeak=built_in()), Speaker(tmp_path, espeak=built_in())
    one = await first.sound("Good morning.", "en")
    with counted(monkeypatch) as runs:
        again = await second.sound("Good morning.", "en")
        assert runs == []
    assert again.samples.tolist() == one.samples.tolist()
    kept = only_file(tmp_path)
    assert Sound.load(kept).samples.tolist() == one.samples.tolist(), "any player reads it"
    await first.end()
    await second.end()


@pytest.mark.parametrize("broken", [b"", b"RIFF", b"nothing of the kind" * 99, "cut", "flipped"])
async def test_a_broken_file_is_made_anew(tmp_path: Path, broken: bytes | str) -> None:
    first, second = Speaker(tmp_path, espeak=built_in()), Speaker(tmp_path, espeak=built_in())
    one = await first.sound("Good morning.", "en")
    kept = only_file(tmp_path)
    whole = kept.read_bytes()
    if broken == "flipped":
        middle = len(whole) // 2
        kept.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    else:
        kept.write_bytes(broken if isinstance(broken, bytes) else whole[:-200])
    assert (await second.sound("Good morning.", "en")).samples.tolist() == one.samples.tolist()
    assert kept.read_bytes() == whole
    await first.end()
    await second.end()


async def test_where_nothing_can_be_kept_it_is_spoken_all_the_same(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder")
    speaker = Speaker(taken, espeak=built_in())
    assert (await speaker.sound("Good morning.", "en")).seconds > 0.3
    await speaker.end()


async def test_memory_is_bounded_and_what_is_still_played_stays_one_object(tmp_path: Path) -> None:
    speaker = Speaker(tmp_path, espeak=built_in(), most_bytes=60_000)
    held = await speaker.sound("number zero", "en")
    for n in range(1, 12):
        await speaker.sound(f"number {n}", "en")
    assert speaker._bytes <= 60_000
    assert speaker._bytes == sum(one.samples.nbytes for one in speaker._sounds.values())
    assert await speaker.sound("number zero", "en") is held
    await speaker.end()


async def test_a_voice_that_dies_is_started_anew(tmp_path: Path) -> None:
    speaker = Speaker(tmp_path, espeak=built_in())
    await speaker.sound("one", "en")
    process = speaker._mouth._process
    assert process is not None
    process.kill()
    await process.wait()
    assert (await speaker.sound("two", "en")).seconds > 0.2
    process = speaker._mouth._process
    assert process is not None
    os.kill(process.pid, 19)  # it hangs
    asked = asyncio.create_task(speaker.sound("three", "en"))
    await asyncio.sleep(0)
    process.kill()
    with pytest.raises(CannotSpeak, match="ended"):
        await asked
    assert (await speaker.sound("three", "en")).seconds > 0.2
    await speaker.end()
    assert speaker._mouth._process is None


async def test_a_voice_that_hangs_is_given_up(tmp_path: Path) -> None:
    hanging = program(tmp_path / "espeak-ng", "import sys, time; sys.stdin.read(); time.sleep(600)")
    mouth = Mouth(seconds=0.5)
    with pytest.raises(CannotSpeak, match="longer"):
        await mouth.say({"words": "hello", "voice": "en", "program": str(hanging)})
    assert mouth._process is None


async def test_who_goes_away_takes_nothing_from_the_others(speaker: Speaker) -> None:
    first = asyncio.create_task(speaker.sound("A longer sentence, so that it takes a while.", "en"))
    second = asyncio.create_task(speaker.sound("A longer sentence, so that it takes a while.", "en"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).seconds > 1


@pytest.mark.parametrize(
    "words",
    [
        "[[h@loU]] there",
        "<speak>hi</speak> & so on",
        "-h --help",
        "null\0byte",
        "🙂 ok",
        "x" * 3000,
        "\ud800 lone",
        "a\nb\r\n{}",
    ],
)
async def test_any_words_are_words(speaker: Speaker, words: str) -> None:
    assert (await speaker.sound(words, "en")).seconds > 0.05


async def test_nothing_is_silence_and_what_cannot_be_said_is_refused(speaker: Speaker) -> None:
    assert await speaker.sound(" \n", "en") is silence()
    for words, language, voice in [("hi", "tlh-none", ""), ("hi", "en", "no-such"), ("x" * 20_001, "en", "")]:
        with pytest.raises(CannotSpeak):
            await speaker.sound(words, language, voice=voice)
    assert level(tone().samples, 440) > 1000
    with pytest.raises(CannotSpeak):
        await Speaker(Path("nowhere")).sound("hi", "en")


async def test_debians_program_says_the_same(tmp_path: Path) -> None:
    installed = Espeak.installed()
    assert installed is not None, "the suite's packages bring it"
    speaker = Speaker(tmp_path, espeak=installed)
    assert {"en", "es", "de", "fr", "vi"} <= speaker.languages()
    sound = await speaker.sound("[[h@loU]] Größe, ¿cuánto?", "de")
    assert 1 < sound.seconds < 6
    assert shaping.active_level(sound.samples) == pytest.approx(shaping.LEVEL, rel=0.15)
    await speaker.end()


NUMBERS = {
    "en": "four one two",
    "es": "cuatro uno dos",
    "de": "vier eins zwei",
    "fr": "quatre un deux",
    "vi": "bốn một hai",
}


@pytest.mark.parametrize("language", NUMBERS)
def test_digits_are_said_one_by_one(language: str) -> None:
    """By the phonemes that the voice makes of what is read back."""
    voice = built_in()
    assert voice.library is not None
    library = Library(voice.library, voice.data)

    def phonemes(words: str) -> list[str]:
        assert library._library.espeak_SetVoiceByName(language.encode()) == 0
        found = library._library.espeak_TextToPhonemes
        found.restype, found.argtypes = ctypes.c_char_p, [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
        text = ctypes.create_string_buffer(words.encode())
        at = ctypes.c_void_p(ctypes.addressof(text))
        parts = []
        while at.value:
            parts += found(ctypes.byref(at), 1, 0).decode().split()
        return [re.sub(r"[^a-z0-9@]", "", one.lower().replace("j", "i")) for one in parts]  # without stress and glides

    read = said(Value(Kind.ACCOUNT, "412412"))
    assert read == "4 1 2, 4 1 2"
    assert len(phonemes(read)) == 6
    assert phonemes(read) == phonemes(f"{NUMBERS[language]}, {NUMBERS[language]}")
    assert phonemes("412412") != phonemes(read), "as one number it would be another thing"


def test_a_telephones_band_without_images_and_at_its_level() -> None:
    for hertz, heard in ((1000, True), (3200, True), (4700, False), (7000, False)):
        wide = pure(hertz, 1, rate=22_050)
        assert (level(shaping.shaped(wide, 22_050)[800:-800], hertz) > 500) is (heard and hertz < 4000)
        if not heard:
            narrow = at_rate(wide, 22_050, 8000)
            assert np.abs(narrow[800:-800].astype(int)).max() < np.abs(wide.astype(int)).max() * 0.01, hertz
    soft = (pure(500, 1) // 40).astype(np.int16)
    gap = np.zeros(8000, np.int16)
    made = shaping.shaped(np.concatenate([gap, soft, gap, soft, gap, gap]), 8000)
    assert len(made) == pytest.approx(3 * 8000, abs=1500)
    assert shaping.active_level(made) == pytest.approx(shaping.LEVEL, rel=0.05), "pauses do not make speech louder"
    assert len(shaping.shaped(gap, 8000)) <= 800
    assert shaping.shaped(gap[:0], 8000).tolist() == []


def program(path: Path, source: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{source}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


PIPER = """
import struct, sys
assert sys.argv[1] == "--model" and sys.argv[3:] == ["--output_file", "-"], sys.argv
words = sys.stdin.readline()
if "wrong" in words: sys.exit("no such phoneme")
gate = sys.argv[2] + ".gate"
open(gate).read()  # a pipe: waits until it is let go
body = struct.pack("<2000h", *(([8000] * 10 + [-8000] * 10) * 100)) * 11
sys.stdout.buffer.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 22050, 44100, 2, 16, b"data", 0) + body)
"""


async def test_piper_speaks_when_it_is_in_time_and_is_kept_for_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    folder.mkdir()
    for name in ("en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json", "de_DE-half.onnx"):
        (folder / name).touch()
    gate = folder / "en_US-joe-medium.onnx.gate"
    os.mkfifo(gate)
    piper = Piper(program(tmp_path / "piper", PIPER), folder)
    assert list(piper.voices()) == ["en_US-joe-medium"], "a voice without its description is none"
    speaker = Speaker(tmp_path / "cache", espeak=built_in(), piper=piper, patience=0.05)
    assert speaker.voices("en") == ("piper:en_US-joe-medium", "en-us")
    assert speaker.voices("de") == ("de",)
    meanwhile = await speaker.sound("Welcome.", "en")
    assert meanwhile is await speaker.sound("Welcome.", "en", voice="en-us"), "nobody waits for it"
    making = next(iter(speaker._making.values()))
    await asyncio.to_thread(gate.write_text, "go")
    better = await making
    assert better.seconds == pytest.approx(1.0, abs=0.1)
    assert await speaker.sound("Welcome.", "en") is better
    assert (await speaker.sound("wrong", "en")).seconds > 0.2, "what it cannot say the other does"
    alone = Speaker(tmp_path / "cache", piper=piper)
    with pytest.raises(CannotSpeak, match="no such phoneme"):
        await alone.sound("wrong", "en")
    assert alone.languages() == {"en"}
    await alone.end()
    await speaker.end()


def test_old_sounds_are_swept(tmp_path: Path) -> None:
    kept = Shelf(tmp_path, most_bytes=3500)
    names = [shelf.key("en", str(n)) for n in range(5)]
    for n, name in enumerate(names):
        kept.keep(name, np.ones(500, np.int16))
        os.utime(kept._path(name), (time.time() - 100 * n,) * 2)
    os.utime(kept._path(names[0]), (time.time() - shelf.KEPT_SECONDS - 9,) * 2)
    (tmp_path / names[1][:2] / "left.new").write_bytes(b"")
    assert kept.sweep() == 2, "what nobody asked for in months, and the oldest beyond the room there is"
    assert [kept.find(name) is not None for name in names] == [False, True, True, True, False]
    os.utime(kept._path(names[1]), (time.time() - 2 * 86_400,) * 2)
    kept.find(names[1])
    assert time.time() - kept._path(names[1]).stat().st_mtime < 3600, "what is asked for is young again"
    assert shelf.key("a", "bc") != shelf.key("ab", "c")
