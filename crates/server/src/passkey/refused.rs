//! Why a key does not count, as the page's script is told: by a word for which the page has a sentence.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// Why a key does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The question is over, was answered before, or was another device's: one answer for all (SEC-14).
    Late,
    /// No key that is known here, or one that was removed.
    Unknown,
    /// The answer is not what such a key says at this site; which part, for the log.
    NotProven(&'static str),
    /// The key was not unlocked by finger, face or PIN.
    NotUnlocked,
    /// Its counter went back: there may be two of it.
    Cloned,
    /// It would have to be asked for by name, which nobody types here.
    NotDiscoverable,
    /// It is somebody's already.
    Taken,
}

impl Refused {
    /// The word in answers and locale keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::NotProven(_) => "not_proven",
            Self::NotUnlocked => "not_unlocked",
            Self::Cloned => "cloned",
            Self::NotDiscoverable => "not_discoverable",
            Self::Taken => "taken",
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Late => StatusCode::GONE,
            Self::Taken => StatusCode::CONFLICT,
            _ => StatusCode::FORBIDDEN,
        };
        (status, Json(json!({ "error": self.as_str() }))).into_response()
    }
}
