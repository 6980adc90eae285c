//! Hands an account's other events to the handler that the operator already has.
//!
//! The body and the query go on unchanged, so the handler checks the platform's signature and decrypts as it always did;
//! what it answers goes back unchanged, within the platform's five seconds.

use std::time::Duration;

use axum::body::Bytes;
use http::header;
use mashang_login::ids::ChannelId;
use url::Url;

use super::events::EventAnswer;
use crate::outgoing::{self, causes};

/// What the handler has, so that the whole stays below the platform's five seconds.
const PATIENCE: Duration = Duration::from_millis(4000);
/// Longest answer passed back.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The operator's own handler.
#[derive(Debug)]
pub struct Relay {
    url: Url,
    http: reqwest::Client,
}

impl Relay {
    /// A handler at `url`; only this address is ever called, directly and without following redirects (SEC-70).
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let http = outgoing::direct(Duration::from_secs(2), PATIENCE).build()?;
        Ok(Self { url, http })
    }

    /// Forwards one delivery, with the query as it came, and gives back the handler's answer. A handler that was reached and
    /// answered badly or too late is answered for by `success`, so that the person is not told that the account is out of
    /// order. `None` when it was not reached: the platform shall deliver again.
    pub async fn forward(&self, channel: &ChannelId, query: &str, body: Bytes) -> Option<EventAnswer> {
        match self.ask(query, body).await {
            Ok(answer) => Some(answer),
            Err(NoAnswer { why, was_reached }) => {
                tracing::warn!(channel.id = %channel, "the relay of {channel} did not answer an event: {why}; check {} / 转发目标没有应答，请检查该地址", self.address());
                was_reached.then(EventAnswer::nothing)
            }
        }
    }

    async fn ask(&self, query: &str, body: Bytes) -> Result<EventAnswer, NoAnswer> {
        let told = |error: reqwest::Error| NoAnswer {
            was_reached: !error.is_connect(),
            why: causes(&error.without_url()),
        };
        let answer = self
            .http
            .post(self.with_query(query))
            .header(header::CONTENT_TYPE, "text/xml; charset=utf-8")
            .body(body)
            .send()
            .await
            .map_err(told)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(NoAnswer::after(format!("HTTP {}", answer.status().as_u16())));
        }
        let Some(read) = outgoing::body(answer, ANSWER_LIMIT).await.map_err(told)? else {
            return Err(NoAnswer::after(format!("its answer exceeds {ANSWER_LIMIT} bytes")));
        };
        Ok(if read.first() == Some(&b'<') { EventAnswer::xml(read) } else { EventAnswer::plain(read) })
    }

    /// The operator's address with the platform's query behind its own.
    fn with_query(&self, query: &str) -> Url {
        let mut url = self.url.clone();
        let whole = match self.url.query().filter(|own| !own.is_empty()) {
            Some(own) => format!("{own}&{query}"),
            None => query.to_owned(),
        };
        url.set_query(Some(&whole));
        url
    }

    /// For logs: without a query, which may hold a key of the operator's.
    fn address(&self) -> Url {
        let mut url = self.url.clone();
        url.set_query(None);
        let _ = url.set_password(None);
        url
    }
}

/// Why the handler's answer cannot be passed back.
struct NoAnswer {
    why: String,
    /// Whether it may have heard of the event.
    was_reached: bool,
}

impl NoAnswer {
    fn after(why: String) -> Self {
        Self { why, was_reached: true }
    }
}
