//! Reads what a provider answers: bounded, and as JSON or not at all.

use serde::de::DeserializeOwned;

use super::{ANSWER_LIMIT, SendError};
use crate::outgoing;

/// The status and the whole body.
pub(super) async fn read(
    provider: &str,
    answer: reqwest::Response,
) -> Result<(reqwest::StatusCode, Vec<u8>), SendError> {
    let status = answer.status();
    let body = outgoing::body(answer, ANSWER_LIMIT).await;
    let body = body.map_err(|error| SendError::of_http(provider, error))?;
    Ok((status, body.ok_or_else(|| SendError::down(provider, "its answer is too long"))?))
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
