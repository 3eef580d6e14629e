"""What waits: limits, places that are kept, callbacks, partners, expected waits, and what supervisors do about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from everyline.cases.models import Case
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid
from everyline.ground.installation import Ground
from everyline.people.models import AgentState
from everyline.queues import abilities, actions, queries
from everyline.queues.distributor import Distributor
from everyline.queues.models import Assignment, Offer, QueueEntry, Reach
from tests.mail import MailLine, mail

pytestmark = pytest.mark.req("Q1", "Q2")

MEDIA = {"call": ("phone", 100), "chat": ("webchat", 25), "mail": ("email", 20)}


async def customer(tx: Tx) -> int:
    return int(await tx.value(text("insert into customer (name) values ('Jane Doe') returning id")))


async def enter(
    tx: Tx, queue_id: int, media_class: str = "mail", *, customer_id: int | None = None, **facts: Any
) -> int:
    """An interaction of any media class enters, as its channel would let it; returns the entry's id."""
    channel, weight = MEDIA[media_class]
    case_id = await tx.value(
        text('insert into "case" (customer_id, subject, queue_id) values (:customer, :subject, :queue) returning id'),
        {"customer": customer_id or await customer(tx), "subject": "Matter", "queue": queue_id},
    )
    interaction_id = await tx.value(
        text(
            "insert into interaction (case_id, channel, media_class, started_at) "
            "values (:case, :channel, :media, now()) returning id"
        ),
        {"case": case_id, "channel": channel, "media": media_class},
    )
    at = now()
    row = await tx.one(
        queries.statements.enter,
        {
            "at": at,
            "queue_ids": [queue_id],
            "interaction_ids": [interaction_id],
            "case_ids": [case_id],
            "channels": [channel],
            "priorities": [3],
            "media_classes": [media_class],
            "weights": [weight],
            "offer_seconds": [30],
            "languages": [""],
            "preferred": ["{" + ",".join(map(str, facts.get("preferred", ()))) + "}"],
            "preferred_until": [facts.get("preferred_until")],
            "backups": [facts.get("backup")],
            "callbacks": [facts.get("callback")],
            "waiting_since": [facts.get("since", at)],
            "wants": ["{}"],
        },
    )
    return int(row.id)


async def queue(tx: Tx, name: str, **facts: Any) -> int:
    queue_id = int(await tx.value(text("insert into queue (name) values (:name) returning id"), {"name": name}))
    for column, value in facts.items():
        await tx.execute(text(f"update queue set {column} = :value where id = :id"), {"value": value, "id": queue_id})
    return queue_id


async def states(ground: Ground) -> list[tuple[int, str, str]]:
    async with ground.database.transaction() as tx:
        rows = await tx.rows(select(QueueEntry.queue_id, QueueEntry.state, QueueEntry.outcome).order_by(QueueEntry.id))
        return [(row.queue_id, row.state, row.outcome) for row in rows]


async def test_what_is_too_much_or_too_old_waits_elsewhere_and_keeps_its_age(ground: Ground) -> None:
    old = now() - timedelta(hours=2)
    async with ground.database.transaction() as tx:
        other = await queue(tx, "Overflow")
        full = await queue(tx, "Full", most_waiting=2, overflow_queue_id=other)
        slow = await queue(tx, "Slow", most_wait_seconds=3600, overflow_queue_id=other)
        for minutes in (3, 2, 1):
            await enter(tx, full, since=now() - timedelta(minutes=minutes))
        await enter(tx, slow, since=old)
        await enter(tx, slow)
    await Distributor(ground).round()
    found = await states(ground)
    assert found[:5] == [
        (full, "waiting", ""),
        (full, "waiting", ""),
        (full, "left", "overflowed"),
        (slow, "left", "too old"),
        (slow, "waiting", ""),
    ]
    async with ground.database.transaction() as tx:
        moved = await tx.rows(select(QueueEntry.__table__).where(QueueEntry.queue_id == other).order_by(QueueEntry.id))
        assert {row.state for row in moved} == {"waiting"}
        assert old in [row.waiting_since for row in moved]
        assert set(await tx.column(select(Case.queue_id))) == {full, slow, other}


async def test_who_drops_a_call_and_is_back_in_time_keeps_the_place(ground: Ground) -> None:
    since = now() - timedelta(minutes=9)
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "Calls")
        caller = await customer(tx)
        first = await enter(tx, queue_id, "call", customer_id=caller, since=since)
        case_id = await tx.value(select(QueueEntry.case_id).where(QueueEntry.id == first))
        await actions.leave(tx, case_id, "abandoned")
    async with ground.database.transaction() as tx:
        again = await enter(tx, queue_id, "call", customer_id=caller)
        stranger = await enter(tx, queue_id, "call")

        async def began(entry_id: int) -> datetime:
            found: datetime = await tx.value(select(QueueEntry.waiting_since).where(QueueEntry.id == entry_id))
            return found

        assert await began(again) == since
        assert await began(stranger) > since
        await tx.execute(text("update queue_entry set left_at = now() - interval '61 seconds' where state = 'left'"))
        case_id = await tx.value(select(QueueEntry.case_id).where(QueueEntry.id == again))
        await actions.leave(tx, case_id, "resolved")
        assert await began(await enter(tx, queue_id, "call", customer_id=caller)) > since


async def test_a_callback_keeps_its_place_and_is_offered_when_it_is_time(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "Calls")
    agent = await sign_in(queues=(queue_id,), available=True, hears=True)
    async with ground.database.transaction() as tx:
        entry_id = await enter(
            tx, queue_id, "call", since=now() - timedelta(minutes=5), callback=now() + timedelta(minutes=5)
        )
    leader = Distributor(ground)
    assert await leader.round() == 0
    async with ground.database.transaction() as tx:
        later = await enter(tx, queue_id, "call")
        await tx.execute(
            text("update queue_entry set callback_after = now() - interval '1 second' where id = :id"), {"id": entry_id}
        )
    assert await Distributor(ground).round() == 1
    async with ground.database.transaction() as tx:
        offer = await queries.offer_for(tx, agent.id)
        assert offer is not None
        assert offer.entry_id == entry_id != later


async def test_who_is_asked_for_and_does_not_take_it_hands_it_to_the_back_up(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        team, direct = await queue(tx, "Team"), await queue(tx, "Direct")
        agent = await tx.value(
            text("insert into agent (email, name, role) values ('a@b.example', 'A', 'agent') returning id")
        )
        await enter(tx, direct, preferred=(agent,), preferred_until=now() - timedelta(seconds=1), backup=team)
    await Distributor(ground).round()
    assert await states(ground) == [(direct, "left", "overflowed"), (team, "waiting", "")]


async def test_a_split_queue_gives_each_partner_its_share_and_counts_it(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "Split")
        ours = await tx.value(text("insert into team (name) values ('Ours') returning id"))
        theirs = await tx.value(text("insert into team (name, partner) values ('Partner', true) returning id"))
        for team, share in ((ours, 75), (theirs, 25)):
            await tx.execute(
                text("insert into queue_team (queue_id, team_id, share) values (:queue, :team, :share)"),
                {"queue": queue_id, "team": team, "share": share},
            )
        for _ in range(40):
            await enter(tx, queue_id)
    leader = Distributor(ground)
    await leader.round()
    async with ground.database.transaction() as tx:
        rows = await tx.rows(text("select team_id, count(*) as n from queue_entry group by team_id"))
        assert {row.team_id: row.n for row in rows} == {ours: 30, theirs: 10}
        counted = await tx.rows(text("select team_id, sum(given) as n from share_count group by team_id"))
        assert {row.team_id: row.n for row in counted} == {ours: 30, theirs: 10}
        for _ in range(4):
            await enter(tx, queue_id)
    await Distributor(ground).round()
    async with ground.database.transaction() as tx:
        counted = await tx.rows(text("select team_id, sum(given) as n from share_count group by team_id"))
        assert {row.team_id: row.n for row in counted} == {ours: 33, theirs: 11}


async def test_the_expected_wait_is_written_down_and_held_against_what_came(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    agent = await sign_in(queues=(line.queue_id,))
    await line.receive(*(mail(subject=f"Matter {number}", sender=f"c{number}@example.org") for number in range(6)))
    async with ground.database.transaction() as tx:
        assert await tx.column(select(QueueEntry.expected_seconds)) == [None] * 6, "nobody was served yet"
        for case_id in (await tx.column(select(QueueEntry.case_id).order_by(QueueEntry.id)))[:5]:
            await actions.pick(tx, agent.id, case_id)
        await tx.execute(
            text("update queue_entry set left_at = now() - id * interval '60 seconds' where state = 'taken'")
        )
    await line.receive(mail(subject="One more", sender="late@example.org"))
    async with ground.database.transaction() as tx:
        row = await tx.one(select(QueueEntry.__table__).order_by(QueueEntry.id.desc()).limit(1))
        # five went within five minutes, the last a minute ago: the second place waits about two and a half
        assert 100 < row.expected_seconds < 200
        assert row.expected_low < row.expected_seconds <= row.expected_high
        expected = await actions.expected_wait(tx, line.queue_id)
        assert expected is not None
        assert expected.seconds > row.expected_seconds


async def test_a_call_puts_the_mail_in_hand_on_hold_until_it_is_over(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "All", accepts=True)
    agent = await sign_in(queues=(queue_id,), available=True, hears=True)
    async with ground.database.transaction() as tx:
        await enter(tx, queue_id, "mail")
    await Distributor(ground).round()
    async with ground.database.transaction() as tx:
        await enter(tx, queue_id, "call")
    leader = Distributor(ground)
    await leader.round()
    async with ground.database.transaction() as tx:
        rows = {row.media_class: row for row in await tx.rows(select(Assignment.__table__))}
        assert rows.keys() == {"mail", "call"}, "both were accepted by themselves"
        assert rows["mail"].held_at is not None
        await tx.execute(
            text("update assignment set held_at = held_at - interval '40 seconds' where held_at is not null")
        )
        await actions.resolve(tx, agent.id, rows["call"].case_id)
        mail_row = await tx.one(select(Assignment.__table__).where(Assignment.media_class == "mail"))
        assert (mail_row.held_at, mail_row.held_seconds) == (None, 40)
        kinds = await tx.column(
            text("select kind from event where kind in ('interaction.held', 'interaction.resumed') order by id")
        )
        assert kinds == ["interaction.held", "interaction.resumed"]


@pytest.mark.req("V5")
async def test_who_has_nothing_to_hear_a_call_with_is_offered_none(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "All")
    agent = await sign_in(queues=(queue_id,), available=True)
    async with ground.database.transaction() as tx:
        await enter(tx, queue_id, "call")
    leader = Distributor(ground)
    assert await leader.round() == 0
    async with ground.database.transaction() as tx:
        await abilities.hears(tx, agent.id, "here", ready=True)
    assert await leader.round() == 1
    async with ground.database.transaction() as tx:
        await abilities.hears(tx, agent.id, "another process", ready=False)
        (reach,) = await tx.rows(select(Reach.__table__))
        assert reach.ready, "only who has it says that it is gone"
        await abilities.hears(tx, agent.id, "here", ready=False)
        await abilities.hear_at(tx, agent.id, agent.id, "(360) 555-0142")
        (reach,) = await tx.rows(select(Reach.__table__))
        assert (reach.ready, reach.node, reach.number) == (False, "", "+13605550142")
        with pytest.raises(Invalid):
            await abilities.hear_at(tx, agent.id, agent.id, "my desk")


async def test_of_several_who_are_shown_an_entry_the_first_takes_it_and_the_others_are_told(
    ground: Ground, sign_in: Any
) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "Ringing", rings=3)
    agents = [await sign_in(queues=(queue_id,), available=True, hears=True) for _ in range(4)]
    async with ground.database.transaction() as tx:
        await enter(tx, queue_id, "call")
    leader = Distributor(ground)
    assert await leader.round() == 3
    async with ground.database.transaction() as tx:
        offers = await tx.rows(select(Offer.__table__).order_by(Offer.id))
        await actions.decline(tx, offers[0].agent_id, offers[0].id)
        assert await tx.value(select(QueueEntry.state)) == "offered", "two still see it"
        await actions.accept(tx, offers[1].agent_id, offers[1].id)
        with pytest.raises(Conflict):
            await actions.accept(tx, offers[2].agent_id, offers[2].id)
    async with ground.database.transaction() as tx:
        ended = {row.id: row.outcome for row in await tx.rows(select(Offer.__table__))}
        assert [ended[one.id] for one in offers] == ["declined", "accepted", "withdrawn"]
        told = await tx.column(text("select agent_id from event where kind = 'offer.withdrawn'"))
        assert told == [offers[2].agent_id]
        away = await tx.column(select(AgentState.agent_id).where(AgentState.state != "available"))
        assert not set(away) & {agent.id for agent in agents}


async def test_supervisors_move_raise_give_and_take_over(ground: Ground, sign_in: Any) -> None:
    line = await MailLine.add(ground)
    other = await MailLine.add(ground, "tax@county.example", "Tax")
    chief, agent = await sign_in("supervisor", all_queues=True), await sign_in(queues=(line.queue_id,))
    await line.receive(mail())
    async with ground.database.transaction() as tx:
        entry = await tx.one(select(QueueEntry.__table__))
        await actions.raise_entry(tx, chief.id, entry.id, 1)
        assert await tx.value(select(Case.priority)) == 1
        with pytest.raises(Invalid):
            await actions.raise_entry(tx, chief.id, entry.id, 9)
        await actions.move_entry(tx, chief.id, entry.id, other.queue_id)
    async with ground.database.transaction() as tx:
        moved = await tx.one(select(QueueEntry.__table__).where(QueueEntry.state == "waiting"))
        assert (moved.queue_id, moved.waiting_since, moved.priority) == (other.queue_id, entry.waiting_since, 1)
        with pytest.raises(Conflict):
            await actions.move_entry(tx, chief.id, entry.id, line.queue_id)
    async with ground.database.transaction() as tx:
        await actions.give_entry(tx, chief.id, moved.id, agent.id)
        assert await tx.value(select(Case.owner_id)) == agent.id
        await actions.take_over(tx, chief.id, moved.case_id)
        assert await tx.value(select(Case.owner_id)) == chief.id
        assert await queries.in_hand(tx, agent.id) == []


async def test_a_condition_brings_who_waits_already_to_the_next_step(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        skill = await tx.value(text("insert into skill (name) values ('water') returning id"))
        queue_id = await queue(tx, "Water")
        await tx.execute(
            text(
                "update queue set wants = jsonb_build_object('skill', cast(:skill as int), 'least', 4), "
                """steps = '[{"after": null, "condition": "agents ready under", "value": 2, "wants": {}, "language": true}]' where id = :id"""
            ),
            {"skill": skill, "id": queue_id},
        )
        await enter(tx, queue_id)
    agents = [await sign_in(queues=(queue_id,), available=True) for _ in range(2)]
    assert await Distributor(ground).round() == 0
    async with ground.database.transaction() as tx:
        await actions.change_state(tx, agents[0].id, agents[0].id, "away", "break")
    assert await Distributor(ground).round() == 1


async def test_a_hundred_thousand_entries_at_once_are_taken_in_and_served(ground: Ground, sign_in: Any) -> None:
    async with ground.database.transaction() as tx:
        queue_id = await queue(tx, "Many", accepts=True)
        await tx.execute(text("set local session_replication_role = replica"))  # nobody looks up what was just written
        await tx.execute(text("insert into customer (name) select 'C' from generate_series(1, 100000)"))
        await tx.execute(
            text("insert into \"case\" (customer_id, subject, queue_id) select id, 'Matter', :queue from customer"),
            {"queue": queue_id},
        )
        await tx.execute(
            text(
                "insert into interaction (case_id, channel, media_class, started_at) "
                """select id, 'email', 'mail', now() from "case" """
            )
        )
        await tx.execute(
            text(
                "insert into queue_entry (queue_id, interaction_id, case_id, channel, media_class, weight, offer_seconds, waiting_since) "
                "select :queue, id, case_id, 'email', 'mail', 20, 60, now() - id * interval '1 second' from interaction"
            ),
            {"queue": queue_id},
        )
    agents = [(await sign_in(queues=(queue_id,), available=True)).id for _ in range(3)]
    leader = Distributor(ground)
    assert await leader.round() == 3
    async with ground.database.transaction() as tx:
        taken = await tx.rows(
            select(QueueEntry.__table__).where(QueueEntry.state == "taken").order_by(QueueEntry.waiting_since)
        )
        assert [row.interaction_id for row in taken] == [100_000, 99_999, 99_998]
        assert sorted(await tx.column(select(Assignment.agent_id))) == sorted(agents)
