//! `GET …/status` and `GET …/events`: how the ticket stands, as the login page is told ([`crate::login::status`],
//! [`crate::login::events`]).

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::call::{At, ticket_of};
use super::refused::Refused;
use crate::login::{events, status};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

/// Answers at once, or waits.
pub async fn status((State(app), visitor, Path(at)): At, headers: HeaderMap) -> Response {
    let outcome = async {
        app.limits.count(Counted::Poll, visitor.address)?;
        let ticket = ticket_of(&app, &headers, &at).await?;
        Ok(Json(status::report(&app, &visitor, &ticket).await?).into_response())
    };
    or_refusal(&app, &visitor, outcome.await)
}

/// Opens the stream. `EventSource` cannot send a header, so pages read it by `fetch`.
pub async fn events((State(app), visitor, Path(at)): At, headers: HeaderMap) -> Response {
    let outcome = async {
        app.limits.count(Counted::Poll, visitor.address)?;
        let ticket = ticket_of(&app, &headers, &at).await?;
        Ok(events::stream(&app, &visitor, ticket.scan_code).await?)
    };
    or_refusal(&app, &visitor, outcome.await)
}

fn or_refusal(app: &App, visitor: &Visitor, outcome: Result<Response, Refused>) -> Response {
    outcome.unwrap_or_else(|refused| refused.tell(app, visitor))
}
