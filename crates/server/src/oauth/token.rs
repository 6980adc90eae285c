//! `POST /token` (RFC 6749 §3.2).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::secret::RefreshToken;
use mashang_oidc::token::{Happened, TokenError, token as exchange};

use super::{FromClient, answer, too_many, with_header};
use crate::audit;
use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::{Counted, TooMany, Whose};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Exchanges a code or a refresh token.
pub async fn token(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
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
    if let Err(limit) = count_refresh(&app, &sent).await {
        return too_many(limit, "the tokens of this login are refreshed too often");
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

/// Counts a refresh of one login's tokens: a page that refreshes in a loop costs a write each time. Nothing is spent by the refusal.
/// A token that was spent before is not counted: that it came back is told and acted upon however often (SEC-50).
async fn count_refresh(app: &App, sent: &FromClient) -> Result<(), TooMany> {
    let params = sent.as_request().params;
    let one = |name| params.one(name).ok().flatten();
    let is_refresh = one("grant_type") == Some("refresh_token");
    let token = one("refresh_token").filter(|_| is_refresh).and_then(RefreshToken::parse);
    let Some(token) = token else { return Ok(()) };
    // A store that does not answer is told by the exchange.
    match app.records.refresh_token(&token.hash()).await {
        Ok(Some(record)) if record.spent_at.is_none() => {
            app.count(Counted::Refresh, Whose::from_anywhere(record.family.id.as_str())).await
        }
        _ => Ok(()),
    }
}

/// Answers a refusal, and slows down whoever guesses secrets (SEC-79).
pub(super) async fn refuse(app: &App, visitor: &Visitor, error: &TokenError) -> Response {
    if error.code == "invalid_client"
        && let Err(limit) = count(app, visitor, error).await
    {
        return too_many(limit, "too many wrong client credentials came from this address");
    }
    if error.status() >= 500 {
        let cause = std::error::Error::source(error).map(causes).unwrap_or_default();
        tracing::error!(code = error.code, cause, "the token endpoint failed: {cause}");
    } else {
        let client = error.client.as_ref().map(tracing::field::display);
        tracing::info!(
            client.id = client,
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

/// Counts and records a client that did not prove itself.
///
/// # Errors
/// [`TooMany`] for an address that goes on naming clients which do not exist.
async fn count(app: &App, visitor: &Visitor, error: &TokenError) -> Result<(), TooMany> {
    let client = error.client.as_deref().cloned();
    let address = visitor.address;
    // Of a client that there is: refused at the next request, where a right secret after too many wrong ones waits as well.
    match &client {
        Some(client) => drop(app.count(Counted::TokenError, Whose::to_one(address, client.as_str())).await),
        None => app.count(Counted::TokenError, address).await?,
    }
    // One row each would let anybody fill the trail. Each client has its own, so that no other refusal hides a guess at its secret.
    let whose =
        client.as_ref().map_or_else(|| address.into(), |client| Whose::to_one(address, client.as_str()));
    if app.count(Counted::Refusal, whose).await.is_ok() {
        audit::write(app, AuditEvent { client, ..audit::by(app, visitor, AuditKind::ClientRefused) }).await;
    }
    Ok(())
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
