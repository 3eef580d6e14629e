-- name: read_after
-- Events in commit order after a position: only rows of transactions older than every one still running, so that a
-- reader that remembers its position misses nothing; or of those older than a horizon. Each row says besides whether there are
-- committed events that wait for an older transaction to end; where nothing is read, one row says only that.
with running as (select pg_snapshot_xmin(pg_current_snapshot()) as oldest),
held as (
    select running.oldest, coalesce((select xid from event order by xid desc, id desc limit 1) >= running.oldest, false) as held_back
    from running
)
select held.held_back, e.xid::text as xid, e.id, e.at, e.kind, e.actor_id, e.agent_id, e.customer_id, e.case_id, e.interaction_id,
    e.queue_id, e.line_id, e.data
from held left join lateral (
    select * from event
    where (xid, id) > (cast(:xid as xid8), cast(:id as bigint)) and xid < coalesce(cast(:horizon as xid8), held.oldest)
    order by xid, id limit :most
) e on true
order by e.xid, e.id;  -- the bare name would be that of the text, in which 10 comes before 9

-- name: writes_none
-- The transaction says, before anything else, that it writes no event (7333): whoever reads events need not wait for its end.
select pg_advisory_xact_lock_shared(7333);

-- name: horizon
-- The oldest transaction still running that may yet write an event, and whether committed events wait for it. Who holds the
-- lock of writes_none is known by the lock on its own number; that is looked at after the snapshot was taken, so that a
-- transaction that has ended in between counts as running.
with eventless as (
    select cast(cast(own.transactionid as text) as bigint) as xid
    from pg_locks said join pg_locks own on own.virtualtransaction = said.virtualtransaction
    where said.locktype = 'advisory' and said.classid = 0 and said.objid = 7333 and said.objsubid = 1 and said.granted
        and own.locktype = 'transactionid' and own.mode = 'ExclusiveLock' and own.granted
),
oldest as (
    select coalesce(min(xid), pg_snapshot_xmax(pg_current_snapshot())) as xid from pg_snapshot_xip(pg_current_snapshot()) as running (xid)
    where cast(cast(xid as text) as bigint) & 4294967295 not in (select eventless.xid from eventless)
)
select cast(oldest.xid as text) as xid,
    coalesce((select event.xid from event order by event.xid desc, event.id desc limit 1) >= oldest.xid, false) as held_back
from oldest;

-- name: newest
-- The position a new reader starts from: just below what could still be committed.
select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as xid, 9223372036854775807 as id;

-- name: record
-- One fact, or many at once.
insert into event (at, kind, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, data)
values (:at, :kind, :actor_id, :agent_id, :customer_id, :case_id, :interaction_id, :queue_id, :line_id, cast(:data as jsonb));

-- name: record_many
-- Many facts at once.
insert into event (at, kind, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, data)
select at, kind, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, cast(data as jsonb)
from unnest(cast(:ats as timestamptz[]), cast(:kinds as text[]), cast(:actor_ids as bigint[]), cast(:agent_ids as bigint[]),
    cast(:customer_ids as bigint[]), cast(:case_ids as bigint[]), cast(:interaction_ids as bigint[]), cast(:queue_ids as bigint[]),
    cast(:line_ids as bigint[]), cast(:datas as text[])) with ordinality
    as e (at, kind, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, data, place)
order by place;
