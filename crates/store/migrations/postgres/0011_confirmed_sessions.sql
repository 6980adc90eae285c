-- When the person last approved for their own page, where ways to sign in are added and removed: approving a login to a website
-- does not allow that (SEC-38). None for sessions that a website's login began.
alter table sessions add column confirmed_at bigint;
insert into schema_compatibility (migration, works_from) values (11, 8);
