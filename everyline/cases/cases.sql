-- name: get
-- One case that somebody may see.
select * from "case" where id = :case_id
    and (cast(:everything as boolean) or owner_id = :me or queue_id = any(cast(:queue_ids as bigint[])));

-- name: get_locked
-- The same, and nobody else changes it until the transaction ends.
select * from "case" where id = :case_id
    and (cast(:everything as boolean) or owner_id = :me or queue_id = any(cast(:queue_ids as bigint[]))) for update;

-- name: of_customer
-- A customer's cases that somebody may see, newest first, as lists have them.
select c.id, c.number, c.customer_id, c.subject, c.status, c.priority, c.queue_id, c.owner_id, c.line_id, c.language, c.tags, c.opened_at, c.moved_at,
    c.wakes_at, c.resolved_at, c.due_at, c.answered_at, c.revision, c.last_words, c.last_channel, c.last_direction, c.unread,
    u.name as customer_name, a.name as owner_name, l.name as line_name,
    exists (select from draft d where d.case_id = c.id and d.agent_id = :reader and d.text <> '') as has_draft
from "case" c
join customer u on u.id = c.customer_id
left join agent a on a.id = c.owner_id
left join line l on l.id = c.line_id
where c.customer_id = :customer_id and c.merged_into_id is null
    and (cast(:everything as boolean) or c.owner_id = :me or c.queue_id = any(cast(:queue_ids as bigint[])))
order by c.moved_at desc, c.id desc limit :most;

-- name: read
-- The owner, or anybody while it has none, has seen what is new.
update "case" set unread = false where id = :case_id and unread and (owner_id = :by or owner_id is null) returning queue_id, owner_id;

-- name: timeline
-- The pieces of a case in order. Of HTML only whether it says more than its text: it is large, and read by itself.
select m.id, m.interaction_id, m.direction, m.agent_id, a.name as agent_name, m.contact_point_id, m.external_id, m.subject, m.text,
    m.quoted, case when m.direction = 'out' then m.html else '' end as formatted, m.direction = 'in' and m.html <> '' and left(m.html, 20000) ~* '<(img|table|font|h[1-6]|ol|ul|a|pre)[ >]' as rich, m.at, m.sent_at, m.kind, m.facts, i.channel, i.line_id, l.name as line_name, l.address as line_address,
    p.address, p.kind as address_kind
from message m
join interaction i on i.id = m.interaction_id
left join agent a on a.id = m.agent_id
left join contact_point p on p.id = m.contact_point_id
left join line l on l.id = i.line_id
where m.case_id = :case_id and m.id > :after
order by m.id desc limit :most;

-- name: notes
-- The notes of a case.
select n.id, n.agent_id, a.name as agent_name, n.text, n.at, n.edited_at
from note n left join agent a on a.id = n.agent_id
where n.case_id = :case_id order by n.id;

-- name: attachments
-- The files of a case.
select id, message_id, note_id, draft_id, file_hash, name, content_type, size, content_id, inline
from attachment where case_id = :case_id order by id;

-- name: history
-- What happened to a case, for the folded lines between its pieces.
select e.id, e.at, e.kind, e.actor_id, actor.name as actor_name, e.agent_id, about.name as agent_name, e.queue_id,
    q.name as queue_name, e.data
from event e
left join agent actor on actor.id = e.actor_id
left join agent about on about.id = e.agent_id
left join queue q on q.id = e.queue_id
where e.case_id = :case_id order by e.id desc limit 500;

-- name: links
-- The cases that belong together with this one.
select l.kind, c.id, c.number, c.subject, c.status, l.case_id = :case_id as ours
from case_link l join "case" c on c.id = case when l.case_id = :case_id then l.other_id else l.case_id end
where l.case_id = :case_id or l.other_id = :case_id order by c.id;

-- name: search_messages
-- The newest thousand messages that hold the words (or all of them, the last only begun), ranked; older ones than those are
-- not ranked, or a common word would read the whole table. The words stand in the condition itself, so that the planner
-- sees how common they are.
with hits as materialized (
    select id from message
    where search @@ (websearch_to_tsquery('simple', :words) || to_tsquery('simple', :begun)) order by id desc limit 1000
)
select m.case_id, max(
    ts_rank(m.search, websearch_to_tsquery('simple', :words) || to_tsquery('simple', :begun))
    + 1.0 / (2 + extract(epoch from now() - m.at) / 864000)
) as score
from hits join message m using (id) group by m.case_id order by score desc limit :most;

-- name: drafts
-- What an agent has begun to write on a case.
select id, case_id, agent_id, kind, text, contact_point_id, answer_to, copies, line_id, revision, changed_at from draft
where case_id = :case_id and agent_id = :agent_id;

-- name: views
-- Saved lists: everybody's first, then an agent's own.
select id, name, agent_id, filters, position from saved_view
where agent_id is null or agent_id = :agent_id order by agent_id is not null, position, id;

-- name: begin_all
-- Somebody works on these new cases.
update "case" set status = 'open', wakes_at = null where id = any(cast(:ids as bigint[])) and status = 'new'
returning id, customer_id, queue_id, owner_id;

-- name: end_talks
-- The talks that go on in a case end.
with ended as (
    update interaction i set ended_at = :at from talk t
    where t.interaction_id = i.id and i.case_id = :case_id and i.ended_at is null returning i.id, i.case_id, i.line_id, i.contact_point_id
),
marked as (
    update talk t set ended_by = :ended_by from ended e where t.interaction_id = e.id
)
select e.id, e.line_id, e.contact_point_id, c.customer_id, c.queue_id, c.owner_id from ended e join "case" c on c.id = e.case_id;
