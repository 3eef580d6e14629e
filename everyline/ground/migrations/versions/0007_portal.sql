-- Customers who sign in, what they prefer, and brands.
select 1;
