-- Since when this database has served with a sandbox in the place of the platforms, where anyone can be anyone: what was proven
-- there proves nothing. One row, which stays.
create table sandbox_use (
    id    bigint not null primary key,
    since bigint not null
);
insert into schema_compatibility (migration, works_from) values (12, 8);
