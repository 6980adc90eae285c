//! The sandbox, driven through its router as browsers, phones, servers and scripts drive it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bench;
mod events;
mod faults;
mod hosts;
mod mini;
mod official;
mod open;
mod outbox;
mod phone;
mod script_api;
mod sns;
mod tokens;
mod wecom;
