-- What proves an identity of a kind that is held here. It follows the identity's key, and is gone when that is.
create table passwords (
    kind       text collate "C" not null,
    app        text collate "C" not null,
    subject    text collate "C" not null,
    username   text   not null,
    folded     text collate "C" not null unique,
    assigned   boolean not null,
    hash       text   not null,
    changed_at bigint not null,
    primary key (kind, app, subject),
    foreign key (kind, app, subject) references identities (kind, app, subject)
        on update cascade on delete cascade
);

create table passkeys (
    kind         text collate "C" not null,
    app          text collate "C" not null,
    subject      text collate "C" not null,
    name         text   not null,
    data         text   not null,
    created_at   bigint not null,
    last_used_at bigint,
    primary key (kind, app, subject),
    foreign key (kind, app, subject) references identities (kind, app, subject)
        on update cascade on delete cascade
);

-- What a person agreed to tell a website; scope is JSON.
create table consents (
    user_id   text collate "C" not null references users (id),
    client_id text collate "C" not null,
    scope     text   not null,
    agreed_at bigint not null,
    primary key (user_id, client_id)
);

create index audit_events_by_user on audit_events (user_id, seq);
