-- name: enter
-- Interactions begin to wait, many at once. A case that waits already, or that somebody has in hand, does not enter twice. The
-- customer's language is needed where somebody of the queue speaks it. Who dropped a call or chat and is back in time keeps the place.
insert into queue_entry (queue_id, interaction_id, case_id, channel, priority, media_class, weight, offer_seconds, language, needs, wants,
    preferred_agent_ids, preferred_until, backup_queue_id, callback_after, entered_at, waiting_since)
select w.queue_id, w.interaction_id, w.case_id, w.channel, w.priority, w.media_class, w.weight, w.offer_seconds, w.language,
    coalesce((
        select jsonb_build_object(s.id::text, 1) from skill s
        where q.speaks and s.language = w.language
            and exists (select from agent_skill k join membership m using (agent_id) where k.skill_id = s.id and m.queue_id = q.id)
    ), '{}'), w.wants,
    case when q.earlier_agent = 'off' and w.backup_queue_id is null then '{}' else cast(w.preferred as bigint[]) end,
    case when w.preferred <> '{}' then coalesce(w.preferred_until, cast(:at as timestamptz) + q.preferred_seconds * interval '1 second') end,
    w.backup_queue_id, w.callback_after, :at,
    case when w.media_class in ('call', 'chat') then least(w.waiting_since, (
        select p.waiting_since from queue_entry p
        join "case" pc on pc.id = p.case_id
        join "case" c on c.id = w.case_id and c.customer_id = pc.customer_id
        where p.queue_id = w.queue_id and p.outcome = 'abandoned' and p.media_class = w.media_class
            and p.left_at > cast(:at as timestamptz) - q.rejoin_seconds * interval '1 second'
        order by p.id desc limit 1
    )) else w.waiting_since end
from unnest(cast(:queue_ids as bigint[]), cast(:interaction_ids as bigint[]), cast(:case_ids as bigint[]), cast(:channels as text[]),
    cast(:priorities as int[]), cast(:media_classes as text[]), cast(:weights as int[]), cast(:offer_seconds as int[]),
    cast(:languages as text[]), cast(:preferred as text[]), cast(:preferred_until as timestamptz[]), cast(:backups as bigint[]),
    cast(:callbacks as timestamptz[]), cast(:waiting_since as timestamptz[]), cast(:wants as jsonb[]))
    as w (queue_id, interaction_id, case_id, channel, priority, media_class, weight, offer_seconds, language, preferred,
        preferred_until, backup_queue_id, callback_after, waiting_since, wants)
join queue q on q.id = w.queue_id
where not exists (select from assignment a where a.case_id = w.case_id and a.work_ended_at is null and a.ended_at is null)
on conflict (case_id) where state in ('waiting', 'offered') do nothing
returning id, queue_id, interaction_id, case_id, channel, media_class, language, priority, weight, waiting_since, offer_seconds, needs, wants,
    preferred_agent_ids, preferred_until, callback_after;

-- name: pace
-- How many wait in each queue, and when the last ones went into service, in seconds since the epoch.
select q.queue_id, (select count(*) from queue_entry e where e.queue_id = q.queue_id and e.state in ('waiting', 'offered')) as waiting,
    array(
        select cast(extract(epoch from e.left_at) as float) from queue_entry e
        where e.queue_id = q.queue_id and e.state = 'taken' and e.left_at > :since order by e.left_at desc limit 20
    ) as served
from unnest(cast(:queue_ids as bigint[])) as q (queue_id);

-- name: expected
-- What the waits of these entries are expected to be.
update queue_entry e set expected_seconds = x.seconds, expected_low = x.low, expected_high = x.high
from unnest(cast(:ids as bigint[]), cast(:seconds as int[]), cast(:low as int[]), cast(:high as int[])) as x (id, seconds, low, high)
where e.id = x.id;

-- name: floor_entries
-- What waits, as the floor has it: these entries, or all.
select e.id, e.queue_id, cast(extract(epoch from e.waiting_since) as float) as since, e.priority, e.media_class, e.channel, e.weight,
    e.offer_seconds, e.needs, e.wants, (select s.id from skill s where s.language = e.language and jsonb_exists(e.needs, s.id::text)) as language,
    e.preferred_agent_ids, coalesce(cast(extract(epoch from e.preferred_until) as float), 0) as preferred_until,
    q.earlier_agent = 'any' as outside, e.team_id, coalesce(cast(extract(epoch from e.team_until) as float), 0) as team_until,
    coalesce(cast(extract(epoch from e.callback_after) as float), 0) as not_before,
    array(select o.agent_id from offer o where o.entry_id = e.id and o.outcome in ('declined', 'timed out')) as refused_by
from queue_entry e join queue q on q.id = e.queue_id
where e.state = 'waiting' and (cast(:ids as bigint[]) is null or e.id = any(cast(:ids as bigint[])))
order by e.id;

-- name: floor_agents
-- Agents, as the floor has them: these, or all that are not offline or could be back.
select a.id, cast(extract(epoch from s.idle_since) as float) as idle_since, a.team_id, s.state,
    array(select m.queue_id from membership m where m.agent_id = a.id) as queue_ids,
    coalesce((select jsonb_object_agg(k.skill_id, k.level) from agent_skill k where k.agent_id = a.id), '{}') as skills,
    coalesce(w.load, 0) as load, coalesce(w.hand, '[]') as hand,
    coalesce((select jsonb_agg(jsonb_build_array(c.media_class, c.channel, c.most, c.weight)) from capacity c where c.agent_id = a.id), '[]') as capacity,
    (select e.media_class from offer o join queue_entry e on e.id = o.entry_id where o.agent_id = a.id and o.ended_at is null limit 1) as offered,
    exists (select from reach r where r.agent_id = a.id and (r.ready or r.number <> '')) as hears,
    cast(extract(epoch from w.settles_at) as float) as settles_at, s.takes_part, cast(extract(epoch from s.asked_until) as float) as asked_until,
    case when cast(:counting as boolean) then
        (select count(*) from assignment h where h.agent_id = a.id and h.accepted_at >= date_trunc('day', now())) else 0 end as handled
from agent a
join agent_state s on s.agent_id = a.id
left join lateral (
    select sum(h.weight) filter (where h.held_at is null or h.media_class <> 'mail') as load,
        jsonb_agg(jsonb_build_array(h.media_class, h.channel, h.weight, h.held_at is not null)) as hand,
        max(h.accepted_at) filter (where h.media_class = 'mail' and h.work_ended_at is null
            and h.accepted_at > cast(:at as timestamptz) - :settling * interval '1 second'
            and not exists (select from message m where m.case_id = h.case_id and m.agent_id = h.agent_id and m.at >= h.accepted_at))
            + :settling * interval '1 second' as settles_at
    from assignment h where h.agent_id = a.id and h.ended_at is null
) w on true
where a.active and (cast(:ids as bigint[]) is null or a.id = any(cast(:ids as bigint[])))
order by a.id;

-- name: floor_queues
-- What queues say about their entries.
select q.id, q.priority, q.strategy, q.needs, q.wants, q.steps, q.rings, q.accepts, q.answer_seconds, q.goal_seconds, q.preferred_seconds,
    coalesce((select jsonb_agg(jsonb_build_array(t.team_id, t.delay_seconds, t.share, t.floor, t.ceiling)) from queue_team t
        where t.queue_id = q.id), '[]') as teams
from queue q;

-- name: snapshot
-- What is visible to this transaction.
select pg_current_snapshot()::text;

-- name: floor_changes
-- What changed since a position, whether or not an older transaction is still running: what is read twice does no harm, what is
-- read late does. ``settled`` rows are never preceded by one that is still to come.
select e.xid::text as xid, e.id, kind, agent_id, queue_id, case when jsonb_typeof(data -> 'entry_id') = 'number' then cast(data ->> 'entry_id' as bigint) end as entry_id,
    e.xid < pg_snapshot_xmin(pg_current_snapshot()) as settled
from event e where (e.xid, e.id) > (cast(:xid as xid8), cast(:id as bigint))
order by e.xid, e.id limit :most;

-- name: offer
-- Offers, by compare-and-set: only what still waits is offered, and only to who is still available and before no other offer.
-- Who changes state, or is asked into a call, at this moment is waited for.
with proposed as (
    select p.entry_id, p.agent_id, p.expires_at
    from unnest(cast(:entry_ids as bigint[]), cast(:agent_ids as bigint[]), cast(:expires as timestamptz[])) as p (entry_id, agent_id, expires_at)
    join agent_state s on s.agent_id = p.agent_id
    join queue_entry w on w.id = p.entry_id
    where s.state = 'available' and (w.media_class <> 'call' or not s.takes_part and (s.asked_until is null or s.asked_until <= :at))
        and not exists (select from offer o where o.agent_id = p.agent_id and o.ended_at is null)
    for share of s
),
shown as (
    update queue_entry e set state = 'offered' from (select distinct entry_id from proposed) p
    where e.id = p.entry_id and e.state = 'waiting'
    returning e.id, e.queue_id, e.case_id, e.interaction_id
),
made as (
    insert into offer (entry_id, agent_id, offered_at, expires_at)
    select p.entry_id, p.agent_id, :at, p.expires_at from proposed p join shown on shown.id = p.entry_id
    returning id, entry_id, agent_id, expires_at
)
select made.id, made.entry_id, made.agent_id, made.expires_at, shown.queue_id, shown.case_id, shown.interaction_id
from made join shown on shown.id = made.entry_id;

-- name: time_out
-- Offers that nobody took in time. Entries are locked before their offers, here as everywhere.
with entry as (
    select e.id, e.case_id, e.queue_id, e.interaction_id from queue_entry e
    where e.id in (select o.entry_id from offer o where o.ended_at is null and o.expires_at <= :at) order by e.id for update
),
gone as (
    update offer o set ended_at = :at, outcome = 'timed out' from entry
    where o.entry_id = entry.id and o.ended_at is null and o.expires_at <= :at returning o.id, o.entry_id, o.agent_id
)
select gone.id, gone.entry_id, gone.agent_id, entry.case_id, entry.queue_id, entry.interaction_id from gone join entry on entry.id = gone.entry_id;

-- name: wait_again
-- Entries that were offered and are before nobody any more wait again, with their age.
update queue_entry e set state = 'waiting'
where e.id = any(cast(:ids as bigint[])) and e.state = 'offered' and not exists (select from offer o where o.entry_id = e.id and o.ended_at is null)
returning e.id, e.case_id, e.queue_id, e.interaction_id;

-- name: decline
-- One offer ends, by compare-and-set.
with entry as (
    select e.id, e.case_id, e.queue_id, e.interaction_id from queue_entry e where e.id = (select o.entry_id from offer o where o.id = :offer_id) for update
),
gone as (
    update offer o set ended_at = :at, outcome = 'declined', reason = :reason from entry
    where o.id = :offer_id and o.entry_id = entry.id and o.agent_id = :agent_id and o.ended_at is null returning o.entry_id
)
select entry.id as entry_id, entry.case_id, entry.queue_id, entry.interaction_id from gone join entry on entry.id = gone.entry_id;

-- name: accept
-- Offers are taken, many at once, by compare-and-set: the first of an entry wins.
with given as (
    select * from unnest(cast(:offer_ids as bigint[]), cast(:agent_ids as bigint[])) as g (offer_id, agent_id)
),
first as (
    select distinct on (o.entry_id) o.id, o.entry_id, o.agent_id from offer o join given g on g.offer_id = o.id and g.agent_id = o.agent_id
    where o.ended_at is null and o.expires_at > :at order by o.entry_id, o.id
),
moved as (
    update queue_entry e set state = 'taken', left_at = :at, outcome = 'accepted' from first
    where e.id = first.entry_id and e.state = 'offered'
    returning e.id, e.queue_id, e.interaction_id, e.case_id, e.channel, e.media_class, e.weight, e.language, e.waiting_since, e.expected_seconds,
        first.id as offer_id, first.agent_id
),
ended as (
    update offer o set ended_at = :at, outcome = 'accepted' from moved where o.id = moved.offer_id and o.ended_at is null returning o.id
),
made as (
    insert into assignment (entry_id, interaction_id, case_id, queue_id, agent_id, team_id, channel, media_class, weight, accepted_at)
    select m.id, m.interaction_id, m.case_id, m.queue_id, m.agent_id, a.team_id, m.channel, m.media_class,
        coalesce(own.weight, whole.weight, m.weight), :at
    from moved m join ended on ended.id = m.offer_id join agent a on a.id = m.agent_id
    left join capacity own on own.agent_id = m.agent_id and own.media_class = m.media_class and own.channel = m.channel
    left join capacity whole on whole.agent_id = m.agent_id and whole.media_class = m.media_class and whole.channel = ''
    returning id, entry_id, agent_id, team_id, accepted_at
),
owned as (
    update "case" c set owner_id = m.agent_id from moved m where c.id = m.case_id returning c.id, c.status
)
select made.id, made.entry_id, made.agent_id, made.team_id, made.accepted_at, m.offer_id, m.queue_id, m.interaction_id, m.case_id, m.channel,
    m.media_class, m.weight, m.language, m.waiting_since, m.expected_seconds, owned.status, q.rings
from made join moved m on m.id = made.entry_id join owned on owned.id = m.case_id join queue q on q.id = m.queue_id;

-- name: take
-- An entry is given to an agent without an offer.
with moved as (
    update queue_entry e set state = 'taken', left_at = :at, outcome = 'picked'
    where e.id = :entry_id and e.state in ('waiting', 'offered')
    returning e.id, e.queue_id, e.interaction_id, e.case_id, e.channel, e.media_class, e.weight, e.language, e.waiting_since, e.expected_seconds
),
made as (
    insert into assignment (entry_id, interaction_id, case_id, queue_id, agent_id, team_id, channel, media_class, weight, accepted_at)
    select m.id, m.interaction_id, m.case_id, m.queue_id, a.id, a.team_id, m.channel, m.media_class,
        coalesce(own.weight, whole.weight, m.weight), :at
    from moved m join agent a on a.id = :agent_id
    left join capacity own on own.agent_id = a.id and own.media_class = m.media_class and own.channel = m.channel
    left join capacity whole on whole.agent_id = a.id and whole.media_class = m.media_class and whole.channel = ''
    returning id, entry_id, agent_id, team_id, accepted_at
),
owned as (
    update "case" c set owner_id = :agent_id from moved m where c.id = m.case_id returning c.id, c.status
)
select made.id, made.entry_id, made.agent_id, made.team_id, made.accepted_at, cast(null as bigint) as offer_id, m.queue_id, m.interaction_id, m.case_id,
    m.channel, m.media_class, m.weight, m.language, m.waiting_since, m.expected_seconds, owned.status, 1 as rings
from made join moved m on m.id = made.entry_id join owned on owned.id = m.case_id;

-- name: withdraw
-- The offers of an entry, or of an agent, are taken back.
with entry as (
    select e.id, e.case_id, e.queue_id from queue_entry e
    where e.id in (select o.entry_id from offer o where o.ended_at is null and (o.entry_id = :entry_id or o.agent_id = :agent_id))
    order by e.id for update
),
gone as (
    update offer o set ended_at = :at, outcome = 'withdrawn', reason = :reason from entry
    where o.entry_id = entry.id and o.ended_at is null and (o.entry_id = :entry_id or o.agent_id = :agent_id)
    returning o.id, o.entry_id, o.agent_id
)
select gone.id, gone.entry_id, gone.agent_id, entry.case_id, entry.queue_id from gone join entry on entry.id = gone.entry_id;

-- name: outrank
-- The offers of these media classes that stand before these agents are taken back.
with entry as (
    select e.id, e.case_id, e.queue_id from queue_entry e
    where e.media_class = any(cast(:media_classes as text[]))
        and e.id in (select o.entry_id from offer o where o.ended_at is null and o.agent_id = any(cast(:agent_ids as bigint[])))
    order by e.id for update
),
gone as (
    update offer o set ended_at = :at, outcome = 'withdrawn', reason = :reason from entry
    where o.entry_id = entry.id and o.ended_at is null and o.agent_id = any(cast(:agent_ids as bigint[]))
    returning o.id, o.entry_id, o.agent_id
)
select gone.id, gone.entry_id, gone.agent_id, entry.case_id, entry.queue_id from gone join entry on entry.id = gone.entry_id;

-- name: move_entry
-- One step of an entry's life, by compare-and-set.
update queue_entry set state = :after, left_at = case when :after in ('taken', 'left') then cast(:at as timestamptz) end, outcome = :outcome
where id = :entry_id and state = any(cast(:before as text[]))
returning id, queue_id, interaction_id, case_id, channel, media_class, weight, language, team_id, priority, waiting_since, offer_seconds;

-- name: put_off
-- Who waits in a case is served no earlier than then, and keeps the place; not once somebody is asked to take it.
update queue_entry set callback_after = :after where case_id = :case_id and state = 'waiting'
returning id, case_id, interaction_id, queue_id, callback_after;

-- name: raise_entry
-- An entry and its case are more urgent, or less.
with raised as (
    update queue_entry e set priority = :priority from queue_entry before
    where e.id = :entry_id and before.id = e.id and e.state in ('waiting', 'offered')
    returning e.case_id, e.interaction_id, e.queue_id, before.priority as before
),
urgent as (
    update "case" c set priority = :priority from raised r where c.id = r.case_id
)
select * from raised;

-- name: case_moves
-- A case belongs to another queue.
update "case" set queue_id = :queue_id, due_at = :due_at where id = :case_id;

-- name: overflowing
-- What waits somewhere else from now on: too old for its queue, too many for it (the newest of them), or not taken in time by whom it
-- was asked for.
with limits as (
    select id, most_waiting, most_wait_seconds, overflow_queue_id from queue
    where overflow_queue_id is not null and (most_waiting > 0 or most_wait_seconds > 0)
),
numbered as (
    select e.id, l.overflow_queue_id, l.most_waiting, l.most_wait_seconds, e.waiting_since,
        row_number() over (partition by e.queue_id order by e.waiting_since, e.id) as place
    from queue_entry e join limits l on l.id = e.queue_id where e.state = 'waiting'
)
select id, overflow_queue_id as to_queue_id, case when most_waiting > 0 and place > most_waiting then 'overflowed' else 'too old' end as outcome
from numbered
where (most_waiting > 0 and place > most_waiting)
    or (most_wait_seconds > 0 and waiting_since < cast(:at as timestamptz) - most_wait_seconds * interval '1 second')
union all
select id, backup_queue_id, 'overflowed' from queue_entry
where state = 'waiting' and backup_queue_id is not null and backup_queue_id <> queue_id and preferred_until <= :at
limit :most;

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
    o.agent_id = any(e.preferred_agent_ids) as answered_before, b.number as callback_number, b.asked_at as callback_asked_at, b.tries as callback_tries
from offer o
join queue_entry e on e.id = o.entry_id
join queue q on q.id = e.queue_id
join interaction i on i.id = e.interaction_id
left join line l on l.id = i.line_id
join "case" c on c.id = e.case_id
join customer u on u.id = c.customer_id
left join callback b on b.case_id = c.id and b.settled_at is null
where o.agent_id = :agent_id and o.ended_at is null and o.expires_at > :at;

-- name: end_work
-- The work in hand on a case ends; who is given time to wrap up keeps the capacity taken until then. Who hands a call over wraps up their part of
-- it, whatever becomes of the case meanwhile.
update assignment a set work_ended_at = coalesce(a.work_ended_at, :at), outcome = :outcome, wrap_up_code_id = :code,
    ended_at = case when q.wrap_up_seconds > 0 and (cast(:may_wrap_up as boolean)
        or cast(:leaves as boolean) and a.work_ended_at is null and a.media_class = 'call')
        then null else cast(:at as timestamptz) end,
    held_seconds = a.held_seconds + coalesce(cast(extract(epoch from cast(:at as timestamptz) - a.held_at) as int), 0), held_at = null
from queue q
where q.id = a.queue_id and a.case_id = :case_id and a.ended_at is null
    and (a.work_ended_at is null or a.outcome <> all(cast(:handed_over as text[])))
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.entry_id, a.outcome, a.wrap_up_code_id, a.channel, a.media_class,
    a.weight, a.team_id, a.accepted_at, a.work_ended_at, a.ended_at, a.held_seconds;

-- name: hand_over
-- One agent's part of a talk ends, which goes on without them.
update assignment a set work_ended_at = :at, outcome = :outcome,
    ended_at = case when q.wrap_up_seconds > 0 and a.media_class = 'call' then null else cast(:at as timestamptz) end,
    held_seconds = a.held_seconds + coalesce(cast(extract(epoch from cast(:at as timestamptz) - a.held_at) as int), 0), held_at = null
from queue q
where q.id = a.queue_id and a.interaction_id = :interaction_id and a.agent_id = :agent_id and a.work_ended_at is null and a.ended_at is null
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.entry_id, a.outcome, a.wrap_up_code_id, a.channel, a.media_class,
    a.weight, a.team_id, a.accepted_at, a.work_ended_at, a.ended_at, a.held_seconds;

-- name: wrap_up
-- One agent's work is all over.
update assignment a set ended_at = :at, work_ended_at = coalesce(a.work_ended_at, :at), wrap_up_code_id = :code, held_at = null,
    held_seconds = a.held_seconds + coalesce(cast(extract(epoch from cast(:at as timestamptz) - a.held_at) as int), 0)
where a.id = :id and a.agent_id = :by and a.ended_at is null
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.entry_id, a.outcome, a.wrap_up_code_id, a.channel, a.media_class,
    a.weight, a.team_id, a.accepted_at, a.work_ended_at, a.ended_at, a.held_seconds;

-- name: wrapped_up_by_time
-- Wrap-ups that took as long as their queue allows. What was handed over stays so.
update assignment a set ended_at = :at, outcome = case when a.outcome = any(cast(:handed_over as text[])) then a.outcome else 'time was over' end from queue q
where q.id = a.queue_id and a.ended_at is null and a.work_ended_at is not null
    and a.work_ended_at + q.wrap_up_seconds * interval '1 second' <= :at
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.entry_id, a.outcome, a.wrap_up_code_id, a.channel, a.media_class,
    a.weight, a.team_id, a.accepted_at, a.work_ended_at, a.ended_at, a.held_seconds;

-- name: hold
-- What an agent has in hand of these media classes is on hold.
update assignment set held_at = :at
where agent_id = :agent_id and ended_at is null and work_ended_at is null and held_at is null and media_class = any(cast(:media_classes as text[]))
returning id, agent_id, case_id, interaction_id, queue_id, media_class, held_seconds;

-- name: resume
-- What was on hold goes on, when nothing that interrupted it is in hand any more.
update assignment a set held_seconds = a.held_seconds + cast(extract(epoch from cast(:at as timestamptz) - a.held_at) as int), held_at = null
where a.agent_id = :agent_id and a.ended_at is null and a.held_at is not null
    and not exists (select from assignment b where b.agent_id = a.agent_id and b.work_ended_at is null and b.ended_at is null
        and b.media_class = any(cast(:interrupting as text[])))
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.media_class, a.held_seconds;

-- name: shares_today
-- What each team was given of these queues' entries, since the day and since the interval began.
select queue_id, team_id, sum(given) as day, sum(given) filter (where begins_at >= :interval) as interval
from share_count where queue_id = any(cast(:queue_ids as bigint[])) and begins_at >= :day group by queue_id, team_id;

-- name: allot
-- Entries are given to teams, and counted.
with given as (
    select * from unnest(cast(:entry_ids as bigint[]), cast(:team_ids as bigint[]), cast(:until as timestamptz[])) as g (entry_id, team_id, until)
),
marked as (
    update queue_entry e set team_id = g.team_id, team_until = g.until from given g
    where e.id = g.entry_id and e.state = 'waiting' and e.team_id is null returning e.id, e.queue_id, e.case_id, g.team_id
),
counted as (
    insert into share_count (queue_id, begins_at, team_id, given)
    select queue_id, :interval, team_id, count(*) from marked group by queue_id, team_id
    on conflict (queue_id, begins_at, team_id) do update set given = share_count.given + excluded.given
)
select id, queue_id, case_id, team_id from marked;

-- name: next_moment
-- When something changes by itself, as far as the database knows it: an offer expires, a wrap-up's time is over.
select least(
    (select min(expires_at) from offer where ended_at is null),
    (select min(a.work_ended_at + q.wrap_up_seconds * interval '1 second') from assignment a join queue q on q.id = a.queue_id
        where a.ended_at is null and a.work_ended_at is not null and q.wrap_up_seconds > 0)
);

-- name: levels_now
-- The share of entries answered in time, in per cent, of the last half hour, by queue; for conditions of relaxation.
select e.queue_id, 100.0 * count(*) filter (where e.state = 'taken'
        and e.left_at - e.waiting_since <= coalesce(nullif(q.answer_seconds, 0), q.goal_seconds) * interval '1 second') / count(*) as level
from queue_entry e join queue q on q.id = e.queue_id
where e.left_at > :since and (e.state = 'taken' or e.outcome = 'abandoned') and e.queue_id = any(cast(:queue_ids as bigint[]))
group by e.queue_id;

-- name: queues_need_no_more
-- No queue needs a skill that is removed.
update queue set needs = needs - cast(:skill as text) where jsonb_exists(needs, :skill);

-- name: queues_that_want
-- Queues whose expression or steps may name a skill.
select id, wants, steps from queue where wants <> '{}' or steps <> '[]';

-- name: entries_that_want
-- Entries that still wait and ask for something of their own.
select id, wants from queue_entry where state in ('waiting', 'offered') and wants <> '{}';

-- name: entries_need_no_more
-- Neither does what waits already.
update queue_entry set needs = needs - cast(:skill as text) where state in ('waiting', 'offered') and jsonb_exists(needs, :skill);

-- name: summary
-- What waits in each queue: how many, and since when the oldest.
select queue_id, count(*) as waiting, min(waiting_since) as oldest from queue_entry where state in ('waiting', 'offered') group by queue_id;

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

-- name: attendance
-- Whose hours count, how many agents of a queue are available, and how many wait live in it.
select coalesce(cast(:line_hours_id as bigint), q.hours_id) as hours_id,
    (select count(*) from membership m join agent_state s on s.agent_id = m.agent_id where m.queue_id = q.id and s.state = 'available') as agents,
    (select count(*) from queue_entry e where e.queue_id = q.id and e.state in ('waiting', 'offered') and e.media_class <> 'mail') as waiting
from queue q where q.id = :queue_id;

-- name: who_is_there
-- Some agents of a queue who are available.
select a.id, a.name from membership m join agent a on a.id = m.agent_id and a.active join agent_state s on s.agent_id = a.id
where m.queue_id = :queue_id and s.state = 'available' order by s.idle_since desc limit :most;

-- name: places
-- Where those who wait live stand in these queues: by their turn, which is when they came, moved by their priority.
select e.id, e.queue_id, e.interaction_id,
    row_number() over (partition by e.queue_id order by e.waiting_since + (e.priority * 600) * interval '1 second', e.id) as place
from queue_entry e where e.queue_id = any(cast(:queue_ids as bigint[])) and e.state in ('waiting', 'offered');

-- name: hears
-- An agent's browser is there, or no longer. Only the process that has it says so.
insert into reach as r (agent_id, node, ready) values (:agent_id, :node, :ready)
on conflict (agent_id) do update set node = case when excluded.ready then excluded.node when r.node = excluded.node then '' else r.node end,
    ready = case when excluded.ready or r.node = excluded.node then excluded.ready else r.ready end;

-- name: telephones
-- Who signs in at the edge.
select distinct substring(number from '^sip:([A-Za-z0-9_.+-]{1,60})@') as name
from reach where number like 'sip:%@' || cast(:domain as text) and number ~ '^sip:[A-Za-z0-9_.+-]{1,60}@[^@]+$' order by name;

-- name: reach
-- Where agents hear calls.
select a.id as agent_id, a.name, coalesce(r.number, '') as number, coalesce(r.ready, false) as ready, coalesce(r.node, '') as node, a.language
from agent a left join reach r on r.agent_id = a.id where a.id = any(cast(:agent_ids as bigint[]));

-- name: hears_at
-- The telephone on which an agent hears calls; empty: the browser.
insert into reach (agent_id, number) values (:agent_id, :number) on conflict (agent_id) do update set number = excluded.number;

-- name: hold_one
-- A talk is on hold in the hands of whoever has it: they are as busy as before.
update assignment set held_at = :at where interaction_id = :interaction_id and ended_at is null and work_ended_at is null and held_at is null
returning id, agent_id, case_id, interaction_id, queue_id, media_class, held_seconds;

-- name: resume_one
-- It goes on.
update assignment a set held_seconds = a.held_seconds + cast(extract(epoch from cast(:at as timestamptz) - a.held_at) as int), held_at = null
where a.interaction_id = :interaction_id and a.ended_at is null and a.held_at is not null
returning a.id, a.agent_id, a.case_id, a.interaction_id, a.queue_id, a.media_class, a.held_seconds;
