"""Recordings at their case: who may hear them, what is written down of it, how long they are kept."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from conftest import SignedIn, SignInAs
from everyline.call_contract import LegKind, LegNow, LegState, Recorded
from everyline.calls import recordings, sealing
from everyline.desk.recording_routes import BARS, bars, place
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.ground.serving import part_answer
from everyline.media.g711 import RATE, Samples
from everyline.media.recording import Recording, Writer
from tests.calls.test_calls import CUSTOMER, House
from tests.media.tones import level, tone

pytestmark = pytest.mark.req("V6")
SECONDS = 12


async def sealed(ground: Ground, house: House, path: Path) -> Samples:
    """As the process that moves sound leaves it."""
    samples = tone(440, SECONDS)
    loop = asyncio.get_running_loop()

    def tell(done: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(done)

    writer = Writer(tell)
    recording = Recording(path, writer, lambda _one, _why: None, sealing.seal(ground.key, house.key))
    recording.ended = True
    for at in range(0, len(samples), RATE):
        recording.hand_over(samples[at : at + RATE], last=at + RATE >= len(samples))
    await recording.settled.wait()
    writer.close()
    return samples


class Tape:
    """A call of a case, recorded; and the desk's browser."""

    def __init__(self, ground: Ground, browser: httpx.AsyncClient, house: House) -> None:
        self.ground, self.browser, self.house = ground, browser, house
        self.id = 0
        self.samples: Samples = np.zeros(0, np.int16)

    async def make(self, folder: Path, agent: SignedIn) -> None:
        mine = LegNow("maya", LegKind.AGENT, LegState.IN, "Maya", agent.id)
        await self.house.tell(legs=(CUSTOMER, mine), answered_at=now())
        path = folder / "call.sealed"
        self.samples = await sealed(self.ground, self.house, path)
        whole = Recorded(path, SECONDS, now(), ((4.0, 6.5, "secret"), (11.0, None, "hold")))
        await recordings.keep(self.ground, self.house.key, whole)
        self.id = await self.value("select id from recording")

    async def value(self, statement: str) -> Any:
        async with self.ground.database.transaction() as tx:
            return await tx.value(text(statement))

    async def acts(self) -> list[str]:
        async with self.ground.database.transaction() as tx:
            return await tx.column(text("select act from audit where subject = 'recording' order by id"))

    def sits(self, who: SignedIn) -> httpx.AsyncClient:
        """Somebody else sits down before the browser."""
        self.browser.cookies.clear()
        self.browser.cookies.update(who.cookies)
        return self.browser

    @property
    def sound(self) -> str:
        return f"/desk/recordings/{self.id}/sound"


@pytest.fixture
async def tape(ground: Ground, client: httpx.AsyncClient, sign_in: SignInAs, tmp_path: Path) -> Tape:
    house = House(ground)
    await house.begin()
    made = Tape(ground, client, house)
    agent = await sign_in(name="Maya", queues=(house.queue_id,))
    await made.make(tmp_path, agent)
    made.sits(agent)
    return made


async def test_it_stands_at_its_call_and_is_heard_as_it_was(tape: Tape) -> None:
    case = (await tape.browser.get(f"/desk/cases/{tape.house.case_id}")).text
    assert f'hx-get="/desk/recordings/{tape.id}"' in case
    player = (await tape.browser.get(f"/desk/recordings/{tape.id}")).text
    assert "something secret was keyed" in player
    assert "0:04–0:06" in player
    assert "0:11–0:12" in player
    assert player.count("M") > 20, "the waveform is drawn"
    assert await tape.acts() == [], "who looks at the player has heard nothing yet"
    heard = await tape.browser.get(tape.sound)
    assert heard.headers["cache-control"] == "private, no-store"
    with wave.open(io.BytesIO(heard.content)) as file:
        samples = np.frombuffer(file.readframes(RATE * SECONDS), "<i2")
    assert samples.tolist() == tape.samples.tolist()
    assert level(samples, 440) > 1000
    kept = tape.ground.files.path(await tape.value("select file_hash from recording"))
    assert samples.tobytes()[:1000] not in kept.read_bytes(), "on disk it is sealed"


async def test_every_listening_is_written_down_once_whatever_parts_are_fetched(tape: Tape) -> None:
    for part in ("bytes=100-", "bytes=0-", "bytes=5000-6000"):
        assert (await tape.browser.get(tape.sound, headers={"range": part})).status_code == 206
    assert await tape.acts() == ["recording.listened"]
    async with tape.ground.database.transaction() as tx:
        await tx.execute(text("update audit set at = at - interval '6 minutes'"))
    await tape.browser.get(tape.sound)
    assert await tape.acts() == ["recording.listened", "recording.listened"]


async def test_who_took_no_part_hears_nothing(tape: Tape, sign_in: SignInAs) -> None:
    other = tape.sits(await sign_in(name="Ben", queues=(tape.house.queue_id,)))
    case = (await other.get(f"/desk/cases/{tape.house.case_id}")).text
    assert "Who took part in it can hear it." in case
    assert f'hx-get="/desk/recordings/{tape.id}"' not in case
    assert (await other.get(f"/desk/recordings/{tape.id}")).status_code == 403
    assert (await other.get(tape.sound)).status_code == 403
    assert await tape.acts() == ["recording.refused"]
    stranger = tape.sits(await sign_in(name="Cleo"))
    assert (await stranger.get(tape.sound)).status_code == 404, "a case of another queue"
    lead = tape.sits(await sign_in("supervisor", name="Dora", queues=(tape.house.queue_id,)))
    assert (await lead.get(tape.sound)).status_code == 200
    assert (await lead.get("/desk/recordings/999/sound")).status_code == 404


async def test_saving_and_keeping_are_for_those_who_may(tape: Tape, sign_in: SignInAs) -> None:
    assert (await tape.browser.get(f"/desk/recordings/{tape.id}/file")).status_code == 403
    keeping = f"/desk/recordings/{tape.id}/keeping"
    assert (await tape.browser.post(keeping, data={"held": "1"})).status_code == 403
    assert "Legal hold" not in (await tape.browser.get(f"/desk/recordings/{tape.id}")).text
    lead = tape.sits(await sign_in("supervisor", name="Dora", queues=(tape.house.queue_id,)))
    saved = await lead.get(f"/desk/recordings/{tape.id}/file")
    assert saved.content[:4] == b"RIFF"
    assert saved.headers["content-disposition"].startswith("attachment")
    shown = await lead.post(keeping, data={"held": "1", "until": "2031-05-06"})
    assert "legal hold" in shown.text
    assert 'value="2031-05-06"' in shown.text
    await lead.post(keeping, data={"held": "1", "until": "2031-05-06"})
    acts = await tape.acts()
    assert acts == ["recording.downloaded", "recording.held", "recording.dated"], "what stays as it is is no act"
    for wrong, said in (("yesterday", "A day looks like"), ("2001-01-01", "This day is over.")):
        refused = await lead.post(keeping, data={"until": wrong})
        assert refused.status_code == 422
        assert said in refused.text
    await lead.post(keeping, data={"until": ""})
    async with tape.ground.database.transaction() as tx:
        row = await tx.one(text("select held, kept_until from recording"))
    assert (row.held, row.kept_until) == (False, None)


async def test_a_hold_is_stronger_than_the_date_and_what_is_deleted_says_so(tape: Tape, sign_in: SignInAs) -> None:
    lead = tape.sits(await sign_in("supervisor", name="Dora", queues=(tape.house.queue_id,)))
    keeping = f"/desk/recordings/{tape.id}/keeping"
    await lead.post(keeping, data={"held": "1"})
    async with tape.ground.database.transaction() as tx:
        await tx.execute(text("update recording set kept_until = now() - interval '1 day'"))
    assert await recordings.sweep(tape.ground) == 0
    await lead.post(keeping, data={})
    async with tape.ground.database.transaction() as tx:
        await tx.execute(text("update recording set kept_until = now() - interval '1 day'"))
    assert await recordings.sweep(tape.ground) == 1
    assert (await lead.get(tape.sound)).status_code == 404
    assert "This recording was deleted." in (await lead.get(f"/desk/recordings/{tape.id}")).text
    assert (await lead.post(keeping, data={"held": "1"})).status_code == 409
    assert "deleted when its time was over" in (await lead.get(f"/desk/cases/{tape.house.case_id}")).text


async def test_a_recording_is_kept_as_many_days_as_its_line_says_and_its_file_goes_with_them(
    ground: Ground, tmp_path: Path
) -> None:
    house = House(ground)
    await house.begin()
    await house.tell()
    for days in (30, 0):
        path = tmp_path / f"{days}.sealed"
        await sealed(ground, house, path)
        await recordings.keep(ground, house.key, Recorded(path, SECONDS, now(), keep_days=days))
    async with ground.database.transaction() as tx:
        rows = await tx.rows(text("select id, file_hash, kept_until from recording order by id"))
        assert abs(rows[0].kept_until - now() - timedelta(days=30)) < timedelta(minutes=5)
        assert rows[1].kept_until is None
    assert await recordings.sweep(ground) == 0
    async with ground.database.transaction() as tx:
        await tx.execute(text("update recording set kept_until = kept_until - interval '31 days'"))
    assert await recordings.sweep(ground) == 1
    assert [ground.files.path(row.file_hash).exists() for row in rows] == [False, True]
    async with ground.database.transaction() as tx:
        assert await tx.column(text("select deleted_at is not null from recording order by id")) == [True, False]


async def test_what_was_changed_or_is_gone_is_not_played(tape: Tape) -> None:
    path = tape.ground.files.path(await tape.value("select file_hash from recording"))
    whole = bytearray(path.read_bytes())
    whole[5000] ^= 1
    path.write_bytes(bytes(whole))
    refused = await tape.browser.get(tape.sound)
    assert refused.status_code == 409
    path.unlink()
    assert (await tape.browser.get(tape.sound)).status_code == 404


def test_parts_are_those_that_were_asked_for() -> None:
    content = bytes(range(100))
    for wanted, status, got in (
        ("", 200, content),
        ("bytes=10-19", 206, content[10:20]),
        ("bytes=90-", 206, content[90:]),
        ("bytes=-5", 206, content[95:]),
        ("bytes=90-500", 206, content[90:]),
        ("bytes=-500", 206, content),
        ("bytes=100-", 416, b""),
        ("bytes=20-10", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=1-2,5-6", 200, content),
        ("chars=1-2", 200, content),
        ("bytes=-", 200, content),
    ):
        answer = part_answer(content, wanted, content_type="audio/wav", headers={})
        assert (answer.status_code, bytes(answer.body)) == (status, got), wanted


def test_a_waveform_is_as_wide_as_can_be_seen() -> None:
    assert bars(b"") == []
    assert bars(bytes([0, 255])) == [0, 100]
    long = bars(bytes([1, 255, 3] * 1000))
    assert len(long) <= BARS
    assert set(long) == {100}
    assert [place(one) for one in (0, 65.9, 3725)] == ["0:00", "1:05", "1:02:05"]
    peaks = recordings.peaks(
        np.concatenate([tone(440, 1, loud=32_000), np.zeros(RATE, np.int16), tone(440, 1, loud=320)])
    )
    assert len(peaks) == 30
    assert (max(peaks[10:20]), min(peaks[:10]) > 240, 60 < peaks[25] < 120) == (0, True, True)
