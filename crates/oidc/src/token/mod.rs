//! The token endpoint (RFC 6749 §3.2): who is the client (`authenticate`), what does it hold (`code`, `refresh`),
//! and what does it get (`issue`, `access`). A code or refresh token is spent in the store *before* anything is handed
//! out, so of two requests at the same moment exactly one gets tokens, and the other revokes the family (SEC-49, SEC-50).

mod access;
mod authenticate;
mod code;
mod error;
mod issue;
mod refresh;

use std::fmt;
use std::time::Duration;

use mashang_login::audit::AuditEvent;
use mashang_login::ids::{ClientId, UserId};
use serde::Serialize;

pub(crate) use access::presented;
pub use access::presented_access;
pub(crate) use authenticate::authenticate;
pub use error::TokenError;

use crate::params::Params;
use crate::provider::Provider;

/// Every parameter the token and revocation endpoints know: none may be sent twice (RFC 6749 §3.2).
pub(crate) const KNOWN: [&str; 10] = [
    "client_id",
    "client_secret",
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
];

/// How long what we issue lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPolicy {
    /// An access token.
    pub access_token: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// A refresh token that nobody uses.
    pub refresh_idle: Duration,
    /// Everything from one login, however often refreshed.
    pub family: Duration,
    /// An authorization code; at most 60 seconds (SEC-49).
    pub code: Duration,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Self {
            access_token: Duration::from_secs(10 * 60),
            id_token: Duration::from_secs(10 * 60),
            refresh_idle: days(30),
            family: days(90),
            code: Duration::from_secs(60),
        }
    }
}

/// A request to the token or revocation endpoint.
#[derive(Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The `Authorization` header's value, as received.
    pub authorization: Option<&'a str>,
    /// The form.
    pub params: &'a Params,
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("params", self.params).finish_non_exhaustive()
    }
}

/// A successful answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3); to be sent with `Cache-Control: no-store`.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// Opens the userinfo endpoint.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Life of the access token in seconds.
    pub expires_in: u64,
    /// The next refresh token; the one that was sent is spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What was granted.
    pub scope: String,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// What happened at a request. What was issued stands in the audit trail already; what came back does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A code became tokens.
    Issued,
    /// A refresh token was rotated.
    Refreshed,
    /// A spent code or refresh token came back, and its family was revoked.
    Replayed {
        /// For whom.
        client: ClientId,
        /// About whom.
        user: UserId,
    },
}

/// The result of a grant type: the answer, and what happened.
type Outcome = (Result<TokenResponse, TokenError>, Option<Happened>);

/// Answers a token request. `from` says where it comes from, as the trail tells it; what it is about is filled in.
pub async fn token(provider: &Provider, request: TokenRequest<'_>, from: &AuditEvent) -> Outcome {
    let client = match authenticate(&*provider.records, request).await {
        Ok(client) => client,
        Err(error) => return (Err(error), None),
    };
    let (result, happened) = match request.params.get("grant_type") {
        Some("authorization_code") => code::exchange(provider, &client, request.params, from).await,
        Some("refresh_token") => refresh::refresh(provider, &client, request.params, from).await,
        Some(_) => (Err(TokenError::unsupported_grant_type()), None),
        None => (Err(TokenError::invalid_request("the parameter grant_type is missing")), None),
    };
    (result.map_err(|error| error.of(&client.id)), happened)
}
