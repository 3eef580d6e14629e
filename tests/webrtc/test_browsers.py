"""Browsers as legs, with aiortc's own peers as pages: tones in, spectra out, keys, pages that are loaded anew and that vanish."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aioice import ice

from everyline.ground.errors import Conflict
from everyline.ground.settings import Settings
from everyline.media.errors import BadDescription, MediaError, NoPorts, NothingInCommon
from everyline.media.events import Digit
from everyline.media.g711 import Samples
from everyline.roles.sound_doctor import gateway
from everyline.webrtc import browser as one_browser
from everyline.webrtc import browsers as all_browsers
from everyline.webrtc.janus import Janus
from tests.media.tones import level
from tests.webrtc.janus import SECRET, janus
from tests.webrtc.pages import House, Page, formats_of, house

pytestmark = pytest.mark.req("V5")
LOUD = 2500
OWN_ADDRESSES = ice.get_host_addresses


@pytest.fixture(autouse=True)
def _on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peers of the tests speak from loopback, and nobody waits long for those who are gone."""
    monkeypatch.setattr(one_browser, "QUIET", 0.6)
    monkeypatch.setattr(ice, "get_host_addresses", lambda **_: ["127.0.0.1"])


@pytest.fixture
async def here() -> AsyncIterator[House]:
    async with house() as found:
        yield found


def beside_janus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages speak from this machine's own address: Janus offers no loopback."""
    monkeypatch.setattr(ice, "get_host_addresses", OWN_ADDRESSES)


@pytest.fixture(params=["own", "janus"])
async def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """A house whose ways this process keeps, and one whose ways a Janus keeps."""
    if request.param == "own":
        async with house() as found:
            yield found
    else:
        beside_janus(monkeypatch)
        async with janus(tmp_path / "janus") as beside, house(janus=Janus(beside.url, SECRET)) as found:
            yield found


def only(hertz: int, *others: int) -> Callable[[Samples], bool]:
    """This tone at full strength and the others not at all."""

    def right(samples: Samples) -> bool:
        return level(samples, hertz) > LOUD and all(level(samples, other) < 100 for other in others)

    return right


async def test_two_browsers_hear_each_other(anywhere: House) -> None:
    one, two = Page(440), Page(1000)
    answer = await one.turn_on(anywhere.browsers, 1)
    assert formats_of(answer) == ["PCMU"], "what passes as it is, and nothing else"
    await two.turn_on(anywhere.browsers, 2)
    while len(anywhere.told) < 2:
        await anywhere._moved.wait()
        anywhere._moved.clear()
    assert sorted(anywhere.told) == [(1, True), (2, True)]
    mix = anywhere.engine.mix()
    for agent_id in (1, 2):
        found = anywhere.browsers.get(agent_id)
        assert found
        assert found.ready
        mix.add(found.leg)
    await one.hears(only(1000, 440))
    await two.hears(only(440, 1000))
    quality = mix.legs[0].quality()
    assert quality.lost == 0
    assert quality.unreadable == 0
    await anywhere.browsers.close(1)
    assert anywhere.browsers.get(1) is None
    assert anywhere.told[2:] == [(1, False)]
    await one.close()
    await two.close()


async def test_keys_of_a_browser_are_heard(anywhere: House) -> None:
    page = Page()
    offer = (await page.offer()).replace("a=rtcp-mux\r\n", "a=rtpmap:126 telephone-event/8000\r\na=rtcp-mux\r\n")
    offer = re.sub(r"(m=audio [^\r]*)", r"\1 126", offer)
    answer = await anywhere.browsers.answer(1, offer)
    assert formats_of(answer) == ["PCMU", "telephone-event"]
    await page.take(answer)
    await anywhere.until((1, True))
    found = anywhere.browsers.get(1)
    assert found
    events = found.leg.events()
    await page.press(5, 126)
    async for event in events:
        if isinstance(event, Digit):
            assert event.key == "5"
            break
    await events.aclose()  # type: ignore[attr-defined]  # -- a generator
    await page.close()


async def test_a_page_that_is_loaded_anew_takes_over_and_stays_in_its_call(anywhere: House) -> None:
    customer, first = Page(1700), Page(440)
    await customer.turn_on(anywhere.browsers, 9)
    await first.turn_on(anywhere.browsers, 1)
    await first.hears(lambda _sound: True, 160)
    mix = anywhere.engine.mix()
    for agent_id in (9, 1):
        found = anywhere.browsers.get(agent_id)
        assert found
        mix.add(found.leg)
    await customer.hears(only(440))
    leg = mix.legs[1]
    second = Page(1000)
    await second.turn_on(anywhere.browsers, 1)
    await customer.hears(only(1000, 440))
    await second.hears(only(1700))
    assert mix.legs[1] is leg, "the mix has noticed nothing"
    assert [one for one in anywhere.told if one[0] == 1] == [(1, True)]
    await first.close()  # whatever becomes of the old page
    await customer.hears(only(1000, 440))
    assert anywhere.browsers.get(1).ready  # type: ignore[union-attr]  # -- it is there
    await second.close()
    await anywhere._moved.wait()
    await customer.close()


async def test_a_page_that_is_closed_is_told_and_its_leg_stays_a_while(anywhere: House) -> None:
    page = Page()
    await page.turn_on(anywhere.browsers, 1)
    await anywhere.until((1, True))
    await page.close()
    await anywhere.until((1, True), (1, False))
    found = anywhere.browsers.get(1)
    assert found
    assert not found.ready
    again = Page()
    await again.turn_on(anywhere.browsers, 1)
    await anywhere.until((1, True), (1, False), (1, True))
    assert anywhere.browsers.get(1) is found
    await again.close()


async def test_a_page_that_vanishes_is_noticed(anywhere: House) -> None:
    page = Page()
    await page.turn_on(anywhere.browsers, 1)
    await anywhere.until((1, True))
    await page.vanish()
    await anywhere.until((1, True), (1, False))
    found = anywhere.browsers.get(1)
    assert found, "it waits for the page to come back"
    assert not found.ready


async def test_a_leg_that_nobody_comes_back_to_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_browsers, "KEPT", 0.0)
    async with house() as here:
        page = Page()
        await page.turn_on(here.browsers, 1)
        await here.until((1, True))
        mix = here.engine.mix()
        mix.add(here.browsers.get(1).leg)  # type: ignore[union-attr]  # -- it is there
        await page.close()
        await here.until((1, True), (1, False))
        here.browsers._watch()
        assert here.browsers.get(1), "in a call it waits for as long as that lasts"
        mix.end()
        here.browsers._watch()
        assert here.browsers.get(1) is None
        assert not here.engine.legs


async def test_an_echo_comes_later_and_ends_with_a_call(anywhere: House) -> None:
    page = Page(440)
    with pytest.raises(Conflict):
        anywhere.browsers.echo(1, on=True)
    await page.turn_on(anywhere.browsers, 1)
    await anywhere.until((1, True))
    await page.hears(lambda sound: level(sound, 440) < 10)
    anywhere.browsers.echo(1, on=True)
    await page.hears(only(440))
    anywhere.browsers.echo(1, on=False)
    await page.hears(lambda sound: level(sound, 440) < 10)
    anywhere.browsers.echo(1, on=True)
    await page.hears(only(440))
    mix = anywhere.engine.mix()
    mix.add(anywhere.browsers.get(1).leg)  # type: ignore[union-attr]  # -- it is there
    await page.hears(lambda sound: level(sound, 440) < 10)
    with pytest.raises(Conflict):
        anywhere.browsers.echo(1, on=True)
    await page.close()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda offer: offer.replace("v=0", "v=1"), BadDescription),
        (lambda offer: offer.replace("m=audio", "m=video"), NothingInCommon),
        (lambda offer: offer.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), NothingInCommon),
        (lambda offer: offer.replace("a=rtcp-mux\r\n", ""), NothingInCommon),
        (lambda offer: re.sub(r"a=fingerprint:.*\r\n", "", offer), BadDescription),
        (lambda offer: re.sub(r"a=ice-pwd:.*\r\n", "a=ice-pwd:short\r\n", offer), BadDescription),
        (lambda offer: re.sub(r"a=mid:.*\r\n", "a=mid:0\x0bnew\r\n", offer), BadDescription),
        (lambda offer: offer.replace("PCMU", "XXXX").replace("PCMA", "XXXX"), NothingInCommon),
        (lambda offer: offer + "a=x:" + "y" * 20_000, BadDescription),
    ],
)
async def test_what_is_no_offer_of_sound_is_refused(
    here: House, change: Callable[[str], str], error: type[MediaError]
) -> None:
    page = Page()
    with pytest.raises(error):
        await here.browsers.answer(1, change(await page.offer()))
    await page.close()


async def test_candidates_are_where_we_were_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with house(ports=(port, port)) as here:
            page = Page()
            with pytest.raises(NoPorts):
                await page.turn_on(here.browsers, 1)
            taken.close()
            answer = await page.turn_on(here.browsers, 1)
            found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ (\w+)", answer)
            assert found == [("127.0.0.1", str(port), "host")]
            await here.until((1, True))
            await page.close()
    async with house(advertised=["192.0.2.1", "2001:db8::1"]) as here:
        page = Page()
        answer = await here.browsers.answer(1, await page.offer())
        assert re.findall(r"udp \d+ (\S+) \d+ typ", answer) == ["192.0.2.1"]
        await page.close()


async def test_an_offer_that_is_never_followed_up_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everyline.webrtc.own.PATIENCE", 0.05)
    monkeypatch.setattr(all_browsers, "KEPT", 0.0)
    async with house() as here:
        page = Page()
        await here.browsers.answer(1, await page.offer())
        (task,) = here.browsers._tasks
        await task
        here.browsers._watch()
        assert len(here.browsers) == 0
        assert here.told == []
        await page.close()


async def test_the_wrong_certificate_is_not_let_in(here: House) -> None:
    page = Page()
    offer = re.sub(r"(a=fingerprint:sha-\d+ )..", r"\g<1>00", await page.offer())
    await page.take(await here.browsers.answer(1, offer))
    (task,) = here.browsers._tasks
    await task
    assert here.told == []
    await page.close()


async def test_a_janus_that_dies_takes_its_ways_along_and_the_next_one_has_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside_janus(monkeypatch)
    page, again = Page(440), Page(1000)
    async with janus(tmp_path / "first") as beside:
        wire = Janus(beside.url, SECRET)
        async with house(janus=wire) as here:
            await page.turn_on(here.browsers, 1)
            await here.until((1, True))
            await beside.die()
            await here.until((1, True), (1, False))
            with pytest.raises(NoPorts, match="no Janus answers"):
                await again.turn_on(here.browsers, 1)
            async with janus(tmp_path / "second", beside.port):
                await again.turn_on(here.browsers, 1)
                await here.until((1, True), (1, False), (1, True))
                await again.close()
                await here.until((1, True), (1, False), (1, True), (1, False))
    await page.close()


async def test_a_janus_with_another_secret_says_so(tmp_path: Path) -> None:
    page = Page()
    async with janus(tmp_path / "janus") as beside, house(janus=Janus(beside.url, "wrong")) as here:
        with pytest.raises(NoPorts, match="Unauthorized"):
            await page.turn_on(here.browsers, 1)
        told = Settings(janus_url=beside.url, janus_secret="wrong")
        assert "Unauthorized" in (await gateway(told)).what
        assert (await gateway(told.model_copy(update={"janus_secret": SECRET}))).well
    await page.close()


async def test_a_janus_does_not_forget_who_says_nothing_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside_janus(monkeypatch)
    monkeypatch.setattr("everyline.webrtc.janus.ALIVE_EVERY", 0.3)
    page = Page()
    async with janus(tmp_path / "janus", forgets=1) as beside, house(janus=Janus(beside.url, SECRET)) as here:
        await page.turn_on(here.browsers, 1)
        await page.hears(lambda _sound: True, 5 * 8000)
        assert here.told == [(1, True)]
        await page.close()


async def test_a_janus_that_has_forgotten_us_is_asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside_janus(monkeypatch)
    page, again = Page(), Page()
    async with janus(tmp_path / "janus", forgets=1) as beside, house(janus=Janus(beside.url, SECRET)) as here:
        await page.turn_on(here.browsers, 1)
        await here.until((1, True), (1, False))
        await again.turn_on(here.browsers, 1)
        await here.until((1, True), (1, False), (1, True))
        assert here.browsers.get(1).ready  # type: ignore[union-attr]  # -- it is there
        await again.close()
    await page.close()
