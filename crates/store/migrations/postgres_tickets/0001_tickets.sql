-- What is open for a few minutes. Unlogged: a crash of PostgreSQL empties these tables, which ends open scans and lets
-- nobody in; in return nothing here waits for a disk. Times are milliseconds since 1970.

create unlogged table tickets (
    code text primary key,
    version bigint not null,
    keep_until bigint not null,
    data text not null
);
create index tickets_by_end on tickets (keep_until);

create unlogged table handshakes (
    state text primary key,
    claimed boolean not null default false,
    keep_until bigint not null,
    data text not null,
    ending text
);
create index handshakes_by_end on handshakes (keep_until);

create unlogged table provider_codes (
    channel text not null,
    code text not null,
    keep_until bigint not null,
    primary key (channel, code)
);
create index provider_codes_by_end on provider_codes (keep_until);

create unlogged table challenges (
    id text primary key,
    attempts_left smallint not null,
    keep_until bigint not null,
    data text not null
);
create index challenges_by_end on challenges (keep_until);

-- Moments at which something was counted, oldest first.
create unlogged table counters (
    key text primary key,
    moments bigint[] not null,
    keep_until bigint not null
);
create index counters_by_end on counters (keep_until);
