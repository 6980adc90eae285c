//! Mini-programs: their codes, `wx.login`, and a page in which a small one runs (mini-program fact sheet).
//!
//! `wxacode` draws codes (`picture`, `png`), `link_api` keeps the rules for ordinary links (`rules`), `launch` decides
//! what a scan opens, `page` runs it on the phone and `script` without one. `login`, `phone_number`, `checksession` and
//! `sealed` are about the person.

mod checksession;
mod launch;
mod link_api;
mod login;
mod page;
mod phone_number;
mod picture;
mod png;
mod program;
mod rules;
mod script;
mod sealed;
mod world;
mod wxacode;

use axum::Router;
use axum::extract::State;
use axum::routing::{any, get, post};

use crate::cgi::{Call, got, posted};
use crate::faults::Target;
use crate::state::Sandbox;

pub(crate) use launch::link_target;
pub use program::{DEMO_MINI_PAGE, MiniProgram};
pub(crate) use script::{launched, router as script_router};
pub(crate) use world::MiniWorld;

/// What drawn codes hold, below the sandbox's address.
pub(crate) const CODES: &str = "/mini/";
/// Where an ordinary link leads that a rule turns into a mini-program.
pub(crate) const LINK: &str = "/mini/link";

/// `api.weixin.qq.com`
pub(crate) fn router() -> Router<Sandbox> {
    macro_rules! call {
        ($frame:ident, $target:ident, $work:expr) => {
            any(|State(sandbox): State<Sandbox>, call: Call| async move {
                $frame(&sandbox, Target::$target, call, |app, call| $work(&sandbox, app, call)).await
            })
        };
    }
    let add = |State(sandbox): State<Sandbox>, call: Call| async move {
        let is_there = link_api::file_is_there(&sandbox, &call).await;
        let work = |app: &_, call: &_| link_api::add(&sandbox, app, call, is_there);
        posted(&sandbox, Target::LinkRules, call, work).await
    };
    Router::new()
        .route("/wxa/getwxacodeunlimit", call!(posted, Wxacode, wxacode::unlimited))
        .route("/wxa/getwxacode", call!(posted, Wxacode, wxacode::limited))
        .route("/cgi-bin/wxaapp/createwxaqrcode", call!(posted, Wxacode, wxacode::square))
        .route("/wxa/business/getuserphonenumber", call!(posted, PhoneNumber, phone_number::read))
        .route("/wxa/checksession", call!(got, Checksession, checksession::check))
        .route("/cgi-bin/wxopen/qrcodejumpdownload", call!(posted, LinkRules, link_api::download))
        .route("/cgi-bin/wxopen/qrcodejumpadd", any(add))
        .route("/cgi-bin/wxopen/qrcodejumpget", call!(posted, LinkRules, link_api::list))
        .route("/cgi-bin/wxopen/qrcodejumppublish", call!(posted, LinkRules, link_api::publish))
        .route("/cgi-bin/wxopen/qrcodejumpdelete", call!(posted, LinkRules, link_api::delete))
}

/// The opened mini-program, on the sandbox's own origin.
pub(crate) fn page_router() -> Router<Sandbox> {
    Router::new()
        .route("/mini/{code}", get(page::show))
        .route("/phone/mini", get(page::of_scene))
        .route("/sandbox/mini/login", post(page::login))
        .route("/sandbox/mini/phone-number", post(page::phone_number))
        .route("/sandbox/mini/request", post(page::request))
}
