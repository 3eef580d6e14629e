-- name: put_published
-- What readers see of an article in one language from now on; the words of title, questions, tags, summary and text are
-- kept for search with falling weight.
insert into published_article
    (article_id, language, number, slug, title, summary, text, plain, questions, wordings, audience, kind, category_id,
     tags, products, published_at, updated_at, source_number, renderer, rendered, search)
select a.id, :language, :number, :slug, :title, :summary, :text, :plain, cast(:questions as text[]), cast(:wordings as jsonb),
    a.audience, a.kind, a.category_id, a.tags, a.products, :at, :at, cast(:source_number as integer),
    :renderer, cast(:rendered as jsonb),
    setweight(to_tsvector(cast(:configuration as regconfig), :title), 'A')
        || setweight(to_tsvector(cast(:configuration as regconfig), array_to_string(cast(:questions as text[]) || a.tags || a.products, ' . ')), 'B')
        || setweight(to_tsvector(cast(:configuration as regconfig), :summary), 'C')
        || to_tsvector(cast(:configuration as regconfig), :plain)
from article a where a.id = :article_id
on conflict (article_id, language) do update set number = excluded.number, slug = excluded.slug, title = excluded.title,
    summary = excluded.summary, text = excluded.text, plain = excluded.plain, questions = excluded.questions,
    wordings = excluded.wordings, audience = excluded.audience, kind = excluded.kind, category_id = excluded.category_id,
    tags = excluded.tags, products = excluded.products, updated_at = excluded.updated_at,
    source_number = excluded.source_number, renderer = excluded.renderer, rendered = excluded.rendered,
    search = excluded.search;

-- name: learn_words
-- The words of what was just published that were not known yet, each with its stem.
insert into article_word (language, word, lexeme)
select :language, word, coalesce((tsvector_to_array(to_tsvector(cast(:configuration as regconfig), word)))[1], '')
from unnest(tsvector_to_array(to_tsvector('article_simple', :words))) word
where length(word) between 2 and 40 and word !~ '[0-9]{5}'
order by word
on conflict do nothing;

-- name: count_words
-- How many published articles of a language hold each word, made anew.
with counted as (
    select word, ndoc from ts_stat(
        'select to_tsvector(''article_simple'', title || '' '' || summary || '' '' || plain || '' '' || array_to_string(questions, '' . ''))'
        || ' from published_article where language = ' || quote_literal(:language)
    )
    where length(word) between 2 and 40 and word !~ '[0-9]{5}'
), gone as (
    delete from article_word w where w.language = :language and not exists (select from counted c where c.word = w.word)
)
insert into article_word (language, word, lexeme, articles)
select :language, word, coalesce((tsvector_to_array(to_tsvector(cast(:configuration as regconfig), word)))[1], ''), ndoc
from counted order by word
on conflict (language, word) do update set articles = excluded.articles where article_word.articles <> excluded.articles;

-- name: tree
-- Every category with how many articles of a language a reader finds in it itself.
select c.id, c.parent_id, c.slug, c.names, c.remarks, c.icon, c.position, coalesce(n.articles, 0) as articles
from category c
left join (
    select category_id, count(*) as articles from published_article
    where language = :language and audience = any(:audiences) and kind <> 'news' group by category_id
) n on n.category_id = c.id
order by c.position, c.id;

-- name: shown
-- The article that is or was found under a name, as a reader sees it; slug is its name now, current whether that is the one asked for.
-- With it come its names in all languages, its files, and the categories that lead to it, from the top.
select p.article_id, p.language, p.number, p.slug, p.kind, p.audience, p.title, p.summary, p.category_id, p.tags,
    p.products, p.published_at, p.updated_at, p.renderer, p.rendered, a.current,
    (select json_agg(json_build_array(o.language, o.slug) order by o.language) from published_article o
        where o.article_id = p.article_id and o.audience = any(:audiences)
            and (cast(:category_ids as bigint[]) is null or o.category_id = any(cast(:category_ids as bigint[])))) as languages,
    (select json_agg(json_build_array(f.id, f.name, f.content_type, f.size, f.captions_of, f.language, f.file_hash) order by f.id)
        from article_file f where f.article_id = p.article_id and f.removed_at is null) as files,
    (with recursive up as (
        select c.id, c.parent_id, c.slug, c.names, c.remarks, c.icon, 0 as depth from category c where c.id = p.category_id
        union all
        select c.id, c.parent_id, c.slug, c.names, c.remarks, c.icon, up.depth + 1 from category c join up on c.id = up.parent_id
        where up.depth < 50
    ) select json_agg(json_build_array(id, slug, names, remarks, icon) order by depth desc) from up) as path
from article_address a
join published_article p on p.article_id = a.article_id and p.language = a.language
where a.slug = :slug and p.audience = any(:audiences)
    and (cast(:category_ids as bigint[]) is null or p.category_id = any(cast(:category_ids as bigint[])));

-- name: published_text
-- The words of what is published, for those that were rendered by another renderer.
select text, plain from published_article where article_id = :article_id and language = :language;

-- name: rendered_before
-- What is published and was rendered by another renderer, some of it.
select article_id, language, kind, text, plain from published_article where renderer <> :renderer
order by article_id, language limit :most for update skip locked;

-- name: published_of
-- What is published of an article.
select article_id, language, kind, text, plain from published_article where article_id = :article_id for update;

-- name: keep_rendered
-- What was rendered of one language.
update published_article set renderer = :renderer, rendered = cast(:rendered as jsonb)
where article_id = :article_id and language = :language;

-- name: files_of
-- The files that an article has.
select id, name, content_type, size, captions_of, language, file_hash from article_file
where article_id = :article_id and removed_at is null order by id;

-- name: related
-- Articles near to one: of its category, with its tags or products, or much alike by their words, most read first.
select p.article_id, p.slug, p.title, p.summary, p.kind, p.updated_at, p.published_at,
    (p.category_id is not distinct from :category_id)::int + 2 * cardinality(array(select unnest(p.tags) intersect select unnest(cast(:tags as text[]))))
        + cardinality(array(select unnest(p.products) intersect select unnest(cast(:products as text[])))) as nearness
from published_article p
where p.language = :language and p.article_id <> :article_id and p.audience = any(:audiences) and p.kind <> 'news'
    and (cast(:category_ids as bigint[]) is null or p.category_id = any(cast(:category_ids as bigint[])))
    and (p.category_id = :category_id or p.article_id in (
        select id from article where tags && cast(:tags as text[]) and archived_at is null limit 200))
order by nearness desc, p.views desc, p.article_id
limit :most;

-- name: count_day
-- Add to an article's figures of the day.
insert into article_day (article_id, language, day, channel, views, helped, not_helped, deflected, used)
values (:article_id, :language, :day, :channel, :views, :helped, :not_helped, :deflected, :used)
on conflict (article_id, language, day, channel) do update set views = article_day.views + excluded.views,
    helped = article_day.helped + excluded.helped, not_helped = article_day.not_helped + excluded.not_helped,
    deflected = article_day.deflected + excluded.deflected, used = article_day.used + excluded.used;

-- name: viewed
-- Articles were read so many times; returns those that there are.
update published_article p set views = p.views + r.times
from (select article_id, language, sum(times)::int as times
    from unnest(cast(:article_ids as bigint[]), cast(:languages as text[]), cast(:times as int[])) u(article_id, language, times)
    group by article_id, language order by article_id, language) r
where p.article_id = r.article_id and p.language = r.language
returning p.article_id, p.language, r.times;

-- name: count_views
-- The same in the figures of the day.
insert into article_day (article_id, language, day, channel, views)
select article_id, language, :day, :channel, times
from unnest(cast(:article_ids as bigint[]), cast(:languages as text[]), cast(:times as int[])) u(article_id, language, times)
order by article_id, language
on conflict (article_id, language, day, channel) do update set views = article_day.views + excluded.views;

-- name: due
-- What is to be published by now, with the language of whoever is told when it cannot be: who answers for it, or wrote it.
select v.article_id, v.language, coalesce(o.language, w.language, 'en') as spoken
from article_version v
join article a on a.id = v.article_id
left join agent o on o.id = a.owner_id and o.active
left join agent w on w.id = v.changed_by
where v.publish_at <= :at and v.state in ('draft', 'in review') order by v.publish_at;

-- name: imported
-- What came from these sources before, with its newest words in each language.
select a.source, a.id, v.language, v.title, v.summary, v.text, v.questions
from article a
left join lateral (
    select distinct on (language) language, title, summary, text, questions from article_version
    where article_id = a.id order by language, number desc
) v on true
where a.source = any(:sources);

-- name: ask_import
-- Ask for an import, once; returns its id.
with new as (
    insert into article_import (asked, asked_by, file_hash, name, language, category_id, publish, pieces)
    values (:asked, :by, :file_hash, :name, :language, :category_id, :publish, :pieces)
    on conflict (asked) do nothing returning id
)
select id, true as new from new union all select id, false from article_import where asked = :asked limit 1;

-- name: next_import
-- The oldest import that goes on, for one process at a time; with the language of who asked.
select i.id, i.asked_by, i.file_hash, i.name, i.language, i.category_id, i.publish, i.pieces, i.done, i.tries,
    coalesce(a.language, 'en') as spoken
from article_import i left join agent a on a.id = i.asked_by
where i.ended_at is null order by i.id limit 1 for update of i skip locked;

-- name: count_import
-- Count what was done of an import.
update article_import set done = done + :done, added = added + :added, changed = changed + :changed, same = same + :same,
    refused = refused || cast(:refused as jsonb), tries = 0
where id = :id;

-- name: try_import
-- A turn of an import begins.
update article_import set tries = tries + 1 where id = :id;

-- name: end_import
-- An import is over.
update article_import set ended_at = :at, fault = :fault where id = :id;

-- name: imports
-- Imports, the newest first.
select i.id, i.asked_at, i.asked_by, i.name, i.publish, i.pieces, i.done, i.added, i.changed, i.same, i.refused, i.ended_at, i.fault,
    coalesce(a.name, '') as who
from article_import i left join agent a on a.id = i.asked_by
where cast(:id as bigint) is null or i.id = :id order by i.id desc limit :most;

-- name: votes
-- What readers said of every published article since a day.
select p.article_id, p.language, p.title, p.slug, a.owner_id, a.review_on,
    coalesce(sum(d.helped), 0)::int as helped, coalesce(sum(d.not_helped), 0)::int as not_helped,
    coalesce(sum(d.views), 0)::int as views
from published_article p
join article a on a.id = p.article_id
left join article_day d on d.article_id = p.article_id and d.language = p.language and d.day >= :since
group by p.article_id, p.language, p.title, p.slug, a.owner_id, a.review_on
having a.review_on < :today or coalesce(sum(d.helped + d.not_helped), 0) >= :votes;

-- name: look_closely
-- From here to the end of the transaction texts are alike only when they are much so: the index then looks at few of them.
select set_config('pg_trgm.similarity_threshold', cast(:least as text), true);

-- name: compare_alone
-- Whether nobody else compares articles now; they do not until the end of the transaction.
select pg_try_advisory_xact_lock(7345);

-- name: uncompared
-- Published articles that were not compared with the others since their words or their meaning changed, some of them.
select p.article_id, p.language, p.number, p.updated_at, m.made_at as meant_at
from published_article p
left join article_meaning m on m.article_id = p.article_id and m.language = p.language and m.part = 0
left join article_compared c on c.article_id = p.article_id and c.language = p.language
where c.article_id is null or c.number <> p.number or c.updated_at <> p.updated_at or c.meant_at is distinct from m.made_at
order by p.language, p.article_id limit :most;

-- name: how_many_uncompared
-- How many those are.
select count(*) from published_article p
left join article_meaning m on m.article_id = p.article_id and m.language = p.language and m.part = 0
left join article_compared c on c.article_id = p.article_id and c.language = p.language
where c.article_id is null or c.number <> p.number or c.updated_at <> p.updated_at or c.meant_at is distinct from m.made_at;

-- name: alike
-- Of some articles of a language: those of all others whose titles are much alike, each with its nearest few; and their summaries
-- where the meaning of both is not known.
select p.article_id, near.article_id as other_id, p.plain, near.plain as other_plain, near.likeness
from published_article p
cross join lateral (
    select x.article_id, x.plain, max(x.likeness) as likeness from (
        select o.article_id, o.plain, similarity(p.title, o.title) as likeness from published_article o
        where o.language = p.language and o.article_id <> p.article_id and o.title % p.title
        union all
        select o.article_id, o.plain, similarity(p.summary, o.summary) from published_article o
        where p.summary <> '' and o.language = p.language and o.article_id <> p.article_id
            and o.summary <> '' and o.summary % p.summary
            and not exists (select from article_meaning m where m.article_id = p.article_id and m.language = p.language)
    ) x group by x.article_id, x.plain order by likeness desc, x.article_id limit :nearest
) near
where p.language = :language and p.article_id = any(:article_ids);

-- name: alike_in_meaning
-- The same of those whose heads mean nearly the same (cosine). Signs come first: of vectors so near each other few differ.
select p.article_id, near.article_id as other_id, p.plain, o.plain as other_plain, near.likeness
from published_article p
join article_meaning m on m.article_id = p.article_id and m.language = p.language and m.part = 0
cross join lateral (
    select v.article_id, 1 - (v.vector <=> m.vector) as likeness from (
        select n.article_id from article_meaning n
        where n.language = m.language and n.model = m.model and n.part = 0 and n.article_id <> m.article_id
            and n.signs <~> m.signs < :signs
        order by n.signs <~> m.signs limit 10 * :nearest  -- read from the small index alone; then the vectors of those few
    ) x
    join article_meaning v on v.article_id = x.article_id and v.language = m.language and v.part = 0
    where 1 - (v.vector <=> m.vector) > :least order by likeness desc, v.article_id limit :nearest
) near
join published_article o on o.article_id = near.article_id and o.language = p.language
where p.language = :language and p.article_id = any(:article_ids) and p.kind <> 'news' and o.kind <> 'news';

-- name: forget_pairs
-- Before articles are compared anew.
delete from article_pair where language = :language and (article_id = any(:article_ids) or other_id = any(:article_ids));

-- name: put_pair
-- Two articles that are much alike; the smaller id stands first.
insert into article_pair (language, article_id, other_id, likeness, contradict)
values (:language, :article_id, :other_id, :likeness, :contradict)
on conflict (language, article_id, other_id) do update set likeness = greatest(article_pair.likeness, excluded.likeness);

-- name: compared
-- An article was compared with all others, as it was.
insert into article_compared (article_id, language, number, updated_at, meant_at)
values (:article_id, :language, :number, :updated_at, :meant_at)
on conflict (article_id, language) do update set number = excluded.number, updated_at = excluded.updated_at, meant_at = excluded.meant_at;

-- name: pairs
-- Articles that are much alike, what may contradict first; of how many.
select x.article_id, x.other_id, x.language, p.title, o.title as other_title, x.likeness, x.contradict, count(*) over () as of
from article_pair x
join published_article p on p.article_id = x.article_id and p.language = x.language
join published_article o on o.article_id = x.other_id and o.language = x.language
order by x.contradict desc, x.likeness desc, x.article_id, x.other_id limit :most;

-- name: lacking
-- Articles of a language that lack another language or a written wording which others have.
select p.article_id, p.language, p.title, p.slug, p.wordings, p.number,
    array(select o.language from published_article o where o.article_id = p.article_id) as languages,
    array(select o.language from published_article o where o.article_id = p.article_id and o.language <> a.language
        and coalesce(o.source_number, 0) < p.number) as behind
from published_article p
join article a on a.id = p.article_id and a.language = p.language
where p.kind <> 'news'
order by p.views desc, p.article_id limit :most;

-- name: remind
-- The articles whose review falls due and of which nobody has been told yet; they have been now.
update article a set reminded_on = :today
from article x
left join agent o on o.id = x.owner_id and o.active
where x.id = a.id and a.review_on <= :today and a.archived_at is null
    and (a.reminded_on is null or a.reminded_on < a.review_on)
returning a.id, a.owner_id, a.review_on, o.name as owner_name, o.email, o.language as owner_language,
    coalesce((select v.title from article_version v where v.article_id = a.id and v.language = a.language
        order by v.number desc limit 1), '') as title;

-- name: nobodys
-- Articles that readers see and nobody answers for, most read first.
select p.article_id, p.language, p.title, p.views from published_article p
join article a on a.id = p.article_id and a.language = p.language
left join agent o on o.id = a.owner_id and o.active
where o.id is null order by p.views desc, p.article_id limit :most;

-- name: figures
-- An article's figures by channel since a day.
select channel, sum(views)::int as views, sum(helped)::int as helped, sum(not_helped)::int as not_helped,
    sum(deflected)::int as deflected, sum(used)::int as used
from article_day where article_id = :article_id and day >= :since
group by channel order by channel;

-- name: figures_of_all
-- The figures of all articles since a day, most read first.
select a.id as article_id, coalesce(p.title, '') as title, coalesce(p.slug, '') as slug, coalesce(sum(d.views), 0)::int as views,
    coalesce(sum(d.helped), 0)::int as helped, coalesce(sum(d.not_helped), 0)::int as not_helped,
    coalesce(sum(d.deflected), 0)::int as deflected, coalesce(sum(d.used), 0)::int as used
from article_day d
join article a on a.id = d.article_id
left join published_article p on p.article_id = a.id and p.language = a.language
where d.day >= :since
group by a.id, p.title, p.slug order by views desc, a.id limit :most;

-- name: gap_groups
-- What was asked and not found, most asked first, with the cases that asked for it.
select g.id, g.language, g.words, g.asked, g.first_at, g.last_at, g.article_id, g.settled_at,
    array(select distinct x.case_id from gap x where x.group_id = g.id and x.case_id is not null order by 1 limit 20) as case_ids,
    array(select x.words from (select distinct on (lower(gap.words)) gap.words, gap.at from gap where gap.group_id = g.id
        order by lower(gap.words), gap.at desc) x order by x.at desc limit 8) as asks
from gap_group g
where (g.settled_at is null) = :open and (:language = '' or g.language = :language)
order by g.asked desc, g.last_at desc, g.id
limit :most;
