//! What a login *is*: the records, the rules and the promises, without any input or output.
//!
//! Start at [`ticket`]: one attempt to log in by scanning, as data that moves through named stages. Around it:
//!
//! - [`grant`]: the website's question ("who is this?") that a ticket answers;
//! - [`identity`] and [`user`]: what a channel proved, and the person it belongs to;
//! - [`accounts`]: several identities of one person, linked, unlinked, merged and unmerged;
//! - [`erasure`]: a person deleted for good;
//! - [`credentials`]: passwords and passkeys, kept here with the person; [`challenge`]: codes and ceremonies under way;
//! - [`client`], [`session`], [`token`]: the OAuth nouns; [`consent`]: what a person agreed to tell a website;
//! - [`handshake`]: one trip to a platform and back, bound to the device that set out;
//! - [`records`] and [`tickets`]: the traits every storage engine keeps, with their promises written on them;
//! - [`audit`]: what happened; [`trail`]: that nobody changes it unseen, and how long it is kept;
//! - [`counters`]: what nodes count together;
//! - [`platform_token`]: what platforms give to apps, shared by all nodes;
//! - [`ambient`]: the clock and the source of randomness, handed in so that expiry can be tested;
//! - [`secret`]: typed bearer values which are stored only as hashes; [`seal`]: encryption at rest.
//!
//! This crate must not know tokio, axum, SQL, Redis or any HTTP client (`cargo xtask guard` checks).

pub mod accounts;
pub mod ambient;
pub mod audit;
pub mod challenge;
pub mod client;
pub mod consent;
pub mod counters;
pub mod credentials;
pub mod erasure;
pub mod grant;
pub mod handshake;
pub mod identity;
pub mod ids;
pub mod key;
pub mod platform_token;
pub mod records;
pub mod seal;
pub mod secret;
pub mod session;
pub mod ticket;
pub mod tickets;
pub mod token;
pub mod trail;
pub mod user;

pub use ambient::{Clock, Entropy};
pub use jiff::Timestamp;
