-- What proves an identity of a kind that is held here. It follows the identity's key, and is gone when that is.
create table passwords (
    kind       text   not null,
    app        text   not null,
    subject    text   not null,
    username   text   not null,
    folded     text   not null unique,
    assigned   boolean not null,
    hash       text   not null,
    changed_at bigint not null,
    primary key (kind, app, subject),
    foreign key (kind, app, subject) references identities (kind, app, subject)
        on update cascade on delete cascade
);

create table passkeys (
    kind         text   not null,
    app          text   not null,
    subject      text   not null,
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
    user_id   text   not null references users (id),
    client_id text   not null,
    scope     text   not null,
    agreed_at bigint not null,
    primary key (user_id, client_id)
);

create index audit_events_by_user on audit_events (user_id, seq);
