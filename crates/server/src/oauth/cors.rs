//! Cross-origin answers (SEC-59): discovery and keys for everyone, token, userinfo and the Browser API for the exact
//! origins of registered clients, nothing anywhere else, and never with cookies.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};

use crate::state::App;

/// For documents that are public anyway.
pub async fn public(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// For endpoints that single-page apps call.
pub async fn of_clients(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let is_preflight = *request.method() == Method::OPTIONS;
    let is_known = is_registered(&app, &origin).await;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if is_known {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        if is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type"),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}

/// `OPTIONS`: the layer adds what the origin is allowed to know.
pub async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn is_registered(app: &App, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    // A store that does not answer grants nothing (SEC-82).
    let clients = app.records.clients().await.unwrap_or_default();
    clients.iter().any(|client| client.is_enabled() && client.owns_origin(origin))
}
