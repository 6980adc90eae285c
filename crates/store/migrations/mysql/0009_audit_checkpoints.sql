-- Checkpoints of the audit trail: how many records a stretch of it has, and a keyed hash of every word of them and of the
-- checkpoint before (SEC-78). Two that begin at the same record cannot be.
create table audit_checkpoints (
    after_seq bigint not null primary key,
    last_seq  bigint not null,
    events    bigint not null,
    newest_at bigint not null,
    format    bigint not null,
    previous  varchar(64) not null,
    hash      varchar(64) not null
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
create index audit_checkpoints_by_last on audit_checkpoints (last_seq);
-- Up to where the trail was shortened on purpose. One row.
create table audit_trimmed (
    id         bigint not null primary key,
    last_seq   bigint not null,
    checkpoint varchar(64) not null,
    hash       varchar(64) not null
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
insert into schema_compatibility (migration, works_from) values (9, 8);
