"""What the doctor says of calls, and what to do about it."""

from __future__ import annotations

import importlib
import ipaddress
import os
import socket
from typing import Any

import pytest

from everyline.calls import actions as calls
from everyline.channel_contract import Line, Severity
from everyline.channels.phone import examining
from everyline.channels.phone.settings import InstallSettings, PhoneSettings
from everyline.ground.installation import Ground
from everyline.ground.settings import Settings
from everyline.lines import actions as lines
from everyline.roles import doctor, sound_doctor
from everyline.speech.hearing import Ear
from everyline.speech.voices import Espeak
from tests.speech.voice import model

pytestmark = [pytest.mark.req("V2", "P1"), pytest.mark.enable_socket]
PUBLIC, PRIVATE = ipaddress.ip_address("192.0.32.10"), ipaddress.ip_address("10.0.0.9")


def product(**facts: Any) -> Settings:
    return Settings(**{"media_host": "10.0.0.9", **facts})


@pytest.fixture
def taken() -> Any:
    """A port that somebody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_the_port_of_calls_is_free_or_ours(taken: int) -> None:
    install = InstallSettings(host="127.0.0.1", port=taken)
    assert examining.sip_port(install, running=True).ok
    strange = examining.sip_port(install, running=False)
    assert strange.severity is Severity.FAILED
    assert "EVERYLINE_PHONE_PORT" in strange.advice
    free = InstallSettings(host="127.0.0.1", port=0)
    assert examining.sip_port(free, running=False).ok
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        idle = probe.getsockname()[1]
    silent = examining.sip_port(InstallSettings(host="127.0.0.1", port=idle), running=True)
    assert not silent.ok, "it runs, and nobody listens"
    elsewhere = examining.sip_port(InstallSettings(host="203.0.113.77", port=5060), running=False)
    assert "EVERYLINE_PHONE_HOST" in elsewhere.advice


@pytest.mark.parametrize(
    ("install", "media", "trunk", "wrong"),
    [
        ({"host": "10.0.0.9"}, {}, PUBLIC, ["EVERYLINE_PHONE_SHOWN_AS", "EVERYLINE_MEDIA_SHOWN_AS"]),
        ({"host": "10.0.0.9", "shown_as": "192.0.32.7"}, {}, PUBLIC, ["EVERYLINE_MEDIA_SHOWN_AS"]),
        ({"host": "10.0.0.9", "shown_as": "192.0.32.7"}, {"media_shown_as": "192.0.32.7"}, PUBLIC, []),
        ({"host": "10.0.0.9", "shown_as": "10.0.0.8"}, {"media_shown_as": "192.0.32.7"}, PUBLIC, ["EVERYLINE_PHONE_SHOWN_AS"]),
        ({"host": "10.0.0.9"}, {}, PRIVATE, []),
        ({"host": "127.0.0.1"}, {"media_host": "127.0.0.1"}, PRIVATE, ["EVERYLINE_PHONE_HOST", "EVERYLINE_MEDIA_HOST"]),
        ({"host": "127.0.0.1"}, {"media_host": "127.0.0.1"}, ipaddress.ip_address("127.0.0.2"), []),
        ({"host": "10.0.0.9"}, {"media_host": "0.0.0.0"}, PRIVATE, ["EVERYLINE_MEDIA_SHOWN_AS"]),
        ({"host": "192.0.32.7"}, {"media_host": "192.0.32.7"}, PUBLIC, []),
    ],
)  # fmt: skip
def test_a_trunk_must_be_able_to_reach_us(
    install: dict[str, Any], media: dict[str, Any], trunk: Any, wrong: list[str]
) -> None:
    found = list(examining.way_to("trunk.example", [trunk], InstallSettings(**install), product(**media)))
    assert len(found) == 2
    bad = [one for one in found if not one.ok]
    assert [next(name for name in wrong if name in one.advice) for one in bad] == wrong
    assert len(bad) == len(wrong)


def test_a_trunk_without_an_address_is_said() -> None:
    (found,) = examining.way_to("nowhere.invalid", [], InstallSettings(), product())
    assert not found.ok
    assert "name server" in found.advice
    assert examining._addresses("203.0.113.7") == [ipaddress.ip_address("203.0.113.7")]


def test_ports_for_sound_are_counted(taken: int) -> None:
    narrow = sound_doctor.ports(product(media_host="127.0.0.1", media_first_port=taken - 4, media_last_port=taken + 3))
    assert not narrow.well
    assert "of 8 UDP ports" in narrow.what
    assert "8 of 8" not in narrow.what, "one of them is taken"
    assert "EVERYLINE_MEDIA_LAST_PORT" in narrow.advice
    wide = sound_doctor.ports(product(media_host="127.0.0.1", media_first_port=20000, media_last_port=32000))
    assert wide.well
    nowhere = sound_doctor.ports(product(media_host="203.0.113.77"))
    assert "about 0 of" in nowhere.what


def test_codecs_and_the_voice_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.well for one in sound_doctor.codecs()] == [True, True]
    assert sound_doctor.voice().well
    monkeypatch.setattr(Espeak, "find", lambda: None)
    assert "espeak-ng" in sound_doctor.voice().advice

    def missing(_name: str) -> Any:
        raise ImportError

    monkeypatch.setattr(importlib, "import_module", missing)
    assert [one.what for one in sound_doctor.codecs()] == ["the codec Opus is missing", "the codec G.722 is missing"]


def test_it_is_said_where_callers_may_speak_and_nothing_understands_them() -> None:
    def line(language: str, *, spoken: bool = True) -> Line:
        settings = PhoneSettings(host="127.0.0.2", spoken_answers=spoken)
        signer: Any = None  # nothing is signed here
        return Line(1, "phone", "+18005550199", "Calls", language, settings, signer)

    assert list(sound_doctor.ears(None, [line("en", spoken=False)])) == []
    (nothing,) = sound_doctor.ears(None, [line("en")])
    assert not nothing.well
    assert "EVERYLINE_SPEECH_MODEL" in nothing.advice
    ear = Ear(model())
    assert [one.well for one in sound_doctor.ears(ear, [line("en"), line("es", spoken=False)])] == [True]
    (spanish,) = sound_doctor.ears(ear, [line("en"), line("es")])
    assert (spanish.well, "in es" in spanish.what) == (False, True)


def test_whether_sound_may_go_first_is_said() -> None:
    def refuse() -> None:
        raise PermissionError

    assert sound_doctor.urgency(lambda: None).well
    refused = sound_doctor.urgency(refuse)
    assert not refused.well
    assert "LimitRTPRIO" in refused.advice
    before = os.sched_getscheduler(0)
    sound_doctor.urgency()
    assert os.sched_getscheduler(0) == before, "whoever asks stays as they are"


async def test_what_lies_on_the_disk_and_in_no_case_is_said(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        await lines.add(
            tx, ground.vault, None, channel_name="phone", address="+18005550199", settings={"host": "127.0.0.2"}
        )
    folder = ground.settings.data / "calls" / "0.0.0.0-5060"
    folder.mkdir(parents=True)
    words = "of a call is in no case yet"
    (folder / "1-abc-message-2.sealed").write_bytes(b"EVERYLINE1\n")
    said = [one.what async for one in sound_doctor.examine(ground)]
    assert not any(words in one for one in said), "it is still being spoken"
    os.utime(folder / "1-abc-message-2.sealed", (1, 1))
    (found,) = [one async for one in sound_doctor.examine(ground) if words in one.what]
    assert not found.well
    assert "0.0.0.0-5060/1-abc-message-2.sealed" in found.what
    assert "log" in found.advice


async def test_the_doctor_speaks_of_calls_where_there_is_a_line_for_them(ground: Ground) -> None:
    assert [one async for one in sound_doctor.examine(ground)] == []
    async with ground.database.transaction() as tx:
        await lines.add(
            tx, ground.vault, None, channel_name="phone", address="+18005550199", settings={"host": "127.0.0.2"}
        )
    ground.settings.data.mkdir(parents=True, exist_ok=True)
    said = {one.what: one async for one in doctor.examine(ground)}
    assert not said["0 processes move the sound of calls"].well
    for words in ("calls", "UDP ports", "Opus", "G.722", "callers", "other work"):
        assert any(words in what for what in said), words
    async with ground.database.transaction() as tx:
        await calls.beat(tx, "node-1")
    assert "1 processes move the sound of calls" in {one.what async for one in sound_doctor.examine(ground)}
