-- name: figures
-- Of the questions of some days, and of the talks that they make; a question of no talk is one of its own.
with asked as (
    select q.*, coalesce(nullif(q.talk, ''), 'q' || q.id) as of from bot_question q where q.at >= :since and q.at < :until
), talks as (
    select a.of, max(a.at) as ended, max(a.customer_id) as customer_id,
        bool_or(a.outcome in ('person', 'distress')) or exists (
            select 1 from flow_run r where r.id = case when a.of ~ '^run [0-9]{1,18}$' then substr(a.of, 5)::bigint end and r.outcome = 'person'
        ) as handed,
        (array_agg(a.helped order by a.id desc) filter (where a.helped is not null))[1] is false as not_helped,
        bool_or(a.outcome in ('answer', 'begin', 'errand', 'clarify', 'unsure')) as meant
    from asked a group by a.of
), contained as (
    select t.*,
        t.customer_id is not null and t.ended < :settled as told,
        exists (
            select 1 from interaction i join contact_point p on p.id = i.contact_point_id
            where p.customer_id = t.customer_id and i.direction = 'in' and i.started_at > t.ended and i.started_at <= t.ended + :within
        ) or exists (
            select 1 from bot_question b
            where b.customer_id = t.customer_id and b.talk <> t.of and b.at > t.ended + interval '1 hour' and b.at <= t.ended + :within
        ) as again
    from talks t where t.meant and not t.handed
)
select (select count(*) from asked)::int as questions,
    (select count(*) from talks where meant or handed)::int as talks,
    (select count(*) from contained)::int as contained,
    (select count(*) from contained where not_helped)::int as unhelped,
    (select count(*) from contained where told)::int as known,
    (select count(*) from contained where told and again)::int as back,
    (select count(*) from asked where helped)::int as helped,
    (select count(*) from asked where not helped)::int as not_helped,
    (select count(*) from asked where worded)::int as worded,
    (select coalesce(sum(cost), 0) from asked) as cost,
    coalesce((select percentile_disc(0.95) within group (order by milliseconds) from asked), 0)::int as milliseconds_p95;

-- name: of_talk
-- What the bot was asked in a talk, in its order, with the article that each answer was out of, if that is still to be read.
select q.words, q.outcome, q.name, q.helped, p.article_id, p.language, p.slug, p.title
from bot_question q left join lateral (
    select article_id, language, slug, title from published_article where article_id = q.article_id
    order by language = q.language desc, language = 'en' desc, language limit 1
) p on true
where q.talk = :talk order by q.id limit 200;

-- name: outcomes
-- How many of each.
select outcome, count(*)::int as n from bot_question where at >= :since and at < :until group by outcome order by n desc;

-- name: unanswered
-- What was not known, and what was answered without helping, put together when it was put alike.
select lower(words) as said, language, count(*)::int as asked, count(*) filter (where not helped)::int as not_helped, max(at) as last_at,
    max(id) as id, min(words) as words
from bot_question
where (outcome = 'unsure' or not helped) and settled_at is null and words <> ''
group by lower(words), language
order by asked desc, last_at desc
limit :most;

-- name: settle
-- One question and all that were put the same way.
update bot_question q set settled_at = :at from bot_question one
where one.id = :id and (q.outcome = 'unsure' or not q.helped) and q.settled_at is null and lower(q.words) = lower(one.words) and q.language = one.language;

-- name: forget_old
-- What was asked long ago.
delete from bot_question where at < :before;
