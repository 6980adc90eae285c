//! Refuses state changes that a page of another site sent (SEC-64).
//!
//! Browsers say where a request comes from: `Sec-Fetch-Site` (Fetch Metadata) or at least `Origin`. SameSite cookies
//! already keep our cookies out of such requests; this is the second lock. Callers without either header are no
//! browsers, and a session in a cookie is of no use to an attacker there.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};

use crate::state::App;
use crate::web::problem::Problem;

/// The layer.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() && is_cross_site(request.headers(), &app.site.public_url) {
        return Problem::CrossSite.into_response();
    }
    next.run(request).await
}

/// `own` is the configured public address: nothing hangs on the Host header, which proxies rewrite (SEC-62).
fn is_cross_site(headers: &HeaderMap, own: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    match headers.get(header::ORIGIN) {
        // Our pages say `no-referrer`, and with that older browsers (WeChat's web view among them) send `Origin: null` even
        // to ourselves. What is left then: SameSite cookies, addresses nobody can guess, and the tokens in the forms.
        Some(origin) if origin == "null" => false,
        _ => is_foreign(headers, own),
    }
}

/// Whether the handshake of a WebSocket comes from a page that is not ours. Browsers send its `Origin` whatever the
/// page's referrer policy says, so here `null` is somebody else.
pub(crate) fn is_foreign(headers: &HeaderMap, own: &str) -> bool {
    headers.get_all(header::ORIGIN).iter().any(|origin| origin.as_bytes() != own.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross_site(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_cross_site(&headers, "https://login.example")
    }

    #[test]
    fn sec_64_only_our_own_pages_change_state() {
        assert!(!cross_site(&[("sec-fetch-site", "same-origin")]));
        assert!(cross_site(&[("sec-fetch-site", "cross-site")]));
        assert!(cross_site(&[("sec-fetch-site", "same-site")]), "a sister site is another site");
        assert!(cross_site(&[("sec-fetch-site", "cross-site"), ("origin", "null")]));
        assert!(!cross_site(&[("origin", "https://login.example")]));
        assert!(
            !cross_site(&[("origin", "https://login.example"), ("host", "127.0.0.1:8080")]),
            "behind a proxy"
        );
        assert!(cross_site(&[("origin", "https://evil.example"), ("host", "evil.example")]));
        assert!(cross_site(&[("origin", "http://login.example")]));
        assert!(!cross_site(&[("origin", "null")]), "an old browser on our own page");
        assert!(!cross_site(&[]));
    }
}
