//! A website or app registered with us (OAuth word: client; shown to administrators as 应用 / application).

pub mod brand;
pub mod logo;
pub mod mismatch;
pub mod settings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

pub use self::settings::{AccessTokenFormat, ClientSettings};
use crate::grant::{Scope, ScopeSet};
use crate::ids::ClientId;
use crate::key::SigningAlgorithm;
use crate::secret::{ClientSecret, SecretHash};

/// How a client proves itself at the token endpoint (RFC 6749 §2.3, OpenID Connect Core §9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// A public client: no secret, PKCE instead. `token_endpoint_auth_method=none`.
    Public,
    /// A confidential client with a secret by HTTP Basic or in the form. Only the hash is kept (SEC-57).
    Secret(SecretHash),
}

/// Whether the client must use PKCE (SEC-48).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PkcePolicy {
    /// S256 always. The default.
    Required,
    /// Weaker: a confidential client that cannot send PKCE may go without; if it sends a challenge, it must finish it.
    Optional,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The OAuth `client_id`.
    pub id: ClientId,
    /// Shown on the login and confirm pages.
    pub name: String,
    /// How it proves itself.
    pub authentication: ClientAuthentication,
    /// Exact redirect addresses, as registered (SEC-45).
    pub redirect_uris: Vec<String>,
    /// Exact post-logout addresses (RP-Initiated Logout §2).
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether PKCE is required.
    pub pkce: PkcePolicy,
    /// Algorithm of its ID tokens; RS256 unless chosen otherwise.
    pub id_token_alg: SigningAlgorithm,
    /// Whether it may ask for refresh tokens (`offline_access`).
    pub refresh_tokens: bool,
    /// What the operator switched for it.
    pub settings: ClientSettings,
    /// Registered.
    pub created_at: Timestamp,
    /// Set when switched off; checked at every step (SEC-40).
    pub disabled_at: Option<Timestamp>,
}

/// Why a redirect address may not be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI.
    #[error("not an absolute address")]
    NotAbsolute,
    /// RFC 6749 §3.1.2 forbids fragments.
    #[error("must not contain a fragment (#…)")]
    Fragment,
    /// A user name or password in the authority.
    #[error("must not contain a user name")]
    UserInfo,
    /// Cleartext http to a host other than loopback.
    #[error("must be https, except for 127.0.0.1, [::1] and localhost")]
    Cleartext,
    /// `javascript:` and its kin, or a private-use scheme without a dot (RFC 8252 §7.1).
    #[error("scheme is not allowed; apps use a reversed domain name such as com.example.app:/cb")]
    Scheme,
    /// A wildcard, white space, control or non-ASCII character.
    #[error("must be plain ASCII without wildcards or spaces")]
    Characters,
}

/// Checks an address at registration (SEC-45; RFC 9700 §2.1; RFC 8252 §7).
///
/// # Errors
/// [`RedirectUriError`] says which rule it breaks.
pub fn check_redirect_uri(text: &str) -> Result<(), RedirectUriError> {
    if text.contains(['*', '\\', '"', '<', '>']) || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(RedirectUriError::Characters);
    }
    let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
    if text.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectUriError::UserInfo);
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(RedirectUriError::Cleartext),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(RedirectUriError::Scheme),
    }
}

/// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Client {
    /// Whether it is switched on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// What it may have of the scopes in `asked`: the one rule for requests, tokens, claims and the consent page (SEC-90).
    /// Refresh tokens are its own switch as well: OpenID Connect Core §11 lets the provider leave `offline_access` out.
    #[must_use]
    pub fn granted(&self, asked: &ScopeSet) -> ScopeSet {
        let may = |scope: &Scope| {
            self.settings.allows(*scope) && (*scope != Scope::OfflineAccess || self.refresh_tokens)
        };
        asked.iter().filter(may).collect()
    }

    /// Whether `presented` is registered: the same string, or for a registered loopback IP address the same but for the
    /// port (RFC 8252 §7.3). Nothing is normalised (SEC-45).
    #[must_use]
    pub fn allows_redirect(&self, presented: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|registered| registered == presented || same_loopback(registered, presented))
    }

    /// Whether `presented` is a registered post-logout address.
    #[must_use]
    pub fn allows_post_logout_redirect(&self, presented: &str) -> bool {
        self.post_logout_redirect_uris.iter().any(|registered| registered == presented)
    }

    /// Whether a browser page at `origin` belongs to this client (SEC-59): it is the origin of a redirect address.
    #[must_use]
    pub fn owns_origin(&self, origin: &str) -> bool {
        self.origins().any(|own| own == origin)
    }

    /// The origins of its redirect addresses, as browsers write them; apps have none.
    pub fn origins(&self) -> impl Iterator<Item = String> + '_ {
        let addresses = self.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok());
        let pages = addresses.filter(|uri| matches!(uri.scheme(), "http" | "https"));
        pages.map(|uri| uri.origin().ascii_serialization())
    }

    /// Whether the presented secret is this client's; always false for a public client.
    #[must_use]
    pub fn knows_secret(&self, presented: &str) -> bool {
        match &self.authentication {
            ClientAuthentication::Public => false,
            ClientAuthentication::Secret(hash) => *hash == SecretHash::of(presented),
        }
    }

    /// The hash to keep for a new secret.
    #[must_use]
    pub fn authentication_by(secret: &ClientSecret) -> ClientAuthentication {
        ClientAuthentication::Secret(secret.hash())
    }
}

fn same_loopback(registered: &str, presented: &str) -> bool {
    // Only the IP literals, as RFC 8252 §8.3 advises against `localhost`; compare everything but the port as text.
    fn split(text: &str) -> Option<(&str, &str)> {
        for host in ["http://127.0.0.1", "http://[::1]"] {
            let Some(rest) = text.strip_prefix(host) else { continue };
            let tail = match rest.strip_prefix(':') {
                Some(with_port) => {
                    let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
                    with_port[..digits].parse::<u16>().ok()?;
                    &with_port[digits..]
                }
                None => rest,
            };
            if tail.is_empty() || tail.starts_with(['/', '?']) {
                return Some((host, tail));
            }
        }
        None
    }
    matches!((split(registered), split(presented)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirect_uris: &[&str]) -> Client {
        Client {
            id: "site".parse().unwrap(),
            name: "Site".into(),
            authentication: ClientAuthentication::Public,
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            post_logout_redirect_uris: vec![],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: false,
            settings: ClientSettings::default(),
            created_at: Timestamp::UNIX_EPOCH,
            disabled_at: None,
        }
    }

    #[test]
    fn sec_45_redirect_bypasses_are_refused() {
        let site = client(&["https://site.example/cb", "https://zt.example/index.php?m=sso&f=scancallback"]);
        assert!(site.allows_redirect("https://site.example/cb"));
        assert!(site.allows_redirect("https://zt.example/index.php?m=sso&f=scancallback"));
        for bypass in [
            "https://site.example/cb/",
            "https://site.example/cb?x=1",
            "https://site.example/CB",
            "https://SITE.example/cb",
            "https://site.example:443/cb",
            "https://site.example.evil.example/cb",
            "https://site.example@evil.example/cb",
            "https://site.example/cb/../evil",
            "https://site.example/%63b",
            "https://site.example/cb#x",
            "https://site.example/cb%252f..",
            "https://site.example/cb..;/",
            "http://site.example/cb",
            "https://site.example\\@evil.example/cb",
            "//site.example/cb",
            " https://site.example/cb",
            "https://site.example/cb\n",
        ] {
            assert!(!site.allows_redirect(bypass), "{bypass:?}");
        }
    }

    #[test]
    fn loopback_addresses_may_change_their_port_and_nothing_else() {
        let app = client(&["http://127.0.0.1/cb", "http://[::1]:1/cb"]);
        assert!(app.allows_redirect("http://127.0.0.1:49152/cb"));
        assert!(app.allows_redirect("http://[::1]:3000/cb"));
        for bypass in [
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost:80/cb",
            "http://127.0.0.1:80/other",
            "https://127.0.0.1:80/cb",
        ] {
            assert!(!app.allows_redirect(bypass), "{bypass:?}");
        }
    }

    #[test]
    fn registration_refuses_unsafe_addresses() {
        for good in [
            "https://a.example/cb?x=1",
            "http://localhost:8080/",
            "http://127.0.0.1/cb",
            "com.example.app:/cb",
        ] {
            assert_eq!(check_redirect_uri(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("/cb", RedirectUriError::NotAbsolute),
            ("https://a.example/#x", RedirectUriError::Fragment),
            ("https://u@a.example/", RedirectUriError::UserInfo),
            ("http://a.example/", RedirectUriError::Cleartext),
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("data:text/html,x", RedirectUriError::Scheme),
            ("https://*.example/", RedirectUriError::Characters),
            ("https://a.example/ x", RedirectUriError::Characters),
            ("https://码.example/", RedirectUriError::Characters),
        ] {
            assert_eq!(check_redirect_uri(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn origins_come_from_redirect_addresses_only() {
        let site = client(&["https://site.example/cb", "com.example.app:/cb"]);
        assert!(site.owns_origin("https://site.example"));
        for stranger in
            ["https://evil.example", "http://site.example", "null", "https://site.example.evil.example"]
        {
            assert!(!site.owns_origin(stranger), "{stranger}");
        }
    }
}
