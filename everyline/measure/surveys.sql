-- name: due
-- Cases that were settled long enough ago, of queues whose customers are asked, that stayed settled, and whose customers were
-- not asked within the queue's time; with the mailbox that they wrote from. What only machines sent is nobody to ask.
select c.id as case_id, c.number, c.subject, c.customer_id, c.queue_id, c.owner_id as agent_id, c.line_id, c.language, s.kind,
    p.id as contact_point_id, p.kind as address_kind, p.address, i.channel, coalesce(u.name, '') as customer_name
from survey_setting s
join "case" c on c.queue_id = s.queue_id and c.resolved_at is not null and c.resolved_at >= s.since
    and c.resolved_at <= :at - make_interval(mins => s.after_minutes) and c.resolved_at > :at - interval '7 days'
    and c.status in ('resolved', 'closed') and c.merged_into_id is null
join customer u on u.id = c.customer_id
join lateral (
    select m.contact_point_id, m.interaction_id, m.kind from message m
    where m.case_id = c.id and m.direction = 'in' order by m.id desc limit 1
) m on m.kind = 'message'
join interaction i on i.id = m.interaction_id
join contact_point p on p.id = m.contact_point_id and p.kind = 'mailbox' and p.customer_id = c.customer_id and p.bad_since is null
where not exists (select from survey v where v.case_id = c.id)
    and not exists (select from survey v where v.customer_id = c.customer_id and v.asked_at > :at - make_interval(days => s.every_days))
    and not exists (select from survey_refusal r where r.address = p.address)
    and not exists (select from consent k where k.contact_point_id = p.id and k.purpose = 'news' and not k.granted)
    and not exists (select from contact_point o join survey_refusal r on r.address = o.address where o.customer_id = c.customer_id)
    and c.id = (
        select min(o.id) from "case" o where o.customer_id = c.customer_id and o.queue_id = c.queue_id and o.resolved_at = c.resolved_at)
    and mod(hashint8(c.id)::bigint + 2147483648, 100) < s.share
    and p.address !~ '^(no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?)([+.@-]|$)'
order by c.resolved_at
limit :most;

-- name: by_token
-- The survey of a link.
select v.*, c.subject, c.number from survey v join "case" c on c.id = v.case_id where v.token_hash = :hash;

-- name: summary
-- How many were asked, answered, and how.
select v.kind, count(*) as asked, count(v.score) as answers, count(*) filter (where v.score >= k.good) as good,
    count(*) filter (where v.score <= k.bad) as bad, avg(v.score) as average
from survey v join unnest(cast(:kinds as text[]), cast(:good as int[]), cast(:bad as int[])) k (kind, good, bad) on k.kind = v.kind
where v.asked_at >= :begin and v.asked_at < :end and v.queue_id = any(:queues) and (:channel = '' or v.channel = :channel)
    and (:language = '' or v.language = :language)
group by v.kind order by v.kind;

-- name: answers
-- What customers said, newest first.
select v.id, v.kind, v.score, v.words, v.answered_at, v.case_id, c.number, c.subject, coalesce(u.name, '') as customer_name,
    coalesce(g.name, '') as agent_name, q.name as queue_name
from survey v join "case" c on c.id = v.case_id left join customer u on u.id = v.customer_id
left join agent g on g.id = v.agent_id left join queue q on q.id = v.queue_id
where v.asked_at >= :begin and v.asked_at < :end and v.queue_id = any(:queues) and v.score is not null
    and (:before = 0 or v.id < :before)
order by v.id desc limit :most;

-- name: spread
-- How often each answer was given.
select score, count(*) as n from survey
where asked_at >= :begin and asked_at < :end and queue_id = any(:queues) and kind = :kind and score is not null group by score;

-- name: bring
-- A survey of the past.
insert into survey (token_hash, case_id, customer_id, queue_id, agent_id, channel, language, kind, asked_at, expires_at, answered_at, score)
select cast(:hash as bytea), id, customer_id, queue_id, owner_id, last_channel, language, :kind, :at, cast(:at as timestamptz) + interval '14 days',
    case when cast(:score as smallint) is not null then cast(:at as timestamptz) end, cast(:score as smallint)
from "case" where id = :case_id and queue_id is not null and customer_id is not null
on conflict (case_id) do nothing;

-- name: ask_in_talk
-- Ask where the talk was held: a customer of a queue whose customers are asked, not asked within its time, who wants to be.
insert into survey (token_hash, case_id, customer_id, queue_id, agent_id, channel, language, kind, asked_at, expires_at)
select cast(:hash as bytea), c.id, c.customer_id, c.queue_id, cast(:agent_id as bigint), c.last_channel, c.language, s.kind, :at, :expires_at
from "case" c join survey_setting s on s.queue_id = c.queue_id
where c.id = :case_id and mod(hashint8(c.id)::bigint + 2147483648, 100) < s.share
    and not exists (select from survey v where v.customer_id = c.customer_id and v.asked_at > cast(:at as timestamptz) - make_interval(days => s.every_days))
    and not exists (select from contact_point o join survey_refusal r on r.address = o.address where o.customer_id = c.customer_id)
on conflict (case_id) do nothing returning kind;
