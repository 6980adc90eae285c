//! WeChat's identifiers as types, so that an openid cannot stand where a unionid belongs.
//!
//! Lengths are bounded but never fixed: Tencent's own sample unionid has 29 characters (WeChat fact sheet §6).
//! All are case-sensitive. An appid is public; openid and unionid name a person, so `Debug` shows only their start.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A string that cannot be the identifier it was offered as. Never carries the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {min} to {max} characters of A-Z a-z 0-9 _ -")]
pub struct InvalidId {
    kind: &'static str,
    min: usize,
    max: usize,
}

fn check(text: &str, kind: &'static str, min: usize, max: usize) -> Result<(), InvalidId> {
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if clean && (min..=max).contains(&text.len()) { Ok(()) } else { Err(InvalidId { kind, min, max }) }
}

/// The public id of a website app or official account: `wx` and 16 hexadecimal digits in all known samples, though
/// 6 to 32 characters of `[A-Za-z0-9_-]` are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId(String);

impl AppId {
    /// The id as WeChat writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AppId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        check(&text, "appid", 6, 32).map(|()| Self(text))
    }
}

impl FromStr for AppId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<AppId> for String {
    fn from(id: AppId) -> Self {
        id.0
    }
}

macro_rules! personal_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as WeChat writes it. It names a person: keep it out of logs.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                check(&text, $kind, 1, 64).map(|()| Self(text))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // The first characters are shared by all ids of an app, so four tell little about the person.
                let shown = self.0.get(..4).filter(|_| self.0.len() >= 12).unwrap_or_default();
                write!(f, concat!(stringify!($name), "({}…)"), shown)
            }
        }
    };
}

personal_id!(
    /// A person as one app sees them; another app sees another openid. 1 to 64 characters of `[A-Za-z0-9_-]`.
    OpenId,
    "openid"
);
personal_id!(
    /// A person as all apps of one Open Platform account see them. It changes when an app moves to another account
    /// (WeChat fact sheet §6). 1 to 64 characters of `[A-Za-z0-9_-]`.
    UnionId,
    "unionid"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appids_are_bounded_and_clean() {
        for good in ["wx0123456789abcdef", "wxtest", "wx_-Aa09"] {
            assert_eq!(good.parse::<AppId>().unwrap().to_string(), good);
        }
        for bad in ["", "wx", "wx0123456789abcdef ", "wx&secret=1", "wx中文中文", &"w".repeat(33)] {
            assert!(bad.parse::<AppId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn appid_reads_and_writes_as_a_checked_string() {
        let id: AppId = serde_json::from_str("\"wx0123456789abcdef\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"wx0123456789abcdef\"");
        assert!(serde_json::from_str::<AppId>("\"a b c d e f\"").is_err());
    }

    #[test]
    fn a_persons_id_is_shortened_in_debug() {
        let openid: OpenId = "oAbCdEfGhIjKlMnOpQrStUvWxYz0".parse().unwrap();
        assert_eq!(format!("{openid:?}"), "OpenId(oAbC…)");
        let short: UnionId = "oAbCd".parse().unwrap();
        assert_eq!(format!("{short:?}"), "UnionId(…)");
    }

    #[test]
    fn a_persons_id_of_any_sane_length_is_accepted() {
        assert!("o".repeat(29).parse::<UnionId>().is_ok());
        assert!("o".repeat(65).parse::<UnionId>().is_err());
        assert!("".parse::<OpenId>().is_err());
        let refusal = "o secret id".parse::<OpenId>().unwrap_err();
        assert!(!refusal.to_string().contains("secret"));
    }
}
