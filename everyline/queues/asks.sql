-- name: abilities
-- Who takes from these queues, counted by what they can.
select m.queue_id, k.skills, count(*) as agents
from membership m
join agent a on a.id = m.agent_id and a.active
cross join lateral (select coalesce(jsonb_object_agg(s.skill_id, s.level), '{}') as skills from agent_skill s where s.agent_id = a.id) k
where m.queue_id = any(cast(:queue_ids as bigint[]))
group by m.queue_id, k.skills;

-- name: abilities_of
-- The same of agents, whatever they take from.
select k.skills, count(*) as agents
from agent a
cross join lateral (select coalesce(jsonb_object_agg(s.skill_id, s.level), '{}') as skills from agent_skill s where s.agent_id = a.id) k
where a.active and a.id = any(cast(:ids as bigint[]))
group by k.skills;

-- name: asks
-- What the entries that wait ask for, each way of asking once.
select e.queue_id, e.needs, e.wants, s.id as language
from queue_entry e
left join skill s on s.language = e.language and jsonb_exists(e.needs, s.id::text)
where e.state = 'waiting'
group by e.queue_id, e.needs, e.wants, s.id;

-- name: asking
-- The entries that ask in one way and have waited since then; not those that somebody from outside is asked to take.
select e.id as entry_id, e.case_id, e.queue_id, e.waiting_since
from queue_entry e
join queue q on q.id = e.queue_id
left join skill s on s.language = e.language and jsonb_exists(e.needs, s.id::text)
where e.state = 'waiting' and e.queue_id = :queue_id and e.needs = cast(:needs as jsonb) and e.wants = cast(:wants as jsonb)
    and s.id is not distinct from cast(:language as bigint) and e.waiting_since <= :since
    and not (q.earlier_agent = 'any' and e.preferred_agent_ids <> '{}' and e.preferred_until > cast(:at as timestamptz))
order by e.waiting_since limit :most;

-- name: count_asking
-- How many those are.
select count(*) from queue_entry e
join queue q on q.id = e.queue_id
left join skill s on s.language = e.language and jsonb_exists(e.needs, s.id::text)
where e.state = 'waiting' and e.queue_id = :queue_id and e.needs = cast(:needs as jsonb) and e.wants = cast(:wants as jsonb)
    and s.id is not distinct from cast(:language as bigint) and e.waiting_since <= :since
    and not (q.earlier_agent = 'any' and e.preferred_agent_ids <> '{}' and e.preferred_until > cast(:at as timestamptz));

-- name: rules_of
-- What queues in use ask for.
select id, name, needs, wants, steps from queue where retired_at is null and (cast(:ids as bigint[]) is null or id = any(cast(:ids as bigint[])));

-- name: skill_holders
-- How many agents have a skill.
select count(*) from agent_skill where skill_id = :skill_id;

-- name: entries_needing
-- How many entries wait for a skill because it is needed, and what the others that may need it ask for.
select jsonb_exists(needs, cast(:skill as text)) as needed, wants, count(*) as entries
from queue_entry
where state in ('waiting', 'offered') and (jsonb_exists(needs, cast(:skill as text)) or wants <> '{}')
group by 1, 2;
