//! The pretend phone: a page at `/phone`, held by whoever the cookie names.
//!
//! It scans (camera, pasted link, or a click beside the QR) and opens what it scanned. Our own Open Platform and
//! web-authorization links open here; any other link is left for the browser, marked `via=wechat`.
//! `holder` knows who holds it, `inside` whether a request comes from the browser in one of its apps, `reading` decides
//! what a scanned text is, `frame` draws its pages.

mod app;
mod avatar;
mod frame;
mod holder;
mod home;
mod inside;
mod reading;
mod who;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Sandbox;

pub(crate) use app::{PhoneApp, SWITCH_TO_WECOM};
pub(crate) use frame::{
    PhoneLang, ask_who, back_to_site, bad_request, encoded, found, notice, page, path_segment, shown,
};
pub(crate) use holder::Holder;
pub(crate) use inside::inside;
pub(crate) use reading::{Reading, read, scanned};

/// The phone's own page.
pub(crate) const HOME: &str = "/phone";
/// Picking who holds it.
const WHO: &str = "/phone/who";

/// Pages of the phone, on the sandbox's own origin.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route(HOME, get(home::show))
        .route(WHO, get(who::show).post(who::pick))
        .route("/phone/people", post(who::make))
        .route("/phone/lang/{tag}", get(frame::switch_lang))
        .route("/phone/app/{name}", get(app::switch))
}

/// `thirdwx.qlogo.cn`
pub(crate) fn avatar_router() -> Router<Sandbox> {
    Router::new().route("/mmopen/vi_32/{key}/{size}", get(avatar::show))
}
