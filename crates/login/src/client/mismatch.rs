//! Why a redirect address is none of a client's: in what it differs from the registered one that is most like it. For whoever
//! set a website up and looks at two addresses that seem alike.

use url::Url;

/// The longest part of an address that is shown, in characters.
const MOST_SHOWN: usize = 200;

/// A part in which two addresses differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// `http` came, `https` is registered: most often a website behind a proxy that does not know its own address.
    HttpForHttps,
    /// Another scheme.
    Scheme,
    /// Another host.
    Host,
    /// Another port.
    Port,
    /// A slash at the end that one has and the other has not.
    SlashAtTheEnd,
    /// Another path.
    Path,
    /// Another query.
    Query,
    /// The same address in another spelling; addresses are compared as text (SEC-45).
    Spelling,
}

impl Difference {
    /// In words for a log; also, with `_` for the spaces, the end of its words' key in the locales.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpForHttps => "http instead of https",
            Self::Scheme => "other scheme",
            Self::Host => "other host",
            Self::Port => "other port",
            Self::SlashAtTheEnd => "slash at the end",
            Self::Path => "other path",
            Self::Query => "other query",
            Self::Spelling => "other spelling",
        }
    }
}

/// An address that is not registered, as far as it may be shown, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Scheme, host and path, at most 200 characters of printable ASCII; empty for what is no address. Never a query, a fragment
    /// or a user name: there may be secrets in them.
    pub shown: String,
    /// In what it differs from the registered address that is most like it; empty where there is none to compare.
    pub differences: Vec<Difference>,
}

impl Mismatch {
    /// Compares what was presented with what is registered.
    #[must_use]
    pub fn between(presented: &str, registered: &[String]) -> Self {
        let Ok(address) = Url::parse(presented) else {
            return Self { shown: String::new(), differences: Vec::new() };
        };
        let all = registered.iter().filter_map(|uri| Url::parse(uri).ok());
        let nearest = all.map(|uri| differences(&address, &uri)).min_by_key(Vec::len);
        Self { shown: shown(&address), differences: nearest.unwrap_or_default() }
    }

    /// The differences in words, for a log.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.differences.iter().map(|one| one.as_str()).collect();
        words.join(", ")
    }
}

fn shown(address: &Url) -> String {
    let mut bare = address.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    // Addresses that have no host refuse these; they have no user name either.
    let _ = bare.set_username("").and_then(|()| bare.set_password(None));
    bare.as_str().chars().filter(char::is_ascii_graphic).take(MOST_SHOWN).collect()
}

fn differences(presented: &Url, registered: &Url) -> Vec<Difference> {
    let mut found = Vec::new();
    match (presented.scheme(), registered.scheme()) {
        (one, other) if one == other => {}
        ("http", "https") => found.push(Difference::HttpForHttps),
        _ => found.push(Difference::Scheme),
    }
    if presented.host_str() != registered.host_str() {
        found.push(Difference::Host);
    }
    if presented.port() != registered.port() {
        found.push(Difference::Port);
    }
    let (one, other) = (presented.path(), registered.path());
    if one.trim_end_matches('/') != other.trim_end_matches('/') {
        found.push(Difference::Path);
    } else if one != other {
        found.push(Difference::SlashAtTheEnd);
    }
    if presented.query() != registered.query() {
        found.push(Difference::Query);
    }
    if found.is_empty() {
        found.push(Difference::Spelling);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(presented: &str) -> Mismatch {
        let registered =
            ["https://git.example/cb".to_owned(), "https://other.example:8443/a/b?x=1".to_owned()];
        Mismatch::between(presented, &registered)
    }

    #[test]
    fn the_nearest_address_is_compared_part_by_part() {
        for (presented, differences) in [
            ("http://git.example/cb", &[Difference::HttpForHttps][..]),
            ("https://git.example/cb/", &[Difference::SlashAtTheEnd]),
            ("https://git.example/CB", &[Difference::Path]),
            ("https://10.0.0.7/cb", &[Difference::Host]),
            ("http://git.example:3000/cb", &[Difference::HttpForHttps, Difference::Port]),
            ("https://other.example:8443/a/b?x=2", &[Difference::Query]),
            ("https://GIT.example/cb", &[Difference::Spelling]),
            ("com.example.app:/cb", &[Difference::Scheme, Difference::Host]),
        ] {
            assert_eq!(between(presented).differences, differences, "{presented}");
        }
        assert!(Mismatch::between("https://git.example/cb", &[]).differences.is_empty());
    }

    #[test]
    fn secrets_and_long_or_odd_text_are_not_shown() {
        let shown = between("https://me:pass@git.example/cb?code=geheim#token=geheim").shown;
        assert_eq!(shown, "https://git.example/cb");
        let odd = between("https://git.example/\u{202e}<b>\"'").shown;
        assert!(odd.bytes().all(|b| b.is_ascii_graphic()) && !odd.contains(['<', '"']), "{odd}");
        assert_eq!(between(&format!("https://git.example/{}", "a".repeat(900))).shown.len(), 200);
        assert_eq!(between("no address").shown, "");
    }
}
