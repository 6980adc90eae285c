//! The userinfo endpoint (OpenID Connect Core §5.3): what a live access token may learn about its person.

use mashang_login::grant::Scope;
use mashang_login::records::{Bearer, StoreError};
use serde_json::{Value, json};

use crate::admission;
use crate::claims::{self, Person};
use crate::params::Params;
use crate::provider::Provider;
use crate::token::presented_access;

/// Why a protected resource refuses (RFC 6750 §3.1).
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// No access token at all: ask for one, without an error code.
    #[error("an access token is needed")]
    Missing,
    /// Sent twice, or in a way that cannot be read.
    #[error("the access token must be sent once, in the Authorization header or in the form")]
    InvalidRequest,
    /// Unknown, expired, revoked, or of another kind (SEC-61); or its person or client is switched off, or the client does not admit the person any more.
    #[error("the access token is unknown, expired or revoked")]
    InvalidToken,
    /// It was not granted for this.
    #[error("the access token was not granted the scope openid")]
    InsufficientScope,
    /// The store did not answer.
    #[error("the store did not answer")]
    Unavailable(#[from] StoreError),
}

impl BearerError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Missing | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::Unavailable(_) => 503,
        }
    }

    /// The RFC 6750 §3.1 error code; `None` where none is to be sent.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Unavailable(_) => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750 §3); `None` with 503.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match (self, self.code()) {
            (Self::Unavailable(_), _) => None,
            (_, None) => Some("Bearer".to_owned()),
            (_, Some(code)) => Some(format!(r#"Bearer error="{code}", error_description="{self}""#)),
        }
    }
}

/// Finds the access token in the `Authorization` header or in a form body (RFC 6750 §2.1, §2.2); never in the query,
/// where it would reach logs.
///
/// # Errors
/// [`BearerError::Missing`] if there is none, [`BearerError::InvalidRequest`] if there are two.
pub fn bearer_token<'a>(
    authorization: Option<&'a str>,
    form: Option<&'a Params>,
) -> Result<&'a str, BearerError> {
    let in_header = authorization.and_then(|header| {
        let (scheme, token) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let in_form = match form.map(|form| form.one("access_token")) {
        None => None,
        Some(Ok(token)) => token,
        Some(Err(_)) => return Err(BearerError::InvalidRequest),
    };
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(BearerError::InvalidRequest),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(BearerError::Missing),
    }
}

/// Answers a userinfo request; to be sent with `Cache-Control: no-store`.
///
/// # Errors
/// [`BearerError`].
pub async fn userinfo(provider: &Provider, bearer: &str) -> Result<Value, BearerError> {
    let token = presented_access(bearer).ok_or(BearerError::InvalidToken)?;
    let now = provider.clock.now();
    let Bearer { family, user, client } =
        provider.records.bearer(&token, now).await?.ok_or(BearerError::InvalidToken)?;
    if !family.scope.contains(Scope::Openid) {
        return Err(BearerError::InsufficientScope);
    }
    let person = Person::load(provider, user, &family.identity).await?;
    if !admission::of_its_groups(provider, &client, &person) {
        return Err(BearerError::InvalidToken);
    }
    let mut claims = claims::told(&provider.claims, &client, &family.scope, &person, now);
    claims.insert("sub".into(), json!(family.user));
    Ok(Value::Object(claims))
}
