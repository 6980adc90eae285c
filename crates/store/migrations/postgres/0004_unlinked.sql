-- Identities that were taken from a person: their unionid does not lead them back to that person.
create table unlinked_identities (
    kind        text collate "C" not null,
    app         text collate "C" not null,
    subject     text collate "C" not null,
    user_id     text collate "C" not null references users (id),
    unlinked_at bigint not null,
    primary key (kind, app, subject, user_id)
);
