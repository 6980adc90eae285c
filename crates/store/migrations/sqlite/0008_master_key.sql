-- Which master key this database belongs to: a known text sealed with it, written once, before anything else is sealed. A
-- node whose master key does not open it stops at its start.
create table master_key_check (
    id     bigint not null primary key,
    sealed blob not null
);
insert into schema_compatibility (migration, works_from) values (8, 7);
