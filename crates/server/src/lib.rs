//! The server: the only place with a socket.
//!
//! Read [`routes`] first: it is the table of every address. A login then goes through [`oauth::authorize`] (a website
//! asks), [`flow`] (what happens next), [`login`] (the waiting browser), [`scan`] (the phone), [`channel`] (the
//! platforms) and back through [`flow`] to the website. [`web`] holds what all pages share, [`config`] and [`state`]
//! what is set up once, [`open`] puts it together and [`serve`] listens. [`metrics`], [`log`], [`traces`] and [`operations`] are for
//! whoever runs it.
//!
//! This crate must not know SQL or Redis: it speaks to stores through the traits of `mashang_login`.

pub mod account;
pub mod audit;
pub mod background;
mod body;
pub mod brand;
pub mod browser;
pub mod channel;
pub mod clock_skew;
pub mod config;
pub mod consent;
mod csrf;
pub mod doctor;
pub mod finish;
pub mod flow;
pub mod front;
pub mod health;
mod index;
pub mod log;
pub mod login;
pub mod message;
pub mod metrics;
mod named_person;
pub mod oauth;
pub mod open;
pub mod operations;
mod outgoing;
pub mod passkey;
mod pause;
pub mod phone;
pub mod platform;
pub mod routes;
pub mod scan;
pub mod serve;
pub mod state;
pub mod traces;
pub mod urls;
mod verification;
pub mod web;
