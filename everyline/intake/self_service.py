"""Talks that a flow answers: what is said in them moves its run, in the transaction in which it is settled."""

from __future__ import annotations

from collections.abc import Sequence

from everyline.cases.talks import FLOW
from everyline.channel_contract import Verification
from everyline.dispatch import talks
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Conflict
from everyline.ground.installation import Ground
from everyline.ground.spoken import chosen
from everyline.ground.words import _, speaking
from everyline.intake.said import Said, Settled
from everyline.selfservice import origins
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.running import handing, linking, telling
from everyline.selfservice.running.keeping import run_of, statements
from everyline.selfservice.running.library import Library
from everyline.selfservice.running.moving import Begins, Move, Stands, begin_all, move_all
from everyline.selfservice.running.talking import SAID
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.walking import Said as Answer

FIRST = "first"  # the slot with what somebody began with
LONGEST = 4000  # characters of it that are kept


class SelfService:
    """Answers for one process of the worker role."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._vault, self._library = ground, ground.vault, Library()

    async def answers(self, tx: Tx, flow: str) -> bool:
        """Is there such a flow to begin?"""
        return (await self._library.open(tx))(flow, 0) is not None

    async def answer(self, tx: Tx, settled: Settled) -> None:
        """Move the runs of all talks of a batch that are in a flow, in the order in which things were said."""
        waiting = [one for one in settled.said if one.mode == FLOW and one.by_person]
        while waiting:
            first: dict[int, Said] = {}
            for one in waiting:
                first.setdefault(one.interaction_id, one)
            taken = {id(one) for one in first.values()}
            waiting = [one for one in waiting if id(one) not in taken]
            await self._answer(tx, list(first.values()))
        await self._take_up(tx, [one for one in settled.said if one.read.left and one.begins_talk and one.talk])

    async def _take_up(self, tx: Tx, late: Sequence[Said]) -> None:
        """What was said to a flow and comes when that is over goes where the flow would have led it."""
        rows = await tx.rows(statements.of_keys, {"keys": [one.talk for one in late]}) if late else []
        runs = {row.key: row.id for row in rows}
        for one in late:
            if one.talk in runs:
                row = await tx.one(statements.look, {"id": runs[one.talk], "at": now()})
                await handing.take_up(tx, self._library, run_of(row, self._vault).state, one.case_id)

    async def _answer(self, tx: Tx, said: Sequence[Said]) -> None:
        rows = await tx.rows(statements.of_interactions, {"ids": [one.interaction_id for one in said]})
        going = {row.interaction_id: row.id for row in rows}
        moves = [
            Move(going[one.interaction_id], Answer(one.read.text), who=_who(one), openly=True)
            for one in said
            if one.interaction_id in going
        ]
        stands = await move_all(tx, self._vault, self._library, moves)
        stands += await self._begin(tx, [one for one in said if one.interaction_id not in going])
        for one in stands:
            await telling.tell(tx, self._ground, self._library, one)

    async def _begin(self, tx: Tx, said: Sequence[Said]) -> list[Stands]:
        """Who begins with one of the ways on that they are asked to choose from has chosen it."""
        beginning = [
            Begins(
                one.facts.flow,
                _who(one),
                dict.fromkeys((FIRST, SAID), Value(Kind.TEXT, one.read.text[:LONGEST])),
                {"page": one.read.page.url} if one.read.page is not None else {},
                interaction_id=one.interaction_id,
                case_id=one.case_id,
            )
            for one in said
        ]
        stands = await begin_all(tx, self._vault, self._library, beginning)
        chose = {
            one.run.id: Move(one.run.id, Answer(words.read.text))
            for one, words in zip(stands, said, strict=True)
            if one.turn.asks is not None
            and chosen(words.read.text, [(way.name, list(way.words.values())) for way in one.turn.asks.options])
        }
        moved = {one.run.id: one for one in await move_all(tx, self._vault, self._library, list(chose.values()))}
        return [moved.get(one.run.id, one) for one in stands]


def _who(one: Said) -> Who:
    """Who is shown to be somebody is; a sender of live text is nobody else than who writes there."""
    language = one.read.language or one.known.language or one.piece.line.language
    proved = one.read.verification is not Verification.NONE
    return Who(
        one.known.customer_id if proved else None,
        Level.PROVED if proved else Level.UNKNOWN,
        one.known.point_id if proved else None,
        language,
        one.piece.line.channel,
        (origins.of_visitor(one.known.point_id),),
    )


async def type_secret(tx: Tx, ground: Ground, library: Library, talk: Row, digits: str) -> None:
    """A secret was keyed in a talk, out of sight: it moves the talk's run, and stands in no message. Conflict when none is asked
    for. The case must be locked."""
    rows = await tx.rows(statements.of_interactions, {"ids": [talk.id]})
    moves = [Move(row.id, Answer(digits), secretly=True) for row in rows]
    stands = await move_all(tx, ground.vault, library, moves)
    if not any(one.moved for one in stands):
        raise Conflict(_("No secret is asked for here."))
    for one in stands:
        await telling.tell(tx, ground, library, one)


async def tell_elsewhere(tx: Tx, ground: Ground, talk: Row) -> None:
    """Tell in a talk how its run goes on elsewhere. Conflict when it is in none. The case must be locked."""
    rows = await tx.rows(statements.of_interactions, {"ids": [talk.id]})
    if not rows:
        raise Conflict(_("Nothing goes on here that could go on elsewhere."))
    link = await linking.make(tx, ground.key, rows[0].id)
    with speaking(talk.language or "en"):
        said = _(
            "Open this address on the other device: %(url)s\n\nOr type the code %(code)s on our website under “Do it online”."
        )
    url = link.url(ground.settings.address)
    await talks.say(tx, talk, said % {"url": url, "code": link.code})


async def over(tx: Tx, interaction_id: int) -> None:
    """A talk has ended: so have its runs."""
    for row in await tx.rows(statements.of_interactions, {"ids": [interaction_id]}):
        await telling.leave(tx, row.id)


async def leave(tx: Tx, interaction_id: int, case_id: int) -> None:
    """Who talks with a flow has been silent and away for so long that it ends."""
    rows = await tx.rows(statements.of_interactions, {"ids": [interaction_id]})
    for row in rows:
        await telling.leave(tx, row.id)
    if not rows:
        await telling.close(tx, case_id, "idle")
