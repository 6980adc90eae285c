//! `api.weixin.qq.com/cgi-bin/*`: what an official account's or a mini-program's server calls with its own token
//! (WeChat fact sheet §4). `answer` is the frame of every call, `tokens` whose token is good for how long.

mod answer;
mod callback_ip;
mod calls;
mod custom_send;
pub(crate) mod error;
mod follower;
mod qrcode;
mod script;
mod token;
mod tokens;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::any;

use crate::faults::Target;
use crate::hosts::Reached;
use crate::state::Sandbox;

pub(crate) use answer::{Call, Outcome, Reply, got, ok, posted, respond, success};
pub(crate) use calls::{CalledFor, Calls, count};
pub(crate) use error::ApiError;
pub(crate) use script::router as script_router;
pub(crate) use tokens::AppTokens;

/// `api.weixin.qq.com`
pub(crate) fn router() -> Router<Sandbox> {
    let plain = |State(sandbox): State<Sandbox>, call: Call| async move {
        respond(&sandbox, call.at(Target::Token), || token::plain(&sandbox, &call)).await
    };
    let stable = |State(sandbox): State<Sandbox>, call: Call| async move {
        respond(&sandbox, call.at(Target::StableToken), || token::stable(&sandbox, &call)).await
    };
    let callback_ip = |State(sandbox): State<Sandbox>, call: Call| async move {
        got(&sandbox, Target::CallbackIp, call, |_, _| callback_ip::list()).await
    };
    let qrcode = |State(sandbox): State<Sandbox>, reached: Reached, call: Call| async move {
        posted(&sandbox, Target::QrcodeCreate, call, |app, call| {
            qrcode::create(&sandbox, app, call, &reached)
        })
        .await
    };
    let follower = |State(sandbox): State<Sandbox>, call: Call| async move {
        got(&sandbox, Target::Follower, call, |app, call| follower::read(&sandbox, app, call)).await
    };
    let custom_send = |State(sandbox): State<Sandbox>, call: Call| async move {
        posted(&sandbox, Target::CustomSend, call, |app, call| custom_send::send(&sandbox, app, call)).await
    };
    Router::new()
        .route("/cgi-bin/qrcode/create", any(qrcode))
        .route("/cgi-bin/user/info", any(follower))
        .route("/cgi-bin/message/custom/send", any(custom_send))
        .route("/cgi-bin/token", any(plain))
        .route("/cgi-bin/stable_token", any(stable))
        .route("/cgi-bin/getcallbackip", any(callback_ip))
}

/// A path that the gateway does not know. The number is from memory, not from the fact sheet.
pub(crate) async fn unknown_path(State(sandbox): State<Sandbox>, called: CalledFor) -> Response {
    respond(&sandbox, called.at(Target::All), || Err(error::INVALID_URL)).await
}
