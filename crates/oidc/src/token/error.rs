//! Why the token or revocation endpoint refuses (RFC 6749 §5.2).

use mashang_login::ids::ClientId;
use mashang_login::records::StoreError;
use serde_json::{Value, json};

use crate::keys::SignError;
use crate::params::{Duplicate, ParamsError};

/// A refusal: a registered code, a sentence for the integrator, and privately the cause.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {description}")]
pub struct TokenError {
    /// The error code.
    pub code: &'static str,
    /// A sentence for the integrator; it never repeats what was sent.
    pub description: String,
    /// The client tried the `Authorization` header: answer 401 with `WWW-Authenticate: Basic` (RFC 6749 §5.2).
    pub challenge: bool,
    /// Which client was refused, if there is one of that name: for the operator, and for counting.
    pub client: Option<Box<ClientId>>,
    #[source]
    cause: Option<Box<Cause>>,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Sign(SignError),
}

impl TokenError {
    fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), challenge: false, client: None, cause: None }
    }

    /// The HTTP status: 401 with [`TokenError::challenge`], 503 when the store did not answer, 500 when signing failed,
    /// else 400.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.cause.as_deref() {
            Some(Cause::Store(_)) => 503,
            Some(Cause::Sign(_)) => 500,
            None if self.challenge => 401,
            None => 400,
        }
    }

    /// The JSON to answer with.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({ "error": self.code, "error_description": self.description })
    }

    /// The same, of a request of this client.
    pub(crate) fn of(self, client: &ClientId) -> Self {
        Self { client: Some(Box::new(client.clone())), ..self }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_client(challenge: bool) -> Self {
        let description = "the client is unknown or did not prove itself the way it is registered";
        Self { challenge, ..Self::new("invalid_client", description) }
    }

    pub(crate) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn invalid_scope() -> Self {
        Self::new("invalid_scope", "the scope is wider than what was granted")
    }

    pub(crate) fn unauthorized_client(description: impl Into<String>) -> Self {
        Self::new("unauthorized_client", description)
    }

    pub(crate) fn unsupported_grant_type() -> Self {
        Self::new("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
    }
}

impl From<Duplicate> for TokenError {
    fn from(duplicate: Duplicate) -> Self {
        Self::invalid_request(duplicate.to_string())
    }
}

impl From<ParamsError> for TokenError {
    fn from(error: ParamsError) -> Self {
        Self::invalid_request(error.to_string())
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        let description = "the login service cannot answer now, please try again";
        Self { cause: Some(Box::new(Cause::Store(error))), ..Self::new("server_error", description) }
    }
}

impl From<SignError> for TokenError {
    fn from(error: SignError) -> Self {
        Self {
            cause: Some(Box::new(Cause::Sign(error))),
            ..Self::new("server_error", "the ID token cannot be signed")
        }
    }
}
