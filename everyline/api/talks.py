"""Live talks for programs that act for agents, and the canned answers that they use."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from everyline.api.once import OnceRoute
from everyline.api.shapes import Asked, Made, Shape
from everyline.cases import actions as cases
from everyline.cases import queries
from everyline.channel_contract import Card
from everyline.ground.database import Tx
from everyline.ground.errors import Forbidden, Invalid
from everyline.ground.words import _
from everyline.intake import talking
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queue_queries

router = APIRouter(tags=["talks"], route_class=OnceRoute)
Reads = Annotated[Me, permit("case.read")]
Writes = Annotated[Me, permit("case.write")]


class LiveTalk(Shape):
    """A talk that goes on."""

    id: int
    case_id: int
    number: int
    subject: str
    customer_name: str
    channel: str
    queue_id: int | None
    queue_name: str | None
    agent_id: int | None = Field(description="Who has it; null while it waits in a queue.")
    agent_name: str | None
    verification: str = Field(description="How the customer is known: none, site or code.")
    started_at: datetime
    said_at: datetime = Field(description="The customer's newest words.")
    answered_at: datetime | None = Field(description="Our newest words; before said_at: the customer waits for us.")
    here_at: datetime = Field(description="When the customer was last known to look.")
    last_words: str


class TypingAsked(Asked):
    on: bool = True


class CardAsked(Asked):
    """Something to look at that is pushed into a talk."""

    kind: Literal["article", "page"] = "page"
    title: str = Field(min_length=1, max_length=200)
    extract: str = Field("", max_length=500)
    url: str = Field(max_length=2000, description="Begins with https:// or http://.")
    slug: str = Field("", max_length=200, description="Of an article: what the widget opens it by.")


class WhisperAsked(Asked):
    text: str = Field(min_length=1, max_length=20_000)


class CannedFilled(Shape):
    id: int
    name: str
    text: str = Field(description="With its places filled for the case.")


class CannedShape(Shape):
    id: int
    name: str
    text: str = Field(description="With its places: {customer}, {agent}, {number}, {subject}, {queue}, {house}.")
    queue_id: int | None = Field(description="Null: for every queue.")
    agent_id: int | None = Field(description="Whose own it is; null: everybody's.")
    language: str = Field(description="Empty: for every language.")
    position: int
    used: int


class CannedAsked(Asked):
    name: str
    text: str
    queue_id: int | None = None
    language: str = Field("", max_length=12)
    own: bool = Field(default=False, description="For the agent of the token alone.")


class CannedChange(Asked):
    """What is not named stays."""

    name: str | None = None
    text: str | None = None
    queue_id: int | None = None
    language: str | None = Field(None, max_length=12)
    position: int | None = Field(None, ge=0, le=9999)


@router.get("/talks")
async def live(
    request: Request, me: Reads, agent_id: Annotated[int | None, Query(description="Of one agent alone.")] = None
) -> list[LiveTalk]:
    """The talks that go on within one's scope, who waits for us longest first; 500 at most."""
    async with ground_of(request).database.transaction() as tx:
        return [LiveTalk.model_validate(row) for row in await talking.live(tx, me, agent_id=agent_id)]


@router.post("/cases/{case_id}/talk/typing", status_code=204)
async def typing(request: Request, case_id: int, asked: TypingAsked, me: Writes) -> None:
    """Let the customer see that one writes, or no longer; it holds for six seconds, so say it every three."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await queries.get(tx, me, case_id)
    talking.typing(ground.bus, me, case_id, on=asked.on)


@router.post("/cases/{case_id}/talk/read", status_code=204)
async def read(request: Request, case_id: int, me: Writes) -> None:
    """What the customer said up to now was read: they see it."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await queries.get(tx, me, case_id)
        await talking.read(tx, ground.bus, case_id)


@router.post("/cases/{case_id}/talk/cards", status_code=201)
async def push_card(request: Request, case_id: int, asked: CardAsked, me: Writes) -> Made:
    """Push an article or a page into a talk; answers with the message's id."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        card = Card(asked.kind, asked.title, asked.extract, asked.url, asked.slug)
        return Made(id=await talking.push_card(tx, ground.signer, me.id, case_id, card))


@router.post("/cases/{case_id}/talk/end", status_code=204)
async def end(request: Request, case_id: int, me: Writes) -> None:
    """End the talk; the case stays open. 409 when none goes on."""
    async with ground_of(request).database.transaction() as tx:
        await queries.get(tx, me, case_id, lock=True)
        await talking.end(tx, me.id, case_id)


@router.post("/cases/{case_id}/talk/whispers", status_code=201)
async def whisper(
    request: Request, case_id: int, asked: WhisperAsked, me: Annotated[Me, permit("entry.direct")]
) -> Made:
    """Say something to whoever talks with a customer that the customer never sees; answers with the note's id."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, me, case_id, lock=True)
        note_id = await talking.whisper(tx, me.id, case_id, asked.text)
        await audit(tx, me.id, "talk.whispered", "case", case_id, address=me.address, agent_id=row.owner_id)
    return Made(id=note_id)


@router.get("/cases/{case_id}/canned-answers")
async def canned(
    request: Request, case_id: int, me: Writes, q: Annotated[str, Query(max_length=80)] = ""
) -> list[CannedFilled]:
    """The canned answers that fit a case, with their places filled; the best twelve."""
    async with ground_of(request).database.transaction() as tx:
        return [CannedFilled.model_validate(one) for one in await talking.canned(tx, me, case_id, q)]


@router.get("/canned-answers")
async def every_canned(request: Request, me: Reads) -> list[CannedShape]:
    """The canned answers that one may use, one's own first."""
    async with ground_of(request).database.transaction() as tx:
        return [CannedShape.model_validate(row) for row in await cases.kept_canned_answers(tx, me)]


def _check_language(language: str | None) -> None:
    if language and not language.replace("-", "").isalnum():
        raise Invalid(_("This is no language."), {"language": _("Write a code such as en or es.")})


@router.post("/canned-answers", status_code=201)
async def add_canned(request: Request, asked: CannedAsked, me: Writes) -> Made:
    """Keep words that are used again and again: one's own, or, with the scope canned_answer.write, everybody's."""
    _check_language(asked.language)
    if not asked.own and not me.may("canned_answer.write"):
        raise Forbidden(_("You may not do this. Ask an admin if you should."))
    facts: dict[str, Any] = asked.model_dump(exclude={"own"})
    async with ground_of(request).database.transaction() as tx:
        await _check_queue(tx, me, asked.queue_id)
        canned_id = await cases.add_canned_answer(tx, me.id, **facts, agent_id=me.id if asked.own else None)
        await audit(
            tx, me.id, "canned_answer.added", "canned_answer", canned_id, address=me.address, name=asked.name[:120]
        )
    return Made(id=canned_id)


async def _check_queue(tx: Tx, me: Me, queue_id: int | None) -> None:
    if queue_id is not None:
        await queue_queries.get(tx, queue_id)
        if not me.sees_queue(queue_id):
            raise Invalid(_("There is no such queue."), {"queue_id": _("Choose one of the list.")})


@router.patch("/canned-answers/{canned_id}", status_code=204)
async def change_canned(request: Request, canned_id: int, asked: CannedChange, me: Writes) -> None:
    """Change one; what is not named stays."""
    _check_language(asked.language)
    facts = {
        name: value
        for name, value in asked.model_dump(exclude_unset=True).items()
        if value is not None or name == "queue_id"
    }
    async with ground_of(request).database.transaction() as tx:
        await cases.canned_answer(tx, me, canned_id)
        await _check_queue(tx, me, facts.get("queue_id"))
        await cases.change_canned_answer(tx, me.id, canned_id, **facts)
        await audit(
            tx, me.id, "canned_answer.changed", "canned_answer", canned_id, address=me.address, fields=sorted(facts)
        )


@router.delete("/canned-answers/{canned_id}", status_code=204)
async def retire_canned(request: Request, canned_id: int, me: Writes) -> None:
    """Offer it no more."""
    async with ground_of(request).database.transaction() as tx:
        await cases.canned_answer(tx, me, canned_id)
        await cases.retire_canned_answer(tx, me.id, canned_id)
        await audit(tx, me.id, "canned_answer.retired", "canned_answer", canned_id, address=me.address)
