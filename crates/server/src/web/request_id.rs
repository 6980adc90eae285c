//! A request's name: in `X-Request-Id` of its answer and on every line that is logged about it, beside the ticket's short
//! name. And the count of it, since the same layer sees every answer.
//!
//! A name that a trusted proxy gave is kept, so that its log and ours can be laid side by side; from anyone else it is
//! ignored (SEC-72). Our own is a number that no other request of this node has, in disguise: it needs no chance and tells
//! nobody how many requests there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::MatchedPath;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use mashang_login::Entropy;
use mashang_login::ids::ScanCode;
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::address::is_from_proxy;
use crate::metrics::requests::{Route, UNMATCHED, method};
use crate::state::App;
use crate::{traces, urls};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// More than any proxy of note sends.
const LONGEST: usize = 64;
/// What stands in a route's template for the scan code.
const TICKET: &str = "{ticket}";

/// Makes names.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

impl RequestIds {
    /// Names that begin anywhere, so that two nodes, and two starts of one, hardly share any.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut start = [0; 8];
        entropy.fill(&mut start);
        Self { next: AtomicU64::new(u64::from_le_bytes(start)) }
    }

    fn fresh(&self) -> HeaderValue {
        // SplitMix64 (Steele, Lea, Flood 2014): one to one, so what goes in once comes out once.
        let mut n = self.next.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^= n >> 31;
        let digit = |place: usize| b"0123456789abcdef"[((n >> (60 - 4 * place)) & 15) as usize];
        let digits: [u8; 16] = std::array::from_fn(digit);
        HeaderValue::from_bytes(&digits).expect("hexadecimal digits")
    }
}

/// The name a proxy gave, if it may and if it is harmless in a log.
fn given<B>(app: &App, request: &Request<B>) -> Option<HeaderValue> {
    let name = request.headers().get(&HEADER)?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_harmless = (1..=LONGEST).contains(&name.len()) && name.as_bytes().iter().all(is_plain);
    (is_harmless && is_from_proxy(request, &app.site.trusted_proxies)).then(|| name.clone())
}

/// The scan code in a path, by the route's template.
pub(crate) fn ticket_in<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let before = template.split(TICKET).next().filter(|before| before.len() < template.len())?;
    path.split('/').nth(before.matches('/').count())
}

/// What logs call a ticket: as the audit trail does, too little to find it by.
pub(crate) fn short(code: &str) -> Option<String> {
    ScanCode::parse(code).ok().map(|code| code.short().to_owned())
}

/// The present request is about this ticket, which its address does not say.
pub fn about(code: &ScanCode) {
    Span::current().record("ticket", code.short());
    traces::about(code);
}

/// A request that has its name.
#[derive(Debug)]
pub struct Named {
    name: HeaderValue,
    uri: Uri,
    is_poll: bool,
    counted: Counted,
}

/// A request that is counted once: as it was answered, or, when this is dropped before, as one whose caller hung up.
#[derive(Debug)]
struct Counted {
    method: &'static str,
    route: Arc<Route>,
    began: Instant,
    is_answered: bool,
}

impl Counted {
    fn answered(mut self, status: StatusCode) {
        self.is_answered = true;
        self.route.count(self.method, status, self.began.elapsed());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.is_answered {
            self.route.left(self.method);
        }
    }
}

impl Named {
    /// Names a request.
    #[must_use]
    pub fn read<B>(app: &App, request: &Request<B>) -> Self {
        let template = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        Self::of_route(app, request, template)
    }

    /// Names a request of a route that is known.
    #[must_use]
    pub fn of_route<B>(app: &App, request: &Request<B>, template: &str) -> Self {
        Self {
            name: given(app, request).unwrap_or_else(|| app.request_ids.fresh()),
            uri: request.uri().clone(),
            is_poll: template == urls::STATUS || template == urls::BROWSER_STATUS,
            counted: Counted {
                method: method(request.method()),
                route: app.metrics.requests.route(template),
                began: Instant::now(),
                is_answered: false,
            },
        }
    }

    /// What its log lines are within. None for a poll: those are most of the requests there are, a span is a good part of
    /// what one costs, and all that is ever said of one is that it failed ([`worded`](Self::worded)).
    #[must_use]
    pub fn span(&self) -> Span {
        if self.is_poll { Span::none() } else { self.make_span() }
    }

    fn make_span(&self) -> Span {
        let request_id = self.name.to_str().unwrap_or_default();
        // A name for lines of any level: with `log.filter = "warn"` a warning has it too.
        let span =
            tracing::error_span!("request", request_id, ticket = Empty, trace_id = Empty, span_id = Empty);
        traces::name(&span);
        if !span.is_disabled()
            && let Some(ticket) = ticket_in(self.counted.route.template(), self.uri.path()).and_then(short)
        {
            span.record("ticket", ticket);
        }
        span
    }

    /// Puts its answer into words, within its span.
    pub fn worded(&self, answer: Response, words: impl FnOnce(Response) -> Response) -> Response {
        if !self.is_poll || answer.status().is_success() {
            return words(answer);
        }
        self.make_span().in_scope(|| words(answer))
    }

    /// It is answered: that is counted, and the answer has its name.
    pub fn answered(self, response: &mut Response) {
        self.counted.answered(response.status());
        response.headers_mut().insert(HEADER, self.name);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use mashang_login::ambient::SystemEntropy;

    use super::*;

    #[test]
    fn no_two_requests_of_a_node_have_the_same_name() {
        let ids = RequestIds::random(&SystemEntropy);
        let names: HashSet<_> = (0..10_000).map(|_| ids.fresh()).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == 16));
    }

    #[test]
    fn the_scan_code_is_found_by_the_route() {
        assert_eq!(ticket_in("/login/{grant}/{ticket}/status", "/login/g/t/status"), Some("t"));
        assert_eq!(ticket_in("/s/{ticket}", "/s/t"), Some("t"));
        assert_eq!(ticket_in("/s/{ticket}", "/s/"), Some(""));
        assert_eq!(ticket_in("/authorize", "/authorize"), None);
        assert_eq!(short(""), None);
    }
}
