//! The OpenID Connect provider as functions over records: what may be asked, what is answered, and who is refused.
//!
//! One login in order:
//!
//! 1. [`params`] reads the query or form; [`authorize::prove`] finds who asks and where we may answer; until it
//!    succeeds no redirect happens (SEC-46). [`authorize::check`] turns the rest into an `AuthorizationRequest`, and
//!    [`authorize::decide`] says whether a session may answer it or a person must scan.
//! 2. [`answer::fulfil`] turns a login into a code and the address that carries it back.
//! 3. [`token::token`] exchanges the code, [`userinfo`] tells about the person, by [`claims`], [`revoke`] takes tokens
//!    back, [`logout`] ends the session.
//!
//! [`keys`] holds the signing keys and [`discovery`] describes all of it. Everything that is asked again and again
//! (records, keys, clock, entropy, issuer, lifetimes) is gathered in [`Provider`].
//!
//! This crate must not know axum, SQL or any HTTP client: a function takes strings and records and returns values; the
//! server turns them into responses.

pub mod admission;
pub mod answer;
pub mod authorize;
pub mod claims;
pub mod discovery;
mod issuer;
pub mod keys;
pub mod logout;
pub mod params;
mod pkce;
mod provider;
pub mod revoke;
pub mod token;
pub mod userinfo;

pub use issuer::{Issuer, IssuerError};
pub use provider::Provider;
