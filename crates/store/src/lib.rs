//! Every promise of `mashang_login::{records, credentials, consent, tickets, challenge}`, kept by every engine.
//!
//! - [`memory`]: tickets, handshakes and challenges of a single node;
//! - [`redis`]: the same for many nodes, on Redis 7 or Valkey: one server, Sentinel or a cluster;
//! - [`postgres`]: the same on PostgreSQL alone, for the small cluster that wants no second engine;
//! - [`tickets`]: which of these an address names;
//! - [`sql`]: the records, on SQLite, PostgreSQL and MySQL/MariaDB, and moving them from one to another;
//! - `conformance` (feature of that name): the suites that prove engines alike. An engine is finished when they are
//!   green.
//!
//! Engines never leak: callers hold `Arc<dyn Records>` and `Arc<dyn Tickets>` and cannot tell which one it is. This
//! crate must not know HTTP, OAuth or WeChat.

mod backoff;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod memory;
pub mod postgres;
pub mod redis;
mod signal;
pub mod sql;
pub mod tickets;
