-- name: facts
-- What hits say beside themselves: for whom an article is, and its title without marks.
select article_id, language, slug, title, summary, audience, kind from published_article
where article_id = any(cast(:ids as bigint[])) and language = any(cast(:languages as text[]));

-- name: flagged
-- What agents have said is wrong with these articles and nobody has put right.
select article_id, count(*) as flags from article_flag where article_id = any(cast(:ids as bigint[])) and settled_at is null group by article_id;
