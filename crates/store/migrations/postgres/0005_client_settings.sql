-- What the operator switched for a client: JSON, '{}' for the defaults.
alter table clients add column settings text not null default '{}';
