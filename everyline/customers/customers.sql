-- name: known_points
-- The contact points among these addresses, with the customer each leads to after merges.
select p.id, p.kind, p.address, p.customer_id, p.bad_since, c.name, c.language
from unnest(cast(:kinds as text[]), cast(:addresses as text[])) as wanted (kind, address)
join contact_point p using (kind, address)
join customer c on c.id = p.customer_id;

-- name: next_ids
-- Ids set aside, so that many rows that refer to each other can be written at once.
select nextval(pg_get_serial_sequence(:tbl, 'id')) as id from generate_series(1, :n);

-- name: insert_customers
-- Customers of whom only an address is known yet.
insert into customer (id, name, language)
select * from unnest(cast(:ids as bigint[]), cast(:names as text[]), cast(:languages as text[]));

-- name: insert_points
-- Their contact points.
insert into contact_point (id, customer_id, kind, address)
select * from unnest(cast(:ids as bigint[]), cast(:customer_ids as bigint[]), cast(:kinds as text[]), cast(:addresses as text[]));

-- name: lock_addresses
-- Serialise those who look for the same address at the same time; sorted by the caller, so that nobody waits in a ring.
select pg_advisory_xact_lock(hashtextextended('address:' || address, 0)) from unnest(cast(:addresses as text[])) as address;

-- name: duplicates
-- Customers that may be the same person: nearly the same name, or the same words before the @ of a mailbox.
with me as (select id, name from customer where id = :id),
locals as (
    select distinct split_part(address, '@', 1) as local from contact_point
    where customer_id = :id and kind = 'mailbox' and length(split_part(address, '@', 1)) >= 5
)
select c.id, c.name, max(score) as score from (
    select c.id, similarity(c.name, me.name) as score from customer c, me where c.name % me.name
    union all
    select p.customer_id, 0.8 from contact_point p join locals on p.address like locals.local || '@%' where p.kind = 'mailbox'
) as found join customer c on c.id = found.id
where c.id <> :id and c.merged_into_id is null and score >= 0.55
group by c.id, c.name order by score desc, c.id limit 5;

-- name: points
-- A customer's contact points, the preferred one first, those where nothing arrives last.
select id, customer_id, kind, address, label, preferred, verified_at, bad_since, bad_reason, created_at from contact_point
where customer_id = :customer_id order by preferred desc, bad_since is null desc, id;
