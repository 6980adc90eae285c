//! The provider as a website meets it: requests in, answers out, over records that keep state.

#![expect(clippy::unwrap_used, reason = "in a test, the panic is the failure report")]

mod access_jwt;
mod admission;
mod authorize;
mod claims;
mod discovery;
mod fake;
mod house;
mod keys;
mod logout;
mod refresh;
mod revoke;
mod scopes;
mod strict_client;
mod token;
mod userinfo;
