//! The tables as SeaORM sees them: rows only. What a row means is decided in the file of its noun, one level up.
//!
//! The migrations are the truth about columns; a test reads and writes every table, so the two cannot drift apart.

#![expect(unreachable_pub, reason = "SeaORM's derives make public items; the module itself is private")]

pub mod access_tokens;
pub mod audit_checkpoints;
pub mod audit_events;
pub mod audit_trimmed;
pub mod bytes;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod families;
pub mod grants;
pub mod heartbeat;
pub mod identities;
pub mod master_key_check;
pub mod merged_identities;
pub mod merges;
pub mod passkeys;
pub mod passwords;
pub mod platform_tokens;
pub mod refresh_tokens;
pub mod sandbox_use;
pub mod sessions;
pub mod signing_keys;
pub mod stale_proofs;
pub mod unlinked_identities;
pub mod users;
