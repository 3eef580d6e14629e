"""Made people and made machines: what is heard when a telephone is answered, spoken by eSpeak NG."""

from __future__ import annotations

import functools

import numpy as np

from everyline.media import g711, progress
from everyline.media.g711 import RATE, Samples
from everyline.media.resampling import at_rate
from everyline.speech.espeak import Library
from everyline.speech.voices import Espeak
from tests.media.tones import tone

VOICES = ("en-us", "en-gb", "en-gb-scotland", "es-419", "de", "fr-fr")
PEOPLE = {
    "en": (
        "Hello?", "Hello.", "Yes?", "Hi, Ada here.", "Hello, this is Ada Miller.", "Ada Miller speaking.", "Good morning, Miller.",
        "Miller and Sons, good morning.", "Hello, hello?", "Who is this?",
    ),
    "es": ("¿Hola?", "¿Sí?", "¿Diga?", "Hola, habla Ana.", "Buenos días, ¿quién habla?", "Familia Ramírez, buenos días."),
    "de": ("Hallo?", "Ja bitte?", "Müller.", "Hallo, hier ist Ada Müller.", "Müller, guten Morgen.", "Firma Müller, guten Tag."),
    "fr": ("Allô ?", "Oui ?", "Allô, bonjour.", "Bonjour, Ada Martin.", "Oui, qui est à l'appareil ?"),
}  # fmt: skip
MACHINES = {
    "en": (
        "Hello, you have reached Ada Miller. I cannot come to the phone right now. Please leave a message after the tone.",
        "Hi, this is Ada. Leave a message.",
        "The person you are calling is not available. At the tone, please record your message. When you have finished, you may hang up.",
        "You have reached the voicemail box of three six zero, five five five, zero one four two.",
        "Thank you for calling Miller and Sons. Our office is closed. Please call again on Monday.",
        "Hey! We are not home. You know what to do.",
    ),
    "es": (
        "Hola, este es el contestador de Ana Ramírez. Deje su mensaje después de la señal.",
        "La persona a la que llama no está disponible. Deje un mensaje después del tono.",
    ),
    "de": (
        "Guten Tag, hier ist der Anschluss von Ada Müller. Ich bin gerade nicht da. Bitte sprechen Sie nach dem Ton.",
        "Die gewünschte Person ist zurzeit nicht erreichbar. Bitte hinterlassen Sie eine Nachricht.",
    ),
    "fr": (
        "Bonjour, vous êtes bien chez Ada Martin. Laissez un message après le signal sonore.",
        "Votre correspondant n'est pas disponible. Veuillez laisser un message après le bip.",
    ),
}
BEEPS = (425.0, 440.0, 941.0, 1000.0, 1400.0)


@functools.cache
def _library() -> Library:
    found = Espeak.find()
    assert found is not None
    assert found.library is not None
    return Library(found.library, found.data)


def speak(words: str, voice: str, *, faster: float = 1.0, loud: float = 1.0) -> Samples:
    """Words as a telephone carries them; ``faster`` also raises the voice."""
    samples, rate = _library().say(words, voice)
    at_8k = at_rate(samples, round(rate * faster), RATE).astype(np.float32) * loud
    return g711.decode(g711.encode(np.clip(at_8k, -32000, 32000).astype(np.int16)))


def heard(*parts: Samples, before: float = 0.4, after: float = 4.0, noise: float = 0.0, seed: int = 1) -> Samples:
    """A call from its answer on: silence, what is said, silence; ``noise``: amplitude of what is behind it."""
    gap = np.zeros(round(before * RATE), np.int16), np.zeros(round(after * RATE), np.int16)
    whole = np.concatenate([gap[0], *parts, gap[1]]).astype(np.float32)
    whole += np.random.default_rng(seed).normal(0, noise, len(whole)) if noise else 0
    return np.clip(whole, -32000, 32000).astype(np.int16)


def beep(hertz: float, seconds: float = 0.4) -> Samples:
    """The tone of a machine."""
    return tone(hertz, seconds, loud=6000)


def ringing() -> Samples:
    """A telephone that still rings."""
    return progress.ringing().samples
