"""The way to people: a talk goes into their queue, with all that was collected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import update

from everyline.articles.wordings import Wording
from everyline.cases import actions as cases
from everyline.cases import queries as case_queries
from everyline.cases.models import Case, Interaction, Talk
from everyline.cases.talks import FLOW, LIVE
from everyline.channel_contract import MediaClass, TalkRules
from everyline.channel_registry import all_channels
from everyline.ground import events
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Invalid
from everyline.ground.installation import Ground
from everyline.ground.words import _, speaking
from everyline.queues import asks, attendance, waiting
from everyline.queues import queries as queues
from everyline.queues.expressions import Tree
from everyline.selfservice import errands, flows
from everyline.selfservice.bot import handing as asking
from everyline.selfservice.identity import Level
from everyline.selfservice.putting import shown
from everyline.selfservice.running import reaching, talking
from everyline.selfservice.running.facts import queue_named
from everyline.selfservice.running.keeping import Run, statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.walking import Came, Does, State, Within

UNSHOWN = frozenset({"first", "bot.context", "bot.intent", "bot.sources"})  # of use to nobody who reads
FAILED = "failed"  # how a run ends that cannot go on at all
STEPS = (flows.Queue, flows.Callback, flows.Voicemail)


def in_talk(run: Run, does: Does) -> bool:
    """Is somebody there in a talk, who is handed over as they are?"""
    return run.interaction_id is not None and isinstance(does.step, STEPS)


async def hand_over(tx: Tx, library: Library, run: Run, does: Does) -> Came:
    """A talk enters its queue: live where somebody is there, else to be answered by mail."""
    talk = await tx.one(statements.talk, {"id": run.interaction_id})
    await case_queries.locked(tx, talk.case_id)
    await tx.execute(statements.join, {"id": run.id, "case_id": talk.case_id, "interaction_id": None})
    if talk.ended_at is not None:
        return Came("to")
    step = does.step
    queue_id = await queue_of(tx, library, run.state, step) or talk.line_queue_id
    if queue_id is None:
        queue_id = await queues.default_queue(tx)  # as of all that no line names a queue for
    if queue_id is None:
        return Came("to")
    due_at = await queues.goal(tx, queue_id, now())
    await tx.execute(update(Case).where(Case.id == talk.case_id).values(queue_id=queue_id, due_at=due_at, unread=True))
    await events.record(
        tx,
        "run.handed_over",
        case_id=talk.case_id,
        interaction_id=talk.id,
        queue_id=queue_id,
        line_id=talk.line_id,
        run_id=run.id,
        flow=run.flow,
        step=step.name,
    )
    there = await attendance.of(tx, talk.hours_id, queue_id, TalkRules(**talk.rules))
    live = there.attended and isinstance(step, flows.Queue)
    if live:
        if talk.mode != FLOW:  # they left words for later, and want somebody now
            await waiting.leave(tx, talk.case_id, "transferred")
            await tx.execute(
                update(Interaction)
                .where(Interaction.id == talk.id)
                .values(media_class=str(all_channels()[talk.channel].facts.media_class))
            )
        await tx.execute(
            update(Talk).where(Talk.interaction_id == talk.id).values(mode=LIVE, said_at=now(), warned_at=None)
        )
    else:
        await cases.answer_later(tx, talk.id)
    wants = await _wants(tx, step)
    await waiting.wait_in(tx, talk.case_id, queue_id, wants=wants)
    if live or not isinstance(step, flows.Queue):
        return Came("to")
    with speaking(run.who.language):
        if talk.media_class == MediaClass.CALL:  # what they can do now is said by who has the call
            return Came("to", told=_("Nobody is here right now."))
        return Came("to", told=_("Nobody is here right now. We answer by mail: leave us your email address."))


async def take_up(tx: Tx, library: Library, state: State, case_id: int) -> None:
    """What was said to a step that takes messages came when its run was over, because the call was cut off: it waits where the step leads."""
    found = (await library.open(tx, [state]))(state.flow, state.version)
    step = found[1].step(state.step) if found is not None else None
    queue_id = await queue_of(tx, library, state, step) if isinstance(step, flows.Voicemail) else None
    if queue_id is None:
        return
    case = await case_queries.locked(tx, case_id)
    if case.queue_id == queue_id or case.owner_id is not None:
        return
    due_at = await queues.goal(tx, queue_id, now())
    await waiting.leave(tx, case_id, "transferred")
    await tx.execute(update(Case).where(Case.id == case_id).values(queue_id=queue_id, due_at=due_at))
    await waiting.wait_in(tx, case_id, queue_id, moved=True)


async def leave_to_people(tx: Tx, run_id: int) -> None:
    """A run that cannot go on is over. Who is in a talk waits for people as simply as can be, whatever the flow says."""
    interaction_id = await tx.value(statements.interaction_of, {"id": run_id})
    await tx.execute(statements.end, {"id": run_id, "at": now(), "outcome": FAILED})
    talk = await tx.first(statements.talk, {"id": interaction_id}) if interaction_id is not None else None
    if talk is None or talk.ended_at is not None or talk.mode != FLOW:
        return
    await case_queries.locked(tx, talk.case_id)
    await tx.execute(statements.join, {"id": run_id, "case_id": talk.case_id, "interaction_id": None})
    queue_id = talk.line_queue_id or await queues.default_queue(tx)
    if queue_id is not None:
        due_at = await queues.goal(tx, queue_id, now())
        await tx.execute(
            update(Case).where(Case.id == talk.case_id).values(queue_id=queue_id, due_at=due_at, unread=True)
        )
        await cases.answer_later(tx, talk.id)
        await waiting.wait_in(tx, talk.case_id, queue_id)


async def open_case(ground: Ground, library: Library, run: Run, does: Does) -> tuple[Came | Within, int | None]:
    """Who is in no talk gets a case of their own, or a callback, once we know where its answer goes. Also the case's id."""
    step = does.step
    number = does.values.get("number")
    calls = isinstance(step, flows.Callback) and number is not None and number.value
    if not calls and _address(run) is None and not run.who.shows(Level.ADDRESS):
        return Within(
            reaching.NAME, {name: value for name, value in run.state.slots.items() if name == "message"}
        ), None
    async with ground.database.transaction() as tx:
        queue_id = await queue_of(tx, library, run.state, step)
        queue = (await queues.get(tx, queue_id)).name if queue_id is not None else ""
        found = (await library.open(tx, [run.state]))(run.state.flow, run.state.version)
        said = await asking.said(tx, talking.talk_of(run.id))
    flow = found[1] if found is not None else None
    values = {"queue": Value(Kind.TEXT, queue)} if queue else {}
    title = flow.called(run.who.language) if flow is not None else run.flow
    if calls and number is not None:
        outcome = await errands.carry_out(
            ground, "ask_callback", {**values, "number": number, "subject": Value(Kind.TEXT, title)}, run.who, run.key()
        )
    else:
        values |= {"subject": Value(Kind.TEXT, title), "text": Value(Kind.TEXT, _in_words(flow, run, said))}
        if (address := _address(run)) is not None:
            values["email"] = Value(Kind.EMAIL, address)
        outcome = await errands.carry_out(ground, "new_case", values, run.who, run.key())
    if not isinstance(outcome, errands.Done):
        told = outcome.told if isinstance(outcome, errands.Refused) else ""
        return Came(step.HELPS[0] if step.HELPS else "fail", told=told or _later(run.who.language)), None
    opened = outcome.slots.get("number")
    async with ground.database.transaction() as tx:
        case_id = await tx.value(statements.id_of, {"number": int(opened.value)}) if opened is not None else None
    return Came("to", told=outcome.told), case_id


def _later(language: str) -> str:
    with speaking(language):
        return _("We cannot take this now. Please reach us another way.")


def _in_words(flow: flows.Flow | None, run: Run, said: Sequence[str]) -> str:
    """What people read first: what was left for them, what the bot was asked, and all that was collected."""
    left = run.state.slots.get("message")
    rest = {name: value for name, value in run.state.slots.items() if name != "message"}
    lines = [f"{label}: {value}" for label, value in collected(flow, rest)]
    return (
        "\n\n".join(
            part for part in (left.value if left is not None else "", "\n".join(said), "\n".join(lines)) if part
        )[:4000]
        or "…"
    )


def _address(run: Run) -> str | None:
    """The mailbox that somebody told on the way."""
    return next((value.value for value in run.state.slots.values() if value.kind is Kind.EMAIL and value.value), None)


async def queue_of(tx: Tx, library: Library, state: State, step: flows.Step) -> int | None:
    """The queue that a step leads to: its own, the flow's, that of a flow around it, or the usual one."""
    name = getattr(step, "queue", "")
    shelf = await library.open(tx, [state])
    for flow, version in ((state.flow, state.version), *((one.flow, one.version) for one in reversed(state.around))):
        if name:
            break
        found = shelf(flow, version)
        name = found[1].queue if found is not None else ""
    return await queue_named(tx, name) if name else None


async def _wants(tx: Tx, step: flows.Step) -> Tree | None:
    """The expression over skills that a step asks for; one that nobody can read any more asks for nothing."""
    words = getattr(step, "needs", "")
    try:
        return await asks.read(tx, words) if words else None
    except Invalid:  # a skill that is not there any more
        return None


def collected(flow: flows.Flow | None, slots: Mapping[str, Value], carry: Sequence[str] = ()) -> list[tuple[str, str]]:
    """What was collected, as agents read it: what each slot was asked by, and its value. Secrets are not shown."""
    asked = _asked(flow)
    names = [name for name in carry if name in slots] + [name for name in slots if name not in carry]
    found = []
    for name in names:
        value = slots[name]
        if name in UNSHOWN or (name == talking.SAID and flow is not None and flow.name == talking.NAME):
            continue
        if value.value or value.kind is Kind.SECRET:
            words = asked.get(name)
            label = (
                " ".join(re.split(r"[._\-\s]+", name.removeprefix(talking.ERRAND)))
                if words is None
                else _in(words, "en")
            )
            found.append((label, shown(value)))
    return found


def filled_in(flow: flows.Flow | None, slots: Mapping[str, Value], language: str) -> list[tuple[str, str]]:
    """What somebody told so far, as they read it: what they were asked, and what they said. What we found out by it is left out."""
    asked = _asked(flow)
    return [
        (_in(asked[name], language), shown(value))
        for name, value in slots.items()
        if name in asked and (value.value or value.kind is Kind.SECRET)
    ]


def _asked(flow: flows.Flow | None) -> dict[str, flows.Words]:
    """By slot, the words by which it is asked for."""
    steps = flow.steps if flow is not None else ()
    found = {step.into: step.words for step in steps if isinstance(step, flows.Choose) and step.into}
    return found | {step.slot.name: step.words for step in steps if isinstance(step, flows.Ask)}


def _in(words: flows.Words, language: str) -> str:
    by_kind = words.get(language) or words.get("en") or next(iter(words.values()), {})
    return str(by_kind.get(Wording.FULL, ""))
