-- name: cases
-- A customer's cases, newest first, with the beginning of the newest message that they may read.
select c.id, c.number, c.subject, c.status, c.opened_at, coalesce(m.at, c.opened_at) as said_at, m.direction, m.channel,
    left(m.text, 400) as words
from "case" c
left join lateral (
    select at, direction, channel, text from shown_message where case_id = c.id and kind = 'message' order by id desc limit 1
) m on true
where c.customer_id = :customer_id and c.merged_into_id is null
    and (cast(:open as boolean) is null or (c.status not in ('resolved', 'closed')) = :open)
    and (cast(:before as bigint) is null or c.id < :before)
order by c.id desc limit :most;

-- name: how_many
-- How many cases a customer has that are open, and that are settled.
select count(*) filter (where status not in ('resolved', 'closed')) as open,
    count(*) filter (where status in ('resolved', 'closed')) as settled
from "case" where customer_id = :customer_id and merged_into_id is null;

-- name: case
-- One case of a customer by its number; what it became part of, when it did.
select c.id, c.number, c.subject, c.status, c.opened_at, c.moved_at, c.resolved_at, c.closed_at, c.answered_at, c.due_at, c.line_id,
    c.queue_id, c.language, a.name as owner_name, q.name as queue_name, k.number as kept_number, k.customer_id as kept_customer_id
from "case" c
left join agent a on a.id = c.owner_id
left join queue q on q.id = c.queue_id
left join "case" k on k.id = c.merged_into_id
where c.number = :number and c.customer_id = :customer_id;

-- name: messages
-- What a customer may read of a case, oldest first.
select m.id, m.direction, m.text, case when m.direction = 'out' then m.html else '' end as formatted, m.at, m.kind, m.channel,
    coalesce(a.name, '') as agent_name
from shown_message m left join agent a on a.id = m.agent_id
where m.case_id = :case_id and m.customer_id = :customer_id order by m.id;

-- name: files
-- The files of those messages.
select f.id, f.message_id, f.name, f.content_type, f.size, f.file_hash
from attachment f join shown_message m on m.id = f.message_id
where m.case_id = :case_id and m.customer_id = :customer_id order by f.id;

-- name: file
-- One file of a customer's case.
select f.id, f.name, f.content_type, f.size, f.file_hash
from attachment f join shown_message m on m.id = f.message_id
join "case" c on c.id = m.case_id
where f.id = :id and c.number = :number and m.customer_id = :customer_id;

-- name: linked
-- The customer's own cases that belong together with one.
select c.number, c.subject, c.status from case_link l
join "case" c on c.id = case when l.case_id = :case_id then l.other_id else l.case_id end
where (l.case_id = :case_id or l.other_id = :case_id) and c.customer_id = :customer_id and c.merged_into_id is null
order by c.id;

-- name: stored
-- How much there is of a customer.
select (select count(*) from "case" where customer_id = :customer_id and merged_into_id is null) as cases,
    (select count(*) from shown_message where customer_id = :customer_id) as messages,
    (select count(*) from attachment f join shown_message m on m.id = f.message_id where m.customer_id = :customer_id) as files,
    (select coalesce(sum(f.size), 0) from attachment f join shown_message m on m.id = f.message_id where m.customer_id = :customer_id) as bytes,
    (select count(*) from survey where customer_id = :customer_id and score is not null) as surveys,
    (select count(*) from article_feedback where customer_id = :customer_id) as opinions,
    (select count(*) from gap where customer_id = :customer_id) as searches;

-- name: opinions
-- What a customer said of answers, oldest first.
select f.at, p.title as answer, f.language, f.helped, f.words, f.channel from article_feedback f
left join published_article p on p.article_id = f.article_id and p.language = f.language where f.customer_id = :customer_id order by f.id;

-- name: searches
-- What a customer looked for and did not find, oldest first.
select at, words, channel from gap where customer_id = :customer_id order by id;

-- name: errands
-- What a customer got done by themselves, oldest first.
select at, errand, channel, inputs, undone_at from errand_done where customer_id = :customer_id order by id;

-- name: appointments
-- The appointments of a customer, oldest first.
select a.id as number, k.name as kind, a.starts_at, a.ends_at, a.state, a.remarks, a.created_at from appointment a
join appointment_kind k on k.id = a.kind_id where a.customer_id = :customer_id order by a.id;

-- name: surveys
-- What a customer said when they were asked.
select v.asked_at, v.answered_at, v.kind, v.score, v.words, c.number from survey v join "case" c on c.id = v.case_id
where v.customer_id = :customer_id order by v.id;
