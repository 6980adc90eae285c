//! `GET /jwks`: the public halves of the signing keys (RFC 7517).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::App;

/// Keys that sign now, will soon, or did until lately. Cached far shorter than a new key is published ahead.
pub async fn jwks(State(app): State<App>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=600")], Json(app.provider.keys.jwks(app.now())))
        .into_response()
}
