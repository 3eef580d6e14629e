-- Talks: live text with a beginning and an end.
select 1;
