-- name: beat
-- A process that moves sound is there.
insert into sound_node (name, beat_at, holds) values (:node, :at, cast(:holds as jsonb))
on conflict (name) do update set beat_at = excluded.beat_at, holds = excluded.holds;

-- name: node_ends
delete from sound_node where name = :node;

-- name: lost_calls
-- Calls that go on in processes of which nothing was heard since a moment; one at a time is told of, whoever asks. A talk that is
-- answered later (they are called, or left their words) does not end with its call.
select c.key, c.interaction_id, i.case_id, i.ended_at is null and t.mode is distinct from 'later' as goes_on,
    c.direction = 'out' and c.answered_at is null as in_vain
from call c left join interaction i on i.id = c.interaction_id left join talk t on t.interaction_id = i.id
left join sound_node n on n.name = c.node
where c.ended_at is null and (n.name is null or n.beat_at < :since) order by c.key for update of c skip locked;

-- name: lose
update call set state = 'ended', ended_at = :at, ended_by = 'lost', reason = :reason where key = :key;

-- name: forget_nodes
-- Processes that are gone, and the browsers that had their sound there.
with gone as (delete from sound_node where beat_at < :since returning name)
update reach r set ready = false, node = '' where r.node <> '' and (r.node in (select name from gone)
    or not exists (select from sound_node n where n.name = r.node)) returning r.agent_id;

-- name: tell
-- How a call stands. What ended stays ended; its talk is known by its key once there is one.
insert into call as c (key, line_id, interaction_id, node, direction, state, number, dialled, trunk, codec, keeping, began_at, answered_at, ended_at,
    ended_by, reason)
values (:key, :line_id, coalesce(cast(:talk_id as bigint), (select t.interaction_id from talk t where t.key = :key and t.key <> '')), :node, :direction,
    :state, :number, :dialled, :trunk, :codec, :keeping, :began_at, :answered_at, :ended_at, :ended_by, :reason)
on conflict (key) do update set interaction_id = coalesce(c.interaction_id, excluded.interaction_id), node = excluded.node, state = excluded.state,
    number = excluded.number, trunk = excluded.trunk, codec = excluded.codec, keeping = excluded.keeping, answered_at = coalesce(c.answered_at, excluded.answered_at),
    ended_at = excluded.ended_at, ended_by = excluded.ended_by, reason = excluded.reason
where c.ended_at is null
returning c.interaction_id;

-- name: tell_legs
-- The parties of a call. Returns whether anything but their quality changed.
with told as (
    select * from unnest(cast(:names as text[]), cast(:kinds as text[]), cast(:states as text[]), cast(:shown as text[]), cast(:agent_ids as bigint[]),
        cast(:numbers as text[]), cast(:muted as boolean[]), cast(:heard as text[]), cast(:qualities as text[]), cast(:remarks as text[]))
        as w (name, kind, state, shown, agent_id, number, muted, heard, quality, remark)
),
before as (select * from leg where call_key = :key),
written as (
    insert into leg as l (call_key, name, kind, state, shown, agent_id, number, muted, heard, quality, remark, began_at, joined_at, ended_at)
    select :key, name, kind, state, shown, agent_id, number, muted, heard, quality::jsonb, remark, cast(:at as timestamptz),
        case when state in ('in', 'apart') then cast(:at as timestamptz) end, case when state = 'gone' then cast(:at as timestamptz) end from told
    on conflict (call_key, name) do update set kind = excluded.kind, state = excluded.state, shown = excluded.shown, agent_id = excluded.agent_id,
        muted = excluded.muted, heard = excluded.heard, quality = case when excluded.quality = '{}' then l.quality else excluded.quality end,
        remark = excluded.remark, joined_at = coalesce(l.joined_at, excluded.joined_at),
        ended_at = case when excluded.state = 'gone' then coalesce(l.ended_at, excluded.ended_at) end
)
select exists (
    select from told t left join before b on b.name = t.name
    where b.name is null or (b.kind, b.state, b.shown, b.agent_id, b.muted, b.heard, b.remark)
        is distinct from (t.kind, t.state, t.shown, t.agent_id, t.muted, t.heard, t.remark)
) as changed;

-- name: end_legs
-- Nobody takes part any more.
update leg set state = 'gone', ended_at = :at where call_key = :key and ended_at is null;

-- name: standing
-- A call before it is told anew.
select c.key, c.state, c.keeping, c.ended_at, c.interaction_id from call c where c.key = :key for update;

-- name: parties
-- The agents who take part in a call, or did.
select distinct agent_id from leg where call_key = :key and agent_id is not null;

-- name: of_interaction
-- One call with its legs, and the case and customer it is about.
select c.key, c.interaction_id, i.case_id, k.number as number_of_case, k.subject, k.queue_id, k.owner_id, u.name as customer_name, c.direction, c.number,
    c.dialled, l.name as line_name, l.channel, l.language, k.language as case_language, c.line_id, c.node, c.state, c.keeping, c.trunk, c.codec, c.began_at, c.answered_at, c.ended_at,
    c.ended_by, c.reason, g.legs
from call c join interaction i on i.id = c.interaction_id join "case" k on k.id = i.case_id join customer u on u.id = k.customer_id
join line l on l.id = c.line_id
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'name', e.name, 'kind', e.kind, 'state', e.state, 'shown', e.shown, 'agent_id', e.agent_id,
        'number', e.number, 'muted', e.muted, 'heard', e.heard, 'quality', e.quality, 'remark', e.remark, 'joined_at', e.joined_at,
        'ended_at', e.ended_at) order by e.id), '[]') as legs
    from leg e where e.call_key = c.key
) g
where c.interaction_id = :interaction_id;

-- name: by_key
-- One call, whether or not a case came of it.
select c.key, c.interaction_id, i.case_id, k.number as number_of_case, k.queue_id, u.name as customer_name, c.direction, c.number, c.dialled,
    l.name as line_name, c.line_id, c.node, c.state, c.keeping, c.trunk, c.codec, c.began_at, c.answered_at, c.ended_at, c.ended_by, c.reason, (
        select coalesce(jsonb_agg(jsonb_build_object('name', e.name, 'kind', e.kind, 'state', e.state, 'shown', e.shown, 'number', e.number,
            'heard', e.heard, 'quality', e.quality, 'remark', e.remark, 'joined_at', e.joined_at, 'ended_at', e.ended_at) order by e.id), '[]')
        from leg e where e.call_key = c.key
    ) as legs
from call c join line l on l.id = c.line_id left join interaction i on i.id = c.interaction_id left join "case" k on k.id = i.case_id
left join customer u on u.id = k.customer_id
where c.key = :key;

-- name: of_agent
-- The interactions of calls that go on and that an agent has in hand or takes part in, newest first.
select c.interaction_id from call c
where c.ended_at is null and c.interaction_id is not null and (
    exists (select from leg e where e.call_key = c.key and e.agent_id = :agent_id and e.ended_at is null)
    or exists (select from assignment a where a.interaction_id = c.interaction_id and a.agent_id = :agent_id and a.work_ended_at is null and a.ended_at is null))
order by c.began_at desc;

-- name: going_on
-- All calls that go on within a scope, oldest first.
select c.key, c.interaction_id, i.case_id, k.number as number_of_case, k.queue_id, q.name as queue_name, q.hue as queue_hue, u.name as customer_name,
    c.direction, c.number, l.name as line_name, l.channel, c.node, c.state, c.keeping, c.trunk, c.codec, c.began_at, c.answered_at,
    (select coalesce(jsonb_agg(jsonb_build_object('name', e.name, 'kind', e.kind, 'state', e.state, 'shown', e.shown, 'number', e.number,
        'agent_id', e.agent_id, 'muted', e.muted, 'heard', e.heard, 'quality', e.quality, 'remark', e.remark) order by e.id), '[]')
        from leg e where e.call_key = c.key and e.ended_at is null) as legs
from call c join line l on l.id = c.line_id left join interaction i on i.id = c.interaction_id left join "case" k on k.id = i.case_id
left join queue q on q.id = k.queue_id left join customer u on u.id = k.customer_id
where c.ended_at is null and (cast(:everything as boolean) or k.queue_id = any(cast(:queue_ids as bigint[])))
order by c.began_at limit :most;

-- name: take_orders
-- What is wanted of this process, taken once. What nobody took in time is not done any more.
update call_order set taken_at = :at where id in (
    select id from call_order where taken_at is null and node in ('', :node) and asked_at > cast(:at as timestamptz) - :seconds * interval '1 second'
    order by id for update skip locked
)
returning id, call_key, agent_id, deed, "values", (select language from agent g where g.id = call_order.agent_id) as language;

-- name: order_done
update call_order set done_at = :at, answer = :answer, refused = :refused where id = :id and done_at is null
returning case when "values" ->> 'with' ~ '^[0-9]{1,18}$' then cast("values" ->> 'with' as bigint) end as asked;

-- name: order_answer
-- What came of an order.
select done_at, answer, refused from call_order where id = :id;

-- name: sweep_orders
delete from call_order where asked_at < :before;

-- name: asked
-- An agent who is wanted in a call: is one offered to them, do they take part in one?
select exists (select from offer o join queue_entry e on e.id = o.entry_id where o.agent_id = :agent_id and o.ended_at is null and o.expires_at > :at
        and e.media_class = 'call') as offered,
    exists (select from leg e join call c on c.key = e.call_key where e.agent_id = :agent_id and e.ended_at is null and c.ended_at is null
        and e.kind = 'agent') as in_call;

-- name: ask
-- Somebody is wanted in a call. Whoever makes offers waits for this row.
update agent_state set asked_until = cast(:at as timestamptz) + :seconds * interval '1 second' where agent_id = :agent_id;

-- name: ask_no_more
-- Nothing came of it.
update agent_state set asked_until = null where agent_id = :agent_id and asked_until is not null returning agent_id;

-- name: take_part
-- Who is rung for this call, or in it, while it is in other hands, is offered no other. Returns for whom that changed.
update agent_state s set takes_part = x.takes_part, asked_until = null
from (
    select p.agent_id, exists (
        select from leg l join call c on c.key = l.call_key
        where l.agent_id = p.agent_id and l.kind = 'agent' and l.ended_at is null and c.ended_at is null and not exists (
            select from assignment a where a.interaction_id = c.interaction_id and a.agent_id = l.agent_id and a.work_ended_at is null and a.ended_at is null)
    ) as takes_part
    from (select distinct agent_id from leg where call_key = :key and kind = 'agent' and agent_id is not null) p
) x
where s.agent_id = x.agent_id and (s.takes_part <> x.takes_part or s.asked_until is not null)
returning s.agent_id, s.takes_part;

-- name: in_a_call
-- Has an agent a call in hand, or takes part in one? Who waits in this case to be called is none yet.
select 1 where exists (select from leg e join call c on c.key = e.call_key where e.agent_id = :agent_id and e.ended_at is null and c.ended_at is null
        and e.kind = 'agent')
    or exists (select from assignment a join interaction i on i.id = a.interaction_id
        where a.agent_id = :agent_id and a.media_class = 'call' and a.work_ended_at is null and a.ended_at is null
            and not (a.case_id = :case_id and (i.media_class <> 'call' or i.ended_at is not null)));

-- name: to_call_about
-- The case that an agent's own call to a customer is about: what they have in hand of them, else the newest that is open and nobody else's.
select c.id from "case" c
where c.customer_id = :customer_id and c.status not in ('resolved', 'closed') and (c.owner_id is null or c.owner_id = :agent_id)
    and (cast(:everything as boolean) or c.queue_id = any(cast(:queue_ids as bigint[])) or c.owner_id = :agent_id)
order by exists (select from assignment a where a.case_id = c.id and a.agent_id = :agent_id and a.ended_at is null) desc,
    c.owner_id = :agent_id desc nulls last, c.moved_at desc, c.id desc limit 1;

-- name: whose_telephone
-- Who hears calls at a telephone. One that several have is nobody's own.
select min(a.id) as agent_id from reach r join agent a on a.id = r.agent_id and a.active where lower(r.number) = lower(:number) having count(*) = 1;

-- name: manners
-- What a customer said about being called at a number, and when they are not to be disturbed.
select u.quiet_from, u.quiet_until, u.zone, exists (
    select from contact_point p join consent s on s.contact_point_id = p.id and s.purpose = 'service' and not s.granted
    where p.kind = 'number' and p.address = :number) as unwanted
from customer u where u.id = :customer_id;

-- name: call_contacts_fitting
-- Whom agents can add: who speaks a language first, by a part of a name or number, or by languages.
select c.id, c.name, c.number, c.kind, c.languages, c.fee, :language = any(c.languages) as speaks from call_contact c
where (:words <> '' and (c.name ilike '%' || :words || '%' or c.number like '%' || :words || '%' or c.languages && cast(:spoken as text[])))
    or (:words = '' and (:language = any(c.languages) or c.kind = 'office'))
order by 7 desc, c.kind, c.name, c.id limit :most;

-- name: line_of
-- The line of a call.
select line_id from call where key = :key;

-- name: keep_recording
-- A recording, at the case of its call. None, when no case came of the call.
insert into recording (call_key, interaction_id, case_id, file_hash, seconds, began_at, marks, peaks, failure, kept_until)
select c.key, i.id, i.case_id, :file_hash, :seconds, :began_at, cast(:marks as jsonb), :peaks, :failure, :kept_until
from call c join interaction i on i.id = c.interaction_id where c.key = :key
    and not exists (select from recording r where r.call_key = c.key and r.file_hash = :file_hash)
returning id, interaction_id, case_id;

-- name: recording
-- A recording with the case that its call is of now, and whether an agent took part in the call.
select r.id, r.call_key, r.interaction_id, i.case_id, r.file_hash, r.seconds, r.began_at, r.marks, r.peaks, r.transcript, r.failure, r.kept_until,
    r.held, r.deleted_at, exists (select from leg l where l.call_key = r.call_key and l.agent_id = :agent_id and l.joined_at is not null) as took_part
from recording r join interaction i on i.id = r.interaction_id where r.id = :id;

-- name: overdue_recordings
-- Recordings whose time is over, and that nothing holds.
update recording set deleted_at = :at, transcript = '', peaks = ''::bytea
where id in (select id from recording where deleted_at is null and not held and kept_until <= :at order by id limit :most for update skip locked)
returning id, file_hash, case_id, interaction_id;

-- name: lost_tries
-- Those who were to be called back by a call that is over and that said nothing of it.
select b.trying_id, exists (select from call c where c.interaction_id = b.trying_id) as rang
from callback b join interaction i on i.id = b.trying_id
where b.settled_at is null and i.ended_at is not null
    and not exists (select from call c where c.interaction_id = b.trying_id and c.ended_at is null)
order by b.id limit :most;

-- name: take_unheard
-- The newest recording or voicemail that is not in words yet, taken by whoever asks; none while another is being heard.
with sounds as (
    select r.file_hash, r.id as recording_id, cast(null as bigint) as message_id, r.call_key, r.case_id, r.interaction_id, r.began_at as at
    from recording r where r.deleted_at is null and r.began_at > :since
    union all
    select a.file_hash, null, m.id, '', m.case_id, m.interaction_id, m.at
    from attachment a join message m on m.id = a.message_id join interaction i on i.id = m.interaction_id
    where i.channel = any(cast(:channels as text[])) and m.direction = 'in' and a.content_type = 'audio/wav' and m.at > :since
),
chosen as (
    select s.*, k.language from sounds s join "case" k on k.id = s.case_id
    where not exists (select from heard_sound h where h.heard_at is null and h.taken_at > :taken)
        and not exists (select from heard_sound h where h.file_hash = s.file_hash and h.heard_at is not null)
    order by s.at desc limit 1
),
taken as (
    insert into heard_sound (file_hash, taken_at) select file_hash, :at from chosen
    on conflict (file_hash) do update set taken_at = excluded.taken_at returning file_hash
)
select chosen.* from chosen join taken using (file_hash);

-- name: is_heard
update heard_sound set heard_at = :at, failure = :failure where file_hash = :file_hash;

-- name: hear_again
-- Heard by nobody; the second time it stays so.
update heard_sound set failure = :failure, heard_at = case when failure <> '' then cast(:at as timestamptz) end where file_hash = :file_hash;

-- name: transcribe_recording
-- One that was deleted meanwhile stays without words.
update recording set transcript = :words where id = :id and deleted_at is null;

-- name: transcribe_message
-- Words of a voicemail, under what stands there already.
update message set text = text || E'\n\n' || cast(:words as text) where id = :id;
