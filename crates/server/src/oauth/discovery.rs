//! `GET /.well-known/openid-configuration`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use mashang_oidc::discovery::{Endpoints, document};

use crate::state::App;
use crate::urls;

/// The paths of this server.
pub const ENDPOINTS: Endpoints = Endpoints {
    authorization: urls::AUTHORIZE,
    token: urls::TOKEN,
    userinfo: urls::USERINFO,
    jwks: urls::JWKS,
    revocation: urls::REVOKE,
    end_session: urls::LOGOUT,
};

/// The document; caches may keep it for a while.
pub async fn discovery(State(app): State<App>) -> Response {
    let document = document(&app.provider.issuer, &ENDPOINTS, &app.site.policies);
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(document)).into_response()
}
