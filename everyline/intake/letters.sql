-- name: whole_talk
-- One talk with its case and line, for who has locked the case.
select i.id, i.case_id, i.line_id, i.contact_point_id, i.started_at, i.ended_at, t.mode, t.verification, t.claimed, t.said_at, t.answered_at,
    t.warned_at, t.here_at, t.seen_upto, t.mailed_upto, t.transcript_to, t.ended_by, t.survey, t.rules, t.settled_at, c.customer_id, c.number, c.subject,
    c.language, c.queue_id, c.owner_id, c.status, l.name as line_name,
    case when t.claimed <> '' then t.claimed when t.verification <> 'none' then coalesce((
        select p.address from contact_point p where p.customer_id = c.customer_id and p.kind = 'mailbox' and p.bad_since is null
            and p.verified_at is not null order by p.preferred desc, p.id limit 1), '') else '' end as mailbox
from talk t join interaction i on i.id = t.interaction_id join "case" c on c.id = i.case_id join line l on l.id = i.line_id
where i.id = :interaction_id for update of t;

-- name: unseen
-- What agents said in a talk and its customer has neither seen nor been mailed.
select m.id, m.text, m.at, g.name as agent_name, array(select x.name from attachment x where x.message_id = m.id order by x.id) as files
from message m left join agent g on g.id = m.agent_id
where m.interaction_id = :interaction_id and m.direction = 'out' and m.agent_id is not null and m.id > :after order by m.id;

-- name: mailed
-- What was not seen has gone by mail up to here.
update talk set mailed_upto = :upto where interaction_id = :interaction_id;

-- name: whole
-- A whole talk, for its transcript.
select m.id, m.direction, m.at, m.text, m.facts, g.name as agent_name, array(select x.name from attachment x where x.message_id = m.id order by x.id) as files
from message m left join agent g on g.id = m.agent_id where m.interaction_id = :interaction_id order by m.id;

-- name: point_of_mailbox
-- The contact point of a mailbox, when it is this customer's.
select id from contact_point where kind = 'mailbox' and address = :address and customer_id = :customer_id;

-- name: customer_name
-- What a customer is called.
select name from customer where id = :customer_id;
