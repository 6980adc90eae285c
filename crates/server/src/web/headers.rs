//! Headers on every answer, errors too (SEC-65).

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::cookies::Transport;
use crate::state::App;

/// A page's content security policy: nothing but our own files, and what the page names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Csp {
    /// An origin whose page is shown in a frame (a platform's QR page).
    pub frame_src: Option<String>,
    /// A website that a form's answer leads to, besides our own pages. Browsers apply `form-action` to every redirect of a
    /// submission, and the website may send its visitor on, so with one any https address may follow.
    pub form_leads_to: Option<String>,
    /// Whether our own pages may frame this one. Nobody else ever may; the confirm page never is.
    pub framed_by_self: bool,
}

impl Csp {
    /// The value for everything that asks for no exception: nearly all answers.
    const STRICT: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );

    /// The header's value.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut policy = String::from(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'",
        );
        policy.push_str("; form-action 'self'");
        if let Some(origin) = &self.form_leads_to {
            policy.push_str(" https: ");
            policy.push_str(origin);
        }
        if let Some(origin) = &self.frame_src {
            // 'self' because the platform's page returns to our own callback inside the frame.
            policy.push_str("; frame-src 'self' ");
            policy.push_str(origin);
        }
        policy.push_str(if self.framed_by_self {
            "; frame-ancestors 'self'"
        } else {
            "; frame-ancestors 'none'"
        });
        policy
    }
}

/// The source expression for a redirect address in `form-action`: its origin, or its scheme for apps.
#[must_use]
pub fn source_of(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        scheme => Some(format!("{scheme}:")),
    }
}

/// Pages that a website may open in a popup, which must find its opener again after coming back; the policy would cut
/// that tie for good. Phone pages and everything else keep it.
const POPUP_PATHS: [&str; 5] = ["/authorize", "/login/", "/channel/", "/consent/", "/logout"];

/// Whether a website may have opened the page at `path` in a popup.
#[must_use]
pub fn may_be_popup(path: &str) -> bool {
    POPUP_PATHS.iter().any(|start| path.starts_with(start))
}

/// Adds what is missing to the headers of an answer.
pub fn complete(app: &App, may_be_popup: bool, headers: &mut HeaderMap) {
    headers.reserve(8);
    let mut or_set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    or_set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    or_set(header::REFERRER_POLICY, "no-referrer");
    or_set(header::CACHE_CONTROL, "no-store");
    or_set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()");
    if !may_be_popup {
        or_set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    if app.site.transport == Transport::Https {
        or_set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, Csp::STRICT);
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_65_the_default_policy_allows_no_framing_and_no_foreign_source() {
        let policy = Csp::default().to_header();
        assert_eq!(Csp::STRICT, policy, "what is written out is what is put together");
        assert!(policy.starts_with("default-src 'none'"));
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains("http"));
    }

    #[test]
    fn a_form_that_leads_to_a_website_may_be_sent_on_over_https() {
        let csp = Csp { form_leads_to: Some("http://127.0.0.1:9".into()), ..Csp::default() };
        assert!(csp.to_header().contains("form-action 'self' https: http://127.0.0.1:9;"));
        assert!(Csp::default().to_header().contains("form-action 'self';"));
    }

    #[test]
    fn redirect_addresses_become_sources() {
        assert_eq!(source_of("https://a.example/cb?x=1").as_deref(), Some("https://a.example"));
        assert_eq!(source_of("com.example.app:/cb").as_deref(), Some("com.example.app:"));
    }
}
