"""The music of a queue: handed in, heard before it is played to callers, taken away."""

from __future__ import annotations

import io
import wave

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from everyline.calls.voices import HouseVoices
from everyline.ground.installation import Ground
from everyline.speech.recorded import as_file
from tests.media.tones import level, tone

pytestmark = pytest.mark.req("V4")
PAGE = "/setup/queues/1/music"


def samples(content: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(io.BytesIO(content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


async def hand_in(admin: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await admin.post(PAGE, files={"music": ("waltz.wav", content, "audio/wav")})


async def test_a_queue_plays_its_own_piece_and_others_that_of_the_house(
    ground: Ground, admin: httpx.AsyncClient
) -> None:
    async with ground.database.transaction() as tx:
        queue = await tx.value(text("select name from queue where id = 1"))
    voices = HouseVoices(ground)
    try:
        house = await voices.music(queue)
        assert house is await voices.music("")
        assert samples((await admin.get(f"{PAGE}/sound")).content).tolist() == house.samples.tolist()
        assert (await hand_in(admin, as_file(tone(600, 2)))).status_code == 303
        own = await voices.music(queue)
        assert level(own.samples, 600) > 500
        assert own is await voices.music(queue), "read once"
        assert await voices.music("another") is house
        assert samples((await admin.get(f"{PAGE}/sound")).content).tolist() == own.samples.tolist()
        assert "a piece of its own" in (await admin.get(PAGE)).text
        async with ground.database.transaction() as tx:
            digest = await tx.value(text("select music_hash from queue where id = 1"))
        again = HouseVoices(ground)
        ground.files.path(digest).unlink()
        assert (await again.music(queue)).samples.tolist() == house.samples.tolist(), "nobody waits in silence"
        await again.end()
        assert (await admin.post(f"{PAGE}/remove")).status_code == 303
        assert await voices.music(queue) is house
    finally:
        await voices.end()


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
async def test_what_cannot_be_played_is_refused_with_words(admin: httpx.AsyncClient, content: bytes) -> None:
    answer = await hand_in(admin, content)
    assert answer.status_code == 422
    assert "Choose a file." in answer.text or "cannot be read" in answer.text
    assert "comes with Everyline" in (await admin.get(PAGE)).text
