-- Identities that were taken from a person: their unionid does not lead them back to that person.
create table unlinked_identities (
    kind        varchar(32)  not null,
    app         varchar(160) not null,
    subject     varchar(512) not null,
    user_id     varchar(64)  not null,
    unlinked_at bigint       not null,
    primary key (kind, app, subject, user_id),
    foreign key (user_id) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
