//! `POST /revoke` (RFC 7009).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_oidc::revoke::revoke as take_back;

use super::FromClient;
use crate::audit;
use crate::state::App;
use crate::web::visitor::Visitor;

/// Takes a token back, with everything issued together with it.
pub async fn revoke(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    if let Some(wait) = super::called_too_often(&app, &visitor) {
        return wait;
    }
    let sent = match FromClient::read(request).await {
        Ok(sent) => sent,
        Err(response) => return *response,
    };
    if let Some(wait) = super::guessed_too_much(&app, &visitor, &sent) {
        return wait;
    }
    match take_back(&app.provider, sent.as_request()).await {
        Ok(revoked) => {
            if let Some(revoked) = revoked {
                let kind = AuditKind::TokensRevoked;
                audit::of_client(&app, &visitor, kind, &revoked.client, Some(&revoked.user)).await;
            }
            StatusCode::OK.into_response()
        }
        Err(error) => super::token::refuse(&app, &visitor, &error).await,
    }
}
