-- name: points
-- The contact points of these addresses.
select w.n, p.id as point_id from unnest(cast(:ns as int[]), cast(:kinds as text[]), cast(:addresses as text[])) as w (n, kind, address)
join contact_point p on p.kind = w.kind and p.address = w.address;

-- name: senders
-- Whose contact points these are.
select id, kind, address from contact_point where id = any(cast(:ids as bigint[]));

-- name: newest_talks
-- The newest talk of each address on a line, with all that its customer may see of it.
select w.n, i.id, i.case_id, i.line_id, i.contact_point_id, i.media_class, i.started_at, i.ended_at, t.mode, t.verification, t.claimed, t.said_at,
    t.answered_at, t.warned_at, t.seen_upto, t.read_upto, t.transcript_to, t.ended_by, t.survey, t.settled_at, c.number, c.subject, c.language,
    c.customer_id, c.owner_id, c.status, q.name as queue_name, e.id as entry_id, e.queue_id as waits_in, a.agent_id, g.name as agent_name,
    a.work_ended_at is null and a.agent_id is not null as in_hand,
    t.mode = 'flow' or t.mode = 'later' and exists (select from flow_run r where r.interaction_id = i.id and r.ended_at is null) as in_flow,
    case when t.claimed <> '' then t.claimed when t.verification <> 'none' then coalesce((
        select p.address from contact_point p where p.customer_id = c.customer_id and p.kind = 'mailbox' and p.bad_since is null
            and p.verified_at is not null order by p.preferred desc, p.id limit 1), '') else '' end as mailbox
from unnest(cast(:ns as int[]), cast(:point_ids as bigint[]), cast(:line_ids as bigint[]), cast(:talks as text[])) as w (n, point_id, line_id, talk)
join lateral (
    select o.* from interaction o where o.contact_point_id = w.point_id and o.line_id = w.line_id
        and (w.talk = '' or exists (select from talk k where k.interaction_id = o.id and k.key = w.talk)) order by o.id desc limit 1
) i on true
join talk t on t.interaction_id = i.id
join "case" c on c.id = i.case_id
left join queue_entry e on e.interaction_id = i.id and e.state in ('waiting', 'offered')
left join queue q on q.id = coalesce(e.queue_id, c.queue_id)
left join lateral (
    select s.agent_id, s.work_ended_at from assignment s where s.interaction_id = i.id order by s.id desc limit 1
) a on true
left join agent g on g.id = a.agent_id;

-- name: messages_after
-- What was said in the newest talks of each address on a line, after the newest message of each that is known (a JSON object of
-- interaction to message). Messages of one interaction are committed in the order of their numbers, for all lock its case first.
select w.n, m.id, m.interaction_id, m.direction, m.agent_id, g.name as agent_name, m.at, m.text, m.kind, m.facts, f.files
from unnest(cast(:ns as int[]), cast(:point_ids as bigint[]), cast(:line_ids as bigint[]), cast(:afters as text[]), cast(:talks as text[]))
    as w (n, point_id, line_id, afters, talk)
join lateral (
    select o.id from interaction o where o.contact_point_id = w.point_id and o.line_id = w.line_id
        and (w.talk = '' or exists (select from talk k where k.interaction_id = o.id and k.key = w.talk)) order by o.id desc limit 4
) i on true
join lateral (
    select * from message o where o.interaction_id = i.id and o.id > coalesce(cast(w.afters::jsonb ->> i.id::text as bigint), 0)
        and o.contact_point_id = w.point_id order by o.id limit :most
) m on true
left join agent g on g.id = m.agent_id
left join lateral (
    select jsonb_agg(jsonb_build_array(x.id, x.name, x.content_type, x.size) order by x.id) as files from attachment x where x.message_id = m.id
) f on true
order by w.n, m.id;

-- name: messages_before
-- The newest messages of the talks of an address on a line, before one of them, newest first.
select 0 as n, m.id, m.interaction_id, m.direction, m.agent_id, g.name as agent_name, m.at, m.text, m.kind, m.facts, f.files
from (
    select o.id from interaction o where o.contact_point_id = :point_id and o.line_id = :line_id order by o.id desc limit 4
) i
join message m on m.interaction_id = i.id and m.contact_point_id = :point_id and (:before = 0 or m.id < :before)
left join agent g on g.id = m.agent_id
left join lateral (
    select jsonb_agg(jsonb_build_array(x.id, x.name, x.content_type, x.size) order by x.id) as files from attachment x where x.message_id = m.id
) f on true
order by m.id desc limit :most;

-- name: here
-- Who looks now. A talk that somebody writes into at this moment is passed by: that says it too, and nobody waits in a ring.
update talk set here_at = :at where interaction_id in (
    select interaction_id from talk where interaction_id = any(cast(:ids as bigint[])) and settled_at is null
    order by interaction_id for update skip locked
);

-- name: see
-- The customer has seen our messages up to here, in whichever of their talks on a line that is.
update talk t set seen_upto = :upto, seen_at = :at, here_at = :at from message m join interaction i on i.id = m.interaction_id
where t.interaction_id = i.id and m.id = :upto and m.direction = 'out' and i.contact_point_id = :point_id and i.line_id = :line_id
    and t.seen_upto < :upto
returning i.case_id, i.id;

-- name: read
-- We have read the customer's messages of a case up to now.
update talk t set read_upto = m.newest from (
    select o.interaction_id, max(o.id) as newest from message o join interaction i on i.id = o.interaction_id
    where i.case_id = :case_id and o.direction = 'in' group by o.interaction_id
) m
where t.interaction_id = m.interaction_id and t.read_upto < m.newest and t.settled_at is null returning t.interaction_id, t.read_upto;

-- name: look_at
-- One more page of the trail, the newest fifty kept; the same twice in a row is one.
update talk set here_at = :at, trail = (
    select jsonb_agg(x.page order by x.n) from (
        select page, n from jsonb_array_elements(trail || jsonb_build_array(cast(:page as jsonb))) with ordinality as y (page, n)
        order by n desc limit 50
    ) x
)
where interaction_id = :interaction_id and trail -> -1 ->> 1 is distinct from cast(:page as jsonb) ->> 1;

-- name: claim
-- Where answers may go.
update talk set claimed = :mailbox where interaction_id = :interaction_id;

-- name: ask_transcript
-- The whole of it is to go there.
update talk set transcript_to = :mailbox, settled_at = null where interaction_id = :interaction_id and transcript_to = '';

-- name: file_of
-- A file of somebody's talks on a line.
select x.file_hash, x.name, x.content_type from attachment x join message m on m.id = x.message_id join interaction i on i.id = m.interaction_id
where x.id = :file_id and i.contact_point_id = :point_id and i.line_id = :line_id and m.contact_point_id = :point_id;

-- name: of_case
-- The talks of a case as agents see them, newest first.
select i.id, i.line_id, i.contact_point_id, i.channel, i.media_class, i.started_at, i.ended_at, t.*, p.address
from talk t join interaction i on i.id = t.interaction_id left join contact_point p on p.id = i.contact_point_id
where i.case_id = :case_id order by i.id desc;

-- name: live
-- The talks that go on within a scope, longest silent on our side first.
select i.id, i.case_id, i.started_at, t.said_at, t.answered_at, t.here_at, t.verification, c.number, c.subject, c.last_words, c.queue_id,
    q.name as queue_name, a.agent_id, g.name as agent_name, u.name as customer_name, i.channel
from talk t
join interaction i on i.id = t.interaction_id and i.ended_at is null
join "case" c on c.id = i.case_id
join customer u on u.id = c.customer_id
left join queue q on q.id = c.queue_id
left join assignment a on a.interaction_id = i.id and a.work_ended_at is null and a.ended_at is null
left join agent g on g.id = a.agent_id
where t.settled_at is null and t.mode = 'live' and (cast(:everything as boolean) or c.queue_id = any(cast(:queue_ids as bigint[])) or a.agent_id = :me)
    and (cast(:agent_id as bigint) is null or a.agent_id = cast(:agent_id as bigint))
order by t.answered_at is not null and t.answered_at >= t.said_at, t.said_at limit :most;

-- name: due_talks
-- Talks for which something is to be done by time, with what: warn or end who is silent, let go who is gone before anybody came, mail
-- what was not seen, settle what has ended. ``gone`` is since when they have not looked.
select i.id, i.case_id, i.line_id, i.contact_point_id, i.started_at, i.ended_at, t.mode, t.verification, t.claimed, t.said_at, t.answered_at, t.warned_at,
    t.here_at, t.seen_upto, t.mailed_upto, t.transcript_to, t.ended_by, t.survey, d.what
from talk t
join interaction i on i.id = t.interaction_id
cross join lateral (
    select cast(t.rules ->> 'warn_after' as int) as warn, cast(t.rules ->> 'end_after' as int) as ending, cast(t.rules ->> 'gone_after' as int) as gone
) r
cross join lateral (
    select case
        when i.ended_at is not null then case when t.here_at + r.gone * interval '1 second' <= :at or not exists (
            select from message m where m.interaction_id = i.id and m.direction = 'out' and m.agent_id is not null
                and m.id > greatest(t.seen_upto, t.mailed_upto)) then 'settle' end
        when t.mode = 'flow' and greatest(t.said_at, t.here_at) + interval '30 minutes' <= :at then 'left'
        when t.mode = 'live' and t.warned_at is not null and t.warned_at + r.ending * interval '1 second' <= :at then 'end'
        when t.mode = 'live' and r.warn > 0 and t.warned_at is null and t.answered_at >= t.said_at
            and t.answered_at + r.warn * interval '1 second' <= :at then 'warn'
        when t.mode = 'live' and t.here_at + r.gone * interval '1 second' <= :at and exists (
            select from queue_entry e where e.interaction_id = i.id and e.state in ('waiting', 'offered')) then 'let go'
        when t.answered_at is not null and t.here_at + r.gone * interval '1 second' <= :at
            and t.answered_at + r.gone * interval '1 second' <= :at and exists (
            select from message m where m.interaction_id = i.id and m.direction = 'out' and m.agent_id is not null
                and m.id > greatest(t.seen_upto, t.mailed_upto)) then 'mail'
    end as what
) d
where t.settled_at is null and d.what is not null and (cast(:only as bigint) is null or i.id = cast(:only as bigint))
order by i.id limit :most;

-- name: next_talk
-- When something is to be done next by time.
select min(moment) from (
    select case when i.ended_at is not null then cast(:at as timestamptz) + interval '5 seconds'
        when t.mode = 'live' and t.warned_at is not null then t.warned_at + cast(t.rules ->> 'end_after' as int) * interval '1 second'
        when t.mode = 'live' and cast(t.rules ->> 'warn_after' as int) > 0 and t.answered_at >= t.said_at
            then t.answered_at + cast(t.rules ->> 'warn_after' as int) * interval '1 second'
    end as moment
    from talk t join interaction i on i.id = t.interaction_id where t.settled_at is null
) as soon;

-- name: warned
-- They were told that it ends soon.
update talk set warned_at = :at where interaction_id = :interaction_id;

-- name: rest_of_case
-- What a talk that has ended leaves: words that were left for somebody to answer later, another talk of its case that goes on.
select exists (select from message m where m.interaction_id = :interaction_id and m.direction = 'in' and jsonb_exists(m.facts, 'left')) as left_words,
    exists (select from interaction i where i.case_id = :case_id and i.id <> :interaction_id and i.ended_at is null) as goes_on;

-- name: settled
-- Nothing is to be done for it any more.
update talk set settled_at = :at, survey = :survey where interaction_id = :interaction_id;

-- name: survey_answered
-- The question does not stand open any more.
update talk set survey = '' where interaction_id = :interaction_id;
