//! [`Tickets`] on PostgreSQL: one row per ticket, one statement per transition.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use mashang_login::ticket::{Glance, Seen, Ticket};
use mashang_login::tickets::{Advance, Tickets, Watch};
use serde::de::DeserializeOwned;

use super::{POLL, PostgresTickets, from_json, millis, to_json};
use crate::signal::RemoteWatch;

const COUNT: &str = "select count(*) from tickets where keep_until > $1";

const CREATE: &str = "
    insert into tickets (code, version, keep_until, data) values ($1, $2, $3, $4)
    on conflict (code) do update
        set version = excluded.version, keep_until = excluded.keep_until, data = excluded.data
        where tickets.keep_until <= $5";

const GET: &str = "select data from tickets where code = $1 and keep_until > $2";

/// The notification leaves with the commit, and only if there was something to write.
const ADVANCE: &str = "
    with moved as (
        update tickets set version = $3, keep_until = $4, data = $5
        where code = $1 and version = $2 and keep_until > $6
        returning code
    )
    select pg_notify('mashang_tickets', code) from moved";

impl PostgresTickets {
    /// A ticket, or as much of it as `T` takes.
    async fn read_ticket<T: DeserializeOwned>(
        &self,
        code: &ScanCode,
        now: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let get = sqlx::query_as::<_, (String,)>(GET).bind(code.as_str()).bind(millis(now));
        let row = self.row(get).await?;
        row.map(|(data,)| from_json("tickets", code.short(), &data)).transpose()
    }
}

#[async_trait]
impl Tickets for PostgresTickets {
    async fn create(&self, ticket: &Ticket, now: Timestamp) -> Result<(), StoreError> {
        self.sweep(now);
        let room = &self.rooms.tickets;
        self.count_if_stale(room, COUNT, now).await?;
        if !room.take() {
            return Err(StoreError::Overloaded);
        }
        let create = sqlx::query(CREATE)
            .bind(ticket.scan_code.as_str())
            .bind(i64::from(ticket.version))
            .bind(millis(ticket.keep_until))
            .bind(to_json(ticket))
            .bind(millis(now));
        if self.ask(create).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn get(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        self.read_ticket(code, now).await
    }

    async fn glance(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Glance>, StoreError> {
        let seen = self.read_ticket::<Seen>(code, now).await?;
        Ok(seen.map(|seen| seen.glance(now)))
    }

    async fn advance(&self, seen: &Ticket, next: &Ticket, now: Timestamp) -> Result<Advance, StoreError> {
        let advance = sqlx::query(ADVANCE)
            .bind(seen.scan_code.as_str())
            .bind(i64::from(seen.version))
            .bind(i64::from(next.version))
            .bind(millis(next.keep_until))
            .bind(to_json(next))
            .bind(millis(now));
        Ok(if self.ask(advance).await? == 1 { Advance::Won } else { Advance::Lost })
    }

    async fn watch(&self, code: &ScanCode) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(RemoteWatch::new(self.watchers.subscribe(code), POLL)))
    }

    async fn engine_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let millis = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
        let row = self.row(sqlx::query_as::<_, (i64,)>(millis)).await?;
        Ok(row.and_then(|(millis,)| Timestamp::from_millisecond(millis).ok()))
    }
}
