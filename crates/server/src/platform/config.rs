//! `[channel.<id>.token_hub]` and `[channel.<id>.token_source]`: an app's token is given to, or taken from, other systems
//! of the operator's.

use std::fmt;
use std::path::PathBuf;

use mashang_login::secret::SecretHash;
use serde::Deserialize;
use url::{Host, Url};

use crate::config::secret::secret_of;
use crate::config::{ConfigError, Hidden};

/// Shortest key, in characters: whoever has it speaks in the app's name.
const SHORTEST_KEY: usize = 32;

/// `[channel.<id>.token_hub]`: other systems may fetch the token from us with this key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenHubSection {
    /// The key itself, at least 32 characters …
    pub key: Option<Hidden>,
    /// … or the file that holds it.
    pub key_file: Option<PathBuf>,
}

/// `[channel.<id>.token_source]`: we fetch the token from another system, and never from the platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSourceSection {
    /// Where that system hands it out.
    pub url: Url,
    /// The key that system expects, at least 32 characters …
    pub key: Option<Hidden>,
    /// … or the file that holds it.
    pub key_file: Option<PathBuf>,
}

impl TokenHubSection {
    /// What is wrong with it, in sentences.
    pub(crate) fn check(&self, place: &str, wrong: &mut Vec<String>) {
        check_key(self.key.as_ref(), self.key_file.is_some(), &format!("{place}.token_hub"), wrong);
    }

    /// The key.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file when it cannot be read or its text is too short.
    pub(crate) fn read_key(&self, place: &str) -> Result<HubKey, ConfigError> {
        let place = format!("{place}.token_hub");
        HubKey::new(secret_of(&self.key, self.key_file.as_deref()).read(&place, "key")?, &place)
    }
}

impl TokenSourceSection {
    /// What is wrong with it, in sentences.
    pub(crate) fn check(&self, place: &str, wrong: &mut Vec<String>) {
        let place = format!("{place}.token_source");
        check_key(self.key.as_ref(), self.key_file.is_some(), &place, wrong);
        if !is_acceptable(&self.url) {
            wrong.push(format!(
                "{place}.url: must be https, or http to this machine or a private address or a name without dots, since key and token travel on it"
            ));
        }
    }

    /// The key.
    ///
    /// # Errors
    /// As [`TokenHubSection::read_key`].
    pub(crate) fn read_key(&self, place: &str) -> Result<HubKey, ConfigError> {
        let place = format!("{place}.token_source");
        HubKey::new(secret_of(&self.key, self.key_file.as_deref()).read(&place, "key")?, &place)
    }
}

fn check_key(key: Option<&Hidden>, has_file: bool, place: &str, wrong: &mut Vec<String>) {
    match (key, has_file) {
        (Some(_), true) => wrong.push(format!("{place}: give key or key_file, not both")),
        (None, false) => wrong.push(format!(
            "{place}: needs key_file (or key), at least {SHORTEST_KEY} characters, such as `openssl rand -hex 32` makes"
        )),
        (Some(key), false) if !is_key(key.expose()) => wrong.push(too_short(place, "key")),
        _ => {}
    }
}

fn too_short(place: &str, what: &str) -> String {
    format!(
        "{place}.{what}: must have at least {SHORTEST_KEY} characters, letters, digits and signs without spaces; make one with `openssl rand -hex 32`"
    )
}

fn is_key(text: &str) -> bool {
    text.len() >= SHORTEST_KEY && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Cleartext only where nobody is in between.
fn is_acceptable(url: &Url) -> bool {
    let is_near = match url.host() {
        Some(Host::Domain(name)) => !name.contains('.') || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    };
    let has_no_password = url.username().is_empty() && url.password().is_none();
    has_no_password && (url.scheme() == "https" || (url.scheme() == "http" && is_near))
}

/// The key under which one app's token is handed over. Never shown; compared in constant time (SEC-80).
#[derive(Clone)]
pub struct HubKey(String);

impl HubKey {
    fn new(text: String, place: &str) -> Result<Self, ConfigError> {
        if is_key(&text) {
            Ok(Self(text))
        } else {
            Err(ConfigError::Wrong(vec![too_short(place, "key_file")]))
        }
    }

    /// Whether this is what was presented.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        SecretHash::of(&self.0) == SecretHash::of(presented)
    }

    /// The key itself, to present it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HubKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn wrong(section: serde_json::Value) -> String {
        let section: TokenSourceSection = serde_json::from_value(section).unwrap();
        let mut wrong = Vec::new();
        section.check("channel.wechat", &mut wrong);
        wrong.join("\n")
    }

    #[test]
    fn sec_70_a_token_travels_in_the_clear_only_nearby() {
        for good in [
            "https://portal.example.com/token",
            "http://127.0.0.1:9/t",
            "http://10.1.2.3/t",
            "http://portal:8080/t",
        ] {
            assert_eq!(wrong(json!({ "url": good, "key": KEY })), "", "{good}");
        }
        for bad in [
            "http://portal.example.com/t",
            "http://192.0.2.1/t",
            "ftp://portal/t",
            "https://a:b@portal.example.com/t",
        ] {
            assert!(wrong(json!({ "url": bad, "key": KEY })).contains("token_source.url"), "{bad}");
        }
    }

    #[test]
    fn sec_76_keys_are_long_and_given_once() {
        let url = "https://portal.example.com";
        assert!(wrong(json!({ "url": url })).contains("needs key_file"));
        assert!(wrong(json!({ "url": url, "key": "short" })).contains("at least 32"));
        assert!(wrong(json!({ "url": url, "key": format!("{KEY} and more") })).contains("without spaces"));
        assert!(wrong(json!({ "url": url, "key": KEY, "key_file": "f" })).contains("not both"));
    }

    #[test]
    fn a_key_file_is_read_trimmed_and_a_short_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let section = TokenHubSection { key: None, key_file: Some(path.clone()) };
        std::fs::write(&path, format!("{KEY}\n")).unwrap();
        let key = section.read_key("channel.wechat").unwrap();
        assert!(key.is(KEY) && !key.is("another") && !format!("{key:?}").contains(KEY));
        std::fs::write(&path, "short").unwrap();
        let refusal = section.read_key("channel.wechat").unwrap_err().to_string();
        assert!(refusal.contains("token_hub.key_file") && !refusal.contains("short\""), "{refusal}");
    }
}
