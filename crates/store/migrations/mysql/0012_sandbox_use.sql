-- Since when this database has served with a sandbox in the place of the platforms, where anyone can be anyone: what was proven
-- there proves nothing. One row, which stays.
create table sandbox_use (
    id    bigint not null primary key,
    since bigint not null
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
insert into schema_compatibility (migration, works_from) values (12, 8);
