-- name: claim
-- Take what is due, oldest first, by moving its time ahead: if the taker dies, it is due again then. What was taken before and
-- did not come to an end may have taken its process down, so only one of those is taken at a time: it can hurt no other.
-- What a writer sent is left while something that they sent before is in other hands; what failed holds up nothing.
with fresh as (
    select i.id, i.line_id, i.writer from inbound i where i.state = 'new' and i.due_at <= :at and i.attempts = 0
        and (i.writer = '' or not exists (
            select from inbound e where e.line_id = i.line_id and e.writer = i.writer and e.writer <> '' and e.state = 'new' and e.id < i.id
                and e.attempts > 0 and e.cause = ''))
    order by i.due_at, i.id for update skip locked limit :most
),
suspect as (
    select i.id from inbound i where i.state = 'new' and i.due_at <= :at and i.attempts > 0
        and (i.writer = '' or not exists (
            select from inbound e where e.line_id = i.line_id and e.writer = i.writer and e.writer <> '' and e.state = 'new' and e.id < i.id
                and e.cause = ''))
    order by i.attempts, i.due_at, i.id for update skip locked limit 1
),
taken as (
    select f.id from fresh f where f.writer = '' or not exists (
        select from inbound e where e.line_id = f.line_id and e.writer = f.writer and e.writer <> '' and e.state = 'new' and e.id < f.id
            and e.cause = '' and e.id not in (select id from fresh))
    union all
    select id from suspect
)
update inbound set due_at = :until, attempts = attempts + 1
where id in (select id from taken)
returning id, line_id, external_id, body, file_hash, size, envelope, received_at, attempts;

-- name: lightly
-- What this transaction writes may be lost in a crash.
set local synchronous_commit = off;

-- name: let_go
-- Claimed, but not to be processed by who claimed it: due again at once.
update inbound set due_at = :at, attempts = attempts - 1 where id = any(cast(:ids as bigint[])) and state = 'new';

-- name: still_ours
-- Of what was claimed, what nobody finished meanwhile; locked until the end of the transaction.
select id from inbound where id = any(cast(:ids as bigint[])) and state = 'new' order by id for update;

-- name: soonest
-- When the next piece is due.
select min(due_at) from inbound where state = 'new' and due_at > :at;

-- name: finish
-- What became of pieces.
update inbound i set state = 'done', outcome = f.outcome, case_id = f.case_id, done_at = :at, cause = ''
from unnest(cast(:ids as bigint[]), cast(:outcomes as text[]), cast(:case_ids as bigint[])) as f (id, outcome, case_id)
where i.id = f.id;

-- name: set_aside
-- A piece that could not be processed: to be tried again later, or into quarantine.
update inbound set state = :state, cause = :cause, due_at = :due_at where id = :id and state = 'new' returning line_id;

-- name: cases_of_messages
-- The cases of messages that are referred to by their ids on the wire, the newest first.
select m.external_id, m.case_id from message m where m.external_id = any(cast(:external_ids as text[])) order by m.id;

-- name: cases_known
-- What is known of the cases referred to, after merges: their customer after merges too, and to whom we wrote on them. They
-- are locked, in order, so that nobody waits in a ring.
with recursive chain as (
    select id as asked, id, merged_into_id, 0 as step from "case" where id = any(cast(:ids as bigint[]))
    union all
    select asked, c.id, c.merged_into_id, step + 1 from "case" c join chain on c.id = chain.merged_into_id where step < 20
)
select chain.asked, c.id, c.customer_id, c.status, c.resolved_at, c.queue_id, c.owner_id, c.priority, c.language, c.subject,
    array(
        select d.address_kind || ' ' || d.address from delivery d where d.case_id = c.id and d.state <> 'taken back'
        union
        select (one.copy ->> 0) || ' ' || (one.copy ->> 1) from delivery d cross join lateral jsonb_array_elements(d.copies) as one (copy)
        where d.case_id = c.id and d.kind = 'reply' and d.state <> 'taken back'
    ) as addresses
from chain join "case" c on c.id = chain.id where chain.merged_into_id is null order by c.id for update of c;

-- name: opened_lately
-- How many cases each sender opened with a subject on each line since a moment, of the newest two hundred of their customer, and
-- the newest of them that is still open.
select i.contact_point_id, c.line_id, c.subject, count(*) filter (where c.opened_at > :since) as n,
    max(c.id) filter (where c.status not in ('resolved', 'closed')) as newest_open
from unnest(cast(:customer_ids as bigint[])) as w (customer_id)
cross join lateral (
    select id, line_id, subject, opened_at, status from "case" where customer_id = w.customer_id order by id desc limit 200
) c
join lateral (select contact_point_id from interaction where case_id = c.id order by id limit 1) i on true
where i.contact_point_id = any(cast(:point_ids as bigint[]))
group by i.contact_point_id, c.line_id, c.subject;

-- name: cases_of_talkers
-- The case of the newest interaction of each sender on a line, when it is open, or was settled so lately that they are back in time.
-- Who begins something new continues only a talk that goes on. Where one address has several talks at once, each is known by its key,
-- and goes into no case in which another of them goes on.
select w.inbound_id, i.case_id, i.ended_at is null and i.media_class <> 'mail' as live
from unnest(cast(:inbound_ids as bigint[]), cast(:kinds as text[]), cast(:addresses as text[]), cast(:line_ids as bigint[]),
    cast(:rejoins as int[]), cast(:begins as boolean[]), cast(:talks as text[])) as w (inbound_id, kind, address, line_id, rejoin, begins, talk)
join contact_point p on p.kind = w.kind and p.address = w.address
join lateral (
    select n.case_id, n.ended_at, n.media_class from interaction n where n.contact_point_id = p.id and n.line_id = w.line_id and case when w.talk = '' then true
        when exists (select from talk k where k.key = w.talk) then exists (select from talk k where k.key = w.talk and k.interaction_id = n.id)
        else not exists (select from interaction o join talk k on k.interaction_id = o.id where o.case_id = n.case_id and o.ended_at is null and k.mode <> 'later')
        end
    order by n.id desc limit 1
) i on true
join "case" c on c.id = i.case_id
where case when w.begins then i.ended_at is null
    else c.status not in ('resolved', 'closed') or c.resolved_at > cast(:at as timestamptz) - w.rejoin * interval '1 second' end;

-- name: who_begins
-- What routes ask of customers: their kind, whether they had a case before, the newest that is open with its queue and owner, and who served
-- them last.
select c.id as customer_id, c.kind, exists (select from "case" k where k.customer_id = c.id) as known, o.id as open_case_id, o.queue_id as open_queue_id,
    o.owner_id as open_owner_id, (
        select a.agent_id from assignment a join "case" k on k.id = a.case_id where k.customer_id = c.id order by a.id desc limit 1
    ) as last_agent_id
from customer c
left join lateral (
    select k.id, k.queue_id, k.owner_id from "case" k where k.customer_id = c.id and k.status not in ('resolved', 'closed') order by k.id desc limit 1
) o on true
where c.id = any(cast(:customer_ids as bigint[]));

-- name: open_interactions
-- The interaction that goes on, by case, line and address; whether its talk is one that is answered later and that nobody has in
-- hand, whether it is one that waits or that somebody has, and whether a flow answers it: it also goes on with who left words for later.
select distinct on (i.case_id, i.line_id, i.contact_point_id, t.key) i.id, i.case_id, i.line_id, i.contact_point_id, i.media_class,
    coalesce(t.key, '') as key, t.mode = 'later' and not asked.on
        and not exists (select from assignment a where a.interaction_id = i.id and a.ended_at is null) as waits_by_mail,
    t.mode = 'live' and (exists (select from queue_entry e where e.case_id = i.case_id and e.state in ('waiting', 'offered'))
        or exists (select from assignment a where a.case_id = i.case_id and a.work_ended_at is null and a.ended_at is null)) as held,
    coalesce(t.mode = 'flow' or asked.on, false) as in_flow
from interaction i left join talk t on t.interaction_id = i.id
left join lateral (
    select t.mode = 'later' and exists (select from flow_run r where r.interaction_id = i.id and r.ended_at is null) as on
) asked on true
where i.case_id = any(cast(:case_ids as bigint[])) and i.ended_at is null order by i.case_id, i.line_id, i.contact_point_id, t.key, i.id desc;

-- name: earlier_talks
-- The newest talk of each of these senders in a case, which the next one goes on from.
select distinct on (i.case_id, i.contact_point_id) i.case_id, i.contact_point_id, t.mode, t.claimed, t.verification, e.waiting_since
from interaction i join talk t on t.interaction_id = i.id
left join lateral (
    select o.waiting_since from queue_entry o
    where o.interaction_id = i.id and (o.state in ('waiting', 'offered') or o.outcome in ('abandoned', 'transferred')
        and o.left_at > cast(:at as timestamptz) - coalesce(cast(t.rules ->> 'rejoin' as int), 0) * interval '1 second')
    order by o.id desc limit 1
) e on true
where i.case_id = any(cast(:case_ids as bigint[])) order by i.case_id, i.contact_point_id, i.id desc;

-- name: end_interactions
-- What was to be answered by mail goes on live.
with ended as (
    update interaction set ended_at = :at where id = any(cast(:ids as bigint[])) and ended_at is null returning id
)
update talk t set ended_by = 'continued', settled_at = :at from ended e where t.interaction_id = e.id;

-- name: insert_talks
-- Talks begin.
insert into talk (interaction_id, key, mode, verification, claimed, said_at, here_at, rules, trail)
select w.id, w.key, w.mode, w.verification, w.claimed, w.at, w.at, w.rules::jsonb, w.trail::jsonb
from unnest(cast(:ids as bigint[]), cast(:modes as text[]), cast(:verifications as text[]), cast(:claimed as text[]), cast(:ats as timestamptz[]),
    cast(:rules as text[]), cast(:trails as text[]), cast(:keys as text[])) as w (id, mode, verification, claimed, at, rules, trail, key);

-- name: said_in_talks
-- Somebody said something in talks that go on.
update talk t set said_at = w.at, here_at = greatest(t.here_at, w.at), warned_at = null,
    claimed = case when w.claimed = '' then t.claimed else w.claimed end,
    verification = case when w.verification = 'none' then t.verification else w.verification end
from unnest(cast(:ids as bigint[]), cast(:ats as timestamptz[]), cast(:claimed as text[]), cast(:verifications as text[]))
    as w (id, at, claimed, verification)
where t.interaction_id = w.id;

-- name: insert_cases
insert into "case" (id, customer_id, subject, queue_id, line_id, language, opened_at, moved_at, due_at, last_words, last_channel, priority)
select * from unnest(cast(:ids as bigint[]), cast(:customer_ids as bigint[]), cast(:subjects as text[]), cast(:queue_ids as bigint[]),
    cast(:line_ids as bigint[]), cast(:languages as text[]), cast(:opened_at as timestamptz[]), cast(:moved_at as timestamptz[]),
    cast(:due_at as timestamptz[]), cast(:last_words as text[]), cast(:channels as text[]), cast(:priorities as int[]))
returning id, number;

-- name: insert_interactions
insert into interaction (id, case_id, line_id, contact_point_id, channel, media_class, started_at)
select * from unnest(cast(:ids as bigint[]), cast(:case_ids as bigint[]), cast(:line_ids as bigint[]), cast(:point_ids as bigint[]),
    cast(:channels as text[]), cast(:media_classes as text[]), cast(:started_at as timestamptz[]));

-- name: insert_messages
insert into message (id, case_id, interaction_id, inbound_id, direction, contact_point_id, external_id, subject, text, quoted, html, at, sent_at, kind, facts)
select id, case_id, interaction_id, inbound_id, direction, point_id, external_id, subject, text, quoted, html, at, sent_at, kind, facts::jsonb
from unnest(cast(:ids as bigint[]), cast(:case_ids as bigint[]), cast(:interaction_ids as bigint[]), cast(:inbound_ids as bigint[]),
    cast(:directions as text[]), cast(:point_ids as bigint[]), cast(:external_ids as text[]), cast(:subjects as text[]), cast(:texts as text[]),
    cast(:quoted as text[]), cast(:htmls as text[]), cast(:ats as timestamptz[]), cast(:sent_ats as timestamptz[]), cast(:kinds as text[]), cast(:facts as text[]))
    as t (id, case_id, interaction_id, inbound_id, direction, point_id, external_id, subject, text, quoted, html, at, sent_at, kind, facts);

-- name: insert_attachments
insert into attachment (case_id, message_id, file_hash, name, content_type, size, content_id, inline)
select * from unnest(cast(:case_ids as bigint[]), cast(:message_ids as bigint[]), cast(:hashes as text[]), cast(:names as text[]),
    cast(:types as text[]), cast(:sizes as bigint[]), cast(:content_ids as text[]), cast(:inlines as boolean[]));

-- name: continue_cases
-- Something was said on cases that were there.
update "case" c set moved_at = greatest(c.moved_at, t.at), revision = c.revision + t.n, last_words = t.words, last_channel = t.channel,
    last_direction = 'in', unread = unread or t.person, wakes_at = case when t.person then null else wakes_at end,
    due_at = case when t.person then coalesce(c.due_at, t.due_at) else c.due_at end,
    status = case when t.reopens then 'open' else c.status end, resolved_at = case when t.reopens then null else c.resolved_at end
from unnest(cast(:ids as bigint[]), cast(:ats as timestamptz[]), cast(:ns as int[]), cast(:words as text[]), cast(:channels as text[]),
    cast(:persons as boolean[]), cast(:reopens as boolean[]), cast(:due_at as timestamptz[])) as t (id, at, n, words, channel, person, reopens, due_at)
where c.id = t.id;

-- name: insert_links
insert into case_link (case_id, other_id, kind)
select * from unnest(cast(:case_ids as bigint[]), cast(:other_ids as bigint[]), cast(:kinds as text[])) on conflict do nothing;

-- name: retry
update inbound set state = 'new', due_at = :at, attempts = 0, cause = '' where id = any(cast(:ids as bigint[])) and state = 'quarantined' returning id, line_id;

-- name: discard
update inbound set state = 'discarded', done_at = :at where id = any(cast(:ids as bigint[])) and state = 'quarantined' returning id, line_id;

-- name: has_arrived
select exists (select from inbound where line_id = :line_id and external_id = :external_id);

-- name: case_number
-- The number of the case that a piece became part of, once it is.
select c.number from inbound i join "case" c on c.id = i.case_id where i.line_id = :line_id and i.external_id = :external_id;

-- name: lock_turns
-- One at a time of those who count the same writer.
select pg_advisory_xact_lock(hashtextextended(:key, 0));

-- name: take_turn
-- One more by a writer, unless there were as many as may be; how long until there is room, 0 when it was counted.
with over as (delete from turn where ends_at <= :at),
recent as (
    select count(*) as n, min(at) as oldest from turn where line_id = :line_id and writer = :writer and at > :since
),
taken as (
    insert into turn (line_id, writer, at, ends_at)
    select cast(:line_id as bigint), cast(:writer as text), cast(:at as timestamptz), :ends_at from recent where n < :most returning id
)
select case when exists (select from taken) then 0
    else greatest(extract(epoch from oldest - cast(:since as timestamptz)), 0.001) end from recent;

-- name: give_turn_back
delete from turn where id = (select id from turn where line_id = :line_id and writer = :writer order by id desc limit 1);

-- name: adopt_mailboxes
-- Somebody answers, with a reference that went to one mailbox only, from the mailbox that a talk's sender said is theirs: they own it.
-- Where nobody is known by it, it is the case's customer's from now on; where somebody is, the two are not made one by that.
with proven as (
    update talk t set proven_at = coalesce(t.proven_at, :at)
    from unnest(cast(:case_ids as bigint[]), cast(:addresses as text[])) as w (case_id, address)
    join interaction i on i.case_id = w.case_id
    where t.interaction_id = i.id and t.claimed = w.address
    returning i.case_id, t.claimed
)
insert into contact_point (customer_id, kind, address, verified_at)
select distinct on (v.claimed) c.customer_id, 'mailbox', v.claimed, cast(:at as timestamptz) from proven v join "case" c on c.id = v.case_id
order by v.claimed, v.case_id
on conflict (kind, address) do nothing;

-- name: verify_points
-- These addresses were shown to be theirs.
update contact_point set verified_at = :at where id = any(cast(:ids as bigint[])) and verified_at is null;
