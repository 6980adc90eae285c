//! Refuses state changes that a page of another site sent (SEC-64).
//!
//! Browsers say where a request comes from: `Sec-Fetch-Site` (Fetch Metadata) or at least `Origin`. SameSite cookies
//! already keep our cookies out of such requests; this is the second lock. Callers without either header are no
//! browsers, and a session in a cookie is of no use to an attacker there.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};

use crate::web::problem::Problem;

/// The layer.
pub async fn layer(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && is_cross_site(request.headers()) {
        return Problem::CrossSite.into_response();
    }
    next.run(request).await
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        // Our pages say `no-referrer`, and with that older browsers (WeChat's web view among them) send `Origin: null`
        // even to ourselves. What is left then: SameSite cookies, addresses nobody can guess, and the confirm page's
        // own token.
        (Some("null"), _) => false,
        (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, authority)| authority != host),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross_site(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_cross_site(&headers)
    }

    #[test]
    fn sec_64_only_our_own_pages_change_state() {
        assert!(!cross_site(&[("sec-fetch-site", "same-origin")]));
        assert!(cross_site(&[("sec-fetch-site", "cross-site")]));
        assert!(cross_site(&[("sec-fetch-site", "same-site")]), "a sister site is another site");
        assert!(!cross_site(&[("origin", "https://a.example"), ("host", "a.example")]));
        assert!(cross_site(&[("origin", "https://b.example"), ("host", "a.example")]));
        assert!(!cross_site(&[("origin", "null"), ("host", "a.example")]), "an old browser on our own page");
        assert!(cross_site(&[("sec-fetch-site", "cross-site"), ("origin", "null")]));
        assert!(!cross_site(&[("host", "a.example")]));
    }
}
