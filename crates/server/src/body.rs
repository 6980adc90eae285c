//! A request's body arrives whole, small, and in time, before any handler sees it (SEC-71).

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

/// Requests are forms of a few fields; nothing larger is read.
pub(crate) const LIMIT: usize = 32 * 1024;
/// All of it must arrive within this time, however it trickles.
const TIME: Duration = Duration::from_secs(10);

/// A platform's events may be larger: 64 KiB, as their reader allows (SEC-32).
pub(crate) const EVENT_LIMIT: usize = 64 * 1024;

/// The layer of events. Platforms, and whoever plays one, get bare statuses.
pub(crate) async fn event_layer(request: Request, next: Next) -> Response {
    let response = whole(request, next, EVENT_LIMIT).await;
    match response.status() {
        status @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) => status.into_response(),
        _ => response,
    }
}

/// The layer.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    whole(request, next, LIMIT).await
}

async fn whole(request: Request, next: Next, limit: usize) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(TIME, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(_)) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the request is too large or broke off").into_response()
        }
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(body: Body) -> StatusCode {
        let router = Router::new().route("/", post(async |text: String| text)).layer(from_fn(layer));
        router.oneshot(Request::post("/").body(body).unwrap()).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn sec_71_a_body_that_trickles_is_given_up() {
        let trickle = stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_secs(4)).await;
            Some((Ok::<_, std::io::Error>("x"), n + 1))
        });
        assert_eq!(answer(Body::from_stream(trickle)).await, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(answer(Body::from("x".repeat(LIMIT + 1))).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer(Body::from("x")).await, StatusCode::OK);
    }
}
