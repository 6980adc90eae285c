//! The operator's own program: one JSON object by `POST`, signed, and any 2xx means that it will be sent.
//!
//! `Mashang-Signature` is `v1=` and the hexadecimal HMAC-SHA256, under the shared secret, of the `Mashang-Timestamp`
//! (Unix seconds), a full stop and the body. The program compares it, and refuses what is older than five minutes.

use async_trait::async_trait;
use serde::Serialize;
use url::Url;

use super::{Message, Receipt, SendError, SendFailure, Sender, answer, hex, hmac_sha256, http};
use crate::config::ConfigError;

const PROVIDER: &str = "the webhook";

/// Where messages are posted.
pub struct Webhook {
    url: Url,
    secret: String,
    http: reqwest::Client,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

/// What is posted.
#[derive(Serialize)]
pub(super) struct Posted<'a> {
    id: &'a str,
    kind: &'a str,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    code: &'a str,
    site: &'a str,
    minutes: u32,
    language: &'a str,
}

impl<'a> Posted<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            kind: message.to.kind(),
            to: message.to.expose(),
            subject: &message.subject,
            text: &message.text,
            code: &message.code,
            site: &message.site,
            minutes: message.minutes,
            language: message.language.code(),
        }
    }
}

impl Webhook {
    /// A program at `url` that knows `secret`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(url: Url, secret: String) -> Result<Self, ConfigError> {
        let http = http().map_err(|error| ConfigError::Malformed(error.to_string()))?;
        Ok(Self { url, secret, http })
    }
}

#[async_trait]
impl Sender for Webhook {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let body = serde_json::to_vec(&Posted::of(message)).expect("texts and a number are JSON");
        let timestamp = message.at.as_second().to_string();
        let signed = [timestamp.as_bytes(), b".", &body].concat();
        let signature = format!("v1={}", hex(&hmac_sha256(self.secret.as_bytes(), &signed)));
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("mashang-timestamp", timestamp)
            .header("mashang-signature", signature)
            .body(body);
        let answered = request.send().await.map_err(|error| SendError::of_http(PROVIDER, error))?;
        let (status, _) = answer::read(PROVIDER, answered).await?;
        if status.is_success() {
            return Ok(Receipt { id: None });
        }
        let failure = match status.as_u16() {
            422 => SendFailure::Recipient,
            429 => SendFailure::Often,
            400..=499 => SendFailure::Setup,
            _ => SendFailure::Down,
        };
        let log = format!(
            "{PROVIDER} answered HTTP {}; it must answer 2xx to what it will send / 该地址应以 2xx 应答",
            status.as_u16()
        );
        Err(SendError { failure, code: None, log })
    }
}
