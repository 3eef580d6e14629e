-- name: published
-- The version of each flow that is begun now.
select f.name, v.number from flow f join flow_version v on v.flow_id = f.id and v.state = 'published' where f.retired_at is null;

-- name: forms
-- Versions of flows, whatever became of them.
select f.name, v.number, v.form from unnest(cast(:names as text[]), cast(:numbers as int[])) as w (name, number)
join flow f on f.name = w.name join flow_version v on v.flow_id = f.id and v.number = w.number;

-- name: begin
-- Runs begin; each is moved once before anybody sees it.
insert into flow_run (id, flow, version, state, sealed, facts, channel, customer_id, point_id, level, origins, holder, interaction_id, case_id, ends_at)
select w.id, w.flow, w.version, w.state, decode(w.sealed, 'base64'), w.facts, w.channel, w.customer_id, w.point_id, w.level, w.origins, decode(w.holder, 'base64'), w.interaction_id,
    w.case_id, :ends_at
from json_to_recordset(cast(:runs as json)) as w (id bigint, flow text, version int, state json, sealed text, facts jsonb, channel text, customer_id bigint,
    point_id bigint, level smallint, origins jsonb, holder text, interaction_id bigint, case_id bigint);

-- name: next_ids
-- Numbers for runs that begin.
select nextval(pg_get_serial_sequence('flow_run', 'id')) as id from generate_series(1, :n);

-- name: take
-- Runs, held until the end of the transaction.
select r.id, r.flow, r.version, r.state::text as state, r.sealed, r.told, r.turns, r.waits, nullif(r.facts, '{}') as facts, r.channel, r.customer_id, r.point_id,
    r.level, nullif(r.origins, '[]') as origins, r.holder, r.failures, r.interaction_id, r.case_id, r.ends_at, r.ended_at, r.outcome, coalesce(r.held_until > :at, false) as held
 from flow_run r where r.id = any(cast(:ids as bigint[])) order by r.id for update;

-- name: look
-- A run as it stands.
select r.id, r.flow, r.version, r.state::text as state, r.sealed, r.told, r.turns, r.waits, nullif(r.facts, '{}') as facts, r.channel, r.customer_id, r.point_id,
    r.level, nullif(r.origins, '[]') as origins, r.holder, r.failures, r.interaction_id, r.case_id, r.ends_at, r.ended_at, r.outcome, coalesce(r.held_until > :at, false) as held
 from flow_run r where r.id = :id;

-- name: whose
-- Whose a run is.
select holder, customer_id, level from flow_run where id = :id and flow = :flow;

-- name: number_of
-- The number of a case.
select number from "case" where id = :case_id;

-- name: id_of
-- The case of a number.
select id from "case" where number = :number;

-- name: of_interactions
-- The runs that go on in talks.
select r.id, r.interaction_id, r.waits from flow_run r
where r.interaction_id = any(cast(:ids as bigint[])) and r.ended_at is null;

-- name: of_keys
-- The newest run of each talk that is known by a key, also when both are over.
select distinct on (t.key) t.key, r.id from talk t join flow_run r on r.interaction_id = t.interaction_id
where t.key = any(cast(:keys as text[])) and t.key <> '' order by t.key, r.id desc;

-- name: keep
-- Runs as they stand after a turn: a JSON array, which is cheaper to hand over than arrays of JSON.
update flow_run r set state = w.state, sealed = decode(w.sealed, 'base64'), told = w.told, turns = w.turns, waits = w.waits, held_until = w.held,
    channel = w.channel, customer_id = w.customer_id, point_id = w.point_id, level = w.level, origins = w.origins, failures = 0, moved_at = :at, ends_at = :ends_at,
    ended_at = w.ended, outcome = w.outcome
from json_to_recordset(cast(:runs as json)) as w (id bigint, state json, sealed text, told jsonb, turns int, waits text, held timestamptz,
    channel text, customer_id bigint, point_id bigint, level smallint, origins jsonb, ended timestamptz, outcome text)
where r.id = w.id;

-- name: passed
-- The steps that were come to.
insert into flow_pass (run_id, turn, place, flow, version, step, channel, at)
select w.*, :at from unnest(cast(:ids as bigint[]), cast(:turns as int[]), cast(:places as smallint[]), cast(:flows as text[]),
    cast(:versions as int[]), cast(:steps as text[]), cast(:channels as text[])) as w;

-- name: claim
-- Runs that wait for what is done outside, and that nobody is doing it for. Who claims one may be gone before it is done, and so
-- it counts as a failure until it is done, and is waited for longer each time.
update flow_run set failures = failures + 1, held_until = cast(:at as timestamptz) + make_interval(secs => :seconds * power(2, least(failures, 6)))
where id in (
    select id from flow_run where waits = 'outside' and ended_at is null and (held_until is null or held_until <= :at)
    order by id limit :most for update skip locked
) returning id, failures;

-- name: rest
-- What a run waits for could not be done: it is tried again, later each time.
update flow_run set held_until = cast(:at as timestamptz) + make_interval(secs => :seconds * power(3, least(failures, 6)))
where id = :id and ended_at is null;

-- name: failed
-- The step that a run stands in could not be done at all.
update flow_pass p set failed = true where p.run_id = :id and (p.turn, p.place) = (
    select turn, place from flow_pass where run_id = :id order by turn desc, place desc limit 1);

-- name: held
-- Somebody does what a run waits for.
update flow_run set held_until = :until where id = :id;

-- name: over
-- Runs that nobody went on with in time.
select id from flow_run where ended_at is null and waits = '' and ends_at <= :at order by ends_at limit :most for update skip locked;

-- name: end
-- A run is over.
update flow_run set ended_at = :at, outcome = :outcome, waits = '' where id = :id and ended_at is null;

-- name: interaction_of
-- The talk in which a run goes on.
select interaction_id from flow_run where id = :id;

-- name: join
-- What became of a run: the case it led to, the talk it goes on in.
update flow_run set case_id = coalesce(:case_id, case_id), interaction_id = coalesce(:interaction_id, interaction_id) where id = :id;

-- name: hold
-- The browser in which a run goes on. That somebody has a link shows nobody who they are.
update flow_run set holder = :holder, level = 0, customer_id = null, point_id = null where id = :id
returning flow;

-- name: of_case
-- What was gone through before people took over a case: its runs, newest first.
select r.id, r.flow, r.version, r.state, r.outcome, r.level, r.began_at from flow_run r
where r.case_id = :case_id order by r.id desc limit 10;

-- name: way_of
-- The steps of a run in their order.
select flow, version, step, at, channel from flow_pass where run_id = :id order by turn, place limit 500;

-- name: figures
-- By step of a version since then: how often it was reached, by how many runs, how many of these ended there, and how: left,
-- handed over, solved, could not be done; and how long they stayed, in seconds.
with passed as (
    select p.run_id, p.step, p.at, p.failed, lead(p.at) over w as next_at, r.ended_at, r.outcome, r.moved_at,
        row_number() over (partition by p.run_id order by p.turn desc, p.place desc) = 1 as newest
    from flow_pass p join flow_run r on r.id = p.run_id
    where p.flow = :flow and p.version = :version and p.at >= :since
    window w as (partition by p.run_id order by p.turn, p.place)
)
select step, count(*) as reached, count(distinct run_id) as runs,
    count(*) filter (where newest and ended_at is not null and outcome = 'left') as left_there,
    count(*) filter (where newest and ended_at is not null and outcome = 'person') as handed_over,
    count(*) filter (where newest and ended_at is not null and outcome = 'solved') as solved, count(*) filter (where failed) as failed,
    percentile_cont(0.5) within group (order by extract(epoch from coalesce(next_at, ended_at) - at)) as seconds
from passed group by step;

-- name: make_link
-- A way to go on elsewhere.
insert into flow_link (token_hash, code_hash, run_id, ends_at) values (:token_hash, :code_hash, :run_id, :ends_at) on conflict do nothing;

-- name: use_link
-- It is used once.
update flow_link set used_at = :at where (token_hash = :hash or code_hash = :hash) and used_at is null and ends_at > :at returning run_id;

-- name: linked
-- Where a link would lead, without using it.
select run_id from flow_link where token_hash = :hash and used_at is null and ends_at > :at;

-- name: old_links
-- Links that are over.
delete from flow_link where ends_at < :at;

-- name: talk
-- The talk in which a run goes on, with its case.
select i.id, i.case_id, i.line_id, i.contact_point_id, i.channel, i.ended_at, i.media_class, t.mode, t.rules, c.queue_id, c.language, l.hours_id, l.queue_id as line_queue_id
from interaction i join talk t on t.interaction_id = i.id join "case" c on c.id = i.case_id left join line l on l.id = i.line_id where i.id = :id;
