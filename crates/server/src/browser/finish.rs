//! `POST …/redeem` and `POST …/cancel`: the page collects the approval, or gives up.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use mashang_login::ticket::Status;
use mashang_oidc::answer::refuse;
use mashang_oidc::authorize::AuthorizeError;
use serde_json::{Map, Value};

use super::call::{At, login_of};
use super::refused::Refused;
use super::told;
use crate::audit;
use crate::flow::{self, Next};
use crate::state::App;
use crate::web::visitor::Visitor;

/// Collects, once; or says how the ticket stands.
pub async fn redeem((State(app), visitor, Path(at)): At, headers: HeaderMap) -> Response {
    let outcome = collect(&app, &visitor, &headers, &at).await;
    told(&app, &visitor, outcome.map(|answer| (StatusCode::OK, answer)))
}

async fn collect(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    at: &(String, String),
) -> Result<Value, Refused> {
    let waiting = login_of(app, visitor, headers, at).await?;
    let status = || waiting.ticket.as_ref().map_or(Status::Expired, |ticket| ticket.status(app.now()));
    match flow::next(&waiting.grant, waiting.ticket.as_ref(), app.now()) {
        Next::Over => return Err(Refused::LoginOver),
        Next::Show | Next::Draw => return Err(Refused::NotApproved(status())),
        Next::Redeem => {}
    }
    // Whoever was second finds the ticket spent.
    let response = flow::redeem_for_page(app, visitor, &waiting).await?.ok_or(Refused::LoginOver)?;
    let mut answer: Map<String, Value> =
        response.params().map(|(name, value)| (name.to_owned(), value.into())).collect();
    answer.insert("redirect_uri".into(), response.redirect_uri.as_str().into());
    Ok(answer.into())
}

/// Ends the ticket and the request.
pub async fn cancel((State(app), visitor, Path(at)): At, headers: HeaderMap) -> Response {
    match give_up(&app, &visitor, &headers, &at).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused.tell(&app, &visitor),
    }
}

async fn give_up(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    at: &(String, String),
) -> Result<(), Refused> {
    let waiting = login_of(app, visitor, headers, at).await?;
    if let Some(ticket) = &waiting.ticket {
        let _ = flow::advance(app, &ticket.scan_code, |ticket, now| ticket.abandon(&waiting.browser, now))
            .await?;
    }
    match refuse(&app.provider, &waiting.grant, &AuthorizeError::access_denied()).await? {
        Some(_) => {
            audit::cancelled(app, visitor, &waiting.client.id, waiting.ticket.as_ref()).await;
            Ok(())
        }
        None => Err(Refused::LoginOver),
    }
}
