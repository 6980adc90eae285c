-- Times are milliseconds since 1970-01-01 UTC; ids and hashes are text, compared byte for byte; JSON is text.
-- The same number and name in every dialect's folder; a migration is never changed once released, only added to.
--
-- Every table says its engine and its collation: a server may default to a collation that takes two openids for one.
-- An index holds 3072 bytes, that is 768 characters: 32 of kind, 160 of app, 512 of subject and 64 of a person's id.

create table clients (
    id                        varchar(64)  not null primary key,
    name                      mediumtext   not null,
    secret_hash               varchar(64),
    redirect_uris             mediumtext   not null,
    post_logout_redirect_uris mediumtext   not null,
    pkce                      varchar(32)  not null,
    id_token_alg              varchar(32)  not null,
    refresh_tokens            boolean      not null,
    created_at                bigint       not null,
    disabled_at               bigint
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table grants (
    id         varchar(64) not null primary key,
    client_id  varchar(64) not null,
    request    mediumtext  not null,
    browser    varchar(64) not null,
    created_at bigint      not null,
    expires_at bigint      not null,
    stage      varchar(32) not null,
    index grants_by_expiry (expires_at)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table users (
    id          varchar(64) not null primary key,
    nickname    mediumtext,
    picture     mediumtext,
    created_at  bigint      not null,
    updated_at  bigint      not null,
    disabled_at bigint
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- An openid means nothing without its app (SEC-23); a unionid nothing without its declared platform account (SEC-39).
create table identities (
    kind           varchar(32)  not null,
    app            varchar(160) not null,
    subject        varchar(512) not null,
    union_platform varchar(160),
    unionid        varchar(512),
    user_id        varchar(64)  not null,
    channel        varchar(128) not null,
    nickname       mediumtext,
    picture        mediumtext,
    created_at     bigint       not null,
    last_used_at   bigint       not null,
    primary key (kind, app, subject),
    index identities_by_union (union_platform, unionid),
    index identities_by_user (user_id),
    foreign key (user_id) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table sessions (
    secret           varchar(64)  not null primary key,
    id               varchar(64)  not null unique,
    user_id          varchar(64)  not null,
    identity_kind    varchar(32)  not null,
    identity_app     varchar(160) not null,
    identity_subject varchar(512) not null,
    amr              varchar(128) not null,
    auth_time        bigint       not null,
    expires_at       bigint       not null,
    device           mediumtext   not null,
    address          mediumtext   not null,
    index sessions_by_expiry (expires_at),
    index sessions_by_user (user_id),
    foreign key (user_id) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- session_id is what the tokens say; ends_with is the session whose end revokes them: the same one until the person
-- signs in afresh in that browser, from then on the successor.
create table families (
    id               varchar(64)  not null primary key,
    client_id        varchar(64)  not null,
    user_id          varchar(64)  not null,
    session_id       varchar(64)  not null,
    ends_with        varchar(64)  not null,
    identity_kind    varchar(32)  not null,
    identity_app     varchar(160) not null,
    identity_subject varchar(512) not null,
    scope            mediumtext   not null,
    auth_time        bigint       not null,
    amr              varchar(128) not null,
    expires_at       bigint       not null,
    revoked_at       bigint,
    index families_by_end (ends_with),
    index families_by_expiry (expires_at),
    index families_by_user (user_id),
    foreign key (user_id) references users (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table codes (
    code           varchar(64) not null primary key,
    family_id      varchar(64) not null,
    redirect_uri   mediumtext  not null,
    code_challenge mediumtext,
    nonce          mediumtext,
    expires_at     bigint      not null,
    spent_at       bigint,
    index codes_by_family (family_id),
    foreign key (family_id) references families (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table access_tokens (
    token      varchar(64) not null primary key,
    family_id  varchar(64) not null,
    expires_at bigint      not null,
    index access_tokens_by_family (family_id),
    index access_tokens_by_expiry (expires_at),
    foreign key (family_id) references families (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table refresh_tokens (
    token      varchar(64) not null primary key,
    family_id  varchar(64) not null,
    expires_at bigint      not null,
    spent_at   bigint,
    index refresh_tokens_by_family (family_id),
    foreign key (family_id) references families (id)
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table signing_keys (
    id              varchar(128) not null primary key,
    algorithm       varchar(32)  not null,
    sealed_private  mediumblob   not null,
    public_jwk      mediumtext   not null,
    created_at      bigint       not null,
    signs_from      bigint       not null,
    published_until bigint
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

create table audit_events (
    seq       bigint      not null auto_increment primary key,
    at        bigint      not null,
    kind      varchar(64) not null,
    ticket    mediumtext,
    client_id varchar(64),
    user_id   varchar(64),
    channel   varchar(128),
    address   mediumtext,
    device    mediumtext
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;

-- One row, counted up by the readiness check: proof that a commit reaches the disk.
create table heartbeat (
    id    bigint not null primary key,
    beats bigint not null
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
insert into heartbeat (id, beats) values (1, 0);
