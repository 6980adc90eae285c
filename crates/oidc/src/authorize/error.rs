//! Why an authorization request is refused: to the person here, or to the client over its proven address.

use mashang_login::client::mismatch::Mismatch;
use mashang_login::records::StoreError;

use crate::params::{Duplicate, ParamsError};

/// A request whose origin or return address is not proven: shown here, never redirected (SEC-46).
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No `client_id`.
    #[error("the parameter client_id is missing")]
    ClientIdMissing,
    /// No client of that id.
    #[error("no application with this client_id is registered")]
    UnknownClient,
    /// The client is switched off (SEC-40).
    #[error("this application is switched off")]
    ClientDisabled,
    /// OpenID Connect requires the address in every request (Core §3.1.2.1).
    #[error("the parameter redirect_uri is missing; OpenID Connect requires it in every request")]
    RedirectUriMissing,
    /// Not registered for this client, character by character (SEC-45).
    #[error(
        "the redirect_uri is not registered for this application; it must be the same character by character"
    )]
    RedirectUriMismatch(Mismatch),
    /// A message goes to a page, and an app's own scheme has none.
    #[error("response_mode=web_message needs a redirect_uri of a web page")]
    NoWebPage,
    /// Sent more than once, so that we cannot know which one is meant.
    #[error(transparent)]
    Duplicate(#[from] Duplicate),
    /// The query or form cannot be read.
    #[error(transparent)]
    Malformed(#[from] ParamsError),
    /// We cannot look it up now.
    #[error("the store did not answer")]
    StoreUnavailable(#[from] StoreError),
}

impl LocalError {
    /// The RFC 6749 §4.1.2.1 error code, to show beside the sentence.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClientDisabled => "unauthorized_client",
            Self::StoreUnavailable(_) => "temporarily_unavailable",
            _ => "invalid_request",
        }
    }

    /// The HTTP status of the page: 400, or 503 when the store did not answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        if matches!(self, Self::StoreUnavailable(_)) { 503 } else { 400 }
    }
}

/// A request that is refused to the client (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct AuthorizeError {
    /// The registered error code.
    pub code: &'static str,
    /// A sentence for the integrator. It never repeats what was sent.
    pub description: String,
}

impl AuthorizeError {
    /// An error of `code` with a sentence in plain ASCII without `"` and `\` (RFC 6749 appendix A.8).
    #[must_use]
    pub fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// The person refused.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::new("access_denied", "the person cancelled the login")
    }

    /// The person is in none of the groups that the client requires.
    #[must_use]
    pub fn not_admitted() -> Self {
        Self::new("access_denied", "this person may not sign in to this application")
    }

    /// `prompt=none`, but only a person can answer.
    #[must_use]
    pub fn login_required() -> Self {
        Self::new("login_required", "nobody is signed in who could answer without a page")
    }

    /// `prompt=none`, but the person must be asked first.
    #[must_use]
    pub fn consent_required() -> Self {
        Self::new("consent_required", "the person has not agreed to what is asked yet")
    }

    /// We cannot answer now; trying again may help.
    #[must_use]
    pub fn temporarily_unavailable() -> Self {
        Self::new("temporarily_unavailable", "the login service cannot answer now, please try again")
    }

    pub(crate) fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl From<Duplicate> for AuthorizeError {
    fn from(duplicate: Duplicate) -> Self {
        Self::invalid(duplicate.to_string())
    }
}
