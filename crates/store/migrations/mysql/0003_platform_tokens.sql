-- What platforms give to apps (stable_token, gettoken): one row per app. `sealed` and `expires_at` are null until the
-- first token was fetched; `lease_holder` may fetch until `lease_until`, nobody else.
create table platform_tokens (
    name         varchar(512) not null primary key,
    sealed       mediumblob,
    expires_at   bigint,
    generation   bigint       not null,
    lease_holder varchar(255),
    lease_until  bigint
) engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;
