//! The issuer: the one public address by which clients know this installation. It comes from configuration and never
//! from a request header (SEC-62).

use std::fmt;

use mashang_login::client::is_loopback;
use url::Url;

/// An issuer identifier (OpenID Connect Discovery §3): an https address without query, fragment and trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Why an address cannot be the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not an absolute http or https address.
    #[error("the public address must be an absolute https address, such as https://login.example.com")]
    NotHttp,
    /// Cleartext http to a host other than this machine.
    #[error("the public address must be https, except for localhost, 127.0.0.1 and [::1]")]
    Cleartext,
    /// It has a query, a fragment or a user name.
    #[error("the public address must not contain a query, a fragment or a user name")]
    Extra,
}

impl Issuer {
    /// Checks an address from configuration: https, or http on this machine.
    ///
    /// # Errors
    /// [`IssuerError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let issuer = Self::parse_allowing_cleartext(text)?;
        let url = Url::parse(&issuer.0).map_err(|_| IssuerError::NotHttp)?;
        if url.scheme() == "https" || is_loopback(&url) { Ok(issuer) } else { Err(IssuerError::Cleartext) }
    }

    /// Weaker: also accepts http on any host, for a network that the operator declared private by name.
    ///
    /// # Errors
    /// [`IssuerError`], but never [`IssuerError::Cleartext`].
    pub fn parse_allowing_cleartext(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(IssuerError::NotHttp);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerError::Extra);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address of `path`, which begins with `/`.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The identifier, as in `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_62_endpoints_hang_on_the_configured_address() {
        for (text, token) in [
            ("https://login.example", "https://login.example/token"),
            ("https://Login.Example/", "https://login.example/token"),
            ("https://example.com/sso/", "https://example.com/sso/token"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/token"),
            ("http://localhost:8080", "http://localhost:8080/token"),
        ] {
            assert_eq!(Issuer::parse(text).unwrap().endpoint("/token"), token);
        }
    }

    #[test]
    fn unsuitable_issuers_are_refused() {
        for (text, why) in [
            ("login.example", IssuerError::NotHttp),
            ("ftp://login.example", IssuerError::NotHttp),
            ("http://login.example", IssuerError::Cleartext),
            ("https://login.example?x", IssuerError::Extra),
            ("https://login.example#x", IssuerError::Extra),
            ("https://me@login.example", IssuerError::Extra),
        ] {
            assert_eq!(Issuer::parse(text), Err(why), "{text}");
        }
        assert!(Issuer::parse_allowing_cleartext("http://login.lan").is_ok());
    }
}
