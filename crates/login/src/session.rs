//! A signed-in browser.

use jiff::Timestamp;

use crate::identity::IdentityKey;
use crate::ids::{SessionId, UserId};
use crate::secret::SecretHash;

/// One browser in which a person is signed in at Mashang, so that the next website needs no scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session in tokens (`sid`) and to its person; not a secret.
    pub id: SessionId,
    /// Hash of the cookie's value (SEC-73).
    pub secret: SecretHash,
    /// Who.
    pub user: UserId,
    /// The identity that was proven.
    pub identity: IdentityKey,
    /// `amr` (RFC 8176 shape): the channel kind.
    pub amr: String,
    /// When the person last approved on the phone (`auth_time`).
    pub auth_time: Timestamp,
    /// Absolute end.
    pub expires_at: Timestamp,
    /// Browser and system, such as `Chrome · macOS`.
    pub device: String,
    /// The address it began from.
    pub address: String,
    /// When the person last approved for their own page. Approving a login to a website, which somebody may have talked them
    /// into, does not allow to change how they sign in (SEC-38).
    pub confirmed_at: Option<Timestamp>,
}

impl Session {
    /// Whether it is live at `now`. Expiry is a question, not a job (promise 4).
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}
