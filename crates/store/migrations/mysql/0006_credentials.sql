-- What proves an identity of a kind that is held here. It follows the identity's key, and is gone when that is.
create table passwords (
    kind       varchar(32)  not null,
    app        varchar(160) not null,
    subject    varchar(512) not null,
    username   varchar(255) not null,
    folded     varchar(255) not null unique,
    assigned   boolean      not null,
    hash       mediumtext   not null,
    changed_at bigint       not null,
    primary key (kind, app, subject),
    foreign key (kind, app, subject) references identities (kind, app, subject)
        on update cascade on delete cascade
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table passkeys (
    kind         varchar(32)  not null,
    app          varchar(160) not null,
    subject      varchar(512) not null,
    name         mediumtext   not null,
    data         mediumtext   not null,
    created_at   bigint       not null,
    last_used_at bigint,
    primary key (kind, app, subject),
    foreign key (kind, app, subject) references identities (kind, app, subject)
        on update cascade on delete cascade
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- What a person agreed to tell a website; scope is JSON.
create table consents (
    user_id   varchar(64) not null,
    client_id varchar(64) not null,
    scope     mediumtext  not null,
    agreed_at bigint      not null,
    primary key (user_id, client_id),
    foreign key (user_id) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create index audit_events_by_user on audit_events (user_id, seq);
