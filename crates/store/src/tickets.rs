//! Which engine holds the tickets, by an address: of what several nodes must share beside the records.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use mashang_login::Entropy;
use mashang_login::challenge::Challenges;
use mashang_login::counters::Counters;
use mashang_login::tickets::{Handshakes, Tickets};

use crate::memory::{MemoryLimits, MemoryTickets};
use crate::postgres::{PostgresOpenError, PostgresOptions, PostgresTickets};
use crate::redis::{AddressError, AuthorityError, RedisAddress, RedisOpenError, RedisOptions, RedisTickets};

/// An address of `tickets.url`. `Debug` and `Display` show no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketsAddress {
    /// `memory:`, the memory of the only node.
    Memory,
    /// `redis://…` and its kin.
    Redis(RedisAddress),
    /// `postgres:`, the PostgreSQL that holds the records.
    Postgres,
}

impl TicketsAddress {
    /// Trusts the certificate authorities in `pem`, and no others, where the engine speaks TLS.
    ///
    /// # Errors
    /// [`AuthorityError`], also where it does not.
    pub fn trusting(self, pem: Vec<u8>) -> Result<Self, AuthorityError> {
        match self {
            Self::Redis(address) => address.trusting(pem).map(Self::Redis),
            Self::Memory | Self::Postgres => Err(AuthorityError::NoTls),
        }
    }
}

impl FromStr for TicketsAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text {
            "memory:" => Ok(Self::Memory),
            "postgres:" => Ok(Self::Postgres),
            _ => text.parse().map(Self::Redis),
        }
    }
}

impl fmt::Display for TicketsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Redis(address) => address.fmt(f),
            Self::Postgres => f.write_str("postgres:"),
        }
    }
}

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TicketsOpenError {
    /// Redis.
    #[error(transparent)]
    Redis(#[from] RedisOpenError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresOpenError),
}

/// Whether an address of records is one of PostgreSQL.
#[must_use]
pub fn is_postgres(records: &str) -> bool {
    records.starts_with("postgres:") || records.starts_with("postgresql:")
}

/// One engine, by each of its promises.
#[derive(Debug, Clone)]
pub struct TicketStore {
    /// Live tickets.
    pub tickets: Arc<dyn Tickets>,
    /// Trips to platforms.
    pub handshakes: Arc<dyn Handshakes>,
    /// Codes and ceremonies.
    pub challenges: Arc<dyn Challenges>,
    /// What nodes count together; `None` when there is one node, which counts for itself.
    pub counters: Option<Arc<dyn Counters>>,
}

impl TicketStore {
    /// Opens the engine that `address` names; `records` is the address of the records.
    ///
    /// # Errors
    /// [`TicketsOpenError`] when it does not answer.
    pub async fn open(
        address: TicketsAddress,
        records: &str,
        limits: MemoryLimits,
        entropy: &dyn Entropy,
    ) -> Result<Self, TicketsOpenError> {
        Ok(match address {
            TicketsAddress::Memory => Self::of(Arc::new(MemoryTickets::new(limits))),
            TicketsAddress::Redis(address) => {
                let options = RedisOptions { limits, ..Default::default() };
                let engine = Arc::new(RedisTickets::connect(address, options, entropy).await?);
                Self { counters: Some(engine.clone()), ..Self::of(engine) }
            }
            TicketsAddress::Postgres => {
                let options = PostgresOptions { limits, ..Default::default() };
                let engine = Arc::new(PostgresTickets::connect(records, options).await?);
                Self { counters: Some(engine.clone()), ..Self::of(engine) }
            }
        })
    }

    fn of<T: Tickets + Handshakes + Challenges + 'static>(engine: Arc<T>) -> Self {
        Self { tickets: engine.clone(), handshakes: engine.clone(), challenges: engine, counters: None }
    }
}
