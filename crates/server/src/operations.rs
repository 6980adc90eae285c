//! The listener that only operators reach (`[operations]`): metrics, liveness, readiness with its reasons. It is bound to
//! an address of its own, so nothing here is a question of who asks; the public listener has no way to it.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use crate::outgoing::causes;
use crate::state::App;
use crate::{clock_skew, health, metrics, urls};

/// Where Prometheus reads.
pub const METRICS: &str = "/metrics";

/// All of it.
pub fn router(app: App) -> Router {
    Router::new()
        .route(METRICS, get(told))
        .route(urls::LIVE, get(health::live))
        .route(urls::READY, get(ready))
        .with_state(app)
}

async fn told(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], app.metrics.render()).into_response()
}

/// As the public one, and what is not right although the node is ready.
async fn ready(State(app): State<App>, RawQuery(question): RawQuery) -> Response {
    match health::check_what(&app, question.as_deref()).await {
        Ok(()) => {
            let mut text = String::from("ready\n");
            for skew in clock_skew::measure(&app).await.into_iter().filter(clock_skew::Skew::is_too_much) {
                text.push_str(&format!("warning: {skew}\n"));
            }
            text.into_response()
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", causes(&why))).into_response(),
    }
}
