-- Identities that were taken from a person: their unionid does not lead them back to that person.
create table unlinked_identities (
    kind        text   not null,
    app         text   not null,
    subject     text   not null,
    user_id     text   not null references users (id),
    unlinked_at bigint not null,
    primary key (kind, app, subject, user_id)
);
