//! `api.weixin.qq.com/sns/*`: what a site's server calls (WeChat fact sheet §2).
//!
//! GET or form POST, extra parameters ignored, HTTP 200 for every outcome, JSON as `text/plain` with escaped slashes.
//! `answer` gives the outcomes their bytes and lets faults interfere; `grant` is what a code and a token stand for.

mod access_token;
mod answer;
mod auth;
mod credentials;
mod grant;
mod jscode2session;
mod refresh_token;
mod userinfo;

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use crate::cgi::CalledFor;
use crate::faults::Target;
use crate::params::QueryOrForm;
use crate::state::Sandbox;

pub(crate) use grant::{Code, Grant, MINI_SCOPE};

/// `api.weixin.qq.com`
pub(crate) fn router() -> Router<Sandbox> {
    let access_token =
        |State(sandbox): State<Sandbox>, called: CalledFor, QueryOrForm(params): QueryOrForm| async move {
            answer::respond(&sandbox, called.at(Target::AccessToken), || {
                access_token::exchange(&sandbox, &params)
            })
            .await
        };
    let refresh_token =
        |State(sandbox): State<Sandbox>, called: CalledFor, QueryOrForm(params): QueryOrForm| async move {
            answer::respond(&sandbox, called.at(Target::RefreshToken), || {
                refresh_token::refresh(&sandbox, &params)
            })
            .await
        };
    let auth = |State(sandbox): State<Sandbox>, called: CalledFor, QueryOrForm(params): QueryOrForm| async move {
        answer::respond(&sandbox, called.at(Target::Auth), || auth::check(&sandbox, &params)).await
    };
    let userinfo = |State(sandbox): State<Sandbox>, called: CalledFor, QueryOrForm(params): QueryOrForm| async move {
        answer::respond(&sandbox, called.at(Target::Userinfo), || userinfo::read(&sandbox, &params)).await
    };
    let jscode2session =
        |State(sandbox): State<Sandbox>, called: CalledFor, QueryOrForm(params): QueryOrForm| async move {
            answer::respond(&sandbox, called.at(Target::Jscode2session), || {
                jscode2session::exchange(&sandbox, &params)
            })
            .await
        };
    Router::new()
        .route("/sns/jscode2session", get(jscode2session).post(jscode2session))
        .route("/sns/oauth2/access_token", get(access_token).post(access_token))
        .route("/sns/oauth2/refresh_token", get(refresh_token).post(refresh_token))
        .route("/sns/auth", get(auth).post(auth))
        .route("/sns/userinfo", get(userinfo).post(userinfo))
}
