//! Cookies: opaque random values, HttpOnly, SameSite=Lax, `__Host-` and Secure whenever the public address is https
//! (SEC-63). With plain http (loopback, or `allow_cleartext`) browsers refuse those prefixes, so the names lose them.

use axum_extra::extract::cookie::{Cookie, SameSite};
use http::{HeaderMap, header};
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
    const ALL: [Self; 5] = [Self::Browser, Self::Phone, Self::Session, Self::Language, Self::Way];

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

    /// The cookie of that name, if it is one of ours.
    fn kind_of(self, name: &str) -> Option<CookieKind> {
        let bare = match self {
            Self::Https => name.strip_prefix("__Host-")?,
            Self::Cleartext => name,
        };
        CookieKind::ALL.into_iter().find(|kind| kind.bare_name() == bare)
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
        let mut brought = Self::default();
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        // RFC 6265 §4.2.1; of two with one name the later counts. No jar is filled: every poll comes through here.
        for (name, value) in lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('=')) {
            let value = value.trim();
            match transport.kind_of(name.trim()) {
                Some(CookieKind::Browser) => brought.browser = BrowserSecret::parse(value),
                Some(CookieKind::Phone) => brought.phone = PhoneSecret::parse(value),
                Some(CookieKind::Session) => brought.session = SessionSecret::parse(value),
                Some(CookieKind::Language) => brought.language = Some(value.to_owned()),
                Some(CookieKind::Way) => brought.way = Some(value.to_owned()),
                None => {}
            }
        }
        brought
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

    #[test]
    fn our_cookies_are_found_among_others() {
        let secret = BrowserSecret::random(&SystemEntropy);
        let mut headers = HeaderMap::new();
        let line =
            format!("theme=a=b; __Host-mashang_browser={}; flag;__Host-mashang_lang=en", secret.expose());
        headers.append("cookie", line.parse().unwrap());
        headers.append("cookie", "__Host-mashang_way=web".parse().unwrap());
        let brought = Brought::from_headers(&headers, Transport::Https);
        assert_eq!(brought.browser.map(|found| found.hash()), Some(secret.hash()));
        assert_eq!((brought.language.as_deref(), brought.way.as_deref()), (Some("en"), Some("web")));
        headers.append("cookie", "__Host-mashang_lang=zh-CN".parse().unwrap());
        let later = Brought::from_headers(&headers, Transport::Https);
        assert_eq!(later.language.as_deref(), Some("zh-CN"));
    }
}
