"""Verbs about teams: who belongs together, which of them are partners, and what a team does in a queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from everyline.ground import events, sql
from everyline.ground.clock import now
from everyline.ground.database import Row, Tx
from everyline.ground.errors import Invalid, NotFound
from everyline.ground.words import _
from everyline.people import queries as people
from everyline.people.models import Agent, Team
from everyline.queues import queries
from everyline.queues.models import QueueTeam

statements = sql.beside(__file__, "teams.sql")

LONGEST_DELAY = 86_400  # seconds
MOST_AN_INTERVAL = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """What a team does in a queue."""

    delay_seconds: int = 0  # before it sees an entry
    share: int | None = None  # per cent of the entries
    floor: int | None = None  # at least so many an interval
    ceiling: int | None = None  # at most so many an interval

    @property
    def means_nothing(self) -> bool:
        """Is it as if nothing were said?"""
        return self == Part()


@dataclass(frozen=True, slots=True)
class Given:
    """What a team was given of a queue's entries, against what it was to get."""

    team_id: int
    given: int
    share: float  # per cent of all that were given then
    target: float | None  # per cent, as it is set today; None: no share is set

    @property
    def off(self) -> float | None:
        """Points of per cent above its target; negative: behind it."""
        return None if self.target is None else self.share - self.target


@dataclass(frozen=True, slots=True)
class Split:
    """How the entries of one day or one interval were split."""

    begins_at: datetime
    given: int
    teams: tuple[Given, ...]


async def all_teams(tx: Tx) -> Sequence[Row]:
    """The teams in use, by name, with how many agents belong to each."""
    return await tx.rows(statements.all_teams)


async def get(tx: Tx, team_id: int) -> Row:
    """One team in use. NotFound otherwise."""
    row = await tx.first(select(Team.__table__).where(Team.id == team_id, Team.retired_at.is_(None)))
    if row is None:
        raise NotFound(_("There is no such team."))
    return row


async def _name(tx: Tx, name: str, but: int = 0) -> str:
    name = name.strip()
    if not name:
        raise Invalid(_("It needs a name."), {"name": _("Write a name.")})
    if await tx.value(select(Team.id).where(Team.name == name, Team.id != but)) is not None:
        raise Invalid(_("There is one of this name already."), {"name": _("Choose another name.")})
    return name


async def add_team(tx: Tx, by: int | None, name: str, *, partner: bool = False) -> int:
    """Add a team; a partner is a team of another firm."""
    values = {"name": await _name(tx, name), "partner": partner}
    team_id: int = await tx.value(insert(Team).values(**values).returning(Team.id))
    await events.record(tx, "team.added", actor_id=by, team_id=team_id)
    return team_id


async def change_team(tx: Tx, by: int | None, team_id: int, **facts: Any) -> None:
    """Change a team's name, or whether it is a partner."""
    before = await get(tx, team_id)
    if "name" in facts:
        facts["name"] = await _name(tx, facts["name"], team_id)
    values = {name: value for name, value in facts.items() if getattr(before, name) != value}
    if values:
        await tx.execute(update(Team).where(Team.id == team_id).values(**values))
        await events.record(tx, "team.changed", actor_id=by, team_id=team_id, fields=sorted(values))


async def retire_team(tx: Tx, by: int | None, team_id: int) -> None:
    """Take a team out of use: nobody belongs to it, no queue knows it, what waits for it is everybody's. What it did stays
    in the figures; its name can be used anew."""
    row = await get(tx, team_id)
    await set_agents(tx, by, team_id, ())
    queue_ids = await tx.column(delete(QueueTeam).where(QueueTeam.team_id == team_id).returning(QueueTeam.queue_id))
    for queue_id in sorted(queue_ids):
        await _let_go(tx, queue_id)
        await events.record(tx, "queue.changed", actor_id=by, queue_id=queue_id, fields=["teams"])
    gone = f"{row.name} ({team_id})"
    await tx.execute(update(Team).where(Team.id == team_id).values(retired_at=now(), name=gone))
    await events.record(tx, "team.retired", actor_id=by, team_id=team_id)


async def set_agents(tx: Tx, by: int | None, team_id: int, agent_ids: Iterable[int]) -> None:
    """Who belongs to a team; who belonged to another one leaves it."""
    before = set(await tx.column(select(Agent.id).where(Agent.team_id == team_id)))
    wanted = set(agent_ids)
    for agent_id in sorted(wanted - before):
        await set_team(tx, by, agent_id, team_id)
    for agent_id in sorted(before - wanted):
        await set_team(tx, by, agent_id, None)


async def set_team(tx: Tx, by: int | None, agent_id: int, team_id: int | None) -> None:
    """Which team an agent belongs to; None: to none."""
    agent = await people.get(tx, agent_id)
    if team_id == agent.team_id:
        return
    if team_id is not None:
        await get(tx, team_id)
    await tx.execute(update(Agent).where(Agent.id == agent_id).values(team_id=team_id))
    await events.record(tx, "agent.team_changed", actor_id=by, agent_id=agent_id, team_id=team_id, before=agent.team_id)


async def parts_of(tx: Tx, queue_id: int) -> dict[int, Part]:
    """What each team does in a queue, as far as anything is said of it."""
    rows = await tx.rows(select(QueueTeam.__table__).where(QueueTeam.queue_id == queue_id))
    return {row.team_id: Part(row.delay_seconds, row.share, row.floor, row.ceiling) for row in rows}


def sum_of_shares(parts: Mapping[int, Part]) -> int | None:
    """What the shares add up to; None when there are none."""
    shares = [part.share for part in parts.values() if part.share is not None]
    return sum(shares) if shares else None


async def set_parts(tx: Tx, by: int | None, queue_id: int, parts: Mapping[int, Part]) -> None:
    """What teams do in a queue; a team that is not named does what everybody does. Shares may add up to less than 100: what
    comes is split in proportion. They cannot add up to more."""
    await queries.get(tx, queue_id)
    wanted = {team_id: part for team_id, part in parts.items() if not part.means_nothing}
    _check(wanted)
    known = select(Team.id).where(Team.id.in_(list(wanted)), Team.retired_at.is_(None)).with_for_update(read=True)
    missing = wanted.keys() - set(await tx.column(known))
    if missing:
        raise Invalid(
            _("There is no such team."), {f"team-{gone}-share": _("There is no such team.") for gone in missing}
        )
    if wanted == await parts_of(tx, queue_id):
        return
    await tx.execute(delete(QueueTeam).where(QueueTeam.queue_id == queue_id))
    if wanted:
        await tx.many(
            insert(QueueTeam),
            [
                {
                    "queue_id": queue_id,
                    "team_id": team_id,
                    "delay_seconds": part.delay_seconds,
                    "share": part.share,
                    "floor": part.floor,
                    "ceiling": part.ceiling,
                }
                for team_id, part in wanted.items()
            ],
        )
    await _let_go(tx, queue_id)
    await events.record(
        tx,
        "queue.changed",
        actor_id=by,
        queue_id=queue_id,
        fields=["teams"],
        shares={str(team_id): part.share for team_id, part in wanted.items() if part.share is not None},
    )


async def _let_go(tx: Tx, queue_id: int) -> None:
    """What waits for a team that has no share any more is given out anew."""
    await tx.execute(statements.let_go, {"queue_id": queue_id})


def _check(parts: Mapping[int, Part]) -> None:
    wrong: dict[str, str] = {}
    for team_id, part in parts.items():
        if not 0 <= part.delay_seconds <= LONGEST_DELAY:
            wrong[f"team-{team_id}-delay"] = _("At most one day.")
        if part.share is not None and not 0 <= part.share <= 100:
            wrong[f"team-{team_id}-share"] = _("A number from {least} to {most}.").format(least=0, most=100)
        for name, number in (("floor", part.floor), ("ceiling", part.ceiling)):
            if number is not None and not 0 <= number <= MOST_AN_INTERVAL:
                wrong[f"team-{team_id}-{name}"] = _("A number from {least} to {most}.").format(
                    least=0, most=MOST_AN_INTERVAL
                )
            elif number is not None and part.share is None:
                wrong[f"team-{team_id}-{name}"] = _("Only a team with a share has this.")
        if part.floor is not None and part.ceiling is not None and part.floor > part.ceiling:
            wrong[f"team-{team_id}-ceiling"] = _("This is less than the least.")
    whole = sum_of_shares(parts) or 0
    if not wrong and whole > 100:
        said = _("The shares add up to %s: at most 100.") % whole
        raise Invalid(said, {f"team-{team_id}-share": said for team_id, part in parts.items() if part.share})
    if wrong:
        raise Invalid(_("Please look at this again."), wrong)


async def splits(tx: Tx, queue_id: int, since: date, until: date, *, by_interval: bool = False) -> list[Split]:
    """How a queue's entries were split among teams, newest first: by day, or by interval of 15 minutes. Days are those of
    UTC, as the split itself counts them; ``until`` is counted in."""
    begin = datetime.combine(since, time(), UTC)
    rows = await tx.rows(
        statements.given,
        {
            "queue_id": queue_id,
            "since": begin,
            "until": datetime.combine(until, time(), UTC) + timedelta(days=1),
            "step": "15 minutes" if by_interval else "1 day",
        },
    )
    shares = {team: part.share for team, part in (await parts_of(tx, queue_id)).items() if part.share is not None}
    whole = sum(shares.values())
    by_moment: dict[datetime, dict[int, int]] = {}
    for row in rows:
        by_moment.setdefault(row.begins_at, {})[row.team_id] = int(row.given)
    found = []
    for begins_at, given in sorted(by_moment.items(), reverse=True):
        total = sum(given.values())
        teams = tuple(
            Given(
                team_id,
                given.get(team_id, 0),
                100 * given.get(team_id, 0) / total if total else 0.0,
                100 * shares[team_id] / whole if team_id in shares and whole else None,
            )
            for team_id in sorted({*given, *shares})
        )
        found.append(Split(begins_at, total, teams))
    return found


async def names(tx: Tx) -> dict[int, str]:
    """Every team's name by id, those out of use too."""
    return {row.id: row.name for row in await tx.rows(select(Team.id, Team.name).order_by(func.lower(Team.name)))}
