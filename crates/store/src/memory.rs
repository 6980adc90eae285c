//! Tickets, handshakes and challenges of a single node, in memory.
//!
//! A restart forgets them all; that fails safe, as every page draws a fresh QR by itself (promise 8). For more than one
//! node, use an engine which they share.
//!
//! One std mutex guards plain maps and is never held across an await. A section under it is one look-up, so that a
//! million live tickets need no shards; tickets are packed small, and unpacked outside of it.

mod challenges;
mod handshakes;
mod packed;
mod shelf;
mod tickets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mashang_login::challenge::Challenge;
use mashang_login::handshake::{Handshake, TripEnd};
use mashang_login::ids::ChannelId;
use mashang_login::secret::SecretHash;

use crate::signal::Switchboard;
use packed::{Packed, Shared};
use shelf::Shelf;

/// How much the engine may hold at once (SEC-16). Beyond, it answers `Overloaded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Tickets being kept, finished ones included (about 0.25 KB each).
    pub live_tickets: usize,
    /// Trips to platforms under way (about 0.4 KB each).
    pub live_handshakes: usize,
    /// Remembered provider codes (about 0.2 KB each).
    pub provider_codes: usize,
    /// Codes and ceremonies under way (about 0.5 KB each; a WebAuthn ceremony keeps 1 to 2 KB).
    pub live_challenges: usize,
}

impl Default for MemoryLimits {
    /// 200,000 of each, and 50,000 challenges, which are larger.
    fn default() -> Self {
        Self {
            live_tickets: 200_000,
            live_handshakes: 200_000,
            provider_codes: 200_000,
            live_challenges: 50_000,
        }
    }
}

/// The engine. Clones share one store.
#[derive(Clone)]
pub struct MemoryTickets {
    limits: MemoryLimits,
    shared: Arc<Mutex<Held>>,
    watchers: Switchboard,
}

/// Everything behind the mutex.
#[derive(Default)]
struct Held {
    tickets: Shelf<packed::Chars, Packed>,
    /// What tickets have in common.
    shared: Shared,
    handshakes: Shelf<SecretHash, Trip>,
    provider_codes: Shelf<(ChannelId, SecretHash), ()>,
    challenges: Shelf<SecretHash, Challenge>,
}

struct Trip {
    handshake: Handshake,
    claimed: bool,
    end: Option<TripEnd>,
}

impl MemoryTickets {
    /// An empty engine.
    #[must_use]
    pub fn new(limits: MemoryLimits) -> Self {
        Self { limits, shared: Arc::default(), watchers: Switchboard::default() }
    }

    /// A poisoned lock is taken anyway: every section leaves the maps whole at each step that could panic.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryTickets {
    fn default() -> Self {
        Self::new(MemoryLimits::default())
    }
}

impl std::fmt::Debug for MemoryTickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.held();
        f.debug_struct("MemoryTickets")
            .field("tickets", &held.tickets.len())
            .field("watched", &self.watchers.len())
            .field("handshakes", &held.handshakes.len())
            .field("provider_codes", &held.provider_codes.len())
            .field("challenges", &held.challenges.len())
            .finish_non_exhaustive()
    }
}
