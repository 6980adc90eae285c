//! Tickets, handshakes and challenges that nodes share, on Redis 7 or Valkey: one server, a master with Sentinels, or a
//! cluster.
//!
//! # How
//! A ticket is one string ([`entry`]); a transition is one Lua script on that one key ([`scripts`]), which compares the
//! version, writes, sets the time to live and publishes the scan code. Redis runs scripts one at a time, so of any number
//! of transitions from one version one wins. Every node listens to the same 64 channels ([`link`]) and rings the bell of
//! whoever waits for that ticket at this node. A ticket's key and its channel share a hash tag, so that in a cluster the
//! script stays in one slot and publishes by `SPUBLISH`, which only the servers of that slot carry; elsewhere `PUBLISH`
//! does the same.
//!
//! # What a transition costs as nodes are added
//! Every node hears of every transition and ignores those that nobody here waits for: one message of 78 bytes more per
//! node, and one look into a map. Measured by `examples/wakeups` in a debug build, Redis 7.0 on the same two busy cores:
//! 82, 160 and 316 bytes sent per transition to 1, 2 and 4 nodes; woken on another node after 132, 164 and 258 µs (median,
//! the transition's own way to Redis included). At a thousand transitions a second and four nodes that is 0.3 MB/s, so
//! channels are not subscribed by need: with thousands of waiting browsers every node would need all 64 anyway, and a
//! subscription made only when somebody waits would be one more thing to race with.
//!
//! # What is lost, and what that allows
//! Notifications may be lost; watchers read again every [`POLL`], and at once when the connection was made anew (promise
//! 7). Redis may lose **everything** (`FLUSHALL`, a restart without persistence): open scans are over, their pages draw a
//! fresh QR, and nobody is let in, as an absent ticket, handshake or challenge answers nothing.
//!
//! A replica that is promoted before it heard the last writes, or a restart with persistence once a second, takes
//! **single entries back** to an earlier state:
//!
//! - *Redeemed → Approved:* the browser that holds the secret may redeem again. The grant is answered in SQL, once, in
//!   the same transaction that makes the session and the code; the second answer is refused there. Where the person is asked for
//!   consent in between, the same browser may begin its own session once more.
//! - *Approved → Scanned, Scanned → Waiting:* the person is asked again. Nothing was let in that was not approved.
//! - *Denied → Scanned:* the refusal is forgotten, which leaves a question that nobody has answered. After a wrong number
//!   it is one more guess for the phone that scanned, within the ticket's life.
//! - *Expired (refreshed, cancelled) → Waiting:* an old QR can be scanned again. It logs in the same browser, by its own
//!   secret, and its person approves on a page that names the device.
//! - *A handshake claimed → unclaimed, a provider's code spent → unspent:* the second visit exchanges the code again,
//!   which the platform refuses, as its codes are for one use (WeChat: 40163). The visit needs the device's cookie.
//! - *Attempts of a challenge, a challenge that was taken:* as many guesses more as were lost, by the device that asked,
//!   within minutes. An attacker would need a failover for every few guesses at a million codes.
//!
//! `min-replicas-to-write 1` keeps a master that lost its replicas from taking writes that will be forgotten;
//! docs/operating.md recommends it. Evicting entries to make room would be such a loss at any moment: `maxmemory-policy
//! noeviction`.
//!
//! # Times
//! Redis forgets an entry 30 s after its end, so that nodes whose clocks differ agree; whether it has ended is
//! decided by the `now` of whoever asks (promise 4), in the scripts and after reading.
//!
//! # Ceilings
//! Live entries are counted by the second in which they end ([`scripts`], `room.lua`): exact on one server, but for
//! entries whose end was moved. A cluster counts tickets in another slot than they lie in, after writing; the ceiling
//! holds there too. Handshakes, provider codes and challenges lie in one slot per kind.

mod address;
mod challenges;
mod counters;
mod entry;
mod handshakes;
mod keys;
mod link;
mod reads;
mod scripts;
mod tickets;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use mashang_login::{Entropy, Timestamp};
use redis::Value;

pub use address::{AddressError, AuthorityError, RedisAddress};
use keys::Keys;
use link::{Fault, Link, Listener};
use reads::Reads;

use crate::memory::MemoryLimits;
use crate::signal::Switchboard;

/// How often a watcher reads without having heard anything, give or take a quarter: what a lost notification costs. Fifty
/// thousand waiting browsers ask Redis 3,300 times a second by it.
pub const POLL: Duration = Duration::from_secs(15);

/// How the engine behaves.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// How much may be held at once, by all nodes together.
    pub limits: MemoryLimits,
    /// What all keys and channels begin with. Default `mashang:`.
    pub prefix: String,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { limits: MemoryLimits::default(), prefix: "mashang:".into() }
    }
}

/// Redis does not answer, refuses the password, or is older than version 6.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {address}{}", self.question())]
pub struct RedisOpenError {
    /// Where, without the password.
    pub address: String,
    is_tls: bool,
    /// What happened.
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RedisOpenError {
    /// Whether somebody is there who does not prove to be Redis.
    #[must_use]
    pub fn is_about_its_certificate(&self) -> bool {
        matches!(self.source.downcast_ref(), Some(Fault::Certificate { .. }))
    }

    /// A Redis without TLS waits for the end of what it takes for a command, and so looks as if it were slow.
    fn question(&self) -> &'static str {
        if self.is_tls && !self.is_about_its_certificate() { " (is TLS spoken at that port?)" } else { "" }
    }
}

/// The engine. Clones share one connection.
#[derive(Clone)]
pub struct RedisTickets {
    link: Link,
    reads: Reads,
    keys: Keys,
    limits: MemoryLimits,
    watchers: Switchboard,
    marks: Arc<Marks>,
}

impl RedisTickets {
    /// Connects, within about three seconds. Must be called inside a tokio
    /// runtime, which then carries the connection.
    ///
    /// # Errors
    /// [`RedisOpenError`]. Once open, the engine outlives any number of interruptions.
    pub async fn connect(
        address: RedisAddress,
        options: RedisOptions,
        entropy: &dyn Entropy,
    ) -> Result<Self, RedisOpenError> {
        let (shown, is_tls) = (address.to_string(), address.is_tls());
        let keys = Keys::new(options.prefix);
        let watchers = Switchboard::default();
        let link = Link::open(address, keys.channels(), watchers.clone())
            .await
            .map_err(|fault| RedisOpenError { address: shown, is_tls, source: Box::new(fault) })?;
        let reads = Reads::new(&link);
        Ok(Self { link, reads, keys, limits: options.limits, watchers, marks: Arc::new(Marks::new(entropy)) })
    }

    /// Names one attempt to write, unlike any other of any node.
    fn mark(&self) -> String {
        self.marks.next()
    }

    /// What scripts are told of an entry: now, its end, how long Redis keeps it, how many there may be.
    fn facts(&self, ends: Timestamp, now: Timestamp, ceiling: usize) -> [String; 4] {
        [
            entry::millis(now).to_string(),
            entry::millis(ends).to_string(),
            entry::time_to_live(ends, now).to_string(),
            ceiling.to_string(),
        ]
    }
}

impl std::fmt::Debug for RedisTickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisTickets")
            .field("address", &self.link.address())
            .field("watched", &self.watchers.len())
            .finish_non_exhaustive()
    }
}

impl Listener for Switchboard {
    fn hear(&self, payload: &[u8]) {
        if let Some(code) = std::str::from_utf8(payload).ok().and_then(|text| ScanCode::parse(text).ok()) {
            self.ring(&code);
        }
    }

    fn missed(&self) {
        self.ring_all();
    }
}

/// Names of attempts: four random bytes of this node, then a count.
struct Marks {
    node: u32,
    count: AtomicU32,
}

impl Marks {
    fn new(entropy: &dyn Entropy) -> Self {
        let mut node = [0; 4];
        entropy.fill(&mut node);
        Self { node: u32::from_ne_bytes(node), count: AtomicU32::new(0) }
    }

    fn next(&self) -> String {
        format!("{:08x}{:08x}", self.node, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

fn store_error(fault: Fault) -> StoreError {
    match fault {
        // `maxmemory` is reached, and nothing may be evicted.
        Fault::Redis(error) if error.code() == Some("OOM") => StoreError::Overloaded,
        fault => StoreError::Unavailable(Box::new(fault)),
    }
}

fn corrupt(table: &'static str, key: &str, what: String) -> StoreError {
    StoreError::Corrupt { table, key: key.to_owned(), what }
}

/// The answer of a script that answers with a number.
fn number(answer: Result<Value, Fault>) -> Result<i64, StoreError> {
    match answer.map_err(store_error)? {
        Value::Int(number) => Ok(number),
        other => {
            Err(corrupt("scripts", "", format!("answered otherwise than with a number: {:?}", kind(&other))))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Array(_) => "a list",
        Value::BulkString(_) | Value::SimpleString(_) => "text",
        _ => "something else",
    }
}
