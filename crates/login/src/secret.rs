//! Bearer values: random, typed by a prefix, shown once, stored only as a hash (SEC-01, SEC-61, SEC-73).
//!
//! Each kind is its own type, so a scan code cannot act as a code and a refresh token cannot act as an access
//! token; the prefix makes the same true for strings that arrive from outside. `Debug` never shows the value.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::Entropy;

/// SHA-256 of a bearer value: what is stored instead of it. Comparison takes constant time (SEC-80).
#[derive(Clone, Copy, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Hashes a value as it was presented, prefix included.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// A digest made elsewhere in this crate.
    pub(crate) fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 43 characters of base64url under which stores keep it.
    #[must_use]
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`SecretHash::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut digest = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut digest).ok()?;
        digest[..length].try_into().ok().map(Self)
    }

    /// The first 8 hexadecimal digits: enough to follow one value through a log, useless to an attacker (SEC-77).
    #[must_use]
    pub fn short(&self) -> String {
        self.0[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// As [`SecretHash::to_text`].
impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretHash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the base64url of 32 bytes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretHash, E> {
                // The text itself is not quoted: what should not be here may be a secret.
                SecretHash::from_text(text).ok_or_else(|| E::custom("not the base64url of 32 bytes"))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl std::hash::Hash for SecretHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash({}…)", self.short())
    }
}

/// Random bytes as base64url without padding.
#[must_use]
pub fn random_text(entropy: &dyn Entropy, bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    entropy.fill(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}

macro_rules! bearer {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// What every value of this kind starts with.
            pub const PREFIX: &str = $prefix;

            /// A fresh value: 256 random bits behind the prefix.
            #[must_use]
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(format!("{}{}", $prefix, random_text(entropy, 32)))
            }

            /// Accepts a string from outside if it has the right prefix, length and alphabet.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let body = text.strip_prefix($prefix)?;
                let clean = body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                (body.len() == 43 && clean).then(|| Self(text.to_owned()))
            }

            /// What the store keeps.
            #[must_use]
            pub fn hash(&self) -> SecretHash {
                SecretHash::of(&self.0)
            }

            /// The value itself, to hand to the one it is for.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

bearer!(
    /// The browser's half of every ticket and grant it started: an HttpOnly cookie (SEC-02, SEC-56).
    BrowserSecret,
    "msb_"
);
bearer!(
    /// The same for a website's own page, which keeps it in its memory and sends it in a header.
    PageSecret,
    "msw_"
);
bearer!(
    /// The phone's half: a cookie set when it opens a scan link; only the phone that scanned may confirm (SEC-06).
    PhoneSecret,
    "msp_"
);
bearer!(
    /// The one-time link that a scanner is sent by message: whoever opens it holds the phone that scanned.
    ArrivalSecret,
    "msl_"
);
bearer!(
    /// A signed-in browser session's cookie value (SEC-17, SEC-63).
    SessionSecret,
    "mss_"
);
bearer!(
    /// An OAuth authorization code (RFC 6749 §4.1.2, SEC-49).
    AuthorizationCode,
    "msc_"
);
bearer!(
    /// An opaque OAuth access token (RFC 6749 §1.4).
    AccessToken,
    "msa_"
);
bearer!(
    /// An OAuth refresh token (RFC 6749 §1.5, SEC-50).
    RefreshToken,
    "msr_"
);
bearer!(
    /// A confidential client's secret, shown once when made.
    ClientSecret,
    "msk_"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn debug_never_shows_a_secret() {
        let secret = SessionSecret::random(&SystemEntropy);
        assert!(!format!("{secret:?}").contains(&secret.expose()[4..]));
        assert!(!format!("{:?}", secret.hash()).contains(&secret.hash().to_text()));
    }

    #[test]
    fn sec_61_one_kind_is_not_accepted_as_another() {
        let code = AuthorizationCode::random(&SystemEntropy);
        assert!(AuthorizationCode::parse(code.expose()).is_some());
        assert!(RefreshToken::parse(code.expose()).is_none());
        assert!(AccessToken::parse(code.expose()).is_none());
    }

    #[test]
    fn hash_survives_its_text_form() {
        let hash = SecretHash::of("anything");
        assert_eq!(SecretHash::from_text(&hash.to_text()), Some(hash));
        for other in ["short", "", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43), &"A".repeat(430)] {
            assert_eq!(SecretHash::from_text(other), None, "{other}");
        }
        let written = serde_json::to_string(&hash).unwrap();
        assert_eq!(written, format!("{:?}", hash.to_text()));
        assert_eq!(serde_json::from_str::<SecretHash>(&written).unwrap(), hash);
        let refused = serde_json::from_str::<SecretHash>("\"a secret\"").unwrap_err().to_string();
        assert!(!refused.contains("a secret"), "{refused}");
    }
}
