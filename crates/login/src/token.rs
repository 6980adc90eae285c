//! Codes and tokens as the stores keep them: hashes with their facts, never the values (SEC-73).

use jiff::Timestamp;

use crate::audit::AuditEvent;
use crate::grant::Family;
use crate::secret::SecretHash;

/// An authorization code that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRecord {
    /// Hash of the code.
    pub code: SecretHash,
    /// What it opens.
    pub family: Family,
    /// The redirect address of the request; must be presented again (RFC 6749 §4.1.3).
    pub redirect_uri: String,
    /// PKCE challenge, S256.
    pub code_challenge: Option<String>,
    /// For the ID token.
    pub nonce: Option<String>,
    /// At most 60 seconds after issue (SEC-49).
    pub expires_at: Timestamp,
    /// Set when it was exchanged.
    pub spent_at: Option<Timestamp>,
}

/// A refresh token that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRecord {
    /// Hash of the token.
    pub token: SecretHash,
    /// What it belongs to. The request's `nonce` is not kept: it is not repeated on refresh (OpenID Connect Core §12.2).
    pub family: Family,
    /// When it ends unless it is used; absolute.
    pub expires_at: Timestamp,
    /// Set when it was rotated.
    pub spent_at: Option<Timestamp>,
}

/// Hashes and lifetimes of tokens about to be issued; the caller made the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTokens {
    /// Hash of the access token.
    pub access: SecretHash,
    /// When it ends.
    pub access_expires_at: Timestamp,
    /// Hash of the refresh token, when one is granted, and when it ends.
    pub refresh: Option<(SecretHash, Timestamp)>,
    /// What the trail says of them, once they are issued (SEC-78).
    pub told: AuditEvent,
}
