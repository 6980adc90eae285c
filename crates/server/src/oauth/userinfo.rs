//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3).

use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, header};
use mashang_oidc::userinfo::{BearerError, bearer_token, userinfo as look_up};
use serde_json::json;

use super::{answer, authorization, called_too_often, form_body, is_form, parse, unreadable, with_header};
use crate::outgoing::causes;
use crate::state::App;
use crate::web::visitor::Visitor;

/// Says what the token's scopes open.
pub async fn userinfo(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    if let Some(wait) = called_too_often(&app, &visitor) {
        return wait;
    }
    let authorization = authorization(request.headers());
    let params = if *request.method() == Method::POST && is_form(request.headers()) {
        match form_body(request).await {
            Ok(raw) => match parse(&raw) {
                Ok(params) => Some(params),
                Err(response) => return *response,
            },
            Err(status) => return unreadable(status),
        }
    } else {
        None
    };
    let found = match bearer_token(authorization.as_deref(), params.as_ref()) {
        Ok(token) => look_up(&app.provider, token).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(claims) => answer(200, &claims),
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &BearerError) -> Response {
    if let BearerError::Unavailable(cause) = error {
        let cause = causes(cause);
        tracing::error!(cause, "userinfo failed: {cause}");
    }
    let code = error.code().unwrap_or(if error.status() == 503 {
        "temporarily_unavailable"
    } else {
        "invalid_token"
    });
    let response = answer(error.status(), &json!({ "error": code, "error_description": error.to_string() }));
    match error.challenge() {
        Some(challenge) => with_header(response, header::WWW_AUTHENTICATE, &challenge),
        None => response,
    }
}
