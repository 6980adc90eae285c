//! `POST /token` (RFC 6749 §3.2).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header;
use mashang_login::audit::AuditKind;
use mashang_oidc::token::{Happened, TokenError, token as exchange};

use super::{FromClient, answer, with_header};
use crate::audit;
use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Exchanges a code or a refresh token.
pub async fn token(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    let sent = match FromClient::read(request).await {
        Ok(sent) => sent,
        Err(response) => return *response,
    };
    if let Some(wait) = super::guessed_too_much(&app, &visitor) {
        return wait;
    }
    let from = audit::by(&app, &visitor, AuditKind::TokensIssued);
    let (result, happened) = exchange(&app.provider, sent.as_request(), &from).await;
    if let Some(happened) = happened {
        note(&app, &visitor, &happened).await;
    }
    match result {
        Ok(tokens) => match serde_json::to_value(&tokens) {
            Ok(body) => answer(200, &body),
            Err(error) => Problem::Broken(error.to_string()).into_response(),
        },
        Err(error) => refuse(&app, &visitor, &error).await,
    }
}

/// Answers a refusal, and slows down whoever guesses secrets (SEC-79).
pub(super) async fn refuse(app: &App, visitor: &Visitor, error: &TokenError) -> Response {
    if error.code == "invalid_client" {
        // Counted here, refused at the next request: a right secret after too many wrong ones waits as well.
        let _ = app.count(Counted::TokenError, visitor.address).await;
        audit::write(app, audit::by(app, visitor, AuditKind::ClientRefused)).await;
    }
    if error.status() >= 500 {
        let cause = std::error::Error::source(error).map(causes).unwrap_or_default();
        tracing::error!(code = error.code, cause, "the token endpoint failed: {cause}");
    } else {
        tracing::info!(
            code = error.code,
            description = error.description,
            "token request refused: {}",
            error.description
        );
    }
    let response = answer(error.status(), &error.body());
    if error.challenge {
        with_header(response, header::WWW_AUTHENTICATE, "Basic realm=\"mashang\"")
    } else {
        response
    }
}

async fn note(app: &App, visitor: &Visitor, happened: &Happened) {
    let issued = |grant: &'static str| {
        app.metrics.tokens.get_or_create(&[("grant", grant.into())]).inc();
    };
    match happened {
        Happened::Issued => issued("authorization_code"),
        Happened::Refreshed => issued("refresh_token"),
        Happened::Replayed { client, user } => {
            app.metrics.replays.inc();
            tracing::warn!(client.id = %client, "a spent code or refresh token of {client} came back; its tokens are revoked");
            audit::of_client(app, visitor, AuditKind::ReplayDetected, client, Some(user)).await;
        }
    }
}
