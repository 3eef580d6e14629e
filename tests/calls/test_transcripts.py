"""What was said, in words: of recordings and voicemails, by a process that may break."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from everyline.call_contract import Recorded
from everyline.calls import recordings, transcripts
from everyline.ground.clock import now
from everyline.ground.database import Row
from everyline.ground.installation import Ground
from everyline.speech.errors import CannotHear, NothingHears
from everyline.speech.hearing import Ear
from everyline.speech.recorded import as_file
from tests.calls.test_calls import House
from tests.desk.test_recordings import SECONDS, sealed

pytestmark = pytest.mark.req("V6")
# hears how long a sound is; silence breaks it, and French it does not know
FAKE = """
import json, sys
for line in sys.stdin.buffer:
    asked = json.loads(line)
    sound = sys.stdin.buffer.read(asked["bytes"])
    if not any(sound):
        sys.exit(1)
    words = {"error": "no French"} if asked["language"] == "fr" else {"words": f"{len(sound) // 16000} seconds"}
    sys.stdout.write(json.dumps(words) + chr(10))
    sys.stdout.flush()
"""


@pytest.fixture
async def ear() -> Any:
    found = Ear(Path("nowhere"), command=(sys.executable, "-c", FAKE))
    yield found
    await found.end()


@pytest.fixture
async def house(ground: Ground) -> House:
    found = House(ground)
    await found.begin()
    await found.tell()
    return found


async def rows(ground: Ground, statement: str) -> list[Row]:
    async with ground.database.transaction() as tx:
        return list(await tx.rows(text(statement)))


async def voicemail(house: House, content: bytes) -> None:
    digest = await house.ground.files.put(content)
    async with house.ground.database.transaction() as tx:
        message_id = await tx.value(
            text(
                "insert into message (case_id, interaction_id, direction, text, at) values (:c, :i, 'in', 'Voicemail, 3 seconds', now()) returning id"
            ),
            {"c": house.case_id, "i": house.interaction_id},
        )
        await tx.execute(
            text(
                "insert into attachment (case_id, message_id, file_hash, name, content_type, size) values (:c, :m, :h, 'v.wav', 'audio/wav', 1)"
            ),
            {"c": house.case_id, "m": message_id, "h": digest},
        )


async def test_recordings_and_voicemails_get_their_words_once(house: House, ear: Ear, tmp_path: Path) -> None:
    ground, path = house.ground, tmp_path / "call.sealed"
    await sealed(ground, house, path)
    await recordings.keep(ground, house.key, Recorded(path, SECONDS, now()))
    await voicemail(house, as_file(np.full(3 * 8000, 900, np.int16)))
    assert [await transcripts.hear_next(ground, ear) for _one in range(3)] == [True, True, False]
    assert [row.transcript for row in await rows(ground, "select transcript from recording")] == [f"{SECONDS} seconds"]
    assert [row.text for row in await rows(ground, "select text from message")] == ["Voicemail, 3 seconds\n\n3 seconds"]
    assert len(await house.kinds("interaction.transcribed")) == 2


async def test_what_breaks_the_process_is_tried_once_more_and_then_left(house: House, ear: Ear) -> None:
    ground = house.ground
    await voicemail(house, as_file(np.zeros(8000, np.int16)))
    assert not await transcripts.hear_next(ground, ear)
    await voicemail(house, as_file(np.full(8000, 900, np.int16)))
    assert not await transcripts.hear_next(ground, ear), "not before some time has passed"
    for heard in (True, False, False):
        async with ground.database.transaction() as tx:
            await tx.execute(text("update heard_sound set taken_at = taken_at - interval '3 hours'"))
        assert await transcripts.hear_next(ground, ear) is heard
    (left,) = await rows(ground, "select * from heard_sound where failure <> ''")
    assert left.heard_at is not None
    assert [row.text for row in await rows(ground, "select text from message order by id")] == [
        "Voicemail, 3 seconds",
        "Voicemail, 3 seconds\n\n1 seconds",
    ]


async def test_the_ear_says_why_it_does_not_hear_and_hears_again(ear: Ear) -> None:
    with pytest.raises(NothingHears):
        await ear.hear(bytes(16_000), "en")
    with pytest.raises(CannotHear, match="no French"):
        await ear.hear(b"\1" * 16_000, "fr")
    assert await ear.hear(b"\1" * 16_000, "en") == "1 seconds"


def test_without_a_model_nothing_hears(ground: Ground) -> None:
    assert Ear.installed(ground.settings) is None
