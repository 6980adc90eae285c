//! The bytes of an sns answer, and the faults that may spoil them.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::Value;

use crate::cgi::ApiError;
use crate::faults::{At, FaultName};
use crate::ids;
use crate::spoil;
use crate::state::Sandbox;

/// The errors of §2.7 that the sandbox itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errcode {
    InvalidCredential,
    InvalidGrantType,
    InvalidOpenid,
    InvalidAppid,
    InvalidCode,
    InvalidRefreshToken,
    InvalidSecret,
    CodeUsed,
    AccessTokenMissing,
    AppidMissing,
    RefreshTokenMissing,
    SecretMissing,
    CodeMissing,
    OpenidMissing,
    AccessTokenExpired,
    RefreshTokenExpired,
    ApiUnauthorized,
}

impl Errcode {
    fn number_and_text(self) -> (i32, &'static str) {
        match self {
            Self::InvalidCredential => (40001, "invalid credential, access_token is invalid or not latest"),
            Self::InvalidGrantType => (40002, "invalid grant_type"),
            Self::InvalidOpenid => (40003, "invalid openid"),
            Self::InvalidAppid => (40013, "invalid appid"),
            Self::InvalidCode => (40029, "invalid code"),
            Self::InvalidRefreshToken => (40030, "invalid refresh_token"),
            Self::InvalidSecret => (40125, "invalid appsecret"),
            Self::CodeUsed => (40163, "code been used"),
            Self::AccessTokenMissing => (41001, "access_token missing"),
            Self::AppidMissing => (41002, "appid missing"),
            Self::RefreshTokenMissing => (41003, "refresh_token missing"),
            Self::SecretMissing => (41004, "appsecret missing"),
            Self::CodeMissing => (41008, "missing code"),
            Self::OpenidMissing => (41009, "missing openid"),
            Self::AccessTokenExpired => (42001, "access_token expired"),
            Self::RefreshTokenExpired => (42002, "refresh_token expired"),
            Self::ApiUnauthorized => (48001, "api unauthorized"),
        }
    }
}

/// A finished answer before it becomes bytes: the JSON text, fields in their real order.
pub(super) type Outcome = Result<String, Errcode>;

/// The JSON of a success, in the order in which the fields are declared.
pub(super) fn success(fields: &impl Serialize) -> Outcome {
    Ok(serde_json::to_string(fields).expect("structs of texts and numbers serialize"))
}

/// Does the work and sends it, with whatever fault is due for this call.
pub(super) async fn respond(sandbox: &Sandbox, at: At<'_>, work: impl FnOnce() -> Outcome) -> Response {
    spoil::in_time(sandbox, at, || answered(sandbox, at, work)).await
}

fn answered(sandbox: &Sandbox, at: At<'_>, work: impl FnOnce() -> Outcome) -> Response {
    let mut json = match spoil::errcode(sandbox, at).map(ApiError::by_number) {
        Some(refused) => return text_plain(refused_json(sandbox, refused.number, &refused.text)),
        None => work().unwrap_or_else(|errcode| error_json(sandbox, errcode)),
    };
    if json.contains("\"unionid\"") && sandbox.world().faults.take(FaultName::NoUnionid, at).is_some() {
        json = spoil::without_unionid(&json);
    }
    spoil::lost(sandbox, at).unwrap_or_else(|| text_plain(spoil::cut(sandbox, at, json)))
}

fn error_json(sandbox: &Sandbox, errcode: Errcode) -> String {
    let (number, text) = errcode.number_and_text();
    refused_json(sandbox, i64::from(number), text)
}

fn refused_json(sandbox: &Sandbox, number: i64, text: &str) -> String {
    let rid = ids::rid(sandbox.entropy(), sandbox.now_ms());
    format!(r#"{{"errcode":{number},"errmsg":"{text}, rid: {rid}"}}"#)
}

/// §2.1: `text/plain`, slashes escaped. A slash occurs only inside JSON strings, so replacing it is safe.
fn text_plain(json: String) -> Response {
    ([(CONTENT_TYPE, "text/plain")], json.replace('/', "\\/")).into_response()
}

/// The answer of a call that has nothing to tell.
pub(super) fn ok() -> Outcome {
    Ok(serde_json::json!({ "errcode": 0, "errmsg": Value::from("ok") }).to_string())
}
