-- Proofs of a corp's member from before a moment count for nothing: the directory said then that they left, were switched off
-- or have another id, while a scan of theirs may have been under way (SEC-35).
create table stale_proofs (
    kind         text not null,
    app          text not null,
    subject      text not null,
    stale_before bigint not null,
    primary key (kind, app, subject)
);
create index stale_proofs_by_end on stale_proofs (stale_before);
insert into schema_compatibility (migration, works_from) values (10, 8);
