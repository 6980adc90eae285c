-- Which versions of Mashang work with a migration: those whose own newest one is `works_from` or later. From here on every
-- migration states it, so that a node of the version before may start while an update rolls from node to node.
create table schema_compatibility (
    migration  bigint not null primary key,
    works_from bigint not null
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
insert into schema_compatibility (migration, works_from) values (7, 6);
