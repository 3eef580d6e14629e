-- name: follower
-- How far the facts have followed the events; held until the end of the transaction, so that there is one who follows. Who begins
-- anew beside facts that are there, as after a restore, forgets them first.
select xid::text as xid, id, at, xid = '0' and (exists (select from stay) or exists (select from case_mark) or exists (select from state_span)) as anew
from follower where name = 'figures' for update;

-- name: advance
-- Remember how far they have followed.
update follower set xid = cast(:xid as xid8), id = :id, at = coalesce(greatest(at, cast(:at as timestamptz)), at) where name = 'figures';

-- name: take_batch
-- The next events after a position, in commit order: only of transactions older than every one still running.
insert into batch (xid, id, at, kind, agent_id, customer_id, case_id, interaction_id, queue_id, data)
select xid, id, at, kind, agent_id, customer_id, case_id, interaction_id, queue_id, data
from event
where (xid, id) > (cast(:xid as xid8), cast(:id as bigint)) and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, id
limit :most;

-- name: end_of_batch
-- The position after it, how many events there were and the newest moment among them.
select (select b.xid::text from batch b order by b.xid desc, b.id desc limit 1) as xid,
    (select b.id from batch b order by b.xid desc, b.id desc limit 1) as id, count(*) as n, min(at) as earliest, max(at) as at from batch;

-- name: keep_promises
-- A queue's promise is kept with the moment from which it holds; what came before was promised something else.
insert into promise (queue_id, since, answer_seconds, hours_id, short_seconds, share, formula)
select q.id, case when p.queue_id is null then timestamp with time zone '1970-01-01 00:00+00' else coalesce(c.at, now()) end,
    case when q.answer_seconds > 0 then q.answer_seconds else q.goal_seconds end,
    case when q.answer_seconds > 0 then null else q.hours_id end, q.short_seconds, q.answer_share, q.formula
from queue q
left join lateral (select * from promise where queue_id = q.id order by since desc limit 1) p on true
left join lateral (select max(at) as at from batch where kind = 'queue.changed' and queue_id = q.id) c on true
where p.queue_id is null
    or (p.answer_seconds, p.hours_id, p.short_seconds, p.share, p.formula) is distinct from (
        case when q.answer_seconds > 0 then q.answer_seconds else q.goal_seconds end,
        case when q.answer_seconds > 0 then null else q.hours_id end, q.short_seconds, q.answer_share, q.formula)
on conflict (queue_id, since) do update set answer_seconds = excluded.answer_seconds, hours_id = excluded.hours_id,
    short_seconds = excluded.short_seconds, share = excluded.share, formula = excluded.formula;

-- name: hours_in_use
-- The hours that promises are counted in, and until when their open spans are known.
select p.hours_id, (select max(opens_at) from open_span o where o.hours_id = p.hours_id) as known
from promise p where p.hours_id is not null group by p.hours_id;

-- name: know_open_span
-- One open span of hours.
insert into open_span (hours_id, opens_at, closes_at) values (:hours_id, :opens_at, :closes_at) on conflict do nothing;

-- name: batch_of_stays
-- What the batch says of stays, one row for each.
insert into batch_stay
select e.entry_id, max(queue_id) filter (where begins), max(case_id), max(interaction_id),
    max(agent_id) filter (where taken), (array_agg(team_id order by taken desc, at desc) filter (where team_id is not null))[1],
    max(channel), max(media_class), max(language),
    coalesce(bool_or(moved) filter (where begins), false), min(at) filter (where begins), min(waiting_since),
    max(expected_seconds), max(expected_low), max(expected_high), min(at) filter (where ends),
    max(outcome)
from (
    select (data->>'entry_id')::bigint as entry_id, kind = 'queue_entry.entered' as begins,
        kind in ('interaction.accepted', 'interaction.picked') as taken,
        kind in ('interaction.accepted', 'interaction.picked', 'queue_entry.left') as ends, at, queue_id, case_id, interaction_id, agent_id,
        (data->>'team_id')::bigint as team_id, data->>'channel' as channel, data->>'media_class' as media_class,
        data->>'language' as language, (data->>'moved')::boolean as moved, (data->>'waiting_since')::timestamptz as waiting_since,
        (data->>'expected_seconds')::numeric::integer as expected_seconds, (data->>'expected_low')::numeric::integer as expected_low,
        (data->>'expected_high')::numeric::integer as expected_high,
        case kind when 'queue_entry.left' then data->>'outcome' when 'interaction.accepted' then 'accepted'
            when 'interaction.picked' then 'picked' end as outcome
    from batch
    where kind in ('queue_entry.entered', 'queue_entry.left', 'queue_entry.allotted', 'interaction.accepted', 'interaction.picked')
) e
where e.entry_id is not null
group by e.entry_id;

-- name: batch_of_works
-- What the batch says of pieces of work, one row for each.
insert into batch_work
select w.assignment_id, max(entry_id), max(queue_id), max(case_id), max(interaction_id), max(customer_id), max(agent_id),
    max(team_id), max(channel), max(media_class), max(language), max(weight),
    coalesce(min(at) filter (where taken), min(accepted_at)),
    coalesce(min(at) filter (where kind = 'interaction.wraps_up'),
        min(at - make_interval(secs => wrap_up_seconds)) filter (where over)),
    min(at) filter (where over), max(outcome), max(wrap_up_code_id)
from (
    select (data->>'assignment_id')::bigint as assignment_id, (data->>'entry_id')::bigint as entry_id, kind, at, queue_id,
        case_id, interaction_id, customer_id, agent_id, kind in ('interaction.accepted', 'interaction.picked') as taken,
        kind = 'interaction.wrapped_up' as over, (data->>'team_id')::bigint as team_id, data->>'channel' as channel,
        data->>'media_class' as media_class, data->>'language' as language, (data->>'weight')::numeric::integer as weight,
        (data->>'accepted_at')::timestamptz as accepted_at, coalesce((data->>'wrap_up_seconds')::double precision, 0) as wrap_up_seconds,
        data->>'outcome' as outcome, (data->>'wrap_up_code_id')::bigint as wrap_up_code_id
    from batch
    where kind in ('interaction.accepted', 'interaction.picked', 'interaction.wraps_up', 'interaction.wrapped_up')
) w
where w.assignment_id is not null
group by w.assignment_id;

-- name: mark_holds
-- Work put on hold and taken up again.
insert into hold_mark (assignment_id, at, held)
select (data->>'assignment_id')::bigint, at, kind = 'interaction.held' from batch
where kind in ('interaction.held', 'interaction.resumed') and data ? 'assignment_id'
on conflict do nothing;

-- name: mark_states
-- What agents do from now on. Of two changes at one moment the later written one holds.
insert into state_span (agent_id, began_at, state, reason)
select distinct on (agent_id, at) agent_id, at, data->>'state', coalesce(data->>'reason', '') from batch
where kind = 'agent.state_changed' and agent_id is not null and data ? 'state'
order by agent_id, at, id desc
on conflict (agent_id, began_at) do update set state = excluded.state, reason = excluded.reason;

-- name: end_states
-- A state lasts until the next.
update state_span s set ended_at = n.next_at
from (
    select s.agent_id, s.began_at, lead(s.began_at) over (partition by s.agent_id order by s.began_at) as next_at
    from (
        select b.agent_id, coalesce(
            (select max(p.began_at) from state_span p where p.agent_id = b.agent_id and p.began_at < b.at), b.at) as since
        from (select agent_id, min(at) as at from batch where kind = 'agent.state_changed' group by agent_id) b
    ) f
    cross join lateral (select * from state_span s where s.agent_id = f.agent_id and s.began_at >= f.since offset 0) s
) n
where n.agent_id = s.agent_id and n.began_at = s.began_at and n.next_at is distinct from s.ended_at;

-- name: open_windows
-- From when on the clocks of which agents are to be read anew.
insert into agent_window (agent_id, since)
select agent_id, min(since) from (
    select coalesce(b.agent_id, w.agent_id) as agent_id, coalesce(b.accepted_at, w.accepted_at) as since
    from batch_work b left join work w on w.assignment_id = b.assignment_id
    where coalesce(b.ended_at, w.ended_at) is not null and coalesce(b.accepted_at, w.accepted_at) is not null
    union all
    select s.agent_id, s.began_at
    from (select agent_id, min(at) as at from batch where kind = 'agent.state_changed' group by agent_id) b
    cross join lateral (
        select agent_id, began_at from state_span where agent_id = b.agent_id and ended_at >= b.at
        union all
        select agent_id, began_at from state_span where agent_id = b.agent_id and ended_at is null
        offset 0
    ) s
) t
where agent_id is not null
group by agent_id;

-- name: widen_windows
-- Work that reaches into a window is read whole.
update agent_window a set whole = quarter(least(a.since, coalesce(e.accepted_at, a.since)))
from agent_window t
left join lateral (
    select min(accepted_at) as accepted_at from work w where w.agent_id = t.agent_id and w.ended_at >= t.since
) e on true
where a.agent_id = t.agent_id;

-- name: upsert_stays
-- Stays as they are known now.
insert into stay (entry_id, queue_id, case_id, interaction_id, agent_id, team_id, channel, media_class, language, moved,
    entered_at, waiting_since, due_at, short_seconds, expected_seconds, expected_low, expected_high, ended_at, ended_as, outcome)
select b.entry_id, b.queue_id, b.case_id, b.interaction_id, b.agent_id, coalesce(b.team_id, 0), coalesce(b.channel, ''),
    coalesce(b.media_class, ''), coalesce(b.language, ''), b.moved, b.entered_at, coalesce(b.waiting_since, b.entered_at),
    case when p.hours_id is not null then open_until(p.hours_id, coalesce(b.waiting_since, b.entered_at), p.answer_seconds)
        else coalesce(b.waiting_since, b.entered_at) + make_interval(secs => p.answer_seconds) end,
    coalesce(p.short_seconds, 0), b.expected_seconds, b.expected_low, b.expected_high, b.ended_at,
    case
        when b.ended_at is null then ''
        when b.outcome in ('accepted', 'picked', 'answered', 'given', 'resolved') then 'answered'
        when b.outcome = 'abandoned' then 'abandoned'
        when b.outcome in ('transferred', 'overflowed', 'too old') then 'flowed out'
        when b.outcome = 'called back' then 'called back'
        else 'withdrawn'
    end, coalesce(b.outcome, '')
from batch_stay b
left join lateral (
    select * from promise p where p.queue_id = b.queue_id and p.since <= b.entered_at order by p.since desc limit 1
) p on b.entered_at is not null
on conflict (entry_id) do update set
    queue_id = coalesce(stay.queue_id, excluded.queue_id), case_id = coalesce(stay.case_id, excluded.case_id),
    interaction_id = coalesce(stay.interaction_id, excluded.interaction_id), agent_id = coalesce(excluded.agent_id, stay.agent_id),
    team_id = case when excluded.team_id <> 0 then excluded.team_id else stay.team_id end,
    channel = coalesce(nullif(stay.channel, ''), excluded.channel),
    media_class = coalesce(nullif(stay.media_class, ''), excluded.media_class),
    language = coalesce(nullif(stay.language, ''), excluded.language), moved = stay.moved or excluded.moved,
    entered_at = coalesce(stay.entered_at, excluded.entered_at), waiting_since = coalesce(stay.waiting_since, excluded.waiting_since),
    due_at = coalesce(stay.due_at, excluded.due_at), short_seconds = greatest(stay.short_seconds, excluded.short_seconds),
    expected_seconds = coalesce(stay.expected_seconds, excluded.expected_seconds),
    expected_low = coalesce(stay.expected_low, excluded.expected_low),
    expected_high = coalesce(stay.expected_high, excluded.expected_high),
    ended_at = coalesce(stay.ended_at, excluded.ended_at),
    ended_as = coalesce(nullif(stay.ended_as, ''), excluded.ended_as),
    outcome = coalesce(nullif(stay.outcome, ''), excluded.outcome);

-- name: upsert_works
-- Pieces of work as they are known now.
insert into work (assignment_id, entry_id, queue_id, case_id, interaction_id, customer_id, agent_id, team_id, channel, media_class,
    language, weight, accepted_at, work_ended_at, ended_at, outcome, wrap_up_code_id)
select b.assignment_id, b.entry_id, b.queue_id, b.case_id, b.interaction_id, b.customer_id, b.agent_id, coalesce(b.team_id, 0),
    coalesce(b.channel, ''), coalesce(b.media_class, ''), coalesce(b.language, ''), coalesce(b.weight, 100), b.accepted_at,
    b.work_ended_at, b.ended_at, coalesce(b.outcome, ''), b.wrap_up_code_id
from batch_work b
on conflict (assignment_id) do update set
    entry_id = coalesce(work.entry_id, excluded.entry_id), queue_id = coalesce(work.queue_id, excluded.queue_id),
    case_id = coalesce(work.case_id, excluded.case_id), interaction_id = coalesce(work.interaction_id, excluded.interaction_id),
    customer_id = coalesce(work.customer_id, excluded.customer_id), agent_id = coalesce(work.agent_id, excluded.agent_id),
    team_id = case when work.team_id <> 0 then work.team_id else excluded.team_id end,
    channel = coalesce(nullif(work.channel, ''), excluded.channel),
    media_class = coalesce(nullif(work.media_class, ''), excluded.media_class),
    language = coalesce(nullif(work.language, ''), excluded.language), accepted_at = coalesce(work.accepted_at, excluded.accepted_at),
    work_ended_at = coalesce(work.work_ended_at, excluded.work_ended_at), ended_at = coalesce(work.ended_at, excluded.ended_at),
    outcome = coalesce(nullif(work.outcome, ''), excluded.outcome),
    wrap_up_code_id = coalesce(excluded.wrap_up_code_id, work.wrap_up_code_id);

-- name: cut_works
-- The work of these agents, in the pieces that it was done in and cut at the bounds of intervals. What is a mail's stands
-- still while its agent is offline.
insert into cut (agent_id, assignment_id, phase, weight, begins_at, began_at, ended_at)
with target as (
    select w.agent_id, w.assignment_id, w.media_class, w.weight, w.accepted_at,
        least(greatest(coalesce(w.work_ended_at, w.ended_at), w.accepted_at), w.ended_at) as work_ended_at, w.ended_at, a.whole
    from agent_window a
    cross join lateral (select * from work w where w.agent_id = a.agent_id and w.ended_at > a.whole and w.accepted_at < w.ended_at offset 0) w
),
reach as (  -- how far back the work of these agents reaches
    select agent_id, min(accepted_at) as since from target group by agent_id
),
away as (
    select s.* from reach r cross join lateral (
        select s.agent_id, s.began_at, s.ended_at from state_span s where s.agent_id = r.agent_id and s.ended_at > r.since and s.state = 'offline'
        union all
        select s.agent_id, s.began_at, s.ended_at from state_span s where s.agent_id = r.agent_id and s.ended_at is null and s.state = 'offline'
        offset 0
    ) s
),
still as (
    select assignment_id, range_agg(tstzrange(begins, ends)) as spans
    from (
        select t.assignment_id, h.at as begins,
            coalesce((select min(r.at) from hold_mark r where r.assignment_id = h.assignment_id and not r.held and r.at > h.at),
                t.work_ended_at) as ends
        from target t join hold_mark h on h.assignment_id = t.assignment_id and h.held
        union all
        select t.assignment_id, s.began_at, coalesce(s.ended_at, t.ended_at)
        from target t
        join away s on s.agent_id = t.agent_id and s.began_at < t.ended_at and (s.ended_at > t.accepted_at or s.ended_at is null)
        where t.media_class = 'mail'
    ) spans
    where begins < ends
    group by assignment_id
),
piece as (
    select t.agent_id, t.assignment_id, 'talk' as phase, t.weight, t.whole, lower(r) as began_at, upper(r) as ended_at
    from target t left join still s on s.assignment_id = t.assignment_id
    cross join lateral unnest(tstzmultirange(tstzrange(t.accepted_at, t.work_ended_at)) - coalesce(s.spans, '{}'::tstzmultirange)) r
    where t.accepted_at < t.work_ended_at
    union all
    select t.agent_id, t.assignment_id, 'hold', t.weight, t.whole, lower(r), upper(r)
    from target t join still s on s.assignment_id = t.assignment_id
    cross join lateral unnest(tstzmultirange(tstzrange(t.accepted_at, t.work_ended_at)) * s.spans) r
    union all
    select t.agent_id, t.assignment_id, 'wrap', t.weight, t.whole, t.work_ended_at, t.ended_at from target t where t.work_ended_at < t.ended_at
)
select agent_id, assignment_id, phase, weight, cell, greatest(cell, began_at), least(cell + interval '15 minutes', ended_at)
from piece
cross join lateral generate_series(quarter(greatest(began_at, whole)), ended_at - interval '1 microsecond', interval '15 minutes') cell;

-- name: split_clock
-- Each moment with work in hand, and the weight of all that is in hand in it.
insert into moment (agent_id, begins_at, began_at, ended_at, weight)
with bound as (
    select distinct agent_id, begins_at, b.at from cut cross join lateral (values (began_at), (ended_at)) b (at) where phase <> 'hold'
),
between_bounds as (
    select agent_id, begins_at, at as began_at, lead(at) over (partition by agent_id, begins_at order by at) as ended_at from bound
)
select m.agent_id, m.begins_at, m.began_at, m.ended_at, sum(c.weight)
from between_bounds m
join cut c on c.agent_id = m.agent_id and c.begins_at = m.begins_at and c.phase <> 'hold' and c.began_at <= m.began_at and c.ended_at >= m.ended_at
where m.ended_at is not null
group by 1, 2, 3, 4;

-- name: clear_times
-- What was known of these agents' time from their windows on.
delete from time_ledger l using agent_window a where l.agent_id = a.agent_id and l.begins_at >= a.whole;

-- name: clear_states
-- The same for their states.
delete from agent_ledger l using agent_window a where l.agent_id = a.agent_id and l.begins_at >= a.whole;

-- name: charge
-- What each piece of work is charged in each interval, in microseconds.
insert into charge (assignment_id, begins_at, talk_us, hold_us, wrap_up_us, charged_us)
select assignment_id, begins_at, sum(talk_us), sum(hold_us), sum(wrap_up_us), sum(charged_us)
from (
    select assignment_id, begins_at, case when phase = 'talk' then us else 0 end as talk_us, case when phase = 'hold' then us else 0 end as hold_us,
        case when phase = 'wrap' then us else 0 end as wrap_up_us, 0::bigint as charged_us
    from (select assignment_id, begins_at, phase, (extract(epoch from ended_at - began_at) * 1000000)::bigint as us from cut) c
    union all
    select c.assignment_id, c.begins_at, 0, 0, 0, round(extract(epoch from m.ended_at - m.began_at) * 1000000 * c.weight / m.weight)::bigint
    from moment m
    join cut c on c.agent_id = m.agent_id and c.begins_at = m.begins_at and c.phase <> 'hold' and c.began_at <= m.began_at and c.ended_at >= m.ended_at
) t
group by assignment_id, begins_at;

-- name: book_times
-- The pro-rated ledger of these agents.
insert into time_ledger (begins_at, agent_id, queue_id, channel, language, team_id, talk_ms, hold_ms, wrap_up_ms, charged_ms)
select c.begins_at, w.agent_id, w.queue_id, w.channel, w.language, w.team_id, round(sum(c.talk_us) / 1000.0), round(sum(c.hold_us) / 1000.0),
    round(sum(c.wrap_up_us) / 1000.0), round(sum(c.charged_us) / 1000.0)
from charge c
join work w on w.assignment_id = c.assignment_id
where w.queue_id is not null
group by 1, 2, 3, 4, 5, 6;

-- name: book_charges
-- What a piece of work is charged in all.
update work w set talk_ms = c.talk_ms, hold_ms = c.hold_ms, wrap_up_ms = c.wrap_up_ms, charged_ms = c.charged_ms
from (
    select assignment_id, round(sum(talk_us) / 1000.0) as talk_ms, round(sum(hold_us) / 1000.0) as hold_ms,
        round(sum(wrap_up_us) / 1000.0) as wrap_up_ms, round(sum(charged_us) / 1000.0) as charged_ms
    from charge group by assignment_id
) c, agent_window a
where w.assignment_id = c.assignment_id and a.agent_id = w.agent_id and w.accepted_at >= a.whole
    and (w.talk_ms, w.hold_ms, w.wrap_up_ms, w.charged_ms) is distinct from (c.talk_ms, c.hold_ms, c.wrap_up_ms, c.charged_ms);

-- name: book_states
-- The states of these agents, interval by interval, and how much of each there was work in hand. Offline is left out.
insert into agent_ledger (begins_at, agent_id, state, reason, state_ms, engaged_ms)
with piece as (
    select s.agent_id, s.state, s.reason, cell as begins_at, greatest(cell, s.began_at) as began_at,
        least(cell + interval '15 minutes', s.ended_at) as ended_at
    from agent_window a
    cross join lateral (
        select * from state_span s where s.agent_id = a.agent_id and s.ended_at > a.whole and s.state <> 'offline' and s.ended_at > s.began_at offset 0
    ) s
    cross join lateral generate_series(quarter(greatest(s.began_at, a.whole)), s.ended_at - interval '1 microsecond', interval '15 minutes') cell
)
select begins_at, agent_id, state, reason, sum(ms(ended_at - began_at)), sum(coalesce(ms(engaged), 0))
from (
    select p.begins_at, p.agent_id, p.state, p.reason, p.began_at, p.ended_at,
        sum(least(m.ended_at, p.ended_at) - greatest(m.began_at, p.began_at)) filter (where m.agent_id is not null) as engaged
    from piece p
    left join moment m on m.agent_id = p.agent_id and m.begins_at = p.begins_at and m.began_at < p.ended_at and m.ended_at > p.began_at
    group by 1, 2, 3, 4, 5, 6
) t
group by 1, 2, 3, 4;

-- name: mark_cases
-- The steps of cases.
insert into case_mark (event_id, case_id, at, kind, queue_id, customer_id)
select id, case_id, at, case when kind like 'queue_entry.%' then 'case.moved' else kind end, queue_id, customer_id from batch
where kind in ('queue_entry.moved', 'queue_entry.overflowed', 'case.opened', 'case.resolved', 'case.reopened', 'case.transferred', 'case.merged_away') and case_id is not null
on conflict do nothing;

-- name: touched_cases
-- The cases that the batch says something of, each with whose and where and since when it was until now, if it was there.
insert into batch_case
select b.case_id, m.customer_id, m.queue_id, m.opened_at
from (
    select distinct case_id from batch
    where case_id is not null and kind in ('queue_entry.moved', 'queue_entry.overflowed', 'case.opened', 'case.resolved', 'case.reopened', 'case.transferred', 'case.merged_away',
        'queue_entry.entered', 'interaction.accepted', 'interaction.picked')
) b
left join matter m on m.case_id = b.case_id;

-- name: know_contacts
-- By which channel and in which language each of them came first, and how often it was worked on.
insert into batch_contact (case_id, channel, language, works)
select b.case_id, coalesce(f.channel, ''), coalesce(f.language, ''), coalesce(w.works, 0)
from batch_case b
left join lateral (select channel, language from stay where stay.case_id = b.case_id order by entry_id + 0 limit 1) f on true
left join lateral (select count(*) as works from work where work.case_id = b.case_id) w on true;

-- name: clear_spans
-- What was known of them.
delete from case_span s using batch_case b where s.case_id = b.case_id;

-- name: book_spans
-- Each time that a case was open in a queue: from a step that opens it there to the next.
insert into case_span (case_id, event_id, queue_id, channel, language, kind, began_at, opened_at, ended_at, end_kind)
with step as (
    select m.*, lead(m.at) over w as next_at, lead(m.kind) over w as next_kind, min(m.at) over (partition by m.case_id) as opened_at,
        max(case when m.kind not in ('case.transferred', 'case.moved') then m.event_id end) over (w rows unbounded preceding) as base_id
    from case_mark m join batch_case b on b.case_id = m.case_id
    window w as (partition by m.case_id order by m.at, m.event_id)
)
select s.case_id, s.event_id, s.queue_id, f.channel, f.language, substr(s.kind, 6), s.at, s.opened_at, s.next_at,
    coalesce(substr(s.next_kind, 6), '')
from step s
join batch_contact f on f.case_id = s.case_id
left join step base on base.case_id = s.case_id and base.event_id = s.base_id
where s.queue_id is not null
    and (s.kind in ('case.opened', 'case.reopened') or s.kind in ('case.transferred', 'case.moved') and base.kind in ('case.opened', 'case.reopened'));

-- name: book_matters
-- Each case as a whole.
insert into matter (case_id, customer_id, queue_id, channel, language, opened_at, resolved_at, reopened_at, works, transfers)
select m.case_id, max(m.customer_id), (array_agg(m.queue_id order by m.at, m.event_id) filter (where m.queue_id is not null))[1],
    max(m.channel), max(m.language), min(m.at),
    min(m.resolved_at), min(m.at) filter (where m.kind = 'case.reopened' and m.at >= m.resolved_at),
    max(m.works), count(*) filter (where m.kind = 'case.transferred')
from (
    select m.*, f.channel, f.language, f.works, min(m.at) filter (where m.kind = 'case.resolved') over (partition by m.case_id) as resolved_at
    from case_mark m join batch_contact f on f.case_id = m.case_id
) m
group by m.case_id
having bool_or(m.queue_id is not null)
on conflict (case_id) do update set customer_id = excluded.customer_id, queue_id = excluded.queue_id, channel = excluded.channel,
    language = excluded.language, opened_at = excluded.opened_at, resolved_at = excluded.resolved_at,
    reopened_at = excluded.reopened_at, works = excluded.works, transfers = excluded.transfers;

-- name: book_returns
-- When the customer came to the same queue again with another case. A case that is new changes its own and that of the one
-- before it; one that is another customer's or queue's now, or opened at another time, all of both; any other none.
with touched as (
    select m.case_id, m.customer_id, m.queue_id, m.opened_at, b.opened_at is null as fresh, b.customer_id as was_of, b.queue_id as was_in
    from batch_case b
    join matter m on m.case_id = b.case_id
    where (b.customer_id, b.queue_id, b.opened_at) is distinct from (m.customer_id, m.queue_id, m.opened_at)
),
whole as (
    select customer_id, queue_id from touched where not fresh and customer_id is not null
    union
    select was_of, was_in from touched where not fresh and was_of is not null
),
came as (
    select o.case_id, lead(o.opened_at) over (partition by o.customer_id, o.queue_id order by o.opened_at, o.case_id) as next_at
    from matter o join whole w on w.customer_id = o.customer_id and w.queue_id = o.queue_id
    union
    select t.case_id, n.opened_at
    from touched t
    left join lateral (
        select o.opened_at from matter o
        where o.customer_id = t.customer_id and o.queue_id = t.queue_id and (o.opened_at, o.case_id) > (t.opened_at, t.case_id)
        order by o.opened_at, o.case_id limit 1
    ) n on true
    where t.fresh and t.customer_id is not null
    union
    select p.case_id, t.opened_at
    from touched t
    join lateral (
        select o.case_id from matter o
        where o.customer_id = t.customer_id and o.queue_id = t.queue_id and (o.opened_at, o.case_id) < (t.opened_at, t.case_id)
        order by o.opened_at desc, o.case_id desc limit 1
    ) p on true
    where t.fresh and t.customer_id is not null
)
update matter m set next_at = came.next_at
from came where came.case_id = m.case_id and came.next_at is distinct from m.next_at;

-- name: count_offers
-- What became of offers.
insert into delta_event (begins_at, queue_id, channel, language, team_id, offers, offers_missed, offers_declined)
select quarter(b.at), b.queue_id, coalesce(s.channel, ''), coalesce(s.language, ''), 0,
    count(*) filter (where b.kind = 'offer.made'), count(*) filter (where b.kind = 'offer.timed_out'),
    count(*) filter (where b.kind = 'offer.declined')
from batch b
left join stay s on s.entry_id = (b.data->>'entry_id')::bigint
where b.kind in ('offer.made', 'offer.timed_out', 'offer.declined') and b.queue_id is not null
group by 1, 2, 3, 4;

-- name: mark_offers
-- Those that nobody took.
insert into offer_mark (event_id, at, kind, case_id, queue_id, agent_id, channel, language)
select b.id, b.at, case b.kind when 'offer.declined' then 'declined' else 'missed' end, b.case_id, b.queue_id, b.agent_id,
    coalesce(s.channel, ''), coalesce(s.language, '')
from batch b
left join stay s on s.entry_id = (b.data->>'entry_id')::bigint
where b.kind in ('offer.timed_out', 'offer.declined') and b.queue_id is not null
on conflict do nothing;

-- name: forget_open_spans
-- Hours were changed: what they were to be afterwards is not known any more.
delete from open_span o using batch b
where b.kind = 'hours.changed' and o.hours_id = (b.data->>'hours_id')::bigint and o.opens_at > b.at;
