//! Official account: web authorization inside WeChat (WeChat fact sheet §3), and its parametric codes with the chat they
//! lead to (§4).

mod anchors;
mod authorize;
mod chat;
mod chat_page;
mod check;
mod follow;
mod script;
mod showqrcode;
mod ticket;

use axum::Router;
use axum::routing::get;

use crate::state::Sandbox;

pub(crate) use authorize::{Consent, Opened, answer_request};
pub(crate) use chat::{Chats, OUT_OF_ORDER, Silence};
pub(crate) use check::knows_error;
pub(crate) use script::{router as script_router, scan_code};
pub(crate) use ticket::{QrTicket, Scene, link_id, ticket_text};

/// The part of `open.weixin.qq.com` that is the official account's.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route("/connect/oauth2/authorize", get(authorize::show).post(authorize::submit))
}

/// `mp.weixin.qq.com`
pub(crate) fn picture_router() -> Router<Sandbox> {
    Router::new().route("/cgi-bin/showqrcode", get(showqrcode::show))
}

/// `weixin.qq.com`
pub(crate) fn link_router() -> Router<Sandbox> {
    Router::new().route("/q/{link}", get(chat_page::open_code))
}

/// The chat, on the sandbox's own origin.
pub(crate) fn chat_router() -> Router<Sandbox> {
    Router::new().route("/phone/chat/{appid}", get(chat_page::show).post(chat_page::act))
}
