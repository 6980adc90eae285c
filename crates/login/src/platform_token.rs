//! Tokens that platforms give to *apps*, not to people: WeChat's `stable_token`, WeCom's `gettoken`.
//!
//! A platform counts how often they are fetched and may end the old one with the new, so all nodes of an installation
//! share one (SEC-44): it is kept sealed, and whoever wants to fetch another takes a lease first. The value is never
//! looked at here; what a token is good for is not this crate's business.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::records::StoreError;

/// What a token is stored under: the kind of app, its id at the platform, and the agent where a company has several.
/// 1 to 160 characters of `[A-Za-z0-9._/-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenName(String);

impl TokenName {
    /// The name of an app's token, such as `wechat/wx0123456789abcdef` or `wecom/ww0123456789abcdef/1000002`. `None` if a
    /// part is empty, too long, or has characters that no id has.
    #[must_use]
    pub fn of(parts: &[&str]) -> Option<Self> {
        let is_clean = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let name = parts.join("/");
        (!parts.is_empty() && parts.iter().all(is_clean) && name.len() <= 160).then_some(Self(name))
    }

    /// As stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its value is sealed for, see [`Sealer`](crate::seal::Sealer): a value moved to another row does not open.
    #[must_use]
    pub fn place(&self) -> String {
        format!("platform_tokens/{}/sealed", self.0)
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The value, sealed for [`TokenName::place`].
    pub sealed: Vec<u8>,
    /// When the platform ends it.
    pub expires_at: Timestamp,
    /// 1 for the first token of this name, one more with each that is saved.
    pub generation: u64,
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredToken(generation {}, until {})", self.generation, self.expires_at)
    }
}

/// The tokens of one installation's apps. They survive a restart.
///
/// A lease is a promise among our own nodes: while one of them holds it, the others do not fetch. It ends by itself, so
/// that a node that dies holds up nobody for longer than it asked for.
#[async_trait]
pub trait PlatformTokens: Send + Sync + fmt::Debug {
    /// The newest token of a name, expired or not.
    async fn platform_token(&self, name: &TokenName) -> Result<Option<StoredToken>, StoreError>;

    /// Takes the lease until `until`; `false` while another holder's has not run out. A holder may take its own again,
    /// which extends it. Of any number of different holders that ask at the same moment, exactly one gets it.
    async fn lease_platform_token(
        &self,
        name: &TokenName,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Saves a token as the next generation and gives the lease back, in one transaction. Returns that generation, or
    /// `None`, with nothing written, if `holder` does not hold the lease at `now`.
    async fn save_platform_token(
        &self,
        name: &TokenName,
        sealed: &[u8],
        expires_at: Timestamp,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError>;

    /// Gives the lease back without a token, so that another node may try at once. Nothing happens if it is not held.
    async fn release_platform_token(&self, name: &TokenName, holder: &str) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_clean_parts() {
        let name = TokenName::of(&["wecom", "ww0123456789abcdef", "1000002"]).unwrap();
        assert_eq!(name.as_str(), "wecom/ww0123456789abcdef/1000002");
        for bad in [
            &[][..],
            &[""],
            &["wechat", ""],
            &["wechat", "a/b"],
            &["wechat", "微信"],
            &["a", &"w".repeat(160)],
        ] {
            assert_eq!(TokenName::of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_sealed_bytes() {
        let token = StoredToken { sealed: vec![200, 201], expires_at: Timestamp::UNIX_EPOCH, generation: 3 };
        assert_eq!(format!("{token:?}"), "StoredToken(generation 3, until 1970-01-01T00:00:00Z)");
    }
}
