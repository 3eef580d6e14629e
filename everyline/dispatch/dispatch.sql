-- name: claim
-- Take what is due, by compare-and-set, no faster than each line's rate. The claim ends by itself if its taker dies.
update delivery set state = 'claimed', due_at = :until, attempts = attempts + 1
where id in (
    select d.id from delivery d
    join line l on l.id = d.line_id
    where d.state = 'due' and d.due_at <= :at
        and (select count(*) from delivery s where s.line_id = d.line_id and s.sent_at > cast(:at as timestamptz) - interval '60 seconds') < l.per_minute
    order by d.due_at, d.id limit :most for update of d skip locked
) returning *;

-- name: manners
-- Of some deliveries, what their customers decided: purposes that they said no to for this address, but for what answers them
-- where they have written since; and when they are not to be disturbed.
select d.id, c.quiet_from, c.quiet_until, c.zone, array(
        select s.purpose from consent s where s.contact_point_id = d.contact_point_id and not s.granted and not exists (
            select from message m where m.case_id = d.case_id and m.contact_point_id = d.contact_point_id and m.direction = 'in' and m.at > s.at)
    ) as refused
from delivery d join contact_point p on p.id = d.contact_point_id join customer c on c.id = p.customer_id
where d.id = any(cast(:ids as bigint[]))
    and (c.quiet_from <> '' or exists (select from consent s where s.contact_point_id = d.contact_point_id and not s.granted));

-- name: unwanted_answer
-- Did the customer say no to answers at this address, and not write from it on this case since?
select 1 from consent s where s.contact_point_id = :point_id and s.purpose = 'service' and not s.granted
    and not exists (select from message m where m.case_id = :case_id and m.contact_point_id = :point_id and m.direction = 'in' and m.at > s.at);

-- name: put_off
-- Not at this hour: it was no attempt. Must count one.
update delivery set state = 'due', due_at = :due_at, attempts = attempts - 1 where id = :id and state = 'claimed' and attempts = :attempts;

-- name: renew
-- Their taker lives.
update delivery set due_at = :until where id = any(cast(:ids as bigint[])) and state in ('claimed', 'on wire');

-- name: soonest
-- When the next delivery is due.
select min(due_at) from delivery where state = 'due' and due_at > :at;

-- name: on_wire
-- The last moment before the wire could take it; must count one.
update delivery set state = 'on wire' where id = :id and state = 'claimed' and attempts = :attempts;

-- name: finish
-- How an attempt ended; must count one.
update delivery set state = :state, due_at = coalesce(:due_at, due_at), answer = :answer, external_id = case when :external_id = '' then external_id else :external_id end,
    sent_at = case when :state = 'sent' then cast(:at as timestamptz) else sent_at end,
    ended_at = case when :state in ('sent', 'due') then null else cast(:at as timestamptz) end
where id = :id and state in ('claimed', 'on wire') and attempts = :attempts;

-- name: abandoned
-- What a dead process had in hand: what was not yet on the wire is due again, of the rest nobody can know.
update delivery set state = case state when 'claimed' then 'due' else 'unknown' end, ended_at = case state when 'claimed' then null else cast(:at as timestamptz) end
where state in ('claimed', 'on wire') and due_at <= :at
returning id, line_id, case_id, message_id, state;

-- name: take_back
-- Before it went out; must count one.
update delivery set state = 'taken back', ended_at = :at
where message_id = :message_id and state = 'due' and attempts = 0 and due_at > :at returning id, case_id, contact_point_id, line_id, address, copies;

-- name: failed
-- The delivery that something came back for, found by what it was called on the wire.
select d.id, d.case_id, d.contact_point_id, d.message_id, d.external_id, d.line_id, d.address, d.copies from delivery d
where d.external_id = any(cast(:external_ids as text[]));

-- name: recent_automatic
-- How many automatic answers each of these addresses got lately.
select address, count(*) as n from delivery
where automatic and address = any(cast(:addresses as text[])) and created_at > cast(:at as timestamptz) - interval '3 hours' group by address;

-- name: of_case
-- What became of everything that a case sent out.
select id, message_id, kind, address, state, attempts, answer, due_at, sent_at, ended_at from delivery where case_id = :case_id order by id;

-- name: newest_in
-- The newest message that a person sent on a case, the contact point that it came from, the copies of our newest answer to it,
-- and every address that is or was a line's.
select m.facts, m.contact_point_id, p.kind, p.address, p.customer_id, array(select distinct address from line) as own,
    (select coalesce(o.facts -> 'copies', '[]') from message o
        where o.case_id = m.case_id and o.id > m.id and o.direction = 'out' and o.agent_id is not null order by o.id desc limit 1) as copied
from message m left join contact_point p on p.id = m.contact_point_id
where m.case_id = :case_id and m.direction = 'in' and m.kind = 'message' order by m.id desc limit 1;

-- name: own_addresses
-- Every address that is or was a line's.
select distinct address from line;

-- name: talk_of_point
-- The newest talk with an address on a line in a case.
select i.id, i.ended_at, t.verification, t.claimed, t.rules
from interaction i join talk t on t.interaction_id = i.id
where i.case_id = :case_id and i.line_id = :line_id and i.contact_point_id = :point_id order by i.id desc limit 1;

-- name: note_answer
-- We have said something in a talk; who answers has read what was said before.
update talk set answered_at = :at, warned_at = null,
    read_upto = coalesce((select max(m.id) from message m where m.interaction_id = :interaction_id and m.direction = 'in'), read_upto)
where interaction_id = :interaction_id;
