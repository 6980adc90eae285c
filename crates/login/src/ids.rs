//! Names of things: newtypes, so that two strings cannot be swapped by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Entropy;
use crate::secret::random_text;

/// A string from outside is not a valid name of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(pub &'static str);

fn is_plain(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $lengths:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a string from outside: letters, digits, `-`, `_`, `.`.
            ///
            /// # Errors
            /// [`InvalidId`] when it has another character or length.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if is_plain(text, $lengths) { Ok(Self(text.to_owned())) } else { Err(InvalidId($what)) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }
    };
}

id!(
    /// A registered website or app: the OAuth `client_id` (RFC 6749 §2.2).
    ClientId, "client id", 1..=64
);
id!(
    /// A person, and the OpenID Connect `sub`: random, stable, never reused.
    UserId, "user id", 1..=64
);
id!(
    /// One authorization request waiting for its answer. In the login page's address; useless without the browser
    /// secret (SEC-56).
    GrantId, "grant id", 32..=32
);
id!(
    /// The public half of a ticket, inside the QR: 192 random bits as 32 characters, which also fit a
    /// mini-program's `scene` (SEC-01, SEC-20).
    ScanCode, "scan code", 32..=32
);
id!(
    /// A configured way to prove who holds the phone, by the operator's own name for it, such as `wechat`.
    ChannelId, "channel id", 1..=32
);
id!(
    /// Everything issued from one answered grant: revoked together (SEC-49, SEC-50).
    FamilyId, "token family id", 22..=22
);
id!(
    /// One signed-in browser: the `sid` of ID tokens (not a secret).
    SessionId, "session id", 22..=22
);
id!(
    /// Two people made one, to undo it by (not a secret).
    MergeId, "merge id", 22..=22
);
id!(
    /// A signing key's `kid` (RFC 7517 §4.5).
    KeyId, "key id", 1..=64
);

impl ScanCode {
    /// The first 6 characters, for logs: enough to follow one ticket (SEC-77).
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..6]
    }
}

/// Ids that are made only here (SEC-01), of so many random bytes.
macro_rules! random {
    ($($name:ident of $bytes:literal bytes),+ $(,)?) => {
        $(impl $name {
            /// A fresh one, unpredictable and never repeated.
            #[must_use]
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(random_text(entropy, $bytes))
            }
        })+
    };
}

random!(
    ScanCode of 24 bytes,
    GrantId of 24 bytes,
    UserId of 16 bytes,
    FamilyId of 16 bytes,
    SessionId of 16 bytes,
    MergeId of 16 bytes,
);

impl GrantId {
    /// The first 6 characters, for logs.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..6]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn sec_01_scan_codes_do_not_repeat_and_fit_a_mini_program_scene() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let code = ScanCode::random(&SystemEntropy);
            assert_eq!(code.as_str().len(), 32);
            assert!(ScanCode::parse(code.as_str()).is_ok());
            assert!(seen.insert(code));
        }
    }

    #[test]
    fn hostile_ids_are_refused() {
        for text in ["", "a b", "a/../b", "码", "a\n", "<b>", &"x".repeat(65)] {
            assert!(ClientId::parse(text).is_err(), "{text:?}");
        }
    }
}
