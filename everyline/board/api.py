"""The board's part of the API: figures to read, and what supervisors do. Included by the web role, for faces do not know
each other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from everyline.board import behind, directing, words
from everyline.board.behind import Place
from everyline.board.face import watch_of
from everyline.board.facts import AgentFacts
from everyline.board.figures import STATES, Line
from everyline.board.rules import WATCHED, limit_of
from everyline.ground.words import _
from everyline.measure.rules import Ratio
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me

Cut = Literal["queue", "channel", "language", "team"]
Reader = Annotated[Me, permit("board.read")]
Director = Annotated[Me, permit("entry.direct")]


class LevelShape(BaseModel):
    """A service level: the share, and what it is a share of."""

    share: float | None = Field(description="0 to 1; null when nothing ended.")
    part: int
    whole: int


class LineShape(BaseModel):
    """One row of the board."""

    key: str
    id: int
    name: str
    waiting: int
    oldest: datetime | None
    expected_low: int | None = Field(description="Seconds that who came last is expected to wait, at least.")
    expected_high: int | None
    level_now: LevelShape = Field(description="Of what ended in the last 30 minutes.")
    level_today: LevelShape
    goal: int = Field(description="Per cent.")
    formulas: list[str]
    agents: dict[str, int] = Field(description="How many are in each state.")
    tones: dict[str, str] = Field(description="Figures over a threshold: warn or bad.")


class UnmetShape(BaseModel):
    """Entries that nobody can take."""

    queue_id: int
    entries: int
    relaxation: str


class BoardShape(BaseModel):
    """The figures of one cut."""

    by: str
    lines: list[LineShape]
    total: LineShape
    unmet: list[UnmetShape]


class AgentOnBoard(BaseModel):
    """An agent with their state and how much they have in hand."""

    id: int
    name: str
    team_id: int | None
    state: str
    reason: str
    since: datetime
    in_hand: int
    case_ids: list[int] = Field(description="What they have in hand, as far as it is of queues that you see.")


class ThresholdShape(BaseModel):
    """From when on a figure asks for attention."""

    queue_id: int | None
    figure: str
    warn: int | None
    bad: int | None
    rings: bool


class Asked(BaseModel):
    """What a program sends."""

    model_config = ConfigDict(extra="forbid")


class MoveAsked(Asked):
    queue_id: int


class PriorityAsked(Asked):
    priority: int = Field(ge=1, le=5, description="1 most urgent to 5.")


class GiveAsked(Asked):
    agent_id: int


class ThresholdAsked(Asked):
    queue_id: int | None = None
    figure: Literal["waiting", "oldest", "expected", "level", "free"]
    warn: int | None = None
    bad: int | None = None
    rings: bool = False


def create_router(route_class: type[APIRoute]) -> APIRouter:
    """The routes, of the class that the API gives its writes."""
    router = APIRouter(route_class=route_class, tags=["board"])

    @router.get("/board")
    async def figures(request: Request, me: Reader, by: Cut = "queue") -> BoardShape:
        """The figures of now, by queue, channel, language or team, within one's scope."""
        found = await watch_of(request).board(me, by)
        return BoardShape(
            by=by,
            lines=[_line(by, line) for line in found.lines],
            total=_line(by, found.total),
            unmet=[UnmetShape(queue_id=number, entries=n, relaxation=text) for number, n, text in found.unmet],
        )

    @router.get("/board/agents")
    async def agents(
        request: Request, me: Reader, by: Cut = "queue", key: str = "all", state: str = ""
    ) -> list[AgentOnBoard]:
        """Agents behind a figure of the board; without a state, all who are not offline. The first 500."""
        place = Place.read({"by": by, "key": key})
        picture = await watch_of(request).picture()
        return [_agent(me, agent) for agent in behind.agents(me, place, picture, state)[:500]]

    @router.get("/board/thresholds")
    async def thresholds(request: Request, me: Reader) -> list[ThresholdShape]:
        """The thresholds that hold: for every queue (null), then those of queues with their own."""
        limits = (await watch_of(request).picture()).limits
        every = [(0, figure) for figure in WATCHED]
        own = sorted(key for key in limits if key[0] and me.sees_queue(key[0]))
        found = []
        for queue_id, figure in (*every, *own):
            limit = limit_of(limits, queue_id, figure)
            found.append(
                ThresholdShape(
                    queue_id=queue_id or None, figure=figure, warn=limit.warn, bad=limit.bad, rings=limit.rings
                )
            )
        return found

    @router.put("/board/thresholds", status_code=204)
    async def set_threshold(
        request: Request, asked: ThresholdAsked, me: Annotated[Me, permit("threshold.write")]
    ) -> None:
        """Set a threshold of a queue, or of every queue."""
        async with ground_of(request).database.transaction() as tx:
            await directing.set_threshold(
                tx, me, asked.queue_id, asked.figure, asked.warn, asked.bad, rings=asked.rings
            )

    @router.post("/entries/{entry_id}/move", status_code=204)
    async def move(request: Request, entry_id: int, asked: MoveAsked, me: Director) -> None:
        """Let an entry wait in another queue; it keeps the time it has waited."""
        async with ground_of(request).database.transaction() as tx:
            await directing.move(tx, me, entry_id, asked.queue_id)

    @router.put("/entries/{entry_id}/priority", status_code=204)
    async def priority(request: Request, entry_id: int, asked: PriorityAsked, me: Director) -> None:
        """Change how urgent an entry is."""
        async with ground_of(request).database.transaction() as tx:
            await directing.change_priority(tx, me, entry_id, asked.priority)

    @router.post("/entries/{entry_id}/give", status_code=204)
    async def give(request: Request, entry_id: int, asked: GiveAsked, me: Director) -> None:
        """Give an entry to an agent past the order of the queue."""
        async with ground_of(request).database.transaction() as tx:
            await directing.give(tx, me, entry_id, asked.agent_id)

    @router.post("/cases/{case_id}/take-over", status_code=204)
    async def take_over(request: Request, case_id: int, me: Director) -> None:
        """Take a case from whoever has it."""
        async with ground_of(request).database.transaction() as tx:
            await directing.take_over(tx, me, case_id)

    return router


def _line(by: str, line: Line) -> LineShape:
    low, high = line.expected or (None, None)
    return LineShape(
        key=line.key,
        id=line.id,
        name=words.name_of(by, line) if by in ("queue", "team") or line.key == "all" else line.name or _("unknown"),
        waiting=line.waiting,
        oldest=line.oldest,
        expected_low=low,
        expected_high=high,
        level_now=_level(line.now),
        level_today=_level(line.today),
        goal=line.goal,
        formulas=list(line.formulas),
        agents=dict(zip(STATES, line.agents, strict=True)),
        tones=dict(line.tones),
    )


def _level(ratio: Ratio) -> LevelShape:
    return LevelShape(share=ratio.share, part=ratio.part, whole=ratio.whole)


def _agent(me: Me, agent: AgentFacts) -> AgentOnBoard:
    return AgentOnBoard(
        id=agent.id,
        name=agent.name,
        team_id=agent.team_id or None,
        state=agent.state,
        reason=agent.reason,
        since=agent.since,
        in_hand=len(agent.works),
        case_ids=[work.case_id for work in agent.works if me.sees_queue(work.queue_id)],
    )
