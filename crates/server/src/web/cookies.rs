//! Cookies: opaque random values, HttpOnly, SameSite=Lax, `__Host-` and Secure whenever the public address is https
//! (SEC-63). With plain http (loopback, or `allow_cleartext`) browsers refuse those prefixes, so the names lose them.

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::HeaderMap;
use mashang_login::secret::{BrowserSecret, PhoneSecret, SessionSecret};

/// How many seconds a habit is remembered: half a year.
const HABIT: u32 = 180 * 24 * 3600;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieKind {
    /// [`BrowserSecret`].
    Browser,
    /// [`PhoneSecret`].
    Phone,
    /// [`SessionSecret`].
    Session,
    /// The chosen language; not a secret.
    Language,
    /// The way to sign in that was open last; not a secret.
    Way,
}

impl CookieKind {
    fn bare_name(self) -> &'static str {
        match self {
            Self::Browser => "mashang_browser",
            Self::Phone => "mashang_phone",
            Self::Session => "mashang_session",
            Self::Language => "mashang_lang",
            Self::Way => "mashang_way",
        }
    }
}

/// Whether cookies travel over https only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `__Host-` names and `Secure`.
    Https,
    /// Plain http: development on loopback, or as the operator asked.
    Cleartext,
}

impl Transport {
    /// The name of a cookie.
    #[must_use]
    pub fn name(self, kind: CookieKind) -> String {
        match self {
            Self::Https => format!("__Host-{}", kind.bare_name()),
            Self::Cleartext => kind.bare_name().to_owned(),
        }
    }

    fn cookie(self, kind: CookieKind, value: String) -> Cookie<'static> {
        Cookie::build((self.name(kind), value))
            .path("/")
            .http_only(true)
            .secure(self == Self::Https)
            .same_site(SameSite::Lax)
            .build()
    }

    /// The `Set-Cookie` value that sets `kind`; it lasts until the browser closes, and what is a habit half a year.
    #[must_use]
    pub fn set(self, kind: CookieKind, value: &str) -> String {
        let cookie = self.cookie(kind, value.to_owned());
        if kind == CookieKind::Way { format!("{cookie}; Max-Age={HABIT}") } else { cookie.to_string() }
    }

    /// The `Set-Cookie` value that removes `kind`.
    #[must_use]
    pub fn remove(self, kind: CookieKind) -> String {
        let mut cookie = self.cookie(kind, String::new());
        cookie.make_removal();
        cookie.to_string()
    }
}

/// The cookies a request brought; values of a wrong shape count as absent.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// The browser's half.
    pub browser: Option<BrowserSecret>,
    /// The phone's half.
    pub phone: Option<PhoneSecret>,
    /// The session.
    pub session: Option<SessionSecret>,
    /// The chosen language.
    pub language: Option<String>,
    /// The way to sign in that was open last.
    pub way: Option<String>,
}

impl Brought {
    /// Reads a request's cookies.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, transport: Transport) -> Self {
        let jar = CookieJar::from_headers(headers);
        let value = |kind| jar.get(&transport.name(kind)).map(|cookie| cookie.value().to_owned());
        Self {
            browser: value(CookieKind::Browser).as_deref().and_then(BrowserSecret::parse),
            phone: value(CookieKind::Phone).as_deref().and_then(PhoneSecret::parse),
            session: value(CookieKind::Session).as_deref().and_then(SessionSecret::parse),
            language: value(CookieKind::Language),
            way: value(CookieKind::Way),
        }
    }
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::SystemEntropy;

    use super::*;

    #[test]
    fn sec_63_cookies_are_host_bound_secure_and_http_only() {
        let set = Transport::Https.set(CookieKind::Session, "x");
        assert_eq!(set, "__Host-mashang_session=x; HttpOnly; SameSite=Lax; Secure; Path=/");
        assert!(Transport::Https.remove(CookieKind::Session).contains("Max-Age=0"));
    }

    #[test]
    fn edited_cookies_count_as_absent() {
        let secret = BrowserSecret::random(&SystemEntropy);
        let mut headers = HeaderMap::new();
        headers.insert(
            "cookie",
            format!("mashang_browser={}; mashang_session=abc", secret.expose()).parse().unwrap(),
        );
        let brought = Brought::from_headers(&headers, Transport::Cleartext);
        assert_eq!(brought.browser.map(|found| found.hash()), Some(secret.hash()));
        assert!(brought.session.is_none());
        assert!(Brought::from_headers(&headers, Transport::Https).browser.is_none());
    }
}
