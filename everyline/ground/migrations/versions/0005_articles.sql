-- Articles, their versions and wordings, and what was asked and not found.
select 1;
