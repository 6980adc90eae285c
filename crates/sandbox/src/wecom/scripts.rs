//! The scripts that sites embed: the old `WwLogin`, and the `ww` object of `@wecom/jssdk` (WeCom fact sheet §4).
//!
//! Written by us to their protocol. By path prefix they speak to the sandbox's own origin, which the real ones cannot.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::hosts::{self, Reached};
use crate::state::Sandbox;

/// `wwLogin-1.0.0.js`, `wwLogin-1.2.7.js`
pub(super) async fn ww_login(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Path(file): Path<String>,
) -> Response {
    let own = file.starts_with("wwLogin-") && file.ends_with(".js");
    let script = include_str!("../../assets/wecom_wwlogin.js");
    if own {
        filled(&sandbox, &reached, script, hosts::OPEN_WORK)
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// `wecom-jssdk-{version}.js`
pub(super) async fn jssdk(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Path(file): Path<String>,
) -> Response {
    let own = file.starts_with("wecom-jssdk-") && file.ends_with(".js");
    let script = include_str!("../../assets/wecom_jssdk.js");
    if own {
        filled(&sandbox, &reached, script, hosts::LOGIN_WORK)
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// The script with the address of a host of ours filled in.
fn filled(sandbox: &Sandbox, reached: &Reached, script: &str, host: &str) -> Response {
    let base = if reached.is_virtual() {
        reached.base(host)
    } else {
        format!("{}/{host}", sandbox.options().public_base())
    };
    let literal = serde_json::Value::String(base).to_string();
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, script.replace("\"{{base}}\"", &literal)).into_response()
}
