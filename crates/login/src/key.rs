//! Signing keys as they are stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::KeyId;

/// JWS algorithms we sign with (RFC 7518 §3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits. What OpenID Connect clients expect by default.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The JOSE name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads [`SigningAlgorithm::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == text)
    }
}

/// A key pair at rest: the private part is sealed (SEC-60, SEC-75) and never leaves the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid`: the RFC 7638 thumbprint.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private key, sealed by [`crate::seal::Sealer`] for its [place](Self::place).
    pub sealed_private: Vec<u8>,
    /// The public JWK as JSON text (RFC 7517).
    pub public_jwk: String,
    /// Made.
    pub created_at: Timestamp,
    /// From when on it signs: a new key is published some time before, so that caches know it.
    pub signs_from: Timestamp,
    /// Until when it stays in the JWKS, so that tokens signed with it still verify. `None` while it is current.
    pub published_until: Option<Timestamp>,
}

impl SigningKey {
    /// [`published_until`](Self::published_until) of a key that others may hold: it was never any good.
    pub const LEAKED: Timestamp = Timestamp::UNIX_EPOCH;

    /// Where a private key is sealed for, see [`crate::seal::Sealer`]: one that is moved to another row does not open.
    #[must_use]
    pub fn place(id: &KeyId) -> String {
        format!("signing_keys/{id}/private")
    }
}
