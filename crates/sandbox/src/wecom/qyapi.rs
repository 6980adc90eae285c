//! `qyapi.weixin.qq.com/cgi-bin/*`: which path is which call. HTTP 200 and JSON for every outcome.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use serde_json::Value;

use super::answer::{Errcode, Outcome, respond};
use super::calls::Caller;
use super::directory::{self, Depth};
use super::gettoken;
use super::identity::{self, Case, Detail};
use crate::cgi::CalledFor;
use crate::faults::Target;
use crate::params::Params;
use crate::state::Sandbox;

/// What a call without a body is made of.
type Get = fn(&Sandbox, &Params, Caller) -> Outcome;
/// What a call with a JSON body is made of.
type Post = fn(&Sandbox, &Params, &Value, Caller) -> Outcome;

/// `qyapi.weixin.qq.com`
pub(crate) fn router() -> Router<Sandbox> {
    let gets: [(&str, Target, Get); 7] = [
        ("gettoken", Target::Gettoken, |sandbox, params, _| gettoken::issue(sandbox, params)),
        ("auth/getuserinfo", Target::Getuserinfo, |sandbox, params, caller| {
            identity::by_code(sandbox, params, Case::Lower, caller.0)
        }),
        ("user/getuserinfo", Target::Getuserinfo, |sandbox, params, caller| {
            identity::by_code(sandbox, params, Case::Mixed, caller.0)
        }),
        ("user/get", Target::User, |sandbox, params, caller| directory::user(sandbox, params, caller.0)),
        ("user/simplelist", Target::User, |sandbox, params, caller| {
            directory::members(sandbox, params, caller.0)
        }),
        ("department/list", Target::Department, |sandbox, params, caller| {
            directory::departments(sandbox, params, Depth::Full, caller.0)
        }),
        ("department/simplelist", Target::Department, |sandbox, params, caller| {
            directory::departments(sandbox, params, Depth::Ids, caller.0)
        }),
    ];
    let posts: [(&str, Target, Post); 5] = [
        ("auth/getuserdetail", Target::Getuserdetail, |sandbox, params, body, caller| {
            identity::by_ticket(sandbox, params, body, Detail::Auth, caller.0)
        }),
        ("user/getuserdetail", Target::Getuserdetail, |sandbox, params, body, caller| {
            identity::by_ticket(sandbox, params, body, Detail::User, caller.0)
        }),
        ("user/list_id", Target::User, |sandbox, params, body, caller| {
            directory::ids_of_all(sandbox, params, body, caller.0)
        }),
        ("user/convert_to_openid", Target::User, |sandbox, params, body, caller| {
            directory::to_openid(sandbox, params, body, caller.0)
        }),
        ("user/convert_to_userid", Target::User, |sandbox, params, body, caller| {
            directory::to_userid(sandbox, params, body, caller.0)
        }),
    ];
    let mut calls = Router::new();
    for (path, target, work) in gets {
        let call = move |State(sandbox): State<Sandbox>,
                         caller: Caller,
                         called: CalledFor,
                         params: Params| async move {
            respond(&sandbox, called.at(target), caller.0, || work(&sandbox, &params, caller)).await
        };
        calls = calls.route(&format!("/cgi-bin/{path}"), get(call).post(call));
    }
    for (path, target, work) in posts {
        let call = move |State(sandbox): State<Sandbox>,
                         caller: Caller,
                         called: CalledFor,
                         params: Params,
                         body: Bytes| async move {
            respond(&sandbox, called.at(target), caller.0, || {
                let body = serde_json::from_slice(&body).map_err(|_| Errcode::BadParameter)?;
                work(&sandbox, &params, &body, caller)
            })
            .await
        };
        calls = calls.route(&format!("/cgi-bin/{path}"), post(call));
    }
    calls
}
