//! Reads what a provider answers: bounded, and as JSON or not at all.

use serde::de::DeserializeOwned;

use super::{ANSWER_LIMIT, SendError};

/// The status and the whole body.
pub(super) async fn read(
    provider: &str,
    mut answer: reqwest::Response,
) -> Result<(reqwest::StatusCode, Vec<u8>), SendError> {
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| SendError::of_http(provider, error))? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(SendError::down(provider, "its answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

/// The body as JSON of the documented form.
pub(super) async fn json<T: DeserializeOwned>(
    provider: &str,
    answer: reqwest::Response,
) -> Result<T, SendError> {
    let (status, body) = read(provider, answer).await?;
    serde_json::from_slice(&body).map_err(|_| {
        SendError::down(provider, format!("HTTP {}, and not the documented answer", status.as_u16()))
    })
}
