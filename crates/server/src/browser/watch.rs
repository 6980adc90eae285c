//! `GET …/status` and `GET …/events`: how the ticket stands, as the login page is told ([`crate::login::status`],
//! [`crate::login::events`]).

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::call::{At, page_of, ticket_of};
use super::refused::Refused;
use crate::login::socket::{Handshake, offered_secret};
use crate::login::{events, status};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

/// Answers at once, or waits.
pub async fn status((State(app), visitor, Path(at)): At, headers: HeaderMap) -> Response {
    let outcome = async {
        app.limits.count_here(Counted::Poll, visitor.address)?;
        let ticket = ticket_of(&app, &headers, page_of(&headers)?, &at).await?;
        let glance = ticket.glance(app.now());
        Ok(Json(status::report(&app, &visitor, &ticket.scan_code, &glance).await?).into_response())
    };
    or_refusal(&app, &visitor, outcome.await)
}

/// Opens the socket or the stream. `EventSource` cannot send a header, so pages read the stream by `fetch`; a socket can
/// neither, and brings the secret as a subprotocol.
pub async fn events(
    (State(app), visitor, Path(at)): At,
    headers: HeaderMap,
    handshake: Handshake,
) -> Response {
    let outcome = async {
        app.limits.count_here(Counted::Poll, visitor.address)?;
        let page = match &handshake {
            Handshake::None => page_of(&headers),
            _ => page_of(&headers).or_else(|unknown| match offered_secret(&headers) {
                Some(secret) => Ok(secret.hash()),
                None => Err(unknown),
            }),
        };
        let ticket = ticket_of(&app, &headers, page?, &at).await?;
        Ok(events::push(&app, &visitor, ticket.scan_code, handshake).await?)
    };
    or_refusal(&app, &visitor, outcome.await)
}

fn or_refusal(app: &App, visitor: &Visitor, outcome: Result<Response, Refused>) -> Response {
    outcome.unwrap_or_else(|refused| refused.tell(app, visitor))
}
