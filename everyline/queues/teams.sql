-- name: all_teams
-- The teams in use, with how many agents belong to each.
select t.id, t.name, t.partner, (select count(*) from agent a where a.team_id = t.id and a.active) as agents,
    array(select q.queue_id from queue_team q where q.team_id = t.id order by q.queue_id) as queue_ids
from team t where t.retired_at is null order by lower(t.name);

-- name: let_go
-- What waits for a team that has no share in this queue any more waits for everybody.
update queue_entry e set team_id = null, team_until = null
where e.queue_id = :queue_id and e.state in ('waiting', 'offered') and e.team_id is not null
    and not exists (select from queue_team t where t.queue_id = e.queue_id and t.team_id = e.team_id and t.share > 0);

-- name: given
-- How many entries of a queue each team was given, by steps of time.
select date_bin(cast(:step as interval), begins_at, timestamptz '2000-01-01 00:00+00') as begins_at, team_id, sum(given) as given
from share_count where queue_id = :queue_id and begins_at >= :since and begins_at < :until group by 1, 2;
