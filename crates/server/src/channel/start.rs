//! `GET /channel/{channel}/start/{grant}/{ticket}`: leads the waiting browser's own window to a platform's page.

use axum::extract::{Path, State};
use axum::response::Response;
use mashang_login::grant::Purpose;
use mashang_login::handshake::Traveller;
use mashang_login::ticket::Status;

use super::begin_trip;
use crate::flow;
use crate::state::App;
use crate::urls;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Mints a state bound to this browser and sends it off. Not to be added to an account: no platform's page would say so
/// (SEC-08, SEC-38).
pub async fn start(
    State(app): State<App>,
    visitor: Visitor,
    Path((channel, grant, ticket)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    let channel = app.channels.get(&channel).ok_or(Problem::NotFound)?;
    if channel.page_host().is_none() || matches!(waiting.grant.purpose, Purpose::Link { .. }) {
        return Err(Problem::NotFound);
    }
    if !waiting.client.settings.admits(&channel.id) {
        return Err(Problem::way_not_admitted(&waiting.grant));
    }
    let Some(ticket) = waiting.ticket.filter(|ticket| ticket.status(app.now()) == Status::Waiting) else {
        return Ok(see_other(&urls::login(&waiting.grant.id), &[]));
    };
    let traveller = (Traveller::Browser, waiting.browser);
    let (state, _) = begin_trip(&app, &visitor, channel, &ticket, traveller).await?;
    let page = channel.browser_page(&state, visitor.language).ok_or(Problem::NotFound)?;
    Ok(see_other(page.as_str(), &[]))
}
