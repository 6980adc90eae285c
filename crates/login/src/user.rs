//! A person, as the websites know them.

use jiff::Timestamp;
use url::Url;

use crate::ids::UserId;

/// One person. Identities point here; the id is the OpenID Connect `sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Stable, never reused.
    pub id: UserId,
    /// What to call them; the nickname of the identity used last.
    pub nickname: Option<String>,
    /// Avatar address.
    pub picture: Option<Url>,
    /// First login.
    pub created_at: Timestamp,
    /// When the profile last changed (`updated_at` of OpenID Connect Core §5.1).
    pub updated_at: Timestamp,
    /// Set when an administrator switched the person off; checked at every step (SEC-40).
    pub disabled_at: Option<Timestamp>,
    /// Set while the person is merged into another: their identities lead there, and nobody signs in as them.
    pub merged_into: Option<UserId>,
}
