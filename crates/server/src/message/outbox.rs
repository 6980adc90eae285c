//! The sandbox's outbox: nothing leaves this machine, and everybody reads everybody's codes on its page.

use async_trait::async_trait;
use url::Url;

use super::webhook::Posted;
use super::{Message, Receipt, SendError, Sender, answer, http};
use crate::config::ConfigError;

const PROVIDER: &str = "the sandbox";

/// Posts to the sandbox.
#[derive(Debug)]
pub struct Outbox {
    url: Url,
    http: reqwest::Client,
}

impl Outbox {
    /// Of the sandbox at `base`.
    ///
    /// # Errors
    /// When the address or the HTTP client cannot be set up.
    pub fn new(base: &Url) -> Result<Self, ConfigError> {
        let wrong = |error: &dyn std::error::Error| ConfigError::Malformed(error.to_string());
        Ok(Self {
            url: base.join("outbox").map_err(|error| wrong(&error))?,
            http: http().map_err(|error| wrong(&error))?,
        })
    }
}

#[async_trait]
impl Sender for Outbox {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let posted = self.http.post(self.url.clone()).json(&Posted::of(message)).send().await;
        let (status, body) =
            answer::read(PROVIDER, posted.map_err(|error| SendError::of_http(PROVIDER, error))?).await?;
        if status.is_success() {
            return Ok(Receipt { id: None });
        }
        // Scripts make it answer with a provider's code, to see what is then said.
        let refusal: Option<Refusal> = serde_json::from_slice(&body).ok();
        Err(match refusal {
            Some(refusal) => SendError::refused(PROVIDER, &refusal.error, &refusal.message),
            None => SendError::down(PROVIDER, format!("HTTP {}", status.as_u16())),
        })
    }
}

#[derive(serde::Deserialize)]
struct Refusal {
    error: String,
    message: String,
}
