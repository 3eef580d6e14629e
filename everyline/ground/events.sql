-- name: read_after
-- Events in commit order after a position: only rows of transactions older than every one still running, so that a
-- reader that remembers its position misses nothing.
select xid::text as xid, id, at, kind, actor_id, agent_id, customer_id, case_id, interaction_id, queue_id, line_id, data
from event
where (xid, id) > (cast(:xid as xid8), cast(:id as bigint)) and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, id
limit :most;

-- name: held_back
-- Are there committed events that wait for an older transaction to end?
select coalesce((select xid from event order by xid desc, id desc limit 1) >= pg_snapshot_xmin(pg_current_snapshot()), false);

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
