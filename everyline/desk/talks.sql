-- name: mine
-- The written talks that an agent has in hand live, in the order in which they came, with how much of each is not read.
select i.id, i.case_id, i.started_at, t.said_at, t.answered_at, t.here_at, t.warned_at, c.number, c.subject, c.last_words, c.last_direction,
    u.name as customer_name, (
        select count(*) from message m where m.interaction_id = i.id and m.direction = 'in' and m.id > t.read_upto
    ) as unread
from assignment a
join interaction i on i.id = a.interaction_id and i.ended_at is null and i.media_class <> 'call'
join talk t on t.interaction_id = i.id and t.mode = 'live' and t.settled_at is null
join "case" c on c.id = i.case_id
join customer u on u.id = c.customer_id
where a.agent_id = :me and a.work_ended_at is null and a.ended_at is null order by a.id limit 20;

-- name: strip
-- What the strip of a talk says beside the talk itself: our newest words, and whether Enter sends them.
select g.enter_sends, u.name as customer_name, (
        select max(m.id) from message m where m.interaction_id = :interaction_id and m.direction = 'out' and m.agent_id is not null
    ) as newest_out
from agent g, "case" c join customer u on u.id = c.customer_id where g.id = :me and c.id = :case_id;

-- name: listeners
-- Who of us looks on in a talk that somebody else has, since when.
select g.id, g.name, min(e.at) as since from event e join agent g on g.id = e.actor_id
where e.case_id = :case_id and e.kind = 'talk.monitored' and e.at >= :since and e.actor_id <> :me group by g.id, g.name order by 3;

-- name: last_words
-- The customer's newest words in a case.
select text from message where case_id = :case_id and direction = 'in' order by id desc limit 1;

-- name: one_live
-- The live talk of a case with who has it; none when it is over.
select i.id, i.started_at, t.said_at, t.answered_at, c.number, c.subject, c.queue_id, u.name as customer_name, a.agent_id, g.name as agent_name
from interaction i
join talk t on t.interaction_id = i.id and t.mode = 'live'
join "case" c on c.id = i.case_id
join customer u on u.id = c.customer_id
left join assignment a on a.interaction_id = i.id and a.work_ended_at is null and a.ended_at is null
left join agent g on g.id = a.agent_id
where i.case_id = :case_id and i.ended_at is null order by i.id desc limit 1;

-- name: person
-- What a customer may be known by: names, addresses and numbers, for taking them out of a text.
select u.name, c.number, array(select p.address from contact_point p where p.customer_id = u.id) as addresses
from "case" c join customer u on u.id = c.customer_id where c.id = :case_id;

-- name: answer
-- One answer of ours in a case.
select m.id, m.text, m.agent_id, c.subject, c.language from message m join "case" c on c.id = m.case_id
where m.id = :message_id and m.case_id = :case_id and m.direction = 'out' and m.agent_id is not null;

-- name: people_to_add
-- Colleagues who can hear a call now, those who are free first.
select g.id, g.name, coalesce(s.state, 'offline') as state, exists (
        select from assignment a where a.agent_id = g.id and a.media_class = 'call' and a.ended_at is null
    ) as in_call
from agent g join reach r on r.agent_id = g.id and (r.ready or r.number <> '') left join agent_state s on s.agent_id = g.id
where g.active and g.id <> :me and (:words = '' or g.name ilike '%' || :words || '%')
order by coalesce(s.state, 'offline') <> 'available', 4, g.name limit :most;

-- name: contacts_to_add
-- Others with a number, such as interpreters, by a part of their name.
select u.id, u.name, u.language, u.remarks, p.address from customer u
join contact_point p on p.customer_id = u.id and p.kind = 'number' and p.bad_since is null
where u.merged_into_id is null and u.name ilike '%' || :words || '%' order by u.name, p.preferred desc, p.id limit :most;

-- name: calls_come
-- Is there a line for calls?
select 1 from line where channel = any(cast(:channels as text[])) and open and retired_at is null limit 1;

-- name: number_of
-- A number of a customer's, as it is kept.
select p.id, p.address, u.name, u.language from contact_point p join customer u on u.id = p.customer_id
where p.customer_id = :customer_id and p.id = :point_id and p.kind = 'number';
