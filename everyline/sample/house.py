"""The sample company itself: its hours, queues, lines and people."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, text, update

from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.lines import actions as lines
from everyline.people import actions as people
from everyline.people.models import AwayReason
from everyline.queues import abilities, asks, set_up, teams
from everyline.queues.models import AgentSkill, Hours, Membership, Queue, Skill, WrapUpCode
from everyline.queues.rules import Step
from everyline.sample import generator, topics

_TEAM_OF_WORK = text("update assignment set team_id = agent.team_id from agent where agent.id = assignment.agent_id")
_SHARES_OF_WORK = text("""
    insert into share_count (queue_id, begins_at, team_id, given)
    select a.queue_id, date_bin('15 minutes', a.accepted_at, timestamptz '2000-01-01 00:00+00'), a.team_id, count(*)
    from assignment a join queue_team t on t.queue_id = a.queue_id and t.team_id = a.team_id and t.share is not null
    group by 1, 2, 3
""")

LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "vi": "Vietnamese",
    "de": "German",
    "fr": "French",
    "ja": "Japanese",
    "ar": "Arabic",
    "hi": "Hindi",
}

SIGN_INS: dict[str, tuple[str, str]] = {  # role: name, address
    "admin": ("Ada Lindgren", "admin@harbor.example"),
    "supervisor": ("Sol Marchetti", "supervisor@harbor.example"),
    "agent": ("Dana Whitfield", "dana@harbor.example"),
}


@dataclass(frozen=True)
class Loaded:
    """What the sample company's people sign in with."""

    passwords: dict[str, str]  # by role
    token: str


@dataclass
class House:
    """What cases hang on, by its ids."""

    queues: dict[str, int]
    lines: list[int]
    line_ids: dict[str, int]  # by address
    answer_lines: list[int]  # for each of them: where answers go out
    agents: list[int]
    codes: dict[str, int]


async def build(tx: Tx, ground: Ground, smtp_host: str, smtp_port: int) -> tuple[House, Loaded]:
    """Found the company; ``smtp_host`` and ``smtp_port`` lead to its customers' mail host."""
    await people.describe_installation(tx, None, organisation="Harbor County", language="en", zone=generator.ZONE)
    hours_id = await tx.value(
        insert(Hours)
        .values(name="Office hours", zone=generator.ZONE, week=generator.WEEK, holidays_of="US-WA")
        .returning(Hours.id)
    )
    queue_ids: dict[str, int] = {}
    for position, (name, (hue, goal)) in enumerate(topics.QUEUES.items()):
        signature = f"Harbor County {name}\n40 Pier Street"
        values = {
            "name": name,
            "hue": hue,
            "hours_id": hours_id,
            "goal_seconds": int(goal * 3600),
            "position": position,
            "signature": signature,
        }
        queue_ids[name] = await tx.value(insert(Queue).values(**values).returning(Queue.id))
    await tx.execute(update(Queue).where(Queue.name == "General").values(retired_at=now()))
    by_mail = {"incoming": "listener", "smtp_host": smtp_host, "smtp_port": smtp_port, "smtp_encryption": "none"}
    line_ids: dict[str, int] = {}  # by address
    for line in topics.LINES:
        line_ids[line.address] = await lines.add(
            tx,
            ground.vault,
            None,
            channel_name=line.channel,
            address=line.address,
            name=line.name,
            queue_id=queue_ids[line.queue],
            hours_id=hours_id,
            answer_line_id=line_ids[line.answers_on] if line.answers_on else None,
            settings=by_mail if line.channel == "email" else line.settings,
        )
    answer_lines = [line_ids[line.answers_on or line.address] for line in topics.LINES]
    codes = {
        row.name: row.id
        for row in await tx.rows(
            insert(WrapUpCode)
            .returning(WrapUpCode.id, WrapUpCode.name)
            .values([{"name": name, "position": at} for at, name in enumerate(topics.CODES)])
        )
    }
    await tx.many(insert(AwayReason), [{"name": name, "position": at} for at, name in enumerate(topics.AWAY_REASONS)])
    agents, loaded = await _people(tx, queue_ids)
    await _arrange(tx, queue_ids, dict(zip((name for name, *_rest in topics.AGENTS), agents, strict=True)))
    return House(queue_ids, list(line_ids.values()), line_ids, answer_lines, agents, codes), loaded


async def _people(tx: Tx, queue_ids: dict[str, int]) -> tuple[list[int], Loaded]:
    passwords = {role: f"harbor-{role}-2026" for role in SIGN_INS}
    admin_id = await people.add_agent(
        tx,
        None,
        email=SIGN_INS["admin"][1],
        name=SIGN_INS["admin"][0],
        role="admin",
        password=passwords["admin"],
        zone=generator.ZONE,
        all_queues=True,
    )
    await people.add_agent(
        tx,
        None,
        email=SIGN_INS["supervisor"][1],
        name=SIGN_INS["supervisor"][0],
        role="supervisor",
        password=passwords["supervisor"],
        zone=generator.ZONE,
        all_queues=True,
    )
    skills = {
        row.language: row.id
        for row in await tx.rows(
            insert(Skill)
            .returning(Skill.id, Skill.language)
            .values([{"name": name, "language": code} for code, name in LANGUAGES.items()])
        )
    }
    agents: list[int] = []
    for name, queues, languages in topics.AGENTS:
        known = SIGN_INS["agent"][0] == name
        first = name.split()[0].lower().replace("á", "a")
        agent_id = await people.add_agent(
            tx,
            None,
            email=SIGN_INS["agent"][1] if known else f"{first}@harbor.example",
            name=name,
            password=passwords["agent"] if known else None,
            zone=generator.ZONE,
            signature=f"{name}\nHarbor County",
        )
        agents.append(agent_id)
        await tx.many(insert(Membership), [{"queue_id": queue_ids[queue], "agent_id": agent_id} for queue in queues])
        await tx.many(
            insert(AgentSkill),
            [{"agent_id": agent_id, "skill_id": skills[code], "level": 5 if code == "en" else 4} for code in languages],
        )
    _token_id, token = await people.add_token(tx, None, admin_id, "sample company")
    return agents, Loaded(passwords, token)


async def _arrange(tx: Tx, queue_ids: dict[str, int], agents: dict[str, int]) -> None:
    """What queues ask for beyond membership, and how one of them is split with a partner."""
    for name, levels in topics.SKILLS.items():
        skill_id = await abilities.add_skill(tx, None, name)
        rows = [{"agent_id": agents[agent], "skill_id": skill_id, "level": level} for agent, level in levels.items()]
        await tx.many(insert(AgentSkill), rows)
    for queue, (wants, less) in topics.WANTS.items():
        steps = [Step(after=after, wants=await asks.read(tx, words)) for after, words in less]
        await set_up.change_queue(tx, None, queue_ids[queue], wants=await asks.read(tx, wants), steps=steps)
    team_ids = {}
    for name, (partner, members) in topics.TEAMS.items():
        team_ids[name] = await teams.add_team(tx, None, name, partner=partner)
        await teams.set_agents(tx, None, team_ids[name], [agents[agent] for agent in members])
    for queue, shares in topics.SHARES.items():
        parts = {team_ids[team]: teams.Part(share=share) for team, share in shares.items()}
        await teams.set_parts(tx, None, queue_ids[queue], parts)


async def count_shares(tx: Tx) -> None:
    """Count what teams were given, of the work that is done: histories are written past the distributor."""
    await tx.execute(_TEAM_OF_WORK)
    await tx.execute(_SHARES_OF_WORK)
