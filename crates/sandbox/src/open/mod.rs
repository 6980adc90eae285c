//! Open Platform website login: what a desktop browser and the phone see of it (WeChat fact sheet §1).
//!
//! `qrconnect` draws the page, `image` the QR, `poll` answers the waiting page, `confirm` is what the phone opens,
//! `wxlogin_js` the embedding script. `qr_login` is the attempt that they share; it knows no HTTP.

mod confirm;
mod image;
mod poll;
mod qr_login;
mod qrconnect;
mod wxlogin_js;

use axum::Router;
use axum::routing::get;

use crate::state::Sandbox;

pub(crate) use confirm::{Answer, answer, scan};
pub(crate) use image::draw as draw_qr;
pub(crate) use qr_login::{Callback, QrLogin, Refusal, Report, confirm_url};

/// `open.weixin.qq.com`
pub(crate) fn page_router() -> Router<Sandbox> {
    Router::new()
        .route("/connect/qrconnect", get(qrconnect::show))
        .route("/connect/qrcode/{uuid}", get(image::show))
        .route("/connect/confirm", get(confirm::show).post(confirm::submit))
}

/// `lp.open.weixin.qq.com` and `long.open.weixin.qq.com`
pub(crate) fn poll_router() -> Router<Sandbox> {
    Router::new().route("/connect/l/qrconnect", get(poll::hold))
}

/// `res.wx.qq.com`
pub(crate) fn script_router() -> Router<Sandbox> {
    Router::new().route("/connect/zh_CN/htmledition/js/wxLogin.js", get(wxlogin_js::serve))
}
