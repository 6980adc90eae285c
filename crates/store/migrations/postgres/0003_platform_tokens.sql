-- What platforms give to apps (stable_token, gettoken): one row per app. `sealed` and `expires_at` are null until the
-- first token was fetched; `lease_holder` may fetch until `lease_until`, nobody else.
create table platform_tokens (
    name         text collate "C" not null primary key,
    sealed       bytea,
    expires_at   bigint,
    generation   bigint not null,
    lease_holder text,
    lease_until  bigint
);
