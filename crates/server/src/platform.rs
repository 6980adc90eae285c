//! Calls that an app of ours makes at its platform in its own name: with the app's token, and through a breaker.
//!
//! - [`Source`]: one app at one platform, where its token comes from, and its breaker;
//! - [`Tokens::with`]: makes a call with the app's token, fetched once for all nodes and replaced once when the platform
//!   no longer takes it (SEC-44);
//! - [`Breaker`]: stops calling a platform that does not answer, so that a login there fails at once and the others do
//!   not notice (SEC-85);
//! - [`hub`]: gives the token to the operator's other systems; [`theirs`]: takes it from them instead.
//!
//! ```ignore
//! let qr = app.tokens.with(&self.source, async |token| client.create_login_qr(&token, scene, 300).await).await?;
//! let proof = self.source.breaker().run(&*app.clock, client.exchange_code(&appid, &secret, code)).await?;
//! ```
//!
//! This module must not know what a login is: it speaks of apps, not of people.

pub mod breaker;
pub(crate) mod calls;
pub mod config;
pub mod failure;
mod fetch;
pub mod hub;
pub mod source;
pub mod theirs;
pub mod tokens;

pub use breaker::Breaker;
pub use failure::Failure;
pub use source::{Source, Supply};
pub use tokens::Tokens;

#[cfg(test)]
mod tests;
