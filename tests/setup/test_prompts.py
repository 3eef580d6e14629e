"""What callers hear, as an admin records it."""

from __future__ import annotations

import io
import math
import re
import struct
import wave

import av
import httpx
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from sqlalchemy import text

from everyline.calls import prompts
from everyline.calls.voices import HouseVoices
from everyline.ground.installation import Ground
from everyline.selfservice import actions, flows
from everyline.selfservice.flows import Choose, Done, Flow, Option, Queue, Say, Set, words
from everyline.setup.heard import of_flow
from everyline.speech.recorded import as_file
from everyline.speech.shaping import LEVEL, active_level

pytestmark = pytest.mark.req("V3", "P3")

HELLO = "Welcome to Harbor Water."


def water(hello: str = HELLO) -> Flow:
    return Flow(
        "water",
        title=words("Water", es="Agua"),
        start="hello",
        person="agent",
        steps=(
            Say("hello", words=words(hello, es="Bienvenido."), to="menu"),
            Choose(
                "menu",
                words=words("What do you need?", es="¿Qué necesita?"),
                again=words("Once more, please.", es="Otra vez, por favor."),
                options=(
                    Option(name="bill", words=words("My bill", es="Mi factura"), to="sum"),
                    Option(name="leak", words=words("A leak", es="Una fuga"), to="agent"),
                ),
            ),
            Set("sum", value="12", into="due", to="end"),
            Done("end", words=words("You owe {due}.", es="Debe {due}.")),
            Queue("agent", words=words("A person answers you.", es="Una persona le atiende.")),
        ),
    )


async def publish(ground: Ground, flow: Flow, *, again: bool = False) -> None:
    async with ground.database.transaction() as tx:
        if again:
            await tx.execute(text("update flow_version set form = cast(:form as jsonb)"), {"form": flows.written(flow)})
        else:
            await actions.add(tx, None, flows.written(flow))
            await actions.publish(tx, None, flow.name)


def tone(seconds: float = 1.0, rate: int = 44_100, loud: int = 500) -> bytes:
    """Somebody says “aah” into a microphone in stereo, a second after they have pressed the button."""
    sound = [round(loud * math.sin(2 * math.pi * 300 * n / rate)) for n in range(int(seconds * rate))]
    quiet = [0] * rate
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<hh", one, one) for one in (*quiet, *sound, *quiet)))
    return written.getvalue()


def encoded(container: str, codec: str) -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format=container) as box:
        stream = box.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        at = np.arange(48_000)
        samples = (3000 * np.sin(2 * np.pi * 300 * at / 48_000)).astype(np.int16).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = 48_000
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return written.getvalue()


def address(page: str, said: str) -> str:
    found = re.search(rf'href="(/setup/prompts/[a-z]+/[0-9a-f]{{64}})">{re.escape(said)}', page)
    assert found, said
    return found[1]


async def record(admin: httpx.AsyncClient, where: str, content: bytes) -> httpx.Response:
    return await admin.post(where, files={"recording": ("said.wav", content, "audio/wav")})


def test_a_flow_is_listed_as_it_is_said() -> None:
    said = {(one.language, one.words): one for one in of_flow(water(), ("en", "es"))}
    assert [words for language, words in said if language == "en"] == [
        HELLO,
        "What do you need?",
        "Once more, please.",
        "For My bill, press 1.",
        "For A leak, press 2.",
        "You owe {due}.",
        "A person answers you.",
    ]
    assert ("es", "Para Mi factura, pulse 1.") in said or ("es", "Pulse 1 para Mi factura.") in said
    assert said["en", "You owe {due}."].filled
    assert said["en", HELLO].where == "Water · hello"
    assert not said["en", HELLO].filled


async def test_words_are_recorded_heard_replaced_and_removed(admin: httpx.AsyncClient, ground: Ground) -> None:
    assert "Nothing is said yet" in (await admin.get("/setup/prompts")).text
    await publish(ground, water())
    page = (await admin.get("/setup/prompts", params={"language": "en", "words": "welcome"})).text
    where = address(page, HELLO)
    one = await admin.get(where)
    assert "voice" in one.text
    spoken = await admin.get(f"{where}/voice")
    assert spoken.headers["content-type"] == "audio/wav"
    assert spoken.content[:4] == b"RIFF"
    assert len(spoken.content) > 16_000

    kept = await record(admin, where, tone())
    assert kept.status_code == 303, kept.text
    async with ground.database.transaction() as tx:
        digest = await prompts.find(tx, "Welcome  to\nHarbor Water.", "en")
        assert digest is not None
        assert await prompts.find(tx, HELLO, "en-US") == digest
        assert await prompts.find(tx, HELLO, "es") is None
        assert await prompts.find(tx, "Welcome to Harbor Water!", "en") is None
    with wave.open(io.BytesIO(await ground.files.read(digest))) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        samples = np.frombuffer(file.readframes(100_000), "<i2")
    assert 1.0 <= len(samples) / 8000 < 1.3, "silence before and after is cut off"
    assert active_level(samples) == pytest.approx(LEVEL, rel=0.05)

    voices = HouseVoices(ground)
    try:
        assert (await voices.sound(HELLO, "en", "en")).samples[: len(samples)].tolist() == samples.tolist()
        assert (await voices.sound("A person answers you.", "en", "en")).seconds > 0.5
    finally:
        await voices.end()

    shown = (await admin.get(where)).text
    player = re.search(r'src="(/setup/prompts/kept/\d+)"', shown)
    assert player
    part = await admin.get(player[1], headers={"range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert "recorded (1)" in (await admin.get("/setup/prompts")).text

    await record(admin, where, tone(2.0))
    async with ground.database.transaction() as tx:
        assert await prompts.find(tx, HELLO, "en") != digest
        assert len(await prompts.kept(tx)) == 1
    gone = await admin.post(f"{player[1]}/remove")
    assert gone.status_code == 303
    async with ground.database.transaction() as tx:
        assert await prompts.find(tx, HELLO, "en") is None
        acts = await tx.column(text("select act from audit where subject = 'prompt' order by id"))
    assert acts == ["prompt.recorded", "prompt.recorded", "prompt.removed"]
    assert (await admin.post(f"{player[1]}/remove")).status_code == 404


async def test_words_that_changed_are_said_by_the_voice_and_shown(admin: httpx.AsyncClient, ground: Ground) -> None:
    await publish(ground, water())
    page = (await admin.get("/setup/prompts?language=en&words=welcome")).text
    await record(admin, address(page, HELLO), tone())
    await publish(ground, water("Hello from Harbor Water."), again=True)
    listed = (await admin.get("/setup/prompts?language=en&state=changed")).text
    changed = await admin.get(address(listed, "Hello from Harbor Water."))
    assert f"“{HELLO}”" in changed.text
    assert "What was recorded before" in changed.text
    await record(admin, address(listed, "Hello from Harbor Water."), tone(2.0))
    rest = (await admin.get("/setup/prompts?language=en")).text
    assert "Recorded, and said nowhere now" in rest
    assert f"Remove the recording of {HELLO}" in rest
    assert (await admin.get("/setup/prompts/en/" + "0" * 64)).status_code == 404


async def test_what_is_filled_in_is_left_to_the_voice(admin: httpx.AsyncClient, ground: Ground) -> None:
    await publish(ground, water())
    page = (await admin.get("/setup/prompts?language=en&state=filled")).text
    where = address(page, "You owe {due}.")
    assert 'type="file"' not in (await admin.get(where)).text
    refused = await record(admin, where, tone())
    assert refused.status_code == 422
    assert "only a voice can say them" in refused.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Record something first"),
        (b"nothing of the kind", "cannot be read"),
        (tone(loud=0), "Nothing can be heard"),
        (as_file(np.zeros(8000, np.int16) + 9)[:60], "Nothing can be heard"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "cannot be read"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 99, "cannot be read"),
    ],
)
async def test_what_is_no_recording_is_refused(
    admin: httpx.AsyncClient, ground: Ground, content: bytes, said: str
) -> None:
    await publish(ground, water())
    page = (await admin.get("/setup/prompts?language=en&words=welcome")).text
    refused = await record(admin, address(page, HELLO), content)
    assert refused.status_code == 422
    assert said in refused.text


async def test_a_long_one_is_refused(admin: httpx.AsyncClient, ground: Ground) -> None:
    await publish(ground, water())
    page = (await admin.get("/setup/prompts?language=en&words=welcome")).text
    long = as_file((np.sin(np.arange(8000 * 310) / 4) * 3000).astype(np.int16))
    refused = await record(admin, address(page, HELLO), long)
    assert "at most 5 minutes" in refused.text


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "libopus"), ("ogg", "libopus"), ("mp3", "libmp3lame"), ("mp4", "aac")]
)
async def test_what_browsers_and_programs_write_is_read(
    admin: httpx.AsyncClient, ground: Ground, container: str, codec: str
) -> None:
    await publish(ground, water())
    page = (await admin.get("/setup/prompts?language=en&words=welcome")).text
    kept = await record(admin, address(page, HELLO), encoded(container, codec))
    assert kept.status_code == 303, kept.text
