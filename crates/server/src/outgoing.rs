//! Calls to addresses that the operator wrote into the configuration: to those and nowhere else (SEC-70).

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

/// How long a connection may rest: less than the other side waits, which else may give it up under a call.
pub const RESTS: Duration = Duration::from_secs(5);

/// A client that calls an address directly and once: without a proxy that the environment names, without following
/// redirects, without a second try, and without saying where it comes from. It gives up on a connection after `connect`, and
/// on all of a call after `whole`. A connection that rested is let go ([`RESTS`]).
pub fn direct(connect: Duration, whole: Duration) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .pool_idle_timeout(RESTS)
        .timeout(whole)
        .referer(false)
        .no_proxy()
}

/// The body of an answer; `None` if it is longer than `limit` bytes, which are read and no more.
///
/// # Errors
/// What kept the rest from arriving.
pub async fn body(mut answer: Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// An error with what caused it, as one line.
pub fn causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}
