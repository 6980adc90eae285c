//! `/channel/{channel}/access-token`: gives an app's token to the operator's other systems, so that only one of them, we,
//! fetches it from the platform. Off unless `[channel.<id>.token_hub]` gives it a key.
//!
//! `GET` answers as WeChat's own call would; `POST` with `{"invalid": "<token>"}` tells that the platform no longer takes a
//! token, and is answered once another one is there. Both carry `Authorization: Bearer <key>`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mashang_login::audit::AuditKind;
use mashang_wechat::AccessToken;
use serde::Deserialize;
use serde_json::json;

use super::{Failure, Source};
use crate::audit;
use crate::channel::{Channel, ChannelFailure};
use crate::state::App;
use crate::web::limits::{Counted, TooMany, Whose};
use crate::web::visitor::Visitor;

/// What a system reports.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// A token that the platform refused.
    invalid: String,
}

/// Why a system gets no token.
enum Refused {
    /// No such channel, or its hub is off.
    NotFound,
    /// No key, or a wrong one.
    WrongKey,
    TooMany(TooMany),
    BadRequest,
    /// The platform, or our own store, gave none.
    Failed(StatusCode),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::WrongKey => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Failed(status) => (*status, "temporarily_unavailable"),
        };
        let mut response = private(status, json!({ "error": error }));
        let headers = response.headers_mut();
        match self {
            Self::WrongKey => {
                headers
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mashang\""));
            }
            Self::TooMany(limit) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(limit.retry_after.as_secs().max(1)));
            }
            _ => {}
        }
        response
    }
}

/// Gives the token.
pub async fn give(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (channel, source) = match admit(&app, &visitor, &channel, &headers).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    match app.tokens.current(source).await {
        Ok((token, expires_in)) => {
            let mut event = audit::by(&app, &visitor, AuditKind::PlatformTokenGiven);
            event.channel = Some(channel.id.clone());
            audit::write(&app, event).await;
            private(StatusCode::OK, json!({ "access_token": token.expose(), "expires_in": expires_in }))
        }
        Err(failure) => failed(channel, failure).into_response(),
    }
}

/// Takes note of a dead token.
pub async fn report(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
    headers: HeaderMap,
    report: Result<Json<Report>, JsonRejection>,
) -> Response {
    let (channel, source) = match admit(&app, &visitor, &channel, &headers).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused.into_response(),
    };
    let Ok(Json(report)) = report else { return Refused::BadRequest.into_response() };
    match app.tokens.replace(source, &AccessToken::new(report.invalid)).await {
        Ok(()) => private(StatusCode::OK, json!({})),
        Err(failure) => failed(channel, failure).into_response(),
    }
}

/// Finds the channel and its hub, if the key is right.
async fn admit<'a>(
    app: &'a App,
    visitor: &Visitor,
    channel: &str,
    headers: &HeaderMap,
) -> Result<(&'a Channel, &'a Source), Refused> {
    app.limits.count_here(Counted::Poll, visitor.address).map_err(Refused::TooMany)?;
    let channel = app.channels.get(channel).ok_or(Refused::NotFound)?;
    let (Some(key), Some(source)) = (&channel.hub, channel.source()) else { return Err(Refused::NotFound) };
    // One system with an old key closes this channel's hub to its neighbours, and nothing else.
    let whose = Whose::to_one(visitor.address, channel.id.as_str());
    app.limits.is_exhausted(Counted::TokenError, whose.clone()).map_err(Refused::TooMany)?;
    if !bearer(headers).is_some_and(|presented| key.is(presented)) {
        let _ = app.count(Counted::TokenError, whose).await;
        tracing::warn!(channel.id = %channel.id, "the token of {} was asked for from {} without the right key", channel.id, visitor.address);
        return Err(Refused::WrongKey);
    }
    Ok((channel, source))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn failed(channel: &Channel, failure: Failure) -> Refused {
    let status = match failure {
        Failure::Store(_) | Failure::Awaited | Failure::Broken => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Platform(_) | Failure::Resting { .. } | Failure::Theirs(_) => StatusCode::BAD_GATEWAY,
    };
    let id = &channel.id;
    let told = ChannelFailure::from(failure);
    tracing::warn!(channel.id = %id, upstream.errcode = told.errcode, "no token of {id} to give: {}", told.log);
    Refused::Failed(status)
}

/// A JSON answer that no cache may keep.
fn private(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
