"""What is known of a call's talk, and what its caller meets because of it: one scene at a time, until it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from everyline.call_contract import Direction
from everyline.channel_contract import TalkMessage
from everyline.channels.phone import joining, turns, voicemail, waiting
from everyline.ground.words import _, mark

if TYPE_CHECKING:
    from everyline.channels.phone.call import OneCall

log = logging.getLogger(__name__)
LOOK_SECONDS = 15.0  # the door is asked so often at least: it shows that the call is still there
PAUSE_SECONDS = 1.0
KNOWN_SECONDS = 30.0  # after which a call that nobody knows of is said to be in trouble
GIVE_UP_SECONDS = 60.0

Scene = tuple[Any, ...]


async def follow(call: OneCall) -> None:
    """Hear what happens in the talk. The door may be out of order for a while; nothing is missed by it."""
    after = ""
    while True:
        following = None
        try:
            following = call.house.door.follow(call.line, call.sender, call.language, after)
            while not following.over:
                news = await following.news(LOOK_SECONDS)
                if news is None:
                    continue
                if news.lost:
                    found = await call.house.door.talk(call.line, call.sender, call.language)
                    after = found.position
                    heard(call, found.messages)
                    call.talk = found.talk or call.talk
                    call.moved.set()
                    break
                for position, message in news.messages:
                    after = position
                    heard(call, (message,))
                if news.talk is not None:
                    call.talk = news.talk
                    call.changed()
                call.moved.set()
        except (OSError, ValueError) as error:
            log.warning("a call cannot be followed for now: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("a call could not be followed")
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            if following is not None:
                following.close()


def heard(call: OneCall, messages: Sequence[TalkMessage]) -> None:
    """Messages came: turns are played in their order, each once."""
    for message in messages:
        if message.id > call.newest:
            call.newest = message.id
            if message.turn is not None and not message.own:
                call.turns.append(message)
                call.turned.set()


async def conduct(call: OneCall) -> None:
    """One scene after the other, as the talk goes."""
    now: Scene = ()
    task: asyncio.Task[None] | None = None
    try:
        while True:
            call.moved.clear()
            wanted = scene_of(call)
            if wanted == ("mail",) and now and call.goes_on:
                # who has left their words, or is to be called, hears the goodbye to its end; after a flow it is said here
                wanted = ("left",) if now == ("turns",) else now
            if wanted != now:
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                if wanted[0] in ("waiting", "talking"):
                    call.goes_on = False
                now, task = wanted, asyncio.create_task(_play(call, wanted), name=f"{wanted[0]} {call.key}")
            await call.moved.wait()
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def scene_of(call: OneCall) -> Scene:
    """What the caller should meet now."""
    talk = call.talk
    if talk is None:
        return ("unknown",)
    if talk.phase == "talking" and not talk.in_flow:
        return ("talking", talk.agent_id)
    if call.turns or call.last_words or (talk.in_flow and talk.phase != "ended"):
        return ("turns",)
    return (talk.phase,)


async def _play(call: OneCall, scene: Scene) -> None:
    try:
        with call.for_caller():
            match scene:
                case ("unknown",):
                    await _unknown(call)
                case ("turns",):
                    await turns.play(call)
                case ("waiting",):
                    await waiting.wait(call)
                case ("talking", int(agent_id)):
                    await joining.talk(call, agent_id)
                case ("mail",):
                    await voicemail.later(call)
                case ("ended",):
                    await _ended(call)
                case ("left",):
                    call.silence()
                    await call.say(_("Thank you for calling. Goodbye."))
                    call.ends("us")
                case _:
                    await call.music()
    except OSError as error:
        log.warning("a call is in trouble: %s", error)
        await apologise(call, str(error))
    except Exception:
        log.exception("a call fell over in the scene %s", scene[0])
        await apologise(call, "")


async def _unknown(call: OneCall) -> None:
    """The talk is not there yet: usually for some tenths of a second."""
    if call.direction is Direction.OUT:
        return
    if call.begun is not None and not await asyncio.shield(call.begun):
        await apologise(call, "")
        return
    await call.music()
    await asyncio.sleep(KNOWN_SECONDS)
    await call.say(_("Please stay on the line. It takes a little longer than usual."))
    await asyncio.sleep(GIVE_UP_SECONDS)
    await apologise(call, "")


async def apologise(call: OneCall, reason: str) -> None:
    """We cannot go on: say so, and end it."""
    call.silence()
    why = reason or mark("The call could not be taken in.")
    with call.for_caller():
        await call.say(_("I am sorry, we cannot take your call just now. Please call again in a few minutes."))
    call.ends("us", why)


async def _ended(call: OneCall) -> None:
    """The talk has ended on our side. Who was handed over to somebody else stays with them."""
    if call.passing is not None:
        await asyncio.wait(
            {asyncio.ensure_future(one.wait()) for one in (call.passing.here, call.passing.gone)},
            return_when=asyncio.FIRST_COMPLETED,
        )
    if call.handed_over is not None and call.present():
        await asyncio.gather(*(one.gone.wait() for one in call.present()))
    by = call.talk.ended_by if call.talk else ""
    call.silence()
    if by != "agent":  # who talked with a person has said goodbye
        await call.say(_("Thank you for calling. Goodbye."))
    call.ends("agent" if by == "agent" else "us")
