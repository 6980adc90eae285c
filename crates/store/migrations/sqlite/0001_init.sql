-- Times are milliseconds since 1970-01-01 UTC; ids and hashes are text, compared byte for byte; JSON is text.
-- The same number and name in every dialect's folder; a migration is never changed once released, only added to.

create table clients (
    id                        text    not null primary key,
    name                      text    not null,
    secret_hash               text,
    redirect_uris             text    not null,
    post_logout_redirect_uris text    not null,
    pkce                      text    not null,
    id_token_alg              text    not null,
    refresh_tokens            boolean not null,
    created_at                bigint  not null,
    disabled_at               bigint
);

create table grants (
    id         text   not null primary key,
    client_id  text   not null,
    request    text   not null,
    browser    text   not null,
    created_at bigint not null,
    expires_at bigint not null,
    stage      text   not null
);
create index grants_by_expiry on grants (expires_at);

create table users (
    id          text   not null primary key,
    nickname    text,
    picture     text,
    created_at  bigint not null,
    updated_at  bigint not null,
    disabled_at bigint
);

-- An openid means nothing without its app (SEC-23); a unionid nothing without its declared platform account (SEC-39).
create table identities (
    kind           text   not null,
    app            text   not null,
    subject        text   not null,
    union_platform text,
    unionid        text,
    user_id        text   not null references users (id),
    channel        text   not null,
    nickname       text,
    picture        text,
    created_at     bigint not null,
    last_used_at   bigint not null,
    primary key (kind, app, subject)
);
create index identities_by_union on identities (union_platform, unionid);
create index identities_by_user on identities (user_id);

create table sessions (
    secret           text   not null primary key,
    id               text   not null unique,
    user_id          text   not null references users (id),
    identity_kind    text   not null,
    identity_app     text   not null,
    identity_subject text   not null,
    amr              text   not null,
    auth_time        bigint not null,
    expires_at       bigint not null,
    device           text   not null,
    address          text   not null
);
create index sessions_by_expiry on sessions (expires_at);

-- session_id is what the tokens say; ends_with is the session whose end revokes them: the same one until the person
-- signs in afresh in that browser, from then on the successor.
create table families (
    id               text   not null primary key,
    client_id        text   not null,
    user_id          text   not null references users (id),
    session_id       text   not null,
    ends_with        text   not null,
    identity_kind    text   not null,
    identity_app     text   not null,
    identity_subject text   not null,
    scope            text   not null,
    auth_time        bigint not null,
    amr              text   not null,
    expires_at       bigint not null,
    revoked_at       bigint
);
create index families_by_end on families (ends_with);
create index families_by_expiry on families (expires_at);

create table codes (
    code           text   not null primary key,
    family_id      text   not null references families (id),
    redirect_uri   text   not null,
    code_challenge text,
    nonce          text,
    expires_at     bigint not null,
    spent_at       bigint
);
create index codes_by_family on codes (family_id);

create table access_tokens (
    token      text   not null primary key,
    family_id  text   not null references families (id),
    expires_at bigint not null
);
create index access_tokens_by_family on access_tokens (family_id);
create index access_tokens_by_expiry on access_tokens (expires_at);

create table refresh_tokens (
    token      text   not null primary key,
    family_id  text   not null references families (id),
    expires_at bigint not null,
    spent_at   bigint
);
create index refresh_tokens_by_family on refresh_tokens (family_id);

create table signing_keys (
    id              text   not null primary key,
    algorithm       text   not null,
    sealed_private  blob   not null,
    public_jwk      text   not null,
    created_at      bigint not null,
    signs_from      bigint not null,
    published_until bigint
);

create table audit_events (
    seq       integer not null primary key autoincrement,
    at        bigint  not null,
    kind      text    not null,
    ticket    text,
    client_id text,
    user_id   text,
    channel   text,
    address   text,
    device    text
);

-- One row, counted up by the readiness check: proof that a commit reaches the disk.
create table heartbeat (
    id    integer not null primary key,
    beats bigint  not null
);
insert into heartbeat (id, beats) values (1, 0);
