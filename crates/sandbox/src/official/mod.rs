//! Official account: web authorization inside WeChat (WeChat fact sheet §3).

mod authorize;
mod check;

use axum::Router;
use axum::routing::get;

use crate::state::Sandbox;

pub(crate) use authorize::{Consent, Opened, answer_request};
pub(crate) use check::knows_error;

/// The part of `open.weixin.qq.com` that is the official account's.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route("/connect/oauth2/authorize", get(authorize::show).post(authorize::submit))
}
