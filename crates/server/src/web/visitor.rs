//! Who is visiting: everything a handler wants to know about the device behind a request, read once, and what few
//! handlers want only when they ask: most requests are polls, which need a cookie and an address.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri, header};
use mashang_login::secret::{BrowserSecret, PhoneSecret, SecretHash};

use super::address;
use super::cookies::{Brought, CookieKind, Transport};
use super::device::{self, Surroundings};
use super::language::Language;
use crate::channel::Platform;
use crate::state::App;

/// The device behind a request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Visitor(Arc<Facts>);

/// What is known of it. All of it is the device's own claim, except the address.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Network address, through trusted proxies.
    pub address: IpAddr,
    /// The language to speak.
    pub language: Language,
    /// Whether the language was asked for in the address or chosen before.
    pub language_is_chosen: bool,
    /// Cookies.
    pub brought: Brought,
    /// Whether it asks for JSON rather than a page.
    pub wants_json: bool,
    /// Whether the answer will be shown in a frame (`Sec-Fetch-Dest`).
    pub is_framed: bool,
    /// Whether the browser says such things at all: old ones and plain http on a network do not.
    pub has_fetch_metadata: bool,
    user_agent: Option<HeaderValue>,
    uri: Uri,
    is_get: bool,
}

impl Deref for Visitor {
    type Target = Facts;
    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl Visitor {
    /// Reads a request's head.
    #[must_use]
    pub fn read(app: &App, parts: &Parts) -> Self {
        let text = |name: header::HeaderName| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
        };
        let brought = Brought::from_headers(&parts.headers, app.site.transport);
        let query = parts.uri.query().unwrap_or("");
        let asked = value_of(query, "lang").and_then(|tag| Language::of_tag(&tag));
        let chosen = asked.or_else(|| brought.language.as_deref().and_then(Language::of_tag));
        let accept = text(header::ACCEPT);
        Self(Arc::new(Facts {
            address: Self::address_of(app, &parts.extensions, &parts.headers),
            language: chosen.unwrap_or_else(|| Language::accepted(text(header::ACCEPT_LANGUAGE))),
            language_is_chosen: chosen.is_some(),
            brought,
            wants_json: accept.contains("application/json") && !accept.contains("text/html"),
            is_framed: text(header::HeaderName::from_static("sec-fetch-dest")) == "iframe",
            has_fetch_metadata: parts.headers.contains_key("sec-fetch-dest"),
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
            uri: parts.uri.clone(),
            is_get: parts.method == Method::GET,
        }))
    }

    /// A request's network address alone, through trusted proxies.
    #[must_use]
    pub fn address_of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let peer = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        if headers.contains_key("x-forwarded-for") {
            app.limits.notice_untrusted_proxy(peer, &app.site.trusted_proxies);
        }
        address::of_visitor(peer, headers, &app.site.trusted_proxies)
    }

    fn user_agent(&self) -> &str {
        self.user_agent.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn query_text(&self) -> &str {
        self.uri.query().unwrap_or("")
    }

    /// Browser and system, in our words.
    #[must_use]
    pub fn device(&self) -> String {
        device::label(self.user_agent())
    }

    /// Where the page is looked at. `via` in the address is only a hint for routing, so anyone may give it; the sandbox's
    /// phone cannot change its user agent.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        let via = self.query("via").and_then(|via| {
            [Platform::WeChat, Platform::Wecom].into_iter().find(|platform| platform.as_str() == via)
        });
        via.map_or_else(|| device::surroundings(self.user_agent()), Surroundings::Inside)
    }

    /// Hash of the browser's half, if it brought one.
    #[must_use]
    pub fn browser(&self) -> Option<SecretHash> {
        self.brought.browser.as_ref().map(BrowserSecret::hash)
    }

    /// Hash of the phone's half, if it brought one.
    #[must_use]
    pub fn phone(&self) -> Option<SecretHash> {
        self.brought.phone.as_ref().map(PhoneSecret::hash)
    }

    /// The browser's half and, if it had none, the cookie that gives it one.
    #[must_use]
    pub fn browser_or_new(&self, app: &App) -> (SecretHash, Vec<String>) {
        match &self.brought.browser {
            Some(secret) => (secret.hash(), Vec::new()),
            None => {
                let secret = BrowserSecret::random(&*app.entropy);
                (secret.hash(), vec![app.site.transport.set(CookieKind::Browser, secret.expose())])
            }
        }
    }

    /// The phone's half and, if it had none, the cookie that gives it one.
    #[must_use]
    pub fn phone_or_new(&self, app: &App) -> (SecretHash, Vec<String>) {
        match &self.brought.phone {
            Some(secret) => (secret.hash(), Vec::new()),
            None => {
                let secret = PhoneSecret::random(&*app.entropy);
                (secret.hash(), vec![app.site.transport.set(CookieKind::Phone, secret.expose())])
            }
        }
    }

    /// A value of the query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        value_of(self.query_text(), name)
    }

    /// Whether the query has a value more than once: then none of them counts (SEC-71).
    #[must_use]
    pub fn query_repeats(&self, name: &str) -> bool {
        url::form_urlencoded::parse(self.query_text().as_bytes()).filter(|(n, _)| n == name).count() > 1
    }

    /// This page, to be asked for again; `None` for what a form sent, and for addresses that carry a platform's code, which must not be
    /// repeated.
    #[must_use]
    pub fn here(&self) -> Option<String> {
        let path = self.uri.path();
        // `//host/…` would lead away from us.
        let leads_away = path.starts_with("//") || path.contains('\\');
        let may_repeat = self.is_get && !leads_away && self.query("code").is_none();
        may_repeat.then(|| self.uri.path_and_query().map_or(path, |whole| whole.as_str()).to_owned())
    }

    /// This page in another language; empty for addresses that carry a platform's code, which must not be repeated.
    #[must_use]
    pub fn href_in(&self, language: Language) -> String {
        // `//host/…` would lead away from us.
        let path = self.uri.path();
        if path.starts_with("//")
            || path.contains('\\')
            || self.query("code").is_some()
            || self.query("client_id").is_some()
        {
            return String::new();
        }
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(
            url::form_urlencoded::parse(self.query_text().as_bytes()).filter(|(name, _)| name != "lang"),
        );
        pairs.append_pair("lang", language.code());
        format!("{path}?{}", pairs.finish())
    }

    /// This address with one more value.
    #[must_use]
    pub fn here_with(&self, name: &str, value: &str) -> String {
        let (path, query) = (self.uri.path(), self.query_text());
        let separator = if query.is_empty() { "" } else { "&" };
        format!("{path}?{query}{separator}{name}={value}")
    }

    /// The cookie that remembers a language asked for in the address.
    #[must_use]
    pub fn language_cookie(&self, transport: Transport) -> Option<String> {
        self.query("lang").map(|_| transport.set(CookieKind::Language, self.language.code()))
    }

    /// Speaks the first known of a website's `ui_locales`, unless the person chose a language.
    #[must_use]
    pub fn preferring(mut self, ui_locales: &[String]) -> Self {
        if !self.language_is_chosen
            && let Some(language) = ui_locales.iter().find_map(|tag| Language::of_tag(tag))
        {
            Arc::make_mut(&mut self.0).language = language;
        }
        self
    }
}

fn value_of(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::read(app, parts)))
    }
}
