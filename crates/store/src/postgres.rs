//! Tickets, handshakes and challenges that nodes share, on PostgreSQL 14 or later alone: for the small cluster that wants
//! no second engine.
//!
//! # How
//! A ticket is one row. A transition is one statement: an `update` where the version is still the one that was seen, and
//! `pg_notify` out of its result ([`tickets`]); PostgreSQL sends the notification with the commit. Every node listens on
//! one connection ([`listener`]) and rings the bell of whoever waits for that ticket here.
//!
//! The tables have migrations of their own, counted in a table of their own, so they may lie in the database of the
//! records or in another.
//!
//! # What is lost, and what that allows
//! Notifications may be lost; watchers read again every [`POLL`], and at once when the listening connection was made
//! anew (promise 7). The tables are **unlogged**: a crash of PostgreSQL, or a standby that takes over, finds them empty. That
//! ends open scans, whose pages draw a fresh QR, and lets nobody in, as an absent ticket, handshake or challenge answers
//! nothing; a provider's code that is no longer remembered was for one use at the platform too. Single entries never
//! go back to an earlier state.
//!
//! # Times
//! `now` decides, in the condition of every statement (promise 4). Rows that ended a minute ago by the clock of the caller
//! and of PostgreSQL, whichever is behind, are swept along with later writes.
//!
//! # Ceilings
//! A node counts rows anew after every 256th part of the ceiling that it added itself ([`room`]), so all nodes together
//! overshoot by no more than that part each.
//!
//! Not through PgBouncer in transaction mode: it loses `listen`.

mod challenges;
mod counters;
mod handshakes;
mod lent;
mod listener;
mod room;
mod tickets;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, PgPool, Postgres, SqlSafeStr};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::memory::MemoryLimits;
use crate::signal::Switchboard;
use lent::Lent;
use listener::Listening;
use room::Room;

/// How often a watcher reads without having heard anything, give or take a quarter: what a lost notification costs.
pub const POLL: Duration = Duration::from_secs(15);
/// For an answer.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// For a connection out of the pool; with [`PATIENCE`] the longest that a question takes.
const ACQUIRE: Duration = Duration::from_millis(1_000);
/// For bringing the tables up to date, other nodes' turns included.
const MIGRATION: Duration = Duration::from_secs(60);
/// Between two sweeps by one node, in milliseconds by the callers' clock.
const SWEEP_EVERY: i64 = 10_000;
/// For one sweep. What the server has begun by then, it carries through without us.
const SWEEP: Duration = Duration::from_secs(10);

/// How the engine behaves.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// How much may be held at once, by all nodes together.
    pub limits: MemoryLimits,
    /// Connections of this node, beside the one that listens. Default 8.
    pub connections: u32,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { limits: MemoryLimits::default(), connections: 8 }
    }
}

/// Why PostgreSQL could not be opened for tickets.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    /// Not an address. What it is stays out of the words: it may hold a password.
    #[error("not an address of PostgreSQL, such as postgres://user:password@host/database")]
    Address,
    /// It refused or did not answer.
    #[error("cannot open PostgreSQL for tickets")]
    Engine(#[source] sqlx::Error),
    /// The tables could not be made.
    #[error("cannot make the tables of tickets")]
    Migration(#[source] MigrateError),
    /// It took too long.
    #[error("PostgreSQL did not answer in time")]
    Slow,
}

/// The engine. Clones share their connections.
#[derive(Clone)]
pub struct PostgresTickets {
    pool: PgPool,
    watchers: Switchboard,
    rooms: Arc<Rooms>,
    swept: Arc<AtomicI64>,
    _listening: Arc<Listening>,
}

struct Rooms {
    tickets: Room,
    handshakes: Room,
    provider_codes: Room,
    challenges: Room,
}

impl PostgresTickets {
    /// Connects, makes the tables, and listens. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`PostgresOpenError`]. Once open, the engine outlives any number of interruptions.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, PostgresOpenError> {
        let connect = PgConnectOptions::from_str(url).map_err(|_| PostgresOpenError::Address)?;
        let pool = PgPoolOptions::new().max_connections(options.connections).acquire_timeout(ACQUIRE);
        let pool = pool.connect_with(connect.clone()).await.map_err(PostgresOpenError::Engine)?;
        timeout(MIGRATION, migrate(&pool)).await.map_err(|_| PostgresOpenError::Slow)??;
        let watchers = Switchboard::default();
        let listening =
            Listening::start(connect, watchers.clone()).await.map_err(PostgresOpenError::Engine)?;
        let limits = options.limits;
        let rooms = Rooms {
            tickets: Room::new(limits.live_tickets),
            handshakes: Room::new(limits.live_handshakes),
            provider_codes: Room::new(limits.provider_codes),
            challenges: Room::new(limits.live_challenges),
        };
        Ok(Self {
            pool,
            watchers,
            rooms: Arc::new(rooms),
            swept: Arc::default(),
            _listening: Arc::new(listening),
        })
    }

    /// Runs a statement within [`PATIENCE`]; returns how many rows it touched.
    async fn ask(&self, statement: Query<'_, Postgres, PgArguments>) -> Result<u64, StoreError> {
        let mut lent = self.lend().await?;
        let answer = timeout(PATIENCE, statement.execute(lent.connection())).await;
        Ok(answered(answer, lent)?.rows_affected())
    }

    /// The row that a statement returns, if any.
    async fn row<T>(&self, statement: QueryAs<'_, Postgres, T, PgArguments>) -> Result<Option<T>, StoreError>
    where
        T: Send + Unpin + for<'r> FromRow<'r, PgRow>,
    {
        let mut lent = self.lend().await?;
        let answer = timeout(PATIENCE, statement.fetch_optional(lent.connection())).await;
        answered(answer, lent)
    }

    async fn lend(&self) -> Result<Lent, StoreError> {
        Lent::from(&self.pool).await.map_err(unavailable)
    }

    async fn count_if_stale(
        &self,
        room: &Room,
        count: &'static str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if room.is_stale(now) {
            let rows = self.row(sqlx::query_as::<_, (i64,)>(count).bind(millis(now))).await?;
            room.counted(rows.map_or(0, |(rows,)| rows), now);
        }
        Ok(())
    }

    /// Clears away what ended a while ago; now and then, and nobody waits for it.
    fn sweep(&self, now: Timestamp) {
        let (at, last) = (millis(now), self.swept.load(Ordering::Relaxed));
        let is_mine = at - last >= SWEEP_EVERY
            && self.swept.compare_exchange(last, at, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_mine {
            return;
        }
        let pool = self.pool.clone();
        tokio::spawn(async move {
            let sweeping = async {
                for statement in SWEEPS {
                    let swept = async {
                        let mut lent = Lent::from(&pool).await?;
                        sqlx::query(statement).bind(at).execute(lent.connection()).await
                    };
                    if let Err(error) = swept.await {
                        tracing::debug!("tickets: sweeping: {error}");
                    }
                }
            };
            if timeout(SWEEP, sweeping).await.is_err() {
                tracing::debug!("tickets: sweeping took longer than {} s", SWEEP.as_secs());
            }
        });
    }
}

macro_rules! sweep {
    ($table:literal) => {
        concat!(
            "delete from ",
            $table,
            " where keep_until < least($1::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint) - 60000"
        )
    };
}

/// Both clocks must agree that a row is over, and it is only tidying: a node whose clock is ahead takes nothing away.
const SWEEPS: [&str; 5] = [
    sweep!("tickets"),
    sweep!("handshakes"),
    sweep!("provider_codes"),
    sweep!("challenges"),
    sweep!("counters"),
];

async fn migrate(pool: &PgPool) -> Result<(), PostgresOpenError> {
    let mut migrator = Migrator::with_migrations(vec![Migration::new(
        1,
        "tickets".into(),
        MigrationType::Simple,
        include_str!("../migrations/postgres_tickets/0001_tickets.sql").into_sql_str(),
        false,
    )]);
    migrator.dangerous_set_table_name("mashang_tickets_migrations");
    // Of a later version, which only adds to them: this one serves beside it, as it does on newer records.
    migrator.set_ignore_missing(true);
    migrator.run(pool).await.map_err(PostgresOpenError::Migration)
}

impl std::fmt::Debug for PostgresTickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTickets").field("watched", &self.watchers.len()).finish_non_exhaustive()
    }
}

/// A connection whose answer did not come in time is closed: nobody knows what it would say next.
fn answered<T>(answer: Result<Result<T, sqlx::Error>, Elapsed>, lent: Lent) -> Result<T, StoreError> {
    match answer {
        Ok(answer) => answer.map_err(unavailable),
        Err(slow) => {
            lent.close();
            Err(StoreError::Unavailable(Box::new(slow)))
        }
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own plain data always serializes")
}

fn from_json<T: DeserializeOwned>(table: &'static str, key: &str, text: &str) -> Result<T, StoreError> {
    // serde's own message may quote the value.
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
        table,
        key: key.to_owned(),
        what: format!("data is not the JSON it should be ({:?})", error.classify()),
    })
}
