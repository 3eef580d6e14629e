"""Browsers whose microphones say a tone each, and what is heard in them: who hears whom is told by the spectrum."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, Playwright

from everyline.channels.phone.tests.doubles import RealPhone
from tests.media.tones import level, tone

RATE = 48_000
LISTENED = 1.2  # seconds of what was heard last that are looked at: the tones come and go twice a second
ON_THE_WIRE = 250.0  # half the amplitude from which a telephone hears a tone
IN_A_BROWSER = -55  # dB from which a browser does

EARS = """(() => {
  const Own = RTCPeerConnection;
  window.ears = [];
  window.RTCPeerConnection = class extends Own {
    constructor(...all) {
      super(...all);
      this.addEventListener("track", ({ track }) => {
        const audio = new AudioContext();
        const ear = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
        audio.createMediaStreamSource(new MediaStream([track])).connect(ear);
        window.ears = [ear];  // the newest way: a page has one phone
      });
    }
  };
})()"""
LOUDEST = """async ([hertz, seconds, enough]) => {
  let most = -200;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until && most < enough) {
    for (const ear of window.ears) {
      const heard = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(heard);
      const bin = Math.round(hertz * ear.fftSize / ear.context.sampleRate);
      most = Math.max(most, ...heard.slice(bin - 2, bin + 3));
    }
    await new Promise((done) => setTimeout(done, 40));
  }
  return most;
}"""


def _voice(path: Path, hertz: float) -> Path:
    """Somebody who says a tone twice a second: one that never ended would be taken for noise by the browser, and suppressed."""
    said = np.concatenate([tone(hertz, 0.3, rate=RATE, loud=12000), np.zeros(round(0.2 * RATE), np.int16)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.tile(said, 20).astype("<i2").tobytes())
    return path


@contextmanager
def speaking(playwright: Playwright, folder: Path, *voices: float) -> Iterator[list[Browser]]:
    """A Chromium of its own for each of these tones, which is what its microphone hears."""
    found = shutil.which("chromium")
    assert found, "chromium is missing: `make test` installs it"
    with ExitStack() as browsers:
        made = []
        for hertz in voices:
            voice = _voice(folder / f"{hertz:.0f}.wav", hertz)
            browser = playwright.chromium.launch(
                executable_path=found,
                args=[
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-background-networking",
                    "--disable-sync",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={voice}",
                    "--use-fake-ui-for-media-stream",
                    "--autoplay-policy=no-user-gesture-required",
                    "--allow-loopback-in-peer-connection",
                ],
            )
            browsers.callback(browser.close)
            made.append(browser)
        yield made


def level_in(page: Page, hertz: float, enough: float = 0) -> float:
    """How loud a tone is in a browser, in dB, at its loudest within the time that is listened, which is over when it is loud enough."""
    found: float = page.evaluate(LOUDEST, [hertz, LISTENED, enough])
    return found


def hears(page: Page, hertz: float) -> bool:
    """Does somebody hear this tone in their browser?"""
    return level_in(page, hertz, IN_A_BROWSER + 1) > IN_A_BROWSER


def phone_hears(phone: RealPhone, hertz: float) -> bool:
    """Does somebody hear it on their telephone?"""
    heard = phone.newest(LISTENED)
    return len(heard) > LISTENED * 4000 and level(heard, hertz) > ON_THE_WIRE
