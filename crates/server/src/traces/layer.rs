//! A request's span, as the OpenTelemetry semantic conventions name it (HTTP server spans 1.x), less what would name a person
//! or a login: neither path nor query, nor address, nor user agent.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method};
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::Traces;
use crate::state::App;
use crate::urls;
use crate::web::address::is_from_proxy;
use crate::web::request_id;

/// What has no span: it would drown the rest, and tells nothing of a login. Nor has what no route matched.
pub(crate) const UNTRACED: [&str; 14] = [
    urls::STATUS,
    urls::EVENTS,
    urls::BROWSER_STATUS,
    urls::BROWSER_EVENTS,
    urls::ASSET,
    urls::SDK,
    urls::SDK_FILE,
    urls::CLIENT_LOGO,
    urls::CLIENT_STYLE,
    urls::VERIFICATION,
    urls::ASSET_LINKS,
    urls::SITE_ASSOCIATION,
    urls::LIVE,
    urls::READY,
];

/// The layer, outermost, and only where there are traces.
pub(crate) async fn layer(
    State((app, traces)): State<(App, Traces)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(context) = begin(&app, &traces, &request) else { return next.run(request).await };
    let response = next.run(request).with_context(context.clone()).await;
    let span = context.span();
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if let Some(name) = response.headers().get(request_id::HEADER).and_then(|name| name.to_str().ok()) {
        span.set_attribute(KeyValue::new("request_id", name.to_owned()));
    }
    if status.is_server_error() {
        span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
        span.set_status(Status::error(""));
    }
    // Work that goes on after the answer keeps the context; the request is over now.
    span.end();
    response
}

fn begin(app: &App, traces: &Traces, request: &Request) -> Option<Context> {
    let template = request.extensions().get::<MatchedPath>()?.as_str();
    if UNTRACED.contains(&template) || request.method() == Method::OPTIONS {
        return None;
    }
    let caller = caller(app, request);
    if !traces.takes(caller.as_ref()) {
        return None;
    }
    let (method, begins) = named(request.method());
    let scheme = if app.site.public_url.starts_with("https:") { "https" } else { "http" };
    let mut said = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.route", template.to_owned()),
        KeyValue::new("url.scheme", scheme),
    ];
    let ticket = request_id::ticket_in(template, request.uri().path()).and_then(request_id::short);
    said.extend(ticket.map(|ticket| KeyValue::new("ticket", ticket)));
    let span = SpanBuilder::from_name(format!("{begins} {template}"))
        .with_kind(SpanKind::Server)
        .with_attributes(said);
    Some(traces.begin(span, caller))
}

/// A method as an attribute and as the beginning of a span's name: those of RFC 9110 and RFC 5789, for strangers may send any word.
fn named(method: &Method) -> (&'static str, &'static str) {
    let known = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => return ("_OTHER", "HTTP"),
    };
    (known, known)
}

/// The caller's span (W3C Trace Context), if a trusted proxy names it; from anyone else it is ignored (SEC-72).
fn caller(app: &App, request: &Request) -> Option<SpanContext> {
    let headers = request.headers();
    headers.get("traceparent")?;
    if !is_from_proxy(request, &app.site.trusted_proxies) {
        return None;
    }
    let named = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    Some(named.span().span_context().clone()).filter(SpanContext::is_valid)
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
