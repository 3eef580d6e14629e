-- name: waiting
-- What waits, by the finest part that figures are counted by: of some queues, or of all.
select queue_id, channel, language, coalesce(team_id, 0) as team_id, count(*) as n, min(waiting_since) as oldest
from queue_entry
where state in ('waiting', 'offered') and (cast(:queue_ids as bigint[]) is null or queue_id = any(cast(:queue_ids as bigint[])))
group by 1, 2, 3, 4;

-- name: agents
-- Every agent with their state and what they have in hand.
select a.id, a.name, a.active, coalesce(a.team_id, 0) as team_id, coalesce(s.state, 'offline') as state, coalesce(s.reason, '') as reason,
    coalesce(s.since, a.created_at) as since, coalesce(s.next_state, '') as next_state, m.queue_ids, k.languages, w.works
from agent a
left join agent_state s on s.agent_id = a.id
left join (select agent_id, array_agg(queue_id) as queue_ids from membership group by agent_id) m on m.agent_id = a.id
left join (
    select g.agent_id, array_agg(l.language) as languages from agent_skill g join skill l on l.id = g.skill_id
    where l.language is not null group by g.agent_id
) k on k.agent_id = a.id
left join (
    select b.agent_id, jsonb_agg(jsonb_build_array(b.case_id, c.number, b.queue_id, b.channel, b.weight,
        extract(epoch from coalesce(b.work_ended_at, b.accepted_at)), b.held_at is not null, b.work_ended_at is not null) order by b.id) as works
    from assignment b join "case" c on c.id = b.case_id where b.ended_at is null group by b.agent_id
) w on w.agent_id = a.id
where a.active;

-- name: some_agents
-- The same for a few of them: each looked up by itself.
select a.id, a.name, a.active, coalesce(a.team_id, 0) as team_id, coalesce(s.state, 'offline') as state, coalesce(s.reason, '') as reason,
    coalesce(s.since, a.created_at) as since, coalesce(s.next_state, '') as next_state,
    array(select m.queue_id from membership m where m.agent_id = a.id) as queue_ids,
    array(select l.language from agent_skill g join skill l on l.id = g.skill_id where g.agent_id = a.id and l.language is not null) as languages,
    (
        select jsonb_agg(jsonb_build_array(b.case_id, c.number, b.queue_id, b.channel, b.weight,
            extract(epoch from coalesce(b.work_ended_at, b.accepted_at)), b.held_at is not null, b.work_ended_at is not null) order by b.id)
        from assignment b join "case" c on c.id = b.case_id where b.agent_id = a.id and b.ended_at is null
    ) as works
from agent a left join agent_state s on s.agent_id = a.id
where a.id = any(cast(:agent_ids as bigint[]));

-- name: ended_today
-- What stopped waiting since the day began, with whom it went to.
select e.id, e.queue_id, e.channel, e.language, coalesce(a.team_id, e.team_id, 0) as team_id, e.state, e.outcome, e.waiting_since, e.left_at
from queue_entry e
left join assignment a on a.entry_id = e.id
where e.left_at >= :begin
order by e.left_at;

-- name: entered_today
-- What began to wait since the day began; what came from another queue is not new.
select e.queue_id, e.channel, e.language, coalesce(e.team_id, 0) as team_id, count(*) as n
from queue_entry e
where e.entered_at >= :begin and not exists (
    select from queue_entry p
    where p.interaction_id = e.interaction_id and p.id < e.id and p.outcome in ('transferred', 'overflowed', 'too old')
        and p.left_at between e.entered_at - interval '5 seconds' and e.entered_at + interval '5 seconds'
)
group by 1, 2, 3, 4;

-- name: trend
-- How many waited at each of some moments.
select e.queue_id, e.channel, e.language, coalesce(e.team_id, 0) as team_id, p.at, count(*) as n
from unnest(cast(:moments as timestamptz[])) as p (at)
join queue_entry e on e.entered_at <= p.at and (e.left_at > p.at or (e.left_at is null and e.state in ('waiting', 'offered')))
where e.left_at > :begin or e.state in ('waiting', 'offered')
group by 1, 2, 3, 4, 5;

-- name: channels
-- The channels of the lines that lead to each queue.
select queue_id, channel from line where queue_id is not null and retired_at is null group by 1, 2 order by 1, 2;

-- name: entries_behind
-- The entries behind a figure of what waits: who is next stands first.
select e.id, e.case_id, e.queue_id, e.channel, e.language, e.priority, e.state, e.waiting_since, e.expected_low, e.expected_high, c.number, c.subject,
    u.name as customer_name, q.name as queue_name, q.hue as queue_hue, o.agent_id, g.name as agent_name
from queue_entry e
join "case" c on c.id = e.case_id
join customer u on u.id = c.customer_id
join queue q on q.id = e.queue_id
left join lateral (select agent_id from offer where entry_id = e.id and ended_at is null limit 1) o on true
left join agent g on g.id = o.agent_id
where e.state in ('waiting', 'offered')
    and (cast(:queue_ids as bigint[]) is null or e.queue_id = any(cast(:queue_ids as bigint[])))
    and (cast(:channel as text) is null or e.channel = :channel)
    and (cast(:language as text) is null or e.language = :language)
    and (cast(:team_id as bigint) is null or coalesce(e.team_id, 0) = :team_id)
    and (e.waiting_since, e.id) > (cast(:after_at as timestamptz), cast(:after_id as bigint))
order by e.waiting_since, e.id limit :most;

-- name: ended_behind
-- The entries behind a service level: what stopped waiting since a moment, the newest first.
select e.id, e.case_id, e.queue_id, e.channel, e.language, e.priority, e.state, e.outcome, e.waiting_since, e.left_at, c.number, c.subject,
    u.name as customer_name, q.name as queue_name, q.hue as queue_hue, a.agent_id, g.name as agent_name
from queue_entry e
join "case" c on c.id = e.case_id
join customer u on u.id = c.customer_id
join queue q on q.id = e.queue_id
left join assignment a on a.entry_id = e.id
left join agent g on g.id = a.agent_id
where e.left_at >= :begin
    and (cast(:queue_ids as bigint[]) is null or e.queue_id = any(cast(:queue_ids as bigint[])))
    and (cast(:channel as text) is null or e.channel = :channel)
    and (cast(:language as text) is null or e.language = :language)
    and (cast(:team_id as bigint) is null or coalesce(a.team_id, e.team_id, 0) = :team_id)
    and (e.left_at, e.id) < (cast(:before_at as timestamptz), cast(:before_id as bigint))
order by e.left_at desc, e.id desc limit :most;

-- name: entry
-- One entry that waits.
select e.id, e.case_id, e.queue_id, e.channel, e.language, e.priority, e.state, e.waiting_since, c.number, c.subject, c.last_words,
    u.name as customer_name, q.name as queue_name, q.hue as queue_hue
from queue_entry e
join "case" c on c.id = e.case_id
join customer u on u.id = c.customer_id
join queue q on q.id = e.queue_id
where e.id = :entry_id and e.state in ('waiting', 'offered');

-- name: work_of
-- What an agent has in hand, with its case.
select b.id, b.case_id, b.queue_id, b.channel, b.accepted_at, b.work_ended_at, b.held_at, c.number, c.subject, u.name as customer_name, q.name as queue_name,
    q.hue as queue_hue
from assignment b
join "case" c on c.id = b.case_id
join customer u on u.id = c.customer_id
join queue q on q.id = b.queue_id
where b.agent_id = :agent_id and b.ended_at is null order by b.id;

-- name: set_threshold
-- A threshold is set, or changed.
insert into threshold (queue_id, figure, warn, bad, rings, changed_by, changed_at)
values (:queue_id, :figure, :warn, :bad, :rings, :by, :at)
on conflict (queue_id, figure) do update set warn = excluded.warn, bad = excluded.bad, rings = excluded.rings,
    changed_by = excluded.changed_by, changed_at = excluded.changed_at;
