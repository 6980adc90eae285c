//! The whole router in process, over a fresh store, with a clock that moves when told to and the sandbox as WeChat.
//! The modules mirror the addresses of the server.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod account;
mod admission;
mod browser;
mod channel;
mod claims;
mod code;
mod consent;
mod erase;
mod events;
mod legal;
mod login;
mod oauth;
mod operations;
mod passkey;
mod password;
mod phone;
mod platform;
mod promises;
mod scan;
mod senders;
mod socket;
mod support;
mod traces;
mod web;
mod wecom;
