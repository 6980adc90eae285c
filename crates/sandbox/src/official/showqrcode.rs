//! `mp.weixin.qq.com/cgi-bin/showqrcode`: the picture of a parametric code (WeChat fact sheet §4.4).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::open::draw_qr;
use crate::params::Params;
use crate::state::Sandbox;

/// 404 for an unknown ticket. A `+` that was not encoded has become a space and is unknown too (§8, quirk 17). Whether
/// an expired ticket still has a picture is open; here it has.
pub(super) async fn show(State(sandbox): State<Sandbox>, params: Params) -> Response {
    let url = sandbox.world().qr_tickets.get(params.get("ticket")).map(|code| code.url.clone());
    match url.and_then(|url| draw_qr(&url)) {
        Some(jpeg) => {
            ([(CONTENT_TYPE, "image/jpg"), (CACHE_CONTROL, "max-age=604800")], jpeg).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
