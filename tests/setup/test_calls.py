"""A call as it went on the wire: what an admin reads of it, and what nobody does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from everyline.call_contract import (
    CallNow,
    CallState,
    Direction,
    LegKind,
    LegNow,
    LegState,
    Traced,
    TracedMessage,
    TracedWire,
)
from everyline.calls import actions
from everyline.ground.clock import now
from everyline.ground.installation import Ground
from everyline.setup.calls import in_words, sound_in

pytestmark = pytest.mark.req("V2", "P3")
INVITE = (
    "INVITE sip:18005550100@house SIP/2.0\r\nTo: <sip:18005550100@house>\r\nAuthorization: Digest (left out)\r\n\r\n"
    "v=0\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 9\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n"
)
PATH = "/setup/calls/key-1"


async def a_call(ground: Ground, *, node: str = "node-1", **facts: Any) -> None:
    async with ground.database.transaction() as tx:
        line_id = await tx.value(
            text(
                "insert into line (channel, address, name) values ('phone', '+18005550100', 'Toll-free') on conflict do nothing returning id"
            )
        )
        leg = LegNow(
            "customer", LegKind.CUSTOMER, LegState.IN, "(360) 555-0142", quality={"score": 3.3, "loss": 0.04}, remark="They are silent."
        )  # fmt: skip
        call = CallNow(
            "key-1", Direction.IN, CallState.UP, now(), "+13605550142", "18005550100", "user@trunk", "PCMU", legs=(leg,)
        )
        await actions.beat(tx, "node-1")
        await actions.tell(tx, node, line_id, call)
        if facts:
            await actions.tell(tx, node, line_id, CallNow(**{n: getattr(call, n) for n in call.__slots__} | facts))


async def read(admin: httpx.AsyncClient, ground: Ground, answer: str, refused: str = "") -> str:
    """The page, with a process that has the call."""
    heard = asyncio.Event()

    async def obey() -> None:
        await heard.wait()
        async with ground.database.transaction() as tx:
            for row in await actions.take(tx, "node-1"):
                assert (row.deed, row.call_key) == ("trace", "key-1")
                await actions.settle(tx, row.id, answer=answer, refused=refused)

    with ground.bus.hearing(lambda words: heard.set() if words.get("kind") == actions.WORD else None):
        task = asyncio.create_task(obey())
        page = await admin.get(PATH)
        await task
    assert page.status_code == 200, page.text
    return page.text


async def test_an_admin_reads_a_call_message_by_message(admin: httpx.AsyncClient, ground: Ground) -> None:
    await a_call(ground)
    at = now()
    said = (
        (INVITE, False), ("SIP/2.0 180 Ringing\r\n\r\n", True), ("SIP/2.0 200 OK\r\n\r\n", True), ("BYE sip:x SIP/2.0\r\n\r\n", False),
    )  # fmt: skip
    messages = tuple(
        TracedMessage(
            at=at + timedelta(seconds=n), ours=ours, peer="203.0.113.9:5060", text=words, left_out=7 * (n == 3)
        )
        for n, (words, ours) in enumerate(said)
    )
    wire = TracedWire(name="customer", shown="(360) 555-0142", trunk="user@trunk", messages=messages)
    page = await read(admin, ground, Traced(wires=(wire,)).model_dump_json())
    for words in (
        "Toll-free", "user@trunk", "PCMU", "Fair sound", "They are silent.", "It goes on", "wants to talk", "180 Ringing", "rings",
        "sound to 203.0.113.9:40000, PCMU/8000, G722/8000", "hangs up", "7 messages are left out.", "Digest (left out)",
    ):  # fmt: skip
        assert words in page, words
    assert page.index("wants to talk") < page.index("180 Ringing") < page.index("hangs up")
    async with ground.database.transaction() as tx:
        assert await tx.value(text("select detail ->> 'key' from audit where act = 'call.traced'")) == "key-1"


async def test_what_is_written_down_stands_when_the_messages_are_gone(admin: httpx.AsyncClient, ground: Ground) -> None:
    await a_call(ground, ended_at=now(), state=CallState.ENDED, ended_by="trunk", reason="503 Service Unavailable")
    page = await read(admin, ground, "", refused="What this call said on the wire is not kept any more.")
    assert "is not kept any more" in page
    assert "503 Service Unavailable" in page
    async with ground.database.transaction() as tx:
        await actions.leave(tx, "node-1")
    page = (await admin.get(PATH)).text
    assert "has ended since" in page
    assert "They are silent." in page
    assert (await admin.get("/setup/calls/another")).status_code == 404


async def test_only_admins_read_it(client: httpx.AsyncClient, ground: Ground, sign_in: Any) -> None:
    await a_call(ground)
    client.cookies.update((await sign_in("supervisor", all_queues=True)).cookies)
    assert (await client.get(PATH)).status_code == 403


@pytest.mark.parametrize(
    ("first", "name", "words", "tone"),
    [
        ("SIP/2.0 486 Busy Here", "486 Busy Here", "is busy", "bad"),
        ("SIP/2.0 401 Unauthorized", "401 Unauthorized", "wants a password", ""),
        ("SIP/2.0 599 Odd", "599 Odd", "cannot do it now", "bad"),
        ("SIP/2.0 200 OK", "200 OK", "says yes", "good"),
        ("CANCEL sip:x SIP/2.0", "CANCEL", "takes the call back", ""),
        ("PUBLISH sip:x SIP/2.0", "PUBLISH", "wants something", ""),
        ("INVITE sip:x SIP/2.0\r\nTo: <sip:x>;tag=1", "INVITE", "changes the call: hold, resume or other sound", ""),
        ("nonsense", "nonsense", "cannot be read", "bad"),
        ("SIP/2.0 999 x", "999 x", "refuses", "bad"),
    ],
)
def test_a_message_is_put_in_words(first: str, name: str, words: str, tone: str) -> None:
    assert in_words(first + "\r\n\r\n") == (name, words, tone)
    assert sound_in(first) == ""
