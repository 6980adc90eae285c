//! `POST /revoke` (RFC 7009).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_oidc::revoke::revoke as take_back;
use mashang_oidc::token::TokenRequest;

use super::{authorization, parse, raw_parameters, unreadable};
use crate::state::App;
use crate::web::visitor::Visitor;

/// Takes a token back, with everything issued together with it.
pub async fn revoke(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    let authorization = authorization(request.headers());
    let raw = match raw_parameters(request).await {
        Ok(raw) => raw,
        Err(status) => return unreadable(status),
    };
    let params = match parse(&raw) {
        Ok(params) => params,
        Err(response) => return *response,
    };
    match take_back(&app.provider, TokenRequest { authorization: authorization.as_deref(), params: &params })
        .await
    {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => super::token::refuse(&app, &visitor, &error),
    }
}
