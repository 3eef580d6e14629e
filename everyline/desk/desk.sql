-- name: frame
-- What the frame of every signed-in page says about whoever looks at it.
select (select value #>> '{}' from installation where name = 'organisation') as organisation, a.keys, coalesce(s.state, 'offline') as state,
    coalesce(s.reason, '') as reason, coalesce(s.since, a.created_at) as since, coalesce(s.next_state, '') as next_state, coalesce(s.next_reason, '') as next_reason,
    (select count(*) from mention where agent_id = a.id and seen_at is null) as mentions,
    w.in_hand, w.wrapping_up, w.load
from agent a
left join agent_state s on s.agent_id = a.id
cross join lateral (
    select count(*) filter (where work_ended_at is null) as in_hand, count(*) filter (where work_ended_at is not null) as wrapping_up,
        coalesce(sum(weight), 0) as load
    from assignment where agent_id = a.id and ended_at is null
) w
where a.id = :me;

-- name: counts
-- How much stands in each list of the desk, up to a bound: nobody needs to know more exactly, and a count must not scan.
with seen as (select cast(:all_queues as boolean) as everything, cast(:queue_ids as bigint[]) as queue_ids)
select
    (select count(*) from "case" where owner_id = :me and status in ('new', 'open') and wakes_at is null and merged_into_id is null) as mine,
    (select count(*) from (
        select from "case", seen where owner_id is null and status in ('new', 'open') and wakes_at is null and merged_into_id is null
            and (everything or queue_id = any(queue_ids)) limit :most) as few) as unassigned,
    (select count(distinct case_id) from draft where agent_id = :me and text <> '') as drafts,
    (select count(*) from "case" where owner_id = :me and wakes_at is not null and status <> 'closed' and merged_into_id is null) as snoozed,
    (select count(*) from (
        select from "case", seen where due_at < :at and status in ('new', 'open') and merged_into_id is null
            and (everything or queue_id = any(queue_ids) or owner_id = :me) limit :most) as few) as late;

-- name: queues
-- The queues in use with what waits in each.
select q.id, q.name, q.hue, q.goal_seconds, coalesce(w.waiting, 0) as waiting, w.oldest
from queue q left join (
    select queue_id, count(*) as waiting, min(waiting_since) as oldest from queue_entry where state in ('waiting', 'offered') group by queue_id
) w on w.queue_id = q.id
where q.retired_at is null order by q.position, q.name;
