//! `wxLogin.js`: the script by which sites put the QR page into an iframe (WeChat fact sheet §1.6).
//!
//! Written by us to the published protocol; only the address of the open host differs from the real one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::hosts::{self, Reached};
use crate::state::Sandbox;

/// The script with the address of our open host filled in.
pub(super) async fn serve(State(sandbox): State<Sandbox>, reached: Reached) -> Response {
    let open = if reached.is_virtual() {
        reached.base(hosts::OPEN)
    } else {
        format!("{}/{}", sandbox.options().public_base(), hosts::OPEN)
    };
    let literal = serde_json::Value::String(open).to_string();
    let script = include_str!("../../assets/wxLogin.js").replace("\"{{open}}\"", &literal);
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, script).into_response()
}
