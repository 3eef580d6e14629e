-- name: enter
-- Interactions begin to wait, many at once. A case that waits already, or that somebody has in hand, does not enter twice.
insert into queue_entry (queue_id, interaction_id, case_id, priority, media_class, weight, offer_seconds, language, needs,
    preferred_agent_id, preferred_until, entered_at, waiting_since)
select w.queue_id, w.interaction_id, w.case_id, w.priority, w.media_class, w.weight, w.offer_seconds, w.language,
    q.needs || coalesce((
        select jsonb_build_object(s.id::text, 1) from skill s
        where q.speaks and s.language = w.language
            and exists (select from agent_skill k join membership m using (agent_id) where k.skill_id = s.id and m.queue_id = q.id)
    ), '{}'),
    w.preferred_agent_id, w.preferred_until, :at, w.waiting_since
from unnest(cast(:queue_ids as bigint[]), cast(:interaction_ids as bigint[]), cast(:case_ids as bigint[]), cast(:priorities as int[]),
    cast(:media_classes as text[]), cast(:weights as int[]), cast(:offer_seconds as int[]), cast(:languages as text[]),
    cast(:preferred_agent_ids as bigint[]), cast(:preferred_until as timestamptz[]), cast(:waiting_since as timestamptz[]))
    as w (queue_id, interaction_id, case_id, priority, media_class, weight, offer_seconds, language, preferred_agent_id,
        preferred_until, waiting_since)
join queue q on q.id = w.queue_id
where not exists (select from assignment a where a.case_id = w.case_id and a.work_ended_at is null and a.ended_at is null)
on conflict (case_id) where state in ('waiting', 'offered') do nothing
returning id, queue_id, interaction_id, case_id;

-- name: waiting
-- What waits, for the distributor: the first of each rank, with those who let it pass.
select e.id, e.queue_id, e.waiting_since, e.priority, q.priority as queue_priority, e.media_class, e.weight, e.offer_seconds,
    q.strategy, e.needs, e.preferred_agent_id, e.preferred_until,
    array(select o.agent_id from offer o where o.entry_id = e.id and o.outcome in ('declined', 'timed out')) as refused_by
from queue_entry e join queue q on q.id = e.queue_id
where e.state = 'waiting'
order by e.priority - q.priority, e.waiting_since limit 5000;

-- name: candidates
-- Agents who are available, with what they have in hand.
select s.agent_id as id, s.idle_since,
    array(select m.queue_id from membership m where m.agent_id = s.agent_id) as queue_ids,
    coalesce((select jsonb_object_agg(k.skill_id, k.level) from agent_skill k where k.agent_id = s.agent_id), '{}') as skills,
    coalesce((select sum(a.weight) from assignment a where a.agent_id = s.agent_id and a.ended_at is null), 0) as load,
    coalesce((select jsonb_object_agg(media_class, n) from (
        select a.media_class, count(*) as n from assignment a where a.agent_id = s.agent_id and a.ended_at is null group by 1) as h), '{}') as in_hand,
    coalesce((select jsonb_object_agg(c.media_class, c.most) from capacity c where c.agent_id = s.agent_id), '{}') as caps,
    exists (select from offer o where o.agent_id = s.agent_id and o.ended_at is null) as being_offered,
    array(select distinct a.media_class from assignment a where a.agent_id = s.agent_id and a.work_ended_at is null and a.ended_at is null
        and a.media_class = 'mail' and a.accepted_at > :settled
        and not exists (select from message m where m.case_id = a.case_id and m.agent_id = a.agent_id and m.at >= a.accepted_at)) as settling
from agent_state s join agent on agent.id = s.agent_id
where s.state = 'available' and agent.active;

-- name: offer
-- Offers, by compare-and-set: only what still waits is offered, and only to who is still available.
with proposed as (
    select * from unnest(cast(:entry_ids as bigint[]), cast(:agent_ids as bigint[]), cast(:expires as timestamptz[])) as p (entry_id, agent_id, expires_at)
),
taken as (
    update queue_entry e set state = 'offered' from proposed p
    where e.id = p.entry_id and e.state = 'waiting' and exists (select from agent_state s where s.agent_id = p.agent_id and s.state = 'available')
    returning e.id, e.queue_id, e.case_id, e.interaction_id, p.agent_id, p.expires_at
)
insert into offer (entry_id, agent_id, offered_at, expires_at)
select id, agent_id, :at, expires_at from taken
returning id, entry_id, agent_id, (select case_id from taken where taken.id = entry_id) as case_id,
    (select queue_id from taken where taken.id = entry_id) as queue_id,
    (select interaction_id from taken where taken.id = entry_id) as interaction_id;

-- name: time_out
-- Offers that nobody took in time; their entries wait again, with their age.
with gone as (
    update offer set ended_at = :at, outcome = 'timed out' where ended_at is null and expires_at <= :at returning id, entry_id, agent_id
)
update queue_entry e set state = 'waiting' from gone where e.id = gone.entry_id and e.state = 'offered'
returning gone.id, e.id as entry_id, e.case_id, e.queue_id, e.interaction_id, gone.agent_id;

-- name: end_offer
-- One offer ends, by compare-and-set.
update offer set ended_at = :at, outcome = :outcome, reason = :reason
where id = :offer_id and agent_id = :agent_id and ended_at is null and (:outcome <> 'accepted' or expires_at > :at)
returning entry_id;

-- name: withdraw
-- The offers of an entry, or of an agent, are taken back.
update offer set ended_at = :at, outcome = 'withdrawn', reason = :reason
where ended_at is null and (entry_id = :entry_id or agent_id = :agent_id)
returning id, entry_id, agent_id;

-- name: move_entry
-- One step of an entry's life, by compare-and-set.
update queue_entry set state = :after, left_at = case when :after in ('taken', 'left') then cast(:at as timestamptz) end, outcome = :outcome
where id = :entry_id and state = any(cast(:before as text[]))
returning id, queue_id, interaction_id, case_id, media_class, weight, language, priority, waiting_since, offer_seconds;

-- name: missed_in_row
-- How many of an agent's newest offers were let pass, without one taken or declined in between.
select count(*) from (
    select outcome, bool_and(outcome = 'timed out') over (order by id desc) as all_missed
    from offer where agent_id = :agent_id and ended_at is not null and outcome <> 'withdrawn' order by id desc limit 5
) as newest where all_missed;

-- name: offer_for
-- What an agent is shown of an offer.
select o.id, o.entry_id, o.offered_at, o.expires_at, e.case_id, e.queue_id, q.name as queue_name, q.hue as queue_hue, e.waiting_since,
    i.channel, l.name as line_name, c.number, c.subject, c.last_words, c.language, u.name as customer_name, u.id as customer_id,
    e.preferred_agent_id = o.agent_id as answered_before
from offer o
join queue_entry e on e.id = o.entry_id
join queue q on q.id = e.queue_id
join interaction i on i.id = e.interaction_id
left join line l on l.id = i.line_id
join "case" c on c.id = e.case_id
join customer u on u.id = c.customer_id
where o.agent_id = :agent_id and o.ended_at is null and o.expires_at > :at;

-- name: summary
-- What waits in each queue: how many, and since when the oldest.
select queue_id, count(*) as waiting, min(waiting_since) as oldest from queue_entry where state in ('waiting', 'offered') group by queue_id;

-- name: wrapped_up_by_time
-- Wrap-ups that took as long as their queue allows.
update assignment a set ended_at = :at from queue q
where q.id = a.queue_id and a.ended_at is null and a.work_ended_at is not null
    and a.work_ended_at + q.wrap_up_seconds * interval '1 second' <= :at
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id;

-- name: usual_answer
-- How long first answers of a queue took lately, in seconds: the time within which four of five came, of those who wrote
-- at this hour of the day (an hour more or less) where there are enough of them, else of all.
with lately as (
    select extract(epoch from answered_at - opened_at) as seconds,
        abs(mod(cast(extract(hour from opened_at at time zone :zone) - extract(hour from cast(:at as timestamptz) at time zone :zone) + 36 as int), 24) - 12) <= 1 as this_hour
    from "case" where queue_id = :queue_id and answered_at is not null and opened_at > cast(:at as timestamptz) - interval '60 days'
    order by id desc limit 1000
)
select case when count(*) filter (where this_hour) >= 10 then percentile_cont(0.8) within group (order by seconds) filter (where this_hour)
    when count(*) >= 10 then percentile_cont(0.8) within group (order by seconds) end
from lately;

-- name: wrap_up_codes
-- The outcomes to choose from for a case of this queue.
select id, name, queue_id, position, retired_at from wrap_up_code
where retired_at is null and (queue_id is null or queue_id = cast(:queue_id as bigint)) order by position, name;

-- name: queues_need_no_more
-- No queue needs a skill that is removed.
update queue set needs = needs - cast(:skill as text) where jsonb_exists(needs, :skill);

-- name: entries_need_no_more
-- Neither does what waits already.
update queue_entry set needs = needs - cast(:skill as text) where state in ('waiting', 'offered') and jsonb_exists(needs, :skill);
