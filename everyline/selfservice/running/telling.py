"""What a run tells in a talk, and what becomes of the talk when the run is over."""

from __future__ import annotations

from dataclasses import replace

from everyline.cases import queries as case_queries
from everyline.cases.rules import OPEN_STATUSES
from everyline.cases.talks import FLOW
from everyline.channel_contract import MediaClass
from everyline.channel_registry import all_channels
from everyline.dispatch import talks
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.installation import Ground
from everyline.ground.words import _, speaking
from everyline.lines import queries as lines
from everyline.queues import actions as queues
from everyline.selfservice import flows
from everyline.selfservice.renderings import chat, voice
from everyline.selfservice.renderings.seam import Setting
from everyline.selfservice.running import handing, linking
from everyline.selfservice.running.keeping import statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import Stands
from everyline.selfservice.walking import ENDED_AT_PERSON, Does, Turn
from everyline.speech.hearing import Ear


async def tell(tx: Tx, ground: Ground, library: Library, stands: Stands) -> None:
    """Tell a turn where its talk is, once somebody is asked or it is over. Who goes on elsewhere is told there, and here only how
    it ends."""
    run = stands.run
    if run.interaction_id is None or run.outside or not stands.moved:
        return
    talk = await tx.one(statements.talk, {"id": run.interaction_id})
    if talk.ended_at is not None:
        return
    await case_queries.locked(tx, talk.case_id)
    if run.ended and run.outcome == ENDED_AT_PERSON and talk.mode == FLOW:  # it has no step that hands over
        await handing.hand_over(tx, library, run, Does(flows.Queue("person")))
    if run.ended or run.who.channel == talk.channel:
        if _is_heard(talk):
            await _say(tx, ground, talk, stands)
        else:
            await _write(tx, ground, talk, stands)
    if run.ended and run.outcome != ENDED_AT_PERSON and talk.mode == FLOW:  # else people answer later
        await close(tx, talk.case_id, "flow")


def _is_heard(talk: Row) -> bool:
    """Is it a call? Also one that is to be answered later, whose caller still listens."""
    channel = all_channels().get(talk.channel)
    return talk.media_class == MediaClass.CALL or (channel is not None and channel.facts.media_class is MediaClass.CALL)


async def _write(tx: Tx, ground: Ground, talk: Row, stands: Stands) -> None:
    """A turn to read."""
    turn = stands.turn
    shown = chat.render(turn, Setting(language=stands.run.state.language))
    text = "\n\n".join(shown.bubbles)
    hint = shown.field.hint if shown.field is not None else ""
    if asks_secret(turn):  # typed elsewhere
        hint = ""
        text = await _elsewhere(tx, ground, stands, text)
    if text:
        await talks.say(tx, talk, text, [one.label for one in shown.replies], hint=hint)


async def _say(tx: Tx, ground: Ground, talk: Row, stands: Stands) -> None:
    """A turn by ear: a secret is keyed, and stands in no message (``intake.self_service.type_secret``)."""
    language = stands.run.state.language
    setting = Setting(language=language, listens=await _listens(tx, ground, talk, language))
    if voice.needs_another_way(stands.turn, setting):
        link = await linking.make(tx, ground.key, stands.run.id)
        setting = replace(setting, code=link.code)
    spoken = voice.render(stands.turn, setting)
    if spoken.prompts or spoken.keys is not None:
        await talks.say(tx, talk, "\n".join(spoken.prompts), turn=spoken.as_json())


async def _listens(tx: Tx, ground: Ground, talk: Row, language: str) -> bool:
    """May callers of this line answer by speaking, and is there what understands them?"""
    if talk.line_id is None or (ear := Ear.installed(ground.settings)) is None or not ear.knows(language):
        return False
    row = (await lines.by_ids(tx, [talk.line_id])).get(talk.line_id)
    return row is not None and lines.as_channel_sees(row, ground.vault, ground.signer).settings.hears


def asks_secret(turn: Turn) -> bool:
    """Is something asked for that is to stand in no talk?"""
    return turn.asks is not None and turn.asks.slot is not None and turn.asks.slot.secret


async def _elsewhere(tx: Tx, ground: Ground, stands: Stands, text: str) -> str:
    """What others must not read is typed on a page."""
    link = await linking.make(tx, ground.key, stands.run.id)
    language = stands.run.state.language
    with speaking(language):
        said = _("So that nobody can read it here, please type this on our page: %s")
    return f"{text}\n\n{said % link.url(ground.settings.address)}".strip()


async def close(tx: Tx, case_id: int, ended_by: str) -> None:
    """Nothing is left to do in a talk that people never took part in."""
    case = await case_queries.locked(tx, case_id)
    await queues.end_talk(tx, None, case_id, ended_by)
    if case.status in OPEN_STATUSES:
        await queues.resolve(tx, None, case_id)


async def leave(tx: Tx, run_id: int) -> None:
    """Nobody goes on with a run any more: it is over, and so is a talk that it alone answered."""
    await tx.execute(statements.end, {"id": run_id, "at": now(), "outcome": "left"})
    interaction_id = await tx.value(statements.interaction_of, {"id": run_id})
    talk = await tx.first(statements.talk, {"id": interaction_id}) if interaction_id is not None else None
    if talk is not None and talk.ended_at is None and talk.mode == FLOW:
        await close(tx, talk.case_id, "idle")
