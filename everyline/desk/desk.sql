-- name: counts
-- How much stands in each list of the desk, up to a bound: nobody needs to know more exactly, and a count must not scan.
with seen as (select cast(:all_queues as boolean) as everything, cast(:queue_ids as bigint[]) as queue_ids)
select
    (select count(*) from (
        select from "case" where owner_id = :me and status in ('new', 'open') and wakes_at is null and merged_into_id is null limit :most) as few) as mine,
    (select count(*) from (
        select from "case" where owner_id = :me and status in ('waiting for customer', 'waiting for others') and merged_into_id is null
        limit :most) as few) as waiting,
    (select count(*) from (
        select from "case", seen where owner_id is null and status in ('new', 'open') and wakes_at is null and merged_into_id is null
            and (everything or queue_id = any(queue_ids)) limit :most) as few) as unassigned,
    (select count(*) from mention where agent_id = :me and seen_at is null) as mentions,
    (select count(distinct case_id) from draft where agent_id = :me and text <> '') as drafts,
    (select count(*) from (
        select from "case" where owner_id = :me and wakes_at is not null and status <> 'closed' and merged_into_id is null limit :most) as few) as snoozed,
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

-- name: case_facts
-- What a case page says beside the case itself.
select u.id as customer_id, u.name as customer_name, u.kind as customer_kind, u.language as customer_language, u.zone as customer_zone,
    u.remarks, u.created_at as customer_since, q.name as queue_name, q.hue as queue_hue, o.name as owner_name, l.name as line_name, l.address as line_address,
    l.channel as line_channel,
    (select e.state from queue_entry e where e.case_id = c.id and e.state in ('waiting', 'offered')) as entry_state,
    (select e.waiting_since from queue_entry e where e.case_id = c.id and e.state in ('waiting', 'offered')) as waiting_since,
    (select w.name from wrap_up_code w where w.id = c.wrap_up_code_id) as wrap_up_name,
    (select i.contact_point_id from interaction i where i.case_id = c.id and i.contact_point_id is not null order by i.direction, i.id desc limit 1) as used_point_id,
    exists (select from mention m join note n on n.id = m.note_id where n.case_id = c.id and m.agent_id = :me and m.seen_at is null) as called,
    exists (select from flow_run r where r.case_id = c.id) as went_through,
    exists (select from bot_setting b where b.address <> '' and b.model <> '' and b.drafts > 0) as drafts_by_model,
    exists (
        select from audit where subject = 'customer' and subject_id = c.customer_id and agent_id = :me and act = 'customer.viewed'
            and at > now() - interval '10 minutes'
    ) as viewed_lately,
    c.merged_into_id, b.number as callback_number, b.asked_at as callback_asked_at, b.tries as callback_tries, b.trying_id as callback_trying_id
from "case" c
join customer u on u.id = c.customer_id
left join queue q on q.id = c.queue_id
left join agent o on o.id = c.owner_id
left join line l on l.id = c.line_id
left join callback b on b.case_id = c.id and b.settled_at is null
where c.id = :case_id;

-- name: merges
-- The records that became this customer, and can be parted again.
select m.id, m.merged_at, g.name from customer_merge m join customer g on g.id = m.gone_id
where m.kept_id = :customer_id and m.undone_at is null order by m.id desc limit 10;

-- name: wrap_ups
-- The work of an agent that is to be wrapped up.
select a.id, a.case_id, a.queue_id, a.work_ended_at, q.wrap_up_seconds, q.name as queue_name, c.number, c.subject, u.name as customer_name
from assignment a join queue q on q.id = a.queue_id join "case" c on c.id = a.case_id join customer u on u.id = c.customer_id
where a.agent_id = :me and a.ended_at is null and a.work_ended_at is not null order by a.id;

-- name: agents
-- Everybody who may be given a case, with their state.
select a.id, a.name, coalesce(s.state, 'offline') as state from agent a left join agent_state s on s.agent_id = a.id where a.active order by a.name;

-- name: notices
-- Where somebody was called by name, newest first.
select n.id as note_id, n.case_id, n.text, n.at, w.name as by_name, w.id as by_id, c.number, c.subject, m.seen_at
from mention m join note n on n.id = m.note_id join "case" c on c.id = n.case_id left join agent w on w.id = n.agent_id
where m.agent_id = :me order by n.id desc limit 100;

-- name: see_mentions
-- What one was called for on a case is seen when the case is opened.
update mention m set seen_at = :at from note n where n.id = m.note_id and m.agent_id = :me and m.seen_at is null and n.case_id = :case_id;

-- name: attachment
-- One file, and the case it is with.
select id, case_id, draft_id, message_id, file_hash, name, content_type, size, content_id, inline from attachment where id = :id;

-- name: body
-- The HTML of one message, and the pictures that it holds.
select m.case_id, m.html, m.text,
    coalesce((select jsonb_object_agg(a.content_id, a.id) from attachment a where a.message_id = m.id and a.content_id <> ''), '{}') as pictures
from message m where m.id = :id;

-- name: undo_seconds
-- How long an answer can still be taken back.
select greatest(0, ceil(extract(epoch from due_at - now()))) from delivery where message_id = :message_id and state = 'due' and attempts = 0;

-- name: addresses_of
-- The addresses of some customers, in one line each.
select customer_id, string_agg(address, ', ' order by preferred desc, id) as addresses from contact_point
where customer_id = any(cast(:ids as bigint[])) group by customer_id;

-- name: customer_facts
-- What the customer's pane says, when no case is open.
select u.id as customer_id, u.name as customer_name, u.kind as customer_kind, u.language as customer_language, u.zone as customer_zone,
    u.remarks, u.created_at as customer_since,
    exists (
        select from audit where subject = 'customer' and subject_id = u.id and agent_id = :me and act = 'customer.viewed'
            and at > now() - interval '10 minutes'
    ) as viewed_lately
from customer u where u.id = :customer_id;

-- name: customer_history
-- What happened to a customer's record.
select e.at, e.kind, a.name as actor_name from event e left join agent a on a.id = e.actor_id
where e.customer_id = :customer_id and (e.kind like 'customer.%' or e.kind like 'contact\_point.%' or e.kind like 'appointment.%') order by e.id desc limit 50;

-- name: calls_of_case
-- The calls of a case with who took part in each.
select c.key, c.interaction_id, c.direction, c.number, l.channel, l.name as line_name, c.state, c.began_at, c.answered_at, c.ended_at, c.ended_by, c.reason, (
        select coalesce(jsonb_agg(jsonb_build_object('kind', e.kind, 'shown', e.shown, 'number', e.number, 'joined', e.joined_at is not null,
            'score', e.quality -> 'score') order by e.id), '[]')
        from leg e where e.call_key = c.key
    ) as legs, (
        select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'seconds', r.seconds, 'deleted', r.deleted_at is not null,
            'may', :leads or exists (select from leg e where e.call_key = c.key and e.agent_id = :agent_id and e.joined_at is not null)) order by r.began_at, r.id), '[]')
        from recording r where r.call_key = c.key
    ) as recordings
from call c join interaction i on i.id = c.interaction_id join line l on l.id = c.line_id where i.case_id = :case_id order by c.began_at;
