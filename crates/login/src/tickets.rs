//! Where tickets live: in memory for one node, in Redis or PostgreSQL for several. The traits here are what every engine promises.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::handshake::{Claim, Claimant, Handshake, TripEnd};
use crate::ids::{ChannelId, ScanCode};
use crate::records::StoreError;
use crate::secret::SecretHash;
use crate::ticket::{Glance, Ticket};

/// The result of trying to move a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The store now holds the new stage.
    Won,
    /// Somebody else moved it first (or it is gone): read again.
    Lost,
}

/// A subscription to one ticket. A wake-up is a hint that it may have changed: read it again (promise 7).
#[async_trait]
pub trait Watch: Send {
    /// Waits until the ticket may have changed since the subscription began or since the last call returned.
    /// Dropping the future loses nothing.
    async fn changed(&mut self);
}

/// Live tickets.
#[async_trait]
pub trait Tickets: Send + Sync + std::fmt::Debug {
    /// Stores a fresh ticket until its `keep_until`.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when the engine's ceiling of live tickets is reached (SEC-16);
    /// [`StoreError::Conflict`] if the scan code exists.
    async fn create(&self, ticket: &Ticket, now: Timestamp) -> Result<(), StoreError>;

    /// The ticket as it stands, or `None` if it never was or is no longer kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine does not answer.
    async fn get(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Ticket>, StoreError>;

    /// What its browser may know of the ticket at `now`, without what else is known of it; otherwise as [`Tickets::get`].
    ///
    /// # Errors
    /// As [`Tickets::get`].
    async fn glance(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Glance>, StoreError>;

    /// Compare and set: writes `next` only if the stored version is `seen.version`, then wakes every watcher on every
    /// node. Of any number of calls with the same `seen`, exactly one wins (promise 3). The decision itself was made by
    /// a pure function with `now`, so the engine compares nothing but the version.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the write may or may not have happened; read again.
    async fn advance(&self, seen: &Ticket, next: &Ticket, now: Timestamp) -> Result<Advance, StoreError>;

    /// Subscribes. Subscribe first, then read, then wait; after waking, read again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine does not answer.
    async fn watch(&self, code: &ScanCode) -> Result<Box<dyn Watch>, StoreError>;

    /// What time it is by the engine's own clock; `None` where it has none but this process's. Nothing is decided by it: it
    /// shows whether nodes agree on the time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine does not answer.
    async fn engine_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

/// Trips to platforms, and the provider codes brought back. Lives beside the tickets: short, one-use, shared by nodes.
#[async_trait]
pub trait Handshakes: Send + Sync + std::fmt::Debug {
    /// Stores a handshake until its `expires_at`.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at the engine's ceiling.
    async fn begin(&self, handshake: &Handshake, now: Timestamp) -> Result<(), StoreError>;

    /// Presents a `state`. Of any number of calls by the device that set out exactly one gets [`Claim::First`]; calls by
    /// others change nothing (SEC-25).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the state may be consumed; start again.
    async fn claim(&self, claimant: &Claimant<'_>, now: Timestamp) -> Result<Claim, StoreError>;

    /// The first visit is over: later ones are told how. What was told before, of a snapshot, is replaced.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: a later visit waits a little for nothing.
    async fn end_trip(&self, state: &SecretHash, end: &TripEnd, now: Timestamp) -> Result<(), StoreError>;

    /// Marks a provider's code as used by us until `until`; `false` if it was used before (SEC-26).
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] at the engine's ceiling.
    async fn spend_provider_code(
        &self,
        channel: &ChannelId,
        code: &SecretHash,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
