-- What a platform told about an identity beyond name and picture: JSON, '{}' for nothing.
alter table identities add column attributes text not null default '{}';

-- What a grant ends in: 'sign_in' (a code for a website), 'account' (a session for the person's own page) or 'link'
-- (one more identity of link_user).
alter table grants add column purpose text not null default 'sign_in';
alter table grants add column link_user text;

-- Set while a person is merged into another: they own no identity then, and nobody signs in as them.
alter table users add column merged_into text;

create table merges (
    id        text collate "C" not null primary key,
    from_user text collate "C" not null references users (id),
    into_user text collate "C" not null references users (id),
    merged_at bigint not null,
    undone_at bigint
);
create index merges_by_from on merges (from_user);
create index merges_by_into on merges (into_user);

-- The identities that a merge moved, to be moved back.
create table merged_identities (
    merge_id text collate "C" not null references merges (id),
    kind     text collate "C" not null,
    app      text collate "C" not null,
    subject  text collate "C" not null,
    primary key (merge_id, kind, app, subject)
);

-- The second person of an event that is about two.
alter table audit_events add column other_user_id text;

create index sessions_by_user on sessions (user_id);
create index families_by_user on families (user_id);
