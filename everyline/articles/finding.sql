-- name: synonyms
-- For every group of synonyms of which a member stands in the words: that member, and the others as queries.
select m.member, array(
    select phraseto_tsquery(cast(:configuration as regconfig), other)::text from unnest(s.words) other where other <> m.member
) as others
from article_synonym s cross join lateral unnest(s.words) m(member)
where s.language = :language and :words like '% ' || replace(replace(m.member, '%', ''), '_', '') || ' %';

-- name: terms
-- For every word: its stems, in how many articles they are (of about how many), and if in none, the stems of words that look
-- like it.
select t.at, t.word, l.lexemes, coalesce(d.n, 0)::int as articles, coalesce(d.rarest, 0)::int as rarest, coalesce(f.lexemes, '{}') as alike,
    (select greatest(reltuples, 100)::int from pg_class where oid = 'published_article'::regclass) as of
from unnest(cast(:words as text[])) with ordinality t(word, at)
cross join lateral (select tsvector_to_array(to_tsvector(cast(:configuration as regconfig), t.word)) as lexemes) l
left join lateral (
    select max(w.articles) as n, min(w.articles) as rarest from article_word w where w.language = :language and w.lexeme = any(l.lexemes)
) d on true
left join lateral (
    select array_agg(distinct x.lexeme) as lexemes from (
        select w.lexeme from article_word w
        where d.n is null and length(t.word) >= 4 and cardinality(l.lexemes) > 0 and w.language = :language
            and w.word % t.word and similarity(w.word, t.word) >= 0.35 and abs(length(w.word) - length(t.word)) <= 2
        order by similarity(w.word, t.word) desc, w.articles desc limit 3
    ) x where x.lexeme <> ''
) f on true
order by t.at;

-- name: by_words
-- The articles that hold the rarest of the words or have any in their title, by how much they say of all of them; cover is
-- the share of what was asked, by weight, that an article holds.
with near as (
    (select article_id, search from published_article
        where language = :language and audience = any(:audiences) and search @@ cast(:titled as tsquery)
            and (cast(:category_ids as bigint[]) is null or category_id = any(cast(:category_ids as bigint[]))) limit :candidates)
    union all
    (select article_id, search from published_article
        where language = :language and audience = any(:audiences) and search @@ cast(:rare as tsquery)
            and (cast(:category_ids as bigint[]) is null or category_id = any(cast(:category_ids as bigint[]))) limit :candidates)
), each as (
    select distinct on (article_id) article_id, search from near
)
select e.article_id, s.score, s.cover
from each e
cross join lateral (
    select sum(q.weight * ts_rank('{0.5, 0.65, 0.8, 1.0}', e.search, q.query, 1)) as score,
        sum(q.weight * (e.search @@ q.query)::int) / sum(q.weight) as cover
    from unnest(cast(:queries as tsquery[]), cast(:weights as float[])) q(query, weight)
) s
order by s.score * (0.25 + s.cover) desc, e.article_id
limit :most;

-- name: by_title
-- Articles whose title is much like what was typed.
select article_id, word_similarity(:words, title) as likeness
from published_article
where language = :language and audience = any(:audiences) and :words <% title
    and (cast(:category_ids as bigint[]) is null or category_id = any(cast(:category_ids as bigint[])))
order by likeness desc, article_id limit :most;

-- name: by_meaning
-- The parts of articles that mean what was asked (cosine), out of those that agree with it in most signs.
with agreeing as materialized (
    select article_id, part, signs <~> binary_quantize(cast(:vector as vector))::bit(384) as apart
    from article_meaning
    where language = :language and model = :model
    order by apart
    -- of a brand's few categories all are looked at
    limit case when cast(:category_ids as bigint[]) is null then 4 * :candidates end
), near as materialized (
    select a.article_id, a.part
    from agreeing a
    join published_article p on p.article_id = a.article_id and p.language = :language
    where p.audience = any(:audiences)
        and (cast(:category_ids as bigint[]) is null or p.category_id = any(cast(:category_ids as bigint[])))
    order by a.apart
    limit :candidates
)
select m.article_id, 1 - (m.vector <=> cast(:vector as vector)) as likeness
from near n
join article_meaning m on m.article_id = n.article_id and m.language = :language and m.part = n.part
order by likeness desc
limit :most;

-- name: all_meanings
-- The same to be compared outside the database.
select m.article_id, m.vector, p.audience, p.category_id from article_meaning m
join published_article p on p.article_id = m.article_id and p.language = m.language
where m.language = :language and m.model = :model
order by m.article_id, m.part;

-- name: stamp
-- Changes whenever a meaning does.
select count(*) as n, max(made_at) as newest from article_meaning where language = :language;

-- name: hits
-- What a list of hits shows: titles and the places in the text where the words stand, between two signs that no text holds.
select p.article_id, p.slug, p.title, p.summary, p.kind,
    ts_headline(cast(:configuration as regconfig), p.title, cast(:query as tsquery), 'HighlightAll=true, StartSel="", StopSel=""') as marked,
    ts_headline(cast(:configuration as regconfig), left(p.summary || ' ' || p.plain, 5000), cast(:query as tsquery),
        'MaxWords=30, MinWords=15, ShortWord=2, MaxFragments=0, StartSel="", StopSel=""') as extract
from published_article p
where p.language = :language and p.article_id = any(:ids) and p.audience = any(:audiences)
    and (cast(:category_ids as bigint[]) is null or p.category_id = any(cast(:category_ids as bigint[])));

-- name: vector_type
-- Whether meanings are kept as vectors of the database.
select atttypid::regtype::text from pg_attribute where attrelid = 'article_meaning'::regclass and attname = 'vector';

-- name: without_meaning
-- Published articles after one whose meaning was not made yet, or of other words or by another model.
select p.article_id, p.language, p.title, p.questions, p.summary, p.plain, p.number
from published_article p
where (p.article_id, p.language) > (:article_id, :language) and not exists (
    select from article_meaning m
    where m.article_id = p.article_id and m.language = p.language and m.part = 0 and m.model = :model
        and m.digest = sha256(convert_to(p.title || chr(1) || array_to_string(p.questions, chr(1)) || chr(1) || p.summary || chr(1) || p.plain, 'UTF8'))
)
order by p.article_id, p.language limit :most;

-- name: forget_meaning
-- Before the meaning of an article is put anew.
delete from article_meaning where article_id = :article_id and language = :language;

-- name: put_meaning
-- The meaning of one part of an article, as a vector of the database.
insert into article_meaning (article_id, language, part, model, digest, vector)
select p.article_id, p.language, :part, :model,
    sha256(convert_to(p.title || chr(1) || array_to_string(p.questions, chr(1)) || chr(1) || p.summary || chr(1) || p.plain, 'UTF8')),
    cast(:vector as vector)
from published_article p where p.article_id = :article_id and p.language = :language and p.number = :number;

-- name: put_meaning_as_bytes
-- The same where the database has no vectors.
insert into article_meaning (article_id, language, part, model, digest, vector)
select p.article_id, p.language, :part, :model,
    sha256(convert_to(p.title || chr(1) || array_to_string(p.questions, chr(1)) || chr(1) || p.summary || chr(1) || p.plain, 'UTF8')),
    cast(:vector as bytea)
from published_article p where p.article_id = :article_id and p.language = :language and p.number = :number;

-- name: nearest_gap
-- The open group of gaps of a language that means the same.
select id, 1 - (vector <=> cast(:vector as vector)) as likeness from gap_group
where settled_at is null and language = :language and model = :model and vector is not null
order by vector <=> cast(:vector as vector) limit 1;

-- name: gap_vectors
-- The same to be compared outside the database.
select id, vector from gap_group where settled_at is null and language = :language and model = :model and vector is not null;

-- name: alike_gap
-- The open group of gaps of a language that is asked in much the same words.
select id from gap_group
where settled_at is null and language = :language and (lower(words) = lower(:words) or (words % :words and similarity(words, :words) >= 0.5))
order by similarity(words, :words) desc, id limit 1;

-- name: put_gap_vector
-- What a group of gaps means.
update gap_group set vector = cast(:vector as vector), model = :model where id = :id;

-- name: put_gap_vector_as_bytes
-- The same where the database has no vectors.
update gap_group set vector = cast(:vector as bytea), model = :model where id = :id;
