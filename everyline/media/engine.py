"""The engine: all legs of a process, moved by one tick of 20 ms that works on arrays.

A tick takes from the jitter buffers what is due, fills what is missing, mixes, adds music and prompts, records, and sends a packet
to each leg. ``gather`` empties the sockets and notes when packets came; it is called several times a tick. ``pulse`` calls both
by the real clock; tests call them with times of their own. Everything happens in one thread, that of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from everyline.ground import clock
from everyline.media import rtcp, rtp
from everyline.media.concealment import Concealment
from everyline.media.errors import NoPorts
from everyline.media.events import Digit, Event, RecordingFailed, Silent
from everyline.media.jitter import FRAME, JitterBuffers, Rows
from everyline.media.legs import Leg
from everyline.media.mixing import Edges, Floats, Mix
from everyline.media.recording import CHUNK_FRAMES, Recording, Seal, Writer
from everyline.media.sockets import Latch, Ports
from everyline.media.sounds import Music, Playing, Sound
from everyline.media.streams import Arriving, Departing
from everyline.media.tones import ToneKeys

TICK = 0.02  # seconds
REPORT_TICKS = 250  # 5 s between two RTCP reports of a leg (RFC 3550 section 6.2)
WATCH_TICKS = 50
SLAB = 2048  # packets between two looks
PASSES = 8  # packets of one leg that are taken at a time: a flood from one place starves nobody
LOUD = 60.0  # amplitude above which something is heard, about -55 dBm0
_NO_ROWS: Rows = np.zeros(0, np.int64)


class Engine:
    """All legs of this process.

    ``host`` is where sockets are bound, ``advertised`` the address written into descriptions (behind address translation
    another). ``hear`` is called with every event of every leg. ``most`` legs may be open at once.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        ports: tuple[int, int] = (20000, 29999),
        advertised: str = "",
        most: int = 2000,
        name: str = "everyline",
        hear: Callable[[Event], None] | None = None,
        one_way_after: float = 5.0,
        silent_after: float = 20.0,
    ) -> None:
        self.advertised, self.name, self.most = advertised or host, name, most
        self.epoch = clock.now().timestamp() - time.monotonic()
        self.at = time.monotonic()  # of the last tick
        self.arriving, self.departing = Arriving(most), Departing(most)
        self.buffers, self.concealment, self._tone_keys = JitterBuffers(most), Concealment(most), ToneKeys(most)
        self.unsent = 0  # packets that the machine did not take
        self.needed = asyncio.Event()  # there are legs: time is to pass
        self._ports, self._hear = Ports(host, *ports), hear
        self._one_way_after, self._silent_after = one_way_after, silent_after
        self._poll = select.epoll()
        self._doors: dict[int, tuple[Callable[..., tuple[int, tuple[object, ...]]], Leg, bool]] = {}
        self._legs: dict[int, Leg] = {}
        self._free = list(range(most - 1, -1, -1))
        self._top = 0
        self._number = 0
        self._slab = np.zeros((SLAB, rtp.LARGEST), np.uint8)
        self._views = [memoryview(self._slab[n]) for n in range(SLAB)]
        self._came_rows: list[int] = []  # of the packets in the slab, with their sizes
        self._came_sizes: list[int] = []
        self._came_at: list[tuple[float, int]] = []  # when, and how many had come by then
        self._last_loud = np.zeros(most)
        self._mixes: set[Mix] = set()
        self._edges, self._gains_changed = Edges([]), False
        self._spoken: set[int] = set()  # rows that somebody hears
        self._listened: list[Leg] = []  # those with a listener
        self._sends: list[tuple[Callable[..., int], memoryview, tuple[str, int]]] = []
        self._send_rows, self._sends_changed = _NO_ROWS, False
        self._tone_rows = _NO_ROWS
        self._wide: list[Leg] = []
        self._pressing: list[Leg] = []
        self._music: list[tuple[Music, Rows]] = []
        self._music_changed = False
        self._prompted: dict[Leg, None] = {}
        self._announced: dict[Mix, deque[Playing]] = {}
        self._recordings: dict[Recording, Leg | Mix] = {}
        self._recorded: list[tuple[Recording, Leg | Mix]] = []  # as the edges were arranged
        self._kept: dict[Recording, list[np.ndarray[tuple[int], np.dtype[np.int16]]]] = {}
        self._writer: Writer | None = None

    # Legs, mixes, recordings.

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All that are open."""
        return tuple(self._legs.values())

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """All that go on."""
        return tuple(self._recordings)

    @property
    def mixes(self) -> tuple[Mix, ...]:
        """All that were made and not ended."""
        return tuple(self._mixes)

    def open(self, name: str = "", *, latch: Latch = Latch.ADDRESS) -> Leg:
        """A new leg with ports of its own; raises NoPorts."""
        if not self._free:
            raise NoPorts(f"{self.most} legs are open, which is the most")
        pair = self._ports.take()
        row = self._free.pop()
        leg = Leg(self, row, pair, name, latch)
        for part in (self.arriving, self.departing, self.buffers, self.concealment, self._tone_keys):
            part.open(row)
        self._legs[row] = leg
        self.needed.set()
        self._last_loud[row] = self.at
        for one, is_reports in ((pair.rtp, False), (pair.rtcp, True)):
            self._doors[one.fileno()] = (one.recvfrom_into, leg, is_reports)
            self._poll.register(one.fileno(), select.EPOLLIN)
        self._resize()
        return leg

    def give_back(self, leg: Leg) -> None:
        """Part of ``Leg.close``."""
        if leg.mix:
            leg.mix.remove(leg)
        if leg.agreement:
            self.send(leg.pair.rtcp, rtcp.goodbye(int(self.departing.source[leg.row])), leg.agreement.remote_rtcp)
        for one in (leg.pair.rtp, leg.pair.rtcp):
            self._poll.unregister(one.fileno())
            del self._doors[one.fileno()]
        leg.pair.close()
        self._came_at.append((self.at, len(self._came_rows)))
        self._take_in(self.at)  # what came for it meets nobody else
        for recording in [r for r, of in self._recordings.items() if of is leg]:
            self.stop_recording(recording)
        del self._legs[leg.row]
        self.arriving.open(leg.row)
        self.buffers.begin_anew(leg.row)
        self._prompted.pop(leg, None)
        self._free.append(leg.row)
        if not self._legs:
            self.needed.clear()
        self._resize()

    def _resize(self) -> None:
        self._top = max(self._legs, default=-1) + 1
        self._gains_changed = self._sends_changed = self._music_changed = True

    def mix(self) -> Mix:
        """A new talk without legs. End it by ``Mix.end``."""
        mix = Mix(self.gains_changed, self._forget)
        self._mixes.add(mix)
        return mix

    def _forget(self, mix: Mix) -> None:
        self._mixes.discard(mix)
        for playing in self._announced.pop(mix, ()):
            playing.end(whole=False)
        for recording in [r for r, of in self._recordings.items() if of is mix]:
            self.stop_recording(recording)

    def announce(self, mix: Mix, sound: Sound, *, gain: float = 1.0) -> Playing:
        """Play a sound to all of a mix and into its recordings, after those that wait."""
        playing = Playing(sound, gain=gain)
        self._announced.setdefault(mix, deque()).append(playing)
        return playing

    def record(self, of: Leg | Mix, path: Path, *, seal: Seal | None = None) -> Recording:
        """Record what a leg says, or what all parties of a mix say together, beginning with the next tick."""
        if self._writer is None:
            loop = asyncio.get_running_loop()
            self._writer = Writer(lambda run: _in_loop(loop, run))
        recording = Recording(path, self._writer, self._recording_failed, seal)
        self._recordings[recording] = of
        self._kept[recording] = []
        self._gains_changed = True
        return recording

    def stop_recording(self, recording: Recording) -> None:
        """End a recording; its last piece is on its way to the disk. ``await recorded(recording)`` waits for it."""
        if self._recordings.pop(recording, None) is None:
            return
        kept = self._kept.pop(recording)
        recording.note_end()
        recording.hand_over(np.concatenate(kept) if kept else np.zeros(0, np.int16), last=True)
        self._gains_changed = True

    async def recorded(self, recording: Recording) -> None:
        """Stop a recording and wait until it is whole on the disk, or failed."""
        self.stop_recording(recording)
        await recording.settled.wait()

    def _recording_failed(self, recording: Recording, reason: str) -> None:
        self._recordings.pop(recording, None)
        self._kept.pop(recording, None)
        self._gains_changed = True
        self.tell(RecordingFailed(recording, reason))

    def close(self) -> None:
        """Close every leg, end every mix, write every recording to its end."""
        for leg in self.legs:
            leg.close()
        for mix in self.mixes:
            mix.end()
        for recording in self.recordings:
            self.stop_recording(recording)
        if self._writer:
            self._writer.close()
            self._writer = None
        self._poll.close()

    # What changed, so that the next tick arranges it anew.

    def gains_changed(self) -> None:
        """Somebody hears somebody else."""
        self._gains_changed = True

    def sends_changed(self) -> None:
        """Something is sent elsewhere, or otherwise."""
        self._sends_changed = True

    def music_changed(self) -> None:
        """Somebody hears other music, or none."""
        self._music_changed = True

    def prompts_changed(self, leg: Leg) -> None:
        """A leg has prompts, or none any more."""
        if leg.prompts:
            self._prompted[leg] = None
        else:
            self._prompted.pop(leg, None)
        self._music_changed = True

    def tell(self, event: Event) -> None:
        """Hand an event to whoever listens to the engine."""
        if self._hear:
            self._hear(event)

    def _arrange(self) -> None:
        hearing = self._gains_changed or self._sends_changed
        legs = self._legs.values()
        if self._gains_changed:
            edges = [edge for mix in self._mixes for edge in mix.edges()]
            self._recorded = list(self._recordings.items())
            for number, (_recording, of) in enumerate(self._recorded):
                heard = of.recorded() if isinstance(of, Mix) else () if of.muted else (of,)
                edges += [(self._top + number, leg.row, 1.0) for leg in heard]
            self._edges, self._gains_changed = Edges(edges), False
            self._spoken = {edge[1] for edge in edges}
        if self._sends_changed:
            speaking = [(leg, to) for leg in legs if not leg.wide and leg.keys is None and (to := leg.sends_to)]
            self._sends = [(leg.pair.rtp.sendto, self.departing.views[leg.row], to) for leg, to in speaking]
            self._send_rows = np.array([leg.row for leg, _to in speaking], np.int64)
            by_sound = [leg.row for leg in legs if leg.agreement and leg.agreement.events is None]
            self._tone_rows = np.array(by_sound, np.int64)
            self._wide = [leg for leg in legs if leg.wide]
            self._pressing = [leg for leg in legs if leg.keys is not None]
            self._sends_changed = False
        if hearing:
            self._listened = [leg for leg in legs if leg.listener]
            self._arrange_hearing()
        if self._music_changed:
            rows: dict[Music, list[int]] = {}
            for leg in legs:
                if leg.music and not leg.prompts:
                    rows.setdefault(leg.music, []).append(leg.row)
            self._music = [(music, np.array(found)) for music, found in rows.items()]
            self._music_changed = False

    def _arrange_hearing(self) -> None:
        """Take in the sound of those whom somebody hears, and of no others: most who wait are heard by nobody."""
        heard = np.zeros(self.most, np.bool_)
        heard[list(self._spoken)] = True
        heard[self._tone_rows] = True
        heard[[leg.row for leg in self._listened]] = True
        for row in np.flatnonzero(heard != self.arriving.heard).tolist():
            self.buffers.begin_anew(row)
            self._last_loud[row] = self.at
        self.arriving.heard = heard

    # Packets in.

    def gather(self, at: float) -> None:
        """Take what came, and note that it came at this time (monotonic seconds, the same as the ticks')."""
        for _ in range(PASSES):
            ready = self._poll.poll(0, SLAB)
            if not ready:
                break
            for number, _mask in ready:
                door = self._doors.get(number)
                if door is None:
                    continue  # closed by what an earlier packet brought about
                receive, leg, is_reports = door
                if (n := len(self._came_rows)) == SLAB:
                    self._came_at.append((at, n))
                    self._take_in(at)
                    n = 0
                try:
                    size, address = receive(self._views[n])
                except OSError:
                    continue  # nothing there after all, or an error that an ICMP message left
                if is_reports:
                    leg.read_report(bytes(self._views[n][:size]), address, at)
                elif address == leg.raw_address or leg.from_elsewhere(bytes(self._views[n][:size]), address, at):
                    self._came_rows.append(leg.row)
                    self._came_sizes.append(size)
        self._came_at.append((at, len(self._came_rows)))

    def _take_in(self, tick: float) -> None:
        rows, sizes, now = np.array(self._came_rows, np.int64), np.array(self._came_sizes, np.int64), tick * 50
        until = np.array([0, *(count for _at, count in self._came_at)])
        at = np.repeat([moment for moment, _count in self._came_at], np.diff(until))
        self._came_rows, self._came_sizes, self._came_at = [], [], []
        if not len(rows):
            return
        slab = self._slab[: len(rows)]
        heads, plain = self.arriving.plain(slab, rows, sizes)
        if not plain.all():
            for n in np.flatnonzero(~plain).tolist():
                if leg := self._legs.get(int(rows[n])):
                    leg.odd(bytes(self._views[n][: sizes[n]]), float(at[n]), now)
            rows, heads, at, slab = rows[plain], heads[plain], at[plain], slab[plain, : rtp.HEADER_BYTES + FRAME]
        if len(rows):
            self.arriving.take_in(slab[:, : rtp.HEADER_BYTES + FRAME], heads, rows, at, self.buffers, now)

    # The tick.

    def tick(self, at: float) -> None:
        """Twenty milliseconds of all legs. ``at`` goes up by TICK from call to call, or by more when ticks were skipped."""
        skipped = round((at - self.at) / TICK) - 1 if self._number else 0
        self.at = at
        self._take_in(at)
        self._number += 1
        if self._gains_changed or self._sends_changed or self._music_changed:
            self._arrange()
        top = self._top
        if skipped > 0:
            self.departing.pass_time(top, skipped)
        frames = self._heard(top, at)
        ears: Floats = np.zeros((top + len(self._recorded), FRAME), np.float32)
        self._edges.apply(frames, ears)
        for music, rows in self._music:
            ears[rows] += music.frame(self._number)
        self._play(ears, top)
        np.clip(ears, -32767, 32767, out=ears)
        for leg in self._listened:
            if leg.listener and not leg.closed and not leg.muted:
                leg.listener(frames[leg.row], ears[leg.row])
        samples = ears.astype(np.int16)
        self._record(samples[top:])
        self._send(top, ears, samples[:top])
        self._report_and_watch(at)

    def _heard(self, top: int, at: float) -> Floats:
        """What each leg says in this tick."""
        frames, missing, numbers, saved = self.buffers.take(top, at * 50)
        for leg in self._wide:
            assert leg.wide
            number = -1 if missing[leg.row] else int(numbers[leg.row])
            frames[leg.row] = leg.wide.take(number)
            if saved[leg.row]:
                frames[leg.row] = leg.wide.take(number + 1)
        self.concealment.apply(frames, missing)
        self._last_loud[:top][np.abs(frames).max(1, initial=0) > LOUD] = at
        if len(self._tone_rows):
            for row, key in self._tone_keys.hear(self._tone_rows, frames[self._tone_rows]):
                heard = self._legs.get(row)
                if heard:
                    heard.tell(Digit(heard, key, by_sound=True))
        return frames

    def _play(self, ears: Floats, top: int) -> None:
        for leg in list(self._prompted):
            frame = _next(leg.prompts, lambda leg=leg: leg.prompt_ended(stopped=False))  # type: ignore[misc]  # -- bound at once
            if frame is None:
                self.prompts_changed(leg)
            elif not leg.closed:
                ears[leg.row] += frame
        for mix, waiting in list(self._announced.items()):
            frame = _next(waiting, lambda waiting=waiting: waiting.popleft().end(whole=True))  # type: ignore[misc]  # -- bound at once
            if frame is None:
                del self._announced[mix]
                continue
            for member in mix.legs:
                ears[member.row] += frame
            for number, (_recording, of) in enumerate(self._recorded):
                if of is mix:
                    ears[top + number] += frame

    def _record(self, samples: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> None:
        for number, (recording, _of) in enumerate(self._recorded):
            kept = self._kept.get(recording)
            if kept is None:
                continue  # it ended within this tick
            kept.append(np.zeros(FRAME, np.int16) if recording.paused else samples[number])
            recording.frames += 1
            if (recording.frames + recording.turn) % CHUNK_FRAMES == 0:
                self._kept[recording] = []
                recording.hand_over(np.concatenate(kept))

    def _send(self, top: int, ears: Floats, samples: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> None:
        self.departing.write(top, self._send_rows, samples)
        for send, packet, to in self._sends:
            try:
                send(packet, to)
            except OSError:
                self.unsent += 1
        for leg in self._wide:
            self._send_wide(leg, ears)
        for leg in self._pressing:
            self._send_keys(leg)
        self.departing.pass_time(top)

    def _send_wide(self, leg: Leg, ears: Floats) -> None:
        to, row, out = leg.sends_to, leg.row, self.departing
        if leg.keys is not None or to is None or leg.wide is None or leg.agreement is None:
            return
        high: Floats | None = None
        for other in leg.mix.legs if leg.mix else ():
            if other.wide and leg.mix and (gain := leg.mix.gain(leg, other)):
                high = other.wide.high * gain if high is None else high + other.wide.high * gain
        payload = leg.wide.encode(ears[row], high)
        if payload:
            number, stamp, source = int(out.sequence[row]), int(out.stamp[row]) & 0xFFFFFFFF, int(out.source[row])
            packet = rtp.Packet(leg.agreement.payload_type, number, stamp, source, payload, bool(out.marked[row]))
            self.send(leg.pair.rtp, rtp.write(packet), to)
            out.sequence[row] += 1
            out.sent[row] += 1
            out.marked[row] = 0

    def _send_keys(self, leg: Leg) -> None:
        assert leg.keys is not None
        now = next(leg.keys, None)
        if now is None:
            leg.keys = None
            self.departing.marked[leg.row] = 1
            self._sends_changed = True
            return
        for one in now:
            leg.send_key(one)

    def send(self, through: socket.socket, datagram: bytes, to: tuple[str, int]) -> None:
        """Send one packet; what the machine does not take is counted."""
        try:
            through.sendto(datagram, to)
        except OSError:
            self.unsent += 1

    def _report_and_watch(self, at: float) -> None:
        for row in range(self._number % REPORT_TICKS, self._top, REPORT_TICKS):
            leg = self._legs.get(row)
            if leg and leg.agreement:
                together = leg.agreement.rtcp_together
                to = leg.sends_to or leg.agreement.remote if together else leg.agreement.remote_rtcp
                self.send(leg.pair.rtp if together else leg.pair.rtcp, leg.report(at), to)
        for row in range(self._number % WATCH_TICKS, self._top, WATCH_TICKS):
            watched = self._legs.get(row)
            if watched:
                watched.watch(at, self._one_way_after)
                self._watch_silence(watched, at)

    def _watch_silence(self, leg: Leg, at: float) -> None:
        quiet = at - max(float(self._last_loud[leg.row]), leg.agreed_at)
        speaking = self.arriving.heard[leg.row] and at - self.arriving.last_at[leg.row] < 1
        if quiet < self._silent_after or not speaking:
            leg.silent_told = False
        elif not leg.silent_told:
            leg.silent_told = True
            leg.tell(Silent(leg, quiet))


def _next(waiting: deque[Playing], over: Callable[[], None]) -> Floats | None:
    """The next frame of what is played, the next sound beginning where one ends; None when there is nothing more."""
    while waiting:
        playing = waiting[0]
        frame = playing.next()
        if frame is not None:
            return frame.astype(np.float32) * np.float32(playing.gain)
        over()
    return None


def _in_loop(loop: asyncio.AbstractEventLoop, run: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody asks any more
        loop.call_soon_threadsafe(run)
