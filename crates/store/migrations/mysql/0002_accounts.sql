-- What a platform told about an identity beyond name and picture: JSON, '{}' for nothing.
alter table identities add column attributes mediumtext not null default ('{}');

-- What a grant ends in: 'sign_in' (a code for a website), 'account' (a session for the person's own page) or 'link'
-- (one more identity of link_user).
alter table grants
    add column purpose varchar(32) not null default 'sign_in',
    add column link_user varchar(64);

-- Set while a person is merged into another: they own no identity then, and nobody signs in as them.
alter table users add column merged_into varchar(64);

create table merges (
    id        varchar(64) not null primary key,
    from_user varchar(64) not null,
    into_user varchar(64) not null,
    merged_at bigint      not null,
    undone_at bigint,
    index merges_by_from (from_user),
    index merges_by_into (into_user),
    foreign key (from_user) references users (id),
    foreign key (into_user) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- The identities that a merge moved, to be moved back.
create table merged_identities (
    merge_id varchar(64)  not null,
    kind     varchar(32)  not null,
    app      varchar(160) not null,
    subject  varchar(512) not null,
    primary key (merge_id, kind, app, subject),
    foreign key (merge_id) references merges (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- The second person of an event that is about two.
alter table audit_events add column other_user_id varchar(64);
